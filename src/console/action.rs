//! Everything that the operator can do. A button, a key and a test all push the same value.

use eframe::egui::{Key, KeyboardShortcut, Modifiers};

use super::{
    files,
    panels::{agent, calls, compare, ladder, media, messages, settings, test_call},
    state::{CallTab, MessageTab, Place},
    theme::Icon,
};
use crate::model::{CallId, ListenSide};

#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    Go(Place),
    /// From anywhere: show the form and send it.
    PlaceTestCall,
    TestCall(test_call::Act),
    Agent(agent::Act),
    Playback(media::playback::Act),
    HangUp(CallId),
    /// Hear a call; `None`: no longer.
    Listen(CallId, Option<ListenSide>),
    /// Begin to record this call, or end it.
    Record(CallId, bool),
    /// Open the form of *Return now…*.
    AskReturn(CallId),
    /// Send it.
    ReturnNow,
    SelectCall(CallId),
    SelectMessage(u64),
    ShowTab(CallTab),
    ShowMessageTab(MessageTab),
    /// Read the page of past calls before those that are listed.
    ShowOlder,
    /// Into the search field.
    Search,
    ClearSearch,
    /// List the calls that arrived while the list was being read.
    ShowNewCalls,
    MoveUp,
    MoveDown,
    MoveFar(Far),
    Ladder(ladder::Act),
    Messages(messages::Act),
    Compare(compare::Act),
    Table(calls::Act),
    OpenPalette,
    /// List the calls that hold these words.
    FilterCalls(String),
    /// Open the list of columns.
    ChooseColumns,
    /// The chosen call's ladder as text.
    CopyLadder,
    /// From the table into the ladder of the chosen call.
    Enter,
    /// One step back: close what is open, leave the ladder, drop the choice.
    Back,
    Copy(String),
    RemoveVariable(usize),
    SelectTransfer(String),
    /// Make the call transfer of the form.
    CreateTransfer,
    /// The form as a `curl` line.
    CopyCreateCurl,
    CopyCurl(String),
    /// To the call of a call transfer.
    ShowCall(CallId),
    Settings(settings::Act),
    Files(files::Act),
    SwitchTheme,
    DismissNotice,
}

/// Further than to the neighbour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Far {
    First,
    Last,
    PageUp,
    PageDown,
}

/// How an action looks as a button.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Face {
    pub label: &'static str,
    pub tooltip: &'static str,
    pub icon: Option<Icon>,
    pub shortcut: Option<KeyboardShortcut>,
}

impl Face {
    pub const fn new(label: &'static str, tooltip: &'static str) -> Self {
        Self { label, tooltip, icon: None, shortcut: None }
    }

    pub const fn icon(self, icon: Icon) -> Self {
        Self { icon: Some(icon), ..self }
    }

    pub const fn key(self, key: Key) -> Self {
        Self { shortcut: Some(KeyboardShortcut::new(Modifiers::NONE, key)), ..self }
    }
}

impl Action {
    pub fn face(&self) -> Face {
        let face = |label, tooltip, icon, key: Option<Key>| Face {
            label,
            tooltip,
            icon,
            shortcut: key.map(|key| KeyboardShortcut::new(Modifiers::NONE, key)),
        };
        match self {
            Self::Go(Place::Calls) => face("Calls", "Live and recent calls", Some(Icon::Calls), None),
            Self::Go(Place::TestCall) => face("Test call", "Place a call as the customer would", Some(Icon::TestCall), None),
            Self::PlaceTestCall => face("Place test call", "Call as the form of Test call says", Some(Icon::Call), Some(Key::F5)),
            Self::TestCall(act) => act.face(),
            Self::Agent(act) => act.face(),
            Self::Playback(act) => act.face(),
            Self::Go(Place::Agent) => Face::new("Agent", "Calls that wait for you, being the agent").icon(Icon::Agent),
            Self::HangUp(_) => face("Hang up", "End this call now, on all legs", Some(Icon::HangUp), None),
            Self::Listen(_, Some(_)) => {
                Face::new("Listen", "Hear both sides, the customer at the left; nobody in the call notices").icon(Icon::Listen)
            }
            Self::Listen(_, None) => Face::new("Stop listening", "Hear this call no longer").icon(Icon::Close),
            Self::Record(_, true) => Face::new("Record", "Keep both sides from now on as a stereo WAV file").icon(Icon::Record),
            Self::Record(_, false) => Face::new("Stop recording", "Keep no more of this call; the file stays").icon(Icon::Stop),
            Self::AskReturn(_) => face("Return now…", "End the agent's part and hand the call back", Some(Icon::Return), None),
            Self::ReturnNow => face("Return", "Hand the call back with these variables", Some(Icon::Return), None),
            Self::SelectCall(_) => face("Select call", "Show this call", None, None),
            Self::SelectMessage(_) => face("Select message", "Show this message", None, None),
            Self::ShowTab(tab) => face(tab.label(), tab.tooltip(), None, None),
            Self::ShowMessageTab(tab) => face(tab.label(), tab.tooltip(), None, None),
            Self::ShowNewCalls => face("Show new calls", "List the calls that arrived while you were reading", Some(Icon::Down), None),
            Self::ShowOlder => face("Show older calls", "Read the calls before these", Some(Icon::Down), None),
            Self::Search => {
                Face { shortcut: Some(KeyboardShortcut::new(Modifiers::COMMAND, Key::F)), ..face("Filter", "Narrow the list", None, None) }
            }
            Self::ClearSearch => face("Clear search", "List all calls", Some(Icon::Close), None),
            Self::MoveUp => face("Up", "The row above", None, Some(Key::ArrowUp)),
            Self::MoveDown => face("Down", "The row below", None, Some(Key::ArrowDown)),
            Self::MoveFar(Far::First) => Face::new("First", "The first row").key(Key::Home),
            Self::MoveFar(Far::Last) => Face::new("Last", "The last row").key(Key::End),
            Self::MoveFar(Far::PageUp) => Face::new("Page up", "Twenty rows up").key(Key::PageUp),
            Self::MoveFar(Far::PageDown) => Face::new("Page down", "Twenty rows down").key(Key::PageDown),
            Self::Ladder(act) => act.face(),
            Self::Messages(act) => act.face(),
            Self::Compare(act) => act.face(),
            Self::Table(act) => act.face(),
            Self::OpenPalette => Face {
                shortcut: Some(KeyboardShortcut::new(Modifiers::COMMAND, Key::K)),
                ..Face::new("Search everything", "Calls, headers, variables, places and actions").icon(Icon::Search)
            },
            Self::FilterCalls(_) => Face::new("Filter calls", "List the calls that hold these words").icon(Icon::Search),
            Self::ChooseColumns => Face::new("Columns", "Choose columns; any header or variable can be one").icon(Icon::Columns),
            Self::Go(Place::Messages) => Face::new("Messages", "Every message of all calls").icon(Icon::Messages),
            Self::CopyLadder => Face::new("Copy ladder", "The ladder as text").icon(Icon::Copy),
            Self::Enter => face("Open", "Into the ladder of the chosen call", None, Some(Key::Enter)),
            Self::Back => face("Cancel", "Close, or one step back", None, Some(Key::Escape)),
            Self::Copy(_) => face("Copy", "Copy to the clipboard", Some(Icon::Copy), None),
            Self::Go(Place::Transfers) => face("Transfers", "Calls announced through the API", Some(Icon::Transfers), None),
            Self::SelectTransfer(_) => face("Select call transfer", "Show this call transfer", None, None),
            Self::CreateTransfer => face("Create", "Make this call transfer, as the API would", Some(Icon::Create), None),
            Self::CopyCreateCurl => face("Copy as curl", "The same request for a shell", Some(Icon::Terminal), None),
            Self::CopyCurl(_) => face("Copy as curl", "Fetch it from a shell", Some(Icon::Terminal), None),
            Self::ShowCall(_) => face("Show call", "To the call that came for it", Some(Icon::OpenCall), None),
            Self::RemoveVariable(_) => face("Remove", "Leave this variable out", Some(Icon::Close), None),
            Self::Go(Place::Settings) => Face::new("Settings", "The settings file, and how this window looks").icon(Icon::Settings),
            Self::Settings(act) => act.face(),
            Self::Files(act) => act.face(),
            Self::SwitchTheme => face("Switch theme", "Dark or light", Some(Icon::Sun), None),
            Self::DismissNotice => face("Dismiss", "Close this note", Some(Icon::Close), None),
        }
    }

    /// The actions that a key alone gives, whatever is on screen.
    pub fn global() -> [Self; 15] {
        [
            Self::OpenPalette,
            Self::PlaceTestCall,
            Self::Search,
            Self::Files(files::Act::AskOpen),
            Self::MoveUp,
            Self::MoveDown,
            Self::MoveFar(Far::First),
            Self::MoveFar(Far::Last),
            Self::MoveFar(Far::PageUp),
            Self::MoveFar(Far::PageDown),
            Self::Ladder(ladder::Act::ZoomIn),
            Self::Ladder(ladder::Act::ZoomOut),
            Self::Ladder(ladder::Act::ZoomFit),
            Self::Enter,
            Self::Back,
        ]
    }
}

impl CallTab {
    pub const ALL: [Self; 6] = [Self::Ladder, Self::Context, Self::Payload, Self::Media, Self::Timeline, Self::Findings];

    pub fn label(self) -> &'static str {
        match self {
            Self::Ladder => "Ladder",
            Self::Context => "Context",
            Self::Payload => "Return payload",
            Self::Media => "Media",
            Self::Timeline => "Timeline",
            Self::Findings => "Findings",
        }
    }

    fn tooltip(self) -> &'static str {
        match self {
            Self::Ladder => "Every message of all legs on one time axis",
            Self::Context => "What the customer passed in",
            Self::Payload => "What goes back, within 1,024 characters",
            Self::Media => "Sound in figures, by leg and direction",
            Self::Timeline => "What happened, in words",
            Self::Findings => "What is wrong or risky, whose side, and the cure",
        }
    }
}

impl MessageTab {
    pub const ALL: [Self; 4] = [Self::Decoded, Self::Headers, Self::Raw, Self::Compare];

    pub fn label(self) -> &'static str {
        match self {
            Self::Decoded => "Decoded",
            Self::Headers => "Headers",
            Self::Raw => "Raw",
            Self::Compare => "Compare…",
        }
    }

    fn tooltip(self) -> &'static str {
        match self {
            Self::Decoded => "What this message says, context first",
            Self::Headers => "Each header as it crossed the wire",
            Self::Raw => "The bytes as they crossed the wire",
            Self::Compare => "What differs from another message, by header",
        }
    }
}
