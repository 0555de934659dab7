//! A table of 26 px rows of which only those in sight are made.

use std::borrow::Cow;

use eframe::egui::{
    Align2, Color32, FontId, Pos2, Rect, Response, Role, ScrollArea, Sense, Stroke, Ui, Vec2, WidgetInfo,
    text::{LayoutJob, TextFormat},
};

use super::{elided, fit_job, pill_at};
use crate::console::theme::{self, Icon, Space, Tokens, Tone};

/// A column's title and how it shares the width.
#[derive(Debug, Clone)]
pub struct Column {
    pub title: Cow<'static, str>,
    pub width: f32,
    /// Its share of what the fixed widths leave over.
    pub grow: f32,
    pub right: bool,
}

impl Column {
    pub const fn fixed(title: &'static str, width: f32) -> Self {
        Self { title: Cow::Borrowed(title), width, grow: 0.0, right: false }
    }

    pub const fn growing(title: &'static str, width: f32, grow: f32) -> Self {
        Self { title: Cow::Borrowed(title), width, grow, right: false }
    }

    pub const fn right(mut self) -> Self {
        self.right = true;
        self
    }
}

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    Text(String, Tone),
    /// What is on the wire.
    Wire(String, Tone),
    Pill(String, Tone),
    /// Counts with the sign of their severity: errors, warnings, notes.
    Findings {
        errors: usize,
        warnings: usize,
        notes: usize,
    },
    Struck(String, Tone),
    /// A word in its colour, and quiet ones that say more.
    Pair(String, Tone, String),
}

impl Cell {
    /// What it says, for the clipboard.
    pub fn words(&self) -> String {
        match self {
            Self::Text(text, _) | Self::Wire(text, _) | Self::Pill(text, _) | Self::Struck(text, _) => text.clone(),
            Self::Pair(title, _, gist) => format!("{title} {gist}"),
            Self::Findings { errors, warnings, notes } => format!("{errors} errors, {warnings} warnings, {notes} notes"),
        }
    }
}

/// One row, made when it is in sight.
#[derive(Debug, Clone, PartialEq)]
pub struct TableRow {
    pub cells: Vec<Cell>,
    /// The whole row in words, for screen readers and tests.
    pub name: String,
    pub chosen: bool,
}

pub struct Table<'a> {
    pub id: &'a str,
    pub columns: &'a [Column],
    /// Scroll so that this row is seen.
    pub reveal: Option<usize>,
    /// The keyboard moves in this table.
    pub active: bool,
}

/// A head that sorts, and rows that are marked besides the chosen one.
pub struct TableHead<'a> {
    /// The column that it is sorted by, and whether the greatest stands first.
    pub sorted: Option<(usize, bool)>,
    pub marked: &'a dyn Fn(usize) -> bool,
}

/// What the pointer did.
#[derive(Default)]
pub struct TableResponse {
    pub clicked: Option<usize>,
    /// Clicked twice.
    pub opened: Option<usize>,
    /// The title of this column was pressed.
    pub sort: Option<usize>,
    /// The edge of this column was drawn, to this width.
    pub resized: Option<(usize, f32)>,
    /// The list is scrolled away from its top.
    pub scrolled: bool,
    pub hovered: bool,
}

impl Table<'_> {
    /// The header and, in the height that is left, the rows.
    pub fn show(&self, ui: &mut Ui, rows: usize, row: impl FnMut(usize) -> TableRow) -> TableResponse {
        self.show_with(ui, None, rows, row)
    }

    /// The same with a head that sorts.
    pub fn show_with(
        &self,
        ui: &mut Ui,
        head: Option<&TableHead<'_>>,
        rows: usize,
        mut row: impl FnMut(usize) -> TableRow,
    ) -> TableResponse {
        ui.spacing_mut().item_spacing = Vec2::ZERO;
        let widths = self.widths(ui.available_width());
        let top = ui.cursor().min;
        let mut answer = TableResponse::default();
        self.header(ui, &widths, head, &mut answer);
        let mut area = ScrollArea::vertical().id_salt(self.id).auto_shrink([false, false]);
        if let Some(index) = self.reveal {
            area = self.reveal_in(ui, area, index);
        }
        let output = area.show_rows(ui, Space::ROW, rows, |ui, range| {
            for index in range {
                let row = row(index);
                let response = self.row(ui, index, &row, &widths, head.is_some_and(|head| (head.marked)(index)));
                self.menu(&response, &row, &widths);
                if response.clicked() {
                    answer.clicked = Some(index);
                }
                if response.double_clicked() {
                    answer.opened = Some(index);
                }
            }
        });
        ui.data_mut(|d| d.insert_temp(ui.scope_id().with(self.id), output.state.clamped_offset().y));
        answer.scrolled = output.state.clamped_offset().y > 1.0;
        let all = Rect::from_min_max(top, output.inner_rect.max);
        answer.hovered = ui.rect_contains_pointer(all);
        answer
    }

    /// Moves by as little as shows the row: nothing jumps that is already in sight.
    fn reveal_in(&self, ui: &Ui, area: ScrollArea, index: usize) -> ScrollArea {
        let offset: f32 = ui.data(|d| d.get_temp(ui.scope_id().with(self.id))).unwrap_or(0.0);
        let (top, height) = (index as f32 * Space::ROW, ui.available_height());
        if top < offset {
            area.vertical_scroll_offset(top)
        } else if top + Space::ROW > offset + height {
            area.vertical_scroll_offset(top + Space::ROW - height)
        } else {
            area
        }
    }

    fn widths(&self, available: f32) -> Vec<f32> {
        let fixed: f32 = self.columns.iter().map(|c| c.width).sum();
        let grow: f32 = self.columns.iter().map(|c| c.grow).sum();
        let spare = available - fixed - 2.0 * MARGIN;
        let columns = self.columns.iter();
        if spare >= 0.0 {
            return columns.map(|c| c.width + if grow > 0.0 { spare * c.grow / grow } else { 0.0 }).collect();
        }
        // Too narrow for all: each gives in proportion, and text is cut with an ellipsis.
        columns.map(|c| c.width * (available - 2.0 * MARGIN).max(1.0) / fixed).collect()
    }

    fn header(&self, ui: &mut Ui, widths: &[f32], head: Option<&TableHead<'_>>, answer: &mut TableResponse) {
        let tokens = Tokens::of(ui);
        let (bar, _) = ui.allocate_exact_size(Vec2::new(ui.available_width(), 28.0), Sense::hover());
        ui.painter().hline(bar.x_range(), bar.bottom() - 0.5, Stroke::new(1.0, tokens.line));
        for (index, (column, cell)) in self.columns.iter().zip(cells(bar, widths)).enumerate() {
            let rect = inset(cell, column, bar);
            let align = if column.right { Align2::RIGHT_CENTER } else { Align2::LEFT_CENTER };
            let Some(head) = head else {
                elided(ui.painter(), rect, align, &column.title, theme::text(11.5), tokens.text_faint);
                continue;
            };
            let order = head.sorted.filter(|(sorted, _)| *sorted == index).map(|(_, descending)| descending);
            let response = ui.interact(cell.shrink2(Vec2::new(2.0, 2.0)), ui.scope_id().with((self.id, "title", index)), Sense::click());
            response.widget_info(|| {
                let order = order.map_or("", |descending| if descending { ", sorted down" } else { ", sorted up" });
                WidgetInfo::labeled(Role::Button, true, format!("Sort by {}{order}", column.title))
            });
            let lit = order.is_some() || response.hovered() || response.has_focus();
            let colour = if lit { tokens.text } else { tokens.text_faint };
            if response.has_focus() {
                let stroke = Stroke::new(1.0, tokens.accent);
                ui.painter().rect_stroke(response.rect, theme::Radius::CONTROL, stroke, eframe::egui::StrokeKind::Inside);
            }
            let room = if order.is_some() { 13.0 } else { 0.0 };
            let words = super::fit(ui.painter(), &column.title, theme::text(11.5), colour, rect.width() - room);
            let left = if column.right { rect.right() - words.size().x } else { rect.left() };
            let arrow = if column.right { left - 8.0 } else { left + words.size().x + 8.0 };
            ui.painter().galley(Pos2::new(left, rect.center().y - words.size().y / 2.0), words, colour);
            if let Some(descending) = order {
                let icon = if descending { Icon::Follow } else { Icon::Up };
                icon.paint(ui.painter(), Pos2::new(arrow, rect.center().y), 11.0, tokens.accent);
            }
            if response.on_hover_text("Sort by this column: up, down, the newest first").clicked() {
                answer.sort = Some(index);
            }
            self.edge(ui, index, cell, widths, answer);
        }
    }

    /// The right edge of a title can be drawn.
    fn edge(&self, ui: &Ui, index: usize, cell: Rect, widths: &[f32], answer: &mut TableResponse) {
        let x = cell.right() + GAP / 2.0;
        let grip = Rect::from_min_max(Pos2::new(x - 3.0, cell.top()), Pos2::new(x + 3.0, cell.bottom()));
        let response = ui.interact(grip, ui.scope_id().with((self.id, "edge", index)), Sense::DRAG);
        if response.hovered() || response.dragged() {
            ui.ctx().set_cursor_icon(eframe::egui::CursorIcon::ResizeColumn);
            let colour = Tokens::of(ui).text_faint;
            ui.painter().vline(x, cell.y_range().shrink(6.0), Stroke::new(1.0, colour));
        }
        let drawn = response.drag_delta().x;
        if drawn != 0.0
            && let Some(width) = widths.get(index)
        {
            answer.resized = Some((index, width + drawn));
        }
    }

    /// The menu of a row: copy what is under the pointer, or all.
    fn menu(&self, response: &Response, row: &TableRow, widths: &[f32]) {
        let id = response.id.with("cell");
        if response.secondary_clicked() {
            let at = response.interact_pointer_pos().unwrap_or_default();
            let cell = cells(response.rect, widths).position(|cell| at.x < cell.right() + GAP).unwrap_or_default();
            response.ctx.data_mut(|d| d.insert_temp(id, cell));
        }
        response.context_menu(|ui| {
            let cell: usize = ui.data(|d| d.get_temp(id)).unwrap_or_default();
            let value = row.cells.get(cell).map(Cell::words).filter(|words| !words.is_empty() && words != "—");
            let title = self.columns.get(cell).map(|column| column.title.as_ref()).unwrap_or_default();
            if let Some(value) = value
                && ui.button(format!("Copy {title}")).clicked()
            {
                ui.ctx().copy_text(value);
                ui.close();
            }
            if ui.button("Copy row").clicked() {
                let words: Vec<String> = row.cells.iter().map(Cell::words).collect();
                ui.ctx().copy_text(words.join("\t"));
                ui.close();
            }
        });
    }

    fn row(&self, ui: &mut Ui, index: usize, row: &TableRow, widths: &[f32], marked: bool) -> Response {
        let tokens = Tokens::of(ui);
        let (rect, _) = ui.allocate_exact_size(Vec2::new(ui.available_width(), Space::ROW), Sense::hover());
        // Clickable, but no stop of the Tab key: the arrows move in a table.
        let response = ui.interact(rect, ui.scope_id().with((self.id, index)), Sense::CLICK);
        response.widget_info(|| WidgetInfo::selected(Role::Row, true, row.chosen, &row.name));
        if row.chosen {
            ui.painter().rect_filled(rect, 0.0, tokens.selected);
            if self.active {
                let bar = Rect::from_min_size(rect.min, Vec2::new(2.0, rect.height()));
                ui.painter().rect_filled(bar, 0.0, tokens.accent);
            }
        } else if marked {
            ui.painter().rect_filled(rect, 0.0, tokens.selected);
        } else if response.hovered() {
            ui.painter().rect_filled(rect, 0.0, tokens.raised);
        }
        ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, tokens.wash(tokens.line, 0.6)));
        let mut cut = Vec::new();
        for ((column, cell_rect), cell) in self.columns.iter().zip(cells(rect, widths)).zip(&row.cells) {
            let rect = inset(cell_rect, column, rect);
            if let Some(full) = paint(ui, rect, column, cell, row.chosen) {
                cut.push((rect, full));
            }
        }
        let over = response.hover_pos().and_then(|p| cut.into_iter().find(|(rect, _)| rect.contains(p)));
        match over {
            Some((_, full)) => response.on_hover_text_at_pointer(full),
            None => response,
        }
    }
}

fn cells(bar: Rect, widths: &[f32]) -> impl Iterator<Item = Rect> {
    widths.iter().scan(bar.left() + MARGIN, move |x, width| {
        let left = *x;
        *x += width;
        Some(Rect::from_min_max(Pos2::new(left, bar.top()), Pos2::new(left + width - GAP, bar.bottom())))
    })
}

/// A column that ends at the right keeps clear of one that begins at the left.
fn inset(cell: Rect, column: &Column, row: Rect) -> Rect {
    let is_last = cell.right() + GAP + MARGIN + 1.0 > row.right();
    let right = match (column.right, is_last) {
        (true, true) => cell.right() + GAP,
        (true, false) => cell.right() - 6.0,
        (false, _) => cell.right(),
    };
    Rect::from_min_max(cell.min, Pos2::new(right, cell.bottom()))
}

/// Paints one cell; the whole text comes back where it had to be cut.
fn paint(ui: &Ui, rect: Rect, column: &Column, cell: &Cell, chosen: bool) -> Option<String> {
    let tokens = Tokens::of(ui);
    let align = if column.right { Align2::RIGHT_CENTER } else { Align2::LEFT_CENTER };
    let tone_of = |tone: Tone| tokens.tone(if chosen && tone == Tone::Soft { Tone::Plain } else { tone });
    let words = |text: &str, font: FontId, colour: Color32| elided(ui.painter(), rect, align, text, font, colour);
    match cell {
        Cell::Text(text, tone) => words(text, theme::text(12.5), tone_of(*tone)).then(|| text.clone()),
        Cell::Wire(text, tone) => words(text, theme::mono(12.0), tone_of(*tone)).then(|| text.clone()),
        Cell::Struck(text, tone) => {
            let colour = tone_of(*tone);
            let cut = words(text, theme::mono(12.0), colour);
            let width = super::fit(ui.painter(), text, theme::mono(12.0), colour, rect.width()).size().x;
            ui.painter().hline(rect.left()..=rect.left() + width, rect.center().y, Stroke::new(1.0, colour));
            cut.then(|| text.clone())
        }
        Cell::Pair(title, tone, gist) => {
            let mut job = LayoutJob::default();
            let medium = FontId::new(12.5, theme::family(theme::MEDIUM));
            job.append(title, 0.0, TextFormat::simple(medium, tone_of(*tone)));
            if !gist.is_empty() {
                job.append(gist, 7.0, TextFormat::simple(theme::text(12.0), tokens.text_faint));
            }
            let galley = fit_job(ui.painter(), job, rect.width());
            let cut = galley.elided;
            ui.painter().galley(Pos2::new(rect.left(), rect.center().y - galley.size().y / 2.0), galley, tokens.text);
            cut.then(|| format!("{title} {gist}"))
        }
        Cell::Pill(text, tone) => {
            pill_at(ui, Pos2::new(rect.left(), rect.center().y), rect.width(), text, *tone);
            None
        }
        Cell::Findings { errors, warnings, notes } => {
            let mut x = rect.left() + 6.0;
            let kinds = [(*errors, Icon::Error, Tone::Wrong), (*warnings, Icon::Warning, Tone::Warn), (*notes, Icon::Note, Tone::Faint)];
            for (count, icon, tone) in kinds.into_iter().filter(|(count, ..)| *count > 0) {
                icon.paint(ui.painter(), Pos2::new(x, rect.center().y), 12.0, tokens.tone(tone));
                let at = Pos2::new(x + 9.0, rect.center().y);
                let end = ui.painter().text(at, Align2::LEFT_CENTER, count, theme::text(12.0), tokens.tone(tone)).right();
                x = end + 12.0;
            }
            None
        }
    }
}

/// Room left and right of the cells, and between two of them.
const MARGIN: f32 = 10.0;
const GAP: f32 = 10.0;

/// A small table without scrolling of its own, for a few rows within a panel.
pub fn small_table(ui: &mut Ui, id: &str, columns: &[Column], rows: &[TableRow]) {
    small_table_marked(ui, id, columns, rows, |_| false);
}

/// The same with some rows marked; tells over which row the pointer is.
pub fn small_table_marked(ui: &mut Ui, id: &str, columns: &[Column], rows: &[TableRow], marked: impl Fn(usize) -> bool) -> Option<usize> {
    let mut hovered = None;
    let table = Table { id, columns, reveal: None, active: false };
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing = Vec2::ZERO;
        let widths = table.widths(ui.available_width());
        table.header(ui, &widths, None, &mut TableResponse::default());
        for (index, row) in rows.iter().enumerate() {
            if table.row(ui, index, row, &widths, marked(index)).contains_pointer() {
                hovered = Some(index);
            }
        }
    });
    hovered
}
