//! The sound check: what the caller sends to be found again, and what is read from what came back.
//!
//! ```text
//!   seconds after the answer   0           1           1.6   2.1   2.6         3.6         5
//!   the far side               │ beep ─────┤ from now on it sends back what it hears
//!   the caller                 │                       │ ↗   │ ↘   │ 1,000 Hz ─┤         hangs up
//! ```
//!
//! The beep (1,400 Hz, −12.2 dBFS) is what an agent of ours begins an echo with: it tells the way from the agent alone. The
//! chirps that come back tell that both ways carry sound, and when; the tone, how loudly. A far side that only sends back
//! (Asterisk's Echo, baresip) is enough for all but the beep.

use crate::{
    media::{Playout, Recording},
    model::{SoundCheck, SoundCheckWay},
};

/// A beep before an echo, as the bridge's own agent plays it.
pub const BEEP_HZ: f64 = 1_400.0;
/// The task that asks the built-in agent for an echo.
pub const TASK: &str = "sound_check";

/// What the caller says.
pub fn probe() -> Playout {
    let mut samples = vec![0i16; at(CHIRPS_AT[0])];
    for (begins, chirp) in CHIRPS_AT.into_iter().zip(chirps()) {
        samples.resize(at(begins), 0);
        samples.extend(chirp);
    }
    samples.resize(at(TONE_AT), 0);
    let tone = (0..at(TONE_SECS)).map(|n| (PEAK * (std::f64::consts::TAU * TONE_HZ * n as f64 / RATE).sin()).round() as i16);
    samples.extend(tone);
    samples.resize(at(SoundCheck::LENGTH_SECS), 0);
    Playout::Prompt(samples.into())
}

/// Reads both ways from what the caller sent and heard, which begin at the same instant.
pub fn judge(recording: &Recording) -> SoundCheck {
    let (sent, heard) = (&recording.sent, &recording.received);
    let lags: Vec<usize> = CHIRPS_AT
        .into_iter()
        .zip(chirps())
        .filter_map(|(begins, chirp)| {
            // The packets' clock may have begun a little late: where a chirp was sent is looked up, too.
            let said = find(&chirp, sent, at(begins - SLACK_SECS), at(2.0 * SLACK_SECS))?;
            find(&chirp, heard, said, at(LONGEST_TRIP_SECS)).map(|found| found - said)
        })
        .collect();
    let round_trip = lags.iter().min().copied();
    let round_trip_ms = round_trip.map(|trip| (trip as f64 * 1_000.0 / RATE) as f32);
    let delay_ms = round_trip_ms.map(|trip| trip / 2.0);
    let beep = loudest(heard, 0, at(CHIRPS_AT[0]), BEEP_HZ);
    let echo = round_trip.and_then(|trip| loudest(heard, at(TONE_AT) + trip, at(TONE_SECS + SLACK_SECS), TONE_HZ));
    let from_agent = match (&beep, &echo) {
        (Some(tone), _) | (None, Some(tone)) => {
            SoundCheckWay { heard: Some(true), level_dbfs: Some(tone.dbfs), clipped: Some(tone.clipped), delay_ms }
        }
        (None, None) => other_sound(heard),
    };
    let to_agent = match (&beep, &echo, round_trip) {
        (beep, Some(echo), Some(_)) => {
            // The way back is known by the beep: the rest is the way there.
            let lost_on_the_way_back = beep.as_ref().map_or(0.0, |beep| beep.dbfs - BEEP_DBFS);
            let clipped = if beep.as_ref().is_some_and(|beep| beep.clipped) { None } else { Some(echo.clipped) };
            SoundCheckWay { heard: Some(true), level_dbfs: Some(echo.dbfs - lost_on_the_way_back), clipped, delay_ms }
        }
        (_, _, Some(_)) => SoundCheckWay { heard: Some(true), delay_ms, ..SoundCheckWay::default() },
        // It said that an echo follows, and none came.
        (Some(_), _, None) => SoundCheckWay { heard: Some(false), ..SoundCheckWay::default() },
        (None, _, None) => SoundCheckWay::default(),
    };
    SoundCheck { to_agent, from_agent, round_trip_ms }
}

/// A tone that was found.
struct Tone {
    dbfs: f32,
    clipped: bool,
}

/// The tone at `hz` within `most` samples from `from` on: its loudest stretch of [`STRETCH_SECS`].
fn loudest(samples: &[i16], from: usize, most: usize, hz: f64) -> Option<Tone> {
    let room = samples.get(from.min(samples.len())..(from + most).min(samples.len())).unwrap_or_default();
    let length = at(STRETCH_SECS);
    let mut best: Option<(f64, &[i16])> = None;
    let mut begins = 0;
    while let Some(stretch) = room.get(begins..begins + length) {
        let power = power_at(stretch, hz);
        let whole = stretch.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / length as f64;
        if power > MOSTLY * whole && power.sqrt() > AUDIBLE_RMS && best.as_ref().is_none_or(|(known, _)| power > *known) {
            best = Some((power, stretch));
        }
        begins += length / 4;
    }
    let (power, stretch) = best?;
    // A sine that runs into a limit grows odd harmonics; G.711's own noise stays far below.
    let third = power_at(stretch, alias(3.0 * hz));
    let at_the_limit = stretch.iter().filter(|sample| sample.unsigned_abs() >= FULL).count();
    Some(Tone { dbfs: dbfs(power), clipped: third > CLIPPED_THIRD * power || at_the_limit > stretch.len() / 50 })
}

/// Sound that is no answer to the check: an agent that talks, for example.
fn other_sound(heard: &[i16]) -> SoundCheckWay {
    let loud =
        heard.chunks_exact(at(STRETCH_SECS)).map(|chunk| chunk.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / chunk.len() as f64);
    match loud.fold(0.0, f64::max) {
        power if power.sqrt() > AUDIBLE_RMS => {
            let at_the_limit = heard.iter().filter(|sample| sample.unsigned_abs() >= FULL).count();
            SoundCheckWay {
                heard: Some(true),
                level_dbfs: Some(dbfs(power)),
                clipped: Some(at_the_limit > heard.len() / 1_000),
                delay_ms: None,
            }
        }
        _ => SoundCheckWay { heard: Some(false), ..SoundCheckWay::default() },
    }
}

/// Where the chirp begins within `most` samples from `from` on, by the likeness of what is there to it. Whole numbers, which the
/// processor multiplies by the dozen: this runs where calls are carried on.
fn find(chirp: &[i16], samples: &[i16], from: usize, most: usize) -> Option<usize> {
    let square = |sample: &i16| i64::from(*sample).pow(2);
    let own: i64 = chirp.iter().map(square).sum();
    let room = samples.get(from..)?;
    let mut energy: i64 = room.iter().take(chirp.len()).map(square).sum();
    let mut best = (LIKE_ENOUGH, None);
    for (begins, there) in room.windows(chirp.len()).take(most).enumerate() {
        if begins > 0 {
            energy += there.last().map_or(0, square) - room.get(begins - 1).map_or(0, square);
        }
        if (energy as f64).sqrt() < AUDIBLE_RMS * (chirp.len() as f64).sqrt() {
            continue;
        }
        let likeness = product(there, chirp).abs() as f64 / (energy as f64 * own as f64).sqrt();
        if likeness > best.0 {
            best = (likeness, Some(from + begins));
        }
    }
    best.1
}

fn product(a: &[i16], b: &[i16]) -> i64 {
    // Eight products of a sample and a chirp's, which is PEAK at most, fit into 32 bits.
    let eight = |(a, b): (&[i16], &[i16])| a.iter().zip(b).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum::<i32>();
    a.chunks(8).zip(b.chunks(8)).map(|pair| i64::from(eight(pair))).sum()
}

/// One from 600 to 2,600 Hz, one the other way: the echo of one is not taken for the other.
fn chirps() -> [Vec<i16>; 2] {
    let rising = chirp();
    let falling = rising.iter().rev().copied().collect();
    [rising, falling]
}

/// Swelling and fading, so that no edge clicks.
fn chirp() -> Vec<i16> {
    let length = at(CHIRP_SECS);
    let fade = at(0.01) as f64;
    let sample = |n: usize| {
        let t = n as f64 / RATE;
        let phase = std::f64::consts::TAU * (600.0 * t + (2_600.0 - 600.0) / (2.0 * CHIRP_SECS) * t * t);
        let edge = (n.min(length - 1 - n) as f64 / fade).min(1.0);
        (PEAK * edge * phase.sin()).round() as i16
    };
    (0..length).map(sample).collect()
}

/// The mean square of what lies at `hz` (Goertzel's algorithm).
fn power_at(samples: &[i16], hz: f64) -> f64 {
    let coefficient = 2.0 * (std::f64::consts::TAU * hz / RATE).cos();
    let (mut last, mut before) = (0.0, 0.0);
    for sample in samples {
        (last, before) = (f64::from(*sample) + coefficient * last - before, last);
    }
    let length = samples.len().max(1) as f64;
    2.0 * (last * last + before * before - coefficient * last * before) / (length * length)
}

/// Of a full-scale sine.
fn dbfs(mean_square: f64) -> f32 {
    (10.0 * (2.0 * mean_square / f64::from(i16::MAX).powi(2)).max(1e-12).log10()) as f32
}

/// Where a tone above half the rate is heard.
fn alias(hz: f64) -> f64 {
    let folded = hz % RATE;
    if folded > RATE / 2.0 { RATE - folded } else { folded }
}

fn at(secs: f64) -> usize {
    (secs * RATE).round().max(0.0) as usize
}

const RATE: f64 = 8_000.0;
/// −12.2 dBFS.
const PEAK: f64 = 8_000.0;
const BEEP_DBFS: f32 = -12.25;
const CHIRP_SECS: f64 = 0.25;
const CHIRPS_AT: [f64; 2] = [1.6, 2.1];
const TONE_AT: f64 = 2.6;
const TONE_SECS: f64 = 1.0;
const TONE_HZ: f64 = 1_000.0;
const SLACK_SECS: f64 = 0.3;
/// Less than the chirps are from the tone's end to the check's.
const LONGEST_TRIP_SECS: f64 = 1.3;
const STRETCH_SECS: f64 = 0.2;
/// −59 dBFS: below it is comfort noise.
const AUDIBLE_RMS: f64 = 26.0;
/// The share of the sound that the tone is.
const MOSTLY: f64 = 0.5;
/// −20 dB of the tone.
const CLIPPED_THIRD: f64 = 0.01;
const FULL: u16 = 32_000;
/// Speech is like the chirp by 0.15 at most.
const LIKE_ENOUGH: f64 = 0.3;

#[cfg(test)]
mod stories;
