//! Status codes and their usual phrases (RFC 3261 §21); which codes exist is rsip's knowledge.

use std::fmt;

/// A status code, 100 to 699.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StatusCode(pub u16);

impl StatusCode {
    pub const TRYING: Self = Self(100);
    pub const RINGING: Self = Self(180);
    pub const SESSION_PROGRESS: Self = Self(183);
    pub const OK: Self = Self(200);
    pub const ACCEPTED: Self = Self(202);
    pub const MOVED_TEMPORARILY: Self = Self(302);
    pub const BAD_REQUEST: Self = Self(400);
    pub const UNAUTHORIZED: Self = Self(401);
    pub const FORBIDDEN: Self = Self(403);
    pub const NOT_FOUND: Self = Self(404);
    pub const METHOD_NOT_ALLOWED: Self = Self(405);
    pub const NOT_ACCEPTABLE: Self = Self(406);
    pub const PROXY_AUTHENTICATION_REQUIRED: Self = Self(407);
    pub const REQUEST_TIMEOUT: Self = Self(408);
    pub const GONE: Self = Self(410);
    pub const UNSUPPORTED_MEDIA_TYPE: Self = Self(415);
    pub const UNSUPPORTED_URI_SCHEME: Self = Self(416);
    pub const BAD_EXTENSION: Self = Self(420);
    pub const SESSION_INTERVAL_TOO_SMALL: Self = Self(422);
    pub const TEMPORARILY_UNAVAILABLE: Self = Self(480);
    pub const CALL_DOES_NOT_EXIST: Self = Self(481);
    pub const LOOP_DETECTED: Self = Self(482);
    pub const TOO_MANY_HOPS: Self = Self(483);
    pub const BUSY_HERE: Self = Self(486);
    pub const REQUEST_TERMINATED: Self = Self(487);
    pub const NOT_ACCEPTABLE_HERE: Self = Self(488);
    pub const BAD_EVENT: Self = Self(489);
    pub const REQUEST_PENDING: Self = Self(491);
    pub const SERVER_ERROR: Self = Self(500);
    pub const NOT_IMPLEMENTED: Self = Self(501);
    pub const SERVICE_UNAVAILABLE: Self = Self(503);
    pub const VERSION_NOT_SUPPORTED: Self = Self(505);
    pub const MESSAGE_TOO_LARGE: Self = Self(513);
    pub const DECLINE: Self = Self(603);

    /// 1 to 6.
    pub const fn class(self) -> u8 {
        (self.0 / 100) as u8
    }

    pub const fn is_provisional(self) -> bool {
        self.class() == 1
    }

    pub const fn is_success(self) -> bool {
        self.class() == 2
    }

    pub const fn is_final(self) -> bool {
        self.0 >= 200
    }

    /// The phrase of the RFC that defines the code; the class's own phrase for a code that nobody defined (§8.1.3.2).
    pub fn default_reason(self) -> &'static str {
        use rsip::StatusCode as Known;
        // rsip prints `486 BusyHere`: the words are its, the spelling is the RFCs'.
        match Known::from(self.0) {
            Known::Trying => "Trying",
            Known::Ringing => "Ringing",
            Known::CallIsBeingForwarded => "Call Is Being Forwarded",
            Known::Queued => "Queued",
            Known::SessionProgress => "Session Progress",
            Known::EarlyDialogTerminated => "Early Dialog Terminated",
            Known::OK => "OK",
            // rsip has 201 by this name; SIP's Accepted is 202 (RFC 3515) and comes below.
            Known::Accepted => "Created",
            Known::NoNotification => "No Notification",
            Known::MultipleChoices => "Multiple Choices",
            Known::MovedPermanently => "Moved Permanently",
            Known::MovedTemporarily => "Moved Temporarily",
            Known::UseProxy => "Use Proxy",
            Known::AlternativeService => "Alternative Service",
            Known::BadRequest => "Bad Request",
            Known::Unauthorized => "Unauthorized",
            Known::PaymentRequired => "Payment Required",
            Known::Forbidden => "Forbidden",
            Known::NotFound => "Not Found",
            Known::MethodNotAllowed => "Method Not Allowed",
            Known::NotAcceptable => "Not Acceptable",
            Known::ProxyAuthenticationRequired => "Proxy Authentication Required",
            Known::RequestTimeout => "Request Timeout",
            Known::Conflict => "Conflict",
            Known::Gone => "Gone",
            Known::LengthRequired => "Length Required",
            Known::ConditionalRequestFailed => "Conditional Request Failed",
            Known::RequestEntityTooLarge => "Request Entity Too Large",
            Known::RequestUriTooLong => "Request-URI Too Long",
            Known::UnsupportedMediaType => "Unsupported Media Type",
            Known::UnsupportedUriScheme => "Unsupported URI Scheme",
            Known::UnknownResourcePriority => "Unknown Resource-Priority",
            Known::BadExtension => "Bad Extension",
            Known::ExtensionRequired => "Extension Required",
            Known::SessionIntervalTooSmall => "Session Interval Too Small",
            Known::IntervalTooBrief => "Interval Too Brief",
            Known::BadLocationInformation => "Bad Location Information",
            Known::UseIdentityHeader => "Use Identity Header",
            Known::ProvideReferrerIdentity => "Provide Referrer Identity",
            Known::AnonymityDisallowed => "Anonymity Disallowed",
            Known::BadIdentityInfo => "Bad Identity-Info",
            Known::UnsupportedCertificate => "Unsupported Certificate",
            Known::InvalidIdentityHeader => "Invalid Identity Header",
            Known::FirstHopLacksOutboundSupport => "First Hop Lacks Outbound Support",
            Known::MaxBreadthExceeded => "Max-Breadth Exceeded",
            Known::BadInfoPackage => "Bad Info Package",
            Known::ConsentNeeded => "Consent Needed",
            Known::TemporarilyUnavailable => "Temporarily Unavailable",
            Known::CallTransactionDoesNotExist => "Call/Transaction Does Not Exist",
            Known::LoopDetected => "Loop Detected",
            Known::TooManyHops => "Too Many Hops",
            Known::AddressIncomplete => "Address Incomplete",
            Known::Ambiguous => "Ambiguous",
            Known::BusyHere => "Busy Here",
            Known::RequestTerminated => "Request Terminated",
            Known::NotAcceptableHere => "Not Acceptable Here",
            Known::BadEvent => "Bad Event",
            Known::RequestPending => "Request Pending",
            Known::Undecipherable => "Undecipherable",
            Known::SecurityAgreementRequired => "Security Agreement Required",
            Known::ServerInternalError => "Server Internal Error",
            Known::NotImplemented => "Not Implemented",
            Known::BadGateway => "Bad Gateway",
            Known::ServiceUnavailable => "Service Unavailable",
            Known::ServerTimeOut => "Server Time-out",
            Known::VersionNotSupported => "Version Not Supported",
            Known::MessageTooLarge => "Message Too Large",
            Known::PreconditionFailure => "Precondition Failure",
            Known::BusyEverywhere => "Busy Everywhere",
            Known::Decline => "Decline",
            Known::DoesNotExistAnywhere => "Does Not Exist Anywhere",
            Known::NotAcceptableGlobal => "Not Acceptable",
            Known::Unwanted => "Unwanted",
            Known::Other(202, _) => "Accepted",
            Known::Other(code, _) => match code / 100 {
                1 => "Session Progress",
                2 => "OK",
                3 => "Multiple Choices",
                4 => "Bad Request",
                5 => "Server Internal Error",
                _ => "Busy Everywhere",
            },
        }
    }
}

impl fmt::Display for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<u16> for StatusCode {
    fn from(code: u16) -> Self {
        Self(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_written_as_the_rfcs_write_them() {
        assert_eq!(StatusCode::BUSY_HERE.default_reason(), "Busy Here");
        assert_eq!(StatusCode::CALL_DOES_NOT_EXIST.default_reason(), "Call/Transaction Does Not Exist");
        assert_eq!(StatusCode::ACCEPTED.default_reason(), "Accepted");
        assert_eq!(StatusCode(499).default_reason(), "Bad Request");
    }
}
