//! One session description by itself (RFC 8866, RFC 3264).

use super::read::Item;
use crate::{
    model::{Finding, Severity, TransportName},
    sip::sdp::{Media, SessionDescription},
};

pub(super) fn of_message(item: &Item, found: &mut Vec<Finding>) {
    let session = match &item.session {
        None => return,
        Some(Err(error)) => return found.push(malformed_sdp(item, error.to_string())),
        Some(Ok(session)) => session,
    };
    found.extend(no_audio(item, session));
    found.extend(keys_in_clear(item, session));
    for media in audio(session) {
        found.extend(no_address(item, session, media));
        found.extend(hold_by_zero_address(item, session, media));
        found.extend(multicast(item, session, media));
    }
}

fn malformed_sdp(item: &Item, error: String) -> Finding {
    item.finding(
        "malformed-sdp",
        Severity::Error,
        error,
        "A session description that can't be read (RFC 8866 §5) is answered with 400 or 488: there is no sound",
        "Look at the body's lines",
    )
}

fn no_audio(item: &Item, session: &SessionDescription) -> Option<Finding> {
    (!session.media.iter().any(|media| &*media.kind == "audio")).then(|| {
        let kinds: Vec<&str> = session.media.iter().map(|media| &*media.kind).collect();
        item.finding(
            "sdp-without-audio",
            Severity::Error,
            format!("{} with {}", item.title(), if kinds.is_empty() { "no m= line".to_owned() } else { format!("m= lines for {} only", kinds.join(", ")) }),
            "The bridge speaks and listens: without an m=audio line there is nothing to agree on (RFC 3264 §5.1), and the offer is refused with 488",
            "Offer m=audio",
        )
    })
}

fn no_address(item: &Item, session: &SessionDescription, media: &Media) -> Option<Finding> {
    session.remote(media).is_none().then(|| {
        item.finding(
            "sdp-without-address",
            Severity::Error,
            format!("m=audio {} with no c= line that holds an address", media.port),
            "Each stream has a c= line of its own or the session's (RFC 8866 §5.7), and here with a literal address: names are not looked up for sound",
            "Write c=IN IP4 and the media address into the SDP",
        )
    })
}

fn hold_by_zero_address(item: &Item, session: &SessionDescription, media: &Media) -> Option<Finding> {
    let ip = session.remote(media)?.ip();
    ip.is_unspecified().then(|| {
        item.finding(
            "hold-by-zero-address",
            Severity::Note,
            format!("c= {ip}"),
            "Hold by a zero address is the way of RFC 2543; today it is a=sendonly or a=inactive (RFC 3264 §8.4). It was taken as hold",
            "Hold with a=sendonly",
        )
    })
}

fn multicast(item: &Item, session: &SessionDescription, media: &Media) -> Option<Finding> {
    let ip = session.remote(media)?.ip();
    ip.is_multicast().then(|| {
        item.finding(
            "multicast-address-in-sdp",
            Severity::Error,
            format!("c= {ip}"),
            "A call between two has addresses of one machine each (RFC 3264 §5.1); nothing is sent to a group",
            "Set the media interface's own address in the SBC",
        )
    })
}

fn keys_in_clear(item: &Item, session: &SessionDescription) -> Option<Finding> {
    let open = item.seen.transport.filter(|transport| *transport != TransportName::Tls)?;
    session.media.iter().any(|media| media.attribute("crypto").is_some()).then(|| {
        item.finding(
            "media-keys-in-clear",
            Severity::Warning,
            format!("a=crypto in {} over {}", item.title(), open.via()),
            "The keys of SDES stand in the message itself, so that it must travel encrypted (RFC 4568 §8.3); whoever sees it can hear the call",
            "Use TLS for SIP, or plain RTP/AVP where the network is trusted",
        )
    })
}

/// The audio sections that are in use.
pub(super) fn audio(session: &SessionDescription) -> impl Iterator<Item = &Media> {
    session.media.iter().filter(|media| &*media.kind == "audio" && media.port != 0)
}
