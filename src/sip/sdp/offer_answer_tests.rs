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
    assert_eq!((agreed.setup.dtmf_send_pt, agreed.setup.dtmf_receive_pts), (Some(96), vec![(101, 8_000)]));
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
        ("m=audio 6000 RTP/AVP 0\r\nc=IN IP6 2001:db8::1\r\n", OfferFault::OtherIpVersion("2001:db8::1".parse().expect("an address"))),
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

fn wideband() -> LocalMedia {
    LocalMedia { codecs: Codec::ALL.to_vec(), ..local() }
}

#[test]
fn an_offer_names_each_codec_in_order_with_its_clock_and_terms() {
    let offer = SdpSession::new(2).offer(&wideband());
    assert!(
        text(&offer).contains(
            "m=audio 4000 RTP/AVP 111 9 0 8 101 110\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 useinbandfec=1;stereo=0;sprop-stereo=0\r\n\
             a=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n\
             a=fmtp:101 0-15\r\na=rtpmap:110 telephone-event/48000\r\na=fmtp:110 0-15\r\na=ptime:20\r\n"
        ),
        "{}",
        text(&offer)
    );
}

#[test]
fn an_answer_in_opus_heeds_what_the_peer_asks_and_sends_events_at_its_clock() {
    let mut session = SdpSession::new(2);
    session.offer(&wideband());
    let answer = "m=audio 7000 RTP/AVP 96 97 98\r\na=rtpmap:96 opus/48000/2\r\n\
        a=fmtp:96 maxplaybackrate=16000; maxaveragebitrate=24000;useinbandfec=1; usedtx=1;stereo=1;cbr=1\r\n\
        a=rtpmap:97 telephone-event/8000\r\na=rtpmap:98 telephone-event/48000\r\na=ptime:50\r\na=maxptime:60\r\n";
    let setup = session.take_answer(offer(answer).as_bytes()).unwrap().setup;
    assert_eq!((setup.codec, setup.send_pt, setup.dtmf_send_pt, setup.dtmf_send_clock), (Codec::Opus, 96, Some(98), 48_000));
    let terms = OpusTerms { most_bitrate: Some(24_000), most_playback_rate: Some(16_000), fec: true, dtx: true, constant_bitrate: true };
    assert_eq!((setup.opus, setup.ptime_ms), (terms, 40));
    assert_eq!(setup.receive_pts, [(111, Codec::Opus), (9, Codec::G722), (0, Codec::Pcmu), (8, Codec::Pcma)]);
    assert_eq!(setup.dtmf_receive_pts, [(101, 8_000), (110, 48_000)]);
}

#[test]
fn an_offer_of_opus_is_answered_under_its_number_and_without_fec_where_that_is_not_asked_for() {
    let lines = "m=audio 7000 RTP/AVP 101 9 0 96\r\na=rtpmap:101 OPUS/48000/2\r\na=rtpmap:96 telephone-event/8000\r\n";
    let mut session = SdpSession::new(2);
    let (answer, agreed) = session.answer(offer(lines).as_bytes(), &wideband()).unwrap();
    assert!(text(&answer).contains("m=audio 4000 RTP/AVP 101 96\r\na=rtpmap:101 opus/48000/2\r\n"), "{}", text(&answer));
    assert_eq!((agreed.setup.codec, agreed.setup.opus), (Codec::Opus, OpusTerms::default()));
    // Beside Opus many know telephone-event at 8,000 Hz only.
    assert_eq!((agreed.setup.dtmf_send_pt, agreed.setup.dtmf_send_clock), (Some(96), 8_000));
    // 101 was ours for telephone-event: no number stands for two things in what we offer next.
    let offer = session.offer(&wideband());
    let numbers: Vec<&str> = text(&offer).lines().find_map(|line| line.strip_prefix("m=audio 4000 RTP/AVP ")).unwrap().split(' ').collect();
    let distinct: std::collections::HashSet<_> = numbers.iter().collect();
    assert!(numbers[0] == "101" && numbers.contains(&"96") && distinct.len() == 6, "{numbers:?}");
}

#[test]
fn g722_is_static_and_counts_its_clock_as_8000() {
    let (answer, agreed) = SdpSession::new(2).answer(offer("m=audio 7000 RTP/AVP 9 0\r\n").as_bytes(), &wideband()).unwrap();
    assert!(text(&answer).contains("m=audio 4000 RTP/AVP 9\r\na=rtpmap:9 G722/8000\r\n"));
    assert_eq!(agreed.setup.codec, Codec::G722);
    let wrong = offer("m=audio 7000 RTP/AVP 96\r\na=rtpmap:96 G722/16000\r\n");
    assert_eq!(SdpSession::new(2).answer(wrong.as_bytes(), &wideband()).unwrap_err(), OfferFault::NoCodec);
}
