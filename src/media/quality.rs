//! What one direction suffers: loss, how losses lie together, and delay.

/// What one direction suffers.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Conditions {
    /// Of the packets, those that could not be heard: lost, or too late.
    pub loss_percent: f32,
    /// How much longer runs of lost packets are than chance would have them (G.107 §7.4): 1 for random loss.
    pub burst_ratio: f32,
    /// From mouth to ear.
    pub delay_ms: f32,
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

const GMIN: u64 = 16;

#[cfg(test)]
mod tests {
    use super::*;

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
