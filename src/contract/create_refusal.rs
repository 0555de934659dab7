//! Why a call transfer is not made, and how the API says so.

use super::api_fault::{ApiFault, Cause};

/// Nothing is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CreateRefusal {
    #[error("this id is already used")]
    IdUsed,
    #[error("every number of this country is leased; the next lease ends in {retry_after_secs} s")]
    NoNumber { retry_after_secs: u64 },
    #[error("there are no numbers for this country")]
    NoPool,
    /// The disk is full or refuses.
    #[error("call transfers can't be kept now")]
    Unavailable,
    /// More are being made, or wait for their calls, than can be.
    #[error("too many call transfers are being made, or wait for their calls")]
    Busy,
}

impl CreateRefusal {
    /// The API's answer (contract §4: 409, 422, 503). `country` is the one that was asked for.
    pub fn fault(self, country: &str) -> ApiFault {
        match self {
            Self::IdUsed => {
                ApiFault::new(Cause::IdUsed, "id is used already, by an earlier call transfer: it must be a new one for each attempt")
            }
            Self::NoNumber { .. } => ApiFault::new(Cause::NoNumberFree, format!("Every number of {country} is leased")),
            Self::NoPool => ApiFault::new(Cause::CountryWithoutNumbers, format!("phoneNumber.country: there are no numbers for {country}")),
            Self::Unavailable => ApiFault::new(Cause::StoreUnavailable, "Call transfers can't be kept or looked up now"),
            Self::Busy => ApiFault::new(Cause::Busy, "Too many call transfers are being made, or wait for their calls"),
        }
    }

    /// When it may be worth trying again, in seconds; `None` where it never is.
    pub fn retry_after_secs(self) -> Option<u64> {
        match self {
            Self::IdUsed | Self::NoPool => None,
            Self::NoNumber { retry_after_secs } => Some(retry_after_secs),
            Self::Unavailable => Some(UNAVAILABLE_SECS),
            Self::Busy => Some(BUSY_SECS),
        }
    }
}

const UNAVAILABLE_SECS: u64 = 5;
const BUSY_SECS: u64 = 1;
