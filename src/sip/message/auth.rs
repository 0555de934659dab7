//! Challenges and credentials taken apart (RFC 3261 §20.7, §20.44, RFC 7235 §2.1). What they mean is digest's business.

use std::borrow::Cow;

use super::fields::Fields;
use super::header_name::HeaderName;
use super::params::outside_quotes;
use super::text::{is_token, split_at_byte, trim_lws, unquote};

/// One challenge, or one set of credentials: a scheme and its parameters.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthValue<'a> {
    /// As written: compare without regard to case, or ask [`AuthValue::is_digest`].
    pub scheme: Cow<'a, str>,
    params: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> AuthValue<'a> {
    /// All challenges or credentials of one header value. A challenge's parameters and the next challenge are both set apart by
    /// commas: a new one begins where a word stands alone before a parameter (`…, Basic realm="x"`).
    pub fn parse_list(value: &'a str) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        let mut rest = value;
        while !rest.is_empty() {
            let (item, tail) = rest.split_at(outside_quotes(rest, b','));
            rest = tail.get(1..).unwrap_or("");
            let item = trim_lws(item);
            let word_end = item.bytes().position(|byte| matches!(byte, b' ' | b'\t' | b'=' | b'"')).unwrap_or(item.len());
            let (word, after) = item.split_at(word_end);
            let after = trim_lws(after);
            let param = match after.strip_prefix('=') {
                Some(content) => Some((word, content)),
                None if is_token(word.as_bytes()) => {
                    all.push(Self { scheme: Cow::Borrowed(word), params: Vec::with_capacity(USUAL_PARAMS) });
                    split_at_byte(after, b'=')
                }
                None => split_at_byte(item, b'='),
            };
            // A parameter before any scheme, or what is no parameter at all (a `token68`), is nobody's.
            let (Some(value), Some((name, content))) = (all.last_mut(), param) else { continue };
            let (name, content) = (trim_lws(name), trim_lws(content));
            if is_token(name.as_bytes()) && !content.starts_with('=') {
                value.params.push((Cow::Borrowed(name), unquote(content)));
            }
        }
        all
    }

    /// As [`AuthValue::parse_list`], of a value that does not outlive the reading.
    fn parse_owned(value: &str) -> Vec<AuthValue<'static>> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        AuthValue::parse_list(value)
            .into_iter()
            .map(|AuthValue { scheme, params }| AuthValue {
                scheme: own(scheme),
                params: params.into_iter().map(|(name, value)| (own(name), own(value))).collect(),
            })
            .collect()
    }

    pub fn is_digest(&self) -> bool {
        self.scheme.eq_ignore_ascii_case("Digest")
    }

    /// The first parameter of this name (compared without regard to case), quotes taken off.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// All parameters in their order, quotes taken off.
    pub fn params(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        self.params.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Whether a parameter stands twice: which one counts would be the reader's guess.
    pub fn has_duplicates(&self) -> bool {
        self.params
            .iter()
            .enumerate()
            .any(|(index, (name, _))| self.params[..index].iter().any(|(other, _)| other.eq_ignore_ascii_case(name)))
    }
}

impl Fields {
    /// The challenges or credentials of all headers of this name, in wire order.
    pub fn auth(&self, name: HeaderName) -> impl Iterator<Item = AuthValue<'_>> {
        self.texts(name).flat_map(|value| match value {
            Cow::Borrowed(value) => AuthValue::parse_list(value),
            Cow::Owned(value) => AuthValue::parse_owned(&value),
        })
    }
}

impl std::fmt::Debug for AuthValue<'_> {
    /// Names only: the values are secrets, or lead to them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.scheme)?;
        self.params.iter().try_for_each(|(name, _)| write!(f, " {name}=…"))
    }
}

/// As many as credentials usually have.
const USUAL_PARAMS: usize = 9;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_challenges_in_one_value() {
        let all = AuthValue::parse_list(
            r#"Digest realm="a, b", nonce="x\"y=", algorithm=SHA-256 , qop="auth,auth-int",  digest  REALM = "c", stale=TRUE,Basic realm="d", NTLM"#,
        );
        assert_eq!(all.iter().map(|value| &*value.scheme).collect::<Vec<_>>(), ["Digest", "digest", "Basic", "NTLM"]);
        assert!(all[1].is_digest());
        assert_eq!(all[0].param("Realm"), Some("a, b"));
        assert_eq!(all[0].param("nonce"), Some("x\"y="));
        assert_eq!(all[0].param("qop"), Some("auth,auth-int"));
        assert_eq!(all[1].params().collect::<Vec<_>>(), [("REALM", "c"), ("stale", "TRUE")]);
        assert_eq!(all[3].params().count(), 0);
    }

    #[test]
    fn credentials_keep_the_raw_uri() {
        let all = AuthValue::parse_list(r#"Digest username="bob",uri="sip:a@b;x=1?y=%20,z",response="00",nc=00000010,nc=1"#);
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].param("uri"), Some("sip:a@b;x=1?y=%20,z"));
        assert_eq!(all[0].param("nc"), Some("00000010"));
        assert!(all[0].has_duplicates());
    }

    #[test]
    fn rubbish_is_passed_over() {
        for text in ["", ",,,", "=", "a=b", "\"", "Digest", "Digest =", "Digest \"x", "NoOneKnowsThisScheme opaque-data=here", "\u{fc} x=y"]
        {
            let _ = AuthValue::parse_list(text);
        }
        assert!(AuthValue::parse_list("a=b").is_empty());
        assert_eq!(AuthValue::parse_list("Basic QWxhZGRpbg==")[0].params().count(), 0);
    }
}
