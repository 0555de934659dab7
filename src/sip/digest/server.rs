//! Challenging, and judging the answer (RFC 7616 §3.3–3.4, RFC 8760), without keeping anything per challenge.
//!
//! A nonce is its birth and a serial number, signed for the address that it was given to. So a flood of
//! unanswered challenges costs no memory; only a nonce that was *used with the right password* is
//! remembered, with the highest count seen, until it expires.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    time::{Duration, Instant},
};

use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use super::{Algorithm, HexText, Protection, Response, push_quoted};

/// Makes challenges and judges answers for one realm.
pub struct Authenticator {
    realm: String,
    /// Has taken the key in.
    mac: Hmac<Sha256>,
    /// Birth of the clock inside nonces.
    epoch: Instant,
    serial: u32,
    lifetime: Duration,
    used: Used,
}

/// The parameters of an `Authorization: Digest`, unquoted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Answer<'a> {
    pub username: &'a str,
    pub realm: &'a str,
    pub nonce: &'a str,
    pub uri: &'a str,
    pub response: &'a str,
    pub algorithm: Option<&'a str>,
    pub cnonce: Option<&'a str>,
    pub qop: Option<&'a str>,
    pub nc: Option<&'a str>,
}

/// The request that an answer came with, and from where.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub method: &'a str,
    pub request_uri: &'a str,
    pub source: IpAddr,
}

/// Why an answer was not taken. The texts are for the operator: the peer sees a new challenge, and no reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The password was right, but the nonce is too old (or from before a restart): worth a new try.
    #[error("the nonce has expired")]
    Stale,
    #[error("the user name or the password is wrong")]
    Wrong,
    /// This nonce count, or a higher one, was already used.
    #[error("the nonce count was already used")]
    Replayed,
    #[error("the digest was made for another URI")]
    OtherUri,
    #[error("the answer is not one to our challenge")]
    Malformed,
}

impl Refusal {
    /// Whether the next challenge says `stale=true` (RFC 7616 §3.3): only after a right password.
    pub fn is_stale(self) -> bool {
        // A replay is most often a second request that overtook the first: a new nonce cures it, too.
        matches!(self, Self::Stale | Self::Replayed)
    }
}

impl<'a> Answer<'a> {
    /// From the parameters of the header; `None` where one that must be there is missing or comes twice.
    pub fn read(parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> Option<Self> {
        const NAMES: [&str; 9] = ["username", "realm", "nonce", "uri", "response", "algorithm", "cnonce", "qop", "nc"];
        let mut values = [None; 9];
        for (name, value) in parameters {
            let Some(index) = NAMES.iter().position(|n| n.eq_ignore_ascii_case(name)) else { continue };
            if values[index].replace(value).is_some() {
                return None;
            }
        }
        let [username, realm, nonce, uri, response, algorithm, cnonce, qop, nc] = values;
        Some(Self { username: username?, realm: realm?, nonce: nonce?, uri: uri?, response: response?, algorithm, cnonce, qop, nc })
    }
}

impl Authenticator {
    /// `key` is random and made anew at every start.
    pub fn new(realm: impl Into<String>, key: [u8; 32], epoch: Instant) -> Self {
        let mac = Hmac::new_from_slice(&key).expect("HMAC takes a key of any length");
        Self { realm: realm.into(), mac, epoch, serial: 0, lifetime: NONCE_LIFETIME, used: Used::default() }
    }

    /// Challenges name this realm from now on; answers for another are passed over.
    pub fn set_realm(&mut self, realm: &str) {
        realm.clone_into(&mut self.realm);
    }

    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// The values of `WWW-Authenticate`, the strongest first: some peers read only the first (RFC 8760 §2.4).
    pub fn challenges(&mut self, now: Instant, source: IpAddr, stale: bool, md5: bool) -> Vec<String> {
        self.serial = self.serial.wrapping_add(1);
        let born = self.millis(now);
        let nonce = self.nonce(born, self.serial, source);
        let algorithms = if md5 { &[Algorithm::SHA256, Algorithm::MD5][..] } else { &[Algorithm::SHA256] };
        algorithms.iter().map(|a| self.challenge(&nonce, *a, stale)).collect()
    }

    /// Judges `answer`; `password` gives a user's password, and for an unknown one the same work is done.
    pub fn check<'p>(
        &mut self,
        now: Instant,
        asked: Asked<'_>,
        answer: &Answer<'_>,
        password: impl FnOnce(&str) -> Option<&'p str>,
        md5: bool,
    ) -> Result<Algorithm, Refusal> {
        let algorithm = answer.algorithm.map_or(Some(Algorithm::MD5), Algorithm::parse).ok_or(Refusal::Malformed)?;
        let offered = algorithm == Algorithm::SHA256 || md5 && algorithm == Algorithm::MD5;
        let count = answer.count().ok_or(Refusal::Malformed)?;
        if !offered || answer.realm != self.realm {
            return Err(Refusal::Malformed);
        }
        let known = password(answer.username);
        let expected = Response {
            algorithm,
            username: answer.username,
            realm: &self.realm,
            password: known.unwrap_or("nobody has this password"),
            nonce: answer.nonce,
            protection: answer.qop.map(|_| Protection { nc: answer.nc.unwrap_or_default(), cnonce: answer.cnonce.unwrap_or_default() }),
            method: asked.method,
            uri: answer.uri,
        }
        .compute();
        let right: bool = expected.as_bytes().ct_eq(answer.response.to_ascii_lowercase().as_bytes()).into();
        if !right || known.is_none() {
            return Err(Refusal::Wrong);
        }
        // From here on the sender knows the password.
        if !same_target(answer.uri, asked.request_uri) {
            return Err(Refusal::OtherUri);
        }
        let birth = self.birth(answer.nonce, asked.source).ok_or(Refusal::Stale)?;
        let age = Duration::from_millis(self.millis(now).saturating_sub(birth.millis));
        if age > self.lifetime || self.used.forgot(birth) {
            return Err(Refusal::Stale);
        }
        self.used.forget_before(self.millis(now).saturating_sub(self.lifetime.as_millis() as u64));
        if self.used.take(birth, count) { Ok(algorithm) } else { Err(Refusal::Replayed) }
    }

    /// Nonces that are remembered since they were used.
    pub fn remembered(&self) -> usize {
        self.used.counts.len()
    }

    fn challenge(&self, nonce: &str, algorithm: Algorithm, stale: bool) -> String {
        let mut value = String::with_capacity(160);
        value.push_str("Digest realm=");
        push_quoted(&mut value, &self.realm);
        value.push_str(", nonce=\"");
        value.push_str(nonce);
        value.push_str("\", algorithm=");
        value.push_str(algorithm.name());
        value.push_str(", qop=\"auth\"");
        if stale {
            value.push_str(", stale=true");
        }
        value
    }

    fn millis(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.epoch).as_millis() as u64
    }

    fn nonce(&self, millis: u64, serial: u32, source: IpAddr) -> HexText {
        let mut bytes = [0; NONCE_BYTES];
        bytes[..8].copy_from_slice(&millis.to_be_bytes());
        bytes[8..12].copy_from_slice(&serial.to_be_bytes());
        let signature = self.signature(&bytes[..12], source);
        bytes[12..].copy_from_slice(&signature[..16]);
        HexText::of_bytes(&bytes)
    }

    /// When a nonce of ours for `source` was made; `None` for any other text.
    fn birth(&self, nonce: &str, source: IpAddr) -> Option<Birth> {
        let bytes = unhex(nonce)?;
        let genuine: bool = self.signature(&bytes[..12], source)[..16].ct_eq(&bytes[12..]).into();
        let (millis, rest) = bytes.split_first_chunk::<8>()?;
        let (serial, _) = rest.split_first_chunk::<4>()?;
        genuine.then_some(Birth { millis: u64::from_be_bytes(*millis), serial: u32::from_be_bytes(*serial) })
    }

    fn signature(&self, birth: &[u8], source: IpAddr) -> [u8; 32] {
        let mut mac = self.mac.clone();
        mac.update(birth);
        match source.to_canonical() {
            IpAddr::V4(ip) => mac.update(&ip.octets()),
            IpAddr::V6(ip) => mac.update(&ip.octets()),
        }
        mac.finalize().into_bytes().into()
    }
}

impl Answer<'_> {
    /// The nonce count. Without `qop` there is none, so the nonce serves once only: the highest count of all.
    fn count(&self) -> Option<u32> {
        match self.qop {
            None => Some(u32::MAX),
            Some(qop) if qop.eq_ignore_ascii_case("auth") => {
                self.cnonce?;
                let nc = self.nc?;
                // RFC 7616 §3.4: exactly eight hexadecimal digits
                (nc.len() == 8 && nc.bytes().all(|b| b.is_ascii_hexdigit())).then(|| u32::from_str_radix(nc, 16).ok()).flatten()
            }
            Some(_) => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Birth {
    millis: u64,
    serial: u32,
}

/// Nonces that were used, each with the highest count; bounded, the oldest goes first.
#[derive(Debug, Default)]
struct Used {
    counts: BTreeMap<Birth, u32>,
    /// Whatever was born at or before this is no longer known, and so counts as expired.
    horizon: Option<Birth>,
}

impl Used {
    fn forgot(&self, birth: Birth) -> bool {
        self.horizon.is_some_and(|h| birth <= h)
    }

    /// `false` where this count, or a higher one, was already used (security: strictly rising).
    fn take(&mut self, birth: Birth, count: u32) -> bool {
        let fresh = match self.counts.get_mut(&birth) {
            Some(highest) if count <= *highest => false,
            Some(highest) => {
                *highest = count;
                true
            }
            None => {
                self.counts.insert(birth, count);
                count > 0
            }
        };
        if self.counts.len() > MAX_USED {
            self.horizon = self.counts.pop_first().map(|(oldest, _)| oldest);
        }
        fresh
    }

    fn forget_before(&mut self, millis: u64) {
        while self.counts.first_key_value().is_some_and(|(birth, _)| birth.millis < millis) {
            self.counts.pop_first();
        }
    }
}

/// Whether the digest's `uri` means the request's target. RFC 7616 §3.4.6 wants the same resource; SIP
/// elements on the way re-write parameters and add or drop default ports, so user and host decide.
fn same_target(uri: &str, request_uri: &str) -> bool {
    fn core(uri: &str) -> (&str, &str) {
        let uri = uri.split(['?', ';']).next().unwrap_or_default();
        let after_scheme = uri.split_once(':').map_or(uri, |(_, rest)| rest);
        let (user, host) = after_scheme.rsplit_once('@').unwrap_or(("", after_scheme));
        let host = match host.rsplit_once(':') {
            Some((name, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) && !name.ends_with(':') => name,
            _ => host,
        };
        (user, host)
    }
    if uri == request_uri {
        return true;
    }
    let ((user, host), (asked_user, asked_host)) = (core(uri), core(request_uri));
    user == asked_user && host.eq_ignore_ascii_case(asked_host)
}

fn unhex(text: &str) -> Option<[u8; NONCE_BYTES]> {
    let mut bytes = [0; NONCE_BYTES];
    if text.len() != 2 * NONCE_BYTES {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let digit = |c: u8| char::from(c).to_digit(16);
        *byte = (digit(*pair.first()?)? << 4 | digit(*pair.last()?)?) as u8;
    }
    Some(bytes)
}

/// Birth, serial, 128 bits of signature.
const NONCE_BYTES: usize = 8 + 4 + 16;
const NONCE_LIFETIME: Duration = Duration::from_secs(30);
const MAX_USED: usize = 20_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::digest::client::{Challenge, Credentials};

    const SOURCE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

    struct Lab {
        server: Authenticator,
        now: Instant,
    }

    impl Lab {
        fn new() -> Self {
            let now = Instant::now();
            Self { server: Authenticator::new("handback", [7; 32], now), now }
        }

        fn challenge(&mut self, algorithm: &str) -> Challenge {
            let values = self.server.challenges(self.now, SOURCE, false, true);
            assert_eq!(values.len(), 2);
            let value = values.iter().find(|v| v.contains(&format!("algorithm={algorithm},"))).unwrap();
            Challenge::read(parameters(value)).unwrap()
        }

        fn check(&mut self, value: &str) -> Result<Algorithm, Refusal> {
            self.check_as(value, "INVITE", "sip:bridge@198.51.100.1", SOURCE)
        }

        fn check_as(&mut self, value: &str, method: &str, request_uri: &str, source: IpAddr) -> Result<Algorithm, Refusal> {
            let answer = Answer::read(parameters(value)).unwrap();
            let password = |user: &str| (user == "sbc").then_some("secret");
            self.server.check(self.now, Asked { method, request_uri, source }, &answer, password, true)
        }
    }

    /// Good enough for what this module writes: no comma stands inside a quoted value here.
    fn parameters(value: &str) -> Vec<(&str, &str)> {
        let rest = value.strip_prefix("Digest ").unwrap();
        rest.split(", ").map(|p| p.split_once('=').unwrap()).map(|(name, value)| (name, value.trim_matches('"'))).collect()
    }

    fn answer(challenge: &Challenge, password: &str, nc: u32) -> String {
        challenge.answer(Credentials { username: "sbc", password }, "INVITE", "sip:bridge@198.51.100.1", nc, "cnonce")
    }

    #[test]
    fn sha_256_stands_before_md5_and_md5_can_be_left_out() {
        let mut lab = Lab::new();
        let values = lab.server.challenges(lab.now, SOURCE, true, true);
        assert!(values[0].contains("algorithm=SHA-256") && values[1].contains("algorithm=MD5"));
        assert!(values.iter().all(|v| v.contains("stale=true") && v.contains("qop=\"auth\"")));
        assert_eq!(lab.server.challenges(lab.now, SOURCE, false, false).len(), 1);
    }

    #[test]
    fn a_right_answer_is_taken_with_either_algorithm() {
        for (name, algorithm) in [("SHA-256", Algorithm::SHA256), ("MD5", Algorithm::MD5)] {
            let mut lab = Lab::new();
            let value = answer(&lab.challenge(name), "secret", 1);
            assert_eq!(lab.check(&value), Ok(algorithm));
        }
    }

    #[test]
    fn md5_is_refused_where_it_was_not_offered() {
        let mut lab = Lab::new();
        let value = answer(&lab.challenge("MD5"), "secret", 1);
        let answer = Answer::read(parameters(&value)).unwrap();
        let asked = Asked { method: "INVITE", request_uri: "sip:bridge@198.51.100.1", source: SOURCE };
        assert_eq!(lab.server.check(lab.now, asked, &answer, |_| Some("secret"), false), Err(Refusal::Malformed));
    }

    #[test]
    fn a_nonce_count_is_never_taken_twice_and_only_rises() {
        let mut lab = Lab::new();
        let challenge = lab.challenge("SHA-256");
        assert!(lab.check(&answer(&challenge, "secret", 2)).is_ok());
        assert_eq!(lab.check(&answer(&challenge, "secret", 2)), Err(Refusal::Replayed));
        assert_eq!(lab.check(&answer(&challenge, "secret", 1)), Err(Refusal::Replayed));
        assert!(lab.check(&answer(&challenge, "secret", 3)).is_ok());
        assert_eq!(lab.check(&answer(&challenge, "secret", 0)), Err(Refusal::Replayed), "counting starts at 1");
    }

    #[test]
    fn a_wrong_password_and_an_unknown_user_look_alike() {
        let mut lab = Lab::new();
        let challenge = lab.challenge("SHA-256");
        assert_eq!(lab.check(&answer(&challenge, "guess", 1)), Err(Refusal::Wrong));
        let stranger = answer(&challenge, "nobody has this password", 1).replace("\"sbc\"", "\"nobody\"");
        assert_eq!(lab.check(&stranger), Err(Refusal::Wrong));
        let made_for_nobody = challenge.answer(
            Credentials { username: "x", password: "nobody has this password" },
            "INVITE",
            "sip:bridge@198.51.100.1",
            1,
            "c",
        );
        assert_eq!(lab.check(&made_for_nobody), Err(Refusal::Wrong), "the stand-in password opens nothing");
        assert_eq!(lab.server.remembered(), 0, "only a right password costs memory");
    }

    #[test]
    fn an_expired_nonce_is_stale_only_with_the_right_password() {
        let mut lab = Lab::new();
        let challenge = lab.challenge("SHA-256");
        lab.now += Duration::from_secs(31);
        assert_eq!(lab.check(&answer(&challenge, "guess", 1)), Err(Refusal::Wrong));
        assert_eq!(lab.check(&answer(&challenge, "secret", 1)), Err(Refusal::Stale));
    }

    #[test]
    fn a_nonce_serves_only_the_address_that_it_was_given_to() {
        let mut lab = Lab::new();
        let value = answer(&lab.challenge("SHA-256"), "secret", 1);
        let elsewhere = "192.0.2.8".parse().unwrap();
        assert_eq!(lab.check_as(&value, "INVITE", "sip:bridge@198.51.100.1", elsewhere), Err(Refusal::Stale));
    }

    #[test]
    fn the_method_and_the_target_are_part_of_the_proof() {
        let mut lab = Lab::new();
        let challenge = lab.challenge("SHA-256");
        assert_eq!(lab.check_as(&answer(&challenge, "secret", 1), "REFER", "sip:bridge@198.51.100.1", SOURCE), Err(Refusal::Wrong));
        assert_eq!(lab.check_as(&answer(&challenge, "secret", 1), "INVITE", "sip:other@198.51.100.1", SOURCE), Err(Refusal::OtherUri));
        assert!(lab.check_as(&answer(&challenge, "secret", 1), "INVITE", "sip:bridge@198.51.100.1:5060;transport=udp", SOURCE).is_ok());
    }

    #[test]
    fn an_answer_without_qop_serves_once() {
        let mut lab = Lab::new();
        let values = lab.server.challenges(lab.now, SOURCE, false, true);
        let plain = parameters(&values[1]).into_iter().filter(|(name, _)| *name != "qop");
        let value = answer(&Challenge::read(plain).unwrap(), "secret", 1);
        assert!(lab.check(&value).is_ok());
        assert_eq!(lab.check(&value), Err(Refusal::Replayed));
    }

    #[test]
    fn a_full_memory_forgets_the_oldest_and_never_lets_it_in_again() {
        let mut used = Used::default();
        let birth = |n: u64| Birth { millis: n, serial: 0 };
        for n in 0..=MAX_USED as u64 {
            assert!(used.take(birth(n), 1));
        }
        assert_eq!(used.counts.len(), MAX_USED);
        assert!(used.forgot(birth(0)) && !used.forgot(birth(1)));
    }

    #[test]
    fn bad_answers_are_refused_without_harm() {
        let mut lab = Lab::new();
        let good = answer(&lab.challenge("SHA-256"), "secret", 1);
        for (from, to) in [("nc=00000001", "nc=1"), ("qop=auth", "qop=auth-int"), ("SHA-256", "SHA-1"), ("\"handback\"", "\"other\"")] {
            assert_eq!(lab.check(&good.replace(from, to)), Err(Refusal::Malformed), "{to}");
        }
        assert_eq!(Answer::read([("username", "a"), ("username", "b")]), None);
        let cut = Answer { nonce: "zz", ..Answer::read(parameters(&good)).unwrap() };
        assert_eq!(
            lab.server.check(
                lab.now,
                Asked { method: "INVITE", request_uri: "sip:bridge@198.51.100.1", source: SOURCE },
                &cut,
                |_| Some("secret"),
                true
            ),
            Err(Refusal::Wrong)
        );
    }

    #[test]
    fn ports_and_parameters_do_not_part_a_target() {
        assert!(same_target("sip:a@h", "sip:a@H:5060;transport=tcp"));
        assert!(same_target("sip:[2001:db8::1]", "sip:[2001:db8::1]:5060"));
        assert!(!same_target("sip:a@h", "sip:b@h"));
        assert!(!same_target("sip:a@h", "sip:a@g"));
    }
}
