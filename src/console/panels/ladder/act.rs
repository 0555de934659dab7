//! What one can do in a ladder.

use eframe::egui::Key;

use super::layout::View;
use crate::console::{action::Face, theme::Icon};

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Act {
    ZoomIn,
    ZoomOut,
    ZoomFit,
    /// By the wheel.
    ZoomBy(f32),
    /// Distances tell time, or rows stand in order.
    ToScale(bool),
    /// Give the retransmissions of this message rows of their own, or fold them again.
    Expand(u64),
}

impl Act {
    pub fn face(&self) -> Face {
        match self {
            Self::ZoomIn => Face::new("Zoom in", "More room for each row; or Ctrl and the wheel").icon(Icon::ZoomIn).key(Key::Plus),
            Self::ZoomOut => Face::new("Zoom out", "More rows at once; or Ctrl and the wheel").icon(Icon::ZoomOut).key(Key::Minus),
            Self::ZoomFit => Face::new("Usual size", "Rows as high as they were").key(Key::Num0),
            Self::ZoomBy(_) => Face::new("Zoom", "By the wheel"),
            Self::ToScale(true) => Face::new("To scale", "Let distances tell time").icon(Icon::History),
            Self::ToScale(false) => Face::new("In order", "One row below the other, whatever time lies between").icon(Icon::Rows),
            Self::Expand(_) => Face::new("Show retransmissions", "Each in a row of its own, or folded again"),
        }
    }

    pub fn apply(self, view: &mut View) {
        match self {
            Self::ZoomIn => view.zoom_by(1.2),
            Self::ZoomOut => view.zoom_by(1.0 / 1.2),
            Self::ZoomFit => view.zoom = 1.0,
            Self::ZoomBy(factor) => view.zoom_by(factor),
            Self::ToScale(to_scale) => view.to_scale = to_scale,
            Self::Expand(message) => {
                if !view.expanded.remove(&message) {
                    view.expanded.insert(message);
                }
            }
        }
    }
}
