//! Reads a session description (RFC 8866 §5). Forgiving about order, line ends and unknown lines; the raw text stays beside it.

use std::net::{IpAddr, SocketAddr};

use crate::media::Direction;
use crate::sip::message::Text;

/// A session description, as far as a call needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionDescription {
    /// The text as it came.
    pub raw: Text,
    pub origin: Origin,
    /// The session's `c=`, for media that have none of their own.
    pub connection: Option<IpAddr>,
    /// `t=` as written: an answer repeats it (RFC 3264 §6).
    pub timing: Option<Text>,
    pub attributes: Vec<Attribute>,
    pub media: Vec<Media>,
}

/// The `o=` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    pub username: Text,
    pub session_id: Text,
    /// Rises with each change; not every peer counts in 64 bits, so it is kept as text.
    pub version: Text,
    pub address: Text,
}

/// An `m=` section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// `audio`, `video`, `image`, …
    pub kind: Text,
    /// 0: refused, or removed (RFC 3264 §6, §8.2).
    pub port: u16,
    /// `RTP/AVP`, `RTP/SAVP`, `udptl`, …
    pub protocol: Text,
    /// Payload types, or whatever the protocol has in their place.
    pub formats: Vec<Text>,
    /// Its own `c=`; None where it has none, or one that is no literal address.
    pub connection: Option<IpAddr>,
    /// It has a `c=` line that could not be used: the session's does not stand in for it.
    pub connection_unusable: bool,
    pub attributes: Vec<Attribute>,
}

/// `a=name` or `a=name:value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    pub name: Text,
    pub value: Option<Text>,
}

/// What a payload type stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format {
    pub payload_type: u8,
    /// `PCMU`, `telephone-event`, …
    pub encoding: Text,
    pub clock_rate: u32,
    pub channels: u8,
}

/// Why a text is no session description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SdpError {
    #[error("larger than 16 KiB")]
    TooLarge,
    #[error("it does not begin with v=0")]
    Version,
    #[error("no usable o= line")]
    Origin,
    #[error("a line that is not of the form x=…")]
    Line,
    #[error("an m= line that can not be read")]
    Media,
    #[error("a c= line that can not be read")]
    Connection,
    #[error("more than 32 m= lines or 512 attributes")]
    TooMuch,
}

const LARGEST: usize = 16 * 1024;
const MOST_MEDIA: usize = 32;
const MOST_ATTRIBUTES: usize = 512;

impl SessionDescription {
    pub fn parse(body: &[u8]) -> Result<Self, SdpError> {
        if body.len() > LARGEST {
            return Err(SdpError::TooLarge);
        }
        let raw = Text::lossy(bytes::Bytes::copy_from_slice(body));
        let mut lines = raw.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).filter(|line| !line.trim_ascii().is_empty());
        if lines.next().map(str::trim_end) != Some("v=0") {
            return Err(SdpError::Version);
        }
        let mut origin = None;
        let mut session =
            Self { raw: raw.clone(), origin: Origin::default(), connection: None, timing: None, attributes: Vec::new(), media: Vec::new() };
        let mut attributes = 0;
        for line in lines {
            let (kind, value) =
                line.split_at_checked(1).and_then(|(kind, rest)| Some((kind, rest.strip_prefix('=')?))).ok_or(SdpError::Line)?;
            match (kind, session.media.last_mut()) {
                ("o", None) if origin.is_none() => origin = Some(Origin::read(&raw, value)?),
                ("t", None) if session.timing.is_none() => session.timing = Some(raw.share(value.trim())),
                ("c", None) => session.connection = read_connection(value)?,
                // §5.7 allows several for layered multicast; the first counts.
                ("c", Some(media)) if media.connection.is_none() => {
                    media.connection = read_connection(value)?;
                    media.connection_unusable = media.connection.is_none();
                }
                ("m", _) => {
                    if session.media.len() == MOST_MEDIA {
                        return Err(SdpError::TooMuch);
                    }
                    session.media.push(Media::read(&raw, value)?);
                }
                ("a", media) => {
                    attributes += 1;
                    if attributes > MOST_ATTRIBUTES {
                        return Err(SdpError::TooMuch);
                    }
                    let attribute = Attribute::read(&raw, value);
                    media.map_or(&mut session.attributes, |media| &mut media.attributes).push(attribute);
                }
                // s, i, u, e, p, b, z, k, r and whatever comes: nothing that a call needs.
                _ => {}
            }
        }
        session.origin = origin.ok_or(SdpError::Origin)?;
        Ok(session)
    }

    /// The first attribute of this name at session level.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| &*attribute.name == name)
    }

    /// Where a section's RTP goes; None where it has no usable address.
    pub fn remote(&self, media: &Media) -> Option<SocketAddr> {
        let address = if media.connection_unusable { None } else { media.connection.or(self.connection) };
        address.map(|ip| SocketAddr::new(ip, media.port))
    }

    /// Where a section's RTCP goes: `a=rtcp` (RFC 3605), else None for the port above RTP's.
    pub fn remote_rtcp(&self, media: &Media) -> Option<SocketAddr> {
        let value = media.attribute("rtcp")?.value.as_deref()?;
        let (port, address) = value.split_once(' ').map_or((value, None), |(port, address)| (port, Some(address)));
        let port = port.trim().parse().ok().filter(|&port| port != 0)?;
        let ip = match address {
            Some(address) => read_connection(address).ok().flatten()?,
            None => self.remote(media)?.ip(),
        };
        Some(SocketAddr::new(ip, port))
    }

    /// A section's direction as the description's author means it (§6.7): its own attribute, the session's, or both ways.
    pub fn direction(&self, media: &Media) -> Direction {
        direction_in(&media.attributes).or_else(|| direction_in(&self.attributes)).unwrap_or(Direction::SendRecv)
    }
}

impl Media {
    /// The first attribute of this name.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| &*attribute.name == name)
    }

    /// The payload types in the order of preference, by `a=rtpmap` or by RFC 3551's table. Those that nobody explains are passed over.
    pub fn rtp_formats(&self) -> impl Iterator<Item = Format> {
        self.formats.iter().filter_map(|format| {
            let payload_type = format.parse::<u8>().ok().filter(|&pt| pt < 128)?;
            self.mapped(payload_type).or_else(|| static_format(payload_type))
        })
    }

    fn mapped(&self, payload_type: u8) -> Option<Format> {
        self.attributes.iter().filter(|attribute| &*attribute.name == "rtpmap").find_map(|attribute| {
            let value = attribute.value.as_ref()?;
            let (pt, mapping) = value.trim().split_once(' ')?;
            if pt.parse() != Ok(payload_type) {
                return None;
            }
            let mut parts = mapping.trim().split('/');
            let encoding = value.share(parts.next()?.trim());
            let clock_rate = parts.next()?.trim().parse().ok()?;
            let channels = parts.next().and_then(|channels| channels.trim().parse().ok()).unwrap_or(1);
            Some(Format { payload_type, encoding, clock_rate, channels })
        })
    }

    fn read(raw: &Text, value: &str) -> Result<Self, SdpError> {
        let mut words = value.split_ascii_whitespace();
        let (Some(kind), Some(port), Some(protocol)) = (words.next(), words.next(), words.next()) else { return Err(SdpError::Media) };
        // `49170/2`: that many ports; we use the first.
        let port = port.split('/').next().unwrap_or("");
        Ok(Self {
            kind: raw.share(kind),
            port: port.parse().map_err(|_| SdpError::Media)?,
            protocol: raw.share(protocol),
            formats: words.map(|format| raw.share(format)).collect(),
            connection: None,
            connection_unusable: false,
            attributes: Vec::new(),
        })
    }
}

impl Attribute {
    fn read(raw: &Text, value: &str) -> Self {
        match value.split_once(':') {
            Some((name, value)) => Self { name: raw.share(name.trim()), value: Some(raw.share(value.trim())) },
            None => Self { name: raw.share(value.trim()), value: None },
        }
    }
}

impl Origin {
    fn read(raw: &Text, value: &str) -> Result<Self, SdpError> {
        let words: Vec<&str> = value.split_ascii_whitespace().collect();
        match words[..] {
            [username, session_id, version, _net, _family, address] => Ok(Self {
                username: raw.share(username),
                session_id: raw.share(session_id),
                version: raw.share(version),
                address: raw.share(address),
            }),
            // Some leave the user name away, or put blanks into it.
            [session_id, version, _net, _family, address] | [.., session_id, version, _net, _family, address] => Ok(Self {
                username: Text::from_static("-"),
                session_id: raw.share(session_id),
                version: raw.share(version),
                address: raw.share(address),
            }),
            _ => Err(SdpError::Origin),
        }
    }
}

impl Default for Origin {
    fn default() -> Self {
        let [username, none, address] = ["-", "0", "0.0.0.0"].map(Text::from_static);
        Self { username, session_id: none.clone(), version: none, address }
    }
}

/// `IN IP4 192.0.2.1` (perhaps with `/ttl/count`). None where it names a host: nobody resolves names for media here.
fn read_connection(value: &str) -> Result<Option<IpAddr>, SdpError> {
    let mut words = value.split_ascii_whitespace();
    let (Some(net), Some(family), Some(address)) = (words.next(), words.next(), words.next()) else { return Err(SdpError::Connection) };
    if !net.eq_ignore_ascii_case("IN") || !(family.eq_ignore_ascii_case("IP4") || family.eq_ignore_ascii_case("IP6")) {
        return Ok(None);
    }
    // An IPv4 address in IPv6 clothes is the IPv4 address (RFC 5118 §4.9).
    Ok(address.split('/').next().and_then(crate::sip::message::parse_ip).map(|ip| ip.to_canonical()))
}

fn direction_in(attributes: &[Attribute]) -> Option<Direction> {
    attributes.iter().filter(|attribute| attribute.value.is_none()).find_map(|attribute| match &*attribute.name {
        "sendrecv" => Some(Direction::SendRecv),
        "sendonly" => Some(Direction::SendOnly),
        "recvonly" => Some(Direction::RecvOnly),
        "inactive" => Some(Direction::Inactive),
        _ => None,
    })
}

/// RFC 3551 §6, table 4: those that need no rtpmap and that we can name.
fn static_format(payload_type: u8) -> Option<Format> {
    let encoding = match payload_type {
        0 => "PCMU",
        3 => "GSM",
        4 => "G723",
        8 => "PCMA",
        9 => "G722",
        13 => "CN",
        18 => "G729",
        _ => return None,
    };
    Some(Format { payload_type, encoding: Text::from_static(encoding), clock_rate: 8000, channels: 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SBC: &str = "v=0\r\no=Sonus_UAC 21747 23742 IN IP4 198.51.100.4\r\ns=SIP Media Capabilities\r\nc=IN IP4 198.51.100.5\r\nt=0 0\r\n\
        m=audio 21034/1 RTP/AVP 18 96 0 8 101\r\na=rtpmap:96 opus/48000/2\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n\
        a=sendrecv\r\na=rtcp:21099\r\na=maxptime:20\r\nm=video 0 RTP/AVP 34\r\nc=IN IP6 2001:db8::1\r\na=inactive\r\n";

    #[test]
    fn a_real_body() {
        let sdp = SessionDescription::parse(SBC.as_bytes()).unwrap();
        assert_eq!(&*sdp.origin.version, "23742");
        let audio = &sdp.media[0];
        assert_eq!(sdp.remote(audio), "198.51.100.5:21034".parse().ok());
        assert_eq!(sdp.remote_rtcp(audio), "198.51.100.5:21099".parse().ok());
        assert_eq!(sdp.direction(audio), Direction::SendRecv);
        let formats: Vec<_> =
            audio.rtp_formats().map(|format| (format.payload_type, format.encoding.to_string(), format.clock_rate)).collect();
        assert_eq!(
            formats,
            [
                (18, "G729".into(), 8000),
                (96, "opus".into(), 48000),
                (0, "PCMU".into(), 8000),
                (8, "PCMA".into(), 8000),
                (101, "telephone-event".into(), 8000)
            ]
        );
        let video = &sdp.media[1];
        assert_eq!(sdp.remote(video), "[2001:db8::1]:0".parse().ok());
        assert_eq!(sdp.direction(video), Direction::Inactive);
        assert_eq!(&*sdp.raw, SBC);
    }

    #[test]
    fn untidy_bodies_are_read() {
        let lf = SBC.replace("\r\n", "\n");
        assert_eq!(SessionDescription::parse(lf.as_bytes()).unwrap().media.len(), 2);
        let no_user = "v=0\no=1 1 IN IP4 192.0.2.1\ns=\nm=audio 4000 RTP/AVP 0\nc=IN IP4 ::ffff:192.0.2.7\n";
        let sdp = SessionDescription::parse(no_user.as_bytes()).unwrap();
        assert_eq!(sdp.remote(&sdp.media[0]), "192.0.2.7:4000".parse().ok());
    }

    #[test]
    fn a_name_in_place_of_an_address_is_no_address() {
        let named = "v=0\no=- 1 1 IN IP4 h\ns=-\nc=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 0\nc=IN IP4 media.example.com\n";
        let sdp = SessionDescription::parse(named.as_bytes()).unwrap();
        assert_eq!(sdp.remote(&sdp.media[0]), None);
    }

    #[test]
    fn what_is_no_description() {
        for (text, why) in [
            ("", SdpError::Version),
            ("v=1\r\n", SdpError::Version),
            ("v=0\r\ns=-\r\n", SdpError::Origin),
            ("v=0\r\no=x\r\n", SdpError::Origin),
            ("v=0\r\nnonsense\r\n", SdpError::Line),
            ("v=0\r\no=- 1 1 IN IP4 h\r\nm=audio x RTP/AVP 0\r\n", SdpError::Media),
            ("v=0\r\no=- 1 1 IN IP4 h\r\nm=audio 70000 RTP/AVP 0\r\n", SdpError::Media),
            ("v=0\r\no=- 1 1 IN IP4 h\r\nm=audio\r\n", SdpError::Media),
            ("v=0\r\no=- 1 1 IN IP4 h\r\nc=x\r\n", SdpError::Connection),
        ] {
            assert_eq!(SessionDescription::parse(text.as_bytes()), Err(why), "{text:?}");
        }
        assert_eq!(SessionDescription::parse(&vec![b'v'; 17 * 1024]), Err(SdpError::TooLarge));
        let many = format!("v=0\no=- 1 1 IN IP4 h\n{}", "m=audio 1 RTP/AVP 0\n".repeat(33));
        assert_eq!(SessionDescription::parse(many.as_bytes()), Err(SdpError::TooMuch));
    }
}
