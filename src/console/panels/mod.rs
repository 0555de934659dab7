//! One folder a panel: `data.rs` decides what it says, `ui.rs` paints it.

pub mod agent;
pub mod call_header;
pub mod calls;
pub mod compare;
pub mod context;
pub mod files;
pub mod findings;
pub mod frame;
pub mod ladder;
pub mod media;
pub mod message;
pub mod messages;
pub mod palette;
pub mod payload;
pub mod return_form;
pub mod settings;
pub mod test_call;
pub mod timeline;
pub mod transfers;

use eframe::egui::{Frame, Margin, Ui};

/// The inner room of a panel.
fn padded<R>(ui: &mut Ui, contents: impl FnOnce(&mut Ui) -> R) -> R {
    Frame::new().inner_margin(Margin::symmetric(14, 12)).show(ui, contents).inner
}
