//! The switch, pure: admission, context, agent, bridge, return.
//!
//! | file | what |
//! | --- | --- |
//! | `switch` | the doors: inputs in, outputs out |
//! | `door` | new requests, and what becomes of them |
//! | [`admission`] | who may call (contract §1) |
//! | `claims` | which call transfer a call is for (contract §2) |
//! | `conversations` | attempts of one conversation |
//! | [`throttle`] | who is answered at all |
//! | [`transfer`] | one transfer, as one state machine |
//! | [`script_run`], `agent` | the scripted agent; the one on a SIP leg |
//! | [`handback`] | what a return will be (contract §3) |
//! | `operator` | the operator as agent, and as listener |
//! | `leg` | one session and its sound |
//! | `signalling`, `sound` | what legs tell, as happenings |
//! | `taken_back` | a REFER to our own return point (contract §3) |
//! | `acts` | what a transfer wants, carried out |
//! | `record` | recording, by hand and by rule |
//! | `reload` | other settings while calls run |

mod acts;
pub mod admission;
mod agent;
mod claims;
mod conversations;
mod door;
pub mod handback;
mod leg;
mod numbered;
mod operator;
mod record;
mod reload;
pub mod script_run;
mod signalling;
mod sound;
mod switch;
mod taken_back;
pub mod throttle;
pub mod transfer;

pub use conversations::Conversation;
pub use switch::{Switch, SwitchCounts, SwitchSetup};
