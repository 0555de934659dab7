//! A call as the customer would place it, and its journey.

pub mod data;
mod form;
pub mod person;
mod phone;
pub mod preview;
pub mod sound_check;
mod sound_check_ui;
mod state;
mod ui;

pub use form::variables_ui;
pub use state::{Act, KEYS, Middle, State};
pub use ui::{TestCallView, naming_ui, test_call_ui};
