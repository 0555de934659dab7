//! Paints the form of a return by hand.

use eframe::egui::{Id, Modal, Ui};

use crate::{
    console::{
        action::Action,
        panels::test_call::variables_ui,
        state::ReturnForm,
        theme::Space,
        widgets::{Look, action_button, caption, dialog, heading, segmented},
    },
    model::{Outcome, ReturnMethod},
};

pub fn return_form_ui(ui: &mut Ui, form: &mut ReturnForm, actions: &mut Vec<Action>) {
    let modal = Modal::new(Id::unique("return now")).frame(dialog(ui)).show(ui.ctx(), |ui| {
        ui.set_width(460.0);
        heading(ui, "Return now");
        ui.add_space(Space::XS);
        caption(ui, "Outcome");
        let outcomes = [(Outcome::System, "SYSTEM"), (Outcome::Agent, "AGENT")];
        form.outcome = segmented(ui, "Outcome", form.outcome, &outcomes).unwrap_or(form.outcome);
        caption(ui, "Method");
        let methods = [
            (None, "As set for the peer"),
            (Some(ReturnMethod::Refer), "REFER"),
            (Some(ReturnMethod::Invite), "INVITE"),
            (Some(ReturnMethod::Bye), "BYE"),
        ];
        form.method = segmented(ui, "Method", form.method, &methods).unwrap_or(form.method);
        ui.add_space(Space::XS);
        caption(ui, "Transfer variables (X-GA-tv-*)");
        variables_ui(ui, "transfer variable", &mut form.transfer);
        caption(ui, "Reference variables (X-GA-rv-*)");
        variables_ui(ui, "reference variable", &mut form.reference);
        ui.add_space(Space::S);
        ui.horizontal(|ui| {
            action_button(ui, Action::ReturnNow, Look::Primary, None, actions);
            action_button(ui, Action::Back, Look::Plain, None, actions);
        });
    });
    if modal.should_close() {
        actions.push(Action::Back);
    }
}
