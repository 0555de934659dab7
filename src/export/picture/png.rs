//! The drawing's pixels, with the fonts that this program carries.

use std::sync::{Arc, OnceLock};

use resvg::{
    tiny_skia::{Pixmap, Transform},
    usvg::{Options, Tree, fontdb::Database},
};

use super::{Theme, svg::svg};
use crate::model::{Timestamp, WholeCall};

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    #[error("the ladder is {0} pixels high, which is too much for a PNG: take the SVG")]
    TooTall(u32),
    #[error("the ladder can't be drawn: {0}")]
    Drawing(String),
}

/// The ladder of a call as PNG, twice as large as its SVG where it is not too long for that.
///
/// # Errors
/// It is too long for a picture.
pub fn png(call: &WholeCall, now: Timestamp, theme: Theme) -> Result<Vec<u8>, PictureError> {
    let drawing = svg(call, now, theme);
    let options = Options { fontdb: fonts(), font_family: "Inter".to_owned(), ..Options::default() };
    let tree = Tree::from_str(&drawing, &options).map_err(|error| PictureError::Drawing(error.to_string()))?;
    let size = tree.size();
    let scale = if size.height() <= TALL / 2.0 { 2.0 } else { 1.0 };
    let (width, height) = ((size.width() * scale).ceil() as u32, (size.height() * scale).ceil() as u32);
    if height > TALL as u32 {
        return Err(PictureError::TooTall(height));
    }
    let mut pixels = Pixmap::new(width, height).ok_or(PictureError::TooTall(height))?;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| PictureError::Drawing(error.to_string()))
}

/// Read once; system fonts would make the same call look different on each machine.
fn fonts() -> Arc<Database> {
    static FONTS: OnceLock<Arc<Database>> = OnceLock::new();
    let load = || {
        let mut database = Database::new();
        for font in [INTER, INTER_MEDIUM, INTER_SEMIBOLD, JETBRAINS_MONO] {
            database.load_font_data(font.to_vec());
        }
        Arc::new(database)
    };
    FONTS.get_or_init(load).clone()
}

const INTER: &[u8] = include_bytes!("../../../assets/fonts/Inter-Regular.otf");
const INTER_MEDIUM: &[u8] = include_bytes!("../../../assets/fonts/Inter-Medium.otf");
const INTER_SEMIBOLD: &[u8] = include_bytes!("../../../assets/fonts/Inter-SemiBold.otf");
const JETBRAINS_MONO: &[u8] = include_bytes!("../../../assets/fonts/JetBrainsMono-Regular.ttf");
/// Pixels that a picture may be high: what viewers open, and what memory is there for.
const TALL: f32 = 24_000.0;
