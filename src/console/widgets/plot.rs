//! A figure over time as lines: small, with its scale, and told exactly under the pointer.

use eframe::egui::{Align2, Pos2, Rect, Role, Sense, Shape, Stroke, Ui, Vec2, WidgetInfo};

use super::elided;
use crate::console::theme::{self, Leg, Radius, Space, Tokens};

/// One figure, a line a voice.
#[derive(Debug, Clone, PartialEq)]
pub struct Plot {
    pub title: &'static str,
    pub unit: &'static str,
    pub decimals: usize,
    /// What the lowest and the highest line of the frame stand for.
    pub scale: (f32, f32),
    pub lines: Vec<Line>,
    pub secs: f32,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub name: String,
    pub leg: Leg,
    /// Seconds and figure, in order; no figure is a gap.
    pub points: Vec<(f32, Option<f32>)>,
}

impl Plot {
    /// A scale from 0 that holds every figure, and no less than `least`.
    pub fn fit(mut self, least: f32) -> Self {
        let all = self.lines.iter().flat_map(|line| line.points.iter().filter_map(|(_, figure)| *figure));
        let most = all.fold(least, f32::max);
        let steps = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0, 5_000.0, 10_000.0];
        self.scale = (0.0, steps.into_iter().find(|step| *step >= most).unwrap_or(most));
        self
    }

    fn words(&self, figure: f32) -> String {
        format!("{figure:.*}{}{}", self.decimals, if self.unit.is_empty() { "" } else { " " }, self.unit)
    }

    /// The last figure of each line, in words.
    pub fn last(&self) -> Vec<(Leg, String)> {
        let last = |line: &Line| line.points.iter().rev().find_map(|(_, figure)| *figure);
        self.lines.iter().filter_map(|line| Some((line.leg, self.words(last(line)?)))).collect()
    }
}

/// Paints it in the width that there is.
pub fn plot(ui: &mut Ui, plot: &Plot, width: f32) {
    let tokens = Tokens::of(ui);
    let (rect, response) = ui.allocate_exact_size(Vec2::new(width, HEIGHT), Sense::hover());
    let last = plot.last();
    let words: Vec<&str> = last.iter().map(|(_, words)| words.as_str()).collect();
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, format!("{} over the call: {}", plot.title, words.join(", "))));
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, Radius::CONTROL, tokens.raised);
    let head = Rect::from_min_max(rect.min + Vec2::new(Space::S, 4.0), Pos2::new(rect.right() - Space::S, rect.top() + 20.0));
    elided(&painter, head, Align2::LEFT_CENTER, plot.title, theme::text(12.0), tokens.text_soft);
    let mut right = head.right();
    for (leg, words) in last.iter().rev() {
        let place = Rect::from_min_max(Pos2::new(right - 66.0, head.top()), Pos2::new(right, head.bottom()));
        elided(&painter, place, Align2::RIGHT_CENTER, words, theme::mono(12.0), tokens.leg(*leg));
        right -= 74.0;
    }
    let room =
        Rect::from_min_max(Pos2::new(rect.left() + SCALE, head.bottom() + 6.0), Pos2::new(rect.right() - Space::S, rect.bottom() - 8.0));
    let (low, high) = plot.scale;
    for (share, figure) in [(0.0, low), (0.5, (low + high) / 2.0), (1.0, high)] {
        let y = room.bottom() - room.height() * share;
        painter.hline(room.x_range(), y, Stroke::new(1.0, tokens.line));
        let label = Rect::from_min_max(Pos2::new(rect.left() + 4.0, y - 7.0), Pos2::new(room.left() - 5.0, y + 7.0));
        let decimals = if high - low < 10.0 { 1 } else { 0 };
        elided(&painter, label, Align2::RIGHT_CENTER, &format!("{figure:.decimals$}"), theme::mono(10.0), tokens.text_faint);
    }
    let secs = plot.secs.max(0.001);
    let place = |at: f32, figure: f32| {
        let share = ((figure - low) / (high - low).max(0.001)).clamp(0.0, 1.0);
        Pos2::new(room.left() + room.width() * (at / secs).clamp(0.0, 1.0), room.bottom() - room.height() * share)
    };
    for line in &plot.lines {
        let stroke = Stroke::new(1.6, tokens.leg(line.leg));
        for run in line.points.split(|(_, figure)| figure.is_none()) {
            let points: Vec<Pos2> = run.iter().filter_map(|(at, figure)| Some(place(*at, (*figure)?))).collect();
            match points.as_slice() {
                [] => {}
                [only] => drop(painter.circle_filled(*only, 1.6, stroke.color)),
                _ => drop(painter.add(Shape::line(points, stroke))),
            }
        }
    }
    if let Some(at) = response.hover_pos().filter(|at| room.x_range().contains(at.x)) {
        painter.vline(at.x, room.y_range(), Stroke::new(1.0, tokens.text_faint));
        let moment = (at.x - room.left()) / room.width() * secs;
        let near = |line: &Line| {
            let (at, figure) =
                line.points.iter().filter(|(_, f)| f.is_some()).min_by(|a, b| (a.0 - moment).abs().total_cmp(&(b.0 - moment).abs()))?;
            Some(format!("{}: {} at {at:.0} s", line.name, told(plot, *figure)?))
        };
        let told: Vec<String> = plot.lines.iter().filter_map(near).collect();
        response.on_hover_text_at_pointer(told.join("\n"));
    }
}

fn told(plot: &Plot, figure: Option<f32>) -> Option<String> {
    figure.map(|figure| plot.words(figure))
}

const HEIGHT: f32 = 96.0;
/// Room for the scale.
const SCALE: f32 = 38.0;
