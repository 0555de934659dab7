//! Final answers that say no, and what each means for the call (RFC 3261 §21).

use super::{
    exchange::{Exchange, Transaction},
    read::{Item, clip, status},
    sdp::audio,
};
use crate::{
    model::{Finding, Party, Severity},
    sip::message::{HeaderName, Method, Response},
};

pub(super) fn of_exchange(exchange: &Exchange<'_>, found: &mut Vec<Finding>) {
    for transaction in &exchange.transactions {
        let Some(end) = transaction.end().filter(|_| !transaction.succeeded()) else { continue };
        let Some(response) = end.response() else { continue };
        // Each of these is judged where its subject is: challenges, dialogs, glare, transfers.
        if matches!(response.code(), 401 | 407 | 481 | 487 | 491) || transaction.request.method == Method::REFER {
            continue;
        }
        let refused = Refused { request: transaction.request, end, response };
        found.extend(match transaction.request.method {
            Method::INVITE if transaction.opens() => refused.call(exchange, transaction),
            Method::INVITE | Method::UPDATE => refused.change(),
            Method::NOTIFY => refused.notify(),
            _ if transaction.opens() => None,
            _ => refused.request(),
        });
    }
}

struct Refused<'a> {
    request: &'a Item,
    end: &'a Item,
    response: &'a Response,
}

/// A rule's words.
struct Words {
    rule: &'static str,
    severity: Severity,
    side: Party,
    why: &'static str,
    cure: &'static str,
}

impl Refused<'_> {
    fn finding(&self, words: &Words, more: &str) -> Finding {
        let mut seen = format!("{} from the {}", self.end.title(), self.end.seen.sender.name());
        if self.request.method == Method::INVITE {
            seen = format!("{} {} from the {}", status(self.response), self.target(), self.end.seen.sender.name());
        }
        seen.push_str(more);
        // What the answerer itself says of it (RFC 3261 §20.43, RFC 3326).
        for name in [HeaderName::Warning, HeaderName::Reason, HeaderName::RetryAfter] {
            if let Some(text) = self.response.text(name) {
                seen.push_str(&format!("; {}: {}", name.canonical(), clip(&text)));
            }
        }
        let mut finding = Finding::new(words.rule, words.severity, words.side, seen, words.why, words.cure);
        finding.messages = vec![self.request.index, self.end.index];
        finding
    }

    fn target(&self) -> String {
        self.request.request().map_or_else(|| "to INVITE".to_owned(), |request| format!("to INVITE {}", clip(request.uri_text())))
    }

    /// The INVITE that opens a leg.
    fn call(&self, exchange: &Exchange<'_>, transaction: &Transaction<'_>) -> Option<Finding> {
        let (code, caller, called) = (self.response.code(), self.request.seen.sender, self.end.seen.sender);
        // Our own 403 and 488 are told where they are decided, with what is known there.
        if self.end.seen.ours && matches!(code, 403 | 488) {
            return None;
        }
        let recovered =
            exchange.of(Method::INVITE).any(|other| other.opens() && other.request.index > transaction.request.index && other.succeeded());
        let warning = if recovered { Severity::Note } else { Severity::Warning };
        let words = |rule, severity, side, why, cure| Words { rule, severity, side, why, cure };
        let words = match code {
            300..=399 => words(
                "redirect-not-followed",
                warning,
                called,
                "Redirection (RFC 3261 §21.3) is not followed: a call goes to the URI that the settings or the call transfer name, and nowhere else",
                "Name the final URI, or have a proxy follow the redirection",
            ),
            403 => words(
                "call-forbidden",
                warning,
                called,
                "The called side knows the request and does not want it from this caller (RFC 3261 §21.4.4); credentials do not help",
                "Admit the caller's address, number or trunk on the called side",
            ),
            404 | 410 | 484 | 485 | 604 => words(
                "target-unknown",
                warning,
                if self.end.seen.ours { caller } else { called },
                "Nobody has this user or number at the called side (RFC 3261 §21.4.5, §21.4.11, §21.4.22)",
                "Check the user part of the URI that was called, and that the called side routes it",
            ),
            405 | 501 => words(
                "method-not-allowed",
                warning,
                called,
                "The called side takes no INVITE here (RFC 3261 §21.4.6, §21.5.2)",
                "Check host and port of the URI: it may lead to a registrar or a presence server",
            ),
            406 | 413 | 415 | 488 | 606 => {
                let offer = self.offered();
                let words = words(
                    "offer-refused",
                    if recovered { Severity::Note } else { Severity::Error },
                    called,
                    "The called side takes none of what was offered (RFC 3261 §21.4.26, §21.4.13, RFC 3264 §6): there is no common codec, protocol or body type",
                    "Allow PCMU or PCMA over RTP/AVP on the called side",
                );
                return Some(self.finding(&words, &offer));
            }
            408 | 430 | 504 => words(
                "target-silent",
                warning,
                called,
                "Behind the answering server nobody answered in time (RFC 3261 §21.4.9, §21.5.5)",
                "See whether the answering server reaches the next hop: its routing, and whether the endpoint is registered",
            ),
            420 | 421 => {
                let header = if code == 420 { HeaderName::Unsupported } else { HeaderName::Require };
                let list = self.response.text(header).map(|text| format!("; {}: {}", header.canonical(), clip(&text))).unwrap_or_default();
                let words = words(
                    "extension-required",
                    warning,
                    if code == 420 { caller } else { called },
                    "One side requires an extension that the other does not have (RFC 3261 §8.2.2.3, §21.4.15, §21.4.16)",
                    "Have the requiring side say Supported instead of Require",
                );
                return Some(self.finding(&words, &list));
            }
            422 => {
                let least = self.response.text(HeaderName::MinSe).map(|text| format!("; Min-SE: {}", clip(&text))).unwrap_or_default();
                let words = words(
                    "session-timer-refused",
                    warning,
                    caller,
                    "The session timer is shorter than the called side allows; the caller tries again with the Min-SE of the 422 (RFC 4028 §6)",
                    "Set Session-Expires to at least the Min-SE of the other side",
                );
                return Some(self.finding(&words, &least));
            }
            480 | 486 | 600 | 603 | 607 | 608 => words(
                "target-busy",
                Severity::Note,
                called,
                "Whoever was called is busy, away or said no (RFC 3261 §21.4.18, §21.4.21, §21.6): the protocol worked",
                "Nothing to do where that is true; else see why the called side says so (a queue that is closed, a trunk whose channels are in use)",
            ),
            482 | 483 => words(
                "routing-loop",
                Severity::Error,
                Party::Network,
                "The request came back to a server that it had passed, or passed more than 70 (RFC 3261 §16.3, RFC 5393)",
                "Look at the routing of the servers named in Via: one sends the call back",
            ),
            503 if self.end.seen.ours => words(
                "call-overload",
                warning,
                Party::Operator,
                "The bridge had no room for the call: calls, calls a second, RTP ports, or it is going down (RFC 3261 §21.5.4)",
                "Raise limits.calls, limits.calls_per_second or media.ports, or send fewer calls",
            ),
            500..=599 => words(
                "server-failure",
                warning,
                called,
                "The called side failed with a request that it understood (RFC 3261 §21.5)",
                "See the called side's log at this time",
            ),
            400 => words(
                "request-rejected-as-bad",
                warning,
                caller,
                "The answering side can't read the request (RFC 3261 §21.4.1); the reason phrase says what it stumbled over",
                "Compare the request with what the reason phrase names",
            ),
            _ => words(
                "call-refused",
                warning,
                called,
                "The called side refused the call (RFC 3261 §21)",
                "See the called side's log at this time",
            ),
        };
        Some(self.finding(&words, ""))
    }

    fn offered(&self) -> String {
        let Some(session) = self.request.sdp() else { return String::new() };
        let list: Vec<String> = audio(session)
            .flat_map(|media| {
                let formats: Vec<String> =
                    media.rtp_formats().map(|f| f.encoding.to_string()).filter(|name| name != "telephone-event").collect();
                formats.into_iter().map(move |name| format!("{name} ({})", &*media.protocol))
            })
            .collect();
        format!("; offered {}", if list.is_empty() { "no audio".to_owned() } else { list.join(", ") })
    }

    /// A change of the session: hold, resume, a new address.
    fn change(&self) -> Option<Finding> {
        let words = Words {
            rule: "change-refused",
            severity: Severity::Warning,
            side: self.end.seen.sender,
            why: "A re-INVITE or UPDATE that is refused leaves the session as it was (RFC 3261 §14.1): who wanted to hold, resume or move its media did not",
            cure: "Allow re-INVITE and UPDATE on the refusing side; with 488, compare the codecs offered with those of the first offer",
        };
        (self.response.code() != 422).then(|| self.finding(&words, &self.offered()))
    }

    fn notify(&self) -> Option<Finding> {
        let words = Words {
            rule: "notify-refused",
            severity: Severity::Warning,
            side: self.end.seen.sender,
            why: "A NOTIFY that is refused ends the subscription (RFC 6665 §4.2.2): the transfer's further progress is not told",
            cure: "Have the side that sent the REFER take its NOTIFYs",
        };
        Some(self.finding(&words, ""))
    }

    fn request(&self) -> Option<Finding> {
        let words = Words {
            rule: "method-not-allowed",
            severity: Severity::Warning,
            side: self.end.seen.sender,
            why: "A request within the call was refused (RFC 3261 §21.4.6): what it was to do did not happen",
            cure: "Allow the method on the refusing side, or keep the sender from using it (its Allow header is there for that)",
        };
        Some(self.finding(&words, ""))
    }
}
