//! Paints a message's text: coloured, with the stretch marked that a row stands for.

use eframe::egui::{
    Label, Rect, ScrollArea, Sense, Ui,
    text::{LayoutJob, TextFormat},
};

use super::data::MessageData;
use crate::console::{
    action::Action,
    panels::padded,
    theme::{self, Space, Tokens},
    widgets::{Marks, caption},
};

/// The text beside or below the rows; hovering it marks the row that it belongs to.
pub fn wire_ui(ui: &mut Ui, data: &MessageData, marks: &mut Marks) {
    ScrollArea::vertical().id_salt("wire").auto_shrink([false, false]).show(ui, |ui| {
        padded(ui, |ui| {
            caption(ui, "On the wire");
            ui.add_space(Space::XS);
            let tokens = Tokens::of(ui);
            let now = marks.now();
            let (pos, galley, response) =
                Label::new(job(tokens, data, marks)).wrap().selectable(false).sense(Sense::HOVER).layout_in_ui(ui);
            ui.painter().galley(pos, galley.clone(), tokens.text);
            let chars_before = |at: usize| data.text.get(..at).map_or(0, |text| text.chars().count());
            if let Some((span, true)) = now {
                let cursor = eframe::egui::text::CCursor::new(chars_before(span.start));
                let line = galley.pos_from_cursor(cursor).translate(pos.to_vec2());
                ui.scroll_to_rect(Rect::from_min_size(line.min, eframe::egui::Vec2::new(1.0, 36.0)), None);
            }
            if let Some(pointer) = response.hover_pos() {
                let index = usize::from(galley.cursor_from_pos(pointer - pos).index);
                let at = data.text.char_indices().nth(index).map_or(data.text.len(), |(at, _)| at);
                if let Some(span) = data.spans().find(|span| span.contains(&at)) {
                    marks.over_bytes(span);
                }
            }
        });
    });
}

/// The whole text, to be read, selected and copied.
pub fn raw_ui(ui: &mut Ui, data: &MessageData, actions: &mut Vec<Action>) {
    let job = job(Tokens::of(ui), data, &Marks::default());
    let response = ui.add(Label::new(job).wrap().selectable(true).sense(Sense::CLICK));
    response.context_menu(|ui| {
        if ui.button("Copy message").clicked() {
            actions.push(Action::Copy(data.text.to_string()));
            ui.close();
        }
    });
}

fn job(tokens: &Tokens, data: &MessageData, marks: &Marks) -> LayoutJob {
    let mut job = LayoutJob::default();
    job.wrap.break_anywhere = true;
    let marked = marks.now().map(|(span, _)| span).unwrap_or_default();
    for (span, tone) in &data.raw {
        // Cut where the mark begins and ends.
        let cuts = [span.start, marked.start.clamp(span.start, span.end), marked.end.clamp(span.start, span.end), span.end];
        for (index, pair) in cuts.windows(2).enumerate() {
            let &[from, until] = pair else { continue };
            let Some(text) = data.text.get(from..until).filter(|text| !text.is_empty()) else { continue };
            let mut format = TextFormat { line_height: Some(18.0), ..TextFormat::simple(theme::mono(12.0), tokens.tone(*tone)) };
            if index == 1 {
                format.background = tokens.wash(tokens.accent, 0.3);
                format.color = tokens.text;
            }
            job.append(text, 0.0, format);
        }
    }
    job
}
