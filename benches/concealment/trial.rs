//! Speech sent through a network that loses or delays it, and heard with concealment and without.

use std::time::{Duration, Instant};

use handback::media::codecs::{Codec, Decoder, Law};
use handback::media::ear::Ear;
use handback::media::rtp::Header;

use super::likeness::distance;

/// What a network does to packets of 20 ms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Network {
    /// Every packet is lost with this chance.
    Random(f64),
    /// Gilbert's two states: losses in rows of three in the mean.
    Bursts(f64),
    /// Every packet is late by up to so many milliseconds.
    Jitter(f64),
}

impl Network {
    pub const ALL: [Network; 8] = [
        Network::Random(0.0),
        Network::Random(0.01),
        Network::Random(0.05),
        Network::Random(0.10),
        Network::Bursts(0.01),
        Network::Bursts(0.05),
        Network::Bursts(0.10),
        Network::Jitter(60.0),
    ];

    pub fn words(self) -> String {
        match self {
            Network::Random(share) => format!("{:.0} % lost at random", share * 100.0),
            Network::Bursts(share) => format!("{:.0} % lost in bursts of 3", share * 100.0),
            Network::Jitter(millis) => format!("{millis:.0} ms of jitter"),
        }
    }

    /// By how much each of so many packets is late, or that it is lost.
    fn fates(self, packets: usize) -> Vec<Option<Duration>> {
        let (mut seed, mut losing) = (0x5eed_u64, false);
        let mut chance = move || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 11) as f64 / (1u64 << 53) as f64
        };
        let fate = |_| match self {
            Network::Random(share) => (chance() >= share).then_some(Duration::ZERO),
            Network::Bursts(share) => {
                let into = share / (1.0 - share) / 3.0;
                losing = if losing { chance() >= 1.0 / 3.0 } else { chance() < into };
                (!losing).then_some(Duration::ZERO)
            }
            Network::Jitter(millis) => Some(Duration::from_secs_f64(chance() * millis / 1_000.0)),
        };
        (0..packets).map(fate).collect()
    }
}

/// Log-spectral distances in decibels to what was said: smaller is better.
#[derive(Debug, Clone, Copy)]
pub struct Trial {
    /// A buffer of 40 ms, and silence for what is not there in time.
    pub plain: f32,
    /// The adaptive buffer and its concealment.
    pub concealed: f32,
    /// Packets that were not there in time: plainly, and for the adaptive buffer.
    pub missed: (u64, u64),
}

impl Trial {
    pub fn of(speech: &[i16], network: Network) -> Trial {
        let packets: Vec<Vec<u8>> = speech.chunks_exact(160).map(|samples| samples.iter().map(|s| Law::Mu.encode(*s)).collect()).collect();
        let fates = network.fates(packets.len());
        let (plain, missed) = plainly(&packets, &fates);
        let (heard, missing) = adaptively(&packets, &fates);
        Trial { plain: distance(speech, &plain, MOST_LATE), concealed: distance(speech, &heard, MOST_LATE), missed: (missed, missing) }
    }
}

fn plainly(packets: &[Vec<u8>], fates: &[Option<Duration>]) -> (Vec<i16>, u64) {
    let mut missed = 0;
    let mut heard = vec![0; 320];
    for (packet, fate) in packets.iter().zip(fates) {
        let there = fate.is_some_and(|late| late <= Duration::from_millis(40));
        missed += u64::from(!there);
        heard.extend(packet.iter().map(|byte| if there { Law::Mu.decode(*byte) } else { 0 }));
    }
    (heard, missed)
}

fn adaptively(packets: &[Vec<u8>], fates: &[Option<Duration>]) -> (Vec<i16>, u64) {
    #[expect(clippy::disallowed_methods, reason = "a beginning for a time that is counted, not waited for")]
    let begin = Instant::now();
    let (mut ear, mut decoder) = (Ear::new(8_000, 8_000), Decoder::new(Codec::Pcmu));
    let mut underway: Vec<(Duration, usize)> =
        fates.iter().enumerate().filter_map(|(n, late)| Some((Duration::from_millis(n as u64 * 20) + (*late)?, n))).collect();
    underway.sort();
    let (mut next, mut heard) = (0, Vec::new());
    for tick in 0..packets.len() * 2 + 60 {
        let now = Duration::from_millis(tick as u64 * 10);
        while let Some((at, n)) = underway.get(next).filter(|(at, _)| *at <= now) {
            let header = Header { marker: false, pt: 0, sequence: *n as u16, timestamp: *n as u32 * 160, ssrc: 1, payload: 0..0 };
            ear.push(begin + *at, &header, &packets[*n]);
            next += 1;
        }
        let mut out = [0; 80];
        ear.pull(begin + now, &mut decoder, &mut out);
        heard.extend(out);
    }
    (heard, ear.figures().packets.missing)
}

/// The prompt, said several times over.
pub fn speech(times: usize) -> Vec<i16> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/prompts/welcome.wav");
    let mut file = hound::WavReader::open(path).expect("the prompt is there");
    let samples: Vec<i16> = file.samples::<i16>().map(|sample| sample.expect("it is whole")).collect();
    samples.repeat(times)
}

const MOST_LATE: usize = 960;
