//! The pages of plain values: listeners, agent, API, storage, limits, appearance.

use jiff::tz::TimeZone;

use super::{
    act::{Act, Kind, What},
    agent_card::script_cards,
    form::{Card, Choice, Field, Flag, Form, PageData, Record, RecordCell, Records, Row, Told},
    returns, sound,
    state::{Edited, Page, State},
    who,
};
use crate::{
    console::{
        remembered::{Remembered, Scale, ThemeChoice, Times},
        theme::Tone,
    },
    model::settings::{Agent, Limits, Recording, Store},
};

/// The chosen page.
pub fn page(state: &State, remembered: &Remembered, zone: &TimeZone) -> PageData {
    let page = state.page;
    let (mut left, mut right) = match (page, &state.file) {
        (Page::Appearance, _) => (appearance(remembered), Vec::new()),
        (_, None) => (Vec::new(), Vec::new()),
        (_, Some(file)) => of_file(page, state, file, zone),
    };
    left.retain(|card| !card.rows.is_empty());
    right.retain(|card| !card.rows.is_empty());
    PageData { title: page.title().to_owned(), lead: page.lead().to_owned(), left, right }
}

fn of_file(page: Page, state: &State, file: &Edited, zone: &TimeZone) -> (Vec<Card>, Vec<Card>) {
    let form = Form::new(&file.draft, &file.faults, &file.warnings, &file.changed);
    let (mut left, right) = match page {
        Page::Listeners => listeners(&form),
        Page::Who => who::cards(&form, state, zone),
        Page::Return => returns::cards(&form, state),
        Page::Agent => {
            let script = match &file.agent {
                Some(Agent::Script(script)) => script_cards(script),
                Some(Agent::Sip { .. } | Agent::Operator { .. }) | None => Vec::new(),
            };
            (agent(&form), script)
        }
        Page::Api => api(&form),
        Page::Sound => sound::cards(&form, state),
        Page::Storage => (storage(&form), Vec::new()),
        Page::Limits => limits(&form),
        Page::Appearance => (Vec::new(), Vec::new()),
    };
    left.insert(0, Card::new("Also in the file", form.leftovers(|key| Page::of_key(key) == page)));
    (left, right)
}

fn listeners(form: &Form<'_>) -> (Vec<Card>, Vec<Card>) {
    let sip = vec![
        Row::List(form.list("sip.listen", "Listen on", "address", "udp:127.0.0.1:5060")),
        Row::Note(
            Tone::Faint,
            "udp: or tcp:, an address and a port; port 0 is any free one. Both on 127.0.0.1:5060 where nothing is listed".to_owned(),
        ),
        Row::Fields(vec![form.field("sip.advertise", "Advertised host", "the address that routes to the caller")]),
        Row::Fields(vec![form.field("sip.realm", "Realm", "handback")]),
        Row::Flag(form.flag("sip.options_for_anyone", "Answer OPTIONS to anyone", "Else only to peers", false)),
    ];
    let control = vec![
        Row::Fields(vec![form.field("control.listen", "Listen on", "127.0.0.1:8081")]),
        Row::Secret(form.secret("control", "Token")),
        Row::Note(Tone::Faint, "What this window can do, scripts can do here. Wider than loopback only with a token".to_owned()),
    ];
    (vec![Card::new("SIP", sip)], vec![Card::new("Sound", media(form)), Card::new("Control API", control)])
}

fn media(form: &Form<'_>) -> Vec<Row> {
    let codecs = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let offers = [
        codecs(&["PCMU", "PCMA"]),
        codecs(&["opus", "G722", "PCMU", "PCMA"]),
        codecs(&["G722", "PCMU", "PCMA"]),
        codecs(&["PCMA", "PCMU"]),
        codecs(&["PCMU"]),
        codecs(&["PCMA"]),
    ];
    let set: Vec<String> = (0..form.draft.len("media.codecs")).map(|index| form.value(&format!("media.codecs[{index}]"))).collect();
    let chosen = if form.draft.has("media.codecs") { offers.iter().position(|offer| *offer == set) } else { Some(0) };
    let word = |names: &Vec<String>| if names.len() == 1 { format!("{} only", names.concat()) } else { names.join(", ") };
    let choice = |names: Vec<String>| (Act::SetList { key: "media.codecs".to_owned(), items: names.clone() }, word(&names));
    vec![
        Row::Fields(vec![
            form.field("media.address", "Address", "that of the first listener"),
            form.field("media.ports", "RTP ports", "40000-49999"),
        ]),
        Row::Choice(Choice {
            label: "Codecs, the preferred one first".to_owned(),
            choices: offers.into_iter().map(choice).collect(),
            chosen,
            told: form.told("media.codecs"),
        }),
    ]
}

fn agent(form: &Form<'_>) -> Vec<Card> {
    let kind = form.choice("agent.kind", "Kind", &[("script", "A script"), ("sip", "A SIP endpoint"), ("operator", "You, the operator")]);
    let mut rows = vec![Row::Choice(kind)];
    if form.value("agent.kind") == "sip" {
        rows.push(Row::Fields(vec![
            form.field("agent.uri", "Agent's URI", "sip:agent@127.0.0.1:5080").share(3.0),
            form.number("agent.ring_timeout_secs", "Rings for at most", 30, "s"),
        ]));
        rows.push(Row::Note(
            Tone::Faint,
            "It gets the context as X-GA-* headers, and ends with a BYE or REFER that carries X-GA-transfer, X-GA-tv-* and X-GA-rv-*"
                .to_owned(),
        ));
    } else if form.value("agent.kind") == "operator" {
        rows.push(Row::Fields(vec![form.number("agent.ring_timeout_secs", "Rings for at most", 30, "s")]));
        rows.push(Row::Flag(form.flag(
            "agent.ringing_tone",
            "Play the ringing to the caller",
            "By 183 with sound; else by 180, and the caller's own side makes it",
            false,
        )));
        rows.push(Row::Note(
            Tone::Faint,
            "Calls wait in the place Agent; one that nobody answers in time goes back as AGENT, as from an agent that is absent".to_owned(),
        ));
    } else {
        rows.push(Row::Fields(vec![form.field("agent.script", "Script", "demo")]));
        rows.push(Row::Note(
            Tone::Faint,
            "“demo” is built in: 1 ends as SYSTEM, 0 as AGENT. Else a TOML file, meant from the settings' folder".to_owned(),
        ));
    }
    vec![Card::new("Agent", rows)]
}

fn api(form: &Form<'_>) -> (Vec<Card>, Vec<Card>) {
    let served = form.draft.has("api");
    let switch = if served {
        Act::Remove("api".to_owned())
    } else {
        Act::Set { key: "api.listen".to_owned(), kind: Kind::Text, text: "127.0.0.1:8080".to_owned() }
    };
    let note = if served { "Switched off, its keys and numbers leave the file" } else { "Customers announce calls over HTTP" };
    let told = Told { at_restart: true, ..form.told("api") };
    let mut server =
        vec![Row::Flag(Flag { label: "Serve the call transfers API".to_owned(), note: note.to_owned(), on: served, switch, told })];
    if !served {
        return (vec![Card::new("Server", server)], Vec::new());
    }
    server.push(Row::Fields(vec![
        form.field("api.listen", "Listen on", "127.0.0.1:8080").share(2.0),
        form.number("api.requests_per_second", "Requests a second", 100, ""),
    ]));
    server.push(Row::Flag(form.flag(
        "api.payload_in_return",
        "Send the payload back with the call, too",
        "Else it is fetched through the API only",
        false,
    )));
    let waits = vec![Row::Fields(vec![
        form.number("api.number_lease_secs", "A number waits for its call", 60, "s"),
        form.number("api.sip_transfer_expiry_secs", "A SIP transfer waits", 300, "s"),
    ])];
    let left = vec![Card::new("Server", server), Card::new("Expiry", waits)];
    (left, vec![Card::new("Keys", vec![Row::Records(keys(form))]), Card::new("Numbers to lease", vec![Row::Records(numbers(form))])])
}

fn keys(form: &Form<'_>) -> Records {
    let row = |index: usize| {
        let key = format!("api.keys[{index}]");
        let id = form.field(format!("{key}.id"), "Id", "id");
        let secret = form.secret(&key, "Secret");
        let may = may(form, &format!("{key}.allow"));
        let faults = [id.told.fault.clone(), secret.fault.clone(), may.told.fault.clone()].into_iter().flatten().collect();
        Record { cells: vec![RecordCell::Field(id), RecordCell::Secret(secret), RecordCell::Choice(may)], faults, key }
    };
    Records {
        key: "api.keys".to_owned(),
        what: What::Key,
        columns: vec![("Id", 0.24), ("Secret", 0.33), ("May", 0.43)],
        rows: (0..form.draft.len("api.keys")).map(row).collect(),
        empty: "Nobody can use the API yet".to_owned(),
        told: form.told("api.keys"),
    }
}

/// What a key may do: all, where the file says nothing.
fn may(form: &Form<'_>, key: &str) -> Choice {
    let has = |word: &str| (0..form.draft.len(key)).any(|index| form.value(&format!("{key}[{index}]")) == word);
    let chosen = match (form.draft.has(key), has("create"), has("read")) {
        (false, ..) | (true, true, true) => Some(0),
        (true, true, false) => Some(1),
        (true, false, true) => Some(2),
        (true, false, false) => None,
    };
    let list = |words: &[&str]| Act::SetList { key: key.to_owned(), items: words.iter().map(|word| (*word).to_owned()).collect() };
    let choices = vec![
        (list(&["create", "read"]), "Both".to_owned()),
        (list(&["create"]), "Create".to_owned()),
        (list(&["read"]), "Read".to_owned()),
    ];
    let faults: Vec<String> = (0..form.draft.len(key)).filter_map(|index| form.told(&format!("{key}[{index}]")).fault).collect();
    let told = Told { fault: faults.into_iter().next(), ..form.told(key) };
    Choice { label: "May".to_owned(), choices, chosen, told }
}

fn numbers(form: &Form<'_>) -> Records {
    let row = |index: usize| {
        let key = format!("api.numbers[{index}]");
        let fields = [
            form.field(format!("{key}.country"), "Country", "US"),
            form.field(format!("{key}.first"), "First number", "+19995550100"),
            form.field(format!("{key}.last"), "Last number", "+19995550199"),
        ];
        let faults = fields.iter().filter_map(|field: &Field| field.told.fault.clone()).collect();
        Record { cells: fields.map(RecordCell::Field).into(), faults, key }
    };
    Records {
        key: "api.numbers".to_owned(),
        what: What::Numbers,
        columns: vec![("Country", 0.2), ("First", 0.4), ("Last", 0.4)],
        rows: (0..form.draft.len("api.numbers")).map(row).collect(),
        empty: "Transfers by telephone number need a range of numbers that lead to this bridge".to_owned(),
        told: form.told("api.numbers"),
    }
}

fn storage(form: &Form<'_>) -> Vec<Card> {
    let default = Store::default();
    let place = vec![
        Row::Fields(vec![form.field("store.url", "Database", "a file beside the settings")]),
        Row::Note(Tone::Faint, "sqlite:FILE, meant from the settings' folder; sqlite::memory: keeps nothing over a restart".to_owned()),
    ];
    let kept = vec![
        Row::Fields(vec![
            form.number("store.retention_days", "Ended calls are kept for", default.retention_days, "days"),
            form.number("store.retention_megabytes", "Their messages take at most", default.retention_bytes >> 20, "MB"),
        ]),
        Row::Note(Tone::Faint, "The oldest are forgotten first. 0 days keeps none".to_owned()),
    ];
    let recordings = vec![
        Row::Choice(form.choice("recording.when", "Calls are recorded", &[("never", "By hand only"), ("always", "Always")])),
        Row::Fields(vec![
            form.field("recording.folder", "Folder", "the system's folder for a program's data").share(2.0),
            form.number("recording.days", "Kept for", Recording::default().days, "days"),
        ]),
        Row::Note(
            Tone::Faint,
            "Stereo WAV, the customer at the left. What a peer says (Who may call) goes before. 0 days keeps them".to_owned(),
        ),
    ];
    vec![Card::new("Place", place), Card::new("Retention", kept), Card::new("Recordings", recordings)]
}

fn limits(form: &Form<'_>) -> (Vec<Card>, Vec<Card>) {
    let default = Limits::default();
    let number = |key: &str, label: &str, default: String, unit| form.number(format!("limits.{key}"), label, default, unit);
    let pair = |a, b| Row::Fields(vec![a, b]);
    let calls = vec![
        pair(
            number("calls", "Calls at one time", default.calls.to_string(), ""),
            number("calls_per_second", "New calls a second", default.calls_per_second.to_string(), ""),
        ),
        pair(
            number("transactions", "SIP transactions at one time", default.transactions.to_string(), ""),
            number("drain_secs", "SIGTERM waits for calls", default.drain_secs.to_string(), "s"),
        ),
        Row::Note(Tone::Faint, "Above these a new call gets 503 with Retry-After; running calls go on".to_owned()),
    ];
    let strangers = vec![
        Row::Fields(vec![
            number("unadmitted_per_second", "Messages a second from a stranger", default.unadmitted_per_second.to_string(), ""),
            number("message_bytes", "Largest message", default.message_bytes.to_string(), "bytes"),
        ]),
        Row::Note(Tone::Faint, "A stranger is an address that is not admitted. Above the rate it gets no answer".to_owned()),
    ];
    let memory = vec![
        pair(
            number("capture_bytes", "Captured messages", default.capture_bytes.to_string(), "bytes"),
            number("finished_calls", "Finished calls in the list", default.finished_calls.to_string(), ""),
        ),
        Row::Note(Tone::Faint, "The oldest go first, a running call's messages last".to_owned()),
    ];
    (vec![Card::new("Calls", calls)], vec![Card::new("Strangers", strangers), Card::new("Memory", memory)])
}

fn appearance(remembered: &Remembered) -> Vec<Card> {
    let choice = |label: &str, choices: Vec<(Act, String)>, chosen| {
        Row::Choice(Choice { label: label.to_owned(), choices, chosen, told: Told::default() })
    };
    let themes = [(ThemeChoice::Dark, "Dark"), (ThemeChoice::Light, "Light"), (ThemeChoice::System, "As the system")];
    let times = [(Times::Local, "Local"), (Times::Utc, "UTC")];
    let acts = |act: Act, word: &str| (act, word.to_owned());
    vec![Card::new(
        "This window",
        vec![
            choice(
                "Theme",
                themes.map(|(theme, word)| acts(Act::Theme(theme), word)).into(),
                themes.iter().position(|(theme, _)| *theme == remembered.theme),
            ),
            choice(
                "Scale",
                Scale::STEPS.map(|scale| acts(Act::Scale(scale), &format!("{} %", scale.percent()))).into(),
                Scale::STEPS.iter().position(|scale| *scale == remembered.scale),
            ),
            choice(
                "Times of day",
                times.map(|(times, word)| acts(Act::Times(times), word)).into(),
                times.iter().position(|(times, _)| *times == remembered.times),
            ),
            Row::Note(Tone::Faint, "Hovering over a time shows the exact UTC in any case".to_owned()),
        ],
    )]
}
