//! What a stream says of its own accord, one packet's worth of samples at a time.

use super::codecs::RATE;
use super::command::Playout;
use super::tone::Sine;

/// A prompt, tone or silence under way.
#[derive(Debug)]
pub struct Player {
    what: Playing,
    pub token: u32,
}

#[derive(Debug)]
enum Playing {
    Prompt { samples: std::sync::Arc<[i16]>, position: usize },
    Tone { sine: Sine, left: Option<u64> },
    Ringback { sine: Sine, position: u32 },
    OnHold { sine: Sine, position: u32 },
    Silence,
}

impl Player {
    pub fn new(what: Playout, token: u32) -> Player {
        let what = match what {
            Playout::Prompt(samples) => Playing::Prompt { samples, position: 0 },
            Playout::Tone { hz, secs } => {
                let left = secs.is_finite().then(|| (f64::from(secs.max(0.0)) * f64::from(RATE)) as u64);
                Playing::Tone { sine: Sine::new(hz, TONE_LEVEL), left }
            }
            Playout::Ringback => Playing::Ringback { sine: Sine::new(RINGBACK_HZ, TONE_LEVEL), position: 0 },
            Playout::OnHold => Playing::OnHold { sine: Sine::new(RINGBACK_HZ, SOFT_LEVEL), position: 0 },
            Playout::Silence => Playing::Silence,
        };
        Player { what, token }
    }

    /// Fills one packet; a last part is filled up with silence.
    pub fn fill(&mut self, frame: &mut [i16]) {
        let filled = match &mut self.what {
            Playing::Prompt { samples, position } => {
                let rest = samples.get(*position..).unwrap_or_default();
                let count = rest.len().min(frame.len());
                frame[..count].copy_from_slice(&rest[..count]);
                *position += count;
                count
            }
            Playing::Tone { sine, left } => {
                let count = left.map_or(frame.len(), |left| left.min(frame.len() as u64) as usize);
                frame[..count].iter_mut().zip(sine).for_each(|(sample, tone)| *sample = tone);
                if let Some(left) = left {
                    *left -= count as u64;
                }
                count
            }
            Playing::Ringback { sine, position } => {
                for sample in frame.iter_mut() {
                    *sample = if *position < RATE { sine.next().unwrap_or(0) } else { 0 };
                    *position = (*position + 1) % (RATE * 5);
                }
                frame.len()
            }
            Playing::OnHold { sine, position } => {
                for sample in frame.iter_mut() {
                    let beeps = *position < RATE / 5 || (RATE * 2 / 5..RATE * 3 / 5).contains(position);
                    *sample = if beeps { sine.next().unwrap_or(0) } else { 0 };
                    *position = (*position + 1) % (RATE * 10);
                }
                frame.len()
            }
            Playing::Silence => 0,
        };
        frame[filled..].fill(0);
    }

    /// Everything was said.
    pub fn is_over(&self) -> bool {
        match &self.what {
            Playing::Prompt { samples, position } => *position >= samples.len(),
            Playing::Tone { left, .. } => *left == Some(0),
            Playing::Ringback { .. } | Playing::OnHold { .. } | Playing::Silence => false,
        }
    }
}

/// −12 dBFS: clearly heard, never clipped.
const TONE_LEVEL: f32 = 8_000.0;
/// −24 dBFS: someone on hold may hear it for minutes.
const SOFT_LEVEL: f32 = 2_000.0;
const RINGBACK_HZ: f32 = 425.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::tone::longest_secs;

    fn played(what: Playout, frames: usize) -> (Vec<i16>, Option<usize>) {
        let mut player = Player::new(what, 1);
        let (mut all, mut over) = (Vec::new(), None);
        for n in 0..frames {
            let mut frame = [7; 160];
            player.fill(&mut frame);
            all.extend(frame);
            if player.is_over() && over.is_none() {
                over = Some(n);
            }
        }
        (all, over)
    }

    #[test]
    fn a_prompt_is_said_once_and_padded() {
        let (samples, over) = played(Playout::Prompt(vec![9; 200].into()), 3);
        assert_eq!((samples.iter().filter(|sample| **sample == 9).count(), over), (200, Some(1)));
        assert!(samples[200..].iter().all(|sample| *sample == 0));
        assert_eq!(played(Playout::Prompt([].into()), 1).1, Some(0));
    }

    #[test]
    fn tones_last_as_long_as_asked() {
        let (samples, over) = played(Playout::Tone { hz: 440.0, secs: 0.5 }, 50);
        assert_eq!(over, Some(24));
        assert!((longest_secs(&samples, 440.0) - 0.5).abs() < 0.06);
        assert_eq!(played(Playout::Tone { hz: 440.0, secs: f32::INFINITY }, 500).1, None);
        assert_eq!(played(Playout::Tone { hz: 440.0, secs: -1.0 }, 1).1, Some(0));
        let (ringing, over) = played(Playout::Ringback, 500);
        assert_eq!(over, None);
        assert!((longest_secs(&ringing, 425.0) - 1.0).abs() < 0.06);
        let (holding, over) = played(Playout::OnHold, 1_000);
        assert_eq!(over, None);
        assert!((longest_secs(&holding, 425.0) - 0.2).abs() < 0.06);
        let beeps = holding.chunks(1_600).filter(|chunk| chunk.iter().any(|sample| sample.abs() > 1_000)).count();
        assert_eq!(beeps, 4, "two in each ten seconds");
    }
}
