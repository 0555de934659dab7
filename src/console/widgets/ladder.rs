//! Paints a ladder: lifelines, arrows by leg, sound bands. Only rows in sight are painted.

use eframe::egui::{
    Align2, Color32, CornerRadius, FontId, Painter, Pos2, Rect, Role, ScrollArea, Sense, Shape, Stroke, Ui, Vec2, WidgetInfo,
    text::{LayoutJob, TextFormat},
};

use super::{elided, fit_job};
use crate::console::{
    action::Action,
    panels::ladder::data::{Arrow, Band, Ladder, Row, What},
    text,
    theme::{self, Icon, Leg, Tokens},
};

/// The ladder in the whole room of `ui`; a click on an arrow selects its message.
pub fn ladder(ui: &mut Ui, ladder: &Ladder, chosen: Option<u64>, reveal: bool, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    ui.spacing_mut().item_spacing = Vec2::ZERO;
    let geometry = Geometry::new(ui.available_rect_before_wrap(), ladder);
    header(ui, ladder, &geometry);
    let tops = tops(&ladder.rows);
    let height = tops.last().copied().unwrap_or(0.0) + FOOT;
    let mut area = ScrollArea::vertical().id_salt("ladder rows").auto_shrink([false, false]);
    let chosen_row = ladder.rows.iter().position(|row| matches!(&row.what, What::Arrow(a) if a.message.is_some() && a.message == chosen));
    let offset_id = ui.scope_id().with("ladder offset");
    if let (true, Some(index)) = (reveal, chosen_row) {
        let offset: f32 = ui.data(|d| d.get_temp(offset_id)).unwrap_or(0.0);
        let (top, bottom) = (tops[index], tops[index + 1]);
        let room = ui.available_height();
        if top < offset {
            area = area.vertical_scroll_offset(top);
        } else if bottom > offset + room {
            area = area.vertical_scroll_offset(bottom - room);
        }
    }
    let output = area.show_viewport(ui, |ui, viewport| {
        ui.set_height(height.max(viewport.height()));
        let origin = ui.min_rect().min;
        let bottom = origin.y + height.max(viewport.height());
        for (column, x) in ladder.columns.iter().zip(&geometry.lifelines) {
            let colour = tokens.wash(tokens.leg(column.leg), 0.28);
            ui.painter().vline(*x, origin.y..=bottom, Stroke::new(2.0, colour));
        }
        let first = tops.partition_point(|&top| top < viewport.top()).saturating_sub(1);
        for (index, row) in ladder.rows.iter().enumerate().skip(first) {
            if tops[index] > viewport.bottom() {
                break;
            }
            let left_top = Pos2::new(origin.x, origin.y + tops[index]);
            let rect = Rect::from_min_size(left_top, Vec2::new(geometry.width, tops[index + 1] - tops[index]));
            row_ui(ui, rect, index, row, ladder, &geometry, chosen, actions);
        }
    });
    ui.data_mut(|d| d.insert_temp(offset_id, output.state.clamped_offset().y));
}

struct Geometry {
    width: f32,
    left: f32,
    lifelines: Vec<f32>,
}

impl Geometry {
    fn new(room: Rect, ladder: &Ladder) -> Self {
        let edge = (room.width() * 0.11).clamp(30.0, EDGE);
        let first = room.left() + AXIS + edge;
        // The first gap has the most to say, the last one the least.
        let gaps: &[f32] = match ladder.columns.len() {
            0..=2 => &[1.0],
            // Only what spans both gaps goes to a return URI.
            3 if ladder.columns.last().is_some_and(|c| c.leg == Leg::Return) => &[1.6, 0.8],
            3 => &[1.2, 1.0],
            _ => &[1.5, 1.15, 0.8],
        };
        let unit = (room.right() - edge - first) / gaps.iter().sum::<f32>();
        let ends = gaps.iter().scan(first, |x, gap| {
            *x += gap * unit;
            Some(*x)
        });
        let lifelines = std::iter::once(first).chain(ends).take(ladder.columns.len()).collect();
        Self { width: room.width(), left: room.left(), lifelines }
    }

    fn x(&self, column: usize) -> f32 {
        self.lifelines.get(column).copied().unwrap_or(self.left)
    }
}

fn header(ui: &mut Ui, ladder: &Ladder, geometry: &Geometry) {
    let tokens = Tokens::of(ui);
    let (bar, _) = ui.allocate_exact_size(Vec2::new(ui.available_width(), HEAD), Sense::hover());
    // Each head is centred on its lifeline and ends half-way to its neighbours.
    let half_room = |index: usize| {
        let x = geometry.x(index);
        let left = index.checked_sub(1).map_or(bar.left() + 32.0, |i| (geometry.x(i) + x) / 2.0);
        let right = geometry.lifelines.get(index + 1).map_or(bar.right() - 4.0, |next| (next + x) / 2.0);
        (x - left).min(right - x) - 4.0
    };
    for (index, (column, x)) in ladder.columns.iter().zip(&geometry.lifelines).enumerate() {
        let size = Vec2::new(2.0 * half_room(index), 16.0);
        let centred = |y: f32| Rect::from_center_size(Pos2::new(*x, bar.top() + y), size);
        let font = FontId::new(12.5, theme::family(theme::SEMIBOLD));
        elided(ui.painter(), centred(20.0), Align2::CENTER_CENTER, column.name, font, tokens.leg(column.leg));
        elided(ui.painter(), centred(37.0), Align2::CENTER_CENTER, &column.address, theme::mono(11.0), tokens.text_faint);
        let colour = tokens.wash(tokens.leg(column.leg), 0.28);
        ui.painter().vline(*x, bar.bottom() - 2.0..=bar.bottom(), Stroke::new(2.0, colour));
    }
}

#[expect(clippy::too_many_arguments, reason = "one row of the widget above, not a thing of its own")]
fn row_ui(
    ui: &mut Ui,
    rect: Rect,
    index: usize,
    row: &Row,
    ladder: &Ladder,
    geometry: &Geometry,
    chosen: Option<u64>,
    actions: &mut Vec<Action>,
) {
    let tokens = Tokens::of(ui);
    let painter = ui.painter().clone();
    match &row.what {
        What::Media(bands) => {
            for band in bands {
                band_ui(&painter, tokens, rect, geometry, band);
            }
        }
        What::Arrow(arrow) => {
            let is_chosen = arrow.message.is_some() && arrow.message == chosen;
            let name = |c: usize| ladder.columns.get(c).map_or("?", |c| c.name);
            let response =
                ui.interact(rect, ui.scope_id().with(("arrow", index)), if arrow.message.is_some() { Sense::CLICK } else { Sense::HOVER });
            response.widget_info(|| {
                let words = format!("{} {}, {} to {}, {}", arrow.title, arrow.gist, name(arrow.from), name(arrow.to), row.time);
                WidgetInfo::selected(if arrow.message.is_some() { Role::Button } else { Role::Label }, true, is_chosen, words)
            });
            if is_chosen {
                painter.rect_filled(rect, 0.0, tokens.selected);
            } else if response.hovered() && arrow.message.is_some() {
                painter.rect_filled(rect, 0.0, tokens.raised);
            }
            if is_chosen || response.hovered() {
                for (column, x) in ladder.columns.iter().zip(&geometry.lifelines) {
                    painter.vline(*x, rect.y_range(), Stroke::new(2.0, tokens.wash(tokens.leg(column.leg), 0.28)));
                }
            }
            let time =
                Rect::from_min_max(Pos2::new(rect.left() + 12.0, rect.bottom() - 20.0), Pos2::new(rect.left() + AXIS, rect.bottom()));
            elided(&painter, time, Align2::LEFT_CENTER, &row.time, theme::mono(11.0), tokens.text_faint);
            arrow_ui(&painter, tokens, rect, geometry, arrow, is_chosen);
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
}

fn arrow_ui(painter: &Painter, tokens: &Tokens, rect: Rect, geometry: &Geometry, arrow: &Arrow, is_chosen: bool) {
    let colour = match (arrow.retransmission, arrow.tone) {
        (true, _) => tokens.text_faint,
        (false, theme::Tone::Good | theme::Tone::Warn | theme::Tone::Wrong) => tokens.tone(arrow.tone),
        _ if arrow.line == Leg::Bridge => tokens.text_soft,
        _ => tokens.leg(arrow.line),
    };
    let y = rect.bottom() - 6.0;
    let (from, to) = (geometry.x(arrow.from), geometry.x(arrow.to));
    let direction = if to >= from { 1.0 } else { -1.0 };
    let tip = Pos2::new(to - direction * 2.0, y);
    let start = Pos2::new(from + direction * 2.0, y);
    let stroke = Stroke::new(if is_chosen { 2.2 } else { 1.4 }, colour);
    let end = tip - Vec2::new(direction * (HEAD_LENGTH - 1.0), 0.0);
    if arrow.hearsay || arrow.retransmission {
        painter.extend(Shape::dashed_line(&[start, end], stroke, 4.0, 3.0));
    } else {
        painter.line_segment([start, end], stroke);
    }
    let back = Vec2::new(direction * HEAD_LENGTH, 0.0);
    let head = vec![tip, tip - back + Vec2::new(0.0, 3.6), tip - back - Vec2::new(0.0, 3.6)];
    painter.add(Shape::convex_polygon(head, colour, Stroke::NONE));
    label(painter, tokens, rect, from.min(to), from.max(to), arrow, is_chosen);
}

fn label(painter: &Painter, tokens: &Tokens, rect: Rect, left: f32, right: f32, arrow: &Arrow, is_chosen: bool) {
    let name = if is_chosen { theme::family(theme::SEMIBOLD) } else { theme::family(theme::MEDIUM) };
    let title_colour = if arrow.retransmission { tokens.text_faint } else { tokens.tone(arrow.tone) };
    let mut job = LayoutJob::default();
    if arrow.retransmission {
        job.append(&Icon::Retransmission.glyph().to_string(), 0.0, TextFormat::simple(theme::icon(11.0), tokens.text_faint));
        job.append("again ", 4.0, TextFormat::simple(theme::text(12.0), tokens.text_faint));
    }
    job.append(&arrow.title, 0.0, TextFormat::simple(FontId::new(12.0, name), title_colour));
    if !arrow.gist.is_empty() && !arrow.retransmission {
        let colour = if is_chosen { tokens.text_soft } else { tokens.text_faint };
        job.append(&arrow.gist, 5.0, TextFormat::simple(theme::text(12.0), colour));
    }
    let room = Rect::from_min_max(Pos2::new(left + 8.0, rect.bottom() - 24.0), Pos2::new(right - 8.0, rect.bottom() - 8.0));
    let galley = fit_job(painter, job, room.width());
    let place = Align2::CENTER_CENTER.align_size_within_rect(galley.size(), room);
    if arrow.from.abs_diff(arrow.to) > 1 {
        // It crosses somebody's lifeline, which must not run through the words.
        let fill = if is_chosen { tokens.selected } else { tokens.panel };
        painter.rect_filled(place.expand2(Vec2::new(4.0, -1.0)), 0.0, fill);
    }
    painter.galley(place.min, galley, tokens.text);
}

fn band_ui(painter: &Painter, tokens: &Tokens, rect: Rect, geometry: &Geometry, band: &Band) {
    let colour = tokens.leg(band.leg);
    let area = Rect::from_min_max(
        Pos2::new(geometry.x(band.left) + 1.0, rect.top() + 6.0),
        Pos2::new(geometry.x(band.right) - 1.0, rect.bottom() - 4.0),
    );
    painter.rect_filled(area, CornerRadius::ZERO, tokens.wash(colour, 0.1));
    let inner = area.shrink2(Vec2::new(8.0, 0.0));
    let soft: Color32 = tokens.wash(tokens.text_soft, 0.9);
    elided(painter, inner, Align2::CENTER_CENTER, &band.text, theme::text(11.5), soft);
}

/// Where each row begins, and where the last one ends.
fn tops(rows: &[Row]) -> Vec<f32> {
    let mut tops = Vec::with_capacity(rows.len() + 1);
    let mut y = 0.0;
    tops.push(y);
    for row in rows {
        y += match row.what {
            What::Arrow(_) => ARROW,
            What::Media(_) => MEDIA,
        };
        tops.push(y);
    }
    tops
}

const HEAD: f32 = 50.0;
const ARROW: f32 = 26.0;
const MEDIA: f32 = 44.0;
const FOOT: f32 = 16.0;
/// The time axis at the left.
const AXIS: f32 = 76.0;
/// From the outermost lifelines to the edge.
const EDGE: f32 = 62.0;
const HEAD_LENGTH: f32 = 9.0;
