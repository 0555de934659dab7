//! Numbers and times as people read them.

use jiff::tz::TimeZone;

use crate::model::Timestamp;

/// `1214` as `1,214`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Seconds as `0:41`, `12:05`, `1:02:03`.
pub fn length(micros: u64) -> String {
    let secs = micros / 1_000_000;
    let (hours, minutes, secs) = (secs / 3600, secs / 60 % 60, secs % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{secs:02}") } else { format!("{minutes}:{secs:02}") }
}

/// A distance on a time axis: `+0.4 ms`, `+12 ms`, `+61.33 s`.
pub fn since(micros: u64) -> String {
    match micros {
        0..50 => "+0 ms".to_owned(),
        50..10_000 => format!("+{:.1} ms", micros as f64 / 1_000.0),
        10_000..1_000_000 => format!("+{} ms", micros / 1_000),
        1_000_000..600_000_000 => format!("+{:.2} s", micros as f64 / 1_000_000.0),
        _ => format!("+{}", length(micros)),
    }
}

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

/// `<sip:a@b;x=y>` or `"A" <sip:a@b>` as `a@b`, `+1415…` for telephone numbers.
pub fn short_uri(uri: &str) -> &str {
    let uri = uri.split_once('<').map_or(uri, |(_, rest)| rest.split('>').next().unwrap_or(rest)).trim();
    let rest = ["sip:", "sips:", "tel:"].iter().find_map(|scheme| uri.strip_prefix(scheme)).unwrap_or(uri);
    rest.split([';', '?']).next().unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_read_as_people_write_them() {
        assert_eq!([grouped(7), grouped(1_024), grouped(1_234_567)], ["7", "1,024", "1,234,567"]);
        assert_eq!([length(41_900_000), length(725_000_000), length(3_723_000_000)], ["0:41", "12:05", "1:02:03"]);
        assert_eq!([since(400), since(12_345), since(61_330_000)], ["+0.4 ms", "+12 ms", "+61.33 s"]);
        let at = Timestamp(1_795_270_929_123_456);
        assert_eq!(clock(at, &TimeZone::UTC), "14:22:09");
        assert_eq!(exact_utc(at), "2026-11-21 14:22:09.123456 UTC");
    }

    #[test]
    fn a_uri_is_shortened_to_what_tells_callers_apart() {
        assert_eq!(short_uri("\"Bell\" <sip:bell@sbc.example.com:5060;transport=tcp>;tag=1"), "bell@sbc.example.com:5060");
        assert_eq!(short_uri("tel:+14155550123"), "+14155550123");
    }
}
