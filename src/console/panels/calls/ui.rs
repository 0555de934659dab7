//! Paints the table of calls.

use eframe::egui::{Align2, Pos2, Rect, Role, Sense, Ui, Vec2, WidgetInfo};
use jiff::tz::TimeZone;

use super::data;
use crate::{
    console::{
        action::Action,
        state::{Pane, State},
        theme::{self, Icon, Radius, Tokens},
        widgets::{Table, empty_state},
    },
    model::{Snapshot, Timestamp},
};

/// Whether there are calls before those that are listed.
#[derive(Debug, Clone, Copy)]
pub struct Older {
    pub there: bool,
    pub reading: bool,
}

/// Tells whether the list is being read and must stay still.
pub fn calls_ui(
    ui: &mut Ui,
    state: &State,
    snapshot: &Snapshot,
    older: Older,
    now: Timestamp,
    zone: &TimeZone,
    actions: &mut Vec<Action>,
) -> bool {
    if state.listed.is_empty() && !state.search.trim().is_empty() && !older.there {
        let sentence = if older.reading {
            "Past calls are being read…"
        } else {
            "Words, or filters such as task:billing, state:refused, var.accountNumber:4711"
        };
        empty_state(ui, "No call matches", sentence, Some(Action::ClearSearch), actions);
        return false;
    }
    if state.listed.is_empty() && !older.there {
        let sentence = "Calls appear here as they arrive. Place one yourself to see the whole journey";
        empty_state(ui, "No calls yet", sentence, Some(Action::PlaceTestCall), actions);
        return false;
    }
    let whole = ui.available_rect_before_wrap();
    let reveal = state.reveal_call.then(|| state.listed.iter().position(|id| Some(*id) == state.call)).flatten();
    let table = Table { id: "calls", columns: &data::COLUMNS, reveal, active: state.pane == Pane::Table };
    let rows = state.listed.len() + usize::from(older.there);
    let answer = table.show(ui, rows, |index| {
        let id = state.listed.get(index).copied();
        if id.is_none() {
            return data::older_row(older.reading);
        }
        let call = id.and_then(|id| data::find(snapshot, id));
        match call {
            Some(call) => data::row(call, now, zone, id == state.call),
            None => crate::console::widgets::TableRow { cells: Vec::new(), name: String::new(), chosen: false },
        }
    });
    if let Some(index) = answer.clicked {
        actions.push(state.listed.get(index).map_or(Action::ShowOlder, |id| Action::SelectCall(*id)));
    }
    if let Some(text) = data::unlisted(state) {
        new_calls(ui, whole, &text, actions);
    }
    answer.hovered || answer.scrolled
}

/// A pill over the head of the table; pressing it lists what is new.
fn new_calls(ui: &mut Ui, whole: Rect, text: &str, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    let rect = Rect::from_center_size(Pos2::new(whole.center().x, whole.top() + 14.0), Vec2::new(88.0, 20.0));
    let response = ui.interact(rect, ui.scope_id().with("new calls"), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, text));
    ui.painter().rect_filled(rect, Radius::PILL, tokens.accent);
    Icon::Down.paint(ui.painter(), Pos2::new(rect.left() + 16.0, rect.center().y), 12.0, tokens.on_fill);
    ui.painter().text(rect.center() + Vec2::new(6.0, 0.0), Align2::CENTER_CENTER, text, theme::text(12.0), tokens.on_fill);
    let action = Action::ShowNewCalls;
    if response.on_hover_text(action.face().tooltip).clicked() {
        actions.push(action);
    }
}
