//! A certificate's clock and its names (RFC 5280 §4.1.2.5, RFC 5922 §7).

use crate::model::{Finding, Party, Severity, Timestamp};

/// What is asked of a certificate, however it was read.
#[derive(Debug, Clone)]
pub struct Certificate<'a> {
    /// Whose it is: the bridge's own, or the far side's.
    pub side: Party,
    pub subject: &'a str,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    /// DNS names and addresses of its subjectAltName; URIs (`sip:example.com`) by their host.
    pub names: &'a [String],
    /// The host of the URI that it is to stand for, where one was called.
    pub host: Option<&'a str>,
}

/// Whether it holds now, and for whom it is taken.
pub fn of_certificate(certificate: &Certificate<'_>, now: Timestamp) -> Vec<Finding> {
    let clock = expired(certificate, now).or_else(|| not_yet_valid(certificate, now)).or_else(|| ends_soon(certificate, now));
    clock.into_iter().chain(names_another(certificate)).collect()
}

fn expired(certificate: &Certificate<'_>, now: Timestamp) -> Option<Finding> {
    (now > certificate.not_after).then(|| {
        Finding::new(
            "certificate-expired",
            Severity::Error,
            certificate.side,
            format!("{}: expired {} days ago", certificate.subject, days(now.micros_since(certificate.not_after))),
            "After its last day a certificate proves nothing (RFC 5280 §4.1.2.5), and TLS is refused",
            "Renew the certificate; if its dates are right, set this machine's clock by NTP",
        )
    })
}

fn not_yet_valid(certificate: &Certificate<'_>, now: Timestamp) -> Option<Finding> {
    (now < certificate.not_before).then(|| {
        let ahead = certificate.not_before.micros_since(now);
        Finding::new(
            "certificate-not-yet-valid",
            Severity::Error,
            certificate.side,
            format!("{}: valid only in {} hours by this machine's clock", certificate.subject, ahead.div_ceil(HOUR)),
            "Before its first day a certificate proves nothing (RFC 5280 §4.1.2.5), and TLS is refused; most often a clock is wrong",
            "Set this machine's clock, and the one that made the certificate, by NTP",
        )
    })
}

fn ends_soon(certificate: &Certificate<'_>, now: Timestamp) -> Option<Finding> {
    let left = days(certificate.not_after.micros_since(now));
    (left < 14).then(|| {
        Finding::new(
            "certificate-ends-soon",
            Severity::Warning,
            certificate.side,
            format!("{}: valid for {left} days more", certificate.subject),
            "On the day after its last every TLS connection is refused (RFC 5280 §4.1.2.5)",
            "Renew the certificate now",
        )
    })
}

/// RFC 5922 §7.2: one of the names is the URI's domain, letter for letter; SIP knows no wildcards.
fn names_another(certificate: &Certificate<'_>) -> Option<Finding> {
    let host = certificate.host?;
    let same = |name: &String| name.trim_end_matches('.').eq_ignore_ascii_case(host.trim_end_matches('.'));
    (!certificate.names.iter().any(same)).then(|| {
        Finding::new(
            "certificate-for-another-name",
            Severity::Error,
            certificate.side,
            format!(
                "called {host}; the certificate is for {}",
                if certificate.names.is_empty() { "no name".to_owned() } else { certificate.names.join(", ") }
            ),
            "The URI's domain is among the certificate's names, letter for letter and without wildcards (RFC 5922 §7.2)",
            "",
        )
        .cured_by(format!("Put {host} into the certificate's subjectAltName, or call a name that it holds"))
    })
}

fn days(micros: u64) -> u64 {
    micros / (24 * HOUR)
}

const HOUR: u64 = 3_600_000_000;
