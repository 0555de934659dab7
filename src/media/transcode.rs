//! From one codec to another: decoded, what was lost concealed, brought to the other rate, handed on in the listener's lengths.

use super::between::Between;
use super::codecs::{Codec, Decoder, MOST_SAMPLES};
use super::conceal::Concealer;
use super::rtp::{Header, sequence_distance};

/// One direction of a relay between unlike codecs. Nothing is allocated after [`Transcoder::new`].
#[derive(Debug)]
pub struct Transcoder {
    to: Codec,
    decoder: Decoder,
    /// For codecs that have no concealment of their own.
    concealer: Option<Concealer>,
    between: Between,
    source: Option<Source>,
    /// Of one packet, at the speaker's rate.
    decoded: Box<[i16]>,
    /// At the listener's rate: `ready` samples that are in no frame yet.
    waiting: Box<[i16]>,
    ready: usize,
}

/// Where the series of the speaker's packets stands.
#[derive(Debug, Clone, Copy)]
struct Source {
    ssrc: u32,
    sequence: u16,
    /// The timestamp after the last sample.
    end: u32,
    /// Samples in its last packet.
    length: usize,
}

/// How what was taken follows what came before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follows {
    /// Without a break, concealed or not.
    AtOnce,
    /// After a pause, or as the first of a source.
    Anew,
    /// Its place was filled already: nothing was taken.
    TooLate,
}

impl Transcoder {
    pub fn new(from: Codec, to: Codec) -> Transcoder {
        Transcoder {
            to,
            decoder: Decoder::new(from),
            concealer: (from != Codec::Opus).then(|| Concealer::new(from.sample_rate())),
            between: Between::new(from.sample_rate(), to.sample_rate()),
            source: None,
            decoded: vec![0; MOST_SAMPLES].into(),
            waiting: vec![0; MOST_WAITING].into(),
            ready: 0,
        }
    }

    pub fn is_between(&self, from: Codec, to: Codec) -> bool {
        self.decoder.codec() == from && self.to == to
    }

    /// Takes a packet of sound; [`Transcoder::next_frame`] then gives what is complete.
    pub fn take(&mut self, header: &Header, payload: &[u8]) -> Follows {
        let follows = self.place(header, payload);
        if follows == Follows::TooLate {
            return follows;
        }
        let mut length = self.decoder.decode(payload, &mut self.decoded);
        if let (0, Some(source)) = (length, self.source) {
            // What can't be read is as good as lost, and takes as much time.
            length = source.length;
            self.conceal(length, &[]);
        } else {
            if let Some(concealer) = &mut self.concealer {
                concealer.good(&mut self.decoded[..length]);
            }
            self.forward(length);
        }
        let codec = self.decoder.codec();
        let units = (length as u64 * u64::from(codec.clock_rate()) / u64::from(codec.sample_rate())) as u32;
        let end = header.timestamp.wrapping_add(units);
        self.source = Some(Source { ssrc: header.ssrc, sequence: header.sequence, end, length });
        follows
    }

    /// A packet of the same source that holds no sound. False: it came too late.
    pub fn pass(&mut self, header: &Header) -> bool {
        match &mut self.source {
            Some(source) if source.ssrc == header.ssrc => {
                let ahead = sequence_distance(header.sequence, source.sequence);
                if ahead > 0 {
                    source.sequence = header.sequence;
                }
                ahead > 0
            }
            _ => true,
        }
    }

    /// The next frame of this length at the listener's rate, where so much is there.
    pub fn next_frame(&mut self, into: &mut [i16]) -> bool {
        let enough = !into.is_empty() && self.ready >= into.len();
        if enough {
            into.copy_from_slice(&self.waiting[..into.len()]);
            self.waiting.copy_within(into.len()..self.ready, 0);
            self.ready -= into.len();
        }
        enough
    }

    /// Judges a packet's place, and fills a short gap before it.
    fn place(&mut self, header: &Header, payload: &[u8]) -> Follows {
        let codec = self.decoder.codec();
        let Some(source) = self.source.filter(|source| source.ssrc == header.ssrc) else {
            if self.source.take().is_some() {
                self.decoder = Decoder::new(codec);
                self.ready = 0;
            }
            return Follows::Anew;
        };
        let ahead = sequence_distance(header.sequence, source.sequence);
        let gap = header.timestamp.wrapping_sub(source.end) as i32;
        let missing = i64::from(gap) * i64::from(codec.sample_rate()) / i64::from(codec.clock_rate());
        let most = i64::from(codec.sample_rate() / 1_000 * MOST_CONCEALED_MS);
        match ahead {
            ..=0 if ahead > -MOST_LATE => Follows::TooLate,
            1 if gap <= 0 => Follows::AtOnce,
            2.. if (1..=most).contains(&missing) => {
                self.conceal(missing as usize, payload);
                Follows::AtOnce
            }
            _ => Follows::Anew,
        }
    }

    /// So many samples that never came; the last packet's worth perhaps repeated in `next`.
    fn conceal(&mut self, mut missing: usize, next: &[u8]) {
        let packet = self.source.map_or(0, |source| source.length).clamp(1, MOST_SAMPLES);
        while missing > 0 {
            let length = missing.min(packet);
            let is_last = missing == length && !next.is_empty();
            let place = &mut self.decoded[..length];
            let made = match &mut self.concealer {
                Some(concealer) => {
                    concealer.conceal(place);
                    length
                }
                None if is_last => self.decoder.fec(next, place),
                None => self.decoder.conceal(place),
            };
            place[made.min(length)..].fill(0);
            self.forward(length);
            missing -= length;
        }
    }

    fn forward(&mut self, length: usize) {
        // A listener who takes nothing loses the newest: it can't come so far while frames are taken after each packet.
        self.ready += self.between.run(&self.decoded[..length], &mut self.waiting[self.ready..]);
    }
}

/// Longer than this, a gap is a pause.
const MOST_CONCEALED_MS: u32 = 100;
/// The longest packet after the longest gap, and what was left before, at 48,000 samples a second.
const MOST_WAITING: usize = 16_384;
/// Further back than this the source began anew.
const MOST_LATE: i16 = 1_000;
