//! A message's bytes for somebody else: secrets blanked always, values as tokens where that is asked for.

use std::borrow::Cow;

use bytes::Bytes;

use super::tokens::Tokens;
use crate::{
    contract::{context, payload, redact},
    export::lines::{Lines, is_fold},
};

/// The message with credentials, keys and the passwords of URIs blanked.
pub fn without_secrets(bytes: &Bytes) -> Bytes {
    let blanked = match redact::message(bytes) {
        Cow::Borrowed(_) => bytes.clone(),
        Cow::Owned(blanked) => Bytes::from(blanked),
    };
    let (head, body) = split(&blanked);
    let text = String::from_utf8_lossy(head);
    match without_passwords(&text) {
        Cow::Borrowed(_) => blanked,
        Cow::Owned(head) => [head.as_bytes(), body].concat().into(),
    }
}

/// The same with tokens in place of variables' values.
pub fn redacted(tokens: &mut Tokens, bytes: &Bytes) -> Bytes {
    let bytes = without_secrets(bytes);
    let (head, body) = split(&bytes);
    let text = String::from_utf8_lossy(head).into_owned();
    let is_sdp = Lines::of(&bytes).header("Content-Type", Some("c")).is_some_and(|kind| kind.to_ascii_lowercase().contains("sdp"));
    let new_body: Cow<'_, [u8]> = match std::str::from_utf8(body) {
        Ok(text) if !is_sdp && !text.is_empty() => Cow::Owned(tokens.text(text).into_bytes()),
        _ => Cow::Borrowed(body),
    };
    let mut out = String::with_capacity(text.len());
    let mut dropping = false;
    for line in text.split_inclusive('\n') {
        let content = line.trim_end_matches(['\r', '\n']);
        let ending = line.get(content.len()..).unwrap_or_default();
        if is_fold(content.as_bytes()) {
            // A variable's folded lines went with its value.
            if !dropping {
                out.push_str(&tokens.text(content));
                out.push_str(ending);
            }
            continue;
        }
        dropping = false;
        match content.split_once(':').map(|(name, value)| (name.trim_end(), value)) {
            Some((name, value)) if is_variable(name) => {
                // The folded lines behind it belong to the value.
                let whole = folded(&text, line, value);
                out.push_str(&format!("{name}: {}", tokens.of(&whole)));
                dropping = true;
            }
            Some((name, _)) if name.eq_ignore_ascii_case("Content-Length") || name.eq_ignore_ascii_case("l") => {
                if new_body.len() == body.len() {
                    out.push_str(content);
                } else {
                    out.push_str(&format!("{name}: {}", new_body.len()));
                }
            }
            Some((name, _)) if is_structure(name) => out.push_str(content),
            _ => out.push_str(&tokens.text(content)),
        }
        out.push_str(ending);
    }
    let mut message = out.into_bytes();
    message.extend_from_slice(&new_body);
    message.into()
}

/// The variables' values of a message, in headers and in the URI that it hands over.
pub fn values(bytes: &[u8]) -> Vec<String> {
    let lines = Lines::of(bytes);
    let mut values = Vec::new();
    for (name, value) in lines.headers() {
        if is_variable(&name) {
            values.push(context::clean(&value).into_owned());
        } else if name.eq_ignore_ascii_case("Refer-To") || name.eq_ignore_ascii_case("r") {
            let decoded = payload::decode(&value);
            values.extend(decoded.transfer.values().chain(decoded.reference.values()).cloned());
        }
    }
    values
}

/// A header's value with the folded lines behind it.
fn folded(text: &str, line: &str, value: &str) -> String {
    // `line` is a slice of `text`.
    let end = (line.as_ptr() as usize).saturating_sub(text.as_ptr() as usize) + line.len();
    let mut whole = value.trim().to_owned();
    for more in text.get(end..).unwrap_or_default().lines().take_while(|line| is_fold(line.as_bytes())) {
        whole.push(' ');
        whole.push_str(more.trim());
    }
    whole
}

/// Head with its blank line, and body.
fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memmem::find(bytes, b"\r\n\r\n").map(|at| at + 4).or_else(|| memchr::memmem::find(bytes, b"\n\n").map(|at| at + 2));
    bytes.split_at(end.unwrap_or(bytes.len()))
}

/// `sip:user:password@host` with the password blanked (RFC 3261 §19.1.1 recommends against it, and it happens).
fn without_passwords(text: &str) -> Cow<'_, str> {
    let mut out = Cow::Borrowed(text);
    let mut at = 0;
    while let Some(found) = out.get(at..).and_then(|rest| rest.find("sip:").into_iter().chain(rest.find("sips:")).min()) {
        let start = at + found;
        let after = out.get(start..).and_then(|rest| rest.find(':')).map_or(start + 4, |colon| start + colon + 1);
        let rest = out.get(after..).unwrap_or_default();
        let end = rest.find(['@', '>', ' ', '\r', '\n', '?', ',']).unwrap_or(rest.len());
        let user = rest.get(..end).unwrap_or_default();
        at = after + end;
        if rest.as_bytes().get(end) == Some(&b'@')
            && let Some((name, password)) = user.split_once(':')
        {
            let range = after + name.len() + 1..after + name.len() + 1 + password.len();
            at = range.start + BLANK.len();
            out.to_mut().replace_range(range, BLANK);
        }
    }
    out
}

fn is_variable(name: &str) -> bool {
    [context::INPUT_VARIABLE_PREFIX, payload::TRANSFER_PREFIX, payload::REFERENCE_PREFIX]
        .iter()
        .any(|prefix| name.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix)))
}

/// Headers that hold the call together: a value in them is there by chance.
fn is_structure(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "Via",
        "v",
        "Call-ID",
        "i",
        "CSeq",
        "Route",
        "Record-Route",
        "Contact",
        "m",
        "Max-Forwards",
        "Content-Type",
        "c",
        "Event",
        "o",
        "Subscription-State",
        "Expires",
        "Session-Expires",
        "x",
        "Min-SE",
        "RSeq",
        "RAck",
        "Allow",
        "Supported",
        "k",
        "Require",
        "WWW-Authenticate",
        "Proxy-Authenticate",
        "Authorization",
        "Proxy-Authorization",
        "User-Agent",
        "Server",
        "Date",
        context::TASK_NAME,
        context::EXT_CONVERSATION_ID,
        payload::CONVERSATION_ID,
        payload::OUTCOME,
    ];
    NAMES.iter().any(|known| known.eq_ignore_ascii_case(name))
}

const BLANK: &str = "blanked";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_in_uris_are_blanked_and_ports_are_not() {
        let text = "INVITE sip:u:secret@h:5060 SIP/2.0\r\nTo: <sips:a:b;c@h>, <sip:plain@h:5061>, <sip:h:5060>\r\n";
        assert_eq!(
            without_passwords(text),
            "INVITE sip:u:blanked@h:5060 SIP/2.0\r\nTo: <sips:a:blanked@h>, <sip:plain@h:5061>, <sip:h:5060>\r\n"
        );
    }
}
