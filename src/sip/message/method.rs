//! Methods (RFC 3261 §7.1 and its extensions): the words are rsip's, any other token is kept as it came.

use std::fmt;

/// A request method. Case-sensitive: `invite` is a method that nobody knows (§7.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Method {
    Known(rsip::Method),
    Other(Box<str>),
}

impl Method {
    pub const ACK: Self = Self::Known(rsip::Method::Ack);
    pub const BYE: Self = Self::Known(rsip::Method::Bye);
    pub const CANCEL: Self = Self::Known(rsip::Method::Cancel);
    pub const INFO: Self = Self::Known(rsip::Method::Info);
    pub const INVITE: Self = Self::Known(rsip::Method::Invite);
    pub const MESSAGE: Self = Self::Known(rsip::Method::Message);
    pub const NOTIFY: Self = Self::Known(rsip::Method::Notify);
    pub const OPTIONS: Self = Self::Known(rsip::Method::Options);
    pub const PRACK: Self = Self::Known(rsip::Method::PRack);
    pub const PUBLISH: Self = Self::Known(rsip::Method::Publish);
    pub const REFER: Self = Self::Known(rsip::Method::Refer);
    pub const REGISTER: Self = Self::Known(rsip::Method::Register);
    pub const SUBSCRIBE: Self = Self::Known(rsip::Method::Subscribe);
    pub const UPDATE: Self = Self::Known(rsip::Method::Update);

    /// The method as it stands on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(known) => known_str(*known),
            Self::Other(text) => text,
        }
    }

    /// Reads a method; None when it is not a token.
    pub fn parse(text: &[u8]) -> Option<Self> {
        use rsip::Method::*;
        let known = match text {
            b"ACK" => Ack,
            b"BYE" => Bye,
            b"CANCEL" => Cancel,
            b"INFO" => Info,
            b"INVITE" => Invite,
            b"MESSAGE" => Message,
            b"NOTIFY" => Notify,
            b"OPTIONS" => Options,
            b"PRACK" => PRack,
            b"PUBLISH" => Publish,
            b"REFER" => Refer,
            b"REGISTER" => Register,
            b"SUBSCRIBE" => Subscribe,
            b"UPDATE" => Update,
            other => {
                let text = std::str::from_utf8(other).ok().filter(|text| super::text::is_token(text.as_bytes()))?;
                return Some(Self::Other(text.into()));
            }
        };
        Some(Self::Known(known))
    }

    /// Whether a 2xx to it makes a dialog (§12, RFC 3515, RFC 6665).
    pub fn forms_dialog(&self) -> bool {
        matches!(*self, Self::INVITE | Self::SUBSCRIBE | Self::REFER)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PartialEq<str> for Method {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

const fn known_str(known: rsip::Method) -> &'static str {
    use rsip::Method::*;
    match known {
        Ack => "ACK",
        Bye => "BYE",
        Cancel => "CANCEL",
        Info => "INFO",
        Invite => "INVITE",
        Message => "MESSAGE",
        Notify => "NOTIFY",
        Options => "OPTIONS",
        PRack => "PRACK",
        Publish => "PUBLISH",
        Refer => "REFER",
        Register => "REGISTER",
        Subscribe => "SUBSCRIBE",
        Update => "UPDATE",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_case_sensitive() {
        assert_eq!(Method::parse(b"INVITE"), Some(Method::INVITE));
        assert_eq!(Method::parse(b"invite"), Some(Method::Other("invite".into())));
        assert_eq!(Method::parse(b"IN VITE"), None);
        assert_eq!(Method::parse(b""), None);
    }

    #[test]
    fn constants_serve_as_patterns() {
        assert!(matches!(Method::parse(b"BYE"), Some(Method::BYE)));
        assert!(!matches!(Method::parse(b"BYE!"), Some(Method::BYE)));
    }
}
