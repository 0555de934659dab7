//! How calls go back: the method with its picture, what happens when it fails, and a payload to try.

use super::{
    form::{Card, Form, Row},
    state::{Page, Sample, State},
    who::peer_rows,
};
use crate::{
    console::{panels::payload::data::payload, text::grouped, theme::Tone},
    contract::payload::{Return, check_uri, encode},
    model::{ReturnMethod, Variables},
};

pub fn cards(form: &Form<'_>, state: &State) -> (Vec<Card>, Vec<Card>) {
    let peers = form.draft.len("peers");
    if state.peer >= peers {
        let none = "There is no peer yet: add one under Who may call. Each has its own way back";
        return (vec![Card::new("Return", vec![Row::Note(Tone::Warn, none.to_owned())])], Vec::new());
    }
    let key = format!("peers[{}].return", state.peer);
    let at = |name: &str| format!("{key}.{name}");
    let method = method(&form.value(&at("method")));
    let mut left = Vec::new();
    if peers > 1 {
        left.push(Card::new("Peer", vec![Row::Peers { peers: peer_rows(form, Page::Return, state.peer), can_be_edited: false }]));
    }
    let told = form.told(&at("method"));
    let mut methods = vec![Row::Methods { key: at("method"), chosen: method }];
    methods.extend(told.fault.map(|fault| Row::Note(Tone::Wrong, fault)));
    left.push(Card::new("", methods));

    let mut way = Vec::new();
    let needs_uri = method != ReturnMethod::Bye || form.value(&at("fallback")) == "invite";
    if needs_uri || form.draft.has(&at("uri")) {
        way.push(Row::Fields(vec![form.field(at("uri"), "Return URI", "sip:transfer@your-company.com:5060")]));
    }
    if form.value(&at("uri")) == "demo" {
        way.push(Row::Note(Tone::Faint, "“demo” is this program's own return point, for test calls".to_owned()));
    }
    way.push(Row::Flow(method));
    left.push(Card::new("", way));

    let fallbacks = [("bye", "BYE"), ("invite", "INVITE"), ("agent", "Back to the agent")];
    let mut fails = vec![Row::Choice(form.choice(&at("fallback"), "Then", &fallbacks))];
    if method == ReturnMethod::Refer {
        fails.push(Row::Fields(vec![form.number(
            at("notify_timeout_secs"),
            "No NOTIFY for so long after the 202: the outcome is unknown",
            30,
            "s",
        )]));
    }
    if method != ReturnMethod::Bye {
        left.push(Card::new("When the return fails", fails));
    }
    (left, right(form, state, &key, method))
}

fn right(form: &Form<'_>, state: &State, key: &str, method: ReturnMethod) -> Vec<Card> {
    let at = |name: &str| format!("{key}.{name}");
    let mut cards = Vec::new();
    if method == ReturnMethod::Bye {
        let note = "A BYE carries no payload: your system fetches the output context through the call transfers API";
        cards.push(Card::new("Payload", vec![Row::Note(Tone::Faint, note.to_owned())]));
    } else {
        cards.push(try_payload(&form.value(&at("uri")), &state.sample));
    }
    let places_invites = method == ReturnMethod::Invite || form.value(&at("fallback")) == "invite";
    if places_invites || form.draft.has(&at("auth")) {
        let auth = at("auth");
        let username = form.field(format!("{auth}.username"), "Username", "none: a challenge is not answered");
        let mut rows = vec![Row::Fields(vec![username])];
        if form.draft.has(&auth) {
            rows.push(Row::Secret(form.secret(&auth, "Password")));
        }
        let told = form.told(&auth);
        rows.extend(told.fault.map(|fault| Row::Note(Tone::Wrong, fault)));
        rows.extend(told.warning.map(|warning| Row::Note(Tone::Warn, warning)));
        rows.push(Row::Note(Tone::Faint, "Answers a 401 or 407 to the return INVITE, of this URI's host only".to_owned()));
        cards.push(Card::new("Authentication of the return INVITE", rows));
    }
    let hosts = form.list(at("hosts"), "Host", "host", "sbc.example.com, or * for any");
    let note = "A call transfer's own return URI may name the host of the return URI, and these";
    cards.push(Card::new("Hosts for call transfers", vec![Row::List(hosts), Row::Note(Tone::Faint, note.to_owned())]));
    cards
}

/// The payload as it would be sent, with the budget that it takes.
fn try_payload(uri: &str, sample: &Sample) -> Card {
    let variables = |rows: &[(String, String)]| -> Variables { rows.iter().filter(|(name, _)| !name.is_empty()).cloned().collect() };
    // The program's own return point has an address only while it runs.
    let uri = if check_uri(uri).is_ok() { uri } else { "sip:transfer@your-company.com:5060" };
    let encoded = encode(&Return {
        return_uri: uri,
        ext_conversation_id: Some(sample.conversation.as_str()).filter(|id| !id.is_empty()),
        outcome: sample.outcome,
        transfer: &variables(&sample.transfer),
        reference: &variables(&sample.reference),
    });
    let mut card = Card::new("Try a payload", Vec::new());
    match encoded {
        Ok(encoded) => {
            let tone = if encoded.dropped.is_empty() { Tone::Good } else { Tone::Wrong };
            card.aside = Some((format!("{} of {}", encoded.used, grouped(encoded.limit as u64)), tone));
            card.rows.push(Row::Payload(Box::new(payload(&encoded))));
        }
        Err(why) => card.rows.push(Row::Note(Tone::Wrong, why.to_string())),
    }
    card.rows.push(Row::Sample);
    card
}

/// BYE where the file says nothing.
fn method(word: &str) -> ReturnMethod {
    match word {
        "REFER" => ReturnMethod::Refer,
        "INVITE" => ReturnMethod::Invite,
        _ => ReturnMethod::Bye,
    }
}
