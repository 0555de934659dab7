//! The settings and the script that stories begin with.

use std::sync::Arc;

use handback::model::{
    Outcome, ReturnMethod, ReturnMethodOrAgent, Variables,
    script::{End, Play, Script, Task, Trigger},
    settings::{self, Settings},
};

/// Settings to change from: the customer is admitted by its address, a script answers, the return goes by REFER.
pub fn settings() -> Settings {
    Settings {
        sip: settings::Sip { listen: vec![], advertise: None, realm: "handback".into(), options_for_anyone: false },
        media: settings::Media {
            address: "192.0.2.1".parse().unwrap(),
            ports: 40_000..=40_999,
            codecs: vec![settings::Codec::Pcmu, settings::Codec::Pcma],
        },
        sound: settings::Sound::default(),
        peers: vec![settings::Peer {
            name: "SBC lab".into(),
            networks: vec!["192.0.2.10/32".parse().unwrap()],
            policy: settings::Policy::Either,
            users: vec![],
            allow_md5: true,
            record: None,
            returns: settings::Return {
                method: ReturnMethod::Refer,
                uri: Some("sip:transfer@192.0.2.30:5060".into()),
                fallback: ReturnMethodOrAgent::Bye,
                notify_timeout_secs: 30,
                auth: None,
                hosts: Vec::new(),
            },
        }],
        agent: settings::Agent::Script(script()),
        control: settings::Control { listen: "127.0.0.1:0".parse().unwrap(), token: None },
        api: None,
        store: settings::Store::default(),
        limits: settings::Limits::default(),
        recording: settings::Recording::default(),
    }
}

/// 1 ends as SYSTEM, 0 as AGENT, 20 s of silence as SYSTEM; the task `at_once` ends before it began.
pub fn script() -> Arc<Script> {
    let variables = |pairs: &[(&str, &str)]| -> Variables { pairs.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect() };
    let end = |on, outcome, transfer, reference| End { on, outcome, current_task: None, transfer, reference };
    let none = Variables::new;
    Arc::new(Script {
        name: "lab".into(),
        tasks: vec![
            Task {
                name: "at_once".into(),
                play: None,
                ends: vec![end(Trigger::AfterSecs(0.0), Outcome::System, variables(&[("a", "1")]), none())],
            },
            Task {
                name: "*".into(),
                play: Some(Play::Tone { hz: 440.0, secs: 1.5 }),
                ends: vec![
                    end(
                        Trigger::Dtmf('1'),
                        Outcome::System,
                        variables(&[("next_action", "schedule_callback")]),
                        variables(&[("account", "{{accountNumber}}")]),
                    ),
                    end(Trigger::Dtmf('0'), Outcome::Agent, none(), none()),
                    end(Trigger::SilenceSecs(20.0), Outcome::System, none(), none()),
                    end(Trigger::AfterSecs(60.0), Outcome::Agent, none(), none()),
                ],
            },
        ],
    })
}

pub fn with_agent(mut settings: Settings) -> Settings {
    settings.agent = settings::Agent::Sip { uri: "sip:agent@192.0.2.20:5060".into(), ring_timeout_secs: 20 };
    settings
}
