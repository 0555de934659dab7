//! Identities and wall time.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One call (transfer) of this program, unique over restarts; written as 13 characters of base 32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct CallId(pub u64);

/// One SIP leg within a call, numbered in the order in which legs appear: 0 is the customer leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LegId(pub u16);

/// Wall time in microseconds since the Unix epoch, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// Microseconds from `earlier` to `self`, 0 if it is not earlier.
    pub fn micros_since(self, earlier: Timestamp) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Crockford's base 32 in lower case: no i, l, o, u, so an id can be read out over the phone.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits: [u8; 13] = std::array::from_fn(|i| ALPHABET[(self.0 >> (60 - 5 * i) & 31) as usize]);
        f.write_str(std::str::from_utf8(&digits).unwrap_or_default())
    }
}

/// The text is not 13 characters of Crockford's base 32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a call id is 13 characters of 0-9 a-z without i, l, o, u")]
pub struct BadCallId;

impl FromStr for CallId {
    type Err = BadCallId;

    fn from_str(text: &str) -> Result<Self, BadCallId> {
        if text.len() != 13 {
            return Err(BadCallId);
        }
        text.bytes()
            .try_fold(0u64, |value, byte| {
                let digit = ALPHABET.iter().position(|&a| a == byte.to_ascii_lowercase())? as u64;
                (value >> 59 == 0).then_some(value << 5 | digit)
            })
            .map(CallId)
            .ok_or(BadCallId)
    }
}

impl Serialize for CallId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CallId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_id_is_read_back_as_written() {
        for value in [0, 1, 31, 32, 0x1234_5678_9abc_def0, u64::MAX] {
            assert_eq!(CallId(value).to_string().parse(), Ok(CallId(value)));
        }
        assert_eq!("".parse::<CallId>(), Err(BadCallId));
        assert_eq!("zzzzzzzzzzzzz".parse::<CallId>(), Err(BadCallId), "more than 64 bits");
    }
}
