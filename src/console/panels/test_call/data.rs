//! The journey of a test call, step by step, from both sides' records.

use crate::{
    console::{
        backend::Facts,
        panels::calls::data::state_of,
        text::{self, count},
        theme::Tone,
        wire_text::{Kind, MessageView},
    },
    model::{Admission, CallRecord, CallState, ReturnMethod, ReturnVerdict, SoundCheck, Timestamp},
};

/// The running or last test call in one line.
#[derive(Debug, Clone, PartialEq)]
pub struct Running {
    pub state: String,
    pub tone: Tone,
    pub length: String,
    pub live: bool,
    /// Answered and not over: keys can be pressed.
    pub up: bool,
    /// Codec, round trip and jitter, as far as they are known.
    pub sound: Vec<String>,
}

pub fn running(placed: &CallRecord, bridge: Option<&CallRecord>, now: Timestamp) -> Running {
    let (state, tone) = state_of(bridge.unwrap_or(placed));
    let since = placed.answered_at.unwrap_or(placed.started_at);
    let length = text::length(placed.ended_at.unwrap_or(now).micros_since(since));
    let live = !placed.state.is_final();
    let figures = placed.legs.iter().find_map(|leg| leg.media.as_ref());
    let sound = figures.map(|figures| {
        let round_trip = figures.round_trip_ms.map(|ms| format!("{ms:.0} ms round trip"));
        let heard = (figures.packets_received > 0)
            .then(|| format!("{:.1} ms jitter · {} lost", figures.jitter_ms, text::grouped(figures.packets_lost)));
        let codec = Some(figures.codec.clone()).filter(|codec| !codec.is_empty());
        let first = [codec, round_trip].into_iter().flatten().collect::<Vec<_>>().join(" · ");
        [Some(first).filter(|line| !line.is_empty()), heard].into_iter().flatten().collect()
    });
    Running { state, tone, length, live, up: live && placed.answered_at.is_some(), sound: sound.unwrap_or_default() }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub mark: Mark,
    pub title: String,
    pub detail: String,
    pub time: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    Done,
    Now,
    Ahead,
    Wrong,
}

/// Every step there is, done or ahead, so that one sees where a call got stuck. `checks`: it is a sound check, which ends
/// by itself and is not handed back.
pub fn journey(
    placed: Option<&CallRecord>,
    bridge: Option<&CallRecord>,
    messages: &[MessageView],
    facts: &Facts,
    checks: bool,
) -> Vec<Step> {
    let start = placed.map_or(Timestamp::default(), |p| p.started_at);
    let time =
        |at: Option<Timestamp>| at.map(|at| text::since(at.micros_since(start)).trim_start_matches('+').to_owned()).unwrap_or_default();
    let mut steps: Vec<Step> = Vec::new();
    let new = |done: bool, title: &str, detail: String, at: Option<Timestamp>| {
        let mark = if done { Mark::Done } else { Mark::Ahead };
        Step { mark, title: title.to_owned(), detail, time: time(at) }
    };
    let sent = messages.first();
    let wire = sent.map(|m| format!("{} {} → {}", m.transport.via(), m.local, m.remote)).unwrap_or_default();
    steps.push(new(placed.is_some(), "INVITE sent", if wire.is_empty() { facts.bridge_uri.clone() } else { wire }, sent.map(|m| m.at)));

    let challenge = messages.iter().find(|m| matches!(m.kind, Kind::Response { code: 401 | 407, .. }));
    if let Some(challenge) = challenge {
        steps.push(new(true, "Challenged, answered", challenge_words(challenge), Some(challenge.at)));
    }
    let over = placed.is_some_and(|p| p.state.is_final());
    if bridge.is_some() || placed.is_none() || !over {
        let admission = bridge.and_then(|b| b.admission.as_ref());
        steps.push(new(
            admission.is_some(),
            "Admitted",
            admission.map_or_else(|| "by address, digest, or both".to_owned(), admission_words),
            None,
        ));
        let context = bridge.filter(|b| b.admission.is_some()).map(|b| &b.context);
        let words = context.map(|c| {
            let named = [("task", &c.task_name), ("conversation", &c.ext_conversation_id), ("customer", &c.customer_id)];
            let mut words: Vec<String> = named.iter().filter(|(_, v)| v.is_some()).map(|(n, _)| (*n).to_owned()).collect();
            words.push(count(c.input_variables.len(), "variable", "variables"));
            words.join(", ")
        });
        steps.push(new(context.is_some(), "Context read", words.unwrap_or_else(|| "from the X-GA-* headers".to_owned()), None));
        let agent = bridge.and_then(|b| b.agent_answered_at);
        let target = bridge.and_then(|b| b.agent_target.clone()).unwrap_or_else(|| facts.agent.clone());
        steps.push(new(agent.is_some(), "Agent answered", target, agent));
    }
    let answered = placed.and_then(|p| p.answered_at);
    let codec = placed.and_then(|p| p.legs.iter().find_map(|l| l.media.as_ref())).map(|m| m.codec.clone());
    let codec = codec.filter(|c| !c.is_empty()).unwrap_or_else(|| "200 OK, and sound both ways".to_owned());
    steps.push(new(answered.is_some(), "Call answered", codec, answered));
    let heard = placed.and_then(|p| p.legs.iter().find_map(|l| l.media.as_ref()?.first_packet_us));
    let words = heard
        .map(|us| format!("first packet {:.0} ms after the answer", us as f64 / 1_000.0))
        .unwrap_or_else(|| "the first packet from the agent".to_owned());
    steps.push(new(heard.is_some(), "Sound heard", words, None));

    if checks {
        steps.push(check_step(placed));
        mark_where_it_is(&mut steps, placed, bridge);
        return steps;
    }
    let attempts = bridge.or(placed).map(|b| b.returns.as_slice()).unwrap_or_default();
    if attempts.is_empty() {
        let how = if facts.return_uri.is_empty() {
            facts.return_method.clone()
        } else {
            format!("{} to {}", facts.return_method, facts.return_uri)
        };
        steps.push(new(false, "Return", how, None));
    }
    for (index, attempt) in attempts.iter().enumerate() {
        let bye = attempt.method == ReturnMethod::Bye;
        let how = if bye { "BYE".to_owned() } else { format!("{} to {}", attempt.method.name(), attempt.uri) };
        steps.push(new(true, if index == 0 { "Return" } else { "Fallback" }, how, Some(attempt.started_at)));
        let (mark, title, words) = match &attempt.verdict {
            Some(ReturnVerdict::Succeeded) if bye => (Mark::Done, "Return settled", "ended by BYE, the context is kept here".to_owned()),
            Some(ReturnVerdict::Succeeded) => (Mark::Done, "Return settled", "the customer's side took it back".to_owned()),
            Some(ReturnVerdict::Failed { why }) => (Mark::Wrong, "Return failed", why.reason.clone()),
            Some(ReturnVerdict::Unknown { why }) => (Mark::Wrong, "Return's outcome unknown", why.clone()),
            None => (Mark::Ahead, "Return settled", "waiting for the customer's side".to_owned()),
        };
        steps.push(Step { mark, title: title.to_owned(), detail: words, time: time(attempt.settled_at) });
    }
    steps.push(report_step(placed));
    mark_where_it_is(&mut steps, placed, bridge);
    steps
}

fn check_step(placed: Option<&CallRecord>) -> Step {
    let report = placed.and_then(|p| p.test_report.as_deref());
    let (mark, detail) = match report {
        None => (Mark::Ahead, format!("tones both ways, for {:.0} s", SoundCheck::LENGTH_SECS)),
        Some(report) if report.ok => (Mark::Done, "both ways carry sound".to_owned()),
        Some(report) => (Mark::Wrong, report.steps.iter().find(|s| !s.ok).map_or_else(String::new, |s| s.text.clone())),
    };
    Step { mark, title: "Sound checked".to_owned(), detail, time: String::new() }
}

fn report_step(placed: Option<&CallRecord>) -> Step {
    let report = placed.and_then(|p| p.test_report.as_deref());
    let title = "Payload checked".to_owned();
    let returned = report.and_then(|r| r.returned.as_ref());
    let detail = match (report, returned) {
        (_, Some(payload)) => format!("{} came back, {} characters", count(payload.items.len(), "parameter", "parameters"), payload.used),
        (Some(report), None) => report.steps.iter().find(|s| !s.ok).map_or_else(|| "nothing came back".to_owned(), |s| s.text.clone()),
        (None, None) => "against what the agent set".to_owned(),
    };
    let mark = match report {
        Some(report) if report.ok => Mark::Done,
        Some(_) => Mark::Wrong,
        None => Mark::Ahead,
    };
    Step { mark, title, detail, time: String::new() }
}

/// The first step ahead of a live call is the one it stands at; a call that is over stopped there.
fn mark_where_it_is(steps: &mut Vec<Step>, placed: Option<&CallRecord>, bridge: Option<&CallRecord>) {
    let Some(placed) = placed else { return };
    let last_done = steps.iter().rposition(|s| s.mark == Mark::Done).unwrap_or(0);
    let talking = !placed.state.is_final() && placed.answered_at.is_some();
    let ahead = steps.iter().position(|s| s.mark == Mark::Ahead && s.title == "Return").filter(|_| talking);
    if let Some(at) = ahead {
        let detail = "until the agent or the caller ends it".to_owned();
        steps.insert(at, Step { mark: Mark::Now, title: "Talking".to_owned(), detail, time: String::new() });
        return;
    }
    let Some(at) = steps.iter().skip(last_done + 1).position(|s| s.mark == Mark::Ahead).map(|i| i + last_done + 1) else { return };
    let Some(next) = steps.get_mut(at) else { return };
    if !placed.state.is_final() {
        next.mark = Mark::Now;
    } else if matches!(placed.state, CallState::Failed | CallState::Refused) {
        next.mark = Mark::Wrong;
        let ended = bridge.unwrap_or(placed).ended.as_ref().or(placed.ended.as_ref());
        if let Some(ended) = ended {
            next.detail = ended.code.map_or_else(|| ended.reason.clone(), |code| format!("{} ({code})", ended.reason));
        }
    }
}

fn challenge_words(message: &MessageView) -> String {
    let challenge = message.header("WWW-Authenticate", "Proxy-Authenticate").unwrap_or_default();
    let algorithm = challenge.split(',').find_map(|p| p.trim().strip_prefix("algorithm=")).unwrap_or("MD5");
    format!("{}, {algorithm}", message.title)
}

fn admission_words(admission: &Admission) -> String {
    match admission {
        Admission::Network(network) => format!("address in {network}"),
        Admission::Digest { user, .. } => format!("digest user {user}"),
        Admission::Both { network, user, .. } => format!("address in {network}, digest user {user}"),
        Admission::TestCall => "placed by this console".to_owned(),
    }
}
