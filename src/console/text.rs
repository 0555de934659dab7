//! Times of day, and words as people read them; what exports write, too, comes from there.

use jiff::tz::TimeZone;

pub use crate::export::words::{grouped, length, short_uri, since};
use crate::model::Timestamp;

/// A local time of day.
pub fn clock(at: Timestamp, zone: &TimeZone) -> String {
    zoned(at, zone).map_or_else(String::new, |z| z.strftime("%H:%M:%S").to_string())
}

/// A local time of day to the millisecond.
pub fn clock_millis(at: Timestamp, zone: &TimeZone) -> String {
    zoned(at, zone).map_or_else(String::new, |z| z.strftime("%H:%M:%S%.3f").to_string())
}

/// The exact UTC, for a hover.
pub fn exact_utc(at: Timestamp) -> String {
    zoned(at, &TimeZone::UTC).map_or_else(String::new, |z| z.strftime("%Y-%m-%d %H:%M:%S%.6f UTC").to_string())
}

/// A time as the API writes it.
pub fn rfc3339(at: Timestamp) -> String {
    zoned(at, &TimeZone::UTC).map_or_else(String::new, |z| z.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
}

fn zoned(at: Timestamp, zone: &TimeZone) -> Option<jiff::Zoned> {
    let at = jiff::Timestamp::from_microsecond(i64::try_from(at.0).ok()?).ok()?;
    Some(at.to_zoned(zone.clone()))
}

/// One word in the singular or plural.
pub fn count(number: usize, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{} {many}", grouped(number as u64)) }
}

/// Words of a fault as a sentence of their own: the first letter is a capital.
pub fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day_are_local_and_exact_ones_are_utc() {
        let at = Timestamp(1_795_270_929_123_456);
        assert_eq!(clock(at, &TimeZone::UTC), "14:22:09");
        assert_eq!(exact_utc(at), "2026-11-21 14:22:09.123456 UTC");
    }
}
