//! HTTP digest authentication as SIP uses it (RFC 7616, RFC 8760, RFC 3261 §22): the formula, and below it both sides.
//!
//! [`client`] answers a challenge, [`server`] makes one and judges the answer. Header values are taken
//! apart by `message::auth`; this module never sees a header line, only its parameters.

pub mod client;
pub mod server;

use md5::Md5;
use sha2::{Sha256, Sha512_256};

use super::small_text::SmallText;

/// The hash that a challenge names (RFC 8760 §2.3 adds the SHA-2 ones to SIP).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Hash {
    Md5,
    Sha512_256,
    Sha256,
}

impl Hash {
    fn of(self, parts: &[&[u8]]) -> HexText {
        fn run<D: sha2::Digest>(parts: &[&[u8]]) -> HexText {
            let mut hasher = D::new();
            for (index, part) in parts.iter().enumerate() {
                if index > 0 {
                    hasher.update(b":");
                }
                hasher.update(part);
            }
            HexText::of_bytes(&hasher.finalize())
        }
        match self {
            Self::Md5 => run::<Md5>(parts),
            Self::Sha256 => run::<Sha256>(parts),
            Self::Sha512_256 => run::<Sha512_256>(parts),
        }
    }
}

/// A value of the `algorithm` parameter. With `-sess`, the nonces are part of the first hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Algorithm {
    pub hash: Hash,
    pub session: bool,
}

impl Algorithm {
    pub const MD5: Self = Self { hash: Hash::Md5, session: false };
    pub const SHA256: Self = Self { hash: Hash::Sha256, session: false };

    /// Algorithm names compare without regard to case; `None` for one that we can't compute.
    pub fn parse(name: &str) -> Option<Self> {
        let (base, session) = match name.len().checked_sub(5).and_then(|at| name.split_at_checked(at)) {
            Some((base, tail)) if tail.eq_ignore_ascii_case("-sess") => (base, true),
            _ => (name, false),
        };
        let hash = [("MD5", Hash::Md5), ("SHA-256", Hash::Sha256), ("SHA-512-256", Hash::Sha512_256)]
            .into_iter()
            .find(|(known, _)| base.eq_ignore_ascii_case(known))?
            .1;
        Some(Self { hash, session })
    }

    /// As it is written in a header.
    pub fn name(self) -> &'static str {
        match (self.hash, self.session) {
            (Hash::Md5, false) => "MD5",
            (Hash::Md5, true) => "MD5-sess",
            (Hash::Sha256, false) => "SHA-256",
            (Hash::Sha256, true) => "SHA-256-sess",
            (Hash::Sha512_256, false) => "SHA-512-256",
            (Hash::Sha512_256, true) => "SHA-512-256-sess",
        }
    }
}

/// What goes into the `response` of RFC 7616 §3.4.1, each part as the octets that stand on the wire.
struct Response<'a> {
    algorithm: Algorithm,
    username: &'a str,
    realm: &'a str,
    password: &'a str,
    nonce: &'a str,
    /// `None`: the RFC 2069 form without `qop`.
    protection: Option<Protection<'a>>,
    method: &'a str,
    /// Hashed as it stands in the header, never re-printed.
    uri: &'a str,
}

/// `qop=auth` with what it adds.
struct Protection<'a> {
    nc: &'a str,
    cnonce: &'a str,
}

impl Response<'_> {
    fn compute(&self) -> HexText {
        let hash = self.algorithm.hash;
        let mut secret = hash.of(&[self.username.as_bytes(), self.realm.as_bytes(), self.password.as_bytes()]);
        let cnonce = self.protection.as_ref().map_or("", |p| p.cnonce);
        if self.algorithm.session {
            secret = hash.of(&[secret.as_bytes(), self.nonce.as_bytes(), cnonce.as_bytes()]);
        }
        let request = hash.of(&[self.method.as_bytes(), self.uri.as_bytes()]);
        match &self.protection {
            Some(p) => {
                hash.of(&[secret.as_bytes(), self.nonce.as_bytes(), p.nc.as_bytes(), p.cnonce.as_bytes(), b"auth", request.as_bytes()])
            }
            None => hash.of(&[secret.as_bytes(), self.nonce.as_bytes(), request.as_bytes()]),
        }
    }
}

/// A hash in hexadecimal digits, at most 256 bits of it.
type HexText = SmallText<64>;

/// A quoted-string (RFC 3261 §25.1). Controls can't be written in one and are left out.
fn push_quoted(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars().filter(|c| !c.is_control()) {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7616 §3.9.1, both algorithms, and the same with RFC 2069's form taken from RFC 2617 §5's errata.
    #[test]
    fn the_vectors_of_rfc_7616_hold() {
        let mut response = Response {
            algorithm: Algorithm::SHA256,
            username: "Mufasa",
            realm: "http-auth@example.org",
            password: "Circle of Life",
            nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
            protection: Some(Protection { nc: "00000001", cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ" }),
            method: "GET",
            uri: "/dir/index.html",
        };
        assert_eq!(&*response.compute(), "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
        response.algorithm = Algorithm::MD5;
        assert_eq!(&*response.compute(), "8ca523f5e9506fed4657c9700eebdbec");
    }

    #[test]
    fn the_vector_of_rfc_2617_holds() {
        let response = Response {
            algorithm: Algorithm::MD5,
            username: "Mufasa",
            realm: "testrealm@host.com",
            password: "Circle Of Life",
            nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093",
            protection: Some(Protection { nc: "00000001", cnonce: "0a4f113b" }),
            method: "GET",
            uri: "/dir/index.html",
        };
        assert_eq!(&*response.compute(), "6629fae49393a05397450978507c4ef1");
        let without_qop = Response { protection: None, ..response };
        assert_eq!(&*without_qop.compute(), "670fd8c2df070c60b045671b8b24ff02");
    }

    #[test]
    fn algorithm_names_compare_without_case() {
        assert_eq!(Algorithm::parse("sha-256"), Some(Algorithm::SHA256));
        assert_eq!(Algorithm::parse("md5-SESS"), Some(Algorithm { hash: Hash::Md5, session: true }));
        assert_eq!(Algorithm::parse("SHA-512-256").map(Algorithm::name), Some("SHA-512-256"));
        assert_eq!(Algorithm::parse("AKAv1-MD5"), None);
        assert_eq!(Algorithm::parse("é-ses"), None, "no cut inside a character");
    }
}
