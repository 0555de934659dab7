//! What the window does with files: opens, shows, closes, writes.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use eframe::egui::Context;

use super::{
    Act, CaseForm, Dialog, Kind, Listed, Opened, Switch,
    outgoing::{Outgoing, folder},
    work::{Answer, Meter, Work, list, read},
};
use crate::{
    console::{
        app::{App, TICK},
        backend::{Kept, Waker},
        log::Log,
        messages::Messages,
        panels::files as panel,
        past::Past,
        state::{Notice, Pane, Place},
    },
    export::picture::Theme,
    model::{CallId, WholeCall},
};

/// What goes on with files.
pub(in crate::console) struct Files {
    pub switch: Arc<Switch>,
    work: Work,
    waker: Waker,
    pub reading: Option<Going>,
    pub writing: Option<Going>,
    /// What was written last, until it is dismissed.
    pub saved: Option<PathBuf>,
    tickets: u64,
    /// Where exports go.
    folder: PathBuf,
    asked: Option<PathBuf>,
}

/// A reading or a writing under way.
pub(in crate::console) struct Going {
    ticket: u64,
    pub name: String,
    pub meter: Arc<Meter>,
}

impl Going {
    pub fn share(&self) -> Option<f32> {
        self.meter.share()
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        // Nobody waits for it any more.
        self.meter.stop();
    }
}

impl Files {
    pub fn new(switch: Arc<Switch>, waker: Waker, threads: bool) -> Self {
        let work = Work::new(waker.clone(), threads);
        Self { switch, work, waker, reading: None, writing: None, saved: None, tickets: 0, folder: folder(), asked: None }
    }

    pub fn opened(&self) -> Option<Arc<Opened>> {
        self.switch.opened()
    }

    /// Where exports go from now on.
    #[cfg(test)]
    pub fn export_to(&mut self, folder: &Path) {
        folder.clone_into(&mut self.folder);
    }

    fn going(&mut self, name: String) -> Going {
        self.tickets += 1;
        Going { ticket: self.tickets, name, meter: Arc::default() }
    }
}

impl App {
    /// Takes what the threads have done, and what was dropped onto the window.
    pub(in crate::console) fn drain_files(&mut self, ctx: &Context) {
        for answer in self.files.work.take() {
            match answer {
                Answer::Listed(folder, found) => self.take_listed(folder, found),
                Answer::Read(ticket, read) if self.files.reading.as_ref().is_some_and(|going| going.ticket == ticket) => {
                    self.files.reading = None;
                    match read {
                        Ok(opened) => {
                            self.show_opened(Some(opened));
                            // The arrow keys move in the list, not in what stood before it.
                            ctx.memory_mut(|memory| memory.focused().into_iter().for_each(|id| memory.surrender_focus(id)));
                        }
                        Err(text) => self.state.notice = Some(Notice { text, wrong: true }),
                    }
                }
                Answer::Saved(ticket, saved) if self.files.writing.as_ref().is_some_and(|going| going.ticket == ticket) => {
                    self.files.writing = None;
                    match saved {
                        Ok(path) => self.files.saved = Some(path),
                        Err(text) => self.state.notice = Some(Notice { text, wrong: true }),
                    }
                }
                // Of something that was stopped.
                Answer::Read(..) | Answer::Saved(..) => {}
            }
        }
        let dropped = ctx.input(|input| input.raw.dropped_files.iter().map(|file| file.path().to_owned()).next());
        if let Some(path) = dropped {
            self.open_file(path);
        }
        if self.files.reading.is_some() || self.files.writing.is_some() {
            ctx.request_repaint_after(TICK / 5);
        }
        self.list_typed_folder();
    }

    pub(in crate::console) fn apply_files(&mut self, ctx: &Context, act: Act) {
        match act {
            Act::AskOpen => self.ask_open(),
            Act::Choose(index) => self.choose(index),
            Act::OpenTyped => self.open_typed(),
            Act::Stop => (self.files.reading, self.files.writing) = (None, None),
            Act::Close => self.show_opened(None),
            Act::CopyNotes => {
                if let Some(opened) = self.files.opened() {
                    ctx.copy_text(opened.notes.join("\n"));
                }
            }
            Act::Export(kind) => self.export(kind),
            Act::AskCase => self.state.files.case = Some(CaseForm::default()),
            Act::CopySaved => {
                if let Some(path) = &self.files.saved {
                    ctx.copy_text(path.display().to_string());
                }
            }
            Act::DismissSaved => self.files.saved = None,
            Act::Cancel => (self.state.files.dialog, self.state.files.case) = (None, None),
        }
    }

    fn ask_open(&mut self) {
        let folder = self.state.files.folder.clone().or_else(|| self.files.folder.parent().map(Path::to_owned));
        let mut path = folder.unwrap_or_default().display().to_string();
        if !path.ends_with(std::path::MAIN_SEPARATOR) {
            path.push(std::path::MAIN_SEPARATOR);
        }
        self.files.asked = None;
        self.state.files.dialog = Some(Dialog { path, focus: true, ..Dialog::default() });
    }

    /// The folder of what is typed is looked into when it is another one.
    fn list_typed_folder(&mut self) {
        let Some(dialog) = &self.state.files.dialog else { return };
        let folder = panel::data::folder_of(&dialog.path);
        if self.files.asked.as_ref() != Some(&folder) {
            self.files.asked = Some(folder.clone());
            self.files.work.start("folder", move || {
                let found = list(&folder);
                Answer::Listed(folder, found)
            });
        }
    }

    fn take_listed(&mut self, folder: PathBuf, found: Result<Vec<super::Entry>, String>) {
        let Some(dialog) = self.state.files.dialog.as_mut().filter(|_| self.files.asked.as_ref() == Some(&folder)) else { return };
        let (entries, fault) = match found {
            Ok(entries) => (entries, None),
            Err(fault) => (Vec::new(), Some(fault)),
        };
        dialog.listed = Listed { folder, entries, fault };
        dialog.chosen = None;
    }

    /// Into a folder, or the file.
    fn choose(&mut self, index: usize) {
        let Some(dialog) = &mut self.state.files.dialog else { return };
        let Some(entry) = panel::data::shown(dialog).get(index).map(|entry| (entry.name.clone(), entry.is_folder)) else { return };
        let path = dialog.listed.folder.join(&entry.0);
        dialog.path = path.display().to_string();
        dialog.focus = true;
        if entry.1 {
            dialog.path.push(std::path::MAIN_SEPARATOR);
            dialog.chosen = None;
        } else {
            self.open_file(path);
        }
    }

    fn open_typed(&mut self) {
        let Some(dialog) = &self.state.files.dialog else { return };
        match (dialog.chosen, dialog.path.trim()) {
            (Some(index), _) => self.choose(index),
            (None, typed) if !typed.is_empty() && !typed.ends_with(std::path::MAIN_SEPARATOR) => self.open_file(PathBuf::from(typed)),
            _ => {}
        }
    }

    /// Reads a file on a thread of its own; what is shown stays until it is read.
    pub(in crate::console) fn open_file(&mut self, path: PathBuf) {
        self.state.files.dialog = None;
        self.state.files.folder = path.parent().map(Path::to_owned);
        self.state.notice = None;
        let name = path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
        let going = self.files.going(name);
        let (ticket, meter) = (going.ticket, going.meter.clone());
        self.files.reading = Some(going);
        self.files.work.start("reading", move || Answer::Read(ticket, read(&path, &meter).map(Arc::new)));
    }

    /// Shows an opened file, or the engine's calls again.
    pub(in crate::console) fn show_opened(&mut self, opened: Option<Arc<Opened>>) {
        let first = opened.as_ref().and_then(|opened| opened.snapshot.calls.last()).map(|call| call.id);
        self.files.switch.show(opened);
        // Nothing of what was shown before is in what is shown now.
        self.past = Past::anew(self.past.came + 1);
        self.messages = Messages::new(Log::new(self.files.switch.clone(), self.files.waker.clone(), self.options.threads));
        let state = &mut self.state;
        state.search.clear();
        state.table.selected.clear();
        (state.place, state.pane) = (Place::Calls, Pane::Table);
        (state.call, state.message) = (first, None);
        (state.messages.chosen, state.compare) = (None, Default::default());
        (state.reading, state.reveal_call) = (false, true);
    }

    /// The calls that an export takes: those that are selected together, else the chosen one.
    pub(in crate::console) fn calls_to_export(&self) -> Vec<CallId> {
        let selected = &self.state.table.selected;
        if selected.is_empty() { self.state.call.into_iter().collect() } else { selected.iter().copied().collect() }
    }

    /// Writes the selected calls on a thread of its own.
    fn export(&mut self, kind: Kind) {
        self.state.files.case = None;
        let snapshot = &self.snapshot;
        let whole = |id: CallId| {
            let record = snapshot.calls.iter().rev().find(|call| call.id == id)?.clone();
            let here = || Kept { messages: self.backend.messages(id), sound: self.backend.sound_of(id) };
            let Kept { messages, sound } = self.past.kept(id).cloned().unwrap_or_else(here);
            Some(WholeCall { record, messages, sound })
        };
        let mut calls: Vec<WholeCall> = self.calls_to_export().into_iter().filter_map(whole).collect();
        calls.sort_by_key(|call| call.record.started_at);
        if calls.is_empty() {
            return;
        }
        let outgoing = Outgoing {
            kind,
            calls,
            theme: if self.state.dark { Theme::Dark } else { Theme::Light },
            now: self.now,
            folder: self.files.folder.clone(),
            backend: self.backend.clone(),
        };
        let going = self.files.going(kind.label().to_owned());
        let (ticket, meter) = (going.ticket, going.meter.clone());
        (self.files.saved, self.files.writing) = (None, Some(going));
        self.files.work.start("export", move || Answer::Saved(ticket, outgoing.save(&meter)));
    }
}
