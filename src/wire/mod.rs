//! Async edges: sockets, names and sound devices. No policy, no SIP: bytes in, bytes out.

#[cfg(feature = "console")]
pub mod audio_device;
pub mod priority;
#[cfg(all(feature = "console", unix))]
mod pulse_cookie;
pub mod resolve;
pub mod route;
pub mod rtp_socket;
pub mod tcp;
pub mod udp;
