//! Numbers, times and addresses as people read them, in exports and in the window.

use crate::model::{MediaFigures, Timestamp};

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

/// `<sip:a@b;x=y>` or `"A" <sip:a@b>` as `a@b`, `+1415…` for telephone numbers.
pub fn short_uri(uri: &str) -> &str {
    let uri = uri.split_once('<').map_or(uri, |(_, rest)| rest.split('>').next().unwrap_or(rest)).trim();
    let rest = ["sip:", "sips:", "tel:"].iter().find_map(|scheme| uri.strip_prefix(scheme)).unwrap_or(uri);
    rest.split([';', '?']).next().unwrap_or(rest)
}

/// `PCMU · 61.2 s · loss 0.0 % · jitter 1.8 ms`; without figures, that there was sound.
pub fn sound(figures: Option<&MediaFigures>, from: Timestamp, until: Timestamp) -> String {
    let secs = secs(from, until);
    let Some(figures) = figures else { return format!("sound · {secs}") };
    let expected = figures.packets_received + figures.packets_lost;
    let loss = if expected == 0 { 0.0 } else { 100.0 * figures.packets_lost as f64 / expected as f64 };
    format!("{} · {secs} · loss {loss:.1} % · jitter {:.1} ms", figures.codec, figures.jitter_ms)
}

/// `61.2 s`.
pub fn secs(from: Timestamp, until: Timestamp) -> String {
    format!("{:.1} s", until.micros_since(from) as f64 / 1e6)
}

/// An event is noted a moment after the messages that it causes have left; it stands above them all the same. `sent`: when
/// messages left, in order.
pub fn before_its_effect(at: Timestamp, mut sent: impl Iterator<Item = Timestamp>) -> Timestamp {
    let caused = sent.find(|sent| *sent <= at && at.micros_since(*sent) < EFFECT_US);
    caused.map_or(at, |sent| Timestamp(sent.0.saturating_sub(1)))
}

/// Well below any round trip, well above what handing an event on takes.
const EFFECT_US: u64 = 3_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_read_as_people_write_them() {
        assert_eq!([grouped(7), grouped(999), grouped(1_024), grouped(1_234_567)], ["7", "999", "1,024", "1,234,567"]);
        assert_eq!([length(41_900_000), length(725_000_000), length(3_723_000_000)], ["0:41", "12:05", "1:02:03"]);
        assert_eq!([since(400), since(12_345), since(61_330_000), since(725_000_000)], ["+0.4 ms", "+12 ms", "+61.33 s", "+12:05"]);
    }

    #[test]
    fn a_uri_is_shortened_to_what_tells_callers_apart() {
        assert_eq!(short_uri("\"Bell\" <sip:bell@sbc.example.com:5060;transport=tcp>;tag=1"), "bell@sbc.example.com:5060");
        assert_eq!(short_uri("tel:+14155550123"), "+14155550123");
    }

    #[test]
    fn an_event_stands_above_what_it_caused_and_not_above_what_left_long_before() {
        let sent = || [1_000u64, 9_500, 10_200].into_iter().map(Timestamp);
        assert_eq!(before_its_effect(Timestamp(10_000), sent()), Timestamp(9_499));
        assert_eq!(before_its_effect(Timestamp(9_000), sent()), Timestamp(9_000));
    }
}
