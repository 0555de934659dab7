//! Who may call: the peers, the chosen one's networks and users, and what the door would say to a caller.

use jiff::tz::TimeZone;

use super::{
    act::{Act, Kind, What},
    form::{Card, Choice, Form, PeerRow, Record, RecordCell, Records, Row},
    state::{Page, State},
};
use crate::{
    console::{
        text::{clock, count, grouped},
        theme::Tone,
    },
    model::Admission,
};

pub fn cards(form: &Form<'_>, state: &State, zone: &TimeZone) -> (Vec<Card>, Vec<Card>) {
    let peers = form.draft.len("peers");
    let mut list = Vec::new();
    if peers == 0 {
        list.push(Row::Note(Tone::Warn, "There is no peer, so every call is refused".to_owned()));
    } else {
        list.push(Row::Peers { peers: peer_rows(form, Page::Who, state.peer), can_be_edited: true });
        let faults = (0..peers).filter_map(|index| form.told(&format!("peers[{index}].name")).fault);
        list.extend(faults.map(|fault| Row::Note(Tone::Wrong, fault)));
        if peers > 1 {
            list.push(Row::Note(Tone::Faint, "The first that matches wins".to_owned()));
        }
    }
    list.push(Row::Add(Act::Add { key: "peers".to_owned(), what: What::Peer }));
    let mut left = vec![Card::new("Peers", list)];
    if state.peer < peers {
        left.extend(of_peer(form, state, zone));
    }
    let caller = state.caller.caller();
    let mut tester = vec![Row::Caller { fault: caller.err().unwrap_or_default() }];
    tester.extend(state.trial.clone().map(Row::Trial));
    (left, vec![Card::new("Would this caller pass?", tester)])
}

/// The peers as both pages list them.
pub fn peer_rows(form: &Form<'_>, page: Page, chosen: usize) -> Vec<PeerRow> {
    let row = |index: usize| {
        let key = format!("peers[{index}]");
        let (networks, users) = (form.draft.len(&format!("{key}.networks")), form.draft.len(&format!("{key}.users")));
        let joined = if form.value(&format!("{key}.policy")) == "both" { "and" } else { "or" };
        let method = form.draft.value(&format!("{key}.return.method")).unwrap_or_else(|| "BYE".to_owned());
        let who = match (networks, users) {
            (0, 0) => "admits nobody".to_owned(),
            (0, users) => count(users, "user", "users"),
            (networks, 0) => count(networks, "network", "networks"),
            (networks, users) => format!("{} {joined} {}", count(networks, "network", "networks"), count(users, "user", "users")),
        };
        let typed = form.value(&format!("{key}.name"));
        PeerRow {
            key: format!("{key}.name"),
            name: if typed.is_empty() { format!("Peer {}", index + 1) } else { typed.clone() },
            typed,
            summary: format!("{who} · {method}"),
            chosen: index == chosen,
            is_faulty: form.is_faulty(&key, page),
            is_changed: form.told(&format!("{key}.name")).changed,
        }
    };
    (0..form.draft.len("peers")).map(row).collect()
}

fn of_peer(form: &Form<'_>, state: &State, zone: &TimeZone) -> Vec<Card> {
    let key = format!("peers[{}]", state.peer);
    let name = form.value(&format!("{key}.name"));
    let mut networks = form.list(format!("{key}.networks"), "Network", "network", "10.4.0.0/16 or 2001:db8:4::7");
    // Without retention nothing of today is left to be counted.
    let today = state.today.as_ref().filter(|_| form.value("store.retention_days") != "0");
    if let Some((calls, more)) = today {
        networks.aside = "Calls today".to_owned();
        for item in &mut networks.items {
            let of_network = |by: &Admission| match by {
                Admission::Network(network) | Admission::Both { network, .. } => is_same(network, &item.value),
                Admission::Digest { .. } | Admission::TestCall => false,
            };
            let calls = calls.iter().filter(|call| call.peer == name && of_network(&call.by)).count();
            item.aside = format!("{}{}", grouped(calls as u64), if *more { "+" } else { "" });
        }
    }
    let policies = [("either", "Either is enough"), ("both", "Both are needed")];
    let policy = form.choice(&format!("{key}.policy"), "", &policies);
    vec![
        Card::new("Allowed addresses", vec![Row::List(networks)]),
        Card::new(
            "Username and password",
            vec![
                Row::Records(users(form, &key, &name, state, zone)),
                Row::Flag(form.flag(&format!("{key}.allow_md5"), "Offer MD5 beside SHA-256", "Many SBCs know only MD5", true)),
            ],
        ),
        Card::new("An address that is allowed, but a password that is wrong", vec![Row::Choice(policy)]),
        Card::new("Recording of its calls", vec![Row::Choice(recording(form, &key))]),
    ]
}

/// What a peer says of its calls; where it says nothing, they go with all others.
fn recording(form: &Form<'_>, peer: &str) -> Choice {
    let key = format!("{peer}.record");
    let always = form.value("recording.when") == "always";
    let act = |act: Act, word: &str| (act, word.to_owned());
    let flag = |on: bool| Act::Set { key: key.clone(), kind: Kind::Flag, text: on.to_string() };
    Choice {
        label: String::new(),
        choices: vec![
            act(Act::Remove(key.clone()), if always { "As all: always" } else { "As all: by hand" }),
            act(flag(true), "Always"),
            act(flag(false), "By hand only"),
        ],
        chosen: match form.draft.value(&key).as_deref() {
            None => Some(0),
            Some("true") => Some(1),
            Some("false") => Some(2),
            Some(_) => None,
        },
        told: form.told(&key),
    }
}

fn users(form: &Form<'_>, peer: &str, name: &str, state: &State, zone: &TimeZone) -> Records {
    let list = format!("{peer}.users");
    let row = |index: usize| {
        let key = format!("{list}[{index}]");
        let username = form.field(format!("{key}.username"), "Username", "username");
        let secret = form.secret(&key, "Password");
        let faults = [username.told.fault.clone(), secret.fault.clone()].into_iter().flatten().collect();
        let mut cells = vec![RecordCell::Field(username.clone()), RecordCell::Secret(secret)];
        if let Some((calls, _)) = &state.today {
            let last =
                calls.iter().filter(|call| call.peer == name && user_of(&call.by) == Some(&username.value)).max_by_key(|call| call.at);
            cells.push(RecordCell::Text(
                last.map_or_else(|| "not today".to_owned(), |call| format!("{} from {}", clock(call.at, zone), host_of(&call.source))),
            ));
        }
        Record { cells, faults, key }
    };
    let mut columns = vec![("Username", 0.34), ("Password", 0.36)];
    columns.extend(state.today.is_some().then_some(("Last used", 0.3)));
    Records {
        rows: (0..form.draft.len(&list)).map(row).collect(),
        what: What::User,
        columns,
        empty: "Nobody comes in by a password".to_owned(),
        told: form.told(&list),
        key: list,
    }
}

fn user_of(by: &Admission) -> Option<&String> {
    match by {
        Admission::Digest { user, .. } | Admission::Both { user, .. } => Some(user),
        Admission::Network(_) | Admission::TestCall => None,
    }
}

/// The address alone: the port says nothing of who it was.
fn host_of(source: &str) -> String {
    source.parse::<std::net::SocketAddr>().map_or_else(|_| source.to_owned(), |source| source.ip().to_string())
}

/// `192.0.2.7` is written where `192.0.2.7/32` is meant.
fn is_same(network: &str, written: &str) -> bool {
    network == written || network.split_once('/').is_some_and(|(address, _)| address == written)
}
