//! Paints the head of the chosen call.

use eframe::egui::{Align, Layout, RichText, Sense, Ui};

use super::data::CallHeader;
use crate::{
    console::{
        action::Action,
        panels::files::export_menu,
        theme::{self, Space, Tokens},
        widgets::{Look, action_button, caption, icon_button, pill, segmented},
    },
    model::ListenSide,
};

pub fn call_header_ui(ui: &mut Ui, header: &CallHeader, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    ui.horizontal_centered(|ui| {
        ui.add_space(Space::M + 2.0);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add_space(Space::M + 2.0);
            if header.from_file {
                export_menu(ui, header.exported, actions);
            } else {
                action_button(ui, Action::HangUp(header.id), Look::Danger, header.no_hang_up, actions);
                export_menu(ui, header.exported, actions);
                action_button(ui, Action::AskReturn(header.id), Look::Plain, header.no_return, actions);
            }
            if !header.from_file {
                action_button(ui, Action::Record(header.id, !header.recorded), Look::Plain, header.no_listen, actions);
                listen_ui(ui, header, actions);
            }
            if let Some((bridge, customer)) = header.sides {
                let choices = [(bridge, "Bridge"), (customer, "Test caller")];
                actions.extend(segmented(ui, "Seen from", header.id, &choices).map(Action::SelectCall));
                caption(ui, "Seen from");
            }
            ui.add_space(Space::M);
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.spacing_mut().item_spacing.x = Space::M;
                let title = RichText::new(&header.title).family(theme::family(theme::SEMIBOLD)).size(15.0).color(tokens.text);
                ui.label(title);
                pill(ui, &header.state, header.tone);
                let id = RichText::new(&header.sip_call_id).font(theme::mono(12.0)).color(tokens.text_faint);
                let id = ui.add(eframe::egui::Label::new(id).truncate().selectable(false).sense(Sense::CLICK));
                if id.on_hover_text("The customer leg's Call-ID; click to copy").clicked() {
                    actions.push(Action::Copy(header.sip_call_id.clone()));
                }
            });
        });
    });
}

/// The button, and while somebody listens, to whom. Painted from the right.
fn listen_ui(ui: &mut Ui, header: &CallHeader, actions: &mut Vec<Action>) {
    let Some(side) = header.listening else {
        action_button(ui, Action::Listen(header.id, Some(ListenSide::Both)), Look::Plain, header.no_listen, actions);
        return;
    };
    icon_button(ui, Action::Listen(header.id, None), "Stop listening", actions);
    let sides = [(ListenSide::Customer, "Customer"), (ListenSide::Both, "Both"), (ListenSide::Agent, "Agent")];
    let pressed = segmented(ui, "Listening to", side, &sides);
    actions.extend(pressed.map(|side| Action::Listen(header.id, Some(side))));
    caption(ui, "Listening to");
}
