//! What is marked in two places at once: hovering a decoded row marks its bytes, hovering bytes marks their row.

use std::ops::Range;

use eframe::egui::{Id, Ui};

/// A stretch of one text, told by whatever the pointer was over in the frame before.
#[derive(Debug, Clone, Default)]
pub struct Marks {
    now: Option<Range<usize>>,
    next: Option<Range<usize>>,
    /// The pointer is over a row, so the bytes may scroll to it.
    by_row: bool,
    was_by_row: bool,
}

impl Marks {
    /// To be called before what is marked is painted.
    pub fn begin(ui: &Ui, name: &str) -> Self {
        let (now, was_by_row) = ui.data(|d| d.get_temp(id(name))).unwrap_or_default();
        Self { now, was_by_row, ..Self::default() }
    }

    pub fn is_marked(&self, span: &Range<usize>) -> bool {
        self.now.as_ref().is_some_and(|now| now.start < span.end && span.start < now.end)
    }

    /// The marked stretch, and whether a row tells of it.
    pub fn now(&self) -> Option<(Range<usize>, bool)> {
        Some((self.now.clone()?, self.was_by_row))
    }

    /// The pointer is over a row that stands for `span`.
    pub fn over_row(&mut self, span: &Range<usize>) {
        (self.next, self.by_row) = (Some(span.clone()), true);
    }

    /// The pointer is over the bytes of `span`.
    pub fn over_bytes(&mut self, span: &Range<usize>) {
        (self.next, self.by_row) = (Some(span.clone()), false);
    }

    /// To be called once all is painted.
    pub fn end(self, ui: &Ui, name: &str) {
        if self.next != self.now {
            ui.ctx().request_repaint();
        }
        ui.data_mut(|d| d.insert_temp(id(name), (self.next, self.by_row)));
    }
}

fn id(name: &str) -> Id {
    Id::unique(("marks", name))
}
