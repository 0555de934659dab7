//! The way of a message: its size over UDP, and addresses that can't be reached from where it went.

use std::net::IpAddr;

use super::read::{Item, hidden, public_far_ip};
use crate::{
    model::{Finding, Party, Severity, TransportName},
    sip::message::Message,
};

pub(super) fn of_message(item: &Item, found: &mut Vec<Finding>) {
    found.extend(large_over_udp(item));
    let Some(far) = public_far_ip(item) else { return };
    found.extend(private_contact(item, far));
    for ip in media_addresses(item) {
        found.extend(private_in_sdp(item, ip, far));
    }
}

fn large_over_udp(item: &Item) -> Option<Finding> {
    let length = item.fields().raw().len();
    if item.seen.transport != Some(TransportName::Udp) || length <= 1_300 {
        return None;
    }
    match &item.message {
        Message::Request(_) => Some(
            item.finding(
                "large-over-udp",
                Severity::Warning,
                format!("{} of {length} bytes over UDP", item.title()),
                "A request within 200 bytes of the path's MTU, or above 1,300 bytes, goes over TCP (RFC 3261 §18.1.1): its fragments are dropped by many firewalls",
                "Use TCP between the two sides, or send fewer headers",
            )
            .cured_by(if item.seen.ours {
                format!("Let the {} take SIP over TCP, or send {} bytes less", item.seen.receiver.name(), length - 1_300)
            } else {
                format!("Send over TCP, or {} bytes less", length - 1_300)
            }),
        ),
        // A response follows its request, so it only breaks where it has to be cut: 1,500 bytes less IP and UDP.
        Message::Response(_) => (length > 1_472).then(|| {
            item.finding(
                "response-fragmented",
                Severity::Warning,
                format!("{} of {length} bytes over UDP", item.title()),
                "Above 1,472 bytes a datagram is cut on Ethernet, and many firewalls drop the pieces; a response can't change to TCP by itself (RFC 3261 §18.2.2)",
                "Use TCP between the two sides, or send fewer headers",
            )
        }),
    }
}

/// Requests within the dialog go to the Contact (RFC 3261 §12.2.1.1).
fn private_contact(item: &Item, far: IpAddr) -> Option<Finding> {
    let ip = item.contact()?.uri.host()?.ip().filter(|ip| hidden(*ip, far))?;
    if item.seen.ours {
        return Some(advertised(item, "Contact", ip, far));
    }
    Some(
        item.finding(
            "private-address-in-contact",
            Severity::Warning,
            format!("Contact {ip}, and the packet came from {far}"),
            "Requests within the dialog go to the Contact (RFC 3261 §12.2.1.1), which can't be reached from here: BYE and REFER get lost",
            "Have the SBC or its NAT write the public address into Contact",
        )
        .cured_by(format!("Have the SBC or its NAT write {far}, or another address that can be reached from here, into Contact")),
    )
}

fn private_in_sdp(item: &Item, ip: IpAddr, far: IpAddr) -> Option<Finding> {
    if !hidden(ip, far) {
        return None;
    }
    if item.seen.ours {
        return Some(advertised(item, "SDP's c=", ip, far));
    }
    Some(item.finding(
        "private-address-in-sdp",
        Severity::Warning,
        format!("c= {ip}, and the packet came from {far}"),
        "Sound sent to a private address does not arrive; symmetric RTP (RFC 4961) mends it only once the other side has sent its first packet",
        "Have the SBC or its NAT write the public address into the SDP",
    ).cured_by(format!("Have the SBC or its NAT write {far}, or its public media address, into the SDP's c= line")))
}

fn advertised(item: &Item, place: &str, ip: IpAddr, far: IpAddr) -> Finding {
    Finding::new(
        "private-address-advertised",
        Severity::Warning,
        Party::Operator,
        format!("{place} {ip}, sent to {far}"),
        "Neither requests within the dialog nor sound find their way back to a private address (RFC 3261 §8.1.1.8, RFC 3264 §5.1)",
        "Set sip.advertise to the public address of this machine, and forward its SIP and RTP ports",
    )
    .at(item.index)
}

fn media_addresses(item: &Item) -> impl Iterator<Item = IpAddr> {
    item.sdp().into_iter().flat_map(|session| {
        session
            .media
            .iter()
            .filter(|media| &*media.kind == "audio" && media.port != 0)
            .filter_map(|media| Some(session.remote(media)?.ip()))
    })
}
