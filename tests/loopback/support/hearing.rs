//! What a sink of the virtual card plays, as it goes, with the time of each sample; and tones in it.

use std::{
    io::Read as _,
    process::{Child, Stdio},
    sync::{Arc, Mutex},
    time::Instant,
};

use super::{program, sound_card::SoundCard, tone::purity};

pub const RATE: f64 = 48_000.0;

pub struct Hearing {
    child: Child,
    channels: usize,
    heard: Arc<Mutex<Heard>>,
}

#[derive(Default)]
struct Heard {
    /// Of all channels, in turn.
    samples: Vec<i16>,
    /// Seconds from the epoch to the first sample: the earliest that any part could have been.
    begins: f64,
}

/// So many seconds after the epoch a tone of so many hertz began.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Burst {
    pub at: f64,
    pub hz: f64,
}

impl SoundCard {
    /// Begins to hear what a sink plays.
    pub fn hears(&self, sink: &str, channels: usize, epoch: Instant) -> Hearing {
        let mut command = program("parec");
        self.gives(&mut command);
        command.args(["-d", &format!("{sink}.monitor"), "--rate=48000", "--format=s16le", "--latency-msec=5"]);
        command.arg(format!("--channels={channels}")).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let heard = Arc::new(Mutex::new(Heard { samples: Vec::new(), begins: f64::INFINITY }));
        let (mut pipe, kept) = (child.stdout.take().unwrap(), heard.clone());
        std::thread::spawn(move || {
            let (mut buffer, mut rest) = ([0; 9_600], Vec::new());
            while let Ok(count @ 1..) = pipe.read(&mut buffer) {
                let now = epoch.elapsed().as_secs_f64();
                rest.extend_from_slice(&buffer[..count]);
                let whole = rest.len() / (2 * channels) * 2 * channels;
                let mut kept = kept.lock().unwrap();
                kept.samples
                    .extend(rest.drain(..whole).collect::<Vec<u8>>().chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])));
                kept.begins = kept.begins.min(now - (kept.samples.len() / channels) as f64 / RATE);
            }
        });
        Hearing { child, channels, heard }
    }
}

impl Hearing {
    /// So many seconds were heard.
    pub fn secs(&self) -> f64 {
        (self.heard.lock().unwrap().samples.len() / self.channels) as f64 / RATE
    }

    /// The newest so many seconds of a channel.
    pub fn newest(&self, channel: usize, secs: f64) -> Option<Vec<i16>> {
        let heard = self.heard.lock().unwrap();
        let from = heard.samples.len().checked_sub((secs * RATE) as usize * self.channels)?;
        Some(heard.samples[from..].iter().copied().skip(channel).step_by(self.channels).collect())
    }

    /// The bursts of these tones in the first channel, in the order of time.
    pub fn bursts(&self, tones: &[f64]) -> Vec<Burst> {
        let heard = self.heard.lock().unwrap();
        let samples: Vec<i16> = heard.samples.iter().copied().step_by(self.channels).collect();
        let (mut found, mut at) = (Vec::new(), 0);
        while let Some(part) = samples.get(at..at + WINDOW) {
            at += WINDOW / 4;
            let tone = tones.iter().find(|hz| is_loud(part) && purity(part, RATE, **hz) > 0.85);
            if let Some(hz) = tone {
                found.push(Burst { at: heard.begins + at as f64 / RATE, hz: *hz });
                at += (RATE * 0.3) as usize;
            }
        }
        found
    }
}

/// The share of the time in which a tone is heard, by parts of 10 ms: a clock that is bent by a thousandth, or gaps on a busy
/// machine, spoil a longer part's purity and not what is heard.
pub fn share(samples: &[i16], rate: f64, hz: f64) -> f64 {
    let part = (rate / 100.0) as usize;
    let parts = samples.chunks_exact(part).filter(|part| is_loud(part) && purity(part, rate, hz) > 0.8).count();
    parts as f64 / (samples.len() / part).max(1) as f64
}

pub fn is_loud(samples: &[i16]) -> bool {
    samples.iter().map(|sample| f64::from(sample.unsigned_abs())).sum::<f64>() > 300.0 * samples.len() as f64
}

/// 20 ms, in which the tones of a test differ by whole waves.
const WINDOW: usize = 960;

impl Drop for Hearing {
    fn drop(&mut self) {
        let _ = (self.child.kill(), self.child.wait());
    }
}
