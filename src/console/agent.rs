//! The place *Agent*: what its actions do, and what is typed there told to the engine.

use eframe::egui::{self, CentralPanel, Context, Frame, Ui};

use super::{
    action::Action,
    app::{App, Asked, FRAME, TICK},
    panels::agent::{
        self, Act, AgentView, Edit, data,
        voice::{self, Told},
    },
    state::Place,
    theme::Tokens,
};
use crate::{
    engine::sound_desk::{Line, SoundCommand},
    model::{CallId, CallRecord, Command, ReturnRequest, Snapshot},
};

impl App {
    pub(super) fn agent(&mut self, act: Act) {
        match act {
            Act::Show(call) => self.show_operators_call(call),
            Act::Answer(call) => {
                self.show_operators_call(call);
                self.ask(Command::Answer { call }, Asked::Other);
            }
            Act::Decline(call) => self.ask(Command::Decline { call }, Asked::Other),
            Act::Hold(call) => self.ask(Command::Hold { call, on: true }, Asked::Other),
            Act::Resume(call) => self.ask(Command::Hold { call, on: false }, Asked::Other),
            Act::Mute(on) => self.backend.tell_sound(SoundCommand::Mute { line: Line::Operator, on }),
            Act::Done(call) => self.ask(Command::Done { call }, Asked::Other),
            Act::End(call, outcome) => {
                let Some(edit) = self.state.agent.edit.as_mut().filter(|edit| edit.call == call) else { return };
                let set = edit.tell();
                // With none at all the engine would take those that it was told before.
                self.ask(Command::SetVariables { call, variables: set.clone() }, Asked::Other);
                let request = ReturnRequest {
                    outcome,
                    transfer_variables: set.transfer_variables,
                    reference_variables: set.reference_variables,
                    method: None,
                    uri: None,
                };
                self.ask(Command::Return { call, request }, Asked::Other);
            }
        }
    }

    /// The call that Enter answers here.
    pub(super) fn answer_shown(&mut self) {
        let place = data::place(&self.files.switch.engine.snapshot(), true, self.state.agent.chosen, self.now);
        if let Some(shown) = place.shown.filter(|shown| shown.phase == data::Phase::Waiting) {
            self.agent(Act::Answer(shown.id));
        }
    }

    fn show_operators_call(&mut self, call: CallId) {
        self.state.place = Place::Agent;
        self.state.agent.chosen = Some(call);
    }

    /// What was typed a moment ago is kept by the engine: nothing is lost with the window.
    pub(super) fn drain_agent(&mut self, ctx: &Context) {
        let engine = self.files.switch.engine.snapshot();
        let waiting = data::waiting(&engine);
        if waiting > self.calls_waiting && data::rings(&engine) {
            ctx.send_viewport_cmd(egui::ViewportCommand::RequestUserAttention(egui::UserAttentionType::Informational));
        }
        self.calls_waiting = waiting;
        let sound = self.backend.devices();
        let keeps = engine.calls.iter().filter_map(|call| data::phase(call)).any(|phase| phase != data::Phase::WrapUp);
        let now = Told { rings: data::rings(&engine) && sound.is_some_and(|sound| sound.settings.ring), keeps };
        for command in voice::commands(std::mem::replace(&mut self.operator_told, now), now) {
            self.backend.tell_sound(command);
        }
        if keeps && self.state.place == Place::Agent {
            // The meters move.
            ctx.request_repaint_after(FRAME);
        }
        if waiting > 0 || self.state.place == Place::Agent && engine.calls.iter().any(|call| data::phase(call).is_some()) {
            ctx.request_repaint_after(TICK);
        }
        let Some(edit) = &mut self.state.agent.edit else { return };
        let call = record(&engine, edit.call);
        let can_change = |call: &&CallRecord| data::phase(call).is_some_and(|phase| phase != data::Phase::WrapUp);
        let Some(call) = call.filter(can_change) else { return };
        edit.follow(call);
        let time = ctx.input(|input| input.time);
        if let Some(variables) = edit.settled(time) {
            let call = edit.call;
            self.ask(Command::SetVariables { call, variables }, Asked::Other);
        } else if edit.waits() {
            ctx.request_repaint_after(FRAME * 4);
        }
    }

    pub(super) fn agent_place_ui(&mut self, ui: &mut Ui, actions: &mut Vec<Action>) {
        let engine = self.files.switch.engine.snapshot();
        let now = self.now.max(engine.at);
        let place = data::place(&engine, self.facts.agent == OPERATOR, self.state.agent.chosen, now);
        let call = place.shown.as_ref().and_then(|shown| record(&engine, shown.id));
        self.edit_anew(call);
        let hand_back = call.zip(self.state.agent.edit.as_ref()).map(|(call, edit)| data::hand_back(call, edit.outcome, &edit.variables()));
        let voice = voice::voice(self.backend.devices().as_deref(), &self.backend.levels());
        let view = AgentView { place: &place, hand_back: hand_back.as_ref(), voice: &voice };
        let panel = CentralPanel::no_frame().frame(Frame::new().fill(Tokens::of(ui).background));
        panel.show(ui, |ui| agent::agent_ui(ui, self.state.agent.edit.as_mut(), &view, actions));
    }

    /// In every other place: that a call waits.
    pub(super) fn ringing_ui(&self, ui: &Ui, actions: &mut Vec<Action>) {
        if self.calls_waiting == 0 || self.state.place == Place::Agent {
            return;
        }
        let engine = self.files.switch.engine.snapshot();
        let place = data::place(&engine, true, None, self.now.max(engine.at));
        agent::ringing_ui(ui, &place, actions);
    }

    /// Another call is shown, so its variables are edited; what was typed for the one before is told first.
    fn edit_anew(&mut self, call: Option<&CallRecord>) {
        let known = self.state.agent.edit.as_ref().map(|edit| edit.call);
        if known == call.map(|call| call.id) {
            return;
        }
        if let Some(before) = self.state.agent.edit.take()
            && before.waits()
        {
            self.ask(Command::SetVariables { call: before.call, variables: before.variables() }, Asked::Quiet);
        }
        self.state.agent.edit = call.map(Edit::of);
    }
}

fn record(snapshot: &Snapshot, id: CallId) -> Option<&CallRecord> {
    snapshot.calls.iter().find(|call| call.id == id).map(|call| &**call)
}

/// What the facts call the agent that sits here.
const OPERATOR: &str = "operator";
