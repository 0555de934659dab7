//! How well one direction is heard, by the E-model (ITU-T G.107): R = Ro − Is − Id − Ie,eff + A, and the mean opinion that people
//! would have of it (Annex B). Every term is kept, so that it can be shown how the figure came about.
//!
//! What no packet tells has the default value of G.107 table 3: loudness, echo loss, noise. So Ro and Is are constants here.

use super::SoundQuality;

impl SoundQuality {
    /// What comes of the loss (packets that could not be heard: lost, or too late), of how much longer runs of losses are than
    /// chance would have them (G.107 §7.4; 1: as chance has it), and of the time from mouth to ear. In hundredths.
    ///
    /// For every codec here. G.113 Appendix I has Ie = 0 and Bpl = 25.1 for G.711 with concealment; for G.722 and Opus it has none on
    /// the narrow-band scale, which ends where G.711 does, so they count like it: never better than 4.41, though they sound better.
    pub fn rated(loss_percent: f32, burst_ratio: f32, delay_ms: f32) -> SoundQuality {
        let (loss, burst) = (loss_percent.clamp(0.0, 100.0), burst_ratio.max(1.0));
        let delay = delay_ms.clamp(0.0, MOST_DELAY_MS);
        // §7.4.
        let ie_eff = IE + (95.0 - IE) * loss / (loss / burst + BPL);
        let id = echo_at_talker(delay) + echo_at_listener(delay) + pure_delay(delay);
        let (ro, is, a) = (RO, IS, 0.0);
        let r = ro - is - id - ie_eff + a;
        let [mos, r, ro, is, id, ie_eff] = [mos(r), r, ro, is, id, ie_eff].map(hundredths);
        let [loss_percent, burst_ratio, delay_ms] = [loss, burst, delay].map(hundredths);
        SoundQuality { mos, r, ro, is, id, ie_eff, a, loss_percent, burst_ratio, delay_ms }
    }
}

/// More is not measured.
pub(super) fn hundredths(figure: f32) -> f32 {
    (figure * 100.0).round() / 100.0
}

/// Annex B.
fn mos(r: f32) -> f32 {
    match r {
        r if r <= 0.0 => 1.0,
        r if r >= 100.0 => 4.5,
        r => (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).max(1.0),
    }
}

/// Idte (§7.3): the talker's own voice, 65 dB down (TELR), after there and back.
fn echo_at_talker(delay_ms: f32) -> f32 {
    if delay_ms < 1.0 {
        return 0.0;
    }
    let t = delay_ms;
    let terv = TELR - 40.0 * ((1.0 + t / 10.0) / (1.0 + t / 150.0)).log10() + 6.0 * (-0.3 * t * t).exp();
    let re = 80.0 + 2.5 * (terv - 14.0);
    let half = (RO - re) / 2.0;
    (half + (half * half + 100.0).sqrt() - 1.0) * (1.0 - (-t).exp())
}

/// Idle: the listener's second hearing of the talker, 110 dB down (WEPL).
fn echo_at_listener(delay_ms: f32) -> f32 {
    let rle = 10.5 * (WEPL + 7.0) * (2.0 * delay_ms + 1.0).powf(-0.25);
    let half = f64::from((RO - rle) / 2.0);
    (half + (half * half + 169.0).sqrt()) as f32
}

/// Idd: beyond 100 ms people notice the wait itself.
fn pure_delay(delay_ms: f32) -> f32 {
    if delay_ms <= 100.0 {
        return 0.0;
    }
    let x = (delay_ms / 100.0).log2();
    25.0 * ((1.0 + x.powi(6)).powf(1.0 / 6.0) - 3.0 * (1.0 + (x / 3.0).powi(6)).powf(1.0 / 6.0) + 2.0)
}

/// G.107 §7.1, §7.2 with table 3: Nc −70 dBm0p, rooms of 35 dB(A), SLR 8, RLR 2, STMR 15, qdu 1.
const RO: f32 = 94.768_8;
const IS: f32 = 1.413_6;
const TELR: f32 = 65.0;
const WEPL: f32 = 110.0;
const IE: f32 = 0.0;
const BPL: f32 = 25.1;
const MOST_DELAY_MS: f32 = 10_000.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn rated(loss_percent: f32, burst_ratio: f32, delay_ms: f32) -> SoundQuality {
        SoundQuality::rated(loss_percent, burst_ratio, delay_ms)
    }

    #[test]
    fn the_defaults_of_g_107_give_93_2() {
        let best = rated(0.0, 1.0, 0.0);
        assert!((best.r - 93.2).abs() < 0.05, "{best:?}");
        assert!((best.mos - 4.41).abs() < 0.006, "{best:?}");
        assert!((best.ro - best.is - best.id - best.ie_eff + best.a - best.r).abs() < 0.04);
    }

    #[test]
    fn delay_costs_what_g_114_draws() {
        // The curve of G.114 figure 1, which leaves echo out, lies this far under its beginning.
        for (delay, cost) in [(100.0, 0.0), (150.0, 0.16), (250.0, 8.9), (400.0, 24.1)] {
            assert!((pure_delay(delay) - cost).abs() < 0.05, "{delay} ms: {}", pure_delay(delay));
        }
        assert!((87.0..91.0).contains(&rated(0.0, 1.0, 150.0).r));
        assert!(rated(0.0, 1.0, f32::INFINITY).mos >= 1.0);
    }

    #[test]
    fn loss_costs_what_g_113_says_and_bursts_more() {
        // Ie,eff of 1, 5 and 10 % random loss with Bpl 25.1.
        for (loss, ie) in [(1.0, 3.64), (5.0, 15.78), (10.0, 27.07)] {
            assert!((rated(loss, 1.0, 0.0).ie_eff - ie).abs() < 0.02);
        }
        assert!(rated(5.0, 3.0, 0.0).r < rated(5.0, 1.0, 0.0).r);
        assert_eq!(rated(100.0, 9.0, 2_000.0).mos, 1.0);
    }
}
