//! Paints rail, top bar, status line and notice.

use eframe::egui::{Align, Align2, FontId, Layout, Pos2, Rect, RichText, Role, Sense, Stroke, Ui, Vec2, WidgetInfo};

use super::data::Chip;
use crate::console::{
    action::Action,
    state::{Notice, Place, State},
    theme::{self, Icon, Space, Tokens, Tone},
    widgets::{Look, action_button, chip, chip_width, elided, icon_button},
};

/// `waiting`: calls that wait for the operator.
pub fn rail_ui(ui: &mut Ui, place: Place, waiting: usize, dark: bool, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    ui.spacing_mut().item_spacing = Vec2::ZERO;
    let (mark, _) = ui.allocate_exact_size(Vec2::new(Space::RAIL, Space::TOP), Sense::hover());
    Icon::HandBack.paint(ui.painter(), mark.center(), 20.0, tokens.accent);
    for target in Place::ALL {
        let badge = if target == Place::Agent { waiting } else { 0 };
        place_ui(ui, target, place == target, badge, actions);
    }
    ui.with_layout(Layout::bottom_up(Align::Center), |ui| {
        ui.add_space(Space::S);
        let (rect, response) = ui.allocate_exact_size(Vec2::splat(32.0), Sense::click());
        let icon = if dark { Icon::Sun } else { Icon::Moon };
        let lit = response.hovered() || response.has_focus();
        icon.paint(ui.painter(), rect.center(), 16.0, if lit { tokens.text } else { tokens.text_faint });
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, "Switch theme"));
        if response.on_hover_text(if dark { "Light theme" } else { "Dark theme" }).clicked() {
            actions.push(Action::SwitchTheme);
        }
        ui.add_space(Space::XS);
        place_ui(ui, Place::Settings, place == Place::Settings, 0, actions);
    });
}

fn place_ui(ui: &mut Ui, target: Place, chosen: bool, badge: usize, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    let action = Action::Go(target);
    let face = action.face();
    let (rect, response) = ui.allocate_exact_size(Vec2::new(Space::RAIL, 58.0), Sense::click());
    let name = if badge > 0 { format!("{}, {badge} waiting", face.label) } else { face.label.to_owned() };
    response.widget_info(|| WidgetInfo::selected(Role::Tab, true, chosen, &name));
    let lit = response.hovered() || response.has_focus();
    if chosen {
        ui.painter().rect_filled(rect, 0.0, tokens.raised);
        let bar = Rect::from_min_size(rect.min, Vec2::new(2.0, rect.height()));
        ui.painter().rect_filled(bar, 0.0, tokens.accent);
    }
    if response.has_focus() {
        let ring = rect.shrink(3.0);
        ui.painter().rect_stroke(ring, theme::Radius::CONTROL, Stroke::new(1.0, tokens.accent), eframe::egui::StrokeKind::Inside);
    }
    let colour = if chosen || lit { tokens.text } else { tokens.text_faint };
    if let Some(icon) = face.icon {
        icon.paint(ui.painter(), Pos2::new(rect.center().x, rect.top() + 21.0), 18.0, colour);
    }
    let words = Rect::from_min_max(Pos2::new(rect.left() + 2.0, rect.top() + 35.0), rect.max - Vec2::new(2.0, 6.0));
    elided(ui.painter(), words, Align2::CENTER_CENTER, face.label, theme::text(10.5), colour);
    if badge > 0 {
        let number = badge.min(99).to_string();
        let centre = Pos2::new(rect.center().x + 13.0, rect.top() + 13.0);
        ui.painter().circle_filled(centre, 8.0, tokens.agent);
        ui.painter().text(centre, Align2::CENTER_CENTER, number, theme::text(10.0), tokens.on_fill);
    }
    if response.on_hover_text(face.tooltip).clicked() {
        actions.push(action);
    }
}

pub fn top_ui(ui: &mut Ui, state: &mut State, chips: &[Chip], actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    let (place, placing) = (state.place, state.placing);
    ui.horizontal_centered(|ui| {
        ui.add_space(14.0);
        let title = RichText::new(Action::Go(place).face().label).font(FontId::new(13.5, theme::family(theme::SEMIBOLD)));
        ui.label(title.color(tokens.text));
        ui.add_space(Space::M);
        search_ui(ui, actions);
        if place == Place::Calls {
            icon_button(ui, Action::Files(crate::console::files::Act::AskOpen), "Open capture", actions);
        }
        ui.add_space(Space::M);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add_space(14.0);
            let busy = placing.then_some("A test call is being placed");
            // Beside the form there is its own button.
            if place != Place::TestCall {
                action_button(ui, Action::PlaceTestCall, Look::Primary, busy, actions);
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.spacing_mut().item_spacing.x = Space::M;
                chips_ui(ui, chips);
            });
        });
    });
}

/// Those that have room, and the others folded into a number that tells them on hover.
fn chips_ui(ui: &mut Ui, chips: &[Chip]) {
    let room = ui.available_width();
    let widths: Vec<f32> = chips.iter().map(|c| chip_width(ui, c.dot.is_some(), &c.text) + Space::M).collect();
    let all: f32 = widths.iter().sum();
    let room = if all <= room + Space::M { f32::INFINITY } else { room - FOLDED };
    let mut used = 0.0;
    let shown = widths.iter().take_while(|width| {
        used += **width;
        used <= room
    });
    let (shown, folded) = chips.split_at(shown.count());
    for c in shown {
        chip(ui, c.dot, &c.text, &c.hover);
    }
    if !folded.is_empty() {
        let hover: Vec<String> = folded.iter().map(|c| format!("{}: {}", c.text, c.hover)).collect();
        chip(ui, None, &format!("+{}", folded.len()), &hover.join("\n"));
    }
}

/// What the number of folded chips takes.
const FOLDED: f32 = 44.0;

/// Looks like a field; pressing it opens the search over everything.
fn search_ui(ui: &mut Ui, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    let face = Action::OpenPalette.face();
    let (rect, response) = ui.allocate_exact_size(Vec2::new(232.0, 28.0), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, face.label));
    let lit = response.hovered() || response.has_focus();
    let line = if response.has_focus() {
        tokens.accent
    } else if lit {
        tokens.text_faint
    } else {
        tokens.line
    };
    ui.painter().rect(rect, theme::Radius::CONTROL, tokens.background, Stroke::new(1.0, line), eframe::egui::StrokeKind::Inside);
    Icon::Search.paint(ui.painter(), Pos2::new(rect.left() + 15.0, rect.center().y), 13.0, tokens.text_faint);
    let words = Rect::from_min_max(rect.min + Vec2::new(28.0, 0.0), rect.max - Vec2::new(10.0, 0.0));
    elided(ui.painter(), words, Align2::LEFT_CENTER, "Search everything", theme::text(12.5), tokens.text_faint);
    let shortcut = face.shortcut.map(|s| ui.ctx().format_shortcut(&s)).unwrap_or_default();
    elided(ui.painter(), words, Align2::RIGHT_CENTER, &shortcut, theme::text(11.5), tokens.text_faint);
    if response.on_hover_text(face.tooltip).clicked() {
        actions.push(Action::OpenPalette);
    }
}

pub fn status_ui(ui: &mut Ui, parts: &[String], version: &str) {
    let tokens = Tokens::of(ui);
    let words = |text: &str| RichText::new(text).size(11.0).color(tokens.text_faint);
    ui.horizontal_centered(|ui| {
        ui.add_space(Space::M);
        ui.spacing_mut().item_spacing.x = Space::L + Space::XS;
        for part in parts {
            ui.label(words(part));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add_space(Space::M);
            ui.label(words(version));
        });
    });
}

/// One sentence across the top, until it is dismissed.
pub fn notice_ui(ui: &mut Ui, notice: &Notice, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    let (tone, icon) = if notice.wrong { (Tone::Wrong, Icon::Error) } else { (Tone::Accent, Icon::Note) };
    let rect = ui.max_rect();
    ui.painter().rect_filled(rect, 0.0, tokens.wash(tokens.tone(tone), 0.16));
    ui.horizontal_centered(|ui| {
        ui.add_space(14.0);
        ui.label(RichText::new(icon.glyph()).font(theme::icon(13.0)).color(tokens.tone(tone)));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add_space(Space::S);
            icon_button(ui, Action::DismissNotice, "Dismiss", actions);
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.add(eframe::egui::Label::new(RichText::new(&notice.text).color(tokens.text)).truncate());
            });
        });
    });
}
