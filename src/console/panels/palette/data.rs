//! What the search over everything finds: entries in sections, each with the action that it stands for.

use eframe::egui::KeyboardShortcut;

use crate::{
    console::{
        action::Action,
        log::Found,
        panels::{
            calls::{
                self, Book,
                data::{state_of, title_of},
            },
            compare, ladder, messages,
            settings::{self, Page},
            test_call,
        },
        state::{CallTab, MessageTab, Place, State},
        text,
        theme::{Icon, Leg, Tone},
    },
    model::{CallRecord, CallState},
};

#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub section: &'static str,
    pub icon: Option<Icon>,
    pub title: String,
    pub detail: String,
    /// A word at the right: a state, or nothing.
    pub mark: Option<(String, Tone)>,
    pub shortcut: Option<KeyboardShortcut>,
    pub action: Action,
}

/// What `typed` finds, best first. `found`: messages that hold all its words.
pub fn entries(typed: &str, state: &State, book: &Book, found: &[Found]) -> Vec<Entry> {
    let lower = typed.to_lowercase();
    let words: Vec<&str> = lower.split_whitespace().collect();
    let chosen = state.call.and_then(|id| book.find(id));
    let mut entries = Vec::new();
    if !words.is_empty() {
        entries.extend(book.holding(&words).take(MOST_CALLS).map(|call| of_call(call, &words)));
        entries.extend(found.iter().filter_map(|found| of_message(found, book)));
    }
    let pages = Page::ALL.iter().map(|page| of_page(*page)).filter(|entry| !words.is_empty() && holds_all(entry, &words));
    entries.extend(pages);
    let offered = places().into_iter().map(|action| (PLACES, action)).chain(actions(state, chosen).into_iter().map(|a| (ACTIONS, a)));
    entries.extend(offered.filter_map(|(section, action)| of_action(section, action, &words)));
    if !words.is_empty() {
        let shown = typed.trim();
        let more = [
            (format!("Filter calls by “{shown}”"), Action::FilterCalls(shown.to_owned())),
            (format!("List all messages with “{shown}”"), Action::Messages(messages::Act::ShowAll(shown.to_owned()))),
        ];
        entries.extend(more.map(|(title, action)| Entry {
            section: LISTS,
            icon: Some(Icon::Search),
            title,
            detail: String::new(),
            mark: None,
            shortcut: None,
            action,
        }));
    }
    entries
}

fn of_call(call: &CallRecord, words: &[&str]) -> Entry {
    let (state, tone) = state_of(call);
    Entry {
        section: CALLS,
        icon: Some(Icon::Calls),
        title: title_of(call),
        detail: why(call, words),
        mark: Some((state, tone)),
        shortcut: None,
        action: Action::ShowCall(call.id),
    }
}

/// Where the words stand: a variable by its name, else who called and for which task.
fn why(call: &CallRecord, words: &[&str]) -> String {
    let sets = [("iv", &call.context.input_variables), ("tv", &call.transfer_variables), ("rv", &call.reference_variables)];
    let holds = |text: &str| words.iter().any(|word| text.to_lowercase().contains(word));
    let from = text::short_uri(&call.from);
    let task = call.context.task_name.as_deref().unwrap_or_default();
    let plain = if task.is_empty() { from.to_owned() } else { format!("{from} · {task}") };
    let mut variables = sets.iter().flat_map(|(kind, set)| set.iter().map(move |(name, value)| (kind, name, value)));
    match variables.find(|(_, name, value)| holds(name) || holds(value)) {
        Some((kind, name, value)) => format!("{kind} {name}: {value} · {plain}"),
        None if call.context.customer_id.as_deref().is_some_and(holds) => {
            format!("customer {} · {plain}", call.context.customer_id.as_deref().unwrap_or_default())
        }
        None => plain,
    }
}

fn of_message(found: &Found, book: &Book) -> Option<Entry> {
    let call = book.find(found.call?)?;
    Some(Entry {
        section: MESSAGES,
        icon: Some(Icon::Messages),
        title: format!("{} of {}", found.title, title_of(call)),
        detail: found.line.clone(),
        mark: None,
        shortcut: None,
        action: Action::Messages(messages::Act::ShowCall(call.id, found.number)),
    })
}

fn of_action(section: &'static str, action: Action, words: &[&str]) -> Option<Entry> {
    let face = action.face();
    let text = format!("{} {}", face.label, face.tooltip).to_lowercase();
    words.iter().all(|word| text.contains(word)).then(|| Entry {
        section,
        icon: face.icon,
        title: face.label.trim_end_matches('…').to_owned(),
        detail: face.tooltip.to_owned(),
        mark: None,
        shortcut: face.shortcut,
        action,
    })
}

fn of_page(page: Page) -> Entry {
    Entry {
        section: SETTINGS,
        icon: Some(Icon::Settings),
        title: format!("Settings: {}", page.title()),
        detail: String::new(),
        mark: None,
        shortcut: None,
        action: Action::Settings(settings::Act::Show(page)),
    }
}

fn holds_all(entry: &Entry, words: &[&str]) -> bool {
    let title = entry.title.to_lowercase();
    words.iter().all(|word| title.contains(word))
}

fn places() -> Vec<Action> {
    Place::ALL.map(Action::Go).into_iter().chain([Action::Go(Place::Settings)]).collect()
}

/// What makes sense now.
fn actions(state: &State, chosen: Option<&CallRecord>) -> Vec<Action> {
    let mut actions = vec![Action::PlaceTestCall, Action::TestCall(test_call::Act::CheckSound), Action::Search];
    if let Some(call) = chosen {
        if !call.state.is_final() {
            actions.push(Action::HangUp(call.id));
        }
        if call.state == CallState::WithAgent && !call.test_call {
            actions.push(Action::AskReturn(call.id));
        }
        if state.place == Place::Calls {
            actions.extend(CallTab::ALL.map(Action::ShowTab));
            actions.extend(MessageTab::ALL.map(Action::ShowMessageTab));
            actions.push(Action::Compare(compare::Act::Pin));
            actions.push(Action::CopyLadder);
            actions.push(Action::Ladder(ladder::Act::ToScale(!state.ladder.to_scale)));
            actions.push(Action::Ladder(ladder::Act::ZoomIn));
            actions.push(Action::Ladder(ladder::Act::ZoomOut));
            actions.push(Action::Ladder(ladder::Act::ZoomFit));
        }
    }
    if state.compare.pinned.is_some() {
        actions.push(Action::Compare(compare::Act::Unpin));
    }
    match state.place {
        Place::Messages => {
            actions.push(Action::Messages(messages::Act::Follow(!state.messages.follow)));
            actions.extend((!state.messages.filter.is_empty()).then(|| Action::Messages(messages::Act::Narrow(String::new()))));
        }
        Place::Calls => {
            actions.extend((!state.search.is_empty()).then_some(Action::ClearSearch));
            actions.extend((state.unlisted > 0).then_some(Action::ShowNewCalls));
            actions.push(Action::Table(calls::Act::UsualColumns));
        }
        _ => {}
    }
    actions.push(Action::SwitchTheme);
    actions
}

/// In the colour of what it is about.
pub fn tone(entry: &Entry) -> Tone {
    match entry.section {
        CALLS => Tone::Of(Leg::Customer),
        MESSAGES => Tone::Accent,
        _ => Tone::Faint,
    }
}

const CALLS: &str = "Calls";
const MESSAGES: &str = "In messages";
const PLACES: &str = "Places";
const SETTINGS: &str = "Settings";
const ACTIONS: &str = "Actions";
const LISTS: &str = "Lists";
const MOST_CALLS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::{
        Backend as _,
        sample::{RETURNING, SampleBackend},
    };

    fn found(typed: &str, state: &State) -> Vec<String> {
        let backend = SampleBackend::filled();
        let mut book = Book::default();
        book.refresh(&backend.snapshot(), "");
        let entries = entries(typed, state, &book, &[]);
        entries.into_iter().map(|e| format!("{}: {}  {}", e.section, e.title, e.detail)).collect()
    }

    #[test]
    fn calls_are_found_by_any_variable_and_say_where() {
        let expected = [
            "Calls: conv-12345  tv next_action: schedule_callback · customer@your-sbc.example.com · call_routing",
            "Lists: Filter calls by “schedule”  ",
            "Lists: List all messages with “schedule”  ",
        ];
        assert_eq!(found("schedule", &State::default()), expected);
        assert!(found("+14155550123", &State::default())[0].starts_with("Calls: 0867617078-003  +14155550123@"));
    }

    #[test]
    fn actions_are_those_that_make_sense_now() {
        let nothing = found("", &State::default());
        assert!(nothing.iter().any(|e| e.starts_with("Actions: Place test call")) && nothing.iter().all(|e| !e.contains("Hang up")));
        let chosen = State { call: Some(RETURNING), ..State::default() };
        assert!(found("hang", &chosen).iter().any(|e| e == "Actions: Hang up  End this call now, on all legs"));
        assert!(found("mess", &chosen).iter().any(|e| e.starts_with("Places: Messages")));
    }
}
