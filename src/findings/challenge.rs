//! Digest: challenges and what answered them (RFC 7616, RFC 8760, RFC 3261 §22). Never a secret, never a digest in a finding.

use super::{
    exchange::{Exchange, Transaction},
    read::{Item, clip},
};
use crate::{
    model::{Finding, Severity},
    sip::{
        digest::Algorithm,
        message::{AuthValue, Fields, HeaderName},
    },
};

pub(super) fn of_exchange(exchange: &Exchange<'_>, found: &mut Vec<Finding>) {
    let mut stale = Vec::new();
    for (at, transaction) in exchange.transactions.iter().enumerate() {
        let request = transaction.request;
        found.extend(basic(request));
        let Some(challenge) = transaction.end().filter(|end| matches!(end.code(), Some(401 | 407))) else { continue };
        let offered = challenges(challenge.fields());
        found.extend(unanswerable(challenge, &offered));
        if offered.iter().any(is_stale) {
            stale.push(challenge);
        }
        // The same request again, with an answer: further on, and from the same side.
        let again = exchange.transactions[at + 1..]
            .iter()
            .find(|next| next.request.method == request.method && next.request.seen.sender == request.seen.sender)
            .map(|next| next.request);
        match again {
            None if credentials(request.fields()).is_empty() => found.extend(credentials_missing(exchange, transaction, challenge)),
            None => {}
            Some(again) => judge_answer(again, challenge, &offered, found),
        }
        found.extend(credentials_refused(transaction, challenge, &offered));
    }
    found.extend(stale_nonces(&stale));
}

/// What is wrong with an answer by its form: one thing, since the rest follows from it.
fn judge_answer(again: &Item, challenge: &Item, offered: &[AuthValue<'_>], found: &mut Vec<Finding>) {
    let given = credentials(again.fields());
    let Some(answer) = answer_to(&given, offered) else { return };
    let one = wrong_realm(again, answer, offered)
        .or_else(|| wrong_algorithm(again, answer, offered))
        .or_else(|| wrong_uri(again, answer))
        .or_else(|| half_qop(again, answer))
        .or_else(|| count_not_rising(again, answer, challenge));
    found.extend(one.map(|finding| finding.at(challenge.index)));
}

/// RFC 3261 §22.1 took Basic out of SIP.
fn basic(request: &Item) -> Option<Finding> {
    let used = credentials(request.fields()).into_iter().any(|value| value.scheme.eq_ignore_ascii_case("Basic"));
    used.then(|| {
        request.finding(
            "basic-authentication",
            Severity::Error,
            format!("{} with Basic credentials", request.title()),
            "Basic shows the password to everybody on the way, so SIP no longer has it (RFC 3261 §22.1): it is refused, and the password is to be taken as known",
            "Switch the SBC to digest, and change the password",
        )
    })
}

fn unanswerable(challenge: &Item, offered: &[AuthValue<'_>]) -> Option<Finding> {
    let usable = |value: &&AuthValue<'_>| {
        value.is_digest()
            && value.param("algorithm").is_none_or(|name| Algorithm::parse(name).is_some())
            && value.param("qop").is_none_or(|qop| qop.split(',').any(|option| option.trim().eq_ignore_ascii_case("auth")))
    };
    if offered.iter().any(|value| usable(&value)) {
        return None;
    }
    let list: Vec<String> = offered
        .iter()
        .map(|v| format!("{} {} qop={}", v.scheme, v.param("algorithm").unwrap_or("MD5"), v.param("qop").unwrap_or("none")))
        .collect();
    Some(challenge.finding(
        "challenge-unanswerable",
        Severity::Error,
        if list.is_empty() { format!("{} with no challenge", challenge.title()) } else { format!("{}: {}", challenge.title(), clip(&list.join("; "))) },
        "A 401 or 407 offers Digest with an algorithm and qop that the other side knows (RFC 3261 §22.4, RFC 8760 §2.4): MD5, SHA-256 or SHA-512-256, and qop=\"auth\"",
        "Have the challenging side offer Digest with SHA-256 or MD5 and qop=\"auth\"",
    ))
}

/// Challenged, and that was all.
fn credentials_missing(exchange: &Exchange<'_>, transaction: &Transaction<'_>, challenge: &Item) -> Option<Finding> {
    let request = transaction.request;
    let name = request.method.as_str();
    let realm = challenges(challenge.fields()).iter().find_map(|c| c.param("realm").map(str::to_owned)).unwrap_or_default();
    if transaction.opens() {
        // It may be on its way.
        return (exchange.millis_left(challenge) >= 1_000 || exchange.over_at.is_some()).then(|| {
            Finding::new(
                "credentials-missing",
                Severity::Warning,
                request.seen.sender,
                format!("{} for realm {:?}, and no {name} with credentials after it", challenge.code().unwrap_or_default(), clip(&realm)),
                "Who is challenged sends the request again with Authorization (RFC 3261 §22.2); without it the call is not admitted",
                "Set the user and password for this realm on the calling side, or admit it by its address",
            )
            .at(request.index)
            .at(challenge.index)
        });
    }
    Some(
        Finding::new(
            "challenged-in-dialog",
            Severity::Warning,
            challenge.seen.sender,
            format!("{} for realm {:?} to {name}", challenge.code().unwrap_or_default(), clip(&realm)),
            "A request within the call was challenged (RFC 3261 §22.1), and there were no credentials to answer with: it had no effect",
            "Exempt requests within a dialog from digest on the challenging side, or trust the other side's address there",
        )
        .at(request.index)
        .at(challenge.index),
    )
}

/// Right by its form, and refused all the same: the secret, or the user.
fn credentials_refused(transaction: &Transaction<'_>, challenge: &Item, offered: &[AuthValue<'_>]) -> Option<Finding> {
    let given = credentials(transaction.request.fields());
    let answer = answer_to(&given, offered)?;
    if offered.iter().any(is_stale)
        || wrong_realm(transaction.request, answer, offered).is_some()
        || wrong_uri(transaction.request, answer).is_some()
    {
        return None;
    }
    Some(
        transaction
            .request
            .finding(
                "credentials-refused",
                Severity::Warning,
                format!(
                    "user {:?} in realm {:?} ({}), and {} again",
                    clip(answer.param("username").unwrap_or_default()),
                    clip(answer.param("realm").unwrap_or_default()),
                    answer.param("algorithm").unwrap_or("MD5"),
                    challenge.code().unwrap_or_default()
                ),
                "A second challenge that is not stale means that the user or the password is not the one known there (RFC 3261 §22.2, RFC 7616 §3.3)",
                "Compare user name and password on both sides, letter by letter; a name with a domain (user@host) is another name",
            )
            .at(challenge.index),
    )
}

fn stale_nonces(stale: &[&Item]) -> Option<Finding> {
    let first = stale.first()?;
    let often = stale.len() > 1;
    let mut finding = first.finding(
        "nonce-stale",
        if often { Severity::Warning } else { Severity::Note },
        format!("stale=true {}", if often { format!("{} times", stale.len()) } else { "once".to_owned() }),
        "The credentials were right, and the nonce too old, or its count used already: the request is sent again with the new nonce (RFC 7616 §3.3, §3.4.5)",
        if often {
            "Look for a sender that keeps nonces for too long or repeats their count, or a challenger whose nonces expire before an answer can arrive"
        } else {
            "Nothing to do where the next try succeeds"
        },
    );
    finding.messages = stale.iter().map(|challenge| challenge.index).collect();
    Some(finding)
}

fn wrong_realm(again: &Item, answer: &AuthValue<'_>, offered: &[AuthValue<'_>]) -> Option<Finding> {
    let realm = answer.param("realm").unwrap_or_default();
    let asked: Vec<&str> = offered.iter().filter_map(|value| value.param("realm")).collect();
    (!asked.is_empty() && !asked.contains(&realm)).then(|| {
        again
            .finding(
                "wrong-realm",
                Severity::Warning,
                format!("credentials for realm {:?}, asked for {:?}", clip(realm), clip(asked[0])),
                "Credentials belong to a realm, and count only where the challenge names the same one (RFC 3261 §22.1, RFC 7616 §3.3)",
                "",
            )
            .cured_by(format!("Set realm {:?} for this user on the sending side, or leave its realm open", clip(asked[0])))
    })
}

fn wrong_algorithm(again: &Item, answer: &AuthValue<'_>, offered: &[AuthValue<'_>]) -> Option<Finding> {
    let used = answer.param("algorithm").unwrap_or("MD5");
    let asked: Vec<&str> = offered.iter().map(|value| value.param("algorithm").unwrap_or("MD5")).collect();
    (!asked.is_empty() && !asked.iter().any(|name| name.eq_ignore_ascii_case(used))).then(|| {
        again.finding(
            "wrong-algorithm",
            Severity::Warning,
            format!("answered with {}, offered {}", clip(used), clip(&asked.join(", "))),
            "The answer uses one of the algorithms that were offered (RFC 7616 §3.4, RFC 8760 §2.4); some user agents know MD5 only, whatever they are asked",
            "Let the challenging side offer what this one can (allow MD5 for the peer), or bring this one up to RFC 8760",
        )
    })
}

fn wrong_uri(again: &Item, answer: &AuthValue<'_>) -> Option<Finding> {
    let (signed, sent) = (answer.param("uri")?, again.request()?.uri_text());
    (signed != sent).then(|| {
        again.finding(
            "digest-of-another-uri",
            Severity::Warning,
            format!("uri={:?} in the credentials, {:?} in the request line", clip(signed), clip(sent)),
            "The digest covers the Request-URI (RFC 7616 §3.4.6): something between the two sides rewrote it, or the sender signs another",
            "Have the SBC sign the URI that it sends, and keep what stands between from changing it",
        )
    })
}

fn half_qop(again: &Item, answer: &AuthValue<'_>) -> Option<Finding> {
    let missing = answer.param("qop").filter(|_| answer.param("cnonce").is_none() || answer.param("nc").is_none())?;
    Some(again.finding(
        "qop-without-cnonce",
        Severity::Error,
        format!("qop={missing} without {}", if answer.param("cnonce").is_none() { "cnonce" } else { "nc" }),
        "With qop an answer has cnonce and nc (RFC 7616 §3.4), which are part of its digest; without them it can't be checked",
        "Bring the sender up to RFC 7616",
    ))
}

/// A new nonce begins with 1.
fn count_not_rising(again: &Item, answer: &AuthValue<'_>, challenge: &Item) -> Option<Finding> {
    let fresh = challenges(challenge.fields()).iter().any(|value| value.param("nonce") == answer.param("nonce"));
    let count = answer.param("nc").filter(|nc| fresh && u32::from_str_radix(nc, 16).ok() != Some(1))?;
    Some(again.finding(
        "nonce-count-wrong",
        Severity::Warning,
        format!("nc={} with a nonce that is new", clip(count)),
        "The count says how often this nonce was used, in eight hex digits, and begins with 00000001 (RFC 7616 §3.4); a strict server refuses another",
        "Have the sender begin with 00000001 for each new nonce",
    ))
}

fn challenges(fields: &Fields) -> Vec<AuthValue<'_>> {
    fields.auth(HeaderName::WwwAuthenticate).chain(fields.auth(HeaderName::ProxyAuthenticate)).collect()
}

fn credentials(fields: &Fields) -> Vec<AuthValue<'_>> {
    if !fields.has(HeaderName::Authorization) && !fields.has(HeaderName::ProxyAuthorization) {
        return Vec::new();
    }
    fields.auth(HeaderName::Authorization).chain(fields.auth(HeaderName::ProxyAuthorization)).collect()
}

/// The credentials for a realm that was asked for, else the first: a request may carry some for each proxy on its way.
fn answer_to<'a>(given: &'a [AuthValue<'a>], offered: &[AuthValue<'_>]) -> Option<&'a AuthValue<'a>> {
    let asked = |answer: &&AuthValue<'_>| offered.iter().any(|value| value.param("realm") == answer.param("realm"));
    let mut digests = given.iter().filter(|value| value.is_digest());
    digests.clone().find(asked).or_else(|| digests.next())
}

fn is_stale(value: &AuthValue<'_>) -> bool {
    value.param("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true"))
}
