//! The live table of calls: narrowed, sorted, with the columns that one chooses, and still while it is read.

mod act;
mod book;
mod columns;
mod columns_ui;
pub mod data;
mod headers;
mod list;
mod ui;

pub use act::{Act, State};
pub use book::Book;
pub use columns::{Columns, Kind};
pub use headers::read_headers;
pub use list::Listing;
pub use ui::{CallsTable, Older, calls_ui};
