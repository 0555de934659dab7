//! Paints the phone: how long, with whom, the keys, and hanging up.

use eframe::egui::{Align2, Pos2, Rect, RichText, Role, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo};

use super::{
    person::Person,
    state::{Act, KEYS},
    ui::TestCallView,
};
use crate::console::{
    action::Action,
    theme::{self, Leg, Radius, Space, Tokens},
    widgets::{Look, action_button, caption, heading, level_meter, slider},
};

pub(super) fn phone_ui(ui: &mut Ui, view: &TestCallView<'_>, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    let running = view.running.as_ref();
    heading(ui, "Phone");
    ui.add_space(Space::XS);
    let live = running.filter(|(_, running)| running.live);
    let room = ui.available_rect_before_wrap();
    let keys = Vec2::new(3.0 * KEY.x + 2.0 * GAP, 4.0 * KEY.y + 3.0 * GAP);
    let pad = Rect::from_min_size(Pos2::new(room.right() - keys.x, room.top() - 26.0), keys);
    let words = Rect::from_min_max(room.min, Pos2::new(pad.left() - Space::L, room.bottom()));
    ui.scope_builder(eframe::egui::UiBuilder::new().max_rect(words), |ui| {
        ui.spacing_mut().item_spacing.y = Space::XS;
        let (length, colour) = running.map_or(("0:00", tokens.text_faint), |(_, running)| {
            (running.length.as_str(), if running.live { tokens.text } else { tokens.text_soft })
        });
        ui.label(RichText::new(length).font(theme::mono_medium(26.0)).color(colour));
        match running {
            Some((_, running)) => ui.label(RichText::new(&running.state).size(13.0).color(tokens.tone(running.tone))),
            None => ui.label(RichText::new("No call").size(13.0).color(tokens.text_faint)),
        };
        for line in running.map(|(_, running)| running.sound.as_slice()).unwrap_or_default() {
            ui.label(RichText::new(line).size(12.0).color(tokens.text_faint));
        }
        if live.is_some() && view.in_person {
            meters_ui(ui, &view.person, actions);
        }
        if live.is_none() {
            caption(ui, "The keys work while a call is up");
        }
        if let Some((id, _)) = live {
            ui.add_space(Space::XS);
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = Space::S;
                action_button(ui, Action::HangUp(*id), Look::FilledDanger, None, actions);
                let early = running.is_none_or(|(_, running)| !running.up).then_some("The call is not answered yet");
                if view.in_person {
                    action_button(ui, Action::TestCall(Act::Mute(!view.person.muted)), Look::Plain, None, actions);
                }
                action_button(ui, Action::TestCall(Act::Hold(!view.on_hold)), Look::Plain, early, actions);
            });
        }
    });
    for (index, key) in KEYS.into_iter().enumerate() {
        let (column, row) = (index % 3, index / 3);
        let at = pad.min + Vec2::new(column as f32 * (KEY.x + GAP), row as f32 * (KEY.y + GAP));
        key_ui(ui, Rect::from_min_size(at, KEY), key, running.is_some_and(|(_, running)| running.up), actions);
    }
}

/// Who is how loud, and the volume.
fn meters_ui(ui: &mut Ui, person: &Person, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    let width = ui.available_width() - LABEL - Space::S;
    let row = |ui: &mut Ui, name: &str, paint: &mut dyn FnMut(&mut Ui)| {
        ui.horizontal(|ui| {
            ui.set_height(16.0);
            ui.spacing_mut().item_spacing.x = Space::S;
            ui.spacing_mut().interact_size.y = 16.0;
            ui.scope(|ui| {
                ui.set_width(LABEL);
                ui.label(RichText::new(name).size(11.5).color(tokens.text_faint));
            });
            paint(ui);
        });
    };
    let own = if person.muted { "You, muted" } else { "You" };
    row(ui, "You", &mut |ui| level_meter(ui, own, person.own.0, person.own.1, width, tokens.leg(Leg::Customer)));
    row(ui, "Agent", &mut |ui| level_meter(ui, "Agent", person.far.0, person.far.1, width, tokens.leg(Leg::Agent)));
    row(ui, "Volume", &mut |ui| {
        if let Some(volume) = slider(ui, "Volume", person.volume, width) {
            actions.push(Action::TestCall(Act::Volume(volume)));
        }
    });
}

fn key_ui(ui: &Ui, rect: Rect, key: char, enabled: bool, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    let response = ui.interact(rect, ui.scope_id().with(("key", key)), if enabled { Sense::click() } else { Sense::hover() });
    response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, format!("Key {key}")));
    let fill = match (enabled, response.is_pointer_button_down_on(), response.hovered()) {
        (false, ..) => tokens.raised,
        (true, true, _) => tokens.accent.gamma_multiply(0.35),
        (true, false, true) => tokens.control_hover,
        (true, false, false) => tokens.control,
    };
    ui.painter().rect_filled(rect, Radius::CONTROL, fill);
    if response.has_focus() {
        ui.painter().rect_stroke(rect, Radius::CONTROL, Stroke::new(1.0, tokens.accent), StrokeKind::Inside);
    }
    let colour = if enabled { tokens.text } else { tokens.text_faint };
    ui.painter().text(rect.center(), Align2::CENTER_CENTER, key, theme::text(16.0), colour);
    if response.clicked() {
        actions.push(Action::TestCall(Act::Press(key)));
    }
}

const KEY: Vec2 = Vec2::new(54.0, 40.0);
const GAP: f32 = 7.0;
/// Of a meter.
const LABEL: f32 = 46.0;
