//! Call transfers made through the API: the list with its countdowns, the number pools, and the form that makes one.

pub mod data;
pub mod form;
mod ui;

pub use ui::{TransfersPlace, transfers_ui};
