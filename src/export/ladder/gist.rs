//! What a message says, in the few words that fit on an arrow.

use super::printable;
use crate::{
    contract::{context::INPUT_VARIABLE_PREFIX, payload},
    export::{lines::Lines, words::grouped},
};

/// For example `INVITE 5 variables 1,214 B`, `200 OK (BYE)`, `NOTIFY 100 Trying`.
pub fn gist(bytes: &[u8]) -> String {
    let lines = Lines::of(bytes);
    let start = lines.start_line();
    if let Some(status) = start.strip_prefix("SIP/2.0 ") {
        return printable(&response(status, &lines));
    }
    match start.rsplit_once(' ') {
        Some((_, version)) if version.starts_with("SIP/") => {
            printable(&request(start.split(' ').next().unwrap_or_default(), &lines, bytes.len()))
        }
        _ => format!("no SIP message, {} B", grouped(bytes.len() as u64)),
    }
}

fn request(method: &str, lines: &Lines<'_>, length: usize) -> String {
    match method {
        "INVITE" => invite(lines, length),
        "REFER" => {
            let decoded = payload::decode(&lines.header("Refer-To", Some("r")).unwrap_or_default());
            let mut words = vec!["REFER".to_owned()];
            words.extend(decoded.outcome.map(|o| o.wire().to_owned()));
            words.extend(variables(decoded.transfer.len() + decoded.reference.len()));
            words.join(" ")
        }
        // The body of a NOTIFY for a REFER is the start line of the response that it tells of (RFC 3515 §2.4.5).
        "NOTIFY" => match String::from_utf8_lossy(lines.body).lines().next().and_then(|l| l.strip_prefix("SIP/2.0 ")) {
            Some(status) => format!("NOTIFY {}", status.trim()),
            None => "NOTIFY".to_owned(),
        },
        "BYE" => match lines.header(payload::OUTCOME, None) {
            Some(outcome) => format!("BYE {outcome}"),
            None => "BYE".to_owned(),
        },
        other => other.to_owned(),
    }
}

fn invite(lines: &Lines<'_>, length: usize) -> String {
    let again = lines.header("To", Some("t")).is_some_and(|to| to.to_ascii_lowercase().contains(";tag="));
    let mut words = vec![if again { "re-INVITE" } else { "INVITE" }.to_owned()];
    if again {
        let body = String::from_utf8_lossy(lines.body);
        if body.lines().any(|l| matches!(l.trim_end(), "a=sendonly" | "a=inactive" | "c=IN IP4 0.0.0.0")) {
            words.push("hold".to_owned());
        }
    }
    words.extend(lines.header(payload::OUTCOME, None));
    let prefixes = [INPUT_VARIABLE_PREFIX, payload::TRANSFER_PREFIX, payload::REFERENCE_PREFIX];
    let count =
        lines.headers().filter(|(n, _)| prefixes.iter().any(|p| n.get(..p.len()).is_some_and(|h| h.eq_ignore_ascii_case(p)))).count();
    words.extend(variables(count));
    words.push(format!("{} B", grouped(length as u64)));
    words.join(" ")
}

fn variables(count: usize) -> Option<String> {
    match count {
        0 => None,
        1 => Some("1 variable".to_owned()),
        n => Some(format!("{n} variables")),
    }
}

fn response(status: &str, lines: &Lines<'_>) -> String {
    let mut text = status.trim().to_owned();
    let method = lines.header("CSeq", None).and_then(|c| c.split_whitespace().nth(1).map(str::to_owned)).unwrap_or_default();
    if method != "INVITE" && !method.is_empty() {
        text.push_str(&format!(" ({method})"));
    } else if !lines.body.is_empty() {
        text.push_str(" +SDP");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_told_in_a_few_words() {
        let cases: &[(&[u8], &str)] = &[
            (b"INVITE sip:b SIP/2.0\r\nTo: <sip:b>\r\nX-GA-iv-a: 1\r\nx-ga-iv-b: 2\r\n\r\n", "INVITE 2 variables 65 B"),
            (b"INVITE sip:b SIP/2.0\r\nt: <sip:b>;tag=1\r\n\r\nv=0\r\na=sendonly\r\n", "re-INVITE hold 59 B"),
            (b"REFER sip:b SIP/2.0\r\nr: <sip:r@h?X-GA-transfer=SYSTEM&X-GA-tv-a=1>\r\n\r\n", "REFER SYSTEM 1 variable"),
            (b"NOTIFY sip:b SIP/2.0\r\nEvent: refer\r\n\r\nSIP/2.0 100 Trying\r\n", "NOTIFY 100 Trying"),
            (b"NOTIFY sip:b SIP/2.0\r\nEvent: refer\r\n\r\n", "NOTIFY"),
            (b"BYE sip:b SIP/2.0\r\nX-GA-transfer: AGENT\r\n\r\n", "BYE AGENT"),
            (b"SIP/2.0 200 OK\r\nCSeq: 1 BYE\r\n\r\n", "200 OK (BYE)"),
            (b"SIP/2.0 183 Session Progress\r\nCSeq: 1 INVITE\r\n\r\nv=0", "183 Session Progress +SDP"),
            (b"SIP/2.0 486 \x1b[31mBusy\r\n\r\n", "486 \\u{1b}[31mBusy"),
            (b"\x01\x02", "no SIP message, 2 B"),
            (b"", "no SIP message, 0 B"),
        ];
        for (bytes, words) in cases {
            assert_eq!(gist(bytes), *words);
        }
    }
}
