//! The INVITE of a test call before it is placed, written by the very code that places it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::{Customer, CustomerSetup};
use crate::{
    model::{AudioSource, Command, InvitePreview, TestCall, TransportName},
    party::{Input, Output, Party as _},
    sip::{
        message::Uri,
        transport::{Transport, too_large_for_udp},
    },
};

/// The first INVITE that `call` sends, from a side of `setup`. No socket is opened and no name is looked up: a host
/// that is a name is taken to be there.
///
/// # Errors
/// What keeps the call from being placed, in one sentence.
pub fn preview(call: &TestCall, setup: &CustomerSetup) -> Result<InvitePreview, String> {
    let now = setup.now;
    let mut customer = Customer::new(setup.clone());
    let call = TestCall { audio: AudioSource::Silence, ..call.clone() };
    customer.handle_input(now, Input::Command { id: 0, command: Command::PlaceTestCall { call: Box::new(call) } });
    for _ in 0..MOST_OUTPUTS {
        match customer.poll_output() {
            Some(Output::PortsWanted(_)) => customer.handle_input(now, Input::PortsOpened(vec![A_PORT])),
            Some(Output::Resolve { query, uri }) => {
                customer.handle_input(now, Input::Resolved { query, targets: vec![stand_in(&uri)] });
            }
            Some(Output::Transmit(invite)) => {
                let fits_udp = !too_large_for_udp(invite.bytes.len());
                return Ok(InvitePreview { transport: name(invite.flow.transport), bytes: invite.bytes, fits_udp });
            }
            Some(Output::CommandDone { outcome: Err(why), .. }) => return Err(why),
            Some(_) => {}
            None => break,
        }
    }
    Err("the call can't be placed from here".to_owned())
}

fn name(transport: Transport) -> TransportName {
    match transport {
        Transport::Udp => TransportName::Udp,
        Transport::Tcp => TransportName::Tcp,
        Transport::Tls => TransportName::Tls,
    }
}

/// Where the URI would lead, without asking anybody.
fn stand_in(uri: &str) -> (Transport, SocketAddr) {
    let uri = Uri::parse(uri).ok();
    let uri = uri.as_ref();
    let transport = match uri.and_then(|uri| uri.param("transport")) {
        Some(name) if name.eq_ignore_ascii_case("tcp") => Transport::Tcp,
        _ => Transport::Udp,
    };
    let ip = uri.and_then(|uri| uri.host()?.ip()).unwrap_or(IpAddr::V4(SOMEWHERE));
    (transport, SocketAddr::new(ip, uri.and_then(Uri::port).unwrap_or(5060)))
}

/// A call sends its INVITE long before that.
const MOST_OUTPUTS: usize = 64;
/// In the place of the one that the call will get.
const A_PORT: u16 = 40_000;
/// In the place of a name's address (RFC 5737).
const SOMEWHERE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::model::Variables;

    fn setup() -> CustomerSetup {
        let sbc: SocketAddr = "127.0.0.1:5071".parse().unwrap();
        let mut setup = CustomerSetup::new(Instant::now(), vec![(Transport::Udp, sbc), (Transport::Tcp, sbc)], Vec::new(), 7);
        setup.bridge = Some((Transport::Udp, "127.0.0.1:5060".parse().unwrap()));
        setup
    }

    fn text(call: &TestCall) -> String {
        String::from_utf8(preview(call, &setup()).unwrap().bytes.to_vec()).unwrap()
    }

    #[test]
    fn it_is_the_invite_that_is_sent() {
        let call = TestCall {
            task: Some("billing".into()),
            iv: [("name".to_owned(), "Zoë".to_owned())].into_iter().collect(),
            headers: vec!["X-Extra: 1".into()],
            ..TestCall::default()
        };
        let text = text(&call);
        assert!(text.starts_with("INVITE sip:bridge@127.0.0.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5071;"), "{text}");
        for line in ["X-GA-taskName: billing\r\n", "X-GA-iv-name: Zoë\r\n", "X-Extra: 1\r\n", "m=audio 40000 RTP/AVP"] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }

    #[test]
    fn what_is_too_large_for_udp_goes_by_tcp() {
        let iv: Variables = [("notes".to_owned(), "x".repeat(1_000))].into_iter().collect();
        let large = preview(&TestCall { iv, ..TestCall::default() }, &setup()).unwrap();
        assert_eq!((large.transport, large.fits_udp), (TransportName::Tcp, false));
        assert!(preview(&TestCall::default(), &setup()).unwrap().fits_udp);
    }

    #[test]
    fn a_name_is_not_looked_up() {
        let call = TestCall { uri: "sip:agent@sbc.example.com;transport=tcp".into(), ..TestCall::default() };
        assert!(text(&call).starts_with("INVITE sip:agent@sbc.example.com;transport=tcp SIP/2.0\r\nVia: SIP/2.0/TCP"));
    }

    #[test]
    fn what_keeps_a_call_from_being_placed_is_said() {
        let refused = |call: &TestCall| preview(call, &setup()).unwrap_err();
        assert!(refused(&TestCall { uri: "tel:+1".into(), ..TestCall::default() }).contains("not a sip: URI"));
        assert!(refused(&TestCall { user: Some("u".into()), ..TestCall::default() }).contains("belong together"));
    }
}
