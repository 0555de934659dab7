//! The colours of a drawn ladder: those of the window, dark and light.

use super::Side;
use crate::model::LegRole;

/// Dark or light.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Theme {
    Dark,
    /// For documents, mostly printed on white.
    #[default]
    Light,
}

/// One theme's colours, as 0xRRGGBB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Palette {
    pub panel: u32,
    pub line: u32,
    pub text: u32,
    pub text_soft: u32,
    pub text_faint: u32,
    pub customer: u32,
    pub agent: u32,
    pub returned: u32,
    pub good: u32,
    pub warn: u32,
    pub wrong: u32,
}

pub const DARK: Palette = Palette {
    panel: 0x15_1a20,
    line: 0x2a_333e,
    text: 0xe8_edf2,
    text_soft: 0xaa_b6c3,
    text_faint: 0x6f_7d8c,
    customer: 0x58_a6ff,
    agent: 0xb4_8cf2,
    returned: 0xf0_a35e,
    good: 0x4c_c38a,
    warn: 0xe9_b949,
    wrong: 0xef_6a6a,
};

pub const LIGHT: Palette = Palette {
    panel: 0xff_ffff,
    line: 0xd5_dce3,
    text: 0x16_1c23,
    text_soft: 0x43_505d,
    text_faint: 0x66_737f,
    customer: 0x15_65c9,
    agent: 0x77_41c4,
    returned: 0xa8_5409,
    good: 0x15_7347,
    warn: 0x8a_6100,
    wrong: 0xc0_3030,
};

impl Theme {
    pub fn palette(self) -> &'static Palette {
        match self {
            Self::Dark => &DARK,
            Self::Light => &LIGHT,
        }
    }
}

impl Palette {
    pub(super) fn side(&self, side: Side) -> u32 {
        match side {
            Side::Of(LegRole::Customer) => self.customer,
            Side::Of(LegRole::Agent) => self.agent,
            Side::Of(LegRole::Return) => self.returned,
            Side::Bridge => self.text,
            Side::Elsewhere => self.text_soft,
        }
    }

    /// `colour` over the panel, by that strength. Mixed here, so that no reader has to know about opacity.
    pub(super) fn wash(&self, colour: u32, strength: f32) -> u32 {
        let [_, r, g, b] = colour.to_be_bytes();
        let [_, pr, pg, pb] = self.panel.to_be_bytes();
        let mix = |over: u8, under: u8| (f32::from(over) * strength + f32::from(under) * (1.0 - strength)).round() as u8;
        u32::from_be_bytes([0, mix(r, pr), mix(g, pg), mix(b, pb)])
    }
}
