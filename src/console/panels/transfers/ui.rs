//! Paints the place: list and detail at the left, the form and how the API would answer it at the right.

use eframe::egui::{Rect, RichText, Role, ScrollArea, Sense, Ui, Vec2, WidgetInfo};
use jiff::tz::TimeZone;

use super::data;
use crate::{
    console::{
        action::Action,
        backend::{ApiAnswer, TransfersView},
        panels::test_call,
        state::State,
        theme::{self, Space, Tokens, Tone},
        widgets::{
            FieldLook, KeyValue, Look, Table, action_button, caption, card_in, empty_state, heading, key_values, labelled_field, pill,
            segmented,
        },
    },
    model::{CallTransfer, ReturnMethod, Timestamp, TransferKind},
};

/// What the place shows besides the form.
pub struct TransfersPlace<'a> {
    /// `None` where the API is not served.
    pub view: Option<&'a TransfersView>,
    /// How the form would be answered now.
    pub answer: Option<&'a ApiAnswer>,
    pub chosen: Option<&'a CallTransfer>,
    /// The chosen one's call is still here to be shown.
    pub has_call: bool,
    pub now: Timestamp,
    pub zone: &'a TimeZone,
}

pub fn transfers_ui(ui: &mut Ui, state: &mut State, place: &TransfersPlace<'_>, actions: &mut Vec<Action>) {
    let Some(view) = place.view else {
        let sentence = "Add an [api] table with a key to the settings; customers then announce calls before they place them";
        empty_state(ui, "The call transfers API is not served", sentence, None, actions);
        return;
    };
    let room = ui.available_rect_before_wrap().shrink(Space::L);
    let right = (room.width() * 0.36).clamp(400.0, 560.0);
    let left = room.width() - right - Space::L;
    let upper = (room.height() * 0.5).floor();
    let at = |x: f32, y: f32, width: f32, height: f32| Rect::from_min_size(room.min + Vec2::new(x, y), Vec2::new(width, height));
    card_in(ui, at(0.0, 0.0, left, upper), |ui| list_ui(ui, state, view, place, actions));
    card_in(ui, at(0.0, upper + Space::L, left, room.height() - upper - Space::L), |ui| detail_ui(ui, view, place, actions));
    card_in(ui, at(left + Space::L, 0.0, right, room.height()), |ui| {
        ScrollArea::vertical().id_salt("new transfer").auto_shrink([false, false]).show(ui, |ui| {
            ui.set_width(ui.available_width() - 2.0);
            ui.spacing_mut().item_spacing.y = 10.0;
            form_ui(ui, state, place.answer, actions);
        });
    });
}

fn list_ui(ui: &mut Ui, state: &State, view: &TransfersView, place: &TransfersPlace<'_>, actions: &mut Vec<Action>) {
    let tokens = Tokens::of(ui);
    ui.horizontal(|ui| {
        heading(ui, "Call transfers");
        ui.add_space(Space::S);
        ui.label(RichText::new(data::tally(view)).size(11.5).color(tokens.text_faint));
        ui.with_layout(eframe::egui::Layout::right_to_left(eframe::egui::Align::Center), |ui| {
            for (words, share) in data::pools(view) {
                share_ui(ui, share, &words);
                ui.label(RichText::new(&words).size(11.5).color(tokens.text_faint));
                ui.add_space(Space::S);
            }
        });
    });
    ui.add_space(Space::XS);
    if view.transfers.is_empty() {
        empty_state(ui, "No call transfers yet", "Make one with the form, or with the API", None, actions);
        return;
    }
    let reveal = None;
    let table = Table { id: "transfers", columns: &data::COLUMNS, reveal, active: true };
    let chosen = state.transfer.as_deref();
    let answer = table.show(ui, view.transfers.len(), |index| match view.transfers.get(index) {
        Some(transfer) => data::row(transfer, place.now, place.zone, chosen == Some(transfer.id.as_str())),
        None => crate::console::widgets::TableRow { cells: Vec::new(), name: String::new(), chosen: false },
    });
    if let Some(transfer) = answer.clicked.and_then(|index| view.transfers.get(index)) {
        actions.push(Action::SelectTransfer(transfer.id.clone()));
    }
}

/// A thin bar: how much of a pool is leased.
fn share_ui(ui: &mut Ui, share: f32, words: &str) {
    let tokens = Tokens::of(ui);
    let (rect, response) = ui.allocate_exact_size(Vec2::new(70.0, 6.0), Sense::hover());
    ui.painter().rect_filled(rect, theme::Radius::CONTROL, tokens.control);
    if share > 0.0 {
        let filled = Rect::from_min_size(rect.min, Vec2::new((rect.width() * share).max(2.0), rect.height()));
        ui.painter().rect_filled(filled, theme::Radius::CONTROL, tokens.accent);
    }
    response.widget_info(|| WidgetInfo::labeled(Role::ProgressIndicator, true, words));
    response.on_hover_text("Numbers that wait for their call");
}

fn detail_ui(ui: &mut Ui, view: &TransfersView, place: &TransfersPlace<'_>, actions: &mut Vec<Action>) {
    let Some(transfer) = place.chosen else {
        empty_state(ui, "Nothing chosen", "Choose a call transfer to see what went in and what came back", None, actions);
        return;
    };
    let detail = data::detail(transfer, place.now);
    let (status, tone) = data::status_of(transfer);
    ui.horizontal(|ui| {
        heading(ui, &transfer.id);
        pill(ui, status, tone);
        ui.with_layout(eframe::egui::Layout::right_to_left(eframe::egui::Align::Center), |ui| {
            let why = match transfer.call {
                None => Some("No call has come for it"),
                Some(_) if !place.has_call => Some("Its call is no longer kept in memory"),
                Some(_) => None,
            };
            action_button(ui, Action::ShowCall(transfer.call.unwrap_or_default()), Look::Plain, why, actions);
            action_button(ui, Action::CopyCurl(data::curl_get(view, &transfer.id)), Look::Plain, None, actions);
        });
    });
    ui.add_space(Space::XS);
    ScrollArea::vertical().id_salt("transfer detail").auto_shrink([false, false]).show(ui, |ui| {
        let half = (ui.available_width() - Space::L) / 2.0;
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = Space::L;
            ui.vertical(|ui| {
                ui.set_width(half);
                section(ui, "Call transfer", &detail.about, "", actions);
            });
            ui.vertical(|ui| {
                ui.set_width(half);
                section(ui, "Input context", &detail.input, "None was given", actions);
                match &detail.output {
                    Some(rows) => section(ui, "Output context", rows, "", actions),
                    None => section(ui, "Output context", &[], detail.no_output, actions),
                }
            });
        });
    });
}

fn section(ui: &mut Ui, title: &str, rows: &[KeyValue], empty: &str, actions: &mut Vec<Action>) {
    ui.push_id(title, |ui| {
        caption(ui, title);
        if rows.is_empty() {
            let soft = Tokens::of(ui).text_soft;
            ui.label(RichText::new(empty).size(12.0).color(soft));
        }
        ui.scope(|ui| key_values(ui, rows, 170.0, actions));
        ui.add_space(Space::M);
    });
}

fn form_ui(ui: &mut Ui, state: &mut State, answer: Option<&ApiAnswer>, actions: &mut Vec<Action>) {
    let form = &mut state.transfer_form;
    let width = ui.available_width();
    let half = (width - Space::M) / 2.0;
    heading(ui, "New call transfer");
    let kinds = [(TransferKind::Sip, "SIP"), (TransferKind::PhoneNumber, "Phone number")];
    form.kind = segmented(ui, "Type", form.kind, &kinds).unwrap_or(form.kind);
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = Space::M;
        labelled_field(ui, "Id", FieldLook { header: "id", ..FieldLook::default() }, &mut form.id, half - CONVERSATION_ROOM);
        labelled_field(
            ui,
            "Conversation",
            FieldLook { header: "externalConversationId", ..FieldLook::default() },
            &mut form.conversation,
            half + CONVERSATION_ROOM,
        );
    });
    match form.kind {
        TransferKind::PhoneNumber => {
            let look = FieldLook { header: "phoneNumber.country", hint: "US", ..FieldLook::default() };
            labelled_field(ui, "Country", look, &mut form.country, half);
        }
        TransferKind::Sip => {
            caption(ui, "Comes back by");
            let methods = [ReturnMethod::Bye, ReturnMethod::Refer, ReturnMethod::Invite].map(|method| (method, method.name()));
            form.method = segmented(ui, "Comes back by", form.method, &methods).unwrap_or(form.method);
            if form.method != ReturnMethod::Bye {
                let look = FieldLook { header: "sip.returnUri", hint: "sip:transfer@your-company.com", ..FieldLook::default() };
                labelled_field(ui, "Return URI", look, &mut form.uri, width);
            }
            if form.method == ReturnMethod::Invite {
                ui.horizontal_top(|ui| {
                    ui.spacing_mut().item_spacing.x = Space::M;
                    labelled_field(
                        ui,
                        "Username",
                        FieldLook { hint: "only if it is asked for", ..FieldLook::default() },
                        &mut form.username,
                        half,
                    );
                    labelled_field(ui, "Password", FieldLook { password: true, ..FieldLook::default() }, &mut form.password, half);
                });
            }
        }
    }
    labelled_field(ui, "Task", FieldLook { header: "inputContext.taskName", ..FieldLook::default() }, &mut form.task, width);
    caption(ui, "Input variables");
    ui.add_space(-Space::XS);
    test_call::variables_ui(ui, "transfer variable", &mut form.variables);
    ui.horizontal(|ui| {
        let why = if state.creating { Some("It is being created") } else { None };
        action_button(ui, Action::CreateTransfer, Look::Primary, why, actions);
        action_button(ui, Action::CopyCreateCurl, Look::Plain, None, actions);
    });
    if let Some(answer) = answer {
        answer_ui(ui, answer);
    }
    caption(ui, "As it will be sent");
    code(ui, &state.transfer_form.shown_body());
}

/// How the API would answer what the form holds now.
fn answer_ui(ui: &mut Ui, answer: &ApiAnswer) {
    let good = answer.status == 200;
    ui.horizontal(|ui| {
        caption(ui, "The API would answer");
        pill(ui, &answer.line, if good { Tone::Good } else { Tone::Wrong });
    });
    if !good {
        let tokens = Tokens::of(ui);
        ui.label(RichText::new(&answer.message).size(12.0).color(tokens.wrong));
    }
}

/// What is on the wire, in a box of its own.
fn code(ui: &mut Ui, text: &str) {
    let tokens = Tokens::of(ui);
    let frame = eframe::egui::Frame::new()
        .fill(tokens.background)
        .stroke(eframe::egui::Stroke::new(1.0, tokens.line))
        .corner_radius(theme::Radius::CONTROL)
        .inner_margin(eframe::egui::Margin::symmetric(10, 8));
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.label(RichText::new(text).font(theme::mono(12.0)).color(tokens.text_soft));
    });
}

/// The name of this field's header is long.
const CONVERSATION_ROOM: f32 = 30.0;
