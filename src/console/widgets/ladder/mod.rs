//! Paints a ladder: lifelines, arrows by leg, sound bands. Only rows in sight are painted.

mod arrow;
mod geometry;
mod player;
mod sound;

use eframe::egui::{Align2, FontId, Pos2, Rect, Role, ScrollArea, Sense, Stroke, Ui, Vec2, WidgetInfo};

use self::{arrow::arrow_ui, geometry::Geometry};
use super::elided;
use crate::console::{
    action::Action,
    panels::ladder::{
        Act,
        data::{Arrow, Ladder, Row, What},
    },
    panels::media::playback::Player,
    text,
    theme::{self, Tokens},
};

/// The ladder in the whole room of `ui`; a click on an arrow selects its message.
pub fn ladder(ui: &mut Ui, ladder: &Ladder, chosen: Option<u64>, reveal: bool, player: Option<&Player>, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    ui.spacing_mut().item_spacing = Vec2::ZERO;
    let geometry = Geometry::new(ui.available_rect_before_wrap(), ladder);
    header(ui, ladder, &geometry);
    let layout = &ladder.layout;
    let height = layout.height + FOOT;
    let mut area = ScrollArea::vertical().id_salt("ladder rows").auto_shrink([false, false]);
    if let Some(offset) = wanted_offset(ui, ladder, chosen, reveal) {
        area = area.vertical_scroll_offset(offset);
    }
    let output = area.show_viewport(ui, |ui, viewport| {
        ui.set_height(height.max(viewport.height()));
        let origin = ui.min_rect().min;
        let bottom = origin.y + height.max(viewport.height());
        sound::bands_ui(ui, ladder, &geometry, origin.y);
        for (column, x) in ladder.columns.iter().zip(&geometry.lifelines) {
            let colour = tokens.wash(tokens.leg(column.leg), LIFELINE);
            ui.painter().vline(*x, origin.y..=bottom, Stroke::new(2.0, colour));
        }
        let start = ladder.rows.first().map_or(0, |row| row.at.0);
        for (y, at) in layout.ticks.iter().filter(|(y, _)| (viewport.top()..viewport.bottom()).contains(y)) {
            let words = text::since(at.0.saturating_sub(start));
            let rect = Rect::from_min_size(Pos2::new(origin.x + 12.0, origin.y + y - 8.0), Vec2::new(geometry::AXIS - 12.0, 16.0));
            elided(ui.painter(), rect, Align2::LEFT_CENTER, &words, theme::mono(11.0), tokens.wash(tokens.text_faint, 0.7));
        }
        let first = layout.rows.partition_point(|place| place.top + place.height < viewport.top());
        for place in layout.rows.iter().skip(first).take_while(|place| place.top <= viewport.bottom()) {
            let Some(row) = ladder.rows.get(place.row) else { continue };
            let left_top = Pos2::new(origin.x, origin.y + place.top);
            let rect = Rect::from_min_size(left_top, Vec2::new(geometry.width, place.height));
            match &row.what {
                What::Arrow(arrow) => Line { ladder, geometry: &geometry, row, arrow, index: place.row, chosen }.show(ui, rect, actions),
                What::Sound => sound::words_ui(ui, ladder, &geometry, rect),
                What::Mark(mark) => sound::mark_ui(ui, row, mark, &geometry, rect),
            }
        }
        if let Some(player) = player {
            let whole = Rect::from_min_max(origin, Pos2::new(origin.x + geometry.width, origin.y + layout.height));
            player::player_ui(ui, ladder, player, whole, actions);
        }
    });
    let room = output.inner_rect;
    let pointer = ui.input(|i| i.pointer.hover_pos()).filter(|at| room.contains(*at)).map_or(room.height() / 2.0, |at| at.y - room.top());
    let seen = Seen { offset: output.state.clamped_offset().y, pointer, height };
    ui.data_mut(|d| d.insert_temp(ui.scope_id().with("ladder seen"), seen));
}

/// What was seen in the frame before: a zoom keeps what is under the pointer there.
#[derive(Clone, Copy)]
struct Seen {
    offset: f32,
    pointer: f32,
    height: f32,
}

/// Where to scroll to, if anywhere: by as little as shows the chosen row.
fn wanted_offset(ui: &Ui, ladder: &Ladder, chosen: Option<u64>, reveal: bool) -> Option<f32> {
    let seen: Option<Seen> = ui.data(|d| d.get_temp(ui.scope_id().with("ladder seen")));
    let layout = &ladder.layout;
    if reveal {
        let is_chosen = |row: &Row| matches!(&row.what, What::Arrow(a) if a.message.is_some() && a.message == chosen);
        let place = layout.rows.iter().find(|place| ladder.rows.get(place.row).is_some_and(is_chosen))?;
        let (offset, room) = (seen.map_or(0.0, |seen| seen.offset), ui.available_height());
        let (top, bottom) = (place.top, place.top + place.height);
        return if top < offset {
            Some(top)
        } else if bottom > offset + room {
            Some(bottom - room)
        } else {
            None
        };
    }
    let zoomed: Option<f32> = ui.data(|d| d.get_temp(ui.scope_id().with("ladder zoom")));
    ui.data_mut(|d| d.insert_temp(ui.scope_id().with("ladder zoom"), layout.zoom));
    let (before, seen) = zoomed.zip(seen)?;
    if (before - layout.zoom).abs() < f32::EPSILON || seen.height <= 0.0 {
        return None;
    }
    let under_pointer = (seen.offset + seen.pointer) / seen.height * (layout.height + FOOT);
    Some((under_pointer - seen.pointer).max(0.0))
}

fn header(ui: &mut Ui, ladder: &Ladder, geometry: &Geometry) {
    let tokens = Tokens::of(ui);
    let (bar, _) = ui.allocate_exact_size(Vec2::new(ui.available_width(), HEAD), Sense::hover());
    // Each head is centred on its lifeline and ends half-way to its neighbours.
    let half_room = |index: usize| {
        let x = geometry.x(index);
        let left = index.checked_sub(1).map_or(bar.left() + 54.0, |i| (geometry.x(i) + x) / 2.0);
        let right = geometry.lifelines.get(index + 1).map_or(bar.right() - 4.0, |next| (next + x) / 2.0);
        (x - left).min(right - x) - 4.0
    };
    for (index, (column, x)) in ladder.columns.iter().zip(&geometry.lifelines).enumerate() {
        let size = Vec2::new(2.0 * half_room(index), 16.0);
        let centred = |y: f32| Rect::from_center_size(Pos2::new(*x, bar.top() + y), size);
        let font = FontId::new(12.5, theme::family(theme::SEMIBOLD));
        elided(ui.painter(), centred(18.0), Align2::CENTER_CENTER, column.name, font, tokens.leg(column.leg));
        elided(ui.painter(), centred(35.0), Align2::CENTER_CENTER, &column.address, theme::mono(11.0), tokens.text_faint);
        let colour = tokens.wash(tokens.leg(column.leg), LIFELINE);
        ui.painter().vline(*x, bar.bottom() - 2.0..=bar.bottom(), Stroke::new(2.0, colour));
    }
}

/// One arrow's row.
struct Line<'a> {
    ladder: &'a Ladder,
    geometry: &'a Geometry,
    row: &'a Row,
    arrow: &'a Arrow,
    index: usize,
    chosen: Option<u64>,
}

impl Line<'_> {
    fn show(&self, ui: &Ui, rect: Rect, actions: &mut Vec<Action>) {
        let (tokens, arrow, row) = (Tokens::of(ui), self.arrow, self.row);
        let painter = ui.painter();
        let is_chosen = arrow.message.is_some() && arrow.message == self.chosen;
        let sense = if arrow.message.is_some() { Sense::CLICK } else { Sense::HOVER };
        let response = ui.interact(rect, ui.scope_id().with(("arrow", self.index)), sense);
        response.widget_info(|| {
            let name = |c: usize| self.ladder.columns.get(c).map_or("?", |c| c.name);
            let times = if arrow.times > 1 { format!(", {} times", arrow.times) } else { String::new() };
            let words = format!("{} {}, {} to {}, {}{times}", arrow.title, arrow.gist, name(arrow.from), name(arrow.to), row.time);
            WidgetInfo::selected(if arrow.message.is_some() { Role::Button } else { Role::Label }, true, is_chosen, words)
        });
        if is_chosen {
            painter.rect_filled(rect, 0.0, tokens.selected);
        } else if response.hovered() && arrow.message.is_some() {
            painter.rect_filled(rect, 0.0, tokens.raised);
        }
        if is_chosen || response.hovered() {
            for (column, x) in self.ladder.columns.iter().zip(&self.geometry.lifelines) {
                painter.vline(*x, rect.y_range(), Stroke::new(2.0, tokens.wash(tokens.leg(column.leg), LIFELINE)));
            }
        }
        if rect.height() >= READABLE {
            let time = Rect::from_min_max(
                Pos2::new(rect.left() + 12.0, rect.bottom() - 20.0),
                Pos2::new(rect.left() + geometry::AXIS, rect.bottom()),
            );
            elided(painter, time, Align2::LEFT_CENTER, &row.time, theme::mono(11.0), tokens.text_faint);
        }
        let badge = arrow_ui(painter, tokens, rect, self.geometry, arrow, is_chosen);
        if let (Some(badge), Some(message)) = (badge, arrow.message) {
            let response = ui.interact(badge.expand(2.0), ui.scope_id().with(("again", self.index)), Sense::CLICK);
            let words = format!("Show {} retransmissions of {}", arrow.times - 1, arrow.title);
            response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &words));
            if response.on_hover_text("Sent again; click to give each time a row of its own, or to fold them").clicked() {
                actions.push(Action::Ladder(Act::Expand(message)));
                return;
            }
        }
        let response = response.on_hover_ui_at_pointer(|ui| {
            ui.label(format!("{} · {}", arrow.title, text::exact_utc(row.at)));
            if arrow.retransmission {
                ui.label("Retransmission: the same bytes crossed the wire before");
            }
        });
        if let (true, Some(message)) = (response.clicked(), arrow.message) {
            actions.push(Action::SelectMessage(message));
        }
    }
}

const HEAD: f32 = 50.0;
const FOOT: f32 = 16.0;
/// How strong a lifeline is over the panel.
const LIFELINE: f32 = 0.28;
/// A row has room for words from this height on.
const READABLE: f32 = 17.0;
