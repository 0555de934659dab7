//! What an action does.

use eframe::egui::Context;

use super::{
    action::{Action, Far},
    app::{App, Asked},
    panels::{settings, test_call, transfers},
    state::{CallTab, Notice, Pane, Place, ReturnForm, Sound},
};
use crate::model::{CallId, Command};

impl App {
    pub(super) fn apply(&mut self, ctx: &Context, action: Action) {
        match action {
            Action::Go(place) => self.state.place = place,
            Action::PlaceTestCall => self.place_test_call(false),
            Action::TestCall(act) => self.test_call(ctx, act),
            Action::Playback(act) => self.play(&act),
            Action::Agent(act) => self.agent(act),
            Action::HangUp(call) => self.ask(Command::HangUp { call }, Asked::Other),
            Action::Record(call, on) => self.ask(Command::Record { call, on }, Asked::Other),
            Action::Listen(call, side) => self.ask(Command::Listen { call, side }, Asked::Other),
            Action::AskReturn(call) => self.state.returning = Some(ReturnForm::new(call)),
            Action::ReturnNow => {
                if let Some(form) = self.state.returning.take() {
                    self.ask(Command::Return { call: form.call, request: form.request() }, Asked::Other);
                }
            }
            Action::SelectCall(call) => self.select_call(call),
            Action::SelectMessage(number) => {
                if self.state.place == Place::TestCall {
                    self.state.place = Place::Calls;
                    self.state.call = self.state.test_call;
                }
                self.state.message = Some(number);
                self.state.pane = Pane::Ladder;
            }
            Action::ShowTab(tab) => self.state.tab = tab,
            Action::ShowMessageTab(tab) => self.state.message_tab = tab,
            Action::ShowNewCalls => {
                self.state.reading = false;
                self.list_anew();
            }
            Action::ShowOlder => self.show_older(),
            Action::Search if self.state.place == Place::Messages => self.state.messages.focus = true,
            Action::Search => {
                self.state.place = Place::Calls;
                self.state.focus_search = true;
            }
            Action::ClearSearch => self.state.search.clear(),
            Action::MoveUp => self.step(false),
            Action::MoveDown => self.step(true),
            Action::MoveFar(far) => self.step_far(far),
            Action::OpenPalette => self.open_palette(),
            Action::FilterCalls(words) => self.filter_calls(words),
            Action::Table(act) => self.apply_table(&act),
            // Its own button opens it.
            Action::ChooseColumns => {}
            Action::Compare(act) => self.apply_compare(&act),
            Action::Messages(act) => self.apply_messages(&act),
            Action::Ladder(act) => act.apply(&mut self.state.ladder),
            Action::CopyLadder => ctx.copy_text(self.ladder_text()),
            Action::Enter if self.state.place == Place::Messages => self.open_message(),
            Action::Enter if self.state.place == Place::Agent => self.answer_shown(),
            Action::Enter => {
                self.state.tab = CallTab::Ladder;
                self.state.pane = if self.state.call.is_some() { Pane::Ladder } else { Pane::Table };
                self.state.reveal_message = true;
                self.state.message = self.shown_message();
            }
            Action::Back => self.back(),
            Action::Copy(text) | Action::CopyCurl(text) => ctx.copy_text(text),
            Action::CopyCreateCurl => {
                if let Some(view) = &self.transfers {
                    ctx.copy_text(transfers::data::curl_create(view, &self.state.transfer_form.shown_body()));
                }
            }
            Action::SelectTransfer(id) => self.state.transfer = Some(id),
            Action::CreateTransfer => self.create_transfer(),
            Action::ShowCall(call) => {
                self.state.place = Place::Calls;
                self.select_call(call);
                self.state.reveal_call = true;
            }
            Action::RemoveVariable(index) => {
                if index < self.state.form.variables.len() {
                    self.state.form.variables.remove(index);
                }
            }
            Action::Files(act) => self.apply_files(ctx, act),
            Action::Settings(act) => {
                if let settings::Act::Show(_) = act {
                    self.state.place = Place::Settings;
                }
                self.apply_settings(ctx, act);
            }
            Action::SwitchTheme => self.switch_theme(ctx),
            Action::DismissNotice => self.state.notice = None,
        }
    }

    /// `checks`: as a sound check, in which nobody speaks.
    pub(super) fn place_test_call(&mut self, checks: bool) {
        if self.state.placing {
            return;
        }
        let form = &self.state.form;
        let in_person = !checks && form.sound == Sound::Microphone;
        let fault = if checks { form.call_fault() } else { form.fault() };
        if let Some(text) = fault.or_else(|| self.phone_fault().filter(|_| in_person)) {
            self.state.place = Place::TestCall;
            self.state.notice = Some(Notice { text, wrong: true });
            return;
        }
        self.state.notice = None;
        // Who places a call wants to see it.
        if self.files.opened().is_some() {
            self.show_opened(None);
        }
        self.state.placing = true;
        self.state.test.middle = test_call::Middle::Wire;
        self.state.test.checks_sound = checks;
        if checks {
            // What it finds is told there.
            self.state.place = Place::TestCall;
        }
        let call = Box::new(if checks { self.state.form.sound_check() } else { self.state.form.test_call() });
        self.pick_up_phone(in_person);
        self.ask(Command::PlaceTestCall { call }, Asked::TestCall);
    }

    fn select_call(&mut self, call: CallId) {
        self.state.pane = Pane::Table;
        self.state.table.selected.clear();
        if self.state.call != Some(call) {
            self.state.call = Some(call);
            self.state.message = None;
            self.state.reveal_message = true;
        }
    }

    fn step(&mut self, down: bool) {
        if self.state.place == Place::Messages {
            return self.step_messages(down);
        }
        match self.state.pane {
            Pane::Table => {
                if let Some(call) = beside(&self.state.listed, self.state.call, down) {
                    self.select_call(call);
                    self.state.reveal_call = true;
                }
            }
            Pane::Ladder => {
                self.state.message = beside(&self.message_numbers(), self.shown_message(), down);
                self.state.reveal_message = true;
            }
        }
    }

    fn step_far(&mut self, far: Far) {
        if self.state.place == Place::Messages {
            return self.step_messages_far(far);
        }
        match self.state.pane {
            Pane::Table => {
                if let Some(call) = far_from(&self.state.listed, self.state.call, far) {
                    self.select_call(call);
                    self.state.reveal_call = true;
                }
            }
            Pane::Ladder => {
                self.state.message = far_from(&self.message_numbers(), self.shown_message(), far);
                self.state.reveal_message = true;
            }
        }
    }

    fn back(&mut self) {
        let state = &mut self.state;
        let closed = state.returning.take().is_some()
            || state.test.naming.take().is_some()
            || state.notice.take().is_some()
            || state.place == Place::Calls && !std::mem::take(&mut state.search).is_empty()
            || state.place == Place::Messages && state.messages.chosen.take().is_some()
            || state.place == Place::Messages && !std::mem::take(&mut state.messages.filter).is_empty();
        if closed {
            return;
        }
        if state.pane == Pane::Ladder && state.place == Place::Calls {
            state.pane = Pane::Table;
        } else if state.place != Place::Calls {
            state.place = Place::Calls;
        } else {
            state.call = None;
            state.message = None;
        }
    }
}

/// An end of the list, or a page from `chosen`.
fn far_from<T: Copy + PartialEq>(list: &[T], chosen: Option<T>, far: Far) -> Option<T> {
    list.get(far_index(list.len(), place_of(list, chosen), far)?).copied()
}

/// The neighbour of `chosen`, or an end of the list where nothing is chosen; it stays at the ends.
fn beside<T: Copy + PartialEq>(list: &[T], chosen: Option<T>, down: bool) -> Option<T> {
    list.get(beside_index(list.len(), place_of(list, chosen), down)?).copied()
}

fn place_of<T: PartialEq>(list: &[T], chosen: Option<T>) -> Option<usize> {
    let chosen = chosen?;
    list.iter().position(|item| *item == chosen)
}

pub(super) fn far_index(len: usize, at: Option<usize>, far: Far) -> Option<usize> {
    let (at, last) = (at.unwrap_or(0), len.checked_sub(1)?);
    Some(match far {
        Far::First => 0,
        Far::Last => last,
        Far::PageUp => at.saturating_sub(PAGE),
        Far::PageDown => (at + PAGE).min(last),
    })
}

pub(super) fn beside_index(len: usize, at: Option<usize>, down: bool) -> Option<usize> {
    let last = len.checked_sub(1)?;
    Some(match (at, down) {
        (None, true) => 0,
        (None, false) => last,
        (Some(at), true) => (at + 1).min(last),
        (Some(at), false) => at.saturating_sub(1),
    })
}

const PAGE: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arrow_keys_stop_at_the_ends() {
        let list = [1, 2, 3];
        assert_eq!([beside(&list, None, true), beside(&list, None, false)], [Some(1), Some(3)]);
        assert_eq!([beside(&list, Some(3), true), beside(&list, Some(1), false)], [Some(3), Some(1)]);
        assert_eq!(beside::<u8>(&[], None, true), None);
        let long: Vec<usize> = (0..100).collect();
        let far = [Far::First, Far::Last, Far::PageUp, Far::PageDown].map(|far| far_from(&long, Some(90), far));
        assert_eq!(far, [Some(0), Some(99), Some(70), Some(99)]);
        assert_eq!(far_from::<u8>(&[], None, Far::Last), None);
    }
}
