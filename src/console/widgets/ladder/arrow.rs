//! One arrow of a ladder: its line by leg, its head, its words.

use eframe::egui::{
    Align2, FontId, Painter, Pos2, Rect, Shape, Stroke, StrokeKind, Vec2,
    text::{LayoutJob, TextFormat},
};

use super::{READABLE, geometry::Geometry};
use crate::console::{
    panels::ladder::data::Arrow,
    theme::{self, Icon, Leg, Radius, Tokens, Tone},
    widgets::{fit, fit_job},
};

/// Paints it into `rect`; tells where the count of its retransmissions stands.
pub fn arrow_ui(painter: &Painter, tokens: &Tokens, rect: Rect, geometry: &Geometry, arrow: &Arrow, is_chosen: bool) -> Option<Rect> {
    let colour = match (arrow.retransmission, arrow.tone) {
        (true, _) => tokens.text_faint,
        (false, Tone::Good | Tone::Warn | Tone::Wrong) => tokens.tone(arrow.tone),
        _ if arrow.line == Leg::Bridge => tokens.text_soft,
        _ => tokens.leg(arrow.line),
    };
    let y = rect.bottom() - (rect.height() * 0.24).clamp(3.0, 8.0);
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
    let half = (rect.height() * 0.14).clamp(2.0, 3.6);
    let head = vec![tip, tip - back + Vec2::new(0.0, half), tip - back - Vec2::new(0.0, half)];
    painter.add(Shape::convex_polygon(head, colour, Stroke::NONE));
    if rect.height() < READABLE {
        return None;
    }
    words(painter, tokens, rect, y, geometry, arrow, is_chosen)
}

fn words(painter: &Painter, tokens: &Tokens, rect: Rect, y: f32, geometry: &Geometry, arrow: &Arrow, is_chosen: bool) -> Option<Rect> {
    let (left, right) = (geometry.x(arrow.from), geometry.x(arrow.to));
    let (left, right) = (left.min(right) + 8.0, left.max(right) - 8.0);
    let size = (12.0 * rect.height() / 26.0).clamp(10.5, 14.0);
    let badge = (arrow.times > 1).then(|| {
        let words = format!("×{}", arrow.times);
        fit(painter, &words, FontId::new(10.5, theme::family(theme::SEMIBOLD)), tokens.warn, 60.0)
    });
    let badge_room = badge.as_ref().map_or(0.0, |galley| galley.size().x + 16.0);
    let galley = fit_job(painter, job(tokens, arrow, is_chosen, size), right - left - badge_room);
    let room = Rect::from_min_max(Pos2::new(left, y - size - 6.0), Pos2::new(right - badge_room, y - 2.0));
    let place = Align2::CENTER_CENTER.align_size_within_rect(galley.size(), room);
    if arrow.from.abs_diff(arrow.to) > 1 {
        // It crosses somebody's lifeline, which must not run through the words.
        let fill = if is_chosen { tokens.selected } else { tokens.panel };
        painter.rect_filled(place.expand2(Vec2::new(4.0, -1.0)), 0.0, fill);
    }
    painter.galley(place.min, galley, tokens.text);
    let badge = badge?;
    let at = Rect::from_min_size(Pos2::new(place.right() + 6.0, place.center().y - 7.0), Vec2::new(badge.size().x + 10.0, 14.0));
    painter.rect(at, Radius::PILL, tokens.wash(tokens.warn, 0.16), Stroke::new(1.0, tokens.wash(tokens.warn, 0.5)), StrokeKind::Inside);
    painter.galley(at.center() - badge.size() / 2.0, badge, tokens.warn);
    Some(at)
}

fn job(tokens: &Tokens, arrow: &Arrow, is_chosen: bool, size: f32) -> LayoutJob {
    let name = if is_chosen { theme::family(theme::SEMIBOLD) } else { theme::family(theme::MEDIUM) };
    let title_colour = if arrow.retransmission { tokens.text_faint } else { tokens.tone(arrow.tone) };
    let mut job = LayoutJob::default();
    if arrow.retransmission {
        job.append(&Icon::Retransmission.glyph().to_string(), 0.0, TextFormat::simple(theme::icon(size - 1.0), tokens.text_faint));
        job.append("again ", 4.0, TextFormat::simple(theme::text(size), tokens.text_faint));
    }
    job.append(&arrow.title, 0.0, TextFormat::simple(FontId::new(size, name), title_colour));
    if !arrow.gist.is_empty() && !arrow.retransmission {
        let colour = if is_chosen { tokens.text_soft } else { tokens.text_faint };
        job.append(&arrow.gist, 5.0, TextFormat::simple(theme::text(size), colour));
    }
    job
}

const HEAD_LENGTH: f32 = 9.0;
