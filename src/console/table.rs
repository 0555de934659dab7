//! The table of calls within the window: what it lists of all calls, and what its head and rows ask for.

use eframe::egui::Context;

use super::{
    app::{App, FRAME},
    panels::calls::{Act, Columns, read_headers},
};
use crate::model::CallId;

impl App {
    /// The book and the list as the snapshot now is.
    pub(super) fn list(&mut self, ctx: &Context) {
        self.book.refresh(&self.snapshot, &self.state.search);
        let columns = &self.remembered.calls;
        self.listing.refresh(&mut self.state, &self.book, columns, self.now);
        let names = columns.headers();
        if read_headers(&mut self.book, self.backend.as_ref(), &self.state.listed, &names, columns.version) {
            ctx.request_repaint_after(FRAME);
        }
    }

    /// What arrived while the list was being read is listed now.
    pub(super) fn list_anew(&mut self) {
        self.listing.forget();
        self.listing.refresh(&mut self.state, &self.book, &self.remembered.calls, self.now);
    }

    /// The bridge's record of a call that this console placed.
    pub(super) fn bridge_side(&self, placed: CallId) -> Option<CallId> {
        self.book.both_sides(placed).map(|(bridge, _)| bridge)
    }

    pub(super) fn apply_table(&mut self, act: &Act) {
        let columns = &mut self.remembered.calls;
        match act {
            Act::Sort(index) => columns.sort_by(*index),
            Act::Resize(index, width) => columns.resize(*index, *width),
            Act::Toggle(kind) => columns.toggle(kind),
            Act::UsualColumns => *columns = Columns { version: columns.version + 1, ..Columns::default() },
            Act::Select(_) | Act::SelectTo(_) | Act::SelectNone => {
                self.state.table.apply(act, &self.state.listed, self.state.call);
            }
        }
    }
}
