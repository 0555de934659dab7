//! The other side of a test call: the customer's SBC that calls, and the return point that takes the call back.

mod order;
mod report;
mod sound;

pub use order::header_line;
pub use report::differences;
