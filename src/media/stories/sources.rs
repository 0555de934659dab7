//! Who may speak on a stream, and where it speaks to.

use super::*;
use crate::media::foreign::Foreign;

#[test]
fn strangers_are_counted_told_and_neither_relayed_nor_answered() {
    let mut lab = Lab::bridged(setup(CUSTOMER), setup(AGENT));
    let (mut voice, mut stranger) = (Voice::of(CUSTOMER), Voice::of(CUSTOMER));
    stranger.from = SocketAddr::from(([198, 51, 100, 7], 4_000));
    lab.says(&mut voice, &[1; 160]);
    for _ in 0..10 {
        lab.says(&mut stranger, &[66; 160]);
    }
    let packets = lab.sent(AGENT);
    assert!(!packets.is_empty() && packets.iter().all(|(_, payload)| payload[0] == 1));
    assert!(lab.out.packets.iter().all(|sent| sent.to != stranger.from));
    assert_eq!(lab.told(&MediaEvent::Stranger { stream: CUSTOMER, from: stranger.from }), 1);
    let figures = lab.closes(CUSTOMER);
    assert_eq!((figures.strangers, figures.packets_received, figures.packets_lost), (10, 1, 0));
}

#[test]
fn the_checks_of_an_ice_peer_are_named_and_make_it_no_stranger() {
    let mut lab = Lab::bridged(setup(CUSTOMER), setup(AGENT));
    let mut voice = Voice::of(CUSTOMER);
    lab.says(&mut voice, &[1; 160]);
    let check: Vec<u8> = [&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], &[7; 12]].concat();
    let elsewhere = SocketAddr::from(([198, 51, 100, 7], 4_000));
    for (channel, from) in [(Channel::Rtp, voice.from), (Channel::Rtp, elsewhere), (Channel::Rtcp, elsewhere)] {
        lab.plane.handle_packet(lab.now, port(CUSTOMER), channel, from, &mut check.clone(), &mut lab.out);
    }
    let figures = lab.closes(CUSTOMER);
    assert_eq!(figures.foreign, Foreign { stun: 3, ..Foreign::default() });
    assert_eq!((figures.strangers, figures.packets_received), (0, 1));
}

#[test]
fn a_voice_before_the_answer_is_read_is_no_stranger() {
    let mut lab = Lab::new();
    lab.does(MediaCommand::Open { stream: CUSTOMER, port: port(CUSTOMER) });
    let mut voice = Voice::of(CUSTOMER);
    lab.says(&mut voice, &[1; 160]);
    lab.does(MediaCommand::configure(CUSTOMER, setup(CUSTOMER)));
    lab.says(&mut voice, &[1; 160]);
    let figures = lab.closes(CUSTOMER);
    assert_eq!((figures.strangers, figures.packets_received, figures.packets_lost), (0, 1, 0));
}

#[test]
fn behind_nat_packets_go_to_where_they_come_from() {
    let nat = SocketAddr::from(([203, 0, 113, 9], 61_000));
    let mut lab = Lab::bridged(StreamSetup { relearn: true, ..setup(CUSTOMER) }, setup(AGENT));
    let (mut customer, mut agent) = (Voice::of(CUSTOMER), Voice::of(AGENT));
    customer.from = nat;
    lab.says(&mut customer, &[1; 160]);
    lab.says(&mut agent, &[2; 160]);
    assert_eq!(lab.told(&MediaEvent::SourceLearned { stream: CUSTOMER, from: nat }), 1);
    assert!(lab.out.packets.iter().any(|sent| sent.port == port(CUSTOMER) && sent.to == nat));
    assert_eq!(lab.sent(AGENT).len(), 1);
}

#[test]
fn an_address_of_zeros_is_a_hold() {
    let zeros = SocketAddr::from(([0, 0, 0, 0], 4_000));
    let mut lab = Lab::alone(StreamSetup { remote: Some(zeros), ..setup(CUSTOMER) });
    lab.advance(ms(1_000));
    assert!(lab.out.packets.is_empty());
}
