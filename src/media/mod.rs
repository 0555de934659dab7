//! Sound on the wire: packets and samples, pure. Time is an argument, sockets live in `engine::media_loop`.
//!
//! Everybody else speaks to it in the words of [`command`]: a party sends [`MediaCommand`]s and hears [`MediaEvent`]s.

pub mod command;
pub mod ports;

pub use command::{Codec, Direction, MediaCommand, MediaEvent, Playout, Recording, StreamFigures, StreamId, StreamSetup};
pub use ports::PortPool;
