//! Answering a digest challenge (RFC 7616 §3.4, RFC 3261 §22.2).

use std::fmt::Write as _;

use super::{Algorithm, Hash, Protection, Response, push_quoted};

/// A challenge that we can answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    pub realm: String,
    pub nonce: String,
    pub opaque: Option<String>,
    pub algorithm: Algorithm,
    /// The challenge spelled the algorithm out; only then does the answer.
    algorithm_named: bool,
    /// `auth` is among the offered protections; else the RFC 2069 form is used.
    pub qop_auth: bool,
    /// The nonce that we used is too old, the password was right: a new try is worth it.
    pub stale: bool,
}

/// Who we are. `Debug` never shows the password.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    pub username: &'a str,
    pub password: &'a str,
}

impl Challenge {
    /// Reads the parameters of a `Digest` challenge, unquoted. `None` where we can't answer it:
    /// no realm or nonce, an algorithm that we don't know, or only `auth-int` asked for.
    pub fn read<N: AsRef<str>, V: AsRef<str>>(parameters: impl IntoIterator<Item = (N, V)>) -> Option<Self> {
        let (mut realm, mut nonce, mut opaque, mut algorithm, mut qop, mut stale) = (None, None, None, None, None, false);
        for (name, value) in parameters {
            let (name, value) = (name.as_ref(), value.as_ref());
            let slot = match name {
                n if n.eq_ignore_ascii_case("realm") => &mut realm,
                n if n.eq_ignore_ascii_case("nonce") => &mut nonce,
                n if n.eq_ignore_ascii_case("opaque") => &mut opaque,
                n if n.eq_ignore_ascii_case("algorithm") => &mut algorithm,
                n if n.eq_ignore_ascii_case("qop") => &mut qop,
                n if n.eq_ignore_ascii_case("stale") => {
                    stale = value.eq_ignore_ascii_case("true");
                    continue;
                }
                _ => continue, // §3.3: unknown directives are ignored
            };
            if slot.is_none() {
                *slot = Some(value.to_owned());
            }
        }
        let qop_auth = match &qop {
            None => false,
            Some(offered) if offered.split(',').any(|q| q.trim().eq_ignore_ascii_case("auth")) => true,
            Some(_) => return None, // auth-int needs the body of every message to stay untouched; never offered, never answered
        };
        Some(Self {
            realm: realm?,
            nonce: nonce?,
            opaque,
            algorithm_named: algorithm.is_some(),
            // §3.3: absent means MD5
            algorithm: algorithm.as_deref().map_or(Some(Algorithm::MD5), Algorithm::parse)?,
            qop_auth,
            stale,
        })
    }

    /// The one to answer among several for the same request: the first that is not MD5, else the first
    /// (RFC 8760 §2.4: the topmost that we support; MD5 is passed over where something better stands below it).
    pub fn choose(challenges: impl IntoIterator<Item = Self>) -> Option<Self> {
        let mut fallback = None;
        for challenge in challenges {
            if challenge.algorithm.hash != Hash::Md5 {
                return Some(challenge);
            }
            fallback.get_or_insert(challenge);
        }
        fallback
    }

    /// The value of `Authorization` or `Proxy-Authorization` for this challenge. `uri` is the Request-URI
    /// as it stands in the request, `nc` counts the requests sent with this nonce from 1, and `cnonce` is
    /// a random token of ours.
    pub fn answer(&self, credentials: Credentials<'_>, method: &str, uri: &str, nc: u32, cnonce: &str) -> String {
        let nc = format!("{nc:08x}");
        let response = Response {
            algorithm: self.algorithm,
            username: credentials.username,
            realm: &self.realm,
            password: credentials.password,
            nonce: &self.nonce,
            protection: self.qop_auth.then_some(Protection { nc: &nc, cnonce }),
            method,
            uri,
        }
        .compute();
        let mut value = String::with_capacity(320);
        value.push_str("Digest username=");
        push_quoted(&mut value, credentials.username);
        for (name, text) in [(", realm=", self.realm.as_str()), (", nonce=", &self.nonce), (", uri=", uri), (", response=", &response)] {
            value.push_str(name);
            push_quoted(&mut value, text);
        }
        if self.algorithm_named {
            let _ = write!(value, ", algorithm={}", self.algorithm.name());
        }
        if self.qop_auth {
            // RFC 7616 §3.4: qop and nc are not quoted in an answer
            let _ = write!(value, ", qop=auth, nc={nc}");
        }
        if self.qop_auth || self.algorithm.session {
            value.push_str(", cnonce=");
            push_quoted(&mut value, cnonce);
        }
        if let Some(opaque) = &self.opaque {
            value.push_str(", opaque=");
            push_quoted(&mut value, opaque);
        }
        value
    }
}

impl std::fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credentials({}, …)", self.username)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge(extra: &[(&str, &str)]) -> Option<Challenge> {
        Challenge::read([("realm", "handback"), ("nonce", "abc")].iter().chain(extra).copied())
    }

    #[test]
    fn the_strongest_challenge_is_answered() {
        let md5 = challenge(&[("qop", "auth")]).unwrap();
        let sha = challenge(&[("qop", "auth"), ("algorithm", "SHA-256")]).unwrap();
        assert_eq!(Challenge::choose([md5.clone(), sha.clone()]), Some(sha));
        assert_eq!(Challenge::choose([md5.clone()]), Some(md5));
    }

    #[test]
    fn a_challenge_that_asks_only_for_auth_int_or_an_unknown_hash_is_not_answered() {
        assert_eq!(challenge(&[("qop", "auth-int")]), None);
        assert_eq!(challenge(&[("algorithm", "AKAv1-MD5")]), None);
        assert!(challenge(&[("qop", "auth-int, auth")]).is_some_and(|c| c.qop_auth));
    }

    #[test]
    fn an_answer_without_qop_has_neither_count_nor_cnonce() {
        let value =
            challenge(&[("opaque", "o\"p")]).unwrap().answer(Credentials { username: "sbc", password: "pw" }, "INVITE", "sip:r@h", 1, "c");
        assert!(!value.contains("qop") && !value.contains("nc=") && !value.contains("algorithm"), "{value}");
        assert!(value.ends_with(r#"opaque="o\"p""#), "{value}");
    }

    /// An independent implementation agrees.
    #[test]
    fn an_answer_agrees_with_digest_auth() {
        let mut prompt =
            digest_auth::WwwAuthenticateHeader::parse(r#"Digest realm="handback", nonce="n1", qop="auth", algorithm=SHA-256"#).unwrap();
        let mut context = digest_auth::AuthContext::new_with_method(
            "sbc",
            "pa ss",
            "sip:r@h;x=1",
            Option::<&[u8]>::None,
            digest_auth::HttpMethod(std::borrow::Cow::Borrowed("INVITE")),
        );
        context.set_custom_cnonce("c0ffee");
        let theirs = prompt.respond(&context).unwrap();
        let ours = Challenge::read([("realm", "handback"), ("nonce", "n1"), ("qop", "auth"), ("algorithm", "SHA-256")]).unwrap().answer(
            Credentials { username: "sbc", password: "pa ss" },
            "INVITE",
            "sip:r@h;x=1",
            1,
            "c0ffee",
        );
        assert!(ours.contains(&format!("response=\"{}\"", theirs.response)), "{ours} {theirs}");
    }
}
