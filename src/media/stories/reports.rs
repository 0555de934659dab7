//! RTCP and jitter; and what can not be done, or makes no sense.

use super::*;

#[test]
fn reports_go_both_ways_and_give_the_round_trip() {
    // Two planes that talk with each other over a line of 25 ms each way.
    let mut near = Lab::alone(setup(CUSTOMER));
    let mut far = Lab::alone(setup(CUSTOMER));
    far.now = near.now;
    let mut line: Vec<(Instant, bool, Channel, Vec<u8>)> = Vec::new();
    for _ in 0..30_000 {
        for lab in [&mut near, &mut far] {
            lab.advance(ms(1));
        }
        let now = near.now;
        for (to_far, lab) in [(true, &mut near), (false, &mut far)] {
            line.extend(lab.out.packets.drain(..).map(|sent| (now + ms(25), to_far, sent.channel, sent.bytes)));
        }
        let (due, later) = line.into_iter().partition(|(at, ..)| *at <= now);
        line = later;
        let due: Vec<_> = due;
        for (_, to_far, channel, mut bytes) in due {
            let lab = if to_far { &mut far } else { &mut near };
            let from =
                if channel == Channel::Rtp { peer(CUSTOMER) } else { SocketAddr::new(peer(CUSTOMER).ip(), peer(CUSTOMER).port() + 1) };
            lab.plane.handle_packet(now, port(CUSTOMER), channel, from, &mut bytes, &mut lab.out);
        }
    }
    let figures = near.closes(CUSTOMER);
    let round_trip = figures.round_trip_ms.expect("both sides report");
    assert!((round_trip - 50.0).abs() < 3.0, "{round_trip}");
    assert_eq!((figures.remote_lost, figures.packets_lost, figures.foreign.total()), (Some(0), 0, 0));
    assert!(figures.jitter_ms < 1.0 && figures.remote_jitter_ms.is_some_and(|jitter| jitter < 1.0));
}

#[test]
fn jitter_is_that_of_the_line() {
    let mut lab = Lab::alone(setup(CUSTOMER));
    let mut voice = Voice::of(CUSTOMER);
    for n in 0..500 {
        let packet = voice.packet(&[0xff; 160]);
        lab.hears(CUSTOMER, peer(CUSTOMER), packet);
        lab.advance(ms(if n % 2 == 0 { 10 } else { 30 }));
    }
    let jitter = lab.closes(CUSTOMER).jitter_ms;
    assert!((9.0..=10.5).contains(&jitter), "{jitter}");
}

#[test]
fn commands_that_can_not_be_done_are_refused_and_harm_nothing() {
    let mut lab = Lab::alone(setup(CUSTOMER));
    let nobody = StreamId(77);
    lab.does(MediaCommand::Open { stream: CUSTOMER, port: 40_100 });
    lab.does(MediaCommand::Open { stream: nobody, port: port(CUSTOMER) });
    lab.does(MediaCommand::Open { stream: nobody, port: 40_101 });
    lab.does(MediaCommand::Connect { a: CUSTOMER, b: nobody });
    lab.does(MediaCommand::Close { stream: nobody });
    assert_eq!(lab.out.events.iter().filter(|event| matches!(event, MediaEvent::Refused { .. })).count(), 5);
    assert_eq!(lab.plane.streams(), 1);
    lab.closes(CUSTOMER);
}

proptest::proptest! {
    #[test]
    fn any_packets_are_survived(packets in proptest::collection::vec((proptest::bool::ANY, proptest::bool::ANY, proptest::collection::vec(proptest::num::u8::ANY, 0..200)), 0..60)) {
        let mut lab = Lab::bridged(setup(CUSTOMER), StreamSetup { codec: Codec::Pcma, send_pt: 8, ..setup(AGENT) });
        lab.does(MediaCommand::Record { stream: CUSTOMER, max_secs: 5 });
        lab.does(MediaCommand::Tap { stream: AGENT, on: true });
        for (rtcp, likely, mut bytes) in packets {
            if likely && bytes.len() > 2 {
                (bytes[0], bytes[1]) = if rtcp { (0x81, 200 + bytes[1] % 5) } else { (0x80, [0, 8, 101][usize::from(bytes[1] % 3)]) };
            }
            let channel = if rtcp { Channel::Rtcp } else { Channel::Rtp };
            lab.plane.handle_packet(lab.now, port(CUSTOMER), channel, peer(CUSTOMER), &mut bytes, &mut lab.out);
            lab.advance(ms(20));
        }
        lab.closes(CUSTOMER);
    }
}
