//! What the agent's script does, task by task, as it was read.

use super::form::{Card, Row};
use crate::{
    console::{
        theme::{Leg, Tone},
        widgets::KeyValue,
    },
    model::{
        Variables,
        script::{End, Play, Script, Task, Trigger},
    },
};

/// A card a task.
pub fn script_cards(script: &Script) -> Vec<Card> {
    script.tasks.iter().take(MOST_TASKS).map(card).collect()
}

fn card(task: &Task) -> Card {
    let title = if task.name == "*" { "What the script does for any task".to_owned() } else { format!("Task {}", task.name) };
    let mut rows = vec![KeyValue::new("First", task.play.as_ref().map_or_else(|| "says nothing".to_owned(), played))];
    rows.extend(task.ends.iter().map(end));
    Card::new(&title, vec![Row::Facts(rows)])
}

fn played(play: &Play) -> String {
    match play {
        Play::Wav(prompt) => format!("plays {} ({:.1} s)", prompt.name, prompt.samples.len() as f64 / SAMPLES_A_SECOND),
        Play::Say(text) => format!("says “{text}”"),
        Play::Echo => "beeps, then sends back what the caller says".to_owned(),
        Play::Tone { hz, secs } => format!("plays a tone of {hz} Hz for {secs} s"),
    }
}

fn end(end: &End) -> KeyValue {
    let on = match &end.on {
        Trigger::Dtmf(digit) => format!("On digit {digit}"),
        Trigger::AfterSecs(0.0) => "At once".to_owned(),
        Trigger::AfterSecs(secs) => format!("After {secs} s"),
        Trigger::SilenceSecs(secs) => format!("After {secs} s of nothing"),
    };
    let names = |variables: &Variables, prefix: &str| variables.keys().map(|name| format!("{prefix}{name}")).collect::<Vec<_>>();
    let mut given = names(&end.transfer, "tv ");
    given.extend(names(&end.reference, "rv "));
    let with = if given.is_empty() { String::new() } else { format!(" with {}", given.join(", ")) };
    KeyValue::new(on, format!("ends as {}{with}", end.outcome.wire())).tone(Tone::Of(Leg::Agent))
}

/// More are in the file.
const MOST_TASKS: usize = 8;
const SAMPLES_A_SECOND: f64 = 8_000.0;
