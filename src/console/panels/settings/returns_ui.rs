//! Paints the three ways back as cards, and the editor of the sample variables.

use eframe::egui::{
    Align, FontId, Frame, Label, Layout, Margin, Pos2, Rect, RichText, Role, Sense, Stroke, StrokeKind, Ui, UiBuilder, Vec2, WidgetInfo,
    text::{LayoutJob, TextFormat},
};

use super::{act::Kind, paint::set, state::Sample};
use crate::{
    console::{
        action::Action,
        panels::{payload::data::PayloadData, test_call::variables_ui},
        theme::{self, Radius, Space, Tokens, Tone},
        widgets::{FieldLook, budget_bar, caption, labelled_field, note, segmented},
    },
    model::{Outcome, ReturnMethod},
};

pub fn methods_ui(ui: &mut Ui, key: &str, chosen: ReturnMethod, actions: &mut Vec<Action>) {
    let width = ((ui.available_width() - 2.0 * Space::M) / 3.0).floor();
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = Space::M;
        for method in [ReturnMethod::Refer, ReturnMethod::Invite, ReturnMethod::Bye] {
            if method_ui(ui, method, method == chosen, width) && method != chosen {
                actions.push(set(key, Kind::Text, method.name().to_owned()));
            }
        }
    });
}

fn method_ui(ui: &mut Ui, method: ReturnMethod, chosen: bool, width: f32) -> bool {
    let tokens = Tokens::of(ui);
    let (rect, response) = ui.allocate_exact_size(Vec2::new(width, 128.0), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, chosen, format!("Return by {}", method.name())));
    let lit = response.hovered() || response.has_focus();
    let (fill, line) = match (chosen, lit) {
        (true, _) => (tokens.wash(tokens.returned, 0.1), tokens.returned),
        (false, true) => (tokens.raised, tokens.text_faint),
        (false, false) => (tokens.panel, tokens.line),
    };
    ui.painter().rect(rect, Radius::CARD, fill, Stroke::new(1.0, line), StrokeKind::Inside);
    if response.has_focus() {
        ui.painter().rect_stroke(rect.shrink(3.0), Radius::CONTROL, Stroke::new(1.0, tokens.accent), StrokeKind::Inside);
    }
    let inner = Rect::from_min_max(rect.min + Vec2::splat(14.0), Pos2::new(rect.right() - 12.0, rect.bottom() - 8.0));
    // Within the card, which has its room already.
    let mut ui = ui.new_child(UiBuilder::new().max_rect(inner).layout(Layout::top_down(Align::Min)));
    ui.spacing_mut().item_spacing.y = 5.0;
    let colour = if chosen { tokens.returned } else { tokens.text };
    ui.label(RichText::new(method.name()).font(FontId::new(13.5, theme::family(theme::SEMIBOLD))).color(colour));
    ui.add(Label::new(RichText::new(words(method)).size(12.5).color(tokens.text_soft)).wrap());
    response.clicked()
}

fn words(method: ReturnMethod) -> &'static str {
    match method {
        ReturnMethod::Refer => "Blind transfer. The context rides in the Refer-To URI; the bridge leaves the call.",
        ReturnMethod::Invite => "The bridge calls the return URI and stays in the call, between it and the caller.",
        ReturnMethod::Bye => "The call ends; your system still holds the caller and fetches the context.",
    }
}

/// The budget, and the value as it would be sent.
pub fn payload_ui(ui: &mut Ui, data: &PayloadData, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    budget_bar(ui, &data.title, &data.segments, data.limit);
    let mut words = LayoutJob::default();
    for (text, tone) in &data.legend {
        let colour = tokens.tone(*tone);
        let lead = if words.is_empty() { 0.0 } else { 14.0 };
        words.append("■ ", lead, TextFormat::simple(theme::text(11.0), colour));
        words.append(text, 0.0, TextFormat::simple(theme::text(11.5), if *tone == Tone::Wrong { colour } else { tokens.text_soft }));
    }
    ui.label(words);
    if let Some(advice) = &data.advice {
        note(ui, Tone::Warn, &advice.title, &[&advice.cure]);
    }
    let mut job = LayoutJob::default();
    job.wrap.break_anywhere = true;
    for (text, tone) in &data.raw {
        job.append(text, 0.0, TextFormat::simple(theme::mono(12.0), tokens.tone(*tone)));
    }
    let frame = Frame::new().fill(tokens.background).stroke(Stroke::new(1.0, tokens.line)).corner_radius(Radius::CONTROL);
    frame.inner_margin(Margin::symmetric(10, 8)).show(ui, |ui| {
        ui.set_width(ui.available_width());
        let response = ui.add(Label::new(job).wrap().selectable(false).sense(Sense::CLICK));
        if response.on_hover_text("Click to copy").clicked() {
            actions.push(Action::Copy(data.raw.iter().map(|(text, _)| text.as_str()).collect()));
        }
    });
}

pub fn sample_ui(ui: &mut Ui, sample: &mut Sample) {
    let width = ui.available_width();
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = Space::M;
        labelled_field(ui, "Conversation", FieldLook::default(), &mut sample.conversation, width - 170.0);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = Space::XS + 1.0;
            caption(ui, "Outcome");
            let outcomes = [(Outcome::System, "SYSTEM"), (Outcome::Agent, "AGENT")];
            sample.outcome = segmented(ui, "Outcome", sample.outcome, &outcomes).unwrap_or(sample.outcome);
        });
    });
    caption(ui, "Transfer variables  X-GA-tv-*");
    ui.add_space(-Space::XS);
    variables_ui(ui, "transfer variable", &mut sample.transfer);
    caption(ui, "Reference variables  X-GA-rv-*");
    ui.add_space(-Space::XS);
    variables_ui(ui, "reference variable", &mut sample.reference);
}
