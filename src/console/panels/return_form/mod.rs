//! *Return now…*: outcome, variables, method.

mod ui;

pub use ui::return_form_ui;
