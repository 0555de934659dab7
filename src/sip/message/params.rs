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
        loop {
            if self.rest.is_empty() {
                return None;
            }
            let end = outside_quotes(self.rest, b';');
            let (item, rest) = self.rest.split_at(end);
            self.rest = rest.get(1..).unwrap_or("");
            let item = trim_lws(item);
            if item.is_empty() {
                continue;
            }
            return Some(match item.split_once('=') {
                Some((name, value)) => (trim_lws(name), Some(trim_lws(value))),
                None => (item, None),
            });
        }
    }
}

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
