//! Paints what goes back: outcome, variables in the order of the wire, and the payload with its budget.

use eframe::egui::{RichText, ScrollArea, Ui};

use super::{act::Act, data::HandBack, data::Phase, state::Edit};
use crate::{
    console::{
        action::Action,
        panels::{payload::payload_body_ui, test_call::variables_ui},
        theme::{Space, Tokens, Tone},
        widgets::{Look, Marks, action_button, caption, heading, note, segmented},
    },
    model::Outcome,
};

pub(super) fn hand_back_ui(ui: &mut Ui, phase: Phase, edit: &mut Edit, hand_back: &HandBack, actions: &mut Vec<Action>) {
    let over = phase == Phase::WrapUp;
    heading(ui, if over { "What went back" } else { "What goes back" });
    ui.add_space(Space::XS);
    let height = ui.available_height() - if over { 0.0 } else { BUTTONS };
    let mut marks = Marks::begin(ui, "operator's payload");
    ScrollArea::vertical().id_salt(("what goes back", edit.call)).auto_shrink([false, false]).max_height(height).show(ui, |ui| {
        ui.set_width(ui.available_width() - 2.0);
        if !over {
            form_ui(ui, edit);
            ui.add_space(Space::M);
        }
        match hand_back {
            HandBack::Payload(data) => payload_body_ui(ui, data, (&mut marks, 0), actions),
            HandBack::Without(why) => note(ui, Tone::Accent, "No payload", &[why]),
            HandBack::Fault(why) => note(ui, Tone::Wrong, "It can't be written", &[why]),
        }
    });
    marks.end(ui, "operator's payload");
    if over {
        return;
    }
    ui.add_space(Space::M);
    ui.horizontal(|ui| {
        let fault = edit.fault();
        let why = match phase {
            Phase::Waiting => Some("Answer the call first, or decline it"),
            _ => fault.as_deref(),
        };
        action_button(ui, Action::Agent(Act::End(edit.call, edit.outcome)), Look::Primary, why, actions);
        if let Some(fault) = &fault {
            let wrong = Tokens::of(ui).wrong;
            ui.add(eframe::egui::Label::new(RichText::new(fault).size(12.0).color(wrong)).truncate());
        }
    });
}

fn form_ui(ui: &mut Ui, edit: &mut Edit) {
    let outcomes = [(Outcome::System, "SYSTEM"), (Outcome::Agent, "AGENT")];
    edit.outcome = segmented(ui, "Outcome", edit.outcome, &outcomes).unwrap_or(edit.outcome);
    ui.add_space(Space::XS);
    caption(ui, "Transfer variables (X-GA-tv-*)");
    variables_ui(ui, "transfer variable", &mut edit.transfer);
    ui.add_space(Space::XS);
    caption(ui, "Reference variables (X-GA-rv-*)");
    variables_ui(ui, "reference variable", &mut edit.reference);
}

/// The button below, with the space above it.
const BUTTONS: f32 = 48.0;
