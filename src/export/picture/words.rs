//! A message in two parts: its title, and the few words that make it more than one.

use crate::{
    contract::{context::INPUT_VARIABLE_PREFIX, payload},
    export::{ladder::printable, lines::Lines, words::grouped},
};

/// What a message is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Request(String),
    Response(u16),
    /// No SIP start line.
    Other,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    pub kind: Kind,
    /// `INVITE`, `200 OK`.
    pub title: String,
    /// `3 variables · 976 B`.
    pub gist: String,
    /// The status that a NOTIFY tells.
    pub sipfrag: Option<String>,
}

pub fn words(bytes: &[u8]) -> Words {
    let lines = Lines::of(bytes);
    let start = lines.start_line();
    let size = || format!("{} B", grouped(bytes.len() as u64));
    let status = start.strip_prefix("SIP/2.0 ").and_then(|rest| Some((rest.get(..3)?.parse::<u16>().ok()?, rest)));
    let (kind, title, gist, sipfrag) = if let Some((code, rest)) = status {
        let method = lines.header("CSeq", None).and_then(|cseq| cseq.split_whitespace().nth(1).map(str::to_owned)).unwrap_or_default();
        let gist = match (code, method.as_str()) {
            (401 | 407, _) => "digest".to_owned(),
            (_, "INVITE") => codec(&String::from_utf8_lossy(lines.body)).unwrap_or_default(),
            _ => format!("to {method}"),
        };
        (Kind::Response(code), rest.trim().to_owned(), gist, None)
    } else if let Some((method, _)) = start.split_once(' ').filter(|(method, _)| !method.is_empty() && start.ends_with("SIP/2.0")) {
        let (gist, sipfrag) = request(method, &lines, size);
        (Kind::Request(method.to_owned()), method.to_owned(), gist, sipfrag)
    } else {
        (Kind::Other, "not SIP".to_owned(), size(), None)
    };
    Words { kind, title: printable(&title), gist: printable(&gist), sipfrag }
}

fn request(method: &str, lines: &Lines<'_>, size: impl Fn() -> String) -> (String, Option<String>) {
    let counted = |count: usize| if count == 1 { "1 variable".to_owned() } else { format!("{count} variables") };
    let gist = match method {
        "INVITE" => {
            let prefixes = [INPUT_VARIABLE_PREFIX, payload::TRANSFER_PREFIX, payload::REFERENCE_PREFIX];
            let is_variable = |name: &str| prefixes.iter().any(|p| name.get(..p.len()).is_some_and(|head| head.eq_ignore_ascii_case(p)));
            let variables = lines.headers().filter(|(name, _)| is_variable(name)).count();
            let credentials = lines.header("Authorization", None).or_else(|| lines.header("Proxy-Authorization", None));
            let user = credentials.and_then(|value| Some(value.split_once("username=\"")?.1.split('"').next()?.to_owned()));
            let last = user.map_or_else(size, |user| format!("digest {user}"));
            [(variables > 0).then(|| counted(variables)), Some(last)].into_iter().flatten().collect::<Vec<_>>().join(" · ")
        }
        "REFER" => {
            let value = lines.header("Refer-To", Some("r")).unwrap_or_default();
            match value.split_once('?').map(|(_, payload)| payload.trim_end_matches('>')) {
                Some(payload) => {
                    let variables = payload.split('&').filter(|p| p.starts_with("X-GA-tv-") || p.starts_with("X-GA-rv-")).count();
                    format!("Refer-To: {} · {} chars", counted(variables), grouped(payload.len() as u64))
                }
                None => "Refer-To without a payload".to_owned(),
            }
        }
        "NOTIFY" => {
            let line = String::from_utf8_lossy(lines.body).lines().next().unwrap_or_default().to_owned();
            let sipfrag = line.strip_prefix("SIP/2.0 ").map(str::to_owned);
            return (line, sipfrag);
        }
        "BYE" => lines.header(payload::OUTCOME, None).unwrap_or_default(),
        _ => String::new(),
    };
    (gist, None)
}

/// The first codec of a session description, with its packet time where it tells one.
pub fn codec(body: &str) -> Option<String> {
    let audio = body.lines().find_map(|line| line.strip_prefix("m=audio "))?;
    let payload_type = audio.split(' ').nth(2)?.trim();
    let mapped = body.lines().find_map(|line| line.strip_prefix("a=rtpmap:")?.strip_prefix(payload_type)?.trim().split('/').next());
    let name = mapped.unwrap_or(match payload_type {
        "0" => "PCMU",
        "8" => "PCMA",
        "9" => "G722",
        other => other,
    });
    let packet_time = body.lines().find_map(|line| line.strip_prefix("a=ptime:"));
    Some(packet_time.map_or_else(|| name.to_owned(), |ms| format!("{name} {} ms", ms.trim())))
}
