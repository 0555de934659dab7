//! Where the lifelines of a ladder stand: the columns fill the width, whatever it is.

use eframe::egui::Rect;

use crate::console::{panels::ladder::data::Ladder, theme::Leg};

pub struct Geometry {
    pub width: f32,
    left: f32,
    pub lifelines: Vec<f32>,
}

impl Geometry {
    pub fn new(room: Rect, ladder: &Ladder) -> Self {
        let edge = (room.width() * 0.11).clamp(30.0, EDGE);
        let first = room.left() + AXIS + edge;
        // The first gap has the most to say, the last one the least.
        let gaps: &[f32] = match ladder.columns.len() {
            0..=2 => &[1.0],
            // Only what spans both gaps goes to a return URI.
            3 if ladder.columns.last().is_some_and(|c| c.leg == Leg::Return) => &[1.6, 0.8],
            3 => &[1.2, 1.0],
            _ => &[1.5, 1.15, 0.8],
        };
        let unit = (room.right() - edge - first) / gaps.iter().sum::<f32>();
        let ends = gaps.iter().scan(first, |x, gap| {
            *x += gap * unit;
            Some(*x)
        });
        let lifelines = std::iter::once(first).chain(ends).take(ladder.columns.len()).collect();
        Self { width: room.width(), left: room.left(), lifelines }
    }

    pub fn x(&self, column: usize) -> f32 {
        self.lifelines.get(column).copied().unwrap_or(self.left)
    }
}

/// The time axis at the left.
pub const AXIS: f32 = 76.0;
/// From the outermost lifelines to the edge.
const EDGE: f32 = 62.0;
