//! Paints the list of columns to choose from.

use eframe::egui::{Popup, PopupCloseBehavior, Response, RichText, ScrollArea, TextEdit, Ui};

use super::{Act, Columns, Kind};
use crate::console::{
    action::Action,
    theme::{self, Space, Tokens},
    widgets::{Look, action_button, caption},
};

/// Opens at `button`.
pub fn columns_ui(button: &Response, columns: &Columns, typed: &mut String, actions: &mut Vec<Action>) {
    Popup::menu(button).close_behavior(PopupCloseBehavior::CloseOnClickOutside).show(|ui| {
        ui.set_width(300.0);
        ui.spacing_mut().item_spacing.y = Space::XS;
        ui.spacing_mut().interact_size.y = 22.0;
        ui.add_space(Space::XS);
        ScrollArea::vertical().max_height(320.0).show(ui, |ui| {
            caption(ui, "Columns");
            for kind in Kind::PLAIN {
                check(ui, columns, &kind, &kind.title(), actions);
            }
            let more: Vec<&Kind> = columns.shown.iter().map(|shown| &shown.kind).filter(|kind| !Kind::PLAIN.contains(kind)).collect();
            for kind in more {
                check(ui, columns, kind, &kind.to_string(), actions);
            }
        });
        ui.separator();
        add_ui(ui, columns, typed, actions);
        action_button(ui, Action::Table(Act::UsualColumns), Look::Plain, None, actions);
        ui.add_space(Space::XS);
    });
}

fn check(ui: &mut Ui, columns: &Columns, kind: &Kind, title: &str, actions: &mut Vec<Action>) {
    let mut shown = columns.has(kind);
    let only = shown && columns.shown.len() == 1;
    let response = ui.add_enabled(!only, eframe::egui::Checkbox::new(&mut shown, RichText::new(title).size(12.5)));
    if response.changed() {
        actions.push(Action::Table(Act::Toggle(kind.clone())));
    }
}

/// Any header or variable as a column.
fn add_ui(ui: &mut Ui, columns: &Columns, typed: &mut String, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    let label = caption(ui, "Any header or variable: User-Agent, iv:accountNumber, tv:next_action");
    let edit = TextEdit::singleline(typed)
        .font(theme::mono(12.0))
        .hint_text(RichText::new("iv:accountNumber").font(theme::mono(12.0)).color(tokens.text_faint))
        .margin(eframe::egui::Margin::symmetric(9, 6))
        .desired_width(f32::INFINITY);
    let response = ui.add(edit).labelled_by(label.id);
    let parsed = typed.parse::<Kind>();
    if !typed.trim().is_empty()
        && let Err(why) = &parsed
    {
        ui.label(RichText::new(why.to_string()).size(12.0).color(tokens.wrong));
    }
    let entered = response.lost_focus() && ui.input(|i| i.key_pressed(eframe::egui::Key::Enter));
    if let (true, Ok(kind)) = (entered, parsed) {
        if !columns.has(&kind) {
            actions.push(Action::Table(Act::Toggle(kind)));
        }
        typed.clear();
        response.request_focus();
    }
}
