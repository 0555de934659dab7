//! Async edges: sockets and names. No policy, no SIP: bytes in, bytes out.

pub mod resolve;
pub mod route;
pub mod rtp_socket;
pub mod tcp;
pub mod udp;
