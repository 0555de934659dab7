//! What differs between two settings, by key; and which of it takes force while the program runs.

use crate::model::settings::{Api, Settings};

/// What came of new settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// Keys that are in force for new calls and requests.
    pub now: Vec<&'static str>,
    /// Keys that are in force after the next start.
    pub at_restart: Vec<&'static str>,
}

/// Whether what is set here moves a socket or a file, and so waits for the next start. An item's key counts as its list's.
pub fn needs_restart(key: &str) -> bool {
    AT_RESTART.iter().any(|of| key.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with(['[', '.'])))
}

/// What of `new` can be in force now, and which keys that concerns.
pub fn in_force(old: &Settings, new: &Settings) -> (Settings, Applied) {
    let mut now = new.clone();
    now.sip.listen.clone_from(&old.sip.listen);
    now.sip.advertise.clone_from(&old.sip.advertise);
    now.media.address = old.media.address;
    now.media.ports = old.media.ports.clone();
    now.control.listen = old.control.listen;
    now.store.path.clone_from(&old.store.path);
    now.store.is_default = old.store.is_default;
    now.api = match (&old.api, now.api.take()) {
        (Some(old), Some(new)) => Some(Api { listen: old.listen, ..new }),
        // A server comes and goes with the program.
        (old, _) => old.clone(),
    };
    let applied = Applied { now: differences(old, &now), at_restart: differences(&now, new) };
    (now, applied)
}

/// The keys whose values differ.
fn differences(a: &Settings, b: &Settings) -> Vec<&'static str> {
    let mut keys = vec![
        ("sip.listen", a.sip.listen != b.sip.listen),
        ("sip.advertise", a.sip.advertise != b.sip.advertise),
        ("sip.realm", a.sip.realm != b.sip.realm),
        ("sip.options_for_anyone", a.sip.options_for_anyone != b.sip.options_for_anyone),
        ("media.address", a.media.address != b.media.address),
        ("media.ports", a.media.ports != b.media.ports),
        ("media.codecs", a.media.codecs != b.media.codecs),
        ("sound.microphone", a.sound.microphone != b.sound.microphone),
        ("sound.speaker", a.sound.speaker != b.sound.speaker),
        ("sound.agent_microphone", a.sound.agent_microphone != b.sound.agent_microphone),
        ("sound.agent_speaker", a.sound.agent_speaker != b.sound.agent_speaker),
        ("sound.volume", a.sound.volume_percent != b.sound.volume_percent),
        ("sound.ring", a.sound.ring != b.sound.ring),
        ("peers", a.peers != b.peers),
        ("agent", a.agent != b.agent),
        ("control.listen", a.control.listen != b.control.listen),
        ("control.token", a.control.token != b.control.token),
        ("api", a.api.is_some() != b.api.is_some()),
        ("store.url", a.store.path != b.store.path),
        ("store.retention_days", a.store.retention_days != b.store.retention_days),
        ("store.retention_megabytes", a.store.retention_bytes != b.store.retention_bytes),
        ("recording.folder", a.recording.folder != b.recording.folder),
        ("recording.when", a.recording.always != b.recording.always),
        ("recording.days", a.recording.days != b.recording.days),
        ("limits.calls", a.limits.calls != b.limits.calls),
        ("limits.calls_per_second", a.limits.calls_per_second != b.limits.calls_per_second),
        ("limits.message_bytes", a.limits.message_bytes != b.limits.message_bytes),
        ("limits.transactions", a.limits.transactions != b.limits.transactions),
        ("limits.capture_bytes", a.limits.capture_bytes != b.limits.capture_bytes),
        ("limits.finished_calls", a.limits.finished_calls != b.limits.finished_calls),
        ("limits.drain_secs", a.limits.drain_secs != b.limits.drain_secs),
        ("limits.unadmitted_per_second", a.limits.unadmitted_per_second != b.limits.unadmitted_per_second),
    ];
    if let (Some(a), Some(b)) = (&a.api, &b.api) {
        keys.extend([
            ("api.listen", a.listen != b.listen),
            ("api.keys", a.keys != b.keys),
            ("api.requests_per_second", a.requests_per_second != b.requests_per_second),
            ("api.number_lease_secs", a.number_lease_secs != b.number_lease_secs),
            ("api.sip_transfer_expiry_secs", a.sip_transfer_expiry_secs != b.sip_transfer_expiry_secs),
            ("api.numbers", a.numbers != b.numbers),
            ("api.payload_in_return", a.payload_in_return != b.payload_in_return),
        ]);
    }
    keys.into_iter().filter_map(|(key, differs)| differs.then_some(key)).collect()
}

/// Besides, the table `api` as a whole.
const AT_RESTART: [&str; 7] = ["sip.listen", "sip.advertise", "media.address", "media.ports", "control.listen", "api.listen", "store.url"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::demo;

    #[test]
    fn what_moves_a_socket_waits_and_the_rest_is_in_force() {
        let old = demo();
        let mut new = old.clone();
        new.sip.listen.pop();
        new.sip.realm = "other".to_owned();
        new.peers.clear();
        if let Some(api) = &mut new.api {
            api.number_lease_secs = 7;
            api.listen.set_port(9);
        }
        let (now, applied) = in_force(&old, &new);
        assert_eq!(applied.now, ["sip.realm", "peers", "api.number_lease_secs"]);
        assert_eq!(applied.at_restart, ["sip.listen", "api.listen"]);
        assert_eq!((now.sip.listen, now.sip.realm.as_str()), (old.sip.listen.clone(), "other"));
        assert_eq!(in_force(&old, &old).1, Applied::default());
    }

    #[test]
    fn every_key_that_waits_is_one_that_says_so() {
        let old = demo();
        let mut new = old.clone();
        new.sip.listen.clear();
        new.sip.advertise = Some("h".to_owned());
        new.media.address = [10, 0, 0, 1].into();
        new.media.ports = 2_000..=3_000;
        new.control.listen.set_port(1);
        new.store.path = Some("x".into());
        if let Some(api) = &mut new.api {
            api.listen.set_port(9);
        }
        let (_, applied) = in_force(&old, &new);
        assert_eq!(applied.now, [""; 0]);
        assert!(applied.at_restart.iter().all(|key| needs_restart(key)), "{applied:?}");
        assert_eq!(applied.at_restart.len(), AT_RESTART.len());
        assert!(needs_restart("sip.listen[1]") && !needs_restart("sip.listener"));
    }
}
