//! Offers and answers as they happen in calls.

use super::*;

fn local() -> LocalMedia {
    LocalMedia::new("192.0.2.9".parse().unwrap(), 4000)
}

fn offer(lines: &str) -> String {
    format!("v=0\r\no=peer 5 7 IN IP4 198.51.100.1\r\ns=-\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\n{lines}")
}

fn text(bytes: &Bytes) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

const AUDIO: &str = "m=audio 7000 RTP/AVP 8 0 97\r\na=rtpmap:97 telephone-event/8000\r\n";

#[test]
fn an_answer_takes_the_peers_first_choice_and_its_numbers() {
    let (answer, agreed) = SdpSession::new(20).answer(offer(AUDIO).as_bytes(), &local()).unwrap();
    assert_eq!(
        text(&answer),
        "v=0\r\no=- 10 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 97\r\na=rtpmap:8 PCMA/8000\r\n\
         a=rtpmap:97 telephone-event/8000\r\na=fmtp:97 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
    );
    assert_eq!(agreed.setup.remote, "198.51.100.1:7000".parse().ok());
    assert_eq!((agreed.setup.codec, agreed.setup.send_pt, agreed.setup.dtmf_send_pt), (Codec::Pcma, 8, Some(97)));
    assert!(!agreed.setup.relearn && !agreed.held_by_peer());
}

#[test]
fn a_preferred_codec_wins_where_it_is_offered() {
    let prefer = |codec| LocalMedia { prefer: Some(codec), ..local() };
    let answer = |lines: &str, codec| SdpSession::new(1).answer(offer(lines).as_bytes(), &prefer(codec)).unwrap().1.setup.codec;
    assert_eq!(answer(AUDIO, Codec::Pcmu), Codec::Pcmu);
    assert_eq!(answer("m=audio 7000 RTP/AVP 8\r\n", Codec::Pcmu), Codec::Pcma);
}

#[test]
fn dynamic_numbers_serve_for_static_codecs_too() {
    let lines = "m=audio 7000 RTP/AVP 96 110\r\na=rtpmap:96 pcma/8000\r\na=rtpmap:110 telephone-event/48000\r\n";
    let (_, agreed) = SdpSession::new(1).answer(offer(lines).as_bytes(), &local()).unwrap();
    assert_eq!((agreed.setup.codec, agreed.setup.send_pt, agreed.setup.dtmf_send_pt), (Codec::Pcma, 96, None));
}

#[test]
fn our_offer_and_an_answer_with_other_numbers() {
    let mut session = SdpSession::new(2);
    let ours = session.offer(&local());
    assert!(text(&ours).contains("m=audio 4000 RTP/AVP 0 8 101\r\n"));
    let answer = "m=audio 7000 RTP/AVP 8 96\r\na=rtpmap:96 telephone-event/8000\r\na=rtcp:7777 IN IP4 198.51.100.2\r\na=ptime:30\r\n";
    let agreed = session.take_answer(offer(answer).as_bytes()).unwrap();
    assert_eq!((agreed.setup.codec, agreed.setup.send_pt), (Codec::Pcma, 8));
    assert_eq!((agreed.setup.dtmf_send_pt, agreed.setup.dtmf_receive_pt), (Some(96), Some(101)));
    assert_eq!(agreed.setup.receive_pts, [(0, Codec::Pcmu), (8, Codec::Pcma)]);
    assert_eq!((agreed.setup.remote_rtcp, agreed.setup.ptime_ms), ("198.51.100.2:7777".parse().ok(), 30));
    assert_eq!(session.take_answer(offer(answer).as_bytes()), Err(OfferFault::NoOffer));
}

#[test]
fn hold_is_mirrored() {
    for (attribute, ours, held) in [
        ("sendrecv", Direction::SendRecv, false),
        ("sendonly", Direction::RecvOnly, true),
        ("recvonly", Direction::SendOnly, false),
        ("inactive", Direction::Inactive, true),
    ] {
        let (answer, agreed) = SdpSession::new(1).answer(offer(&format!("{AUDIO}a={attribute}\r\n")).as_bytes(), &local()).unwrap();
        assert_eq!((agreed.setup.direction, agreed.held_by_peer()), (ours, held), "{attribute}");
        assert!(text(&answer).ends_with(&format!("a={}\r\n", direction_word(ours))));
    }
}

#[test]
fn hold_by_a_null_address_is_accepted() {
    let held = offer(AUDIO).replace("c=IN IP4 198.51.100.1", "c=IN IP4 0.0.0.0");
    let (answer, agreed) = SdpSession::new(1).answer(held.as_bytes(), &local()).unwrap();
    assert!(agreed.held_by_peer());
    assert_eq!((agreed.setup.remote, agreed.setup.direction), (None, Direction::RecvOnly));
    assert!(text(&answer).contains("a=recvonly"));
}

#[test]
fn a_session_level_direction_counts_for_media_without_one() {
    let held = offer(AUDIO).replace("t=0 0\r\n", "t=0 0\r\na=sendonly\r\n");
    assert_eq!(SdpSession::new(1).answer(held.as_bytes(), &local()).unwrap().1.setup.direction, Direction::RecvOnly);
}

#[test]
fn our_own_hold_narrows_the_answer() {
    let holding = LocalMedia { direction: Direction::SendOnly, ..local() };
    assert_eq!(SdpSession::new(1).answer(offer(AUDIO).as_bytes(), &holding).unwrap().1.setup.direction, Direction::SendOnly);
    let both = offer(&format!("{AUDIO}a=sendonly\r\n"));
    assert_eq!(SdpSession::new(1).answer(both.as_bytes(), &holding).unwrap().1.setup.direction, Direction::Inactive);
}

#[test]
fn other_streams_are_refused_in_their_places() {
    let lines = format!("m=video 6000 RTP/AVP 34\r\nm=audio 0 RTP/AVP 0\r\nm=audio 6002 RTP/SAVP 0\r\n{AUDIO}m=image 6004 udptl t38\r\n");
    let mut session = SdpSession::new(1);
    let (answer, agreed) = session.answer(offer(&lines).as_bytes(), &local()).unwrap();
    let shapes = |sdp: &Bytes| text(sdp).lines().filter(|line| line.starts_with("m=")).map(str::to_owned).collect::<Vec<_>>();
    let expected =
        ["m=video 0 RTP/AVP 34", "m=audio 0 RTP/AVP 0", "m=audio 0 RTP/SAVP 0", "m=audio 4000 RTP/AVP 8 97", "m=image 0 udptl t38"];
    assert_eq!(shapes(&answer), expected);
    assert_eq!(agreed.setup.remote.map(|remote| remote.port()), Some(7000));
    // An offer of ours keeps the shape, and the number that telephone-event has.
    let mut later = expected.map(str::to_owned);
    later[3] = "m=audio 4000 RTP/AVP 0 8 97".into();
    assert_eq!(shapes(&session.offer(&local())), later);
}

#[test]
fn nothing_that_fits_is_488() {
    for (lines, why) in [
        ("", OfferFault::NoAudio),
        ("m=video 6000 RTP/AVP 34\r\n", OfferFault::NoAudio),
        ("m=audio 6000 RTP/SAVP 0\r\n", OfferFault::NoAudio),
        ("m=audio 0 RTP/AVP 0\r\n", OfferFault::NoAudio),
        ("m=audio 6000 RTP/AVP 18 9\r\n", OfferFault::NoCodec),
        ("m=audio 6000 RTP/AVP 96\r\na=rtpmap:96 PCMU/16000\r\n", OfferFault::NoCodec),
        ("m=audio 6000 RTP/AVP 0\r\nc=IN IP6 2001:db8::1\r\n", OfferFault::NoAddress),
        ("m=audio 6000 RTP/AVP 0\r\nc=IN IP4 239.1.2.3/127\r\n", OfferFault::NoAddress),
        ("m=audio 6000 RTP/AVP 0\r\nc=IN IP4 media.example.com\r\n", OfferFault::NoAddress),
    ] {
        let fault = SdpSession::new(1).answer(offer(lines).as_bytes(), &local()).unwrap_err();
        assert_eq!((fault, fault.code()), (why, 488), "{lines}");
        assert!(fault.warning().is_some());
    }
    assert_eq!(SdpSession::new(1).answer(b"rubbish", &local()).unwrap_err().code(), 400);
}

#[test]
fn the_version_rises_with_changes_only() {
    let mut session = SdpSession::new(20);
    let version = |sdp: Bytes| text(&sdp).split(' ').nth(2).unwrap().to_owned();
    assert_eq!(version(session.answer(offer(AUDIO).as_bytes(), &local()).unwrap().0), "1");
    assert_eq!(version(session.answer(offer(AUDIO).as_bytes(), &local()).unwrap().0), "1");
    assert_eq!(version(session.answer(offer(&format!("{AUDIO}a=sendonly\r\n")).as_bytes(), &local()).unwrap().0), "2");
    assert_eq!(version(session.offer(&local())), "3");
}

#[test]
fn ipv6_both_ways() {
    let local = LocalMedia::new("2001:db8::9".parse().unwrap(), 4000);
    let offer = "v=0\r\no=- 1 1 IN IP6 2001:db8::20\r\ns=-\r\nc=IN IP6 2001:db8::20\r\nt=0 0\r\nm=audio 7000 RTP/AVP 0\r\n";
    let (answer, agreed) = SdpSession::new(1).answer(offer.as_bytes(), &local).unwrap();
    assert!(text(&answer).contains("c=IN IP6 2001:db8::9\r\n"));
    assert_eq!(agreed.setup.remote, "[2001:db8::20]:7000".parse().ok());
}

#[test]
fn nat_is_suspected_where_addresses_do_not_fit() {
    let relearn = |ip: &str, peer: &str| {
        let local = LocalMedia { signalling_peer: peer.parse().ok(), ..local() };
        SdpSession::new(1).answer(offer(AUDIO).replace("198.51.100.1", ip).as_bytes(), &local).unwrap().1.setup.relearn
    };
    assert!(relearn("10.0.0.7", "203.0.113.5"));
    assert!(relearn("198.51.100.1", "203.0.113.5"));
    assert!(!relearn("198.51.100.1", "198.51.100.1"));
}

#[test]
fn an_answer_must_fit_its_offer() {
    let try_answer = |lines: &str| {
        let mut session = SdpSession::new(1);
        session.offer(&local());
        session.take_answer(offer(lines).as_bytes()).unwrap_err()
    };
    assert_eq!(try_answer(""), OfferFault::AnswerMismatch);
    assert_eq!(try_answer("m=audio 0 RTP/AVP 0\r\n"), OfferFault::NoAudio);
    assert_eq!(try_answer("m=audio 5 RTP/AVP 18\r\n"), OfferFault::NoCodec);
    assert_eq!(try_answer(&format!("{AUDIO}{AUDIO}")), OfferFault::AnswerMismatch);
}

#[test]
fn a_refused_offer_leaves_no_trace() {
    let mut session = SdpSession::new(1);
    session.offer(&local());
    session.withdraw();
    assert!(!session.offer_pending());
}
