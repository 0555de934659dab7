//! Paints the place: filter, list, and the chosen message below.

use eframe::egui::{Align, Frame, Key, Layout, Panel, RichText, Role, Sense, Ui, Vec2, WidgetInfo};
use jiff::tz::TimeZone;

use super::{
    Act, State,
    data::{self, COLUMNS},
    field::filter_field,
};
use crate::{
    console::{
        action::Action,
        log::{LogRow, LogView, filter::KEYS},
        theme::{self, Icon, Radius, Space, Tokens},
        widgets::{Look, Table, TableRow, action_button, empty_state},
    },
    model::CallRecord,
};

/// What the place is painted from.
pub struct MessagesPlace<'a> {
    pub view: &'a LogView,
    /// Messages that came while the list stays still.
    pub unlisted: usize,
    pub zone: &'a TimeZone,
    pub call: &'a dyn Fn(&LogRow) -> Option<&'a CallRecord>,
}

/// The filter and the list; the message below is another panel's.
pub fn messages_ui(ui: &mut Ui, state: &mut State, place: &MessagesPlace<'_>, actions: &mut Vec<Action>) {
    let fill = Tokens::of(ui).panel;
    let bar = Panel::top("message filter").resizable(false).show_separator_line(true).frame(Frame::new().fill(fill));
    bar.show(ui, |ui| bar_ui(ui, state, place, actions));
    list_ui(ui, state, place, actions);
}

fn bar_ui(ui: &mut Ui, state: &mut State, place: &MessagesPlace<'_>, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    ui.spacing_mut().item_spacing.y = 0.0;
    ui.add_space(7.0);
    let mut fault = None;
    ui.horizontal(|ui| {
        ui.add_space(14.0);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add_space(14.0);
            action_button(ui, Action::Messages(Act::Follow(!state.follow)), Look::Plain, None, actions);
            let counts = RichText::new(data::counts(place.view, !state.filter.trim().is_empty())).size(12.0).color(tokens.text_faint);
            ui.label(counts).on_hover_text(data::counts_hover(place.view));
            if place.unlisted > 0 {
                new_ui(ui, place.unlisted, actions);
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let width = (ui.available_width() - Space::M).max(120.0);
                fault = filter_field(ui, &mut state.filter, &mut state.focus, width);
            });
        });
    });
    if let Some(fault) = fault {
        ui.add_space(5.0);
        ui.horizontal(|ui| {
            ui.spacing_mut().interact_size.y = 16.0;
            ui.add_space(14.0);
            ui.label(RichText::new(Icon::Error.glyph()).font(theme::icon(12.0)).color(tokens.wrong));
            ui.label(RichText::new(fault.to_string()).size(12.0).color(tokens.wrong));
        });
    }
    ui.add_space(7.0);
}

/// A pill; pressing it lists what is new.
fn new_ui(ui: &mut Ui, count: usize, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    let text = format!("{} new", crate::console::text::grouped(count as u64));
    let galley = crate::console::widgets::fit(ui.painter(), &text, theme::text(11.5), tokens.on_fill, 90.0);
    let (rect, response) = ui.allocate_exact_size(galley.size() + Vec2::new(30.0, 7.0), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &text));
    let fill = if response.hovered() || response.has_focus() { tokens.text } else { tokens.accent };
    ui.painter().rect_filled(rect, Radius::PILL, fill);
    Icon::Down.paint(ui.painter(), rect.left_center() + Vec2::new(12.0, 0.0), 11.0, tokens.on_fill);
    ui.painter().galley(rect.left_center() + Vec2::new(21.0, -galley.size().y / 2.0), galley, tokens.on_fill);
    let face = Action::Messages(Act::ShowNew).face();
    if response.on_hover_text(face.tooltip).clicked() {
        actions.push(Action::Messages(Act::ShowNew));
    }
}

fn list_ui(ui: &mut Ui, state: &mut State, place: &MessagesPlace<'_>, actions: &mut Vec<Action>) {
    let view = place.view;
    if view.held == 0 {
        let sentence = "Every SIP message appears here as it crosses the wire, whether it belongs to a call or not";
        empty_state(ui, "No messages yet", sentence, Some(Action::PlaceTestCall), actions);
        return;
    }
    if view.len == 0 {
        nothing_ui(ui, view, actions);
        return;
    }
    let chosen = state.chosen.and_then(|number| view.position(number).ok());
    let reveal = if state.follow { Some(view.len - 1) } else { chosen.filter(|_| std::mem::take(&mut state.reveal)) };
    let table = Table { id: "messages", columns: &COLUMNS, reveal, active: true };
    let answer = table.show(ui, view.len, |index| {
        let Some(row) = view.get(index) else { return TableRow { cells: Vec::new(), name: String::new(), chosen: false } };
        let before = index.checked_sub(1).and_then(|before| view.get(before)).map(|row| row.message.at);
        data::row(row, before, (place.call)(row), place.zone, Some(index) == chosen)
    });
    if let Some(row) = answer.clicked.and_then(|index| view.get(index)) {
        actions.push(Action::Messages(Act::Choose(row.number())));
    }
    if let Some((row, call)) = answer.opened.and_then(|index| view.get(index)).and_then(|row| Some((row, (place.call)(row)?.id))) {
        actions.push(Action::Messages(Act::ShowCall(call, row.number())));
    }
    // Who scrolls up wants to read.
    let scrolls_up = answer.hovered && ui.input(|i| i.smooth_scroll_delta().y > 0.0 || i.key_pressed(Key::PageUp));
    if state.follow && scrolls_up {
        actions.push(Action::Messages(Act::Follow(false)));
    }
}

/// Nothing matches: what can be asked, each a click away.
fn nothing_ui(ui: &mut Ui, view: &LogView, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    if !view.done {
        empty_state(ui, "Looking…", "The newest messages are looked through first", None, actions);
        return;
    }
    empty_state(ui, "No message matches", "All words must hold; a - before one turns it round", None, actions);
    ui.add_space(Space::M);
    ui.vertical_centered(|ui| {
        ui.set_max_width(640.0);
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = Vec2::splat(Space::S);
            for (_, example) in KEYS {
                let words = RichText::new(example).font(theme::mono(12.0)).color(tokens.accent);
                if ui.button(words).on_hover_text("Filter by this").clicked() {
                    actions.push(Action::Messages(Act::Narrow(example.to_owned())));
                }
            }
        });
        ui.add_space(Space::S);
        action_button(ui, Action::Messages(Act::Narrow(String::new())), Look::Primary, None, actions);
    });
}
