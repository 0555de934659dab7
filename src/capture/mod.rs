//! Captures of others read as calls: a pcap or pcapng file in, the same records, messages and findings as of live calls out.
//!
//! | from | to | file |
//! | --- | --- | --- |
//! | the file | packets with time and link type | `file.rs` |
//! | a frame | an IP packet | `link.rs` |
//! | IP packets, fragments too | datagrams | `ip.rs` |
//! | TCP segments in any order | messages | `tcp.rs` |
//! | UDP datagrams | messages by their look, RTP by what SDP announced | `packets.rs`, `look.rs`, `media.rs` |
//! | messages | legs: one Call-ID between two hosts | `legs.rs` |
//! | legs | calls, with the reason for each join | `joining.rs` |
//! | a call's legs | who is who | `parties.rs` |
//! | a call's messages | events, record, figures, findings | `story.rs`, `call.rs` |
//!
//! Pure: it reads from whatever it is given, and every bound holds for a hostile file. What can't be read is a [`Note`].

mod call;
mod file;
mod ip;
mod joining;
mod legs;
mod link;
mod look;
mod media;
mod notes;
mod packets;
mod parties;
mod reading;
mod story;
mod tcp;
#[cfg(test)]
mod tests;

pub use file::{ReadError, is_capture};
pub use notes::Note;
pub use packets::{Totals, Wired};
pub use reading::{Progress, Reading, read};
