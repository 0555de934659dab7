//! `[[peers]]`: who may call, and how their calls go back.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{
    fault::Faults,
    secret::{self, Environment},
    table::Section,
};
use crate::{
    contract::payload,
    model::{
        ReturnMethod, ReturnMethodOrAgent,
        settings::{Peer, Policy, Return, User},
    },
};

pub fn read(root: &mut Section<'_>, environment: Environment<'_>, faults: &mut Faults<'_>) -> Vec<Peer> {
    let mut peers: Vec<Peer> = Vec::new();
    for section in root.sections("peers", faults) {
        let (path, span) = (section.path.clone(), section.span.clone());
        let peer = peer(section, environment, faults);
        if peers.iter().any(|p| p.name == peer.name) {
            faults.add(&format!("{path}.name"), &span, format!("there is a peer {:?} already", peer.name));
        }
        peers.push(peer);
    }
    peers
}

fn peer(mut section: Section<'_>, environment: Environment<'_>, faults: &mut Faults<'_>) -> Peer {
    let name = section.text("name", faults).map(|(_, text)| text.to_owned()).unwrap_or_default();
    if name.is_empty() {
        section.missing("name", "people know a peer by its name", faults);
    }
    let mut networks = Vec::new();
    for (entry, text) in section.texts("networks", faults).unwrap_or_default() {
        match network(text) {
            Some(network) => networks.push(network),
            None => entry.fault(no_network(text), faults),
        }
    }
    let policies = [("either", Policy::Either), ("both", Policy::Both)];
    let policy = section.entry("policy").and_then(|e| e.choice(&policies, faults)).unwrap_or(Policy::Either);
    let users: Vec<User> = section.sections("users", faults).into_iter().filter_map(|s| user(s, environment, faults)).collect();
    let allow_md5 = section.flag("allow_md5", true, faults);
    let record = section.entry("record").is_some().then(|| section.flag("record", false, faults));
    let returns = returns(section.section("return", faults), environment, faults);

    let (no_networks, no_users) = (section.entry("networks").is_none(), section.entry("users").is_none());
    if no_networks && no_users {
        section.missing("networks", "with no networks and no users nobody is ever admitted as this peer", faults);
    } else if policy == Policy::Both && (no_networks || no_users) {
        section.missing(if no_networks { "networks" } else { "users" }, "policy \"both\" needs networks and users", faults);
    }
    section.finish(faults);
    Peer { name, networks, policy, users, allow_md5, returns, record }
}

fn network(text: &str) -> Option<IpNet> {
    text.parse::<IpNet>().map(|n| n.trunc()).ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// What is wrong with a network, as exactly as can be told.
fn no_network(text: &str) -> String {
    let (address, prefix) = text.split_once('/').unwrap_or((text, ""));
    let octets: Vec<&str> = address.split('.').collect();
    let too_large = octets.iter().find(|octet| octet.parse::<u64>().is_ok_and(|octet| octet > 255));
    if let Some(octet) = too_large.filter(|_| octets.len() == 4) {
        return format!("{octet} is not a valid octet: 0 to 255");
    }
    match (address.parse::<IpAddr>(), prefix.parse::<u32>()) {
        (Ok(IpAddr::V4(_)), Ok(bits)) if bits > 32 => format!("{text:?} is no network: an IPv4 address has 32 bits, not {bits}"),
        (Ok(IpAddr::V6(_)), Ok(bits)) if bits > 128 => format!("{text:?} is no network: an IPv6 address has 128 bits, not {bits}"),
        _ => format!("{text:?} is no network such as 10.4.0.0/16, 2001:db8:4::/48 or 192.0.2.7"),
    }
}

fn user(mut section: Section<'_>, environment: Environment<'_>, faults: &mut Faults<'_>) -> Option<User> {
    let before = faults.list.len();
    let username = section.text("username", faults).map(|(entry, text)| {
        if text.is_empty() || text.contains(['"', '\\']) {
            entry.fault("must not be empty or hold quotes or backslashes", faults);
        }
        text.to_owned()
    });
    let secret = secret::read(&mut section, secret::SECRET, environment, faults);
    if username.is_none() {
        section.missing("username", "digest needs a user name", faults);
    }
    if secret.is_none() && faults.list.len() == before {
        section.missing("secret", "give secret, secret_env or secret_file", faults);
    }
    section.finish(faults);
    Some(User { username: username?, secret: secret? })
}

fn returns(mut section: Section<'_>, environment: Environment<'_>, faults: &mut Faults<'_>) -> Return {
    let methods = [("BYE", ReturnMethod::Bye), ("REFER", ReturnMethod::Refer), ("INVITE", ReturnMethod::Invite)];
    let method = section.entry("method").and_then(|e| e.choice(&methods, faults)).unwrap_or_default();
    let uri = section.text("uri", faults).and_then(|(entry, text)| match payload::check_uri(text) {
        Ok(()) => Some(text.to_owned()),
        Err(_) if text == OWN_RETURN_POINT => None,
        Err(why) => {
            entry.fault(format!("{text:?}: {why}"), faults);
            None
        }
    });
    let fallbacks = [("bye", ReturnMethodOrAgent::Bye), ("invite", ReturnMethodOrAgent::Invite), ("agent", ReturnMethodOrAgent::Agent)];
    let fallback = section.entry("fallback").and_then(|e| e.choice(&fallbacks, faults)).unwrap_or(ReturnMethodOrAgent::Bye);
    let notify_timeout_secs = section.number("notify_timeout_secs", 1..=3_600, 30, faults).unsigned_abs();
    let auth = section.entry("auth").and_then(|e| e.section(faults)).and_then(|s| user(s, environment, faults));

    let hosts = section.texts("hosts", faults).unwrap_or_default().into_iter().map(|(_, host)| host.to_owned()).collect();

    let places_invites = method == ReturnMethod::Invite || fallback == ReturnMethodOrAgent::Invite;
    if section.entry("uri").is_none() && (method != ReturnMethod::Bye || places_invites) {
        section.missing("uri", "a return by REFER or INVITE needs a sip: or sips: URI to go to", faults);
    }
    if let Some(entry) = section.entry("auth").filter(|_| !places_invites) {
        faults.warn(&entry.key, &entry.span, "is used for a return INVITE only, and this peer makes none");
    }
    section.finish(faults);
    Return { method, uri, fallback, notify_timeout_secs, auth, hosts }
}

/// Instead of a URI: this program's own return point, for test calls.
const OWN_RETURN_POINT: &str = "demo";
