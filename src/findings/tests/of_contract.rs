//! Stories of rules that look at no message: what was refused, certificates, figures, what went back, notes.

use super::{Story, lab::*};
use crate::{
    contract::payload::from_agent_headers,
    findings::{Certificate, of_certificate, of_note, refused_source},
    model::{
        CallEvent, DroppedVariable, Ended, LegId, LegRole, LossBursts, MediaFigures, Party, Payload, PayloadPart, ReturnMethod,
        ReturnVerdict, SoundLevel, SoundQuality, Timestamp,
    },
};

pub fn stories() -> Vec<Story> {
    [agents(), returns(), certificates(), sound(), notes()].concat()
}

fn agents() -> Vec<Story> {
    let said = |headers: &[(&str, &str)]| from_agent_headers(headers.iter().copied()).findings;
    let system = ("X-GA-transfer", "SYSTEM");
    vec![
        (vec!["agent-outcome-missing"], said(&[("X-GA-tv-a", "1")])),
        (vec!["agent-variable-refused"], said(&[system, ("X-GA-tv-b", "x\u{1}")])),
        (vec!["agent-names-differ-in-case"], said(&[system, ("X-GA-tv-a", "1"), ("X-GA-tv-A", "2")])),
        (vec!["agent-header-repeated"], said(&[system, ("X-GA-tv-a", "1"), ("X-GA-tv-a", "2")])),
        (vec!["outcome-unknown"], said(&[("X-GA-transfer", "HUMAN")])),
    ]
}

fn returns() -> Vec<Story> {
    let payload = Payload {
        dropped: vec![DroppedVariable {
            part: PayloadPart::Transfer,
            parameter: "X-GA-tv-a".into(),
            value: "x".repeat(90),
            cost: 100,
            left: 40,
        }],
        ..Payload::default()
    };
    let started = |method, payload| CallEvent::ReturnStarted { method, uri: "sip:r@h".into(), payload };
    let failed = CallEvent::ReturnFailed { why: Ended::new("603 Decline", Party::Customer, Some(603)) };
    let settled = CallEvent::ReturnSettled { verdict: ReturnVerdict::Succeeded };
    vec![
        (vec!["variable-dropped"], Call::new().told(&started(ReturnMethod::Refer, Some(payload.into()))).findings()),
        (
            vec!["returned-by-fallback"],
            Call::new()
                .told(&started(ReturnMethod::Refer, None))
                .told(&failed)
                .told(&started(ReturnMethod::Bye, None))
                .told(&settled)
                .findings(),
        ),
        (vec!["source-not-admitted"], vec![refused_source("192.0.2.9".parse().expect("an address"), &[])]),
    ]
}

fn certificates() -> Vec<Story> {
    let day = 86_400_000_000;
    let judged = |from: u64, until: u64, host| {
        let names = ["sip.example.com".to_owned()];
        let certificate = Certificate {
            side: Party::Customer,
            subject: "CN=sip.example.com",
            not_before: Timestamp(from),
            not_after: Timestamp(until),
            names: &names,
            host,
        };
        of_certificate(&certificate, Timestamp(START))
    };
    vec![
        (vec![], judged(START - day, START + 90 * day, Some("SIP.example.com"))),
        (vec!["certificate-expired"], judged(START - 9 * day, START - day, None)),
        (vec!["certificate-not-yet-valid"], judged(START + day / 24, START + 90 * day, None)),
        (vec!["certificate-ends-soon"], judged(START - day, START + 3 * day, None)),
        (vec!["certificate-for-another-name"], judged(START - day, START + 90 * day, Some("example.com"))),
    ]
}

fn sound() -> Vec<Story> {
    let well = || MediaFigures { packets_sent: 100, packets_received: 100, ..MediaFigures::default() };
    let judged = |figures| Call::new().heard(figures).findings();
    let rated = |mos, loss_percent, delay_ms| SoundQuality { mos, r: 66.0, loss_percent, delay_ms, ..SoundQuality::default() };
    let level = |heard_ms, clipped_ms| Some(SoundLevel { measured_ms: 8_000, heard_ms, clipped_ms, peak_dbfs: None });
    let long = LossBursts { bursts: 2, burst_density_percent: 100.0, burst_ms: 240.0, gap_density_percent: 0.0, gap_ms: 9_000.0 };
    let gone = CallEvent::LegEnded { leg: LegId(0), why: Ended::new("The agent can't be reached", Party::Network, Some(503)) };
    vec![
        (vec![], judged(well())),
        (vec![], judged(MediaFigures::default())),
        (vec![], judged(MediaFigures { packets_lost: 5, ..well() })),
        (vec!["no-media-received"], judged(MediaFigures { packets_received: 0, ..well() })),
        (vec!["rtp-from-stranger"], judged(MediaFigures { strangers: 3, ..well() })),
        (vec!["ice-unanswered"], judged(MediaFigures { stun: 4, ..well() })),
        (vec!["dtls-unanswered"], judged(MediaFigures { dtls: 4, ..well() })),
        (vec!["media-malformed"], judged(MediaFigures { malformed: 4, ..well() })),
        (vec!["media-lost"], judged(MediaFigures { packets_lost: 6, ..well() })),
        (vec!["media-lost-there"], judged(MediaFigures { remote_lost: Some(9), ..well() })),
        (vec!["jitter-high"], judged(MediaFigures { jitter_ms: 80.0, ..well() })),
        (vec!["first-sound-late"], judged(MediaFigures { first_packet_us: Some(4_200_000), ..well() })),
        (vec!["media-duplicated"], judged(MediaFigures { packets_duplicated: 40, ..well() })),
        (vec!["round-trip-long"], judged(MediaFigures { round_trip_ms: Some(612.0), ..well() })),
        (vec!["quality-low"], judged(MediaFigures { received_quality: Some(rated(3.41, 5.0, 40.0)), ..well() })),
        (vec!["quality-low"], judged(MediaFigures { sent_quality: Some(rated(3.52, 0.0, 390.0)), ..well() })),
        (vec![], judged(MediaFigures { received_quality: Some(rated(3.41, 5.0, 40.0)), packets_received: 30, ..well() })),
        (vec!["losses-in-bursts"], judged(MediaFigures { loss_bursts: Some(long), ..well() })),
        (vec![], judged(MediaFigures { loss_bursts: Some(LossBursts { burst_ms: 60.0, ..long }), ..well() })),
        (vec!["one-way-silence"], judged(MediaFigures { received_level: level(0, 0), sent_level: level(4_000, 0), ..well() })),
        (vec![], judged(MediaFigures { received_level: level(0, 0), sent_level: level(0, 0), ..well() })),
        (vec!["sound-clipped"], judged(MediaFigures { received_level: level(6_000, 2_000), ..well() })),
        (vec!["clock-drifts"], judged(MediaFigures { drift_ppm: Some(-340.0), ..well() })),
        (vec!["leg-unreachable"], Call::new().told(&opened(LegRole::Agent)).told(&gone).findings()),
    ]
}

fn notes() -> Vec<Story> {
    ["stranger-in-dialog", "answer-not-taken", "offer-not-taken", "refer-not-allowed", "message-not-written"]
        .into_iter()
        .map(|rule| (vec![rule], vec![of_note(rule, Party::Agent, "seen")]))
        .chain([(vec!["message-not-written"], vec![of_note("bye-not-written", Party::Customer, "a line break in a value")])])
        .collect()
}
