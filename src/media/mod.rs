//! Sound on the wire: packets and samples, pure. Time is an argument, sockets live in `engine::media_loop`.
//!
//! Everybody else speaks to it in the words of [`command`]: a party sends [`MediaCommand`]s and hears [`MediaEvent`]s.

pub mod between;
#[cfg(test)]
mod codec_stories;
pub mod codecs;
pub mod command;
pub mod conceal;
pub mod dtmf;
pub mod ear;
pub mod foreign;
pub mod jitter;
pub mod jitter_buffer;
pub mod level;
mod lines;
#[cfg(test)]
mod live_stories;
mod pitch;
pub mod plane;
pub mod playout;
pub mod ports;
pub mod quality;
pub mod rate;
pub mod recording;
pub mod relay;
pub mod rtcp;
pub mod rtp;
mod seed;
pub mod sketch;
pub mod source;
#[cfg(test)]
mod stories;
mod stream;
mod stretch;
pub mod tone;
pub mod transcode;

pub use command::{
    Codec, Direction, Heard, Line, MediaCommand, MediaEvent, Playout, Recording, Second, StreamFigures, StreamId, StreamSetup,
};
pub use plane::{Channel, Clock, MediaPlane, Owner, Sink};
pub use ports::PortPool;
