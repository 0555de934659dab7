//! Our own addresses: what goes into Via and Contact, and from which socket a request leaves (RFC 3261 §18.1.1, §8.1.1.8).

use std::{
    borrow::Cow,
    collections::HashMap,
    net::SocketAddr,
    time::{Duration, Instant},
};

use super::UserAgentConfig;
use crate::sip::{
    small_text::SmallText,
    transport::{Flow, Transport, too_large_for_udp},
};

/// Where we are, as others see it.
pub(super) struct Local {
    listeners: Vec<Listener>,
    advertise: Option<String>,
    /// Where TCP was tried for a large request and is not spoken (§18.1.1), and when that was.
    without_tcp: HashMap<SocketAddr, Instant>,
}

struct Listener {
    transport: Transport,
    address: SocketAddr,
    /// `host:port` as others read it; None where it depends on the flow.
    sent_by: Option<Box<str>>,
}

/// A Via value, on the stack.
pub(super) type ViaText = SmallText<160>;

impl Local {
    pub fn new(config: &UserAgentConfig) -> Self {
        let listener = |&(transport, address): &(Transport, SocketAddr)| {
            let known = !address.ip().is_unspecified();
            Listener { transport, address, sent_by: known.then(|| host_and_port(config.advertise.as_deref(), address).into()) }
        };
        let listeners = config.listeners.iter().map(listener).collect();
        Self { listeners, advertise: config.advertise.clone(), without_tcp: HashMap::new() }
    }

    /// From which of our sockets a new request to `remote` leaves. None: we do not speak that transport, or not in that family.
    pub fn flow_to(&self, transport: Transport, remote: SocketAddr) -> Option<Flow> {
        let fits = |listener: &&Listener| listener.transport == transport && listener.address.is_ipv4() == remote.is_ipv4();
        self.listeners.iter().find(fits).map(|listener| Flow { transport, local: listener.address, remote, connection: None })
    }

    /// §18.1.1: the same hop over TCP, for a request of this size. None where it may stay on UDP, or must.
    pub fn larger(&self, now: Instant, flow: &Flow, bytes: usize) -> Option<Flow> {
        if flow.transport != Transport::Udp || !too_large_for_udp(bytes) {
            return None;
        }
        let refused = self.without_tcp.get(&flow.remote).is_some_and(|&since| now.duration_since(since) < FORGET_WITHOUT_TCP);
        if refused { None } else { self.flow_to(Transport::Tcp, flow.remote) }
    }

    /// Remembers that a hop does not speak TCP.
    pub fn learn_without_tcp(&mut self, now: Instant, remote: SocketAddr) {
        if self.without_tcp.len() >= MOST_WITHOUT_TCP {
            self.without_tcp.clear();
        }
        self.without_tcp.insert(remote, now);
    }

    /// `rport` asks for the response to come back the way we went (RFC 3581).
    pub fn via(&self, flow: &Flow, branch: &str) -> ViaText {
        ViaText::of(&["SIP/2.0/", flow.transport.as_str(), " ", &self.sent_by(flow), ";rport;branch=", branch])
    }

    /// A Contact value that leads back to us over the flow's transport.
    pub fn contact(&self, flow: &Flow, user: &str) -> String {
        let at = if user.is_empty() { "" } else { "@" };
        let transport = match flow.transport {
            Transport::Udp => "",
            Transport::Tcp => ";transport=tcp",
            Transport::Tls => ";transport=tls",
        };
        ["<sip:", user, at, &self.sent_by(flow), transport, ">"].concat()
    }

    /// The listener behind a flow; a connection that we opened leaves from some other port than the one that we listen on.
    fn sent_by(&self, flow: &Flow) -> Cow<'_, str> {
        let kin = |listener: &&Listener| listener.transport == flow.transport && listener.address.is_ipv4() == flow.local.is_ipv4();
        let same = |listener: &&Listener| kin(listener) && listener.address.port() == flow.local.port();
        let found = self.listeners.iter().find(same).or_else(|| self.listeners.iter().find(kin));
        match found {
            Some(Listener { sent_by: Some(text), .. }) => Cow::Borrowed(text),
            // A listener on all addresses is reached at the one that the flow has.
            Some(listener) => {
                let address = SocketAddr::new(flow.local.ip(), listener.address.port());
                Cow::Owned(host_and_port(self.advertise.as_deref(), address))
            }
            None => Cow::Owned(host_and_port(self.advertise.as_deref(), flow.local)),
        }
    }
}

fn host_and_port(advertise: Option<&str>, address: SocketAddr) -> String {
    match advertise {
        Some(host) => format!("{host}:{}", address.port()),
        None => address.to_string(),
    }
}

const FORGET_WITHOUT_TCP: Duration = Duration::from_secs(300);
const MOST_WITHOUT_TCP: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn local() -> Local {
        let listeners = vec![(Transport::Udp, "192.0.2.1:5060".parse().unwrap()), (Transport::Tcp, "192.0.2.1:5070".parse().unwrap())];
        Local::new(&UserAgentConfig::new("test", listeners, 1))
    }

    #[test]
    fn via_and_contact_name_the_listener_of_the_transport() {
        let local = local();
        let mut flow = local.flow_to(Transport::Tcp, "198.51.100.1:5060".parse().unwrap()).unwrap();
        flow.local.set_port(40_000);
        assert_eq!(&*local.via(&flow, "z9hG4bKx"), "SIP/2.0/TCP 192.0.2.1:5070;rport;branch=z9hG4bKx");
        assert_eq!(local.contact(&flow, "a"), "<sip:a@192.0.2.1:5070;transport=tcp>");
        assert_eq!(local.flow_to(Transport::Udp, "[2001:db8::1]:5060".parse().unwrap()), None);
    }

    #[test]
    fn a_large_request_goes_by_tcp_until_the_hop_refused_it() {
        let (mut local, now) = (local(), Instant::now());
        let flow = local.flow_to(Transport::Udp, "198.51.100.1:5060".parse().unwrap()).unwrap();
        assert!(local.larger(now, &flow, 1300).is_none());
        assert_eq!(local.larger(now, &flow, 1301).map(|flow| flow.transport), Some(Transport::Tcp));
        local.learn_without_tcp(now, flow.remote);
        assert!(local.larger(now, &flow, 1301).is_none());
        assert!(local.larger(now + Duration::from_secs(301), &flow, 1301).is_some());
    }
}
