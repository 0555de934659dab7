//! Offers and answers beside each other (RFC 3264): codecs, digits, direction, versions.

use super::{
    exchange::{Exchange, Transaction},
    read::Item,
    sdp::audio,
};
use crate::{
    model::{Finding, Party, Severity},
    sip::{
        message::{Method, Text},
        sdp::{Format, Media, SessionDescription},
    },
};

pub(super) fn of_exchange(exchange: &Exchange<'_>, found: &mut Vec<Finding>) {
    for invite in exchange.of(Method::INVITE).chain(exchange.of(Method::UPDATE)) {
        found.extend(answer_missing(exchange, invite));
        let Some((offered_in, answered_in)) = pair(invite) else { continue };
        let (Some(offer), Some(answer)) = (offered_in.sdp(), answered_in.sdp()) else { continue };
        let sides = Sides { offered_in, answered_in };
        found.extend(sides.lines_differ(offer, answer));
        let (Some(wanted), Some(given)) = (audio(offer).next(), audio(answer).next()) else { continue };
        let (offers, answers): (Vec<Format>, Vec<Format>) = (wanted.rtp_formats().collect(), given.rtp_formats().collect());
        found.extend(sides.codec_mismatch(&offers, &answers));
        found.extend(sides.payload_type_differs(&offers, &answers));
        found.extend(sides.dtmf_refused(&offers, &answers));
        found.extend(sides.direction_contradicts((offer, wanted), (answer, given)));
    }
    versions(exchange, found);
}

/// Where the offer and the answer of a transaction are, the ACK's answer to a late offer included.
fn pair<'a>(invite: &Transaction<'a>) -> Option<(&'a Item, &'a Item)> {
    let in_response =
        invite.responses.iter().copied().find(|response| response.sdp().is_some() && response.code().is_some_and(|c| c < 300));
    if invite.request.session.is_some() {
        return Some((invite.request, in_response?));
    }
    Some((in_response?, invite.ack.filter(|ack| ack.sdp().is_some())?))
}

/// A 2xx to an offer answers it, and the ACK to a late offer does (RFC 3261 §13.2.1).
fn answer_missing(exchange: &Exchange<'_>, invite: &Transaction<'_>) -> Option<Finding> {
    let end = invite.end().filter(|_| invite.succeeded())?;
    let side = |item: &Item, seen: String, cure| {
        item.finding(
            "answer-missing",
            Severity::Error,
            seen,
            "An offer is answered in the 2xx, a late one in the ACK (RFC 3261 §13.2.1, RFC 3264 §4): without an answer there is no sound",
            cure,
        )
    };
    if invite.request.session.is_some() {
        let answered = invite.responses.iter().any(|response| response.session.is_some());
        // A reliable response may have brought it in its PRACK's transaction, so any SDP of that side counts.
        let elsewhere =
            || exchange.items.iter().any(|item| item.seen.sender == end.seen.sender && item.session.is_some() && item.index < end.index);
        return (!answered && !elsewhere()).then(|| {
            side(end, format!("{} without SDP to an offer", end.title()), "Have the called side put its SDP into the 200")
                .at(invite.request.index)
        });
    }
    let ack = invite.ack.filter(|_| end.session.is_some())?;
    let early = exchange.of(Method::PRACK).any(|prack| prack.request.session.is_some());
    (ack.session.is_none() && !early).then(|| {
        side(
            ack,
            "ACK without SDP to the offer in the 200".to_owned(),
            "Have the caller put its answer into the ACK, or its offer into the INVITE",
        )
        .at(end.index)
    })
}

struct Sides<'a> {
    offered_in: &'a Item,
    answered_in: &'a Item,
}

impl Sides<'_> {
    fn finding(&self, rule: &'static str, severity: Severity, seen: String, why: &'static str, cure: &'static str) -> Finding {
        let mut finding = Finding::new(rule, severity, self.answered_in.seen.sender, seen, why, cure);
        finding.messages = vec![self.offered_in.index, self.answered_in.index];
        finding
    }

    fn lines_differ(&self, offer: &SessionDescription, answer: &SessionDescription) -> Option<Finding> {
        (offer.media.len() != answer.media.len()).then(|| {
            self.finding(
                "media-lines-differ",
                Severity::Warning,
                format!("{} m= lines offered, {} answered", offer.media.len(), answer.media.len()),
                "An answer has as many m= lines as its offer, with port 0 for those that are refused (RFC 3264 §6); readers take one stream for another",
                "Have the answering side repeat each m= line, with port 0 where it does not want the stream",
            )
        })
    }

    fn codec_mismatch(&self, offers: &[Format], answers: &[Format]) -> Option<Finding> {
        let common = answers.iter().any(|answer| !is_helper(answer) && offers.iter().any(|offer| same(offer, answer)));
        (!common && !answers.is_empty()).then(|| {
            self.finding(
                "codec-mismatch",
                Severity::Error,
                format!("offered {}; answered {}", names(offers), names(answers)),
                "An answer holds at least one codec of the offer (RFC 3264 §6.1): here each side sends what the other can't play",
                "Give both sides a common codec; PCMU (0) and PCMA (8) are understood by nearly all",
            )
        })
    }

    fn payload_type_differs(&self, offers: &[Format], answers: &[Format]) -> Option<Finding> {
        let (offer, answer) = answers.iter().find_map(|answer| {
            let offer = offers.iter().find(|offer| same(offer, answer))?;
            (!offers.iter().any(|o| same(o, answer) && o.payload_type == answer.payload_type)).then_some((offer, answer))
        })?;
        Some(self.finding(
            "payload-type-differs",
            Severity::Note,
            format!("{} offered as {}, answered as {}", offer.encoding, offer.payload_type, answer.payload_type),
            "An answer should keep the offer's number of a codec (RFC 3264 §6.1). Each side then sends by the other's number, which some equipment gets wrong: silence, or digits unheard",
            "If sound or digits are missing, set the same payload type on both sides",
        ))
    }

    fn dtmf_refused(&self, offers: &[Format], answers: &[Format]) -> Option<Finding> {
        let events = |format: &&Format| format.encoding.eq_ignore_ascii_case("telephone-event");
        let offer = offers.iter().find(events).filter(|_| !answers.iter().any(|answer| events(&answer)))?;
        Some(self.finding(
            "dtmf-refused",
            Severity::Note,
            format!("telephone-event ({}) offered, and not answered", offer.payload_type),
            "Digits travel as telephone-event (RFC 4733, RFC 3264 §6.1); where it is refused they come as tones in the sound or as INFO, or not at all",
            "Where digits are needed, switch on RFC 4733 (also called RFC 2833) on the answering side",
        ))
    }

    fn direction_contradicts(&self, offer: (&SessionDescription, &Media), answer: (&SessionDescription, &Media)) -> Option<Finding> {
        let (wanted, given) = (offer.0.direction(offer.1), answer.0.direction(answer.1));
        // Who answers may only send what the other receives, and receive what it sends.
        let contradicts = given.sends() && !wanted.receives() || given.receives() && !wanted.sends();
        (contradicts && !is_held_by_address(offer)).then(|| {
            self.finding(
                "direction-contradicts",
                Severity::Warning,
                format!("a={} offered, a={} answered", word(wanted.sends(), wanted.receives()), word(given.sends(), given.receives())),
                "sendonly is answered with recvonly or inactive, recvonly with sendonly or inactive, inactive with inactive (RFC 3264 §6.1); after this the two disagree about who is on hold",
                "Have the answering side mirror the direction",
            )
        })
    }
}

/// A changed description has a higher version and the same id (RFC 3264 §8).
fn versions(exchange: &Exchange<'_>, found: &mut Vec<Finding>) {
    // By sender and To tag: a fork has its own descriptions.
    let mut last: Vec<(Party, Option<std::borrow::Cow<'_, str>>, &Item, &SessionDescription)> = Vec::new();
    for item in exchange.items {
        let Some(session) = item.sdp() else { continue };
        let peer = if item.request().is_some() { None } else { item.fields().to_tag() };
        let Some(known) =
            last.iter_mut().find(|(sender, tag, ..)| *sender == item.seen.sender && (tag.is_none() || peer.is_none() || *tag == peer))
        else {
            if last.len() < MOST_FORKS {
                last.push((item.seen.sender, peer, item, session));
            }
            continue;
        };
        let (before, old) = (known.2, std::mem::replace(&mut known.3, session));
        known.2 = item;
        if body(old) == body(session) {
            continue;
        }
        if old.origin.session_id != session.origin.session_id {
            found.push(
                item.finding(
                    "sdp-session-changed",
                    Severity::Note,
                    format!("o= with id {} after {}", session.origin.session_id, old.origin.session_id),
                    "Within a call a side keeps the id of its o= line and counts its version up (RFC 3264 §8); another id means that somebody else speaks now, most often after a transfer behind the SBC",
                    "Nothing to do where the sound goes on",
                )
                .at(before.index),
            );
        } else if number(&session.origin.version) <= number(&old.origin.version) {
            found.push(
                item.finding(
                    "sdp-version-not-raised",
                    Severity::Warning,
                    format!("o= with version {} after {}, and another text", session.origin.version, old.origin.version),
                    "A description that changed has a version one higher (RFC 3264 §8); by the same version the reader may take it for the one it knows, and hold or a new address goes unseen",
                    "Have the sender count the version in o= up with each change",
                )
                .at(before.index),
            );
        }
    }
}

fn body(session: &SessionDescription) -> &str {
    session.raw.trim_end()
}

fn number(version: &Text) -> u64 {
    version.parse().unwrap_or(u64::MAX)
}

fn same(a: &Format, b: &Format) -> bool {
    a.encoding.eq_ignore_ascii_case(&b.encoding) && a.clock_rate == b.clock_rate && a.channels == b.channels
}

/// Not sound itself: digits, comfort noise.
fn is_helper(format: &Format) -> bool {
    ["telephone-event", "CN", "red"].iter().any(|name| format.encoding.eq_ignore_ascii_case(name))
}

/// Hold by 0.0.0.0 says nothing in its direction.
fn is_held_by_address((session, media): (&SessionDescription, &Media)) -> bool {
    session.remote(media).is_some_and(|address| address.ip().is_unspecified())
}

fn names(formats: &[Format]) -> String {
    let list: Vec<String> = formats.iter().filter(|f| !is_helper(f)).map(|f| format!("{}/{}", f.encoding, f.clock_rate)).collect();
    if list.is_empty() { "no codec".to_owned() } else { list.join(", ") }
}

fn word(sends: bool, receives: bool) -> &'static str {
    match (sends, receives) {
        (true, true) => "sendrecv",
        (true, false) => "sendonly",
        (false, true) => "recvonly",
        (false, false) => "inactive",
    }
}

/// Parties and forks of one call that are followed.
const MOST_FORKS: usize = 16;
