//! The pieces that panels are made of. They know tokens and actions, and no call.

mod budget_bar;
mod button;
mod card;
mod empty;
mod field;
mod key_value;
mod ladder;
mod level_meter;
mod marks;
mod menu;
mod note;
mod paint;
mod plot;
mod slider;
mod status_pill;
mod table;
mod tabs;
mod waveform;

pub use budget_bar::{Segment, budget_bar};
pub use button::{Look, action_button, icon_button};
pub use card::{caption, card, card_in, dialog, heading};
pub use empty::empty_state;
pub use field::{FieldLook, labelled_field, segmented};
pub use key_value::{KeyValue, key_values, key_values_marked};
pub use ladder::ladder;
pub use level_meter::level_meter;
pub use marks::Marks;
pub use menu::{menu, menu_item};
pub use note::note;
pub use paint::{elided, fit, fit_job};
pub use plot::{Line, Plot, plot};
pub use slider::slider;
pub use status_pill::{chip, chip_width, pill, pill_at};
pub use table::{Cell, Column, Table, TableHead, TableRow, small_table, small_table_marked};
pub use tabs::{Tab, tabs};
pub use waveform::{Track, Waveform, bars_ui, waveform};
