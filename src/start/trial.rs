//! Would this caller pass? Asked of the very code that stands at the door.

use std::{net::IpAddr, sync::Arc};

use crate::{
    call::admission::{Admission, Knock, Verdict},
    config::desk::{Caller, Trial},
    engine::clock::Clock,
    model::{
        self,
        settings::{Peer, Policy, Secret, Settings},
    },
    sip::digest::{
        client::{Challenge, Credentials},
        server::Answer,
    },
};

/// Sends an INVITE of `caller` to the door of these settings, and answers its challenge where there is something to answer
/// with.
pub fn trial(settings: &Settings, caller: &Caller) -> Trial {
    let now = Clock::start().now();
    let peers: Arc<[Peer]> = settings.peers.clone().into();
    let mut door = Admission::new(now, &settings.sip.realm, peers.clone(), [0; 32]);
    let mut steps = address_steps(&door, caller.source);
    let mut knock =
        |answers: &[Answer<'_>]| door.judge(now, Knock { method: "INVITE", request_uri: REQUEST_URI, source: caller.source, answers });
    let first = knock(&[]);
    let Verdict::Challenged { www_authenticate, .. } = first else { return told(&peers, caller, first, steps) };
    steps.push((true, format!("It is asked for a password (401), realm {}", settings.sip.realm)));
    let Some((username, password)) = &caller.credentials else {
        steps.push((false, "It has none to answer with".to_owned()));
        return Trial { passes: Some(false), verdict: "Refused: it is asked for a password and does not answer".to_owned(), steps };
    };
    match answered(&www_authenticate, username, password, &mut knock) {
        Some(verdict) => told(&peers, caller, verdict, steps),
        None => {
            steps.push((false, "The challenge can't be answered".to_owned()));
            Trial { passes: Some(false), verdict: "Refused".to_owned(), steps }
        }
    }
}

/// Answers the first challenge, as an SBC that knows SHA-256 does.
fn answered(challenges: &[String], username: &str, password: &Secret, knock: &mut impl FnMut(&[Answer<'_>]) -> Verdict) -> Option<Verdict> {
    let challenge = Challenge::read(parameters(challenges.first()?))?;
    let credentials = Credentials { username, password: password.reveal() };
    let answer = challenge.answer(credentials, "INVITE", REQUEST_URI, 1, "trial");
    Some(knock(&[Answer::read(parameters(&answer))?]))
}

/// What the networks say of the address, peer by peer as far as is looked.
fn address_steps(door: &Admission, source: IpAddr) -> Vec<(bool, String)> {
    let address = source.to_canonical();
    let holder = door.peers().iter().find_map(|peer| Some((peer, peer.networks.iter().find(|network| network.contains(&address))?)));
    match holder {
        Some((peer, network)) => {
            let needs = match peer.policy {
                Policy::Either => "an address or a password is enough",
                Policy::Both => "both an address and a password are needed",
            };
            vec![(true, format!("{source} is in {network} of peer {}", peer.name)), (true, format!("For peer {} {needs}", peer.name))]
        }
        None => vec![(false, door.nearest_network(source))],
    }
}

fn told(peers: &[Peer], caller: &Caller, verdict: Verdict, mut steps: Vec<(bool, String)>) -> Trial {
    let name = |index: usize| peers.get(index).map(|peer| peer.name.clone()).unwrap_or_default();
    match verdict {
        Verdict::Admitted { peer, by } => {
            let how = match &by {
                model::Admission::Network(network) => format!("by its address in {network}"),
                model::Admission::Digest { user, algorithm } => format!("by the password of {user} ({algorithm})"),
                model::Admission::Both { network, user, algorithm } => {
                    format!("by its address in {network} and the password of {user} ({algorithm})")
                }
                model::Admission::TestCall => "as a test call".to_owned(),
            };
            if let model::Admission::Digest { user, .. } | model::Admission::Both { user, .. } = &by {
                steps.push((true, format!("The password of {user} is right")));
            }
            Trial { passes: Some(true), verdict: format!("Admitted as peer {}, {how}", name(peer)), steps }
        }
        Verdict::Challenged { wrong, .. } => {
            let why = wrong.unwrap_or_else(|| "The answer is for another realm".to_owned());
            steps.push((false, why));
            Trial { passes: Some(false), verdict: "Refused with 401: the password does not let it in".to_owned(), steps }
        }
        Verdict::Forbidden { why } => {
            // The step on the address says the same, without which rule came nearest.
            steps.retain(|(good, _)| *good);
            steps.push((false, why));
            if caller.credentials.is_some() {
                steps.push((false, "A refused address is not asked for a password, so its credentials do not count".to_owned()));
            }
            Trial { passes: Some(false), verdict: "Refused with 403".to_owned(), steps }
        }
    }
}

/// The parameters of a `Digest` challenge or answer that this program wrote itself.
fn parameters(value: &str) -> Vec<(&str, &str)> {
    let rest = value.strip_prefix("Digest ").unwrap_or(value);
    let pairs = rest.split(", ").filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name, value.trim_matches('"'))).collect()
}

const REQUEST_URI: &str = "sip:bridge@handback.invalid";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    const PEERS: &str = r#"
[[peers]]
name = "lab"
networks = ["10.4.0.0/16"]
users = [{ username = "east", secret = "right" }]
[[peers]]
name = "strict"
networks = ["10.9.0.0/16"]
policy = "both"
users = [{ username = "west", secret = "also right" }]
"#;

    fn asked(settings: &str, source: &str, credentials: Option<(&str, &str)>) -> String {
        let (settings, _) = config::check(std::path::Path::new("h.toml"), settings).expect("no fault");
        let credentials = credentials.map(|(username, password)| (username.to_owned(), Secret::new(password)));
        let trial = trial(&settings, &Caller { source: source.parse().expect("an address"), credentials });
        let mut text = format!("{} {}\n", if trial.passes == Some(true) { "passes:" } else { "stays out:" }, trial.verdict);
        for (good, step) in trial.steps {
            text.push_str(&format!("  {} {step}\n", if good { "+" } else { "-" }));
        }
        text
    }

    #[test]
    fn a_known_address_passes_without_a_password() {
        assert_eq!(
            asked(PEERS, "10.4.2.11", None),
            "passes: Admitted as peer lab, by its address in 10.4.0.0/16
  + 10.4.2.11 is in 10.4.0.0/16 of peer lab
  + For peer lab an address or a password is enough
"
        );
    }

    #[test]
    fn a_password_passes_from_anywhere_and_a_wrong_one_says_so() {
        let right = asked(PEERS, "192.0.2.1", Some(("east", "right")));
        assert!(right.starts_with("passes: Admitted as peer lab, by the password of east (SHA-256)"), "{right}");
        let wrong = asked(PEERS, "192.0.2.1", Some(("east", "guess")));
        assert!(wrong.contains("stays out: Refused with 401") && wrong.contains("the password is wrong (peer lab)"), "{wrong}");
        let none = asked(PEERS, "192.0.2.1", None);
        assert!(none.contains("It has none to answer with"), "{none}");
    }

    #[test]
    fn where_both_are_needed_each_is_looked_at() {
        let both = asked(PEERS, "10.9.1.1", Some(("west", "also right")));
        assert!(both.contains("by its address in 10.9.0.0/16 and the password of west"), "{both}");
        assert!(asked(PEERS, "10.9.1.1", Some(("east", "right"))).starts_with("passes: Admitted as peer lab"), "another peer's user");
        assert!(asked(PEERS, "10.9.1.1", None).starts_with("stays out"));
    }

    #[test]
    fn a_refusal_names_the_rule_that_came_nearest() {
        let text = asked("[[peers]]\nname = \"lab\"\nnetworks = [\"10.4.0.0/16\"]\n", "10.5.0.1", Some(("x", "y")));
        assert_eq!(
            text,
            "stays out: Refused with 403
  - 10.5.0.1 is in no peer's networks; nearest is 10.4.0.0/16 of peer lab
  - A refused address is not asked for a password, so its credentials do not count
"
        );
    }
}
