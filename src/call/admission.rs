//! May it? By source address, by digest, or by both (contract §1).
//!
//! ```text
//!  a peer's networks hold the source?
//!    ├─ yes, policy `either` ────────────────────────────────► admitted by network
//!    ├─ yes, policy `both` ──► digest of that peer's users ──► admitted by both
//!    └─ no ──► some peer with policy `either` has users? ──► digest ──► admitted by digest
//!                └─ no ──► 403: a refused address is never challenged
//! ```
//!
//! Only the packet's source counts: never Via, Contact or a forwarded-for header. Nothing configured means nobody.

use std::{net::IpAddr, sync::Arc, time::Instant};

use ipnet::IpNet;

use crate::{
    model::{self, settings},
    sip::digest::server::{Answer, Asked, Authenticator, Refusal},
};

/// Judges every request that opens a dialog or stands outside one.
pub struct Admission {
    peers: Arc<[settings::Peer]>,
    authenticator: Authenticator,
}

/// A request at the door.
#[derive(Debug, Clone, Copy)]
pub struct Knock<'a> {
    pub method: &'a str,
    /// As it stands in the request line.
    pub request_uri: &'a str,
    /// Where the packet came from.
    pub source: IpAddr,
    /// What its `Authorization` headers say, in order.
    pub answers: &'a [Answer<'a>],
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Admitted {
        /// Index among the settings' peers.
        peer: usize,
        by: model::Admission,
    },
    /// 401. `wrong` says what was wrong with the credentials that came, if any came.
    Challenged { www_authenticate: Vec<String>, wrong: Option<String> },
    /// 403. Which rule came nearest, for the operator.
    Forbidden { why: String },
}

impl Admission {
    /// `key` signs nonces: random, made anew at every start.
    pub fn new(now: Instant, realm: &str, peers: Arc<[settings::Peer]>, key: [u8; 32]) -> Self {
        Self { peers, authenticator: Authenticator::new(realm, key, now) }
    }

    /// Other peers from now on. Nonces that were given out stay good, unless the realm is another.
    pub fn renew(&mut self, realm: &str, peers: Arc<[settings::Peer]>) {
        self.peers = peers;
        self.authenticator.set_realm(realm);
    }

    /// The peers, for what comes after admission.
    pub fn peers(&self) -> &[settings::Peer] {
        &self.peers
    }

    /// Whether an address is held by the networks of this peer (security: sources of requests within a dialog).
    pub fn holds(&self, peer: usize, source: IpAddr) -> bool {
        self.peers.get(peer).is_some_and(|p| network_of(p, source).is_some())
    }

    /// Nonces remembered since they were used, for "nothing is left over".
    pub fn remembered(&self) -> usize {
        self.authenticator.remembered()
    }

    pub fn judge(&mut self, now: Instant, knock: Knock<'_>) -> Verdict {
        let by_network = self.peers.iter().enumerate().find_map(|(index, peer)| Some((index, network_of(peer, knock.source)?)));
        if let Some((peer, network)) = by_network
            && self.peers[peer].policy == settings::Policy::Either
        {
            return Verdict::Admitted { peer, by: model::Admission::Network(network.to_string()) };
        }
        let by_network = by_network.map(|(peer, network)| (peer, network.to_string()));
        let required = by_network.as_ref().map(|(peer, _)| *peer);
        let may_answer = |index: usize, peer: &settings::Peer| {
            !peer.users.is_empty() && (required == Some(index) || peer.policy == settings::Policy::Either)
        };
        let peers = self.peers.clone();
        let candidates = || peers.iter().enumerate().filter(|(index, peer)| may_answer(*index, peer));
        if candidates().next().is_none() {
            return Verdict::Forbidden { why: self.nearest_rule(knock.source, required) };
        }

        let mut wrong = None;
        let mut stale = false;
        for answer in knock.answers {
            if answer.realm != self.authenticator.realm() {
                continue; // meant for another server on the way (RFC 3261 §22.3)
            }
            let asked = Asked { method: knock.method, request_uri: knock.request_uri, source: knock.source };
            let user =
                candidates().find_map(|(index, peer)| Some((index, peer, peer.users.iter().find(|u| u.username == answer.username)?)));
            let md5 = user.map_or_else(|| candidates().any(|(_, p)| p.allow_md5), |(_, peer, _)| peer.allow_md5);
            let password = |_: &str| user.map(|(_, _, user)| user.secret.reveal());
            match (self.authenticator.check(now, asked, answer, password, md5), user) {
                (Ok(algorithm), Some((peer, ..))) => {
                    let (user, algorithm) = (answer.username.to_owned(), algorithm.name().to_owned());
                    let by = match by_network {
                        Some((required, network)) if required == peer => model::Admission::Both { network, user, algorithm },
                        _ => model::Admission::Digest { user, algorithm },
                    };
                    return Verdict::Admitted { peer, by };
                }
                (Err(refusal), user) => {
                    stale |= refusal.is_stale();
                    let peer = user.map_or("no peer has this user".to_owned(), |(_, peer, _)| format!("peer {}", peer.name));
                    wrong = (!refusal.is_stale()).then(|| match refusal {
                        Refusal::Wrong if user.is_some() => format!("Digest of user {}: the password is wrong ({peer})", answer.username),
                        Refusal::Wrong => format!("Digest of user {}: {peer}", answer.username),
                        other => format!("Digest of user {}: {other} ({peer})", answer.username),
                    });
                }
                (Ok(_), None) => wrong = Some(Refusal::Wrong.to_string()),
            }
        }
        let md5 = candidates().any(|(_, peer)| peer.allow_md5);
        Verdict::Challenged { www_authenticate: self.authenticator.challenges(now, knock.source, stale, md5), wrong }
    }

    /// One sentence for the operator: why not, and which peer was nearest.
    fn nearest_rule(&self, source: IpAddr, required: Option<usize>) -> String {
        if let Some(peer) = required.and_then(|index| self.peers.get(index)) {
            return format!("{source} is in the networks of peer {}, but its policy is both and it has no users", peer.name);
        }
        self.nearest_network(source)
    }

    /// That no network holds the address, and which one came nearest.
    pub fn nearest_network(&self, source: IpAddr) -> String {
        let nearest = self
            .peers
            .iter()
            .flat_map(|peer| peer.networks.iter().map(move |network| (common_bits(network, source), peer, network)))
            .filter(|(bits, ..)| *bits > 0)
            .max_by_key(|(bits, ..)| *bits);
        match nearest {
            Some((_, peer, network)) => format!("{source} is in no peer's networks; nearest is {network} of peer {}", peer.name),
            None if self.peers.is_empty() => format!("{source} is not admitted: no peer is configured"),
            None => format!("{source} is in no peer's networks"),
        }
    }
}

fn network_of(peer: &settings::Peer, source: IpAddr) -> Option<&IpNet> {
    let source = source.to_canonical();
    peer.networks.iter().find(|network| network.contains(&source))
}

/// Leading bits that an address shares with a network's.
fn common_bits(network: &IpNet, source: IpAddr) -> u32 {
    match (network.network(), source.to_canonical()) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (u32::from(a) ^ u32::from(b)).leading_zeros(),
        (IpAddr::V6(a), IpAddr::V6(b)) => (u128::from(a) ^ u128::from(b)).leading_zeros(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{
            ReturnMethod, ReturnMethodOrAgent,
            settings::{Peer, Policy, Return, Secret, User},
        },
        sip::digest::client::{Challenge, Credentials},
    };

    fn peer(name: &str, networks: &[&str], policy: Policy, user: Option<&str>) -> Peer {
        Peer {
            name: name.into(),
            networks: networks.iter().map(|n| n.parse().unwrap()).collect(),
            policy,
            users: user.into_iter().map(|u| User { username: u.into(), secret: Secret::new("secret") }).collect(),
            allow_md5: true,
            record: None,
            returns: Return {
                method: ReturnMethod::Bye,
                uri: None,
                fallback: ReturnMethodOrAgent::Bye,
                notify_timeout_secs: 30,
                auth: None,
                hosts: Vec::new(),
            },
        }
    }

    struct Door {
        admission: Admission,
        now: Instant,
    }

    fn door(peers: impl Into<Arc<[Peer]>>) -> Door {
        let now = Instant::now();
        Door { admission: Admission::new(now, "handback", peers.into(), [9; 32]), now }
    }

    impl Door {
        fn knocks(&mut self, source: &str, answers: &[Answer<'_>]) -> Verdict {
            let knock = Knock { method: "INVITE", request_uri: "sip:bridge@h", source: source.parse().unwrap(), answers };
            self.admission.judge(self.now, knock)
        }

        /// Knocks, is challenged, and answers the first challenge.
        fn knocks_with(&mut self, source: &str, user: &str, password: &str) -> Verdict {
            let Verdict::Challenged { www_authenticate, wrong: None } = self.knocks(source, &[]) else { panic!("not challenged") };
            let challenge = Challenge::read(parameters(&www_authenticate[0])).unwrap();
            let answer = challenge.answer(Credentials { username: user, password }, "INVITE", "sip:bridge@h", 1, "c");
            self.knocks(source, &[Answer::read(parameters(&answer)).unwrap()])
        }
    }

    fn parameters(value: &str) -> Vec<(&str, &str)> {
        let rest = value.strip_prefix("Digest ").unwrap();
        rest.split(", ").map(|p| p.split_once('=').unwrap()).map(|(name, value)| (name, value.trim_matches('"'))).collect()
    }

    fn forbidden(verdict: Verdict) -> String {
        let Verdict::Forbidden { why } = verdict else { panic!("{verdict:?}") };
        why
    }

    #[test]
    fn nothing_configured_admits_nobody() {
        assert!(forbidden(door([]).knocks("127.0.0.1", &[])).contains("no peer is configured"));
        assert!(forbidden(door([peer("empty", &[], Policy::Either, None)]).knocks("127.0.0.1", &[])).contains("no peer's networks"));
    }

    #[test]
    fn a_network_admits_and_the_first_match_wins() {
        let mut door = door([
            peer("other", &["10.5.0.0/16"], Policy::Either, None),
            peer("first", &["10.4.0.0/16", "2001:db8:4::/48"], Policy::Either, None),
            peer("second", &["10.0.0.0/8"], Policy::Either, None),
        ]);
        let by = |network: &str| model::Admission::Network(network.into());
        assert_eq!(door.knocks("10.4.9.9", &[]), Verdict::Admitted { peer: 1, by: by("10.4.0.0/16") });
        assert_eq!(door.knocks("10.9.9.9", &[]), Verdict::Admitted { peer: 2, by: by("10.0.0.0/8") });
        assert_eq!(door.knocks("2001:db8:4::7", &[]), Verdict::Admitted { peer: 1, by: by("2001:db8:4::/48") });
        assert_eq!(door.knocks("::ffff:10.4.9.9", &[]), Verdict::Admitted { peer: 1, by: by("10.4.0.0/16") });
    }

    #[test]
    fn a_refusal_names_the_rule_that_came_nearest() {
        let mut door =
            door([peer("far", &["172.16.0.0/12"], Policy::Either, None), peer("SBC lab", &["10.4.0.0/16"], Policy::Either, None)]);
        let why = forbidden(door.knocks("10.5.0.1", &[]));
        assert_eq!(why, "10.5.0.1 is in no peer's networks; nearest is 10.4.0.0/16 of peer SBC lab");
    }

    #[test]
    fn credentials_admit_from_anywhere_where_the_policy_is_either() {
        let mut door = door([peer("lab", &["10.4.0.0/16"], Policy::Either, Some("sbc"))]);
        let by = model::Admission::Digest { user: "sbc".into(), algorithm: "SHA-256".into() };
        assert_eq!(door.knocks_with("192.0.2.1", "sbc", "secret"), Verdict::Admitted { peer: 0, by });
    }

    #[test]
    fn wrong_credentials_are_challenged_again_and_the_operator_learns_why() {
        let mut door = door([peer("lab", &[], Policy::Either, Some("sbc"))]);
        let Verdict::Challenged { wrong: Some(why), www_authenticate } = door.knocks_with("192.0.2.1", "sbc", "guess") else { panic!() };
        assert!(why.contains("password is wrong"), "{why}");
        assert!(!www_authenticate[0].contains("stale"));
        let Verdict::Challenged { wrong: Some(why), .. } = door.knocks_with("192.0.2.1", "nobody", "secret") else { panic!() };
        assert!(why.contains("no peer has this user"), "{why}");
    }

    #[test]
    fn with_both_the_address_is_judged_first_and_a_refused_one_is_never_challenged() {
        let mut door = door([peer("lab", &["10.4.0.0/16"], Policy::Both, Some("sbc"))]);
        forbidden(door.knocks("192.0.2.1", &[]));
        let by = model::Admission::Both { network: "10.4.0.0/16".into(), user: "sbc".into(), algorithm: "SHA-256".into() };
        assert_eq!(door.knocks_with("10.4.0.1", "sbc", "secret"), Verdict::Admitted { peer: 0, by });
        let mut half = self::door([peer("lab", &["10.4.0.0/16"], Policy::Both, None)]);
        assert!(forbidden(half.knocks("10.4.0.1", &[])).contains("has no users"));
        let mut half = self::door([peer("lab", &[], Policy::Both, Some("sbc"))]);
        forbidden(half.knocks("10.4.0.1", &[]));
    }

    #[test]
    fn the_users_of_a_peer_with_both_admit_nobody_from_elsewhere() {
        let mut door =
            door([peer("strict", &["10.4.0.0/16"], Policy::Both, Some("strict")), peer("open", &[], Policy::Either, Some("open"))]);
        assert!(matches!(door.knocks_with("192.0.2.1", "strict", "secret"), Verdict::Challenged { .. }));
        assert!(matches!(door.knocks_with("192.0.2.1", "open", "secret"), Verdict::Admitted { peer: 1, .. }));
    }

    #[test]
    fn a_replayed_answer_is_challenged_with_a_new_nonce() {
        let mut door = door([peer("lab", &[], Policy::Either, Some("sbc"))]);
        let Verdict::Challenged { www_authenticate, .. } = door.knocks("192.0.2.1", &[]) else { panic!() };
        let challenge = Challenge::read(parameters(&www_authenticate[0])).unwrap();
        let answer = challenge.answer(Credentials { username: "sbc", password: "secret" }, "INVITE", "sip:bridge@h", 1, "c");
        let answers = [Answer::read(parameters(&answer)).unwrap()];
        assert!(matches!(door.knocks("192.0.2.1", &answers), Verdict::Admitted { .. }));
        let Verdict::Challenged { www_authenticate, wrong: None } = door.knocks("192.0.2.1", &answers) else { panic!() };
        assert!(www_authenticate[0].ends_with("stale=true"));
    }
}
