//! The other side of a test call: the customer's SBC that calls, and the return point that takes the call back.

#[expect(clippy::module_inception, reason = "the folder is the side, the file is the party")]
mod customer;
mod order;
mod report;
mod setup;
mod sound;

pub use customer::Customer;
pub use order::header_line;
pub use report::differences;
pub use setup::CustomerSetup;
