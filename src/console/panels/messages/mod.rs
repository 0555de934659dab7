//! Every message of all calls as a packet list: narrowed by a filter, followed or kept still, each one taken apart below.

mod act;
pub mod data;
mod field;
mod ui;

pub use act::{Act, State};
pub use ui::{MessagesPlace, messages_ui};
