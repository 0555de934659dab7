//! Prompts, hold, silence and recordings.

use super::*;

#[test]
fn a_prompt_is_paced_at_twenty_milliseconds_and_tells_its_end() {
    let mut lab = Lab::alone(setup(CUSTOMER));
    let prompt: Vec<i16> = tone::Sine::new(440.0, 8_000.0).take(8_000).collect();
    lab.does(MediaCommand::Play { stream: CUSTOMER, what: Playout::Prompt(prompt.into()), token: 9 });
    lab.advance(ms(2_000));
    let times: Vec<u128> =
        lab.out.packets.iter().filter_map(|sent| Some(sent.at?.duration_since(lab.begin).as_millis())).take(100).collect();
    assert_eq!(times, (0..100).map(|n| n * 20).collect::<Vec<u128>>());
    let packets = lab.sent(CUSTOMER);
    assert_eq!(packets.len(), 101, "the prompt, then silence");
    assert_unbroken(&packets);
    assert!(packets.windows(2).all(|pair| pair[1].0.timestamp.wrapping_sub(pair[0].0.timestamp) == 160));
    assert!((tone::longest_secs(&samples(Law::Mu, &packets), 440.0) - 1.0).abs() < 0.06);
    assert!(packets[60].1.iter().all(|byte| *byte == 0xff));
    assert_eq!(lab.told(&MediaEvent::PlayEnded { stream: CUSTOMER, token: 9 }), 1);
}

#[test]
fn a_prompt_replaces_the_agent_and_the_agent_comes_back() {
    let mut lab = Lab::bridged(setup(CUSTOMER), setup(AGENT));
    let mut agent = Voice::of(AGENT);
    for n in 0..150 {
        if n == 50 {
            lab.does(MediaCommand::Play { stream: CUSTOMER, what: Playout::Tone { hz: 440.0, secs: 1.0 }, token: 1 });
        }
        lab.says(&mut agent, &[0x20; 160]);
    }
    let packets = lab.sent(CUSTOMER);
    assert_unbroken(&packets);
    assert_eq!(packets.iter().filter(|(_, payload)| *payload == [0x20; 160]).count(), 101);
    assert!((tone::longest_secs(&samples(Law::Mu, &packets), 440.0) - 1.0).abs() < 0.06);
    let span = packets[packets.len() - 1].0.timestamp.wrapping_sub(packets[0].0.timestamp);
    assert!((149 * 160..=151 * 160).contains(&span), "the clock neither stands still nor leaps: {span}");
}

#[test]
fn hold_gives_the_other_side_silence_and_the_held_side_nothing() {
    let mut lab = Lab::bridged(setup(CUSTOMER), setup(AGENT));
    let (mut customer, mut agent) = (Voice::of(CUSTOMER), Voice::of(AGENT));
    lab.says(&mut customer, &[1; 160]);
    lab.says(&mut agent, &[2; 160]);
    lab.does(MediaCommand::configure(CUSTOMER, StreamSetup { direction: Direction::Inactive, ..setup(CUSTOMER) }));
    lab.sent(CUSTOMER);
    lab.sent(AGENT);
    for _ in 0..250 {
        lab.says(&mut agent, &[2; 160]);
    }
    assert!(lab.sent(CUSTOMER).is_empty(), "nothing is sent to a side on hold");
    let comfort = lab.sent(AGENT);
    assert!((226..=228).contains(&comfort.len()), "{}", comfort.len());
    assert!(comfort.iter().all(|(_, payload)| *payload == [0xff; 160]));
    assert_unbroken(&comfort);
    // Off hold: the voice is back at once, and silence ends.
    lab.does(MediaCommand::configure(CUSTOMER, setup(CUSTOMER)));
    for _ in 0..10 {
        lab.says(&mut customer, &[3; 160]);
    }
    let back = lab.sent(AGENT);
    assert_eq!(back.iter().filter(|(_, payload)| payload[0] == 3).count(), 10);
    assert!(back.len() <= 11);
}

#[test]
fn a_leg_on_hold_from_the_start_gives_the_other_side_silence() {
    let mut lab = Lab::new();
    for stream in [CUSTOMER, AGENT] {
        lab.does(MediaCommand::Open { stream, port: port(stream) });
    }
    lab.does(MediaCommand::Connect { a: CUSTOMER, b: AGENT });
    lab.does(MediaCommand::configure(CUSTOMER, StreamSetup { direction: Direction::SendOnly, ..setup(CUSTOMER) }));
    lab.does(MediaCommand::configure(AGENT, setup(AGENT)));
    lab.advance(ms(5_000));
    let comfort = lab.sent(AGENT);
    assert!((224..=226).contains(&comfort.len()), "{}", comfort.len());
    assert_unbroken(&comfort);
    assert!(lab.sent(CUSTOMER).is_empty(), "the agent's side has said nothing, and is not on hold");
    lab.does(MediaCommand::configure(CUSTOMER, setup(CUSTOMER)));
    let mut customer = Voice::of(CUSTOMER);
    for _ in 0..10 {
        lab.says(&mut customer, &[3; 160]);
    }
    assert_eq!(lab.sent(AGENT).iter().filter(|(_, payload)| payload[0] == 3).count(), 10);
}

#[test]
fn two_legs_that_say_nothing_are_sent_nothing() {
    let mut lab = Lab::new();
    for stream in [CUSTOMER, AGENT] {
        lab.does(MediaCommand::Open { stream, port: port(stream) });
        lab.does(MediaCommand::configure(stream, setup(stream)));
    }
    lab.does(MediaCommand::Connect { a: CUSTOMER, b: AGENT });
    lab.advance(ms(10_000));
    assert!(lab.sent(CUSTOMER).is_empty() && lab.sent(AGENT).is_empty());
}

#[test]
fn silence_is_noticed_whether_packets_come_or_not() {
    for packets in [true, false] {
        let mut lab = Lab::alone(setup(CUSTOMER));
        lab.does(MediaCommand::WatchSilence { stream: CUSTOMER, secs: Some(3.0) });
        let mut voice = Voice::of(CUSTOMER);
        for _ in 0..100 {
            lab.says(&mut voice, &[0x20; 160]);
        }
        let quiet = |lab: &Lab| lab.out.events.iter().filter(|event| matches!(event, MediaEvent::Silence { .. })).count();
        for _ in 0..148 {
            if packets { lab.says(&mut voice, &[0xff; 160]) } else { lab.advance(ms(20)) }
        }
        assert_eq!(quiet(&lab), 0);
        lab.advance(ms(3_000));
        assert_eq!(quiet(&lab), 1);
    }
}

#[test]
fn a_recording_holds_both_sides_true_to_time() {
    let mut lab = Lab::alone(setup(CUSTOMER));
    lab.does(MediaCommand::Record { stream: CUSTOMER, max_secs: 60 });
    lab.does(MediaCommand::Play { stream: CUSTOMER, what: Playout::Tone { hz: 440.0, secs: 1.0 }, token: 1 });
    let mut voice = Voice::of(CUSTOMER);
    let mut sine = tone::Sine::new(1_000.0, 8_000.0);
    lab.advance(ms(500));
    for _ in 0..50 {
        let payload: Vec<u8> = sine.by_ref().take(160).map(|sample| Law::Mu.encode(sample)).collect();
        lab.says(&mut voice, &payload);
    }
    lab.advance(ms(500));
    lab.does(MediaCommand::Close { stream: CUSTOMER });
    let Some(MediaEvent::Closed { recording: Some(recording), .. }) = lab.out.events.pop() else { panic!("a recording was asked for") };
    assert_eq!((recording.received.len(), recording.sent.len()), (16_160, 16_160), "the last packet reaches 20 ms ahead");
    assert!(tone::share_at(&recording.sent[..8_000], 440.0) > 0.99);
    assert!(recording.sent[8_160..].iter().all(|sample| *sample == 0));
    assert!(tone::share_at(&recording.received[4_000..12_000], 1_000.0) > 0.99);
    assert!(recording.received[..4_000].iter().all(|sample| *sample == 0));
}
