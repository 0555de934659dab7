//! Paints the comparison, or how one gets to it.

use eframe::egui::{
    Align2, Layout, Pos2, Rect, RichText, Role, ScrollArea, Sense, Stroke, Ui, Vec2, WidgetInfo,
    text::{LayoutJob, TextFormat},
};

use super::{
    Act, State,
    data::{Comparison, Row, RowKind, Suggestion},
    words::Piece,
};
use crate::console::{
    action::Action,
    panels::padded,
    theme::{self, Icon, Space, Tokens},
    widgets::{Look, action_button, caption, elided, icon_button},
};

/// What is painted.
pub struct CompareView<'a> {
    pub state: &'a State,
    /// The two in words: `INVITE · Customer → Bridge · 14:02:09.012`.
    pub pinned: Option<&'a str>,
    pub shown: &'a str,
    pub comparison: Option<&'a Comparison>,
    pub suggestions: &'a [Suggestion],
}

pub fn compare_ui(ui: &mut Ui, view: &CompareView<'_>, actions: &mut Vec<Action>) {
    ScrollArea::vertical().id_salt("compare").auto_shrink([false, false]).show(ui, |ui| {
        padded(ui, |ui| match (view.pinned, view.comparison) {
            (Some(pinned), Some(comparison)) => both_ui(ui, view, pinned, comparison, actions),
            (pinned, _) => choose_ui(ui, view, pinned.is_some(), actions),
        });
    });
}

/// Nothing to compare yet: what would be good, and how to choose freely.
fn choose_ui(ui: &mut Ui, view: &CompareView<'_>, is_pinned: bool, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    ui.spacing_mut().item_spacing.y = Space::S;
    if is_pinned {
        ui.label(RichText::new("This message is pinned. Choose another one, in the ladder or in Messages").color(tokens.text_soft));
        action_button(ui, Action::Compare(Act::Unpin), Look::Plain, None, actions);
    } else {
        ui.label(RichText::new("Pin this message and choose another one, in the ladder or in Messages").color(tokens.text_soft));
        action_button(ui, Action::Compare(Act::Pin), Look::Plain, None, actions);
    }
    if view.suggestions.is_empty() {
        return;
    }
    ui.add_space(Space::S);
    caption(ui, "Or compare it with");
    ui.spacing_mut().item_spacing.y = 0.0;
    for suggestion in view.suggestions {
        let (rect, response) = ui.allocate_exact_size(Vec2::new(ui.available_width(), 44.0), Sense::click());
        let words = format!("Compare with {}, {}", suggestion.title, suggestion.detail);
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &words));
        if response.hovered() || response.has_focus() {
            ui.painter().rect_filled(rect, theme::Radius::CONTROL, tokens.raised);
        }
        ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, tokens.wash(tokens.line, 0.7)));
        let line =
            |y: f32| Rect::from_min_max(Pos2::new(rect.left() + 8.0, rect.top() + y), Pos2::new(rect.right() - 8.0, rect.top() + y + 18.0));
        let font = eframe::egui::FontId::new(12.5, theme::family(theme::MEDIUM));
        elided(ui.painter(), line(4.0), Align2::LEFT_CENTER, &suggestion.title, font, tokens.text);
        elided(ui.painter(), line(22.0), Align2::LEFT_CENTER, &suggestion.detail, theme::text(12.0), tokens.text_faint);
        if response.clicked() {
            actions.push(Action::Compare(Act::With(suggestion.number)));
        }
    }
}

fn both_ui(ui: &mut Ui, view: &CompareView<'_>, pinned: &str, comparison: &Comparison, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    ui.spacing_mut().item_spacing.y = Space::XS;
    ui.horizontal(|ui| {
        ui.label(RichText::new(&comparison.summary).size(12.5).color(tokens.text_soft));
        ui.with_layout(Layout::right_to_left(eframe::egui::Align::Center), |ui| {
            icon_button(ui, Action::Copy(comparison.to_text(view.state.all)), "Copy comparison", actions);
            action_button(ui, Action::Compare(Act::Unpin), Look::Plain, None, actions);
            action_button(ui, Action::Compare(Act::ShowAll(!view.state.all)), Look::Plain, None, actions);
        });
    });
    let columns = Columns::new(ui);
    head_ui(ui, &columns, pinned, view.shown);
    ui.spacing_mut().item_spacing.y = 0.0;
    for (index, row) in comparison.rows.iter().enumerate().filter(|(_, row)| view.state.all || row.kind != RowKind::Same) {
        row_ui(ui, &columns, index, row);
    }
}

struct Columns {
    name: f32,
    value: f32,
}

impl Columns {
    fn new(ui: &Ui) -> Self {
        let width = ui.available_width();
        let name = (width * 0.22).clamp(116.0, 190.0);
        Self { name, value: (width - name) / 2.0 - GAP }
    }

    fn left(&self, rect: Rect) -> f32 {
        rect.left() + self.name
    }

    fn right(&self, rect: Rect) -> f32 {
        self.left(rect) + self.value + GAP
    }
}

fn head_ui(ui: &mut Ui, columns: &Columns, pinned: &str, shown: &str) {
    let tokens = Tokens::of(ui);
    let (rect, _) = ui.allocate_exact_size(Vec2::new(ui.available_width(), 28.0), Sense::hover());
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, tokens.line));
    let cell = |left: f32| Rect::from_min_size(Pos2::new(left, rect.top()), Vec2::new(columns.value, rect.height()));
    Icon::Pin.paint(ui.painter(), Pos2::new(columns.left(rect) + 6.0, rect.center().y), 11.0, tokens.accent);
    let left = cell(columns.left(rect) + 16.0).intersect(cell(columns.left(rect)));
    elided(ui.painter(), left, Align2::LEFT_CENTER, pinned, theme::text(11.5), tokens.text_faint);
    elided(ui.painter(), cell(columns.right(rect)), Align2::LEFT_CENTER, shown, theme::text(11.5), tokens.text_faint);
}

fn row_ui(ui: &mut Ui, columns: &Columns, index: usize, row: &Row) {
    let tokens = Tokens::of(ui);
    let (icon, colour) = match row.kind {
        RowKind::Same => ("", tokens.text_faint),
        RowKind::Changed => ("~", tokens.warn),
        RowKind::Added => ("+", tokens.good),
        RowKind::Removed => ("−", tokens.wrong),
        RowKind::Moved => ("↕", tokens.customer),
    };
    let layout = |pieces: &[Piece]| {
        let mut job = LayoutJob::default();
        job.wrap.max_width = columns.value;
        job.wrap.break_anywhere = true;
        for piece in pieces {
            let plain = if row.kind == RowKind::Same { tokens.text_faint } else { tokens.text };
            let mut format = TextFormat::simple(theme::mono(12.0), plain);
            if piece.marked {
                format.background = tokens.wash(tokens.warn, 0.28);
            }
            job.append(&piece.text, 0.0, format);
        }
        ui.painter().layout_job(job)
    };
    let (left, right) = (layout(&row.left), layout(&row.right));
    let note = if row.note.is_empty() { 0.0 } else { 16.0 };
    let height = left.size().y.max(right.size().y).max(15.0) + note + 11.0;
    let (rect, _) = ui.allocate_exact_size(Vec2::new(ui.available_width(), height), Sense::hover());
    let response = ui.interact(rect, ui.scope_id().with(("compared", index)), Sense::HOVER);
    response.widget_info(|| {
        let join = |pieces: &[Piece]| pieces.iter().map(|p| p.text.as_str()).collect::<String>();
        WidgetInfo::labeled(Role::Row, true, format!("{} {}: {} → {}", row.kind.word(), row.name, join(&row.left), join(&row.right)))
    });
    match row.kind {
        RowKind::Added | RowKind::Removed => {
            ui.painter().rect_filled(rect, 0.0, tokens.wash(colour, 0.07));
        }
        _ if response.hovered() => {
            ui.painter().rect_filled(rect, 0.0, tokens.raised);
        }
        _ => {}
    }
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, tokens.wash(tokens.line, 0.6)));
    let line = Rect::from_min_size(rect.left_top() + Vec2::new(4.0, 5.0), Vec2::new(columns.name - 12.0, 15.0));
    ui.painter().text(line.left_center(), Align2::LEFT_CENTER, icon, theme::mono_medium(13.0), colour);
    let name = Rect::from_min_max(line.min + Vec2::new(16.0, 0.0), line.max);
    elided(
        ui.painter(),
        name,
        Align2::LEFT_CENTER,
        &row.name,
        theme::text(12.0),
        if row.kind == RowKind::Same { tokens.text_faint } else { tokens.text_soft },
    );
    let top = rect.top() + 5.0;
    let below = top + left.size().y.max(right.size().y) + 2.0;
    ui.painter().galley(Pos2::new(columns.left(rect), top), left, tokens.text);
    ui.painter().galley(Pos2::new(columns.right(rect), top), right, tokens.text);
    if !row.note.is_empty() {
        ui.painter().text(Pos2::new(columns.left(rect), below), Align2::LEFT_TOP, &row.note, theme::text(11.5), tokens.text_faint);
    }
    response.on_hover_text(row.kind.word());
}

/// Between the two values.
const GAP: f32 = 12.0;
