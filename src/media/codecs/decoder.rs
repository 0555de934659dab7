//! Packets to samples, whatever they are written in.

use std::fmt;

use audio_codec::Decoder as _;
use audio_codec::g722::G722Decoder;

use super::codec::Codec;
use super::g711::Law;
use super::opus;

/// One direction's decoder, with what it remembers from packet to packet. Nothing is allocated after [`Decoder::new`].
pub struct Decoder {
    codec: Codec,
    state: State,
}

enum State {
    G711(Law),
    G722(Box<G722Decoder>),
    Opus(opus::Decoder),
    /// libopus refused: nothing is heard, nothing breaks.
    Nothing,
}

impl Decoder {
    pub fn new(codec: Codec) -> Decoder {
        let state = match codec {
            Codec::Pcmu => State::G711(Law::Mu),
            Codec::Pcma => State::G711(Law::A),
            Codec::G722 => State::G722(Box::new(G722Decoder::new())),
            Codec::Opus => opus::Decoder::new().map_or(State::Nothing, State::Opus),
        };
        Decoder { codec, state }
    }

    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// The samples of one packet, at [`Codec::sample_rate`]; how many. What is broken, or finds no room in `out`, gives none.
    pub fn decode(&mut self, payload: &[u8], out: &mut [i16]) -> usize {
        match &mut self.state {
            State::G711(law) => {
                let table = law.table();
                for (sample, byte) in out.iter_mut().zip(payload) {
                    *sample = table[usize::from(*byte)];
                }
                payload.len().min(out.len())
            }
            State::G722(decoder) => {
                let payload = &payload[..payload.len().min(out.len() / 2)];
                decoder.decode_into(payload, out).unwrap_or(0)
            }
            State::Opus(decoder) => decoder.decode(payload, out),
            State::Nothing => 0,
        }
    }

    /// Fills `out`, a whole number of packets, with what the codec itself has for a lost packet. 0: it has nothing.
    pub fn conceal(&mut self, out: &mut [i16]) -> usize {
        match &mut self.state {
            State::Opus(decoder) => decoder.conceal(out),
            State::G711(_) | State::G722(_) | State::Nothing => 0,
        }
    }

    /// The packet before `next`, which was lost, from what `next` repeats of it (in-band FEC, RFC 6716 §2.1.7); `out` has its length.
    /// Where `next` repeats nothing it is concealed. To be called before `next` is decoded. 0: the codec has no such thing.
    pub fn fec(&mut self, next: &[u8], out: &mut [i16]) -> usize {
        match &mut self.state {
            State::Opus(decoder) => decoder.fec(next, out),
            State::G711(_) | State::G722(_) | State::Nothing => 0,
        }
    }
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Decoder({})", self.codec.name())
    }
}
