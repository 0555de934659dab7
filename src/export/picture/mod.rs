//! A call's ladder as a picture: what the window's ladder shows, as SVG and as PNG, dark or light.
//!
//! | step | file |
//! | --- | --- |
//! | the words of a message | `words.rs` |
//! | parties as columns; messages, the agent's part, digits and sound as rows | `rows.rs`, `parties.rs` |
//! | the drawing | `svg.rs`, `palette.rs` |
//! | its pixels | `png.rs` |

mod palette;
mod parties;
mod png;
mod rows;
mod svg;
#[cfg(test)]
mod tests;
mod words;

pub use palette::{DARK, LIGHT, Palette, Theme};
pub use parties::speakers;
pub use png::{PictureError, png};
pub use rows::{Band, Picture, Row, What};
pub use svg::svg;
pub use words::codec;

use crate::model::LegRole;

/// A party's place.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    pub name: &'static str,
    pub address: String,
    pub side: Side,
}

/// Whose colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Of(LegRole),
    Bridge,
    /// Somebody else in the call, as a capture shows it.
    Elsewhere,
}
