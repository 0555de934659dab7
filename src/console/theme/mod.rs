//! The look: tokens, fonts, icons. The only folder that makes colours.

mod fonts;
mod icons;
mod style;
mod tokens;

pub use fonts::{MEDIUM, SEMIBOLD, family, icon, mono, mono_medium, text};
pub use icons::Icon;
pub use style::install;
pub use tokens::{Leg, Radius, Space, Tokens, Tone};
