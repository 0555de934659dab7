//! Paints the payload: bar, legend, rows, advice, the value as sent, and what it means step by step.

use eframe::egui::{
    Frame, Label, Margin, RichText, ScrollArea, Sense, Stroke, Ui,
    text::{LayoutJob, TextFormat},
};

use super::data::{COLUMNS, PayloadData, STEP_COLUMNS};
use crate::console::{
    action::Action,
    theme::{self, Radius, Space, Tokens, Tone},
    widgets::{Marks, budget_bar, caption, empty_state, note, small_table_marked},
};

pub fn payload_ui(ui: &mut Ui, data: Option<&PayloadData>, actions: &mut Vec<Action>) {
    let Some(data) = data else {
        let sentence = "It is shown here when the agent ends its part and the call goes back by REFER or INVITE";
        empty_state(ui, "No payload yet", sentence, None, actions);
        return;
    };
    let mut marks = Marks::begin(ui, "payload");
    ScrollArea::vertical().id_salt("payload").auto_shrink([false, false]).show(ui, |ui| {
        super::super::padded(ui, |ui| {
            payload_body_ui(ui, data, (&mut marks, 0), actions);
            steps_ui(ui, data, &mut marks);
        });
    });
    marks.end(ui, "payload");
}

/// The same within another panel. `marks` are of a text in which the value begins at the number beside them.
pub fn payload_body_ui(ui: &mut Ui, data: &PayloadData, marks: (&mut Marks, usize), actions: &mut Vec<Action>) {
    let (marks, base) = marks;
    caption(ui, &data.title);
    budget_bar(ui, "Budget", &data.segments, data.limit);
    ui.scope(|ui| legend(ui, data));
    ui.add_space(Space::XS);
    rows_ui(ui, "payload rows", data, marks, base);
    if let Some(advice) = &data.advice {
        ui.add_space(Space::S);
        let sentences: Vec<&str> = std::iter::once(&advice.cure).chain(&advice.more).map(String::as_str).collect();
        note(ui, Tone::Warn, &advice.title, &sentences);
    }
    ui.add_space(Space::S);
    caption(ui, "As sent; click to copy");
    as_sent_ui(ui, data, marks, base, actions);
}

fn rows_ui(ui: &mut Ui, id: &str, data: &PayloadData, marks: &mut Marks, base: usize) {
    let span = |index: usize| data.spans.get(index).map(|span| span.start + base..span.end + base);
    let hovered = small_table_marked(ui, id, &COLUMNS, &data.rows, |index| span(index).is_some_and(|span| marks.is_marked(&span)));
    if let Some(span) = hovered.and_then(span) {
        marks.over_row(&span);
    }
}

/// The whole value; the stretch that is marked stands out, and hovering a stretch marks its row.
fn as_sent_ui(ui: &mut Ui, data: &PayloadData, marks: &mut Marks, base: usize, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    let mut job = LayoutJob::default();
    job.wrap.break_anywhere = true;
    let mut at = base;
    for (text, tone) in &data.raw {
        let span = at..at + text.len();
        at = span.end;
        let is_item = data.spans.iter().any(|item| item.start + base == span.start);
        let mut format = TextFormat::simple(theme::mono(12.0), tokens.tone(*tone));
        if is_item && marks.is_marked(&span) {
            format.background = tokens.wash(tokens.tone(*tone), 0.28);
        }
        job.append(text, 0.0, format);
    }
    let frame = Frame::new().fill(tokens.background).stroke(Stroke::new(1.0, tokens.line)).corner_radius(Radius::CONTROL);
    frame.inner_margin(Margin::symmetric(10, 8)).show(ui, |ui| {
        ui.set_width(ui.available_width());
        let (pos, galley, response) = Label::new(job).wrap().selectable(false).sense(Sense::CLICK).layout_in_ui(ui);
        if let Some(pointer) = response.hover_pos() {
            let index = galley.cursor_from_pos(pointer - pos).index;
            // The value is ASCII: its characters are its bytes.
            let item = data.spans.iter().find(|item| item.contains(&usize::from(index)));
            if let Some(item) = item {
                marks.over_bytes(&(item.start + base..item.end + base));
            }
        }
        ui.painter().galley(pos, galley, tokens.text);
        let whole = || data.raw.iter().map(|(text, _)| text.as_str()).collect::<String>();
        response.widget_info(|| eframe::egui::WidgetInfo::labeled(eframe::egui::Role::Button, true, "Copy the value as sent"));
        if response.clicked() {
            actions.push(Action::Copy(whole()));
        }
    });
}

/// From the value to what it means.
fn steps_ui(ui: &mut Ui, data: &PayloadData, marks: &mut Marks) {
    let tokens = Tokens::of(ui);
    ui.add_space(Space::M);
    caption(ui, "Step by step");
    let count = crate::console::text::count(data.steps.len(), "URI header", "URI headers");
    let steps = [
        ("1", "Between the angle brackets stands a URI", String::new()),
        ("2", "Before its ? stands whom the new call goes to", data.target.clone()),
        ("3", "Behind it stand what the new INVITE carries, joined by &", count),
        ("4", "Each is split at its first = and unescaped once, names and values", String::new()),
    ];
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        ui.spacing_mut().interact_size.y = 18.0;
        for (number, words, shown) in steps {
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = Space::S;
                ui.label(RichText::new(number).font(theme::mono(12.0)).color(tokens.accent));
                ui.label(RichText::new(words).size(12.5).color(tokens.text_soft));
                ui.label(RichText::new(shown).font(theme::mono(12.0)).color(tokens.text));
            });
        }
    });
    let marked = |index: usize| data.spans.get(index).is_some_and(|span| marks.is_marked(span));
    let hovered = small_table_marked(ui, "payload steps", &STEP_COLUMNS, &data.steps, marked);
    if let Some(span) = hovered.and_then(|index| data.spans.get(index)) {
        marks.over_row(span);
    }
}

fn legend(ui: &mut Ui, data: &PayloadData) {
    let tokens = Tokens::of(ui);
    ui.spacing_mut().interact_size.y = 14.0;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 14.0;
        for (text, tone) in &data.legend {
            let colour = tokens.tone(*tone);
            let mut job = LayoutJob::default();
            job.append("■ ", 0.0, TextFormat::simple(theme::text(11.0), colour));
            let soft = if *tone == Tone::Wrong { colour } else { tokens.text_soft };
            job.append(text, 0.0, TextFormat::simple(theme::text(11.5), soft));
            ui.label(job);
        }
    });
}
