//! Secrets blanked in what leaves the program or is kept on disk: credentials, API secrets and media keys.

use std::borrow::Cow;

/// Headers whose whole value is blanked, folded lines too.
const SECRET_HEADERS: &[&str] = &["Authorization", "Proxy-Authorization", "asapp-api-secret"];
/// What stands in place of a secret.
pub const BLANK: &str = "(blanked)";

/// The message with secrets blanked; borrowed where it holds none. The body keeps its length, so that Content-Length stays true.
pub fn message(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut changed = false;
    let mut in_body = false;
    let mut in_secret = false;
    let mut past_start_line = false;
    for line in bytes.split_inclusive(|&b| b == b'\n') {
        let text = line.strip_suffix(b"\n").map_or(line, |l| l.strip_suffix(b"\r").unwrap_or(l));
        let ending = &line[text.len()..];
        if !in_body && text.is_empty() && past_start_line {
            in_body = true;
        }
        past_start_line |= !text.is_empty();
        // A key line of SDP (RFC 4568); a CR alone ends a line for lenient readers, so it is looked for within.
        if in_body && let Some(at) = key_start(text) {
            out.extend_from_slice(&text[..at]);
            out.resize(out.len() + text.len() - at, b'x');
            changed = true;
        } else if !in_body && in_secret && is_fold(text) {
            changed = true;
            continue;
        } else if !in_body && let Some(name_len) = secret_name_len(text) {
            in_secret = true;
            changed = true;
            out.extend_from_slice(&text[..name_len]);
            out.extend_from_slice(b": ");
            out.extend_from_slice(BLANK.as_bytes());
        } else {
            in_secret = false;
            out.extend_from_slice(text);
        }
        out.extend_from_slice(ending);
    }
    if changed { Cow::Owned(out) } else { Cow::Borrowed(bytes) }
}

/// A line that goes on with the header before it (RFC 3261 §7.3.1).
fn is_fold(line: &[u8]) -> bool {
    matches!(line.first(), Some(b' ' | b'\t'))
}

fn secret_name_len(line: &[u8]) -> Option<usize> {
    let colon = line.iter().position(|&b| b == b':')?;
    let name = line[..colon].trim_ascii_end();
    SECRET_HEADERS.iter().any(|s| s.as_bytes().eq_ignore_ascii_case(name)).then_some(name.len())
}

fn key_start(line: &[u8]) -> Option<usize> {
    [&b"a=crypto:"[..], b"a=crypto ", b"k="]
        .into_iter()
        .find(|p| line.len() >= p.len() && line[..p.len()].eq_ignore_ascii_case(p))
        .map(<[u8]>::len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_blanked_with_their_folded_lines() {
        let wire = b"INVITE sip:b SIP/2.0\r\nAUTHORIZATION : Digest username=\"u\",\r\n response=\"abc\"\r\nproxy-authorization: x\r\nVia: v\r\n\r\n";
        assert_eq!(
            message(wire).as_ref(),
            b"INVITE sip:b SIP/2.0\r\nAUTHORIZATION: (blanked)\r\nproxy-authorization: (blanked)\r\nVia: v\r\n\r\n"
        );
    }

    #[test]
    fn media_keys_are_blanked_in_place() {
        let wire = b"SIP/2.0 200 OK\r\nContent-Length: 40\r\n\r\nv=0\r\na=crypto:1 AES_CM_128 inline:KEY\r\nm=audio\r\n";
        let out = message(wire);
        assert_eq!(out.len(), wire.len());
        assert!(!String::from_utf8_lossy(&out).contains("KEY"));
        assert!(out.ends_with(b"\r\nm=audio\r\n"));
    }

    #[test]
    fn a_message_without_secrets_is_not_copied() {
        let wire = b"BYE sip:b SIP/2.0\r\nVia: v\r\nWWW-Authenticate: Digest nonce=\"n\"\r\n\r\nAuthorization: text";
        assert!(matches!(message(wire), Cow::Borrowed(_)));
    }
}
