//! G.711 in tables: samples to bytes, bytes to samples, and µ-law to A-law without passing through samples.

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Law {
    Mu,
    A,
}

impl Law {
    /// The sample that a byte stands for.
    pub fn decode(self, byte: u8) -> i16 {
        self.table()[usize::from(byte)]
    }

    /// The byte that stands for a sample.
    pub const fn encode(self, sample: i16) -> u8 {
        match self {
            Law::Mu => encode_ulaw(sample),
            Law::A => encode_alaw(sample),
        }
    }

    /// What stands for nothing said.
    pub const fn silence(self) -> u8 {
        self.encode(0)
    }

    /// The 256 samples of this law.
    pub fn table(self) -> &'static [i16; 256] {
        match self {
            Law::Mu => &ULAW,
            Law::A => &ALAW,
        }
    }

    /// Rewrites a payload of this law as one of `to`.
    pub fn transcode(self, to: Law, payload: &mut [u8]) {
        let table = match (self, to) {
            (Law::Mu, Law::A) => &ULAW_TO_ALAW,
            (Law::A, Law::Mu) => &ALAW_TO_ULAW,
            (Law::Mu, Law::Mu) | (Law::A, Law::A) => return,
        };
        for byte in payload {
            *byte = table[usize::from(*byte)];
        }
    }
}

static ULAW: [i16; 256] = samples(Law::Mu);
static ALAW: [i16; 256] = samples(Law::A);
static ULAW_TO_ALAW: [u8; 256] = mapping(Law::Mu, Law::A);
static ALAW_TO_ULAW: [u8; 256] = mapping(Law::A, Law::Mu);

const fn samples(codec: Law) -> [i16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match codec {
            Law::Mu => decode_ulaw(byte as u8),
            Law::A => decode_alaw(byte as u8),
        };
        byte += 1;
    }
    table
}

const fn mapping(from: Law, to: Law) -> [u8; 256] {
    let samples = samples(from);
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = to.encode(samples[byte]);
        byte += 1;
    }
    table
}

/// G.711 table 2: 14 bits of magnitude and sign, here in the upper bits of 16; all bits inverted on the line.
const fn decode_ulaw(byte: u8) -> i16 {
    let bits = !byte;
    let magnitude = ((((bits & 0x0f) as i16) << 3) + BIAS) << ((bits & 0x70) >> 4);
    if bits & 0x80 != 0 { BIAS - magnitude } else { magnitude - BIAS }
}

const fn encode_ulaw(sample: i16) -> u8 {
    let negative = sample < 0;
    let magnitude = if negative { -(sample as i32) } else { sample as i32 };
    let clipped = if magnitude > CLIP { CLIP } else { magnitude } + BIAS as i32;
    // The highest bit set, counted from bit 7, names the segment.
    let segment = 24 - (clipped as u32).leading_zeros();
    let step = (clipped >> (segment + 3)) & 0x0f;
    !((negative as u8) << 7 | (segment as u8) << 4 | step as u8)
}

/// G.711 table 1: 13 bits, even bits inverted on the line.
const fn decode_alaw(byte: u8) -> i16 {
    let bits = byte ^ 0x55;
    let step = ((bits & 0x0f) as i16) << 4;
    let magnitude = match (bits & 0x70) >> 4 {
        0 => step + 8,
        segment => (step + 0x108) << (segment - 1),
    };
    if bits & 0x80 != 0 { magnitude } else { -magnitude }
}

const fn encode_alaw(sample: i16) -> u8 {
    let (sign, magnitude) = if sample >= 0 { (0x80, sample) } else { (0, !sample) };
    let bits = match magnitude >> 8 {
        0 => (magnitude >> 4) as u8,
        high => {
            let segment = 16 - high.leading_zeros();
            (segment as u8) << 4 | ((magnitude >> (segment + 3)) & 0x0f) as u8
        }
    };
    (sign | bits) ^ 0x55
}

const BIAS: i16 = 0x84;
const CLIP: i32 = 32_635;

#[cfg(test)]
mod tests {
    use audio_codec::{Decoder as _, Encoder as _, pcma, pcmu};

    use super::*;

    #[test]
    fn every_sample_is_written_as_another_implementation_writes_it() {
        let all: Vec<i16> = (i16::MIN..=i16::MAX).collect();
        let (mut ulaw, mut alaw) = (vec![0; all.len()], vec![0; all.len()]);
        pcmu::PcmuEncoder::new().encode_into(&all, &mut ulaw).expect("room for all");
        pcma::PcmaEncoder::new().encode_into(&all, &mut alaw).expect("room for all");
        for (codec, theirs) in [(Law::Mu, ulaw), (Law::A, alaw)] {
            let differing = all.iter().zip(theirs).filter(|(sample, theirs)| codec.encode(**sample) != *theirs).count();
            // At the edges of A-law's segments theirs takes the nearer step, where G.711's decision values are plain.
            assert!(differing <= if codec == Law::Mu { 0 } else { 900 }, "{codec:?}: {differing}");
        }
    }

    #[test]
    fn no_sample_moves_further_than_half_a_step() {
        for sample in -32_256..=32_256i16 {
            let magnitude = sample.unsigned_abs();
            for (codec, finest) in [(Law::Mu, 4), (Law::A, 8)] {
                let error = codec.decode(codec.encode(sample)).abs_diff(sample);
                assert!(error <= finest.max(magnitude / 31 + 4), "{codec:?} {sample}: {error}");
            }
        }
    }

    #[test]
    fn every_byte_is_read_as_another_implementation_reads_it() {
        let all: Vec<u8> = (0..=255).collect();
        let (mut ulaw, mut alaw) = ([0; 256], [0; 256]);
        pcmu::PcmuDecoder::new().decode_into(&all, &mut ulaw).expect("room for all");
        pcma::PcmaDecoder::new().decode_into(&all, &mut alaw).expect("room for all");
        assert_eq!((ULAW, ALAW), (ulaw, alaw));
    }

    #[test]
    fn every_byte_comes_back_from_its_sample() {
        for byte in 0..=255u8 {
            assert_eq!(Law::A.encode(Law::A.decode(byte)), byte);
            // µ-law has two zeros; the negative one is written as the positive.
            let expected = if byte == 0x7f { 0xff } else { byte };
            assert_eq!(Law::Mu.encode(Law::Mu.decode(byte)), expected);
        }
    }

    #[test]
    fn transcoding_keeps_sample_and_silence() {
        let mut payload: Vec<u8> = (0..=255).collect();
        Law::Mu.transcode(Law::A, &mut payload);
        for (ulaw, alaw) in (0..=255u8).zip(&payload) {
            let (before, after) = (i32::from(Law::Mu.decode(ulaw)), i32::from(Law::A.decode(*alaw)));
            // Half a quantisation step of the coarser codec in that segment.
            assert!((before - after).abs() <= 8 + before.abs() / 24, "{before} became {after}");
        }
        assert_eq!((Law::Mu.silence(), Law::A.silence()), (0xff, 0xd5));
        let mut silence = [0xff];
        Law::Mu.transcode(Law::A, &mut silence);
        assert_eq!(silence, [0xd5]);
    }
}
