//! Header names (RFC 3261 §7.3.1, §20): recognised without regard to case, in full or compact.

use std::fmt;

macro_rules! header_names {
    ($($variant:ident = $canonical:literal $(/ $compact:literal)?,)*) => {
        /// A header field's name, where we know it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum HeaderName {
            $(#[doc = $canonical] $variant,)*
            /// Any name that is not in this table: `X-GA-*`, and everything we pass by.
            Other,
        }

        const CANONICAL: &[&str] = &[$($canonical,)*];
        const OPENING: &[&str] = &[$(concat!($canonical, ": "),)*];
        const ALL: &[HeaderName] = &[$(HeaderName::$variant,)*];

        impl HeaderName {
            /// The one-letter form, where one is registered.
            pub const fn compact(self) -> Option<char> {
                match self {
                    $($(Self::$variant => Some($compact),)?)*
                    _ => None,
                }
            }

            const fn from_compact(letter: char) -> Self {
                match letter {
                    $($($compact => Self::$variant,)?)*
                    _ => Self::Other,
                }
            }
        }
    };
}

header_names! {
    Via = "Via" / 'v',
    From = "From" / 'f',
    To = "To" / 't',
    CallId = "Call-ID" / 'i',
    CSeq = "CSeq",
    MaxForwards = "Max-Forwards",
    Contact = "Contact" / 'm',
    Route = "Route",
    RecordRoute = "Record-Route",
    ContentType = "Content-Type" / 'c',
    ContentLength = "Content-Length" / 'l',
    ContentEncoding = "Content-Encoding" / 'e',
    ContentDisposition = "Content-Disposition",
    ContentLanguage = "Content-Language",
    ContentId = "Content-ID",
    MimeVersion = "MIME-Version",
    ReferTo = "Refer-To" / 'r',
    ReferredBy = "Referred-By" / 'b',
    ReferSub = "Refer-Sub",
    Event = "Event" / 'o',
    AllowEvents = "Allow-Events" / 'u',
    SubscriptionState = "Subscription-State",
    Allow = "Allow",
    Supported = "Supported" / 'k',
    Require = "Require",
    ProxyRequire = "Proxy-Require",
    Unsupported = "Unsupported",
    SessionExpires = "Session-Expires" / 'x',
    MinSe = "Min-SE",
    RSeq = "RSeq",
    RAck = "RAck",
    WwwAuthenticate = "WWW-Authenticate",
    Authorization = "Authorization",
    ProxyAuthenticate = "Proxy-Authenticate",
    ProxyAuthorization = "Proxy-Authorization",
    AuthenticationInfo = "Authentication-Info",
    ProxyAuthenticationInfo = "Proxy-Authentication-Info",
    Reason = "Reason",
    RetryAfter = "Retry-After",
    Warning = "Warning",
    UserAgent = "User-Agent",
    Server = "Server",
    Accept = "Accept",
    AcceptEncoding = "Accept-Encoding",
    AcceptLanguage = "Accept-Language",
    AcceptContact = "Accept-Contact" / 'a',
    RejectContact = "Reject-Contact" / 'j',
    RequestDisposition = "Request-Disposition" / 'd',
    Date = "Date",
    Expires = "Expires",
    MinExpires = "Min-Expires",
    Timestamp = "Timestamp",
    Subject = "Subject" / 's',
    Organization = "Organization",
    Priority = "Priority",
    InReplyTo = "In-Reply-To",
    ReplyTo = "Reply-To",
    AlertInfo = "Alert-Info",
    CallInfo = "Call-Info",
    ErrorInfo = "Error-Info",
    Diversion = "Diversion",
    HistoryInfo = "History-Info",
    PAssertedIdentity = "P-Asserted-Identity",
    PPreferredIdentity = "P-Preferred-Identity",
    RemotePartyId = "Remote-Party-ID",
    Privacy = "Privacy",
    Identity = "Identity" / 'y',
    IdentityInfo = "Identity-Info" / 'n',
    Path = "Path",
    ServiceRoute = "Service-Route",
    Replaces = "Replaces",
    Join = "Join",
    TargetDialog = "Target-Dialog",
    AnswerMode = "Answer-Mode",
    InfoPackage = "Info-Package",
    RecvInfo = "Recv-Info",
    UserToUser = "User-to-User",
    SessionId = "Session-ID",
    SipETag = "SIP-ETag",
    SipIfMatch = "SIP-If-Match",
    Geolocation = "Geolocation",
}

impl HeaderName {
    /// How many there are.
    pub(super) const COUNT: usize = ALL.len() + 1;

    /// The name as the RFCs write it; empty for [`HeaderName::Other`].
    pub const fn canonical(self) -> &'static str {
        let index = self as usize;
        if index < CANONICAL.len() { CANONICAL[index] } else { "" }
    }

    /// The name with what stands between it and a value.
    pub(super) const fn opening(self) -> &'static str {
        let index = self as usize;
        if index < OPENING.len() { OPENING[index] } else { ": " }
    }

    /// Recognises a name.
    pub fn parse(name: &[u8]) -> Self {
        let first = match name {
            [] => return Self::Other,
            [letter] => return Self::from_compact((letter | 0x20) as char),
            // Private headers, the most frequent strangers: no name of ours begins so.
            [b'X' | b'x', b'-', ..] => return Self::Other,
            [first, ..] => first | 0x20,
        };
        if name.len() > LONGEST {
            return Self::Other;
        }
        // All names of one length stand together; few share their first letter too.
        let (start, end) = (BY_LENGTH.starts[name.len()] as usize, BY_LENGTH.starts[name.len() + 1] as usize);
        for &(letter, candidate, canonical) in &BY_LENGTH.names[start..end] {
            // As the RFCs write it, mostly.
            if letter == first && (canonical == name || canonical.eq_ignore_ascii_case(name)) {
                return candidate;
            }
        }
        Self::Other
    }

    /// One bit for each name, to note which are there.
    pub(super) const fn bit(self) -> (usize, u64) {
        (self as usize >> 6, 1 << (self as u8 & 63))
    }

    /// Whether a second header of this name makes a message malformed (§7.3.1: no list, so one only).
    pub const fn is_single(self) -> bool {
        matches!(
            self,
            Self::From | Self::To | Self::CallId | Self::CSeq | Self::MaxForwards | Self::ContentLength | Self::ContentType | Self::ReferTo
        )
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.canonical())
    }
}

const LONGEST: usize = 25;

struct ByLength {
    names: [(u8, HeaderName, &'static [u8]); ALL.len()],
    /// Where the names of a length begin.
    starts: [u8; LONGEST + 2],
}

static BY_LENGTH: ByLength = by_length();

const fn by_length() -> ByLength {
    let mut table = ByLength { names: [(0, HeaderName::Other, &[]); ALL.len()], starts: [0; LONGEST + 2] };
    let (mut length, mut filled) = (0, 0);
    while length <= LONGEST {
        table.starts[length] = filled as u8;
        let mut index = 0;
        while index < ALL.len() {
            let canonical = CANONICAL[index].as_bytes();
            if canonical.len() == length {
                table.names[filled] = (canonical[0] | 0x20, ALL[index], canonical);
                filled += 1;
            }
            index += 1;
        }
        length += 1;
    }
    table.starts[LONGEST + 1] = filled as u8;
    assert!(ALL.len() < 128, "a name has no bit of its own");
    assert!(filled == ALL.len(), "a name is longer than LONGEST");
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_in_any_case_and_compact() {
        for &name in ALL {
            assert_eq!(HeaderName::parse(name.canonical().as_bytes()), name);
            assert_eq!(HeaderName::parse(name.canonical().to_ascii_uppercase().as_bytes()), name);
            if let Some(letter) = name.compact() {
                assert_eq!(HeaderName::parse(letter.to_string().as_bytes()), name);
                assert_eq!(HeaderName::parse(letter.to_ascii_uppercase().to_string().as_bytes()), name);
            }
        }
    }

    #[test]
    fn strangers_are_other() {
        for name in ["", "X-GA-taskName", "Vi", "Viaa", "z", "a-name-that-is-longer-than-any-of-ours"] {
            assert_eq!(HeaderName::parse(name.as_bytes()), HeaderName::Other);
        }
    }
}
