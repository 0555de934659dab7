//! The transfer alone: whatever happens in whatever order, it ends once the customer is gone, and never acts on the gone.

use super::*;
use crate::{
    call::handback::MAX_RETURNS,
    model::{Missed, Outcome, ReturnMethodOrAgent, Variables, script::Script},
};

fn settings(agent: settings::Agent, method: ReturnMethod, fallback: ReturnMethodOrAgent) -> Arc<Settings> {
    let returns =
        settings::Return { method, uri: Some("sip:r@h".into()), fallback, notify_timeout_secs: 30, auth: None, hosts: Vec::new() };
    let peer = settings::Peer {
        name: "peer".into(),
        networks: vec![],
        policy: settings::Policy::Either,
        users: vec![],
        allow_md5: true,
        returns,
        record: None,
    };
    Arc::new(Settings {
        sip: settings::Sip { listen: vec![], advertise: None, realm: "r".into(), options_for_anyone: false },
        media: settings::Media { address: "192.0.2.1".parse().unwrap(), ports: 40_000..=40_010, codecs: vec![settings::Codec::Pcmu] },
        sound: settings::Sound::default(),
        peers: vec![peer],
        agent,
        control: settings::Control { listen: "127.0.0.1:0".parse().unwrap(), token: None },
        api: None,
        store: settings::Store::default(),
        limits: settings::Limits::default(),
        recording: settings::Recording::default(),
    })
}

fn sip_agent() -> settings::Agent {
    settings::Agent::Sip { uri: "sip:agent@h".into(), ring_timeout_secs: 20 }
}

fn happening(kind: u64, luck: u64) -> Happening {
    let part = || AgentPart {
        outcome: Outcome::System,
        current_task: None,
        transfer: Variables::new(),
        reference: Variables::new(),
        by: Party::Agent,
    };
    let why = || Ended::new("x", Party::Agent, Some(486));
    let code = [100, 180, 200, 202, 302, 486, 603][(luck % 7) as usize];
    match kind % 40 {
        0 => Happening::AgentRings { code: 180, early: false },
        1 => Happening::AgentAnswered,
        2 => Happening::AgentFailed(why()),
        3 => Happening::AgentDone { part: part(), waits: false },
        4 => Happening::AgentDone { part: part(), waits: true },
        5 => Happening::AgentLeft,
        6 => Happening::CustomerReady,
        7 => Happening::Digit('1'),
        8 => Happening::Silence(20.0),
        9 => Happening::ReferAnswered { code: code.max(200), reason: String::new() },
        10 => Happening::Notified { said: Some((code, String::new())), terminated: code == 100 },
        11 => Happening::Notified { said: None, terminated: code > 300 },
        12 => Happening::ReturnRings { code: 180, reason: String::new() },
        13 => Happening::ReturnAnswered { code: 200, reason: String::new() },
        14 => Happening::ReturnLeft(why()),
        15 => Happening::OperatorReturns(part().into()),
        16 => Happening::PortReady,
        17 => Happening::OperatorHangsUp,
        // Often: most of what follows waits for it.
        18 => Happening::TakenBack,
        35 => Happening::OperatorAnswers,
        36 => Happening::OperatorDeclines(Missed::Declined),
        37 => Happening::OperatorHolds(luck.is_multiple_of(2)),
        19..24 => Happening::Kept { stored: !luck.is_multiple_of(3) },
        24..=34 => happening(luck % 17, kind),
        _ => Happening::Timeout,
    }
}

#[test]
fn any_order_of_happenings_ends_with_the_customers_hanging_up() {
    use ReturnMethodOrAgent::{Agent, Bye, Invite};
    let now = Instant::now();
    let mut random = 7u64;
    let mut next = move || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        random >> 33
    };
    for round in 0..30_000 {
        let agent = match (round / 3) % 3 {
            0 => sip_agent(),
            1 => settings::Agent::Operator { ring_timeout_secs: 20, ringing_tone: round % 2 == 0 },
            _ => settings::Agent::Script(Arc::new(Script::default())),
        };
        let method = [ReturnMethod::Bye, ReturnMethod::Refer, ReturnMethod::Invite][round % 3];
        let settings = settings(agent, method, [Bye, Invite, Agent][(next() % 3) as usize]);
        let mut transfer = Transfer::new(settings, 0, Arc::default());
        let mut acts = Vec::new();
        for _ in 0..next() % 30 {
            let left_before = transfer.leaving().is_some();
            let told = acts.len();
            transfer.handle(now, happening(next(), next()), &mut acts);
            assert!(!left_before || acts.len() == told, "one that is leaving does nothing more: {:?}", &acts[told..]);
        }
        transfer.handle(now, Happening::CustomerLeft(Ended::new("The customer hung up", Party::Customer, None)), &mut acts);
        // A REFER's verdict may still be out; its wait is bounded.
        transfer.handle(now, Happening::Timeout, &mut acts);
        assert!(transfer.leaving().is_some(), "round {round}: {transfer:?}");
        let settled =
            acts.iter().filter(|a| matches!(a, Act::Tell(CallEvent::ReturnSettled { .. } | CallEvent::ReturnFailed { .. }))).count();
        let started = acts.iter().filter(|a| matches!(a, Act::Tell(CallEvent::ReturnStarted { .. }))).count();
        assert_eq!(settled, started, "each return gets one verdict: {acts:?}");
        assert!(started <= usize::from(MAX_RETURNS) + 1);
        let hung_up = acts.iter().filter(|a| matches!(a, Act::HangUpCustomer)).count();
        assert!((1..=2).contains(&hung_up), "the customer is let go");
    }
}
