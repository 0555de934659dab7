//! Comma-separated header values (RFC 3261 §7.3.1).

use std::borrow::Cow;

use super::text::{quoted_end, trim_lws};

/// The items of one header value. Commas in quoted strings and between angle brackets belong to the item; empty items are passed over.
#[derive(Debug)]
pub struct ListItems<'a> {
    value: Cow<'a, str>,
    at: usize,
}

impl<'a> ListItems<'a> {
    pub fn new(value: Cow<'a, str>) -> Self {
        Self { value, at: 0 }
    }

    /// The item at or after `at` that is not empty, and where to go on.
    pub(super) fn next_in(text: &str, mut at: usize) -> Option<(&str, usize)> {
        while at < text.len() {
            let end = item_end(text, at);
            let item = trim_lws(text.get(at..end)?);
            at = end + 1;
            if !item.is_empty() {
                return Some((item, at));
            }
        }
        None
    }

    /// Where the first item ends.
    pub(super) fn first_end(text: &str) -> usize {
        item_end(text, 0)
    }
}

impl<'a> Iterator for ListItems<'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Cow<'a, str>> {
        match &self.value {
            Cow::Borrowed(text) => {
                let (item, next) = Self::next_in(text, self.at)?;
                self.at = next;
                Some(Cow::Borrowed(item))
            }
            Cow::Owned(text) => {
                let (item, next) = Self::next_in(text, self.at)?;
                let item = item.to_owned();
                self.at = next;
                Some(Cow::Owned(item))
            }
        }
    }
}

/// The index of the comma that ends the item which begins at `start`, or the text's length.
fn item_end(text: &str, start: usize) -> usize {
    let bytes = text.as_bytes();
    let mut index = start;
    // A plain value, the ordinary case, has no comma at all.
    if memchr::memchr(b',', bytes.get(start..).unwrap_or_default()).is_none() {
        return bytes.len();
    }
    while let Some(&byte) = bytes.get(index) {
        index += match byte {
            b',' => return index,
            b'"' => text.get(index..).and_then(quoted_end).unwrap_or(bytes.len() - index),
            // A `<` that never closes hides nothing.
            b'<' => memchr::memchr(b'>', bytes.get(index..).unwrap_or_default()).unwrap_or(1),
            _ => 1,
        };
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(text: &str) -> Vec<String> {
        ListItems::new(Cow::Borrowed(text)).map(Cow::into_owned).collect()
    }

    #[test]
    fn quotes_and_brackets_hide_commas() {
        assert_eq!(items(r#""a, b" <sip:x,y@z>;q=1 , sip:c@d,"#), [r#""a, b" <sip:x,y@z>;q=1"#, "sip:c@d"]);
    }

    #[test]
    fn odd_lists_end() {
        assert_eq!(items(",, ,"), Vec::<String>::new());
        assert_eq!(items("\"a,b"), ["\"a,b"]);
        assert_eq!(items("a,<b,c"), ["a", "<b", "c"]);
        assert_eq!(items("\"\\"), ["\"\\"]);
    }
}
