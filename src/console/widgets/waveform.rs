//! Sound as a row of bars a track, over its time.

use eframe::egui::{Align2, Color32, CornerRadius, Painter, Pos2, Rect, Role, Sense, Stroke, Ui, Vec2, WidgetInfo};

use super::elided;
use crate::console::theme::{self, Leg, Radius, Space, Tokens};

/// Several tracks over one span.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Waveform {
    pub tracks: Vec<Track>,
    pub secs: f32,
}

/// The peaks of one voice, evenly spread over the span, of 255.
#[derive(Debug, Clone, PartialEq)]
pub struct Track {
    pub name: String,
    pub leg: Leg,
    pub peaks: Vec<u8>,
}

/// Paints the tracks below each other with the seconds under them; `cursor` stands at so many seconds. Tells where it was clicked
/// or drawn to.
pub fn waveform(ui: &mut Ui, name: &str, wave: &Waveform, cursor: Option<f32>) -> Option<f32> {
    let tokens = Tokens::of(ui);
    let height = wave.tracks.len() as f32 * TRACK + AXIS;
    let (rect, response) = ui.allocate_exact_size(Vec2::new(ui.available_width(), height), Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, Radius::CONTROL, tokens.raised);
    let room = Rect::from_min_max(Pos2::new(rect.left() + NAMES, rect.top()), Pos2::new(rect.right() - Space::S, rect.bottom() - AXIS));
    for (n, track) in wave.tracks.iter().enumerate() {
        let row = Rect::from_min_size(Pos2::new(rect.left(), rect.top() + n as f32 * TRACK), Vec2::new(rect.width(), TRACK));
        let colour = tokens.leg(track.leg);
        let label = Rect::from_min_max(row.min + Vec2::new(Space::S, 0.0), Pos2::new(room.left() - Space::S, row.bottom()));
        elided(&painter, label, Align2::LEFT_CENTER, &track.name, theme::text(12.0), colour);
        let bars = Rect::from_min_max(Pos2::new(room.left(), row.top() + 5.0), Pos2::new(room.right(), row.bottom() - 5.0));
        bars_ui(&painter, bars, &track.peaks, colour);
    }
    seconds_ui(
        &painter,
        tokens,
        Rect::from_min_max(Pos2::new(room.left(), room.bottom()), Pos2::new(room.right(), rect.bottom())),
        wave.secs,
    );
    if let Some(at) = cursor.filter(|_| wave.secs > 0.0) {
        let x = room.left() + room.width() * (at / wave.secs).clamp(0.0, 1.0);
        painter.vline(x, rect.top()..=room.bottom(), Stroke::new(1.5, tokens.accent));
    }
    let pressed = response.clicked() || response.dragged();
    let at = response.interact_pointer_pos().filter(|_| pressed)?;
    (wave.secs > 0.0).then(|| ((at.x - room.left()) / room.width().max(1.0)).clamp(0.0, 1.0) * wave.secs)
}

/// One voice's bars about the middle of `rect`; silence is a row of dots.
pub fn bars_ui(painter: &Painter, rect: Rect, peaks: &[u8], colour: Color32) {
    let count = (rect.width() / PITCH).floor() as usize;
    if count == 0 || peaks.is_empty() {
        return;
    }
    let middle = rect.center().y;
    for n in 0..count {
        let (from, until) = (n * peaks.len() / count, ((n + 1) * peaks.len()).div_ceil(count));
        let peak = peaks.get(from..until.max(from + 1).min(peaks.len())).and_then(|part| part.iter().max()).copied().unwrap_or(0);
        // The root lets quiet speech be seen beside loud.
        let half = ((f32::from(peak) / 255.0).sqrt() * rect.height() / 2.0).max(0.75);
        let x = rect.left() + n as f32 * PITCH;
        let bar = Rect::from_min_max(Pos2::new(x, middle - half), Pos2::new(x + BAR, middle + half));
        painter.rect_filled(bar, CornerRadius::ZERO, colour);
    }
}

/// Whole seconds or minutes, so few that they have room.
pub fn seconds_ui(painter: &Painter, tokens: &Tokens, rect: Rect, secs: f32) {
    if secs <= 0.0 {
        return;
    }
    let most = (rect.width() / 64.0).max(1.0);
    let steps = [0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0, 14_400.0];
    let step = steps.into_iter().find(|step| secs / step <= most).unwrap_or(86_400.0);
    let mut at = 0.0;
    while at <= secs {
        let x = rect.left() + rect.width() * at / secs;
        let words = match at {
            at if step < 1.0 => format!("{at:.1} s"),
            at if secs < 120.0 => format!("{at:.0} s"),
            at => format!("{}:{:02}", at as u32 / 60, at as u32 % 60),
        };
        let label = Rect::from_min_size(Pos2::new(x + 3.0, rect.top()), Vec2::new((rect.right() - x - 3.0).max(0.0), rect.height()));
        if label.width() > 30.0 {
            painter.vline(x, rect.top()..=rect.top() + 4.0, Stroke::new(1.0, tokens.line));
            elided(painter, label, Align2::LEFT_CENTER, &words, theme::mono(10.5), tokens.text_faint);
        }
        at += step;
    }
}

const TRACK: f32 = 40.0;
const AXIS: f32 = 16.0;
/// Room for a track's name.
const NAMES: f32 = 128.0;
const BAR: f32 = 2.0;
const PITCH: f32 = 3.0;
