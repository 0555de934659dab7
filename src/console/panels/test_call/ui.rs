//! Paints the place: form, the call on the wire, its journey.

use eframe::egui::{
    Align, Align2, FontId, Id, Key, Label, Layout, Modal, Pos2, Rect, RichText, ScrollArea, Sense, Ui, Vec2,
    text::{LayoutJob, TextFormat},
};

use super::{
    data::{Mark, Running, Step},
    form::{buttons_ui, form_ui},
    person::Person,
    phone::phone_ui,
    preview::Preview,
    sound_check::Checked,
    sound_check_ui::sound_check_ui,
    state::{Act, Middle},
};
use crate::{
    console::{
        action::Action,
        backend::Facts,
        panels::ladder::data::Ladder,
        remembered::Preset,
        state::State,
        theme::{self, Icon, Leg, Space, Tokens},
        widgets::{FieldLook, Look, action_button, card_in, dialog, elided, empty_state, heading, labelled_field, ladder, pill, segmented},
    },
    model::CallId,
};

/// What the place shows besides the form.
pub struct TestCallView<'a> {
    pub facts: &'a Facts,
    pub running: Option<(CallId, Running)>,
    pub ladder: Option<&'a Ladder>,
    pub journey: &'a [Step],
    pub presets: &'a [Preset],
    pub person: Person,
    /// The call is one in which a person speaks.
    pub in_person: bool,
    /// We have put the far side on hold.
    pub on_hold: bool,
    /// What came of the sound check, where the call is one.
    pub checked: Option<Checked>,
}

pub fn test_call_ui(ui: &mut Ui, state: &mut State, view: &TestCallView<'_>, actions: &mut Vec<Action>) {
    let room = ui.available_rect_before_wrap().shrink(Space::L);
    let (left, right) = ((room.width() * 0.335).clamp(350.0, 560.0), (room.width() * 0.225).clamp(230.0, 380.0));
    let middle = room.width() - left - right - 2.0 * Space::L;
    let rect = |x: f32, width: f32| Rect::from_min_size(Pos2::new(room.left() + x, room.top()), Vec2::new(width, room.height()));
    card_in(ui, rect(0.0, left), |ui| {
        let height = ui.available_height() - BUTTONS - if state.form.fault().is_some() { 24.0 } else { 0.0 };
        ScrollArea::vertical().id_salt("form").auto_shrink([false, false]).max_height(height).show(ui, |ui| {
            ui.set_width(ui.available_width() - 2.0);
            ui.spacing_mut().item_spacing.y = 10.0;
            form_ui(ui, state, view, actions);
        });
        ui.add_space(Space::M);
        buttons_ui(ui, state, view, actions);
    });
    let mut upper = rect(left + Space::L, middle);
    let lower = upper.with_min_y(upper.bottom() - PHONE);
    upper.max.y = lower.top() - Space::L;
    card_in(ui, upper, |ui| middle_ui(ui, state, view, actions));
    card_in(ui, lower, |ui| phone_ui(ui, view, actions));
    let mut journey = rect(left + middle + 2.0 * Space::L, right);
    if let Some(checked) = &view.checked {
        let below = journey.with_min_y(journey.bottom() - CHECK);
        journey.max.y = below.top() - Space::L;
        card_in(ui, below, |ui| sound_check_ui(ui, checked));
    }
    card_in(ui, journey, |ui| journey_ui(ui, view.journey));
}

fn middle_ui(ui: &mut Ui, state: &mut State, view: &TestCallView<'_>, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    let preview = state.test.preview.as_ref().map(|(_, preview)| preview);
    let mut middle = state.test.middle;
    ui.horizontal(|ui| {
        let choices = [(Middle::Invite, "INVITE as it will be sent"), (Middle::Wire, "On the wire")];
        middle = segmented(ui, "Middle", middle, &choices).unwrap_or(middle);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| match (middle, preview, &view.running) {
            (Middle::Invite, Some(preview), _) => {
                ui.label(RichText::new(&preview.size).font(theme::mono(12.0)).color(tokens.tone(preview.tone)));
            }
            (Middle::Wire, _, Some((_, running))) => {
                ui.label(RichText::new(&running.length).font(theme::mono_medium(13.0)).color(tokens.text));
                pill(ui, &running.state, running.tone);
            }
            _ => {}
        });
    });
    ui.add_space(Space::XS);
    match (middle, preview, view.ladder) {
        (Middle::Invite, Some(preview), _) => invite_ui(ui, preview),
        (Middle::Wire, _, Some(data)) if !data.rows.is_empty() => ladder(ui, data, None, false, None, actions),
        _ => empty_state(ui, "No test call yet", "Every message appears here as it crosses the wire", None, actions),
    }
    state.test.middle = middle;
}

fn invite_ui(ui: &mut Ui, preview: &Preview) {
    let tokens = Tokens::of(ui);
    if let Some(fault) = &preview.fault {
        ui.label(RichText::new(fault).size(12.5).color(tokens.wrong));
        return;
    }
    let mut job = LayoutJob::default();
    for (line, tone) in &preview.lines {
        job.append(line, 0.0, TextFormat { line_height: Some(18.0), ..TextFormat::simple(theme::mono(12.0), tokens.tone(*tone)) });
        job.append("\n", 0.0, TextFormat::simple(theme::mono(12.0), tokens.text_faint));
    }
    job.wrap.max_width = ui.available_width();
    job.wrap.break_anywhere = true;
    ScrollArea::vertical().id_salt("invite").auto_shrink([false, false]).show(ui, |ui| ui.add(Label::new(job).selectable(true)));
}

/// Asks for the name of a preset.
pub fn naming_ui(ui: &mut Ui, name: &mut String, actions: &mut Vec<Action>) {
    let modal = Modal::new(Id::unique("preset")).frame(dialog(ui)).show(ui.ctx(), |ui| {
        ui.set_width(340.0);
        heading(ui, "Save as preset");
        ui.add_space(Space::XS);
        let field = labelled_field(ui, "Name", FieldLook { hint: "billing, with a wrong task", ..FieldLook::default() }, name, 340.0);
        if !field.has_focus() && name.is_empty() {
            field.request_focus();
        }
        let given = !name.trim().is_empty();
        if given && field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter)) {
            actions.push(Action::TestCall(Act::SavePreset));
        }
        ui.add_space(Space::S);
        ui.horizontal(|ui| {
            action_button(ui, Action::TestCall(Act::SavePreset), Look::Primary, (!given).then_some("Give it a name"), actions);
            action_button(ui, Action::Back, Look::Plain, None, actions);
        });
    });
    if modal.should_close() {
        actions.push(Action::Back);
    }
}

fn journey_ui(ui: &mut Ui, steps: &[Step]) {
    let tokens = Tokens::of(ui);
    heading(ui, "This call, step by step");
    ui.add_space(Space::XS);
    ScrollArea::vertical().id_salt("journey").auto_shrink([false, false]).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for step in steps {
            let (rect, response) = ui.allocate_exact_size(Vec2::new(ui.available_width(), 46.0), Sense::hover());
            response.widget_info(|| {
                let mark = match step.mark {
                    Mark::Done => "done",
                    Mark::Now => "now",
                    Mark::Ahead => "ahead",
                    Mark::Wrong => "wrong",
                };
                eframe::egui::WidgetInfo::labeled(eframe::egui::Role::Label, true, format!("{} {mark}", step.title))
            });
            let centre = Pos2::new(rect.left() + 6.0, rect.top() + 10.0);
            let painter = ui.painter();
            match step.mark {
                Mark::Done => Icon::Done.paint(painter, centre, 13.0, tokens.good),
                Mark::Wrong => Icon::Close.paint(painter, centre, 13.0, tokens.wrong),
                Mark::Now => {
                    painter.circle_filled(centre, 5.0, tokens.leg(Leg::Agent));
                }
                Mark::Ahead => {
                    painter.circle_filled(centre, 2.0, tokens.text_faint);
                }
            }
            let colour = if step.mark == Mark::Ahead { tokens.text_faint } else { tokens.text };
            let line = |top: f32, right: f32| {
                Rect::from_min_max(
                    Pos2::new(rect.left() + 24.0, rect.top() + top),
                    Pos2::new(rect.right() - right, rect.top() + top + 18.0),
                )
            };
            let time_room = if step.time.is_empty() { 0.0 } else { 58.0 };
            elided(
                painter,
                line(1.0, time_room),
                Align2::LEFT_CENTER,
                &step.title,
                FontId::new(13.0, theme::family(theme::MEDIUM)),
                colour,
            );
            elided(painter, line(1.0, 0.0), Align2::RIGHT_CENTER, &step.time, theme::mono(11.5), tokens.text_faint);
            let cut = elided(painter, line(19.0, 0.0), Align2::LEFT_CENTER, &step.detail, theme::text(12.0), tokens.text_faint);
            if cut {
                response.on_hover_text(&step.detail);
            }
        }
    });
}

/// How high the phone is.
const PHONE: f32 = 268.0;
/// How high a sound check is.
const CHECK: f32 = 236.0;
/// The buttons below the form, with the space above them.
const BUTTONS: f32 = 48.0;
