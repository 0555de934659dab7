//! Where files are seen: the bands below the top bar, and what opens over everything else.

use eframe::egui::{Frame, Panel, Ui};

use crate::console::{
    action::Action,
    app::App,
    panels::files::{self as panel, data::Band},
    theme::Tokens,
};

impl App {
    pub(in crate::console) fn files_bands_ui(&self, ui: &mut Ui, actions: &mut Vec<Action>) {
        let frame = Frame::new().fill(Tokens::of(ui).panel);
        let band = |id| Panel::top(id).exact_size(40.0).resizable(false).show_separator_line(false).frame(frame);
        let reading = self.files.reading.as_ref().map(|going| Band::Reading { name: going.name.clone(), share: going.share() });
        if let Some(shown) = reading.or_else(|| self.files.opened().map(|opened| panel::data::open(&opened))) {
            band("opened file").show(ui, |ui| panel::band_ui(ui, &shown, actions));
        }
        let writing = self.files.writing.as_ref().map(|going| (going.name.as_str(), going.share()));
        if writing.is_some() || self.files.saved.is_some() {
            band("saved file").show(ui, |ui| panel::saved_ui(ui, writing, self.files.saved.as_deref(), actions));
        }
    }

    pub(in crate::console) fn files_dialogs_ui(&mut self, ui: &mut Ui, actions: &mut Vec<Action>) {
        let has_sound = self.files.opened().is_none();
        if let Some(dialog) = &mut self.state.files.dialog {
            panel::dialog_ui(ui, dialog, &self.options.zone, actions);
        }
        if let Some(form) = &mut self.state.files.case {
            panel::case_ui(ui, form, has_sound, actions);
        }
        panel::drop_ui(ui.ctx(), Tokens::of(ui));
    }
}
