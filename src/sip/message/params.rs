//! `;name=value` parameters of header values and URIs (RFC 3261 §7.3.1, §25.1 `generic-param`).

use super::text::{quoted_end, trim_lws};

/// Iterates over `;a=b;c;d="e;f"`: name, and the value as written (None for a flag). Empty parameters are passed over.
#[derive(Debug, Clone)]
pub struct Params<'a> {
    rest: &'a str,
}

impl<'a> Params<'a> {
    /// `text` may begin with the first semicolon or without it.
    pub fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// The first value of this name, compared without regard to case: `Some("")` for a flag.
    pub fn find(self, name: &str) -> Option<&'a str> {
        let mut params = self;
        params.find_map(|(found, value)| found.eq_ignore_ascii_case(name).then_some(value.unwrap_or("")))
    }
}

impl<'a> Iterator for Params<'a> {
    type Item = (&'a str, Option<&'a str>);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            let Bounds { equals, end } = Bounds::of(self.rest);
            let (item, rest) = self.rest.split_at(end);
            self.rest = rest.get(1..).unwrap_or("");
            match equals {
                Some(equals) => return Some((trim_lws(&item[..equals]), Some(trim_lws(&item[equals + 1..])))),
                None if trim_lws(item).is_empty() => {}
                None => return Some((trim_lws(item), None)),
            }
        }
        None
    }
}

/// Where the first parameter of a text ends, and its first equals sign.
struct Bounds {
    equals: Option<usize>,
    end: usize,
}

impl Bounds {
    fn of(text: &str) -> Self {
        let (mut equals, mut index) = (None, 0);
        // One look at a table passes over what is neither: nearly every byte.
        while let Some(plain) = text.as_bytes().get(index..).and_then(|rest| rest.iter().position(|byte| MARKS[*byte as usize])) {
            index += plain;
            match text.as_bytes().get(index) {
                Some(b'=') => {
                    equals = equals.or(Some(index));
                    index += 1;
                }
                // Quotes hide semicolons; quoted text that never ends is the last there is.
                Some(b'"') => index += text.get(index..).and_then(quoted_end).unwrap_or(text.len() - index),
                _ => return Self { equals, end: index },
            }
        }
        Self { equals, end: text.len() }
    }
}

/// What a parameter's text is told apart by.
const MARKS: [bool; 256] = {
    let mut table = [false; 256];
    table[b';' as usize] = true;
    table[b'=' as usize] = true;
    table[b'"' as usize] = true;
    table
};

/// The index of the first `separator` that stands outside of quotes, or the text's length.
pub(crate) fn outside_quotes(text: &str, separator: u8) -> usize {
    let bytes = text.as_bytes();
    let mut index = 0;
    while let Some(&byte) = bytes.get(index) {
        if byte == separator {
            return index;
        }
        index += if byte == b'"' { text.get(index..).and_then(quoted_end).unwrap_or(bytes.len() - index) } else { 1 };
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hide_separators() {
        let all: Vec<_> = Params::new(r#";tag=1 ; x = "a;b\";=c" ;;flag"#).collect();
        assert_eq!(all, [("tag", Some("1")), ("x", Some(r#""a;b\";=c""#)), ("flag", None)]);
    }

    #[test]
    fn an_open_quote_swallows_the_rest() {
        assert_eq!(Params::new(r#"a="b;c=d"#).count(), 1);
        assert_eq!(Params::new("\"\\").count(), 1);
    }

    #[test]
    fn names_compare_without_case() {
        assert_eq!(Params::new("LR;Transport=TCP").find("lr"), Some(""));
        assert_eq!(Params::new("LR;Transport=TCP").find("transport"), Some("TCP"));
        assert_eq!(Params::new("a=b").find("c"), None);
    }
}
