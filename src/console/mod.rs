//! The window: it paints from snapshots, asks by commands, and never waits for the engine.
//!
//! Every panel is two files: `data.rs` turns the snapshot and what the operator has chosen into plain
//! words, `ui.rs` paints them and pushes [`Action`]s. `App` applies the actions, once a frame.

mod action;
mod agent;
mod app;
mod appearance;
mod apply;
mod backend;
mod call_messages;
mod calls_place;
mod closing;
mod compare;
mod files;
mod keys;
mod live;
mod log;
mod messages;
mod palette;
mod panels;
mod past;
mod phone;
mod playback;
pub mod remembered;
#[cfg(test)]
mod sample;
mod search;
mod settings;
#[cfg(test)]
mod settings_tests;
mod state;
mod table;
mod test_call;
#[cfg(test)]
mod tests;
mod text;
mod theme;
mod transfers;
mod widgets;
mod wire_text;

pub use action::Action;
pub use app::{App, ConsoleError, Options, run};
pub use backend::{
    ApiAnswer, Archive, Backend, CommandTicket, Facts, Kept, PastAnswer, PastAsk, SettingsKeeper, TransferDesk, TransfersView, Waker,
};
pub use live::{Live, Previewer};
