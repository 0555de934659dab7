//! The peers as a list: the chosen one can be moved and removed.

use eframe::egui::{Align, Align2, Layout, Pos2, Rect, Role, Sense, Ui, UiBuilder, Vec2, WidgetInfo};

use super::{
    act::{Act, Kind},
    form::PeerRow,
    paint::{BUTTON, CellEdit, set},
};
use crate::console::{
    action::Action,
    theme::{self, Radius, Tokens},
    widgets::{elided, icon_button},
};

pub fn peers_ui(ui: &mut Ui, peers: &[PeerRow], can_be_edited: bool, actions: &mut Vec<Action>) {
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing = Vec2::new(0.0, 2.0);
        for (index, peer) in peers.iter().enumerate() {
            peer_ui(ui, index, peers.len(), peer, can_be_edited, actions);
        }
    });
}

fn peer_ui(ui: &mut Ui, index: usize, peers: usize, peer: &PeerRow, can_be_edited: bool, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    let (rect, _) = ui.allocate_exact_size(Vec2::new(ui.available_width(), 34.0), Sense::hover());
    let edited = peer.chosen && can_be_edited;
    let buttons = if can_be_edited { 3.0 * BUTTON } else { 0.0 };
    let left = rect.left() + 30.0;
    let middle = left + (rect.width() - buttons - 30.0) * 0.46;
    let response = ui.interact(rect, ui.scope_id().with(("peer", index)), Sense::CLICK);
    response.widget_info(|| WidgetInfo::selected(Role::Tab, true, peer.chosen, &peer.name));
    if peer.chosen {
        ui.painter().rect_filled(rect, Radius::CONTROL, tokens.selected);
    } else if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, Radius::CONTROL, tokens.raised);
    }
    let number = Rect::from_min_size(rect.min, Vec2::new(28.0, rect.height()));
    elided(ui.painter(), number, Align2::CENTER_CENTER, &(index + 1).to_string(), theme::mono(12.0), tokens.text_faint);
    let name = Rect::from_min_max(Pos2::new(left, rect.top() + 2.0), Pos2::new(middle - 8.0, rect.bottom() - 2.0));
    if edited {
        let mut row =
            ui.new_child(UiBuilder::new().max_rect(name.translate(Vec2::new(-8.0, 0.0))).layout(Layout::left_to_right(Align::Center)));
        let mut text = peer.typed.clone();
        let cell =
            CellEdit { id: &peer.key, name: "Name of the peer", hint: "a name", is_faulty: peer.is_faulty, is_changed: peer.is_changed };
        if cell.show(&mut row, &mut text, name.width()).changed() {
            actions.push(set(&peer.key, Kind::Text, text));
        }
    } else {
        let colour = if peer.is_faulty { tokens.wrong } else { tokens.text };
        elided(ui.painter(), name, Align2::LEFT_CENTER, &peer.name, theme::mono(12.0), colour);
    }
    let summary = Rect::from_min_max(Pos2::new(middle, rect.top()), Pos2::new(rect.right() - buttons - 4.0, rect.bottom()));
    elided(ui.painter(), summary, Align2::LEFT_CENTER, &peer.summary, theme::text(12.0), tokens.text_soft);
    if edited {
        let place = Rect::from_min_max(Pos2::new(rect.right() - buttons, rect.top()), rect.max - Vec2::new(4.0, 0.0));
        let mut row = ui.new_child(UiBuilder::new().max_rect(place).layout(Layout::right_to_left(Align::Center)));
        row.spacing_mut().item_spacing = Vec2::ZERO;
        buttons_ui(&mut row, index, peers, &peer.name, actions);
    }
    if response.clicked() {
        actions.push(Action::Settings(Act::ChoosePeer(index)));
    }
}

/// From the right.
fn buttons_ui(ui: &mut Ui, index: usize, peers: usize, name: &str, actions: &mut Vec<Action>) {
    let to = |to: usize| Action::Settings(Act::Move { key: "peers".to_owned(), from: index, to });
    icon_button(ui, Action::Settings(Act::Remove(format!("peers[{index}]"))), &format!("Remove {name}"), actions);
    if index + 1 < peers {
        icon_button(ui, to(index + 1), &format!("Move {name} down"), actions);
    }
    if index > 0 {
        icon_button(ui, to(index - 1), &format!("Move {name} up"), actions);
    }
}
