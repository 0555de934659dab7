//! Clicks into a sink, and when each is heard at another: both are captured alike, so that what capturing costs falls out.

use std::{
    io::Read as _,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::Instant,
};

pub const RATE: f64 = 48_000.0;

/// What a sink plays, with the time of its first sample.
pub struct Capture {
    child: Child,
    heard: Arc<Mutex<Heard>>,
}

#[derive(Default)]
struct Heard {
    samples: Vec<i16>,
    /// Seconds from the epoch to sample 0: the earliest that any part could have been.
    begins: f64,
}

pub fn capture(sink: &str, epoch: Instant) -> Capture {
    let mut child = Command::new("parec")
        .args(["-d", &format!("{sink}.monitor"), "--rate=48000", "--channels=1", "--format=s16le", "--latency-msec=5"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let heard = Arc::new(Mutex::new(Heard { samples: Vec::new(), begins: f64::INFINITY }));
    let (mut pipe, kept) = (child.stdout.take().unwrap(), heard.clone());
    std::thread::spawn(move || {
        let (mut buffer, mut rest) = ([0; 9_600], Vec::new());
        while let Ok(count) = pipe.read(&mut buffer) {
            if count == 0 {
                return;
            }
            let now = epoch.elapsed().as_secs_f64();
            rest.extend_from_slice(&buffer[..count]);
            let whole = rest.len() / 2 * 2;
            let mut kept = kept.lock().unwrap();
            kept.samples.extend(rest[..whole].chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])));
            rest.drain(..whole);
            kept.begins = kept.begins.min(now - kept.samples.len() as f64 / RATE);
        }
    });
    Capture { child, heard }
}

impl Capture {
    /// When each click began.
    pub fn clicks(&self) -> Vec<f64> {
        let heard = self.heard.lock().unwrap();
        let loudest = heard.samples.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(0);
        let (mut found, mut quiet_until) = (Vec::new(), 0);
        for (at, sample) in heard.samples.iter().enumerate() {
            if at >= quiet_until && sample.unsigned_abs() > loudest / 3 && loudest > 500 {
                found.push(heard.begins + at as f64 / RATE);
                quiet_until = at + (RATE * 0.4) as usize;
            }
        }
        found
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        let _ = (self.child.kill(), self.child.wait());
    }
}

/// Plays clicks for so many seconds, at places that no packet's rhythm knows, and waits for the last.
pub fn play(sink: &str, secs: u32) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clicks.wav");
    let spec = hound::WavSpec { channels: 1, sample_rate: 48_000, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let mut writer = hound::WavWriter::create(&path, spec).unwrap();
    let period = (RATE * 1.013_7) as u32;
    for n in 0..secs * RATE as u32 {
        let at = f64::from(n % period);
        let length = RATE * 0.006;
        let shape = if at < length { (std::f64::consts::PI * at / length).sin().powi(2) } else { 0.0 };
        writer.write_sample((shape * 16_000.0 * (std::f64::consts::TAU * 1_500.0 * at / RATE).sin()) as i16).unwrap();
    }
    writer.finalize().unwrap();
    assert!(Command::new("paplay").args(["-d", sink]).arg(&path).status().unwrap().success());
}

/// From each click that was said to the next that was heard, in milliseconds, sorted.
pub fn delays(said: &[f64], heard: &[f64]) -> Vec<f64> {
    let after = |at: &f64| heard.iter().map(|heard| heard - at).filter(|delay| (0.0..0.8).contains(delay)).reduce(f64::min);
    let mut delays: Vec<f64> = said.iter().filter_map(|at| after(at).map(|secs| secs * 1_000.0)).collect();
    delays.sort_by(f64::total_cmp);
    delays
}
