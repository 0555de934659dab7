//! Paints the place: form, the call on the wire, its journey.

use eframe::egui::{Align, Align2, FontId, Layout, Pos2, Rect, RichText, ScrollArea, Sense, Ui, Vec2};

use super::{
    data::{Mark, Running, Step},
    form::form_ui,
};
use crate::{
    console::{
        action::Action,
        backend::Facts,
        panels::ladder::data::Ladder,
        state::State,
        theme::{self, Icon, Leg, Space, Tokens},
        widgets::{card, elided, empty_state, heading, ladder, pill},
    },
    model::CallId,
};

/// What the place shows besides the form.
pub struct TestCallView<'a> {
    pub facts: &'a Facts,
    pub running: Option<(CallId, Running)>,
    pub ladder: Option<&'a Ladder>,
    pub journey: &'a [Step],
}

pub fn test_call_ui(ui: &mut Ui, state: &mut State, view: &TestCallView<'_>, actions: &mut Vec<Action>) {
    let room = ui.available_rect_before_wrap().shrink(Space::L);
    let (left, right) = ((room.width() * 0.335).clamp(350.0, 560.0), (room.width() * 0.225).clamp(230.0, 380.0));
    let middle = room.width() - left - right - 2.0 * Space::L;
    let rect = |x: f32, width: f32| Rect::from_min_size(Pos2::new(room.left() + x, room.top()), Vec2::new(width, room.height()));
    let live = view.running.as_ref().filter(|(_, r)| r.live).map(|(id, _)| *id);
    place(ui, rect(0.0, left), |ui| {
        ScrollArea::vertical().id_salt("form").auto_shrink([false, false]).show(ui, |ui| {
            ui.set_width(ui.available_width() - 2.0);
            ui.spacing_mut().item_spacing.y = 10.0;
            form_ui(ui, &mut state.form, view.facts, live, state.placing, actions);
        });
    });
    place(ui, rect(left + Space::L, middle), |ui| wire_ui(ui, view, actions));
    place(ui, rect(left + middle + 2.0 * Space::L, right), |ui| journey_ui(ui, view.journey));
}

fn place(ui: &mut Ui, rect: Rect, contents: impl FnOnce(&mut Ui)) {
    ui.scope_builder(eframe::egui::UiBuilder::new().max_rect(rect), |ui| {
        card(ui, |ui| {
            ui.set_min_size(rect.size() - Vec2::splat(30.0));
            ui.set_max_size(rect.size() - Vec2::splat(30.0));
            contents(ui);
        });
    });
}

fn wire_ui(ui: &mut Ui, view: &TestCallView<'_>, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    ui.spacing_mut().interact_size.y = 18.0;
    ui.horizontal(|ui| {
        heading(ui, "This call on the wire");
        if let Some((_, running)) = &view.running {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.label(RichText::new(&running.length).font(theme::mono_medium(13.0)).color(tokens.text));
                pill(ui, &running.state, running.tone);
            });
        }
    });
    match view.ladder {
        Some(data) if !data.rows.is_empty() => ladder(ui, data, None, false, actions),
        _ => empty_state(ui, "No test call yet", "Every message appears here as it crosses the wire", None, actions),
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
