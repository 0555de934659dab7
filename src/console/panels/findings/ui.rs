//! Paints findings as cards.

use eframe::egui::{ScrollArea, Ui};

use super::data::FindingCard;
use crate::console::{
    action::Action,
    widgets::{empty_state, note},
};

pub fn findings_ui(ui: &mut Ui, cards: &[FindingCard], actions: &mut Vec<Action>) {
    if cards.is_empty() {
        empty_state(ui, "No findings", "Nothing wrong or risky was seen in this call", None, actions);
        return;
    }
    ScrollArea::vertical().id_salt("findings").auto_shrink([false, false]).show(ui, |ui| {
        super::super::padded(ui, |ui| cards_ui(ui, cards));
    });
}

pub fn cards_ui(ui: &mut Ui, cards: &[FindingCard]) {
    for card in cards {
        let sentences: Vec<&str> = card.sentences.iter().map(String::as_str).collect();
        note(ui, card.tone, &card.title, &sentences);
    }
}
