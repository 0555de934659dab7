//! Somebody who beeps at known instants, in packets of 20 ms by a clock that may not be ours.

use std::{
    collections::HashMap,
    f64::consts::TAU,
    net::SocketAddr,
    time::{Duration, Instant},
};

use handback::media::{
    Codec, StreamSetup,
    codecs::{Encoder, OpusTerms},
    rtp::{self, Stamp},
};

/// A beep begins at 1 s of each two, and lasts a tenth of a second.
pub const PERIOD_SECS: f64 = 2.0;
pub const BEEP_SECS: std::ops::Range<f64> = 1.0..1.1;
const PACKETS: u64 = 100;

/// The packets of a period, by codec.
pub struct Scripts(HashMap<Codec, Vec<Vec<u8>>>);

pub struct Voice {
    number: usize,
    pub codec: Codec,
    begin: Instant,
    ppm: f64,
    has_pauses: bool,
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    /// The next packet's, by the voice's own clock since the call began.
    packet: u64,
    speaks: bool,
    after_pause: bool,
}

impl Scripts {
    pub fn new() -> Self {
        Self(Codec::ALL.map(|codec| (codec, packets(codec))).into())
    }
}

impl Voice {
    pub fn new(number: usize, codec: Codec, begin: Instant, ppm: f64, has_pauses: bool) -> Self {
        let (ssrc, timestamp) = (0x1000 + number as u32, 0xffff_0000 + number as u32);
        Self { number, codec, begin, ppm, has_pauses, ssrc, sequence: 65_000, timestamp, packet: 0, speaks: false, after_pause: true }
    }

    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, self.number as u8], 5_000))
    }

    pub fn setup(&self) -> StreamSetup {
        StreamSetup {
            codec: self.codec,
            send_pt: self.codec.usual_pt(),
            receive_pts: Codec::ALL.map(|codec| (codec.usual_pt(), codec)).to_vec(),
            opus: OpusTerms { fec: true, ..OpusTerms::default() },
            ..StreamSetup::pcmu(self.address())
        }
    }

    /// Its first packet from now on, and when that is.
    pub fn begins(&mut self, now: Instant) -> Instant {
        (self.speaks, self.after_pause) = (true, true);
        while self.due() < now {
            self.packet += 1;
        }
        self.due()
    }

    pub fn stop(&mut self) {
        self.speaks = false;
    }

    pub fn restart(&mut self) {
        self.ssrc ^= 0xffff;
        self.sequence = self.sequence.wrapping_add(30_000);
        self.timestamp = self.timestamp.wrapping_mul(7_919);
        self.after_pause = true;
    }

    /// The packet that is due, if this is no pause, and when the next one is; none: it has stopped.
    pub fn speaks(&mut self, scripts: &Scripts) -> Option<(Option<Vec<u8>>, Instant)> {
        if !self.speaks {
            return None;
        }
        let place = self.packet % PACKETS;
        let says = !self.has_pauses || (30..70).contains(&place);
        let packet = says.then(|| {
            let units = u64::from(self.codec.clock_rate()) / 50;
            let stamp = Stamp {
                marker: std::mem::take(&mut self.after_pause),
                pt: self.codec.usual_pt(),
                sequence: self.sequence,
                timestamp: self.timestamp.wrapping_add((self.packet * units) as u32),
                ssrc: self.ssrc,
            };
            self.sequence = self.sequence.wrapping_add(1);
            let mut bytes = vec![0; rtp::HEADER_LEN];
            rtp::write_header(bytes.first_chunk_mut().unwrap(), &stamp);
            bytes.extend(&scripts.0[&self.codec][place as usize]);
            bytes
        });
        self.after_pause |= !says;
        self.packet += 1;
        Some((packet, self.due()))
    }

    fn due(&self) -> Instant {
        self.begin + Duration::from_secs_f64(self.packet as f64 * 0.02 * (1.0 + self.ppm / 1e6))
    }
}

fn packets(codec: Codec) -> Vec<Vec<u8>> {
    let rate = f64::from(codec.sample_rate());
    let sample = |n: usize| {
        let secs = n as f64 / rate;
        if BEEP_SECS.contains(&secs) { (8_000.0 * (TAU * 1_000.0 * secs).sin()) as i16 } else { 0 }
    };
    let sound: Vec<i16> = (0..(rate * PERIOD_SECS) as usize).map(sample).collect();
    let mut encoder = Encoder::new(codec, OpusTerms { fec: true, ..OpusTerms::default() });
    let mut encode = |frame: &[i16]| {
        let mut packet = vec![0; 1_200];
        let length = encoder.encode(frame, &mut packet);
        packet.truncate(length);
        packet
    };
    let frame = codec.sample_rate() as usize / 50;
    // The second time the encoder knows what went before.
    sound.chunks_exact(frame).for_each(|frame| drop(encode(frame)));
    sound.chunks_exact(frame).map(encode).collect()
}
