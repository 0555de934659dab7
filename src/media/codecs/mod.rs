//! What the samples of a stream are written in: G.711, G.722 and Opus, one file each.

mod codec;
mod decoder;
mod encoder;
pub mod g711;
mod opus;
#[cfg(test)]
mod tests;

pub use codec::Codec;
pub use decoder::Decoder;
pub use encoder::{Encoder, OpusTerms};
pub use g711::Law;

/// Samples a second of G.711, prompts and tones.
pub const RATE: u32 = 8_000;

/// The most samples that one packet holds: 120 ms of Opus (RFC 6716 §2.1.4).
pub const MOST_SAMPLES: usize = 5_760;

/// The most bytes that [`Encoder::encode`] writes: 60 ms of G.711, or Opus at any rate in reason.
pub const MOST_BYTES: usize = 1_200;
