//! The other side of a test call: the customer's SBC that calls, and the return point that takes the call back.
//!
//! | file | what |
//! | --- | --- |
//! | [`customer`](Customer) | what the engine drives: finds the run that an input belongs to |
//! | `site` | two user agents (SBC, return point), ports, numbers |
//! | `order` | a test call's order, checked, as the headers of an INVITE |
//! | `run` | one test call: its legs, its clock, its end |
//! | `caller` | the call that it places |
//! | `return_endpoint` | the call that comes back, by REFER or INVITE |
//! | `hold` | the far side put on hold by the person at the phone |
//! | `leg`, `sound` | a leg and what is heard on it |
//! | `preview` | its INVITE before it is placed |
//! | `report` | what came of it, and whether that was asked |

mod caller;
#[expect(clippy::module_inception, reason = "the folder is the side, the file is the party")]
mod customer;
mod hold;
#[cfg(test)]
mod hold_stories;
#[cfg(test)]
mod lab;
mod leg;
mod order;
mod preview;
mod report;
mod return_endpoint;
mod run;
mod setup;
mod site;
mod sound;
mod sound_check;
#[cfg(test)]
mod stories;

pub use customer::Customer;
pub use order::header_line;
pub use preview::preview;
pub use report::differences;
pub use setup::CustomerSetup;
