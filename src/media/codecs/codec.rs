//! The codecs by name, number and clock.

use super::g711::Law;

/// What the samples of a stream are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Codec {
    /// G.711 µ-law.
    #[default]
    Pcmu,
    /// G.711 A-law.
    Pcma,
    /// G.722 at 64 kbit/s: 16,000 samples a second under an RTP clock of 8,000 Hz.
    G722,
    /// Opus (RFC 6716, RFC 7587), mono.
    Opus,
}

impl Codec {
    /// In order of preference where nobody has one.
    pub const ALL: [Codec; 4] = [Codec::Opus, Codec::G722, Codec::Pcmu, Codec::Pcma];

    /// The name in `a=rtpmap` (RFC 3551 §6, RFC 7587 §7).
    pub const fn name(self) -> &'static str {
        match self {
            Codec::Pcmu => "PCMU",
            Codec::Pcma => "PCMA",
            Codec::G722 => "G722",
            Codec::Opus => "opus",
        }
    }

    /// By the name in `a=rtpmap`, in any case.
    pub fn by_name(name: &str) -> Option<Codec> {
        Codec::ALL.into_iter().find(|codec| codec.name().eq_ignore_ascii_case(name))
    }

    /// The payload type: static (RFC 3551 table 4), or what most use for it.
    pub const fn usual_pt(self) -> u8 {
        match self {
            Codec::Pcmu => 0,
            Codec::Pcma => 8,
            Codec::G722 => 9,
            Codec::Opus => 111,
        }
    }

    /// By the static payload type.
    pub const fn by_static_pt(pt: u8) -> Option<Codec> {
        match pt {
            0 => Some(Codec::Pcmu),
            8 => Some(Codec::Pcma),
            9 => Some(Codec::G722),
            _ => None,
        }
    }

    /// RTP timestamp units a second, as in `a=rtpmap`. G.722's is half its sampling rate, by an old mistake (RFC 3551 §4.5.2).
    pub const fn clock_rate(self) -> u32 {
        match self {
            Codec::Pcmu | Codec::Pcma | Codec::G722 => 8_000,
            Codec::Opus => 48_000,
        }
    }

    /// Samples a second that go in and come out.
    pub const fn sample_rate(self) -> u32 {
        match self {
            Codec::Pcmu | Codec::Pcma => 8_000,
            Codec::G722 => 16_000,
            Codec::Opus => 48_000,
        }
    }

    /// As `a=rtpmap` must have it. Opus is always announced with two, whatever is sent (RFC 7587 §7).
    pub const fn announced_channels(self) -> u8 {
        match self {
            Codec::Pcmu | Codec::Pcma | Codec::G722 => 1,
            Codec::Opus => 2,
        }
    }

    /// The length of a packet where `wanted` milliseconds are asked for: Opus has no frames of 30 and 50 ms.
    pub const fn packet_ms(self, wanted: u16) -> u16 {
        match (self, wanted) {
            (_, 0) => 20,
            (Codec::Opus, 30 | 50) => wanted - 10,
            (_, 1..10) => 10,
            (_, 61..) => 60,
            (_, _) => wanted - wanted % 10,
        }
    }

    /// Which law, of G.711.
    pub const fn law(self) -> Option<Law> {
        match self {
            Codec::Pcmu => Some(Law::Mu),
            Codec::Pcma => Some(Law::A),
            Codec::G722 | Codec::Opus => None,
        }
    }
}
