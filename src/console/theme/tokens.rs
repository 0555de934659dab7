//! Colours, spacing and radii by name, dark and light. What is not here does not exist on screen.

use eframe::egui::{Color32, CornerRadius, Ui, Visuals};

/// One theme's colours. Both themes have the same names.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tokens {
    pub background: Color32,
    pub panel: Color32,
    pub raised: Color32,
    /// Controls at rest, and what the pointer is over.
    pub control: Color32,
    pub control_hover: Color32,
    pub line: Color32,
    /// The selected row.
    pub selected: Color32,
    pub text: Color32,
    pub text_soft: Color32,
    pub text_faint: Color32,
    pub customer: Color32,
    pub agent: Color32,
    pub returned: Color32,
    pub good: Color32,
    pub warn: Color32,
    pub wrong: Color32,
    pub accent: Color32,
    /// Text on a filled accent or wrong button.
    pub on_fill: Color32,
}

/// Whose leg: the colour that goes with it everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leg {
    Customer,
    Agent,
    Return,
    /// Our own side.
    Bridge,
}

/// What a coloured word means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    #[default]
    Plain,
    Soft,
    Faint,
    Good,
    Warn,
    Wrong,
    Accent,
    Of(Leg),
}

/// Distances: 4, 8, 12, 16.
pub struct Space;

impl Space {
    pub const XS: f32 = 4.0;
    pub const S: f32 = 8.0;
    pub const M: f32 = 12.0;
    pub const L: f32 = 16.0;
    /// A table row.
    pub const ROW: f32 = 26.0;
    pub const RAIL: f32 = 60.0;
    pub const TOP: f32 = 44.0;
    pub const STATUS: f32 = 24.0;
}

/// Corners: 6 for controls, 8 for cards, 10 for pills.
pub struct Radius;

impl Radius {
    pub const CONTROL: CornerRadius = CornerRadius::same(6);
    pub const CARD: CornerRadius = CornerRadius::same(8);
    pub const PILL: CornerRadius = CornerRadius::same(10);
}

impl Tokens {
    /// The tokens of the theme that `ui` is painted in.
    pub fn of(ui: &Ui) -> &'static Tokens {
        Self::for_visuals(ui.visuals())
    }

    pub fn for_visuals(visuals: &Visuals) -> &'static Tokens {
        if visuals.dark_mode { &DARK } else { &LIGHT }
    }

    pub fn leg(&self, leg: Leg) -> Color32 {
        match leg {
            Leg::Customer => self.customer,
            Leg::Agent => self.agent,
            Leg::Return => self.returned,
            Leg::Bridge => self.text,
        }
    }

    pub fn tone(&self, tone: Tone) -> Color32 {
        match tone {
            Tone::Plain => self.text,
            Tone::Soft => self.text_soft,
            Tone::Faint => self.text_faint,
            Tone::Good => self.good,
            Tone::Warn => self.warn,
            Tone::Wrong => self.wrong,
            Tone::Accent => self.accent,
            Tone::Of(leg) => self.leg(leg),
        }
    }

    /// `colour` as a wash over the panel: pills, media bands, cards of findings.
    pub fn wash(&self, colour: Color32, strength: f32) -> Color32 {
        let mix = |over: u8, under: u8| (f32::from(over) * strength + f32::from(under) * (1.0 - strength)).round() as u8;
        rgb(u32::from_be_bytes([0, mix(colour.r(), self.panel.r()), mix(colour.g(), self.panel.g()), mix(colour.b(), self.panel.b())]))
    }
}

pub(super) static DARK: Tokens = Tokens {
    background: rgb(0x0f1216),
    panel: rgb(0x151a20),
    raised: rgb(0x1b2129),
    control: rgb(0x232b35),
    control_hover: rgb(0x2d3743),
    line: rgb(0x2a333e),
    selected: rgb(0x1b2c33),
    text: rgb(0xe8edf2),
    text_soft: rgb(0xaab6c3),
    text_faint: rgb(0x6f7d8c),
    customer: rgb(0x58a6ff),
    agent: rgb(0xb48cf2),
    returned: rgb(0xf0a35e),
    good: rgb(0x4cc38a),
    warn: rgb(0xe9b949),
    wrong: rgb(0xef6a6a),
    accent: rgb(0x3fc7c2),
    on_fill: rgb(0x0f1216),
};

pub(super) static LIGHT: Tokens = Tokens {
    background: rgb(0xeef1f4),
    panel: rgb(0xffffff),
    raised: rgb(0xf5f7f9),
    control: rgb(0xe6eaef),
    control_hover: rgb(0xd8dfe6),
    line: rgb(0xd5dce3),
    selected: rgb(0xdff1f1),
    text: rgb(0x161c23),
    text_soft: rgb(0x43505d),
    text_faint: rgb(0x66737f),
    customer: rgb(0x1565c9),
    agent: rgb(0x7741c4),
    returned: rgb(0xa85409),
    good: rgb(0x157347),
    warn: rgb(0x8a6100),
    wrong: rgb(0xc03030),
    accent: rgb(0x0b7b77),
    on_fill: rgb(0xffffff),
};

#[expect(clippy::disallowed_methods, reason = "the one place where colours are made")]
const fn rgb(hex: u32) -> Color32 {
    let [_, r, g, b] = hex.to_be_bytes();
    Color32::from_rgb(r, g, b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance(colour: Color32) -> f32 {
        let channel = |c: u8| {
            let c = f32::from(c) / 255.0;
            if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(colour.r()) + 0.7152 * channel(colour.g()) + 0.0722 * channel(colour.b())
    }

    fn contrast(a: Color32, b: Color32) -> f32 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn a_drawn_ladder_has_the_colours_of_the_window() {
        use crate::export::picture;
        for (tokens, drawn) in [(DARK, picture::DARK), (LIGHT, picture::LIGHT)] {
            let Tokens { panel, line, text, text_soft, text_faint, customer, agent, returned, good, warn, wrong, .. } = tokens;
            let here = [panel, line, text, text_soft, text_faint, customer, agent, returned, good, warn, wrong];
            let picture::Palette { panel, line, text, text_soft, text_faint, customer, agent, returned, good, warn, wrong } = drawn;
            let there = [panel, line, text, text_soft, text_faint, customer, agent, returned, good, warn, wrong];
            assert_eq!(here.map(|colour| u32::from_be_bytes([0, colour.r(), colour.g(), colour.b()])), there);
        }
    }

    #[test]
    fn every_text_colour_can_be_read_on_a_panel() {
        for tokens in [DARK, LIGHT] {
            for colour in [
                tokens.text,
                tokens.text_soft,
                tokens.customer,
                tokens.agent,
                tokens.returned,
                tokens.good,
                tokens.warn,
                tokens.wrong,
                tokens.accent,
            ] {
                assert!(contrast(colour, tokens.panel) >= 4.5, "{colour:?} on {:?}", tokens.panel);
            }
            assert!(contrast(tokens.text_faint, tokens.panel) >= 4.0);
            assert!(contrast(tokens.on_fill, tokens.accent) >= 4.5);
        }
    }
}
