//! Paints the table of calls: its filter, its head, its rows.

use eframe::egui::{Align, Align2, Frame, Layout, Margin, Panel, Pos2, Rect, RichText, Role, Sense, TextEdit, Ui, Vec2, WidgetInfo};
use jiff::tz::TimeZone;

use super::{Act, Book, Columns, columns_ui::columns_ui, data};
use crate::{
    console::{
        action::Action,
        state::{Pane, State},
        text::count,
        theme::{self, Icon, Radius, Tokens},
        widgets::{Table, TableHead, TableRow, empty_state, icon_button},
    },
    model::Timestamp,
};

/// Whether there are calls before those that are listed.
#[derive(Debug, Clone, Copy)]
pub struct Older {
    pub there: bool,
    pub reading: bool,
}

/// What the table is painted from.
pub struct CallsTable<'a> {
    pub book: &'a Book,
    pub columns: &'a Columns,
    pub older: Older,
    pub now: Timestamp,
    pub zone: &'a TimeZone,
}

/// Tells whether the list is being read and must stay still.
pub fn calls_ui(ui: &mut Ui, state: &mut State, table: &CallsTable<'_>, actions: &mut Vec<Action>) -> bool {
    let fill = Tokens::of(ui).panel;
    let bar = Panel::top("calls filter").exact_size(40.0).resizable(false).frame(Frame::new().fill(fill));
    bar.show(ui, |ui| bar_ui(ui, state, table, actions));
    if state.listed.is_empty() && !table.older.there {
        nothing_ui(ui, state, table.older, actions);
        return false;
    }
    list_ui(ui, state, table, actions)
}

fn nothing_ui(ui: &mut Ui, state: &State, older: Older, actions: &mut Vec<Action>) {
    if state.search.trim().is_empty() {
        let sentence = "Calls appear here as they arrive. Place one yourself to see the whole journey";
        empty_state(ui, "No calls yet", sentence, Some(Action::PlaceTestCall), actions);
        return;
    }
    let sentence = if older.reading {
        "Past calls are being read…"
    } else {
        "Words, or filters such as task:billing, state:refused, var.accountNumber:4711"
    };
    empty_state(ui, "No call matches", sentence, Some(Action::ClearSearch), actions);
}

fn bar_ui(ui: &mut Ui, state: &mut State, table: &CallsTable<'_>, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    ui.horizontal_centered(|ui| {
        ui.add_space(14.0);
        filter_ui(ui, state);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add_space(10.0);
            let button = icon_button(ui, Action::ChooseColumns, "Choose columns", actions);
            columns_ui(&button, table.columns, &mut state.table.new_column, actions);
            let words = match state.table.selected.len() {
                0 => count(state.listed.len(), "call", "calls"),
                selected => format!("{selected} of {} selected", count(state.listed.len(), "call", "calls")),
            };
            ui.label(RichText::new(words).size(12.0).color(tokens.text_faint));
            if !state.table.selected.is_empty() {
                icon_button(ui, Action::Table(Act::SelectNone), "Select none", actions);
            }
        });
    });
}

/// Narrows the list while one types.
fn filter_ui(ui: &mut Ui, state: &mut State) {
    let tokens = Tokens::of(ui);
    let shortcut = Action::Search.face().shortcut.map(|s| ui.ctx().format_shortcut(&s)).unwrap_or_default();
    let hint = format!("Filter: words, state:returned, task:billing, var.accountNumber:4711   {shortcut}");
    let width = (ui.available_width() - 240.0).clamp(200.0, 560.0);
    let edit = TextEdit::singleline(&mut state.search)
        .font(theme::text(12.5))
        .hint_text(RichText::new(hint).size(12.5).color(tokens.text_faint))
        .margin(Margin::symmetric(9, 5))
        .desired_width(width);
    let response = ui.add(edit).accessible_name("Filter calls");
    let response = response
        .on_hover_text("Words, or filters: state: peer: task: conversation: customer: outcome: call_transfer: from: until: var.NAME:");
    if std::mem::take(&mut state.focus_search) {
        response.request_focus();
    }
}

fn list_ui(ui: &mut Ui, state: &State, table: &CallsTable<'_>, actions: &mut Vec<Action>) -> bool {
    let whole = ui.available_rect_before_wrap();
    let reveal = state.reveal_call.then(|| state.listed.iter().position(|id| Some(*id) == state.call)).flatten();
    let columns = table.columns.columns();
    let painted = Table { id: "calls", columns: &columns, reveal, active: state.pane == Pane::Table };
    let rows = state.listed.len() + usize::from(table.older.there);
    let selected = |index: usize| state.listed.get(index).is_some_and(|id| state.table.selected.contains(id));
    let head = TableHead { sorted: table.columns.sorted(), marked: &selected };
    let answer = painted.show_with(ui, Some(&head), rows, |index| {
        let Some(id) = state.listed.get(index) else { return data::older_row(table.older.reading) };
        match table.book.entry(*id) {
            Some(entry) => data::row(entry, table.columns, table.now, table.zone, Some(*id) == state.call),
            None => TableRow { cells: Vec::new(), name: String::new(), chosen: false },
        }
    });
    if let Some(index) = answer.clicked {
        let modifiers = ui.input(|i| i.modifiers);
        actions.push(match state.listed.get(index) {
            None => Action::ShowOlder,
            Some(id) if modifiers.command => Action::Table(Act::Select(*id)),
            Some(id) if modifiers.shift => Action::Table(Act::SelectTo(*id)),
            Some(id) => Action::SelectCall(*id),
        });
    }
    actions.extend(answer.sort.map(|index| Action::Table(Act::Sort(index))));
    actions.extend(answer.resized.map(|(index, width)| Action::Table(Act::Resize(index, width))));
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
