//! Why the call transfers API refuses (contract §4): one cause, one `code`, for ever.

use std::fmt;

/// What can be wrong. Its `code` in the answer is `STATUS-NN`; a number, once given, is never given to another cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    NotJson,
    TooDeep,
    RepeatedName,
    NotAnObject,
    Missing,
    Null,
    WrongType,
    TooShort,
    TooLong,
    ControlCharacter,
    NoneOfThoseListed,
    Pattern,
    NoKey,
    WrongKey,
    MayNotCreate,
    MayNotRead,
    NoSuchTransfer,
    NoSuchPath,
    WrongMethod,
    TooSlow,
    IdUsed,
    BodyTooLarge,
    NoReturnUri,
    CountryWithoutNumbers,
    UnknownCountry,
    BothSpellings,
    BadReturnUri,
    NoCountry,
    OnlyByBye,
    HalfACredential,
    UnsendableId,
    KeyTooFast,
    TooManyFailures,
    Draining,
    NoNumberFree,
    StoreUnavailable,
    Busy,
    Internal,
}

impl Cause {
    /// In the order of their codes.
    pub const ALL: [Self; 38] = [
        Self::NotJson,
        Self::TooDeep,
        Self::RepeatedName,
        Self::NotAnObject,
        Self::Missing,
        Self::Null,
        Self::WrongType,
        Self::TooShort,
        Self::TooLong,
        Self::ControlCharacter,
        Self::NoneOfThoseListed,
        Self::Pattern,
        Self::NoKey,
        Self::WrongKey,
        Self::MayNotCreate,
        Self::MayNotRead,
        Self::NoSuchTransfer,
        Self::NoSuchPath,
        Self::WrongMethod,
        Self::TooSlow,
        Self::IdUsed,
        Self::BodyTooLarge,
        Self::NoReturnUri,
        Self::CountryWithoutNumbers,
        Self::UnknownCountry,
        Self::BothSpellings,
        Self::BadReturnUri,
        Self::NoCountry,
        Self::OnlyByBye,
        Self::HalfACredential,
        Self::UnsendableId,
        Self::KeyTooFast,
        Self::TooManyFailures,
        Self::Draining,
        Self::NoNumberFree,
        Self::StoreUnavailable,
        Self::Busy,
        Self::Internal,
    ];

    /// The HTTP status.
    pub fn status(self) -> u16 {
        self.row().0
    }

    /// `STATUS-NN`
    pub fn code(self) -> String {
        let (status, number, _) = self.row();
        format!("{status}-{number:02}")
    }

    /// The cause in a few words, as the documentation has it.
    pub fn words(self) -> &'static str {
        self.row().2
    }

    /// The table of the documentation: status, number, what it means.
    fn row(self) -> (u16, u8, &'static str) {
        match self {
            Self::NotJson => (400, 1, "the body is not JSON"),
            Self::TooDeep => (400, 2, "nested deeper than 32"),
            Self::RepeatedName => (400, 3, "a name twice in one object"),
            Self::NotAnObject => (400, 4, "JSON, but not an object"),
            Self::Missing => (400, 5, "a field is missing"),
            Self::Null => (400, 6, "a field is null"),
            Self::WrongType => (400, 7, "a field is of another type"),
            Self::TooShort => (400, 8, "a text or a variable's name is empty"),
            Self::TooLong => (400, 9, "a text is too long"),
            Self::ControlCharacter => (400, 10, "a text holds a control character"),
            Self::NoneOfThoseListed => (400, 11, "a value is none of those listed"),
            Self::Pattern => (400, 12, "a text does not look as it must"),
            Self::NoKey => (401, 1, "asapp-api-id or asapp-api-secret is missing"),
            Self::WrongKey => (401, 2, "no such key, or not its secret"),
            Self::MayNotCreate => (403, 1, "this key may not create"),
            Self::MayNotRead => (403, 2, "this key may not read"),
            Self::NoSuchTransfer => (404, 1, "no call transfer has this id"),
            Self::NoSuchPath => (404, 2, "no such path"),
            Self::WrongMethod => (405, 1, "this path takes another method"),
            Self::TooSlow => (408, 1, "the body did not come in time, or not whole"),
            Self::IdUsed => (409, 1, "the id is used already"),
            Self::BodyTooLarge => (413, 1, "the body is over 64 KiB"),
            Self::NoReturnUri => (422, 1, "REFER or INVITE with no return URI"),
            Self::CountryWithoutNumbers => (422, 2, "no numbers for this country"),
            Self::UnknownCountry => (422, 3, "no country of ISO 3166"),
            Self::BothSpellings => (422, 4, "returnUri and returnURI, both"),
            Self::BadReturnUri => (422, 5, "the return URI is no sip: or sips: URI that can be returned to"),
            Self::NoCountry => (422, 6, "PHONE_NUMBER with no phoneNumber.country"),
            Self::OnlyByBye => (422, 7, "PHONE_NUMBER with a return by REFER or INVITE"),
            Self::HalfACredential => (422, 8, "a username with no password, or the other way round"),
            Self::UnsendableId => (422, 9, "SIP, and the id begins or ends with a space: no header can say it"),
            Self::KeyTooFast => (429, 1, "more requests a second than the key may make"),
            Self::TooManyFailures => (429, 2, "too many requests without a good key from this address"),
            Self::Draining => (503, 1, "the bridge is shutting down"),
            Self::NoNumberFree => (503, 2, "every number of the country is leased"),
            Self::StoreUnavailable => (503, 3, "the store can't be written or read now"),
            Self::Busy => (503, 4, "too many call transfers are being made, or wait for their calls"),
            Self::Internal => (500, 1, "something is wrong with the bridge; its log says what, beside the requestId"),
        }
    }
}

/// A refusal: its cause, and a message for whoever wrote the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiFault {
    pub cause: Cause,
    /// Names the field and what is allowed. Never repeats a value: it may be a secret in the wrong place.
    pub message: String,
}

impl ApiFault {
    pub fn new(cause: Cause, message: impl Into<String>) -> Self {
        Self { cause, message: message.into() }
    }
}

impl fmt::Display for ApiFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.cause.code(), self.message)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_cause_has_a_code_of_its_own_and_stands_in_the_readme() {
        let readme = include_str!("../../README.md");
        let codes: BTreeSet<String> = Cause::ALL.iter().map(|cause| cause.code()).collect();
        assert_eq!(codes.len(), Cause::ALL.len());
        for cause in Cause::ALL {
            let row = format!("| `{}` | {} |", cause.code(), cause.words());
            assert!(readme.contains(&row), "README.md lacks: {row}");
        }
    }

    #[test]
    fn numbers_of_a_status_have_no_gap() {
        for cause in Cause::ALL {
            let (status, number, _) = cause.row();
            assert!(number == 1 || Cause::ALL.iter().any(|other| other.row().0 == status && other.row().1 == number - 1), "{cause:?}");
        }
    }
}
