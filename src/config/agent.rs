//! `[agent]`: who talks with the caller.

use std::sync::Arc;

use super::{fault::Faults, script, table::Section};
use crate::{
    contract::payload,
    model::{script::Script, settings::Agent},
};

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Script,
    Sip,
    Operator,
    NotYet,
}

pub fn read(mut section: Section<'_>, faults: &mut Faults<'_>) -> Agent {
    let kinds = [("script", Kind::Script), ("sip", Kind::Sip), ("operator", Kind::Operator), ("websocket", Kind::NotYet)];
    let kind_entry = section.entry("kind");
    let kind = kind_entry.as_ref().and_then(|e| e.choice(&kinds, faults)).unwrap_or(Kind::Script);
    let script = section.text("script", faults);
    let uri = section.text("uri", faults);
    let ring_timeout_secs = section.number("ring_timeout_secs", 1..=600, 30, faults).unsigned_abs();
    let ringing_tone = section.flag("ringing_tone", false, faults);

    let agent = match kind {
        Kind::Script => {
            let name = script.as_ref().map_or("demo", |(_, name)| *name);
            match script::load(name, &faults.path("")) {
                Ok(script) => Agent::Script(Arc::new(script)),
                Err(found) => {
                    match &script {
                        Some((entry, _)) if found.len() == 1 && found[0].line.is_none() => entry.fault(found[0].text.clone(), faults),
                        _ => faults.list.extend(found),
                    }
                    Agent::Script(Arc::new(Script::default()))
                }
            }
        }
        Kind::Sip => {
            if let Some((entry, text)) = &uri
                && let Err(why) = payload::check_uri(text)
            {
                entry.fault(format!("{text:?}: {}", why.to_string().replace("a return URI", "an agent's URI")), faults);
            }
            if uri.is_none() && section.entry("uri").is_none() {
                section.missing("uri", "an agent of kind \"sip\" is called at a sip: URI", faults);
            }
            Agent::Sip { uri: uri.map(|(_, text)| text.to_owned()).unwrap_or_default(), ring_timeout_secs }
        }
        Kind::Operator => Agent::Operator { ring_timeout_secs, ringing_tone },
        Kind::NotYet => {
            if let Some(entry) = kind_entry {
                entry.fault("this kind of agent is not in this version: use \"script\", \"sip\" or \"operator\"", faults);
            }
            Agent::Script(Arc::new(Script::default()))
        }
    };
    section.finish(faults);
    agent
}
