//! What a transfer costs the pure core: INVITE, 180, 200, ACK, REFER, 202, two NOTIFYs, BYE between two user agents, everything
//! read from bytes and written to bytes on both sides.

#![allow(clippy::disallowed_methods, reason = "virtual time starts at some real instant")]

use std::{
    hint::black_box,
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::Bytes;
use divan::{Bencher, counter::ItemsCount};
use handback::sip::{
    dialog::{Limits, NewInvite, UaEvent, UaOutput, UserAgent, UserAgentConfig},
    transport::{Flow, Received, Transport},
};

fn main() {
    divan::main();
}

/// Two user agents' work for one transfer. A bridge does about as much: it has the customer on one side, the agent on the other.
#[divan::bench]
fn whole_transfer(bencher: Bencher<'_, '_>) {
    let mut pair = Pair::new();
    bencher.counter(ItemsCount::new(1usize)).bench_local(|| pair.transfer());
}

/// The same with a thousand transfers' transactions still lingering, as they do at that rate.
#[divan::bench]
fn whole_transfer_among_many(bencher: Bencher<'_, '_>) {
    let mut pair = Pair::new();
    pair.pause = Duration::from_micros(50);
    bencher.counter(ItemsCount::new(1usize)).bench_local(|| pair.transfer());
}

struct Pair {
    now: Instant,
    uas: [UserAgent; 2],
    addresses: [SocketAddr; 2],
    offer: Bytes,
    pause: Duration,
    headers: Vec<(String, String)>,
}

impl Pair {
    fn new() -> Self {
        let addresses: [SocketAddr; 2] = [([192, 0, 2, 1], 5060).into(), ([192, 0, 2, 2], 5060).into()];
        let uas = [0, 1].map(|index| {
            let mut config = UserAgentConfig::new("Bench", vec![(Transport::Udp, addresses[index])], index as u64);
            config.limits = Limits { transactions: 10_000, lingering: 10_000_000, sessions: 10_000, ..Limits::default() };
            UserAgent::new(config)
        });
        let offer = Bytes::from_static(
            b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0 8 101\r\n\
              a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n",
        );
        let headers = (0..8).map(|index| (format!("X-GA-iv-name{index}"), format!("value {index}"))).collect();
        Self { now: Instant::now(), uas, addresses, offer, pause: Duration::from_secs(40), headers }
    }

    fn transfer(&mut self) {
        let invite = NewInvite {
            target: "sip:bridge@192.0.2.2".into(),
            next_hops: vec![(Transport::Udp, self.addresses[1])],
            from: "<sip:customer@example.com>".into(),
            contact_user: "customer".into(),
            offer: Some(self.offer.clone()),
            headers: self.headers.clone(),
            ..NewInvite::default()
        };
        let _ = self.uas[0].invite(self.now, invite).expect("it can be sent");
        let mut ended = 0;
        while ended < 2 {
            let mut moved = false;
            for index in 0..2 {
                while let Some(output) = self.uas[index].poll_output() {
                    moved = true;
                    match output {
                        UaOutput::Transmit(transmit) => {
                            let flow = Flow { local: transmit.flow.remote, remote: transmit.flow.local, ..transmit.flow };
                            self.uas[1 - index].handle_received(self.now, Received { flow, bytes: transmit.bytes });
                        }
                        UaOutput::Event(event) => ended += usize::from(self.react(index, event)),
                    }
                }
            }
            assert!(moved, "the transfer stands still");
        }
        self.now += self.pause;
        for ua in &mut self.uas {
            ua.handle_timeout(self.now);
            while let Some(output) = ua.poll_output() {
                black_box(output);
            }
        }
    }

    fn react(&mut self, index: usize, event: UaEvent) -> bool {
        let (ua, now) = (&mut self.uas[index], self.now);
        let done = match event {
            UaEvent::Request(incoming) => {
                let incoming = ua.screen(now, *incoming).expect("it is in order");
                let id = ua.accept_invite(now, incoming).expect("there is room");
                ua.ring(now, id, 180, None, &[]).and_then(|()| ua.answer(now, id, Some(self.offer.clone()), &[]))
            }
            UaEvent::Established { id, .. } => {
                ua.refer(now, id, "<sip:return@example.com?X-GA-extConId=1&X-GA-transfer=SYSTEM&X-GA-tv-a=b>", &[]).map(|_| ())
            }
            UaEvent::Refer { id, refer, .. } => ua
                .accept_refer(now, id, refer, 202)
                .and_then(|()| ua.notify(now, id, refer, "SIP/2.0 100 Trying", false))
                .and_then(|()| ua.notify(now, id, refer, "SIP/2.0 200 OK", true)),
            UaEvent::Notify { id, terminated: true, .. } => ua.hang_up(now, id, &[], None),
            UaEvent::Ended { .. } => return true,
            _ => Ok(()),
        };
        done.expect("the verb fits");
        false
    }
}
