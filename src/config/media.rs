//! `[media]`: the address and ports of RTP, and the codecs in order of preference.

use std::{net::IpAddr, ops::RangeInclusive};

use super::{
    fault::Faults,
    table::{Section, nearest},
};
use crate::model::settings::{Codec, Media, Sip};

pub fn read(mut section: Section<'_>, sip: &Sip, faults: &mut Faults<'_>) -> Media {
    let listens_on = sip.listen.first().map_or(IpAddr::from([127, 0, 0, 1]), |(_, address)| address.ip());
    let address = section.text("address", faults).map_or(listens_on, |(entry, text)| match text.parse::<IpAddr>() {
        Ok(address) => {
            if address.is_loopback() && sip.listen.iter().any(|(_, a)| !a.ip().is_loopback()) {
                faults.warn(
                    &entry.key,
                    &entry.span,
                    "is a loopback address, while sip.listen is reached from elsewhere: those callers will hear nothing",
                );
            }
            address
        }
        Err(_) => {
            entry.fault(format!("{text:?} is no IP address"), faults);
            listens_on
        }
    });
    let ports = section.text("ports", faults).map_or(DEFAULT_PORTS, |(entry, text)| {
        ports(text).unwrap_or_else(|why| {
            entry.fault(format!("{text:?}: {why}"), faults);
            DEFAULT_PORTS
        })
    });
    let mut codecs = vec![Codec::Pcmu, Codec::Pcma];
    if let Some(texts) = section.texts("codecs", faults) {
        codecs.clear();
        if texts.is_empty() {
            section.missing("codecs", "name at least one, for example \"PCMU\"", faults);
        }
        for (entry, text) in texts {
            match Codec::ALL.into_iter().find(|codec| codec.name().eq_ignore_ascii_case(text)) {
                Some(codec) => {
                    if codecs.contains(&codec) {
                        entry.fault(format!("{text} is listed twice"), faults);
                    }
                    codecs.push(codec);
                }
                None => entry.fault(
                    format!(
                        "{text:?} is no codec that can be had; the nearest is {:?}",
                        nearest(text, Codec::ALL.map(Codec::name).into_iter())
                    ),
                    faults,
                ),
            }
        }
    }
    section.finish(faults);
    Media { address, ports, codecs }
}

fn ports(text: &str) -> Result<RangeInclusive<u16>, &'static str> {
    const FORM: &str = "write two ports with a hyphen between, for example \"40000-49999\"";
    let (first, last) = text.split_once('-').ok_or(FORM)?;
    let port = |t: &str| t.trim().parse::<u16>().map_err(|_| FORM);
    let (first, last) = (port(first)?, port(last)?);
    if first < 1024 {
        return Err("ports below 1024 belong to the system");
    }
    // RTP takes an even port and RTCP the odd one above it.
    if first.next_multiple_of(2).checked_add(1).is_none_or(|odd| odd > last) {
        return Err("there is no even port with the odd one above it in this range");
    }
    Ok(first..=last)
}

const DEFAULT_PORTS: RangeInclusive<u16> = 40_000..=49_999;
