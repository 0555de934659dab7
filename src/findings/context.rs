//! The context of an INVITE that opens a call, where the customer sends it (contract §2).

use std::borrow::Cow;

use super::read::{Item, clip};
use crate::{
    contract::{context, payload, uri_text},
    model::{Finding, Party, Severity},
    sip::message::{Method, Request},
};

pub(super) fn of_request(item: &Item, request: &Request, found: &mut Vec<Finding>) {
    if *request.method() != Method::INVITE || item.seen.sender != Party::Customer || request.to_tag().is_some() {
        return;
    }
    let headers: Vec<(&str, Cow<'_, str>)> = request.others_with_prefix("X-").collect();
    // A return INVITE carries the payload's names, which are no context.
    if headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(payload::OUTCOME)) {
        return;
    }
    let read = context::read(headers.iter().map(|(name, value)| (*name, value.as_ref()))).1;
    found.extend(read.into_iter().map(|finding| finding.at(item.index)));
    for (name, value) in headers.iter().filter(|(name, _)| begins(name, context::INPUT_VARIABLE_PREFIX)) {
        found.extend(escaped(item, name, value));
        found.extend(quoted(item, name, value));
    }
}

/// A header's value is no URI's: nobody unescapes it.
fn escaped(item: &Item, name: &str, value: &str) -> Option<Finding> {
    (value.contains('%') && uri_text::holds_escape(value)).then(|| {
        let plain = uri_text::unescape(value).text;
        item.finding(
            "context-value-escaped",
            Severity::Note,
            format!("{name}: {}", clip(value)),
            "Only URIs have percent-escapes (RFC 3261 §19.1.2, §25.1): a header's value is taken as it stands, and the agent sees the escapes",
            "Write the value as plain UTF-8",
        )
        .cured_by(format!("Unless the escapes are meant, write {name}: {}", clip(&plain).escape_debug()))
    })
}

fn quoted(item: &Item, name: &str, value: &str) -> Option<Finding> {
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    Some(
        item.finding(
            "context-value-quoted",
            Severity::Note,
            format!("{name}: {}", clip(value)),
            "The quotes are part of the value (contract §2: values are taken as they are, trimmed), and the agent sees them",
            "Write the value without quotes",
        )
        .cured_by(format!("Unless the quotes are meant, write {name}: {}", clip(inner))),
    )
}

fn begins(name: &str, prefix: &str) -> bool {
    name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}
