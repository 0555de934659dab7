//! The filter's field: what is typed in the colours of its parts, and below it what cannot be read.

use std::sync::Arc;

use eframe::egui::{
    Galley, Margin, RichText, Stroke, TextEdit, Ui,
    text::{LayoutJob, TextFormat},
};

use crate::console::{
    log::{
        FilterFault,
        filter::{Filter, Token, TokenKind},
    },
    theme::{self, Tokens},
};

/// The field `width` wide; the fault comes back.
pub fn filter_field(ui: &mut Ui, text: &mut String, focus: &mut bool, width: f32) -> Option<FilterFault> {
    let tokens = Tokens::of(ui);
    let mut layouter = |ui: &Ui, text: &dyn eframe::egui::TextBuffer, _: f32| coloured(ui, text.as_str());
    let hint = "Filter: method:INVITE  status:4xx  host:10.4.  header:Name=value  has:Name  words";
    let edit = TextEdit::singleline(text)
        .font(theme::mono(12.0))
        .hint_text(RichText::new(hint).font(theme::mono(12.0)).color(tokens.text_faint))
        .margin(Margin::symmetric(9, 6))
        .desired_width(width)
        .layouter(&mut layouter);
    let response = ui.add(edit).accessible_name("Filter messages");
    if std::mem::take(focus) {
        response.request_focus();
    }
    Filter::parse(text).0.err()
}

fn coloured(ui: &Ui, text: &str) -> Arc<Galley> {
    let tokens = Tokens::of(ui);
    let (_, parts) = Filter::parse(text);
    let mut job = LayoutJob::default();
    let mut done = 0;
    let mut append = |from: usize, until: usize, token: Option<&Token>| {
        let colour = match token.map(|t| t.kind) {
            Some(TokenKind::Key) => tokens.accent,
            Some(TokenKind::Bad) => tokens.wrong,
            Some(TokenKind::Value) | None => tokens.text,
        };
        let underline = if token.is_some_and(|t| t.kind == TokenKind::Bad) { Stroke::new(1.0, tokens.wrong) } else { Stroke::NONE };
        let format = TextFormat { underline, ..TextFormat::simple(theme::mono(12.0), colour) };
        if let Some(piece) = text.get(from..until).filter(|piece| !piece.is_empty()) {
            job.append(piece, 0.0, format);
        }
    };
    for token in &parts {
        append(done, token.span.start, None);
        append(token.span.start, token.span.end, Some(token));
        done = token.span.end;
    }
    append(done, text.len(), None);
    ui.painter().layout_job(job)
}
