//! A call as the customer would place it, and its journey.

pub mod data;
mod form;
mod ui;

pub use form::variables_ui;
pub use ui::{TestCallView, test_call_ui};
