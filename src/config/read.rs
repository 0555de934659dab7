//! One settings file as typed settings, section by section, with the rules that hold between sections.

use std::path::Path;

use super::{
    Fault, agent, api, edges,
    fault::Faults,
    media, peers, recording,
    secret::Environment,
    sip, sound,
    table::{Section, document},
};
use crate::model::settings::Settings;

/// Reads the whole file: the settings with warnings, or every fault.
pub fn settings(file: &Path, text: &str, environment: Environment<'_>) -> Result<(Settings, Vec<Fault>), Vec<Fault>> {
    let mut faults = Faults::new(file, text);
    let read = document(text, &mut faults).map(|document| {
        let mut root = Section::root(&document);
        let settings = sections(&mut root, environment, &mut faults);
        root.finish(&mut faults);
        settings
    });
    match read {
        Some(settings) if faults.list.is_empty() => Ok((settings, faults.warnings)),
        _ => {
            faults.list.sort_by_key(|f| f.line);
            Err(faults.list)
        }
    }
}

fn sections(root: &mut Section<'_>, environment: Environment<'_>, faults: &mut Faults<'_>) -> Settings {
    let (sip, listen) = sip::read(root.section("sip", faults), faults);
    let media = media::read(root.section("media", faults), &sip, faults);
    let sound = sound::read(root.section("sound", faults), faults);
    let peers = peers::read(root, environment, faults);
    let agent = agent::read(root.section("agent", faults), faults);
    let control = edges::control(root.section("control", faults), environment, faults);
    let limits = edges::limits(root.section("limits", faults), faults);
    let api = api::api(root.section("api", faults), environment, faults);
    let store = api::store(root.section("store", faults), faults);
    let recording = recording::read(root.section("recording", faults), faults);

    if peers.is_empty()
        && let Some((address, place)) = listen.iter().find(|(address, _)| !address.ip().to_canonical().is_loopback())
    {
        place.fault(
            format!("{address} can be reached from other machines, and no peer is configured: every call would be refused. Add a [[peers]] table, or listen on 127.0.0.1"),
            faults,
        );
    }
    Settings { sip, media, sound, peers, agent, control, api, store, limits, recording }
}
