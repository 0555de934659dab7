//! Settings: all of `handback.toml`, one page a subject, and how this window looks.
//!
//! A page is data ([`form::PageData`]) made of the draft and its faults; one painter shows all of them.

pub mod act;
mod agent_card;
mod flow;
pub mod form;
mod pages;
mod paint;
mod peer_rows;
mod returns;
mod returns_ui;
mod rows;
mod secret;
mod sound;
mod sound_ui;
pub mod state;
mod ui;
mod who;
mod who_ui;

pub use act::Act;
pub use pages::page;
pub use paint::id_of;
pub use secret::SECRET_FIELD;
pub use state::{Page, State};
pub use ui::settings_ui;
