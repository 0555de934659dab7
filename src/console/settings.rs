//! Settings in the window: asks what is heavy, takes the answers, changes the draft.

use eframe::egui::{Context, Ui};
use jiff::{Timestamp as Moment, tz::TimeZone};
use sha2::{Digest as _, Sha256};

use super::{
    action::Action,
    app::App,
    panels::settings::{
        self, Act, SECRET_FIELD, State,
        act::Kind,
        form::secret_stem,
        state::{Edited, Kept, SecretEdit},
    },
    state::{Notice, Place},
};
use crate::{
    config::{
        Applied, Draft, WhenChanged,
        desk::{Answer, Ask, NotSaved, Opened, Place as SecretPlace, Text},
    },
    engine::sound_desk::{SoundCommand, Tone},
    model::{Timestamp, settings::Secret},
};

/// What is looked at while the place is open.
#[derive(Default)]
pub(super) struct Looks {
    /// The window's clock, in seconds, of the last look at the file and at today's calls.
    file: Option<f64>,
    today: Option<f64>,
}

impl App {
    /// Takes what was answered, and asks what is new to be asked.
    pub(super) fn drain_settings(&mut self, ctx: &Context) {
        for answer in self.backend.take_settings() {
            self.take_settings_answer(answer);
        }
        if std::mem::take(&mut self.closes) {
            ctx.send_viewport_cmd(eframe::egui::ViewportCommand::Close);
        }
        let looks = self.state.place == Place::Settings && self.state.settings.page == settings::Page::Sound;
        if self.state.settings.tries_microphone && !looks {
            self.try_microphone(false);
        }
        if self.state.place != Place::Settings {
            return;
        }
        let time = ctx.input(|i| i.time);
        if self.settings_looks.file.is_none() {
            self.ask_settings(Ask::Open { unsaved: None });
            self.settings_looks.file = Some(time);
        } else if self.settings_looks.file.is_some_and(|at| time - at > LOOK_EVERY) {
            self.ask_settings(Ask::Look);
            self.ask_anew_where_it_failed();
            self.settings_looks.file = Some(time);
        }
        if self.settings_looks.today.is_none_or(|at| time - at > COUNT_EVERY) {
            self.settings_looks.today = Some(time);
            self.ask_settings(Ask::Admitted { since: midnight(self.now, &self.options.zone) });
        }
        ctx.request_repaint_after(std::time::Duration::from_secs_f64(LOOK_EVERY));
        self.judge_settings();
        self.try_caller();
        let state = &mut self.state.settings;
        (state.sound, state.levels) = (self.backend.devices(), self.backend.levels());
        if state.page == settings::Page::Sound && state.sound.as_ref().is_some_and(|sound| sound.microphone.open || sound.speaker.open) {
            ctx.request_repaint_after(super::app::FRAME);
        }
        let shown = settings::page(&self.state.settings, &self.remembered, &self.options.zone);
        self.state.settings.shown = shown;
    }

    /// What the desk could not take is asked again, a second later.
    fn ask_anew_where_it_failed(&mut self) {
        let state = &mut self.state.settings;
        if std::mem::take(&mut state.failed) {
            (state.trying, state.tried) = (false, None);
            if let Some(file) = &mut state.file {
                file.asked = file.judged;
            }
        }
    }

    /// The draft is judged whenever it has changed.
    fn judge_settings(&mut self) {
        let Some(file) = &mut self.state.settings.file else { return };
        // One question at a time: a keyring may take its time, and somebody may type fast.
        if file.asked == file.revision || file.asked != file.judged {
            return;
        }
        file.asked = file.revision;
        let ask = Ask::Judge { revision: file.revision, text: Text(file.draft.text()) };
        self.ask_settings(ask);
    }

    /// The caller of the form is tried whenever it or the draft has changed.
    fn try_caller(&mut self) {
        let state = &mut self.state.settings;
        let Some(file) = &state.file else { return };
        let Ok(caller) = state.caller.caller() else {
            state.trial = None;
            state.tried = None;
            return;
        };
        let asked = (file.revision, caller);
        if state.trying || state.tried.as_ref() == Some(&asked) {
            return;
        }
        state.trying = true;
        let ask = Ask::Try { text: Text(file.draft.text()), caller: asked.1.clone() };
        state.tried = Some(asked);
        self.ask_settings(ask);
    }

    /// What finds the desk too busy is asked for again by what comes next.
    fn ask_settings(&mut self, ask: Ask) {
        self.backend.ask_settings(ask);
    }

    fn take_settings_answer(&mut self, answer: Answer) {
        let state = &mut self.state.settings;
        match answer {
            Answer::Opened(opened) => self.open_settings(opened),
            Answer::Looked { changed } => {
                if let Some(file) = &mut state.file {
                    file.changed_on_disk = changed;
                }
            }
            Answer::Judged { revision, faults, warnings, agent } => {
                if let Some(file) = state.file.as_mut().filter(|file| file.asked == revision) {
                    (file.judged, file.faults, file.warnings) = (revision, faults, warnings);
                    file.agent = agent;
                }
            }
            Answer::Tried(trial) => {
                state.trying = false;
                state.trial = state.tried.is_some().then_some(trial);
            }
            Answer::Saved { revision, aside, applied } => {
                state.saving = false;
                if let Some(file) = &mut state.file {
                    // What was typed meanwhile is not saved yet.
                    if file.revision == revision {
                        file.saved = file.draft.clone();
                    }
                    file.compare();
                    (file.is_demo, file.changed_on_disk) = (false, false);
                }
                let told = self.in_force(&applied, "Saved");
                let text = match aside {
                    Some(path) => format!("{told} What the file held is in {}.", path.display()),
                    None => told,
                };
                self.state.notice = Some(Notice { text, wrong: false });
            }
            Answer::NotSaved(why) => {
                state.saving = false;
                match why {
                    NotSaved::Faults(faults) => {
                        if let Some(file) = &mut state.file {
                            file.faults = faults;
                        }
                    }
                    NotSaved::ChangedOnDisk => {
                        if let Some(file) = &mut state.file {
                            file.changed_on_disk = true;
                        }
                    }
                    NotSaved::Failed(text) => self.state.notice = Some(Notice { text, wrong: true }),
                }
            }
            Answer::Put => {}
            Answer::Probed(Ok(())) => {
                self.backend.restart_when_closed(true);
                self.closes = true;
            }
            Answer::Probed(Err(text)) => self.state.notice = Some(Notice { text, wrong: true }),
            Answer::Admitted { calls, more } => state.today = Some((calls, more)),
            Answer::Failed(text) => {
                (state.saving, state.failed) = (false, true);
                self.state.notice = Some(Notice { text, wrong: true });
            }
        }
    }

    fn open_settings(&mut self, opened: Opened) {
        match Draft::parse(&opened.text.0) {
            Ok(draft) => {
                let state = &mut self.state.settings;
                // Revisions go on counting, so that no answer to an older draft is taken for one to this.
                let revision = state.file.as_ref().map_or(0, |file| file.revision) + 1;
                state.peer = state.peer.min(draft.len("peers").saturating_sub(1));
                state.secret = None;
                state.file = Some(Edited { revision, ..Edited::new(opened.path, opened.is_demo, draft) });
            }
            Err(why) => self.state.notice = Some(Notice { text: format!("The settings file can't be edited: {why}"), wrong: true }),
        }
        let mut told = opened.applied.as_ref().map(|applied| self.in_force(applied, "Read anew"));
        if let Some(aside) = opened.aside {
            told = Some(format!("{} What you had not saved is in {}.", told.unwrap_or_default(), aside.display()));
        }
        if let Some(text) = told {
            self.state.notice = Some(Notice { text: text.trim().to_owned(), wrong: false });
        }
    }

    /// What changed and what waits, in words; who talks and how calls go back may be others now.
    fn in_force(&mut self, applied: &Applied, what: &str) -> String {
        self.facts = self.backend.facts();
        // What waits is told as a whole each time: a change that was taken back waits no more.
        self.state.settings.at_restart.clone_from(&applied.at_restart);
        match (applied.now.is_empty(), applied.at_restart.is_empty()) {
            (true, true) => format!("{what}."),
            (false, true) => format!("{what}, and in force for new calls."),
            (true, false) => format!("{what}, and in force after the next start."),
            (false, false) => format!("{what}, and in force for new calls. After the next start: {}.", applied.at_restart.join(", ")),
        }
    }

    pub(super) fn apply_settings(&mut self, ctx: &Context, act: Act) {
        match act {
            Act::Restart => self.ask_settings(Ask::Probe),
            Act::Show(page) => {
                self.state.place = Place::Settings;
                self.state.settings.page = page;
                self.state.settings.secret = None;
            }
            Act::TestTone => self.backend.tell_sound(SoundCommand::Play(Tone::Test)),
            Act::TryMicrophone(on) => self.try_microphone(on),
            Act::Theme(theme) => self.remembered.theme = theme,
            Act::Scale(scale) => self.remembered.scale = scale,
            Act::Times(times) => self.remembered.times = times,
            Act::ChoosePeer(peer) => {
                self.state.settings.peer = peer;
                self.state.settings.secret = None;
            }
            Act::AskSecret(table) => {
                let kept = if table.starts_with("api.keys") { Kept::Hash } else { Kept::Here };
                focus(ctx, SECRET_FIELD);
                self.state.settings.secret = Some(SecretEdit { table, kept, text: String::new(), put: String::new() });
            }
            Act::Add { key, what } => {
                let added = self.state.settings.file.as_ref().map_or(0, |file| file.draft.len(&key));
                let first = what.values().first().map_or("", |(name, _)| *name);
                // It is named next.
                focus(ctx, &format!("{key}[{added}].{first}"));
                edit_draft(&mut self.state.settings, Act::Add { key, what });
            }
            Act::SetSecret => {
                let put = self.state.settings.secret.as_ref().and_then(what_to_put);
                put.into_iter().for_each(|ask| self.ask_settings(ask));
                edit_draft(&mut self.state.settings, Act::SetSecret);
            }
            Act::KeepSecret => self.state.settings.secret = None,
            Act::Save => self.save_settings(WhenChanged::Refuse),
            Act::SaveOver => self.save_settings(WhenChanged::KeepAside),
            Act::Reload => {
                let unsaved = self.state.settings.file.as_ref().filter(|file| file.is_changed()).map(|file| Text(file.draft.text()));
                self.ask_settings(Ask::Open { unsaved });
            }
            edit => edit_draft(&mut self.state.settings, edit),
        }
        self.appear(ctx);
    }

    fn save_settings(&mut self, when_changed: WhenChanged) {
        let state = &mut self.state.settings;
        let Some(file) = state.file.as_ref().filter(|file| file.is_changed() && file.is_judged() && file.faults.is_empty()) else { return };
        if std::mem::replace(&mut state.saving, true) {
            return;
        }
        let ask = Ask::Save { revision: file.revision, text: Text(file.draft.text()), when_changed };
        self.ask_settings(ask);
    }

    pub(super) fn settings_place_ui(&mut self, ui: &mut Ui, actions: &mut Vec<Action>) {
        let save = Action::Settings(Act::Save);
        if save.face().shortcut.is_some_and(|shortcut| ui.input_mut(|input| input.consume_shortcut(&shortcut))) {
            actions.push(save);
        }
        settings::settings_ui(ui, &mut self.state.settings, actions);
    }
}

fn focus(ctx: &Context, key: &str) {
    ctx.memory_mut(|memory| memory.request_focus(settings::id_of(key)));
}

/// What changes the draft.
fn edit_draft(state: &mut State, act: Act) {
    let Some(file) = &mut state.file else { return };
    match act {
        Act::Set { key, kind, text } => file.edit(|draft| set(draft, &key, kind, &text)),
        Act::SetList { key, items } => file.edit(|draft| {
            while draft.len(&key) > items.len() {
                draft.remove(&format!("{key}[{}]", draft.len(&key) - 1));
            }
            for (index, item) in items.iter().enumerate() {
                if index < draft.len(&key) {
                    draft.set_text(&format!("{key}[{index}]"), item);
                } else {
                    draft.push_text(&key, item);
                }
            }
        }),
        Act::Push { key, text } => file.edit(|draft| draft.push_text(&key, &text)),
        Act::Add { key, what } => {
            file.edit(|draft| draft.push_table(&key, what.values()));
            if key == "peers" {
                state.peer = file.draft.len("peers").saturating_sub(1);
            }
        }
        Act::Remove(key) => {
            file.edit(|draft| draft.remove(&key));
            // An empty list is one that is not there.
            if let Some((list, _)) = key.rsplit_once('[').filter(|(list, _)| file.draft.len(list) == 0) {
                file.edit(|draft| draft.remove(list));
            }
            state.peer = state.peer.min(file.draft.len("peers").saturating_sub(1));
            state.secret = None;
        }
        Act::Move { key, from, to } => {
            file.edit(|draft| draft.move_item(&key, from, to));
            if key == "peers" {
                state.peer = to;
            }
        }
        Act::SetSecret => {
            if let Some(secret) = state.secret.take() {
                file.edit(|draft| set_secret(draft, &secret));
            }
        }
        Act::ForgetSecret(table) => file.edit(|draft| forget_secret(draft, &table)),
        Act::Discard => {
            let saved = file.saved.clone();
            file.edit(|draft| *draft = saved);
            state.peer = state.peer.min(file.draft.len("peers").saturating_sub(1));
            state.secret = None;
        }
        // These change no draft.
        Act::Show(_)
        | Act::ChoosePeer(_)
        | Act::AskSecret(_)
        | Act::KeepSecret
        | Act::Save
        | Act::SaveOver
        | Act::Reload
        | Act::Restart
        | Act::TestTone
        | Act::TryMicrophone(_)
        | Act::Theme(_)
        | Act::Scale(_)
        | Act::Times(_) => {}
    }
}

/// An emptied value leaves the file, so that its default holds; an item of a list stays, and is named as empty.
fn set(draft: &mut Draft, key: &str, kind: Kind, text: &str) {
    let is_item = key.ends_with(']');
    match kind {
        Kind::Flag => draft.set_flag(key, text == "true"),
        Kind::Text | Kind::Number if text.is_empty() && !is_item => {
            draft.remove(key);
            // Credentials without a user name are none.
            if let Some(auth) = key.strip_suffix(".username").filter(|table| table.ends_with(".auth")) {
                draft.remove(auth);
            }
        }
        Kind::Text => draft.set_text(key, text),
        Kind::Number => draft.set_number(key, text.trim()),
    }
}

/// A secret that is typed for another place goes there before the settings name it.
fn what_to_put(secret: &SecretEdit) -> Option<Ask> {
    let name = secret.text.trim().to_owned();
    let place = match secret.kept {
        Kept::File => SecretPlace::File(name),
        Kept::Keyring => SecretPlace::Keyring(name),
        Kept::Here | Kept::Hash | Kept::Environment => return None,
    };
    (!secret.put.is_empty()).then(|| Ask::Put { place, secret: Secret::new(secret.put.as_str()) })
}

fn set_secret(draft: &mut Draft, secret: &SecretEdit) {
    forget_secret(draft, &secret.table);
    let stem = secret_stem(&secret.table);
    let key = |suffix: &str| format!("{}.{stem}{suffix}", secret.table);
    match secret.kept {
        Kept::Here => draft.set_text(&key(""), &secret.text),
        Kept::Environment => draft.set_text(&key("_env"), secret.text.trim().trim_start_matches('$')),
        Kept::File => draft.set_text(&key("_file"), secret.text.trim()),
        Kept::Keyring => draft.set_text(&key("_keyring"), secret.text.trim()),
        Kept::Hash => {
            let hash = Sha256::digest(secret.text.as_bytes());
            let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            draft.set_text(&key("_sha256"), &hex);
        }
    }
}

fn forget_secret(draft: &mut Draft, table: &str) {
    let stem = secret_stem(table);
    for suffix in ["", "_env", "_file", "_keyring", "_sha256"] {
        let key = format!("{table}.{stem}{suffix}");
        if draft.has(&key) {
            draft.remove(&key);
        }
    }
}

/// When the day of `now` began.
fn midnight(now: Timestamp, zone: &TimeZone) -> Timestamp {
    let moment = i64::try_from(now.0).ok().and_then(|micros| Moment::from_microsecond(micros).ok());
    let start = moment.and_then(|moment| moment.to_zoned(zone.clone()).start_of_day().ok());
    start.map_or(now, |start| Timestamp(u64::try_from(start.timestamp().as_microsecond()).unwrap_or_default()))
}

/// Seconds between looks at the file.
const LOOK_EVERY: f64 = 1.0;
const COUNT_EVERY: f64 = 5.0;
