//! Samples to packets, whatever they are to be written in.

use std::fmt;

use audio_codec::Encoder as _;
use audio_codec::g722::G722Encoder;

use super::codec::Codec;
use super::g711::Law;
use super::opus;

/// What a peer's `a=fmtp` asks of the Opus that it is sent (RFC 7587 §6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OpusTerms {
    /// `maxaveragebitrate`, in bits a second.
    pub most_bitrate: Option<u32>,
    /// `maxplaybackrate`, in Hz: nothing above half of it is worth sending.
    pub most_playback_rate: Option<u32>,
    /// `useinbandfec=1`: it makes use of what repeats the packet before.
    pub fec: bool,
    /// `usedtx=1`: it would rather have small packets in silence.
    pub dtx: bool,
    /// `cbr=1`.
    pub constant_bitrate: bool,
}

/// One direction's encoder, with what it remembers from frame to frame. Nothing is allocated after [`Encoder::new`].
pub struct Encoder {
    codec: Codec,
    state: State,
}

enum State {
    G711(Law),
    G722(Box<G722Encoder>),
    Opus(opus::Encoder),
    /// libopus refused: nothing is said, nothing breaks.
    Nothing,
}

impl Encoder {
    /// `terms` are heeded where the codec is Opus.
    pub fn new(codec: Codec, terms: OpusTerms) -> Encoder {
        let state = match codec {
            Codec::Pcmu => State::G711(Law::Mu),
            Codec::Pcma => State::G711(Law::A),
            Codec::G722 => State::G722(Box::new(G722Encoder::new())),
            Codec::Opus => opus::Encoder::new(terms).map_or(State::Nothing, State::Opus),
        };
        Encoder { codec, state }
    }

    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// One packet's payload of a frame of 10, 20, 40 or 60 ms at [`Codec::sample_rate`] (G.711 and G.722 take any even length);
    /// its length, at most [`MOST_BYTES`](super::MOST_BYTES). 0: no such frame, or no room in `out`.
    pub fn encode(&mut self, samples: &[i16], out: &mut [u8]) -> usize {
        match &mut self.state {
            State::G711(law) => {
                for (byte, sample) in out.iter_mut().zip(samples) {
                    *byte = law.encode(*sample);
                }
                samples.len().min(out.len())
            }
            State::G722(encoder) => encoder.encode_into(samples, out).unwrap_or(0),
            State::Opus(encoder) => encoder.encode(samples, out),
            State::Nothing => 0,
        }
    }

    /// What the peer's reports say of loss, in percent: the more, the more of each packet repeats the one before.
    pub fn expect_loss(&mut self, percent: u8) {
        if let State::Opus(encoder) = &mut self.state {
            encoder.expect_loss(percent);
        }
    }

    /// After a re-INVITE.
    pub fn heed(&mut self, terms: OpusTerms) {
        if let State::Opus(encoder) = &mut self.state {
            encoder.heed(terms);
        }
    }
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Encoder({})", self.codec.name())
    }
}
