//! Text that is cut with an ellipsis where there is no room, never clipped.

use std::sync::Arc;

use eframe::egui::{
    Align2, Color32, FontId, Galley, Painter, Rect,
    text::{LayoutJob, TextFormat, TextWrapping},
};

/// Lays `text` out in one line no wider than `width`.
pub fn fit(painter: &Painter, text: &str, font: FontId, colour: Color32, width: f32) -> Arc<Galley> {
    let mut job = LayoutJob::single_section(text.to_owned(), TextFormat::simple(font, colour));
    cut(&mut job, width);
    painter.layout_job(job)
}

/// Paints `text` into `rect`, aligned; tells whether something had to be cut.
pub fn elided(painter: &Painter, rect: Rect, align: Align2, text: &str, font: FontId, colour: Color32) -> bool {
    if text.is_empty() {
        return false;
    }
    put(painter, rect, align, fit(painter, text, font, colour, rect.width()))
}

/// Lays text in several formats out in one line no wider than `width`.
pub fn fit_job(painter: &Painter, mut job: LayoutJob, width: f32) -> Arc<Galley> {
    cut(&mut job, width);
    painter.layout_job(job)
}

fn cut(job: &mut LayoutJob, width: f32) {
    job.break_on_newline = false;
    job.wrap = TextWrapping { max_width: width.max(8.0), max_rows: 1, break_anywhere: true, overflow_character: Some('…') };
}

fn put(painter: &Painter, rect: Rect, align: Align2, galley: Arc<Galley>) -> bool {
    let place = align.align_size_within_rect(galley.size(), rect);
    let cut = galley.elided;
    painter.galley(place.min, galley, Color32::PLACEHOLDER);
    cut
}
