//! What the operator has chosen: nothing of the engine's, all of it cheap to keep.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::panels::{agent, calls, compare, ladder, media, messages, palette, settings, test_call, transfers::form::TransferForm};
use crate::model::{AudioSource, CallId, OnReturn, Outcome, ReturnMethod, ReturnRequest, TestCall, TransportName, Variables};

/// A place of the rail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    Calls,
    TestCall,
    Agent,
    Transfers,
    Settings,
    Messages,
}

impl Place {
    /// In the order of the rail.
    pub const ALL: [Self; 5] = [Self::Calls, Self::TestCall, Self::Agent, Self::Transfers, Self::Messages];
}

/// A tab of the chosen call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallTab {
    Ladder,
    Context,
    Payload,
    Media,
    Timeline,
    Findings,
}

/// A tab of the chosen message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageTab {
    Decoded,
    Headers,
    Raw,
    Compare,
}

/// Which list the arrow keys move in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pane {
    Table,
    Ladder,
}

#[derive(Debug, Clone, PartialEq)]
pub struct State {
    pub place: Place,
    pub pane: Pane,
    /// The call that is shown below the table.
    pub call: Option<CallId>,
    pub tab: CallTab,
    /// The chosen message's number.
    pub message: Option<u64>,
    pub message_tab: MessageTab,
    pub ladder: ladder::layout::View,
    /// Narrows the list of calls; see `search.rs`.
    pub search: String,
    /// The search field shall have the keyboard.
    pub focus_search: bool,
    /// Calls in the order in which they are listed, newest first.
    pub listed: Vec<CallId>,
    /// Calls that arrived while the list was being read.
    pub unlisted: usize,
    /// The pointer is over the list, or it is scrolled: it stays still.
    pub reading: bool,
    /// The list shall move so that the chosen row is seen.
    pub reveal_call: bool,
    pub reveal_message: bool,
    pub form: TestForm,
    /// The customer's side of the test call that was placed last.
    pub test_call: Option<CallId>,
    /// A test call was asked for and is not answered for yet.
    pub placing: bool,
    /// The rest of the place *Test call*.
    pub test: test_call::State,
    pub agent: agent::State,
    /// Where a recording goes on.
    pub paused: Option<media::playback::Paused>,
    pub returning: Option<ReturnForm>,
    /// The chosen call transfer's id.
    pub transfer: Option<String>,
    pub transfer_form: TransferForm,
    /// A call transfer was asked for and is not answered for yet.
    pub creating: bool,
    pub table: calls::State,
    pub palette: Option<palette::State>,
    pub messages: messages::State,
    pub compare: compare::State,
    pub settings: settings::State,
    /// What a command answered last, where it was refused.
    pub notice: Option<Notice>,
    pub files: super::files::State,
    pub dark: bool,
}

/// One sentence for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub text: String,
    pub wrong: bool,
}

/// The form of *Return now…*.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnForm {
    pub call: CallId,
    pub outcome: Outcome,
    /// `None`: as the peer's settings say.
    pub method: Option<ReturnMethod>,
    pub transfer: Vec<(String, String)>,
    pub reference: Vec<(String, String)>,
}

/// The form of a test call, as typed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TestForm {
    pub to: String,
    pub transport: TransportName,
    pub from: String,
    pub username: String,
    /// Never kept.
    #[serde(skip)]
    pub password: String,
    pub sound: Sound,
    pub recording: String,
    pub task: String,
    pub customer: String,
    pub conversation: String,
    pub variables: Vec<(String, String)>,
    /// The call transfer that the call is for (`X-ASAPP-CallTransferId`).
    pub call_transfer: String,
    /// Further headers, name and value.
    pub headers: Vec<(String, String)>,
    /// Digits to press, or nothing.
    pub dtmf: String,
    pub on_return: OnReturn,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sound {
    Microphone,
    Tone,
    Silence,
    Recording,
}

impl Default for State {
    fn default() -> Self {
        Self {
            place: Place::Calls,
            pane: Pane::Table,
            call: None,
            tab: CallTab::Ladder,
            message: None,
            message_tab: MessageTab::Decoded,
            ladder: ladder::layout::View::default(),
            search: String::new(),
            focus_search: false,
            listed: Vec::new(),
            unlisted: 0,
            reading: false,
            reveal_call: false,
            reveal_message: false,
            form: TestForm::default(),
            test_call: None,
            placing: false,
            test: test_call::State::default(),
            agent: agent::State::default(),
            paused: None,
            returning: None,
            transfer: None,
            transfer_form: TransferForm::default(),
            creating: false,
            table: calls::State::default(),
            palette: None,
            messages: messages::State::default(),
            compare: compare::State::default(),
            settings: settings::State::default(),
            notice: None,
            files: super::files::State::default(),
            dark: true,
        }
    }
}

impl Default for TestForm {
    fn default() -> Self {
        let variables = [("accountNumber", "3434"), ("customerName", "John Doe"), ("priority", "high")];
        Self {
            to: String::new(),
            transport: TransportName::Udp,
            from: "sip:customer@your-sbc.example.com".to_owned(),
            username: String::new(),
            password: String::new(),
            sound: Sound::Tone,
            recording: String::new(),
            task: "call_routing".to_owned(),
            customer: "cust-67890".to_owned(),
            conversation: "conv-12345".to_owned(),
            variables: variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            call_transfer: String::new(),
            headers: Vec::new(),
            dtmf: "1".to_owned(),
            on_return: OnReturn::Accept,
        }
    }
}

impl TestForm {
    /// The call that the form describes; an empty field is a header that is not sent.
    pub fn test_call(&self) -> TestCall {
        TestCall {
            uri: self.to.trim().to_owned(),
            from: filled(&self.from),
            user: filled(&self.username),
            password: (!self.password.is_empty()).then(|| crate::model::settings::Secret::new(self.password.as_str())),
            transport: Some(self.transport),
            task: filled(&self.task),
            conversation: filled(&self.conversation),
            customer: filled(&self.customer),
            iv: variables(&self.variables),
            call_transfer_id: filled(&self.call_transfer),
            headers: self.headers.iter().filter(|(name, _)| !name.is_empty()).map(|(name, value)| format!("{name}: {value}")).collect(),
            audio: match self.sound {
                Sound::Microphone => AudioSource::Microphone,
                Sound::Tone => AudioSource::Tone,
                Sound::Silence => AudioSource::Silence,
                Sound::Recording => AudioSource::File(PathBuf::from(self.recording.trim())),
            },
            // Who speaks in person presses the keys in person.
            dtmf: filled(&self.dtmf).filter(|_| self.sound != Sound::Microphone),
            on_return: self.on_return,
            ..TestCall::default()
        }
    }

    /// The same call, to hear how each way sounds: tones, and an agent that sends them back.
    pub fn sound_check(&self) -> TestCall {
        TestCall { task: None, audio: AudioSource::Tone, dtmf: None, on_return: OnReturn::Accept, sound_check: true, ..self.test_call() }
    }

    /// What keeps the form from being sent, as one sentence.
    pub fn fault(&self) -> Option<String> {
        if self.sound == Sound::Recording && self.recording.trim().is_empty() {
            return Some("Name the WAV file to play".to_owned());
        }
        self.call_fault()
    }

    /// The same, whatever sound is to be sent.
    pub fn call_fault(&self) -> Option<String> {
        if let Some((name, _)) = self.variables.iter().find(|(name, _)| !name.is_empty() && !is_token(name)) {
            return Some(format!("“{name}” cannot be a variable's name: letters, digits and -.!%*_+`'~ only"));
        }
        let to = self.to.trim();
        (!to.is_empty() && !to.starts_with("sip:")).then(|| "To needs a sip: URI".to_owned())
    }
}

impl ReturnForm {
    pub fn new(call: CallId) -> Self {
        Self { call, outcome: Outcome::System, method: None, transfer: Vec::new(), reference: Vec::new() }
    }

    pub fn request(&self) -> ReturnRequest {
        ReturnRequest {
            outcome: self.outcome,
            transfer_variables: variables(&self.transfer),
            reference_variables: variables(&self.reference),
            method: self.method,
            uri: None,
        }
    }
}

fn filled(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn variables(rows: &[(String, String)]) -> Variables {
    rows.iter().filter(|(name, _)| !name.is_empty()).cloned().collect()
}

/// RFC 3261 §25.1 `token`: a variable's name becomes part of a header's.
pub(super) fn is_token(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_field_sends_no_header() {
        let form = TestForm { customer: "  ".to_owned(), dtmf: String::new(), ..TestForm::default() };
        let call = form.test_call();
        assert_eq!((call.customer, call.dtmf, call.task.as_deref()), (None, None, Some("call_routing")));
    }

    #[test]
    fn a_name_that_is_no_token_is_refused_in_the_form() {
        let form = TestForm { variables: vec![("a b".to_owned(), String::new())], ..TestForm::default() };
        assert!(form.fault().is_some_and(|fault| fault.contains("“a b”")));
        assert_eq!(TestForm::default().fault(), None);
    }
}
