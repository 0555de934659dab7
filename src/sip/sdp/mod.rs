//! Session descriptions (RFC 8866) and the offer/answer model (RFC 3264) for one audio stream: G.711, G.722, Opus and telephone-event.

mod formats;
mod offer_answer;
mod parse;

pub use offer_answer::{Agreed, LocalMedia, OfferFault, SdpSession};
pub use parse::{Attribute, Format, Media, SdpError, SessionDescription};
