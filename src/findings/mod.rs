//! What is wrong or risky in a message or a call: what was seen, why it matters, whose side it is, and the cure.
//!
//! One rule is one function. A clean call gives no finding; what is merely unusual is a note. [`RULES`] lists them all.
//!
//! | rules over | file |
//! | --- | --- |
//! | one message: its form; its size and addresses | `form.rs`, `path.rs` |
//! | one message: the context of an INVITE, a REFER or NOTIFY, a session description | `context.rs`, `refer.rs`, `sdp.rs` |
//! | the messages of one Call-ID, sorted into transactions | `exchange.rs` |
//! | … answered, acknowledged, sent once | `transaction.rs` |
//! | … CSeq, session timer, glare, 481, why it was hung up | `dialog.rs` |
//! | … offer and answer | `offer_answer.rs` |
//! | … digest | `challenge.rs` |
//! | … answers that say no | `refusal.rs` |
//! | … REFER and its NOTIFYs | `transfer.rs` |
//! | a call's record: what went back, sound | `payload.rs`, `media.rs` |
//! | a source that was refused, a certificate, a note of the protocol core | `admission.rs`, `certificate.rs`, `protocol.rs` |
//!
//! Context and payload are judged where they are read, in `contract`. `call.rs` brings all together: each message is
//! parsed once, and all rules read the same.

mod admission;
mod call;
mod certificate;
mod challenge;
mod context;
mod dialog;
mod exchange;
mod form;
mod media;
mod offer_answer;
mod path;
mod payload;
mod protocol;
mod quality;
mod read;
mod refer;
mod refusal;
mod sdp;
mod table;
mod transaction;
mod transfer;

#[cfg(test)]
mod tests;

pub use admission::refused_source;
pub use call::{of_call, of_capture, of_item, of_items};
pub use certificate::{Certificate, of_certificate};
pub use payload::dropped;
pub use protocol::of_note;
pub use read::{Item, Seen};
pub use refer::of_refer_to;
pub use table::{RULES, Rule, rule};
