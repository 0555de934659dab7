//! Paints the place: who waits, the call in hand with its context, and what goes back.

use eframe::egui::{
    Align, Align2, Area, FontId, Id, Layout, Order, Pos2, Rect, RichText, Role, ScrollArea, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo,
};

use super::{
    act::Act,
    data::{AgentPlace, CallRow, HandBack, Phase, Shown},
    hand_back::hand_back_ui,
    state::Edit,
    voice::Voice,
};
use crate::console::{
    action::Action,
    panels::{context, settings},
    theme::{self, Leg, Radius, Space, Tokens, Tone},
    widgets::{Look, action_button, caption, card, card_in, elided, empty_state, fit, heading, level_meter, pill, pill_at},
};

/// What the place shows besides what is typed.
pub struct AgentView<'a> {
    pub place: &'a AgentPlace,
    /// What would go back, where a call is shown.
    pub hand_back: Option<&'a HandBack>,
    pub voice: &'a Voice,
}

pub fn agent_ui(ui: &mut Ui, edit: Option<&mut Edit>, view: &AgentView<'_>, actions: &mut Vec<Action>) {
    let Some(shown) = &view.place.shown else {
        return nobody_ui(ui, view.place.is_agent, actions);
    };
    let room = ui.available_rect_before_wrap().shrink(Space::L);
    let (left, right) = ((room.width() * 0.21).clamp(240.0, 320.0), (room.width() * 0.4).clamp(440.0, 640.0));
    let middle = room.width() - left - right - 2.0 * Space::L;
    let rect = |x: f32, width: f32| Rect::from_min_size(Pos2::new(room.left() + x, room.top()), Vec2::new(width, room.height()));
    card_in(ui, rect(0.0, left), |ui| list_ui(ui, view.place, actions));
    card_in(ui, rect(left + Space::L, middle), |ui| call_ui(ui, shown, view.voice, actions));
    card_in(ui, rect(left + middle + 2.0 * Space::L, right), |ui| {
        if let (Some(edit), Some(hand_back)) = (edit, view.hand_back) {
            hand_back_ui(ui, shown.phase, edit, hand_back, actions);
        }
    });
}

fn nobody_ui(ui: &mut Ui, is_agent: bool, actions: &mut Vec<Action>) {
    if is_agent {
        let sentence = "Callers hear ringing until you answer, and go back as AGENT when nobody does in time";
        empty_state(ui, "No call waits for you", sentence, None, actions);
    } else {
        let sentence = "Choose “You, the operator” as the kind of agent; calls then wait here to be answered, talked in and handed back";
        let next = Action::Settings(settings::Act::Show(settings::Page::Agent));
        empty_state(ui, "You are not the agent", sentence, Some(next), actions);
    }
}

fn list_ui(ui: &mut Ui, place: &AgentPlace, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    ui.horizontal(|ui| {
        heading(ui, "Your calls");
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let waiting = if place.waiting == 0 { "none waits".to_owned() } else { format!("{} waiting", place.waiting) };
            ui.label(RichText::new(waiting).size(11.5).color(tokens.text_faint));
        });
    });
    ui.add_space(Space::XS);
    ScrollArea::vertical().id_salt("operator's calls").auto_shrink([false, false]).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = Space::XS;
        for row in &place.rows {
            row_ui(ui, row, actions);
        }
        if !place.is_agent {
            ui.add_space(Space::S);
            caption(ui, "New calls go to another agent: see Settings, Agent");
        }
    });
}

fn row_ui(ui: &mut Ui, row: &CallRow, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    let (rect, response) = ui.allocate_exact_size(Vec2::new(ui.available_width(), 52.0), Sense::click());
    let name = format!("{} {} {}", row.word, row.title, row.detail);
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, row.chosen, &name));
    let painter = ui.painter();
    if row.chosen {
        painter.rect_filled(rect, Radius::CONTROL, tokens.selected);
    } else if response.hovered() {
        painter.rect_filled(rect, Radius::CONTROL, tokens.raised);
    }
    if response.has_focus() {
        painter.rect_stroke(rect, Radius::CONTROL, Stroke::new(1.0, tokens.accent), StrokeKind::Inside);
    }
    let line = |top: f32, right: f32| {
        Rect::from_min_max(Pos2::new(rect.left() + 10.0, rect.top() + top), Pos2::new(rect.right() - right, rect.top() + top + 18.0))
    };
    let medium = FontId::new(13.0, theme::family(theme::MEDIUM));
    let time = fit(painter, &row.time, theme::mono(12.0), tokens.text_soft, 80.0).size().x;
    elided(painter, line(7.0, time + 10.0 + Space::S), Align2::LEFT_CENTER, &row.title, medium, tokens.text);
    elided(painter, line(7.0, 10.0), Align2::RIGHT_CENTER, &row.time, theme::mono(12.0), tokens.text_soft);
    elided(painter, line(27.0, 78.0), Align2::LEFT_CENTER, &row.detail, theme::text(12.0), tokens.text_faint);
    let width = fit(painter, &row.word, theme::text(11.5), tokens.text, 80.0).size().x + 16.0;
    pill_at(ui, Pos2::new(rect.right() - 10.0 - width, rect.top() + 36.0), width, &row.word, tone_of(row.phase));
    if let Some(left) = row.left {
        let bar = Rect::from_min_size(Pos2::new(rect.left() + 10.0, rect.bottom() - 3.0), Vec2::new((rect.width() - 20.0) * left, 2.0));
        ui.painter().rect_filled(bar, Radius::CONTROL, tokens.leg(Leg::Agent));
    }
    if response.clicked() {
        actions.push(Action::Agent(Act::Show(row.id)));
    }
}

fn tone_of(phase: Phase) -> Tone {
    match phase {
        Phase::Waiting => Tone::Of(Leg::Agent),
        Phase::Talking => Tone::Good,
        Phase::OnHold => Tone::Warn,
        Phase::WrapUp => Tone::Soft,
    }
}

fn call_ui(ui: &mut Ui, shown: &Shown, voice: &Voice, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.label(RichText::new(&shown.time).font(theme::mono_medium(26.0)).color(tokens.text));
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let title = RichText::new(&shown.title).family(theme::family(theme::SEMIBOLD)).size(15.0).color(tokens.text);
                ui.add(eframe::egui::Label::new(title).truncate());
            });
        });
    });
    pill(ui, &shown.word, shown.tone);
    if let Some((became, tone)) = &shown.became {
        ui.label(RichText::new(became).size(12.5).color(tokens.tone(*tone)));
    }
    ui.add_space(Space::XS);
    ui.horizontal(|ui| {
        let act = |act| Action::Agent(act);
        match shown.phase {
            Phase::Waiting => {
                action_button(ui, act(Act::Answer(shown.id)), Look::Primary, None, actions);
                action_button(ui, act(Act::Decline(shown.id)), Look::Danger, None, actions);
            }
            Phase::Talking => {
                action_button(ui, act(Act::Hold(shown.id)), Look::Plain, None, actions);
                action_button(ui, act(Act::Mute(!voice.muted)), Look::Plain, None, actions);
                action_button(ui, Action::HangUp(shown.id), Look::Danger, None, actions);
            }
            Phase::OnHold => {
                action_button(ui, act(Act::Resume(shown.id)), Look::Primary, None, actions);
                action_button(ui, Action::HangUp(shown.id), Look::Danger, None, actions);
            }
            Phase::WrapUp => {
                action_button(ui, act(Act::Done(shown.id)), Look::Primary, None, actions);
            }
        }
        action_button(ui, Action::ShowCall(shown.id), Look::Plain, None, actions);
    });
    if shown.phase != Phase::WrapUp {
        ui.add_space(Space::S);
        voice_ui(ui, shown.phase, voice);
    }
    ui.add_space(Space::S);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = Space::M;
        for time in &shown.times {
            ui.label(RichText::new(format!("{} {}", time.key, time.value)).size(12.0).color(tokens.text_faint));
        }
    });
    ui.add_space(Space::S);
    ScrollArea::vertical().id_salt(("operator's context", shown.id)).auto_shrink([false, false]).show(ui, |ui| {
        context::sections_ui(ui, &shown.context, actions);
    });
}

/// Both voices as meters, and what is missing to hear and be heard.
fn voice_ui(ui: &mut Ui, phase: Phase, voice: &Voice) {
    let tokens = Tokens::of(ui);
    if phase == Phase::Talking {
        let width = (ui.available_width() - METER_NAMES - Space::M).clamp(80.0, 320.0);
        let own = if voice.muted { "You, muted" } else { "You" };
        for (name, (level, peak), leg) in [(own, voice.own, Leg::Agent), ("Customer", voice.customer, Leg::Customer)] {
            ui.horizontal(|ui| {
                let (rect, _) = ui.allocate_exact_size(Vec2::new(METER_NAMES, 16.0), Sense::hover());
                elided(ui.painter(), rect, Align2::LEFT_CENTER, name, theme::text(12.0), tokens.text_faint);
                level_meter(ui, name, level, peak, width, tokens.leg(leg));
            });
        }
    }
    for trouble in &voice.troubles {
        ui.label(RichText::new(trouble).size(12.5).color(tokens.warn));
    }
}

const METER_NAMES: f32 = 80.0;

/// Over every other place, at a corner where it moves nothing: that a call waits, since when, and the way there.
pub fn ringing_ui(ui: &Ui, place: &AgentPlace, actions: &mut Vec<Action>) {
    let Some(row) = place.rows.iter().find(|row| row.phase == Phase::Waiting) else { return };
    let corner = Vec2::new(-Space::L, -Space::STATUS - Space::L);
    Area::new(Id::unique("a call waits")).order(Order::Foreground).anchor(Align2::RIGHT_BOTTOM, corner).show(ui.ctx(), |ui| {
        let tokens = Tokens::of(ui);
        card(ui, |ui| {
            ui.set_width(300.0);
            ui.horizontal(|ui| {
                let words = match place.waiting {
                    1 => "A call waits for you".to_owned(),
                    many => format!("{many} calls wait for you"),
                };
                heading(ui, &words);
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    ui.label(RichText::new(&row.time).font(theme::mono(12.0)).color(tokens.text_soft));
                });
            });
            let who = RichText::new(format!("{} · {}", row.title, row.detail)).size(12.0).color(tokens.text_soft);
            ui.add(eframe::egui::Label::new(who).truncate());
            ui.add_space(Space::XS);
            ui.horizontal(|ui| {
                action_button(ui, Action::Agent(Act::Answer(row.id)), Look::Primary, None, actions);
                action_button(ui, Action::Agent(Act::Show(row.id)), Look::Plain, None, actions);
            });
        });
    });
}
