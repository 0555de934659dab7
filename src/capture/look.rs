//! Whether bytes look like SIP, wherever they were found.

use memchr::{memchr, memmem};

/// A datagram that is a SIP message, or was meant to be one.
pub fn is_datagram(source_port: u16, destination_port: u16, bytes: &[u8]) -> bool {
    let skipped = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let Some(rest) = bytes.get(skipped..).filter(|rest| rest.first().is_some_and(u8::is_ascii_alphabetic)) else { return false };
    let line = rest.get(..memchr(b'\n', rest).unwrap_or(rest.len())).unwrap_or_default();
    // On SIP's own port everything that begins with a letter is meant to be SIP, and worth a finding if it is none.
    is_start_line(line) || [source_port, destination_port].contains(&5060)
}

/// A whole first line of a message: `INVITE sip:… SIP/2.0`, `SIP/2.0 200 OK`.
pub fn is_start_line(line: &[u8]) -> bool {
    let line = line.trim_ascii_end();
    if line.starts_with(b"SIP/2.0 ") {
        return line.get(8..11).is_some_and(|code| code.iter().all(u8::is_ascii_digit));
    }
    let Some(before) = line.strip_suffix(b" SIP/2.0") else { return false };
    before.iter().position(|&byte| byte == b' ').is_some_and(|space| space > 0 && is_method(before.get(..space).unwrap_or_default()))
}

/// What could be the beginning of a message, as far as can be told from the first bytes of a stream.
pub fn may_begin(bytes: &[u8]) -> bool {
    let word = bytes.get(..bytes.len().min(4)).unwrap_or_default();
    matches!(bytes.first(), Some(b'\r' | b'\n')) || word.iter().all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'/' | b' '))
}

/// Where in the middle of a stream the next message begins: at a line that is one's first.
pub fn next_start(bytes: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(found) = memmem::find(bytes.get(from..)?, b"SIP/2.0") {
        let at = from + found;
        let start = bytes.get(..at)?.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
        let end = at + memchr(b'\n', bytes.get(at..)?)?;
        // A status line within a sipfrag is none: a message goes on with a header.
        if is_start_line(bytes.get(start..end)?) && begins_header(bytes.get(end + 1..)?) {
            return Some(start);
        }
        from = end;
    }
    None
}

fn begins_header(bytes: &[u8]) -> bool {
    let name = bytes.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
    name > 0 && bytes.get(name..).is_some_and(|rest| rest.trim_ascii_start().first() == Some(&b':'))
}

fn is_method(word: &[u8]) -> bool {
    word.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(byte))
}

/// The Call-ID of bytes that are no valid message: the first header line of that name, long or compact.
pub fn call_id(bytes: &[u8]) -> Option<&str> {
    let head = bytes.get(..memmem::find(bytes, b"\r\n\r\n").unwrap_or(bytes.len()))?;
    let value = head.split(|&byte| byte == b'\n').skip(1).find_map(|line| {
        let colon = memchr(b':', line)?;
        let (name, value) = line.split_at_checked(colon)?;
        let name = name.trim_ascii();
        (name.eq_ignore_ascii_case(b"call-id") || name.eq_ignore_ascii_case(b"i")).then(|| value.get(1..))?
    })?;
    std::str::from_utf8(value.trim_ascii()).ok().filter(|id| !id.is_empty())
}
