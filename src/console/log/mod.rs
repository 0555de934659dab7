//! Every message of all calls and of none, for the place *Messages* and for the search over everything.
//!
//! A thread of its own reads what the backend keeps, takes each message apart once, and looks for what the filter asks, the
//! newest first. The window takes the view as it stands, and never waits for it.

mod fault;
pub mod filter;
mod find;
mod reader;
mod row;
mod worker;

pub use fault::FilterFault;
pub use find::Found;
pub use reader::LogView;
pub use row::LogRow;
pub use worker::Log;
