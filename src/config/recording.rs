//! `[recording]`: which calls are recorded, where to, and for how long.

use super::{fault::Faults, table::Section};
use crate::model::settings::Recording;

pub fn read(mut section: Section<'_>, faults: &mut Faults<'_>) -> Recording {
    let default = Recording::default();
    let folder = section.text("folder", faults).map(|(entry, text)| {
        if text.is_empty() {
            entry.fault("name a folder, or leave the key out", faults);
        }
        faults.path(text)
    });
    let whens = [("never", false), ("always", true)];
    let always = section.entry("when").and_then(|entry| entry.choice(&whens, faults)).unwrap_or(default.always);
    let days = section.number("days", 0..=36_500, default.days.into(), faults).unsigned_abs() as u32;
    section.finish(faults);
    Recording { folder, always, days }
}
