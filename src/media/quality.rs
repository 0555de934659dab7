//! How well one direction is heard, by the E-model (ITU-T G.107): R = Ro − Is − Id − Ie,eff + A, and the mean opinion that people
//! would have of it (Annex B). Every term is kept, so that it can be shown how the figure came about.
//!
//! What no packet tells has the default value of G.107 table 3: loudness, echo loss, noise. So Ro and Is are constants here.

/// What one direction suffers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conditions {
    /// Of the packets, those that could not be heard: lost, or too late.
    pub loss_percent: f32,
    /// How much longer runs of lost packets are than chance would have them (G.107 §7.4): 1 for random loss.
    pub burst_ratio: f32,
    /// From mouth to ear.
    pub delay_ms: f32,
}

/// The terms of the E-model and what comes of them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Quality {
    pub mos: f32,
    pub r: f32,
    /// Signal to noise of circuit and rooms.
    pub ro: f32,
    /// Loudness, sidetone, quantising.
    pub is: f32,
    /// Echo and delay.
    pub id: f32,
    /// Codec and loss.
    pub ie_eff: f32,
    /// What people forgive for a benefit (a mobile phone); none is claimed.
    pub a: f32,
    pub loss_percent: f32,
    pub burst_ratio: f32,
    pub delay_ms: f32,
}

impl Quality {
    /// For every codec here. G.113 Appendix I has Ie = 0 and Bpl = 25.1 for G.711 with concealment; for G.722 and Opus it has none on
    /// the narrow-band scale, which ends where G.711 does, so they count like it: never better than 4.41, though they sound better.
    pub fn of(conditions: Conditions) -> Quality {
        let Conditions { loss_percent, burst_ratio, delay_ms } = conditions;
        let (loss, burst) = (loss_percent.clamp(0.0, 100.0), burst_ratio.max(1.0));
        let delay = delay_ms.clamp(0.0, MOST_DELAY_MS);
        // §7.4.
        let ie_eff = IE + (95.0 - IE) * loss / (loss / burst + BPL);
        let id = echo_at_talker(delay) + echo_at_listener(delay) + pure_delay(delay);
        let (ro, is, a) = (RO, IS, 0.0);
        let r = ro - is - id - ie_eff + a;
        Quality { mos: mos(r), r, ro, is, id, ie_eff, a, loss_percent: loss, burst_ratio: burst, delay_ms: delay }
    }
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

/// How losses lie together (RFC 3611 §4.7.2): a burst begins and ends with a loss and has fewer than 16 packets heard in a row
/// within; everything else is gap.
#[derive(Debug, Clone, Default)]
pub struct Losses {
    /// Heard since the last loss.
    heard: u64,
    after_loss: bool,
    /// Of the stretch under way, from its first loss to its last: packets and losses.
    length: u64,
    lost: u64,
    bursts: u64,
    burst_packets: u64,
    burst_lost: u64,
    gap_packets: u64,
    gap_lost: u64,
    /// Losses, and runs of them.
    losses: u64,
    runs: u64,
}

/// Losses in figures. Densities are percent of the packets in bursts or gaps, lengths means in packets.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct LossPattern {
    pub bursts: u64,
    pub burst_density: f32,
    pub burst_packets: f32,
    pub gap_density: f32,
    pub gap_packets: f32,
    /// For [`Conditions`].
    pub burst_ratio: f32,
}

impl Losses {
    /// The next packet in the order of sending.
    #[inline]
    pub fn note(&mut self, lost: bool) {
        if lost {
            self.note_lost()
        } else {
            self.heard += 1
        }
        self.after_loss = lost;
    }

    fn note_lost(&mut self) {
        self.losses += 1;
        self.runs += u64::from(!self.after_loss);
        if self.lost > 0 && self.heard < GMIN {
            self.length += self.heard + 1;
            self.lost += 1;
        } else {
            self.end_stretch();
            (self.length, self.lost) = (1, 1);
        }
        self.heard = 0;
    }

    fn end_stretch(&mut self) {
        if self.lost > 1 {
            self.bursts += 1;
            self.burst_packets += self.length;
            self.burst_lost += self.lost;
        } else {
            self.gap_packets += self.lost;
            self.gap_lost += self.lost;
        }
        self.gap_packets += self.heard;
    }

    pub fn pattern(&self) -> LossPattern {
        let mut now = self.clone();
        now.end_stretch();
        let share = |part: u64, of: u64| if of == 0 { 0.0 } else { 100.0 * part as f32 / of as f32 };
        let mean = |sum: u64, of: u64| if of == 0 { 0.0 } else { sum as f32 / of as f32 };
        let loss = mean(now.losses, now.burst_packets + now.gap_packets);
        LossPattern {
            bursts: now.bursts,
            burst_density: share(now.burst_lost, now.burst_packets),
            burst_packets: mean(now.burst_packets, now.bursts),
            gap_density: share(now.gap_lost, now.gap_packets),
            gap_packets: mean(now.gap_packets, now.bursts + 1),
            // The mean run of losses, beside the 1 / (1 − loss) that chance makes of them.
            burst_ratio: (mean(now.losses, now.runs) * (1.0 - loss)).max(1.0),
        }
    }
}

/// G.107 §7.1, §7.2 with table 3: Nc −70 dBm0p, rooms of 35 dB(A), SLR 8, RLR 2, STMR 15, qdu 1.
const RO: f32 = 94.768_8;
const IS: f32 = 1.413_6;
const TELR: f32 = 65.0;
const WEPL: f32 = 110.0;
const IE: f32 = 0.0;
const BPL: f32 = 25.1;
const MOST_DELAY_MS: f32 = 10_000.0;
const GMIN: u64 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn rated(loss_percent: f32, burst_ratio: f32, delay_ms: f32) -> Quality {
        Quality::of(Conditions { loss_percent, burst_ratio, delay_ms })
    }

    #[test]
    fn the_defaults_of_g_107_give_93_2() {
        let best = rated(0.0, 1.0, 0.0);
        assert!((best.r - 93.2).abs() < 0.05, "{best:?}");
        assert!((best.mos - 4.41).abs() < 0.005, "{best:?}");
        assert!((best.ro - best.is - best.id - best.ie_eff + best.a - best.r).abs() < 0.001);
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

    fn noted(pattern: &str) -> LossPattern {
        let mut losses = Losses::default();
        for n in pattern.split(' ') {
            let count: i64 = n.parse().expect("a number");
            (0..count.abs()).for_each(|_| losses.note(count < 0));
        }
        losses.pattern()
    }

    #[test]
    fn losses_far_apart_are_no_burst() {
        let pattern = noted("100 -1 100 -1 98");
        assert_eq!((pattern.bursts, pattern.burst_density, pattern.burst_ratio), (0, 0.0, 1.0));
        assert!((pattern.gap_density - 2.0 / 3.0).abs() < 0.01 && pattern.gap_packets == 300.0);
        // Sixteen heard between two losses part them (Gmin).
        assert_eq!(noted("20 -1 16 -1 20").bursts, 0);
        assert_eq!(noted("20 -1 15 -1 20").bursts, 1);
    }

    #[test]
    fn losses_together_are_one_burst() {
        let pattern = noted("100 -3 4 -2 91");
        assert_eq!((pattern.bursts, pattern.burst_packets), (1, 9.0));
        assert!((pattern.burst_density - 100.0 * 5.0 / 9.0).abs() < 0.01);
        assert_eq!((pattern.gap_density, pattern.gap_packets), (0.0, 191.0 / 2.0));
        assert!((pattern.burst_ratio - 2.5 * 0.975).abs() < 0.01);
        assert_eq!(noted("0"), LossPattern { burst_ratio: 1.0, ..LossPattern::default() });
    }
}
