//! Text that shares a message's bytes, and the character classes of RFC 3261 §25.1.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::{Deref, Range};

use bytes::Bytes;

/// UTF-8 text as a slice of shared bytes: cheap to clone, cheap to cut.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text(Bytes);

impl Text {
    /// Shares the bytes where they are UTF-8; copies them with U+FFFD where they are not.
    pub fn lossy(bytes: Bytes) -> Self {
        match std::str::from_utf8(&bytes) {
            Ok(_) => Self(bytes),
            Err(_) => Self::from(String::from_utf8_lossy(&bytes).into_owned()),
        }
    }

    #[expect(unsafe_code, reason = "looking at every byte again for each reading was a twelfth of a call's cost")]
    pub fn as_str(&self) -> &str {
        // SAFETY: `from_utf8_unchecked` wants UTF-8. The field is private, and what goes into it here is either a `str`
        // (`From`, `from_static`), was looked at whole (`lossy`), or is a part of a `Text` that is a `str` itself
        // (`cut` by `str::get`, `share`), also of a [`HeadedBytes`]. Nobody can change it later: shared `Bytes` are immutable.
        unsafe { std::str::from_utf8_unchecked(&self.0) }
    }

    /// A part of it that shares the same bytes; empty when the range is not one of this text.
    pub fn cut(&self, range: Range<usize>) -> Self {
        if self.as_str().get(range.clone()).is_some() { Self(self.0.slice(range)) } else { Self::default() }
    }

    /// A part of it, given as a subslice of [`Text::as_str`].
    pub fn share(&self, part: &str) -> Self {
        if part.is_empty() { Self::default() } else { Self(self.0.slice_ref(part.as_bytes())) }
    }
}

impl Deref for Text {
    type Target = str;
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        self
    }
}

impl Hash for Text {
    /// As `str` does, so that maps keyed by `Text` can be asked by `&str`.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl Text {
    /// Of words that stand in the program.
    pub const fn from_static(text: &'static str) -> Self {
        Self(Bytes::from_static(text.as_bytes()))
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(Bytes::from(text))
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// Bytes that begin with text: a message, whose head is UTF-8 and whose body need not be.
#[derive(Debug, Clone)]
pub(super) struct HeadedBytes {
    bytes: Bytes,
    /// So many of them are text.
    head: usize,
}

impl HeadedBytes {
    /// Bytes whose first `head` should be text. Where they are no UTF-8 the head is empty.
    pub fn read(bytes: Bytes, head: usize) -> Self {
        let is_text = bytes.get(..head).is_some_and(|head| std::str::from_utf8(head).is_ok());
        Self { bytes, head: if is_text { head } else { 0 } }
    }

    /// Both in bytes of their own.
    pub fn written(head: &str, body: &[u8]) -> Self {
        let mut whole = Vec::with_capacity(head.len() + body.len());
        whole.extend_from_slice(head.as_bytes());
        whole.extend_from_slice(body);
        Self { bytes: Bytes::from(whole), head: head.len() }
    }

    pub fn whole(&self) -> &Bytes {
        &self.bytes
    }

    #[expect(unsafe_code, reason = "as for `Text::as_str`")]
    pub fn head(&self) -> &str {
        let head = self.bytes.get(..self.head).unwrap_or_default();
        // SAFETY: `from_utf8_unchecked` wants UTF-8. The fields are private, and made here only: `read` has looked at these very
        // bytes, `written` has copied them out of a `str`. Nobody can change them later: shared `Bytes` are immutable.
        unsafe { std::str::from_utf8_unchecked(head) }
    }

    /// A part of the head that shares the same bytes, given as a subslice of [`HeadedBytes::head`].
    pub fn share(&self, part: &str) -> Text {
        if part.is_empty() { Text::default() } else { Text(self.bytes.slice_ref(part.as_bytes())) }
    }
}

/// The text where the bytes are UTF-8; a copy with U+FFFD where they are not.
pub(super) fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    // The library's own looks at one byte at a time, this one at many.
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// Cuts at the first such byte, which is ASCII. Header values are short: a plain loop is through before a search has begun.
pub(super) fn split_at_byte(text: &str, byte: u8) -> Option<(&str, &str)> {
    let at = text.bytes().position(|one| one == byte)?;
    Some((&text[..at], &text[at + 1..]))
}

/// §25.1 `token`: one or more of alphanumerics and ``-.!%*_+`'~``.
pub fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|&byte| is_token_byte(byte))
}

pub(crate) const fn is_token_byte(byte: u8) -> bool {
    TOKEN[byte as usize]
}

const TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        table[byte] = b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~');
        byte += 1;
    }
    table
};

/// Controls have no place in a header value or a URI (§25.1 `TEXT-UTF8-TRIM`); a tab may stand for a space.
pub fn has_control(text: &[u8]) -> bool {
    // No early end: so the compiler looks at many bytes at once.
    text.iter().fold(false, |found, &byte| found | ((byte < 0x20) & (byte != b'\t')) | (byte == 0x7f))
}

/// Trims SP and HT, and the line ends of folding.
#[inline]
pub(crate) fn trim_lws(text: &str) -> &str {
    // Most text has nothing to trim.
    match text.as_bytes() {
        [] => text,
        [only] if *only > b' ' => text,
        [first, .., last] if *first > b' ' && *last > b' ' => text,
        _ => trim_blanks(text),
    }
}

fn trim_blanks(text: &str) -> &str {
    let blank = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let lead = text.as_bytes().iter().take_while(blank).count();
    let trail = text.as_bytes()[lead..].iter().rev().take_while(blank).count();
    &text[lead..text.len() - trail]
}

/// Takes the quotes and the backslashes off a quoted string; other text comes back as it is.
pub fn unquote(text: &str) -> Cow<'_, str> {
    let Some(inner) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else { return Cow::Borrowed(text) };
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Cow::Borrowed(inner);
    }
    let mut plain = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(char) = chars.next() {
        plain.extend(if char == '\\' { chars.next() } else { Some(char) });
    }
    Cow::Owned(plain)
}

/// Writes a quoted string (§25.1 `quoted-string`).
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for char in text.chars() {
        if matches!(char, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(char);
    }
    quoted.push('"');
    quoted
}

/// Where the quoted string that begins `text` ends (the index after the closing quote); None when it never does.
pub(crate) fn quoted_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut index = 1;
    while let Some(&byte) = bytes.get(index) {
        match byte {
            b'"' => return Some(index + 1),
            b'\\' => index += 2,
            _ => index += 1,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_round_trips() {
        for text in ["", "plain", r#"a "b" \c"#, "ü ;<"] {
            assert_eq!(unquote(&quote(text)), text);
        }
    }

    #[test]
    fn cutting_off_a_character_boundary_yields_nothing() {
        assert_eq!(Text::from("aüb").cut(0..2).as_str(), "");
        assert_eq!(Text::from("aüb").cut(1..3).as_str(), "ü");
        assert_eq!(Text::from("ab").cut(1..9).as_str(), "");
    }
}
