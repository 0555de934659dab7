//! How the window looks: theme, scale and the zone of times, as remembered.

use eframe::egui::{Context, ThemePreference};
use jiff::tz::TimeZone;

use super::{
    app::App,
    remembered::{ThemeChoice, Times},
};

impl App {
    /// Brings into force what is remembered.
    pub(super) fn appear(&mut self, ctx: &Context) {
        ctx.set_theme(match self.remembered.theme {
            ThemeChoice::Dark => ThemePreference::Dark,
            ThemeChoice::Light => ThemePreference::Light,
            ThemeChoice::System => ThemePreference::System,
        });
        // The ladder has Ctrl + and - for itself.
        ctx.options_mut(|options| options.zoom_with_keyboard = false);
        ctx.set_zoom_factor(self.remembered.scale.factor());
        self.options.zone = match self.remembered.times {
            Times::Local => self.local_zone.clone(),
            Times::Utc => TimeZone::UTC,
        };
    }

    pub(super) fn switch_theme(&mut self, ctx: &Context) {
        self.remembered.theme = if self.state.dark { ThemeChoice::Light } else { ThemeChoice::Dark };
        self.appear(ctx);
    }
}
