//! Icons by meaning, each one character of the bundled Lucide subset.

use eframe::egui::{Align2, Color32, Painter, Pos2};

/// What an icon says; a word always stands beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Icon {
    Calls,
    TestCall,
    HandBack,
    Copy,
    Done,
    Close,
    Error,
    Warning,
    Note,
    Call,
    HangUp,
    Return,
    Sun,
    Moon,
    Retransmission,
    Down,
    Transfers,
    OpenCall,
    Create,
    Terminal,
    ZoomIn,
    ZoomOut,
    History,
    Rows,
    Messages,
    Follow,
    Pause,
    Pin,
    Settings,
    Save,
    Up,
    MoveDown,
    FolderOpen,
    Download,
    Stop,
    Columns,
    Search,
    Agent,
    Listen,
    Microphone,
    MicrophoneOff,
    Record,
}

impl Icon {
    pub fn glyph(self) -> char {
        match self {
            Self::Calls => '\u{e133}',
            Self::TestCall => '\u{e13c}',
            Self::HandBack => '\u{e24a}',
            Self::Copy => '\u{e09e}',
            Self::Done => '\u{e06c}',
            Self::Close => '\u{e1b2}',
            Self::Error => '\u{e077}',
            Self::Warning => '\u{e193}',
            Self::Note => '\u{e0f9}',
            Self::Call => '\u{e134}',
            Self::HangUp => '\u{e138}',
            Self::Return => '\u{e0a7}',
            Self::Sun => '\u{e178}',
            Self::Moon => '\u{e11e}',
            Self::Retransmission => '\u{e149}',
            Self::Down => '\u{e06d}',
            Self::Transfers => '\u{e20f}',
            Self::OpenCall => '\u{e0b9}',
            Self::Create => '\u{e13d}',
            Self::Terminal => '\u{e181}',
            Self::ZoomIn => '\u{e1b6}',
            Self::ZoomOut => '\u{e1b7}',
            Self::History => '\u{e1f5}',
            Self::Rows | Self::Messages => '\u{e106}',
            Self::Follow => '\u{e042}',
            Self::Pin => '\u{e345}',
            Self::Columns => '\u{e099}',
            Self::Search => '\u{e151}',
            Self::Pause => '\u{e12e}',
            Self::Settings => '\u{e154}',
            Self::Save => '\u{e14d}',
            Self::Up => '\u{e04a}',
            Self::MoveDown => '\u{e042}',
            Self::FolderOpen => '\u{e247}',
            Self::Download => '\u{e0b2}',
            Self::Microphone => '\u{e118}',
            Self::MicrophoneOff => '\u{e119}',
            Self::Listen => '\u{e0f1}',
            Self::Record => '\u{e076}',
            Self::Agent => '\u{e5bd}',
            Self::Stop => '\u{e083}',
        }
    }

    /// Paints the icon with its middle at `centre`.
    pub fn paint(self, painter: &Painter, centre: Pos2, size: f32, colour: Color32) {
        painter.text(centre, Align2::CENTER_CENTER, self.glyph(), super::icon(size), colour);
    }
}
