//! An agent script: which task plays what, what ends it, and with which variables.

use std::{fmt, sync::Arc};

use super::{Outcome, Variables};

/// Tasks in the order of the file. Checked when it is loaded: every name is a token, every file exists.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Script {
    pub name: String,
    pub tasks: Vec<Task>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// `X-GA-taskName`; `*` serves every other task.
    pub name: String,
    pub play: Option<Play>,
    pub ends: Vec<End>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Play {
    /// A WAV file, or text that was spoken when the script was loaded.
    Wav(Prompt),
    /// Text with variables (`{{name}}`), spoken for each call.
    Say(String),
    Tone {
        hz: f32,
        secs: f32,
    },
    /// A second's beep, then all that the caller says, back to the caller: what a sound check asks for.
    Echo,
}

/// Sound that was read when the script was loaded.
#[derive(Clone, PartialEq)]
pub struct Prompt {
    /// The file as written in the script, or the spoken text.
    pub name: String,
    /// Mono, 8,000 a second.
    pub samples: Arc<[i16]>,
}

impl fmt::Debug for Prompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prompt({:?}, {} samples)", self.name, self.samples.len())
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct End {
    pub on: Trigger,
    pub outcome: Outcome,
    /// Default: the call's task.
    pub current_task: Option<String>,
    /// tv; `{{name}}` in a value is an input variable, empty where it was not given.
    pub transfer: Variables,
    /// rv
    pub reference: Variables,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Trigger {
    Dtmf(char),
    /// Seconds after the agent answered; 0 = at once.
    AfterSecs(f64),
    /// Seconds without sound or a digit from the caller.
    SilenceSecs(f64),
}

impl Script {
    /// The task that serves `name`: the one of that name, else `*`.
    pub fn task(&self, name: Option<&str>) -> Option<&Task> {
        self.tasks.iter().find(|t| Some(t.name.as_str()) == name).or_else(|| self.tasks.iter().find(|t| t.name == "*"))
    }
}
