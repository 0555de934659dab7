//! SIP messages and Refer-To values in a text file, as people save and paste them.

use bytes::Bytes;

use super::report::Wired;

/// The messages in a text, one after the other. Lines that end in LF alone are taken as if they ended in CR LF.
pub fn messages(bytes: &[u8]) -> Vec<Wired> {
    let text = with_crlf(bytes);
    let mut list = Vec::new();
    let mut rest = &text[..];
    loop {
        rest = skip_blank(rest);
        if !starts_message(rest) {
            return list;
        }
        let length = length(rest);
        let (message, after) = rest.split_at(length);
        list.push(Wired { at: None, addresses: None, transport: None, bytes: Bytes::copy_from_slice(message) });
        rest = after;
    }
}

/// Lines that are a `sip:` or `sips:` URI or name-addr, with or without the header's name.
pub fn refer_to_values(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let value = |line: &str| {
        let line = line.trim();
        let named = line.split_once(':').filter(|(name, _)| ["refer-to", "r"].contains(&name.trim().to_ascii_lowercase().as_str()));
        named.map_or(line, |(_, value)| value.trim()).to_owned()
    };
    let is_one = |value: &String| {
        let uri = value.rsplit_once('<').map_or(value.as_str(), |(_, uri)| uri).to_ascii_lowercase();
        ["sip:", "sips:", "tel:"].iter().any(|scheme| uri.starts_with(scheme))
    };
    text.lines().map(value).filter(is_one).collect()
}

fn with_crlf(bytes: &[u8]) -> Vec<u8> {
    if bytes.windows(2).any(|w| w == b"\r\n") {
        return bytes.to_vec();
    }
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 32);
    for line in bytes.split_inclusive(|&b| b == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(text) => out.extend([text, b"\r\n"].concat()),
            None => out.extend_from_slice(line),
        }
    }
    out
}

fn skip_blank(bytes: &[u8]) -> &[u8] {
    let blank = bytes.iter().take_while(|b| b.is_ascii_whitespace()).count();
    &bytes[blank..]
}

/// A start line. A status line in a sipfrag is one too: only a message goes on with headers.
fn starts_message(bytes: &[u8]) -> bool {
    let mut lines = bytes.split(|&b| b == b'\n').map(|l| l.strip_suffix(b"\r").unwrap_or(l));
    let start = lines.next().unwrap_or_default();
    let is_start = start.starts_with(b"SIP/2.0 ") || start.windows(5).any(|w| w == b" SIP/");
    is_start && lines.next().is_some_and(is_header)
}

fn is_header(line: &[u8]) -> bool {
    let name = line.split(|&b| b == b':').next().unwrap_or_default().trim_ascii_end();
    !name.is_empty() && name.len() < line.len() && name.iter().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(b))
}

/// How long the message at the front is: by its Content-Length where that is true, else until the next message.
fn length(bytes: &[u8]) -> usize {
    let Some(head) = bytes.windows(4).position(|w| w == b"\r\n\r\n").map(|at| at + 4) else { return bytes.len() };
    let stated = content_length(&bytes[..head]).and_then(|length| head.checked_add(length)).filter(|&end| end <= bytes.len());
    if let Some(end) = stated
        && (skip_blank(&bytes[end..]).is_empty() || starts_message(skip_blank(&bytes[end..])))
    {
        return end;
    }
    let mut position = head;
    for line in bytes[head..].split_inclusive(|&b| b == b'\n') {
        if position > head && starts_message(&bytes[position..]) {
            return position;
        }
        if position == head && starts_message(&bytes[position..]) {
            return head;
        }
        position += line.len();
    }
    bytes.len()
}

fn content_length(head: &[u8]) -> Option<usize> {
    head.split(|&b| b == b'\n').find_map(|line| {
        let (name, value) = std::str::from_utf8(line).ok()?.split_once(':')?;
        let name = name.trim().to_ascii_lowercase();
        (name == "content-length" || name == "l").then(|| value.trim().parse().ok())?
    })
}
