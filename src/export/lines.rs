//! A message's lines, taken as they are: what the ladder and the redaction need also of bytes that are no valid message.

use std::borrow::Cow;

/// The head of a message, cut into lines; nothing is judged.
pub struct Lines<'a> {
    head: &'a [u8],
    pub body: &'a [u8],
}

impl<'a> Lines<'a> {
    pub fn of(bytes: &'a [u8]) -> Self {
        let start = bytes.iter().position(|b| !matches!(b, b'\r' | b'\n')).unwrap_or(bytes.len());
        let bytes = &bytes[start..];
        let (head, body) = match (find(bytes, b"\r\n\r\n"), find(bytes, b"\n\n")) {
            (Some(crlf), _) => (&bytes[..crlf + 2], &bytes[crlf + 4..]),
            (None, Some(lf)) => (&bytes[..lf + 1], &bytes[lf + 2..]),
            (None, None) => (bytes, &[][..]),
        };
        Self { head, body }
    }

    pub fn start_line(&self) -> Cow<'a, str> {
        self.raw_lines().next().map(String::from_utf8_lossy).unwrap_or_default()
    }

    /// Name and value of each header, folded lines joined by one space.
    pub fn headers(&self) -> impl Iterator<Item = (Cow<'a, str>, String)> + use<'a> {
        let mut lines = self.raw_lines().skip(1).peekable();
        std::iter::from_fn(move || {
            let line = lines.next()?;
            let mut text = String::from_utf8_lossy(line).into_owned();
            while let Some(more) = lines.next_if(|l| is_fold(l)) {
                text.push(' ');
                text.push_str(String::from_utf8_lossy(more).trim());
            }
            Some(match text.split_once(':') {
                Some((name, value)) => (Cow::Owned(name.trim().to_owned()), value.trim().to_owned()),
                None => (Cow::Owned(text), String::new()),
            })
        })
    }

    /// The first header of this name, or of its compact form.
    pub fn header(&self, name: &str, compact: Option<&str>) -> Option<String> {
        let is = |n: &str| n.eq_ignore_ascii_case(name) || compact.is_some_and(|c| n.eq_ignore_ascii_case(c));
        self.headers().find(|(n, _)| is(n)).map(|(_, value)| value)
    }

    fn raw_lines(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.head.split(|&b| b == b'\n').map(|l| l.strip_suffix(b"\r").unwrap_or(l)).filter(|l| !l.is_empty())
    }
}

/// A line that goes on with the header before it (RFC 3261 §7.3.1).
pub fn is_fold(line: &[u8]) -> bool {
    matches!(line.first(), Some(b' ' | b'\t'))
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_whatever_they_hold() {
        let lines = Lines::of(b"\r\nINVITE sip:b SIP/2.0\r\nSubject: a\r\n\t b \r\nodd\r\nv: x\r\n\r\nbody");
        assert_eq!(lines.start_line(), "INVITE sip:b SIP/2.0");
        let headers: Vec<(String, String)> = lines.headers().map(|(n, v)| (n.into_owned(), v)).collect();
        assert_eq!(headers, [("Subject".into(), "a b".into()), ("odd".into(), String::new()), ("v".into(), "x".into())]);
        assert_eq!(lines.header("Via", Some("v")).as_deref(), Some("x"));
        assert_eq!(lines.body, b"body");
        for odd in [&b""[..], b"\r\n\r\n", b"\xff\xfe", b" \n\n", b":\n:"] {
            let lines = Lines::of(odd);
            assert!(lines.start_line().len() + lines.headers().count() <= 16);
        }
    }
}
