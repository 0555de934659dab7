//! Addresses of From, To, Contact, Route and their kin (RFC 3261 §20.10, §25.1 `name-addr` and `addr-spec`).

use std::borrow::Cow;
use std::fmt;

use super::params::{Params, outside_quotes};
use super::text::{Text, quoted_end, split_at_byte, trim_lws, unquote};
use super::uri::{Uri, UriError};

/// `"Display" <uri>;params`, or a bare URI with parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameAddr {
    /// The display name, quotes and backslashes taken off.
    pub display: Option<Text>,
    pub uri: Uri,
    /// Written without angle brackets, so that what follows a semicolon is the header's (§20).
    pub bare: bool,
    params: Text,
}

/// Why a value is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameAddrError {
    #[error("a quoted string that never ends")]
    Quote,
    #[error("a display name that must be quoted")]
    Display,
    #[error("angle brackets that do not match")]
    Brackets,
    #[error("a URI with headers, commas or blanks outside of angle brackets")]
    Bare,
    #[error("text after the address that is no parameter")]
    Trailing,
    #[error("no valid URI: {0}")]
    Uri(#[from] UriError),
}

impl NameAddr {
    /// Reads an address out of a text of its own.
    pub fn parse(text: &str) -> Result<Self, NameAddrError> {
        Self::from_text(&Text::from(text))
    }

    /// Reads an address that goes on sharing the bytes it lies in.
    pub fn from_text(text: &Text) -> Result<Self, NameAddrError> {
        Self::read(text, false)
    }

    /// As [`NameAddr::parse`], for Refer-To (RFC 3515, RFC 8217): a URI outside of angle brackets keeps its parameters and headers.
    pub fn parse_refer_to(text: &str) -> Result<Self, NameAddrError> {
        Self::read(&Text::from(text), true)
    }

    /// The `tag` of From and To.
    pub fn tag(&self) -> Option<&str> {
        self.param("tag").filter(|tag| !tag.is_empty())
    }

    /// The first header parameter of this name, as written; `Some("")` for a flag.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params().find(name)
    }

    /// The header's parameters (those of the URI are [`Uri::params`]).
    pub fn params(&self) -> Params<'_> {
        Params::new(&self.params)
    }

    pub fn params_text(&self) -> &str {
        &self.params
    }

    /// The URI in an address, not looked at.
    pub(super) fn uri_text(text: &str) -> Option<&str> {
        Parts::of(text, false).ok().map(|parts| parts.uri)
    }

    /// Whether it is one; its header parameters. Nothing is kept.
    pub(super) fn check(text: &str) -> Result<Params<'_>, NameAddrError> {
        let parts = Parts::of(text, false)?;
        Uri::check(parts.uri)?;
        Ok(Params::new(parts.params))
    }

    fn read(text: &Text, bare_keeps_all: bool) -> Result<Self, NameAddrError> {
        let Parts { display, uri, bare, params } = Parts::of(text, bare_keeps_all)?;
        let display = display.map(|display| match display {
            Cow::Borrowed(part) => text.share(part),
            Cow::Owned(plain) => Text::from(plain),
        });
        Ok(Self { display, uri: Uri::from_text(text.share(uri))?, bare, params: text.share(params) })
    }
}

/// An address taken apart, its URI not read yet.
struct Parts<'a> {
    display: Option<Cow<'a, str>>,
    uri: &'a str,
    bare: bool,
    params: &'a str,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str, bare_keeps_all: bool) -> Result<Self, NameAddrError> {
        let whole = trim_lws(text);
        let (display, rest) = if whole.starts_with('"') {
            let end = quoted_end(whole).ok_or(NameAddrError::Quote)?;
            let (quoted, rest) = whole.split_at(end);
            let rest = trim_lws(rest);
            if !rest.starts_with('<') {
                return Err(NameAddrError::Brackets);
            }
            (Some(unquote(quoted)), &rest[1..])
        } else {
            match split_at_byte(whole, b'<') {
                None => return Self::of_bare(whole, bare_keeps_all),
                Some((display, rest)) => {
                    let display = trim_lws(display);
                    // §25.1 has tokens only here. What would change the meaning is refused; what is merely untidy is shown.
                    if display.bytes().any(|byte| matches!(byte, b',' | b';' | b':' | b'"' | b'>' | b'\\') || byte < b' ' && byte != b'\t')
                    {
                        return Err(NameAddrError::Display);
                    }
                    ((!display.is_empty()).then_some(Cow::Borrowed(display)), rest)
                }
            }
        };
        let (uri, params) = split_at_byte(rest, b'>').ok_or(NameAddrError::Brackets)?;
        let params = trim_lws(params);
        if !params.is_empty() && !params.starts_with(';') {
            return Err(NameAddrError::Trailing);
        }
        Ok(Self { display, uri, bare: false, params })
    }

    fn of_bare(whole: &'a str, keeps_all: bool) -> Result<Self, NameAddrError> {
        if keeps_all {
            return Ok(Self { display: None, uri: whole, bare: true, params: "" });
        }
        let (uri, params) = whole.split_at(outside_quotes(whole, b';'));
        let uri = trim_lws(uri);
        // §20: a URI with a comma, a question mark or a semicolon must stand in angle brackets.
        if uri.contains([',', '?', ' ', '\t']) {
            return Err(NameAddrError::Bare);
        }
        Ok(Self { display: None, uri, bare: true, params })
    }
}

impl fmt::Display for NameAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(display) = &self.display {
            write!(f, "{} ", super::text::quote(display))?;
        }
        write!(f, "<{}>{}", self.uri, self.params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(text: &str) -> NameAddr {
        NameAddr::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn quoted_display_names_hide_everything() {
        let addr = addr(r#""J Rosenberg \\\"; <x> tag=9" <sip:jdrosen@example.com;lr> ; tag = 98asjd8"#);
        assert_eq!(addr.display.as_deref(), Some(r#"J Rosenberg \"; <x> tag=9"#));
        assert_eq!(addr.uri.as_str(), "sip:jdrosen@example.com;lr");
        assert_eq!(addr.tag(), Some("98asjd8"));
        assert_eq!(addr.uri.param("tag"), None);
    }

    #[test]
    fn no_blank_is_needed_before_the_bracket() {
        let addr = addr("caller<sip:caller@example.com>;tag=323");
        assert_eq!((addr.display.as_deref(), addr.tag()), (Some("caller"), Some("323")));
        assert_eq!(self::addr("<sip:a@b>").display, None);
    }

    #[test]
    fn bare_parameters_belong_to_the_header() {
        let addr = addr("sip:a@b;tag=1");
        assert_eq!((addr.uri.as_str(), addr.tag(), addr.bare), ("sip:a@b", Some("1"), true));
    }

    #[test]
    fn refer_to_without_brackets_keeps_its_payload() {
        let addr = NameAddr::parse_refer_to("sip:return@sbc.example.com;transport=tcp?X-GA-transfer=SYSTEM&X-GA-tv-a=b").unwrap();
        assert!(addr.bare);
        assert_eq!(addr.uri.headers().count(), 2);
        assert_eq!(addr.uri.param("transport"), Some("tcp"));
    }

    #[test]
    fn what_is_no_address() {
        for (text, why) in [
            (r#""Mr. J. User <sip:j.user@example.com>"#, NameAddrError::Quote),
            (r#""a" sip:b@c"#, NameAddrError::Brackets),
            ("Bell, Alexander <sip:a.g.bell@example.com>;tag=43", NameAddrError::Display),
            ("< sip:t.watson@example.org >", NameAddrError::Uri(UriError::Scheme)),
            ("<sip:a@b", NameAddrError::Brackets),
            ("<sip:a@b> x", NameAddrError::Trailing),
            ("sip:user@example.com?Route=%3Csip:sip.example.com%3E", NameAddrError::Bare),
            ("", NameAddrError::Uri(UriError::Scheme)),
            ("<>", NameAddrError::Uri(UriError::Scheme)),
        ] {
            assert_eq!(NameAddr::parse(text), Err(why), "{text}");
        }
    }

    #[test]
    fn printing_quotes_the_display_name() {
        assert_eq!(addr("A B <sip:a@b>;tag=1").to_string(), r#""A B" <sip:a@b>;tag=1"#);
    }
}
