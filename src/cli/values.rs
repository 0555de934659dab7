//! How single values are read from the command line, each with a sentence for what it cannot be.

use std::time::Duration;

use crate::{
    customer,
    model::{AudioSource, OnReturn, Outcome, TransportName, settings::Codec},
};

pub fn sip_uri(text: &str) -> Result<String, String> {
    let rest = text.split_once(':').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("sip")).map(|(_, rest)| rest);
    match rest {
        Some(rest) if !rest.is_empty() && !text.contains(char::is_whitespace) => Ok(text.to_owned()),
        _ if text.get(..5).is_some_and(|s| s.eq_ignore_ascii_case("sips:")) => {
            Err("TLS is not built yet, so sips: cannot be called".to_owned())
        }
        _ => Err("a SIP URI is wanted, for example sip:bridge@127.0.0.1:5060".to_owned()),
    }
}

pub fn name_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => {
            if text.contains(char::is_control) {
                return Err("control characters cannot be carried in a header".to_owned());
            }
            Ok((name.to_owned(), value.to_owned()))
        }
        _ => Err("NAME=VALUE is wanted".to_owned()),
    }
}

pub fn header(text: &str) -> Result<String, String> {
    customer::header_line(text).map(|_| text.to_owned())
}

pub fn transport(text: &str) -> Result<TransportName, String> {
    match text.to_ascii_lowercase().as_str() {
        "udp" => Ok(TransportName::Udp),
        "tcp" => Ok(TransportName::Tcp),
        "tls" => Err("TLS is not built yet; udp or tcp".to_owned()),
        _ => Err("udp or tcp".to_owned()),
    }
}

pub fn codec(text: &str) -> Result<Codec, String> {
    let found = Codec::ALL.into_iter().find(|codec| codec.name().eq_ignore_ascii_case(text));
    found.ok_or_else(|| format!("one of {}", Codec::ALL.map(Codec::name).join(", ")))
}

pub fn audio(text: &str) -> Result<AudioSource, String> {
    match text {
        "tone" => Ok(AudioSource::Tone),
        "silence" => Ok(AudioSource::Silence),
        "mic" if cfg!(feature = "console") => Ok(AudioSource::Microphone),
        "mic" => Err("this program was built without sound devices; tone, silence or a WAV file".to_owned()),
        file if file.to_ascii_lowercase().ends_with(".wav") => Ok(AudioSource::File(file.into())),
        _ => Err("mic, tone, silence or the name of a .wav file".to_owned()),
    }
}

pub fn digits(text: &str) -> Result<String, String> {
    let known = |c: char| c.is_ascii_digit() || matches!(c, '*' | '#' | 'A'..='D' | 'a'..='d');
    match text.chars().all(known) && (1..=32).contains(&text.len()) {
        true => Ok(text.to_ascii_uppercase()),
        false => Err("1 to 32 digits of 0-9 * # A-D".to_owned()),
    }
}

/// `2s`, `500ms`, `1m`; a bare number is seconds.
pub fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err("a time is wanted, for example 2s or 500ms".to_owned()),
    };
    digits
        .parse::<f64>()
        .ok()
        .map(|number| number * unit)
        .filter(|secs| (0.0..=86_400.0).contains(secs))
        .map(Duration::from_secs_f64)
        .ok_or_else(|| "a time between 0 and 24h is wanted, for example 2s or 500ms".to_owned())
}

pub fn on_return(text: &str) -> Result<OnReturn, String> {
    Ok(match text {
        "accept" => OnReturn::Accept,
        "refuse" => OnReturn::Refuse,
        "ignore" => OnReturn::Ignore,
        "accept-then-fail" => OnReturn::AcceptThenFail,
        _ => return Err("accept, refuse, ignore or accept-then-fail".to_owned()),
    })
}

pub fn outcome(text: &str) -> Result<Outcome, String> {
    match text {
        "AGENT" => Ok(Outcome::Agent),
        "SYSTEM" => Ok(Outcome::System),
        _ => Err("AGENT or SYSTEM".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_units() {
        assert_eq!(duration("2s"), Ok(Duration::from_secs(2)));
        assert_eq!(duration("1.5"), Ok(Duration::from_millis(1500)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("1m"), Ok(Duration::from_secs(60)));
        for wrong in ["", "s", "-1s", "2 weeks", "NaN", "inf", "1e9s", "2µs"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_uri_is_sip() {
        assert!(sip_uri("sip:a@b").is_ok());
        assert!(sip_uri("SIP:b").is_ok());
        for wrong in ["a@b", "sip:", "tel:+1", "sip:a b", "sips:a@b"] {
            assert!(sip_uri(wrong).is_err(), "{wrong}");
        }
    }
}
