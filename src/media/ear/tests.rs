use std::time::Duration;

use super::*;
use crate::media::codecs::{Codec, Law};
use crate::media::seed;

/// A voice that sends a tone of 200 Hz, 20 ms a packet, and an ear that takes 10 ms at a time.
struct Lab {
    ear: Ear,
    decoder: Decoder,
    begin: Instant,
    /// Of the listener's clock.
    tick: u64,
    /// When the next packet leaves, in microseconds, and how long 20 ms of the sender are.
    sends_at: u64,
    packet_us: u64,
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
    /// On their way: when they arrive, and which.
    underway: Vec<(u64, Header)>,
    heard: Vec<i16>,
    seed: u64,
}

impl Lab {
    fn new() -> Lab {
        Lab {
            ear: Ear::new(8_000, 8_000),
            decoder: Decoder::new(Codec::Pcmu),
            begin: Instant::now(),
            tick: 0,
            sends_at: 3_000,
            packet_us: 20_000,
            sequence: 65_000,
            timestamp: 4_294_900_000,
            ssrc: 1,
            underway: Vec::new(),
            heard: Vec::new(),
            seed: 5,
        }
    }

    /// Lets so many seconds pass; `fate` says how many microseconds each packet is late, or that it is lost.
    fn runs(&mut self, secs: f64, mut fate: impl FnMut(u64, f64) -> Option<u64>) {
        for _ in 0..(secs * 100.0) as u64 {
            let now = self.tick * 10_000;
            while self.sends_at <= now {
                self.seed = seed::mix(self.seed);
                if let Some(late) = fate(self.sends_at, seed::fraction(self.seed)) {
                    self.underway.push((self.sends_at + late, self.header()));
                }
                self.sequence = self.sequence.wrapping_add(1);
                self.timestamp = self.timestamp.wrapping_add(160);
                self.sends_at += self.packet_us;
            }
            self.underway.sort_by_key(|(at, _)| *at);
            while self.underway.first().is_some_and(|(at, _)| *at <= now) {
                let (at, header) = self.underway.remove(0);
                let payload: Vec<u8> = (0..160).map(|n| Law::Mu.encode(sine(header.timestamp.wrapping_add(n)))).collect();
                self.ear.push(self.begin + Duration::from_micros(at), &header, &payload);
            }
            let mut out = [0; 80];
            self.ear.pull(self.begin + Duration::from_micros(now), &mut self.decoder, &mut out);
            self.heard.extend(out);
            self.tick += 1;
        }
    }

    fn header(&self) -> Header {
        Header { marker: false, pt: 0, sequence: self.sequence, timestamp: self.timestamp, ssrc: self.ssrc, payload: 0..0 }
    }

    fn figures(&self) -> EarFigures {
        self.ear.figures()
    }

    /// The last so many seconds as they were heard.
    fn last(&self, secs: f64) -> &[i16] {
        &self.heard[self.heard.len() - (secs * 8_000.0) as usize..]
    }
}

fn sine(timestamp: u32) -> i16 {
    (8_000.0 * (f64::from(timestamp) * std::f64::consts::TAU / 40.0).sin()) as i16
}

/// The longest stretch without sound, in milliseconds.
fn longest_silence_ms(samples: &[i16]) -> usize {
    let silent = samples.chunks(8).map(|ms| ms.iter().all(|sample| sample.abs() < 200));
    let (mut longest, mut run) = (0, 0);
    for silent in silent {
        run = if silent { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

#[test]
fn a_steady_sender_is_heard_whole_and_soon() {
    let mut lab = Lab::new();
    lab.runs(10.0, |_, _| Some(500));
    let figures = lab.figures();
    assert_eq!((figures.packets.missing, figures.packets.late, figures.packets.skipped), (0, 0, 0));
    assert!(figures.delay_ms <= 20.0, "{figures:?}");
    assert_eq!(longest_silence_ms(lab.last(9.0)), 0);
}

#[test]
fn sixty_milliseconds_of_jitter_are_waited_for_and_forgotten_again() {
    let mut lab = Lab::new();
    lab.runs(5.0, |_, _| Some(0));
    lab.runs(2.0, |_, random| Some((random * 60_000.0) as u64));
    let before = lab.figures();
    lab.runs(20.0, |_, random| Some((random * 60_000.0) as u64));
    let figures = lab.figures();
    // Of a thousand packets, those that come in the last hundredth of the delay.
    assert!(figures.packets.late - before.packets.late <= 20, "{figures:?}");
    assert!((55.0..=90.0).contains(&figures.delay_ms), "{figures:?}");
    assert!(longest_silence_ms(lab.last(20.0)) < 10);
    lab.runs(30.0, |_, _| Some(0));
    assert!(lab.figures().delay_ms <= 25.0, "{:?}", lab.figures());
}

#[test]
fn lost_and_late_are_told_apart() {
    let mut lab = Lab::new();
    let mut n = 0;
    lab.runs(50.0, |_, _| {
        n += 1;
        match n % 250 {
            20 => None,
            40 => Some(100_000),
            _ => Some(0),
        }
    });
    let counts = lab.figures().packets;
    // A straggler every five seconds is not waited for; it is missing, and late.
    assert!(counts.missing == 20 && counts.late == 10, "{counts:?}");
    assert!(longest_silence_ms(lab.last(9.0)) < 10);
}

#[test]
fn order_and_doubles_are_set_right() {
    let mut lab = Lab::new();
    let mut n = 0;
    lab.runs(10.0, |_, _| {
        n += 1;
        Some(if n % 4 == 0 { 25_000 } else { 0 })
    });
    let counts = lab.figures().packets;
    assert!(counts.missing <= 2, "{counts:?}");
    let header = lab.header();
    let now = lab.begin + Duration::from_micros(lab.tick * 10_000);
    assert_eq!(lab.ear.push(now, &header, &[0xff; 160]), Pushed::Kept);
    assert_eq!(lab.ear.push(now, &header, &[0xff; 160]), Pushed::Duplicate);
    assert_eq!(lab.ear.push(now, &header, &[0xff; 2_000]), Pushed::TooLong);
}

#[test]
fn hours_of_clocks_that_differ_leave_the_delay_as_it_is() {
    // 100 ppm: in two hours 720 ms.
    for packet_us in [19_998, 20_002] {
        let mut lab = Lab::new();
        lab.packet_us = packet_us;
        let mut longest: f32 = 0.0;
        for _ in 0..120 {
            lab.runs(60.0, |_, random| Some((random * 3_000.0) as u64));
            longest = longest.max(lab.figures().delay_ms);
            lab.heard.drain(..lab.heard.len() - 60 * 8_000);
            assert!(longest_silence_ms(lab.last(59.0)) < 10);
        }
        let figures = lab.figures();
        assert!(longest < 32.0, "{longest} {figures:?}");
        assert!(figures.packets.missing <= 10, "{figures:?}");
        let changed = figures.shortened_ms.max(figures.lengthened_ms);
        assert!((600..=1_000).contains(&changed), "{figures:?}");
    }
}

#[test]
fn a_pause_of_the_sender_is_no_loss() {
    let mut lab = Lab::new();
    lab.runs(5.0, |_, _| Some(0));
    // Silence suppression: the clock runs on, the numbers do not.
    lab.runs(2.0, |_, _| None);
    lab.sequence = lab.sequence.wrapping_sub(100);
    lab.runs(5.0, |_, _| Some(0));
    // Digits: 400 ms of events, numbered among the sound, all with the timestamp of the first.
    let began = lab.timestamp;
    for _ in 0..20 {
        let header = Header { timestamp: began, pt: 101, ..lab.header() };
        lab.ear.push_event(lab.begin + Duration::from_micros(lab.sends_at), &header);
        lab.runs(0.02, |_, _| None);
    }
    lab.runs(5.0, |_, _| Some(0));
    let counts = lab.figures().packets;
    assert_eq!((counts.missing, counts.late, counts.restarts), (0, 0, 0));
    assert_eq!(longest_silence_ms(lab.last(4.0)), 0);
}

#[test]
fn a_sender_that_begins_anew_is_followed() {
    let mut lab = Lab::new();
    lab.runs(5.0, |_, _| Some(0));
    lab.ssrc = 2;
    (lab.sequence, lab.timestamp) = (7, 99);
    lab.runs(5.0, |_, _| Some(0));
    assert_eq!(longest_silence_ms(lab.last(4.0)), 0);
    // The same source sets its clock anew, as some do after a hold.
    lab.timestamp = lab.timestamp.wrapping_add(1 << 30);
    lab.runs(5.0, |_, _| Some(0));
    assert_eq!(longest_silence_ms(lab.last(4.0)), 0);
    lab.sequence = lab.sequence.wrapping_add(30_000);
    lab.runs(5.0, |_, _| Some(0));
    assert_eq!((lab.figures().packets.restarts, longest_silence_ms(lab.last(4.0))), (3, 0));
}

#[test]
fn a_network_that_stops_and_then_hurries_brings_the_present() {
    let mut lab = Lab::new();
    lab.runs(5.0, |_, _| Some(0));
    // Nothing for half a second, then all of it at once.
    let until = lab.sends_at + 500_000;
    lab.runs(0.5, |sent, _| Some(until - sent));
    lab.runs(20.0, |_, _| Some(0));
    assert!(lab.figures().delay_ms <= 30.0, "{:?}", lab.figures());
    // For good 150 ms later.
    lab.runs(20.0, |_, _| Some(150_000));
    assert!(lab.figures().delay_ms <= 30.0, "{:?}", lab.figures());
    assert_eq!(longest_silence_ms(lab.last(10.0)), 0);
}

proptest::proptest! {
    #[test]
    fn any_packets_are_survived(packets in proptest::collection::vec(
        (0u32..2, proptest::num::u16::ANY, proptest::num::u32::ANY, 0u64..200_000, 0usize..2_000), 0..200)) {
        let (mut ear, mut decoder) = (Ear::new(8_000, 8_000), Decoder::new(Codec::Pcmu));
        let mut now = Instant::now();
        let mut out = [0; 80];
        for (ssrc, sequence, timestamp, micros, length) in packets {
            now += Duration::from_micros(micros);
            let header = Header { marker: false, pt: 0, sequence, timestamp, ssrc, payload: 0..0 };
            if length % 7 == 0 { ear.push_event(now, &header) } else { ear.push(now, &header, &vec![0x55; length]); }
            ear.pull(now, &mut decoder, &mut out);
        }
    }
}
