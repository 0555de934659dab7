//! How long packets have to wait so that nearly all of them are there in time, learned from how late each one comes.

/// Follows the delays of one source. All numbers are in units of its RTP clock.
#[derive(Debug)]
pub struct DelayWatch {
    /// The clock's units in a millisecond.
    unit: i64,
    /// The shortest transit of the window under way, of the one before, and when the former began.
    least: i64,
    least_before: Option<i64>,
    window_began: i64,
    /// How much of what came lay so many [`BIN_MS`] above the shortest transit. The sum is 1.
    bins: [f32; BINS],
    packets: u32,
    recent: [i64; RECENT],
    target: i64,
}

impl DelayWatch {
    /// `rate`: the RTP clock's. `arrived`, `transit`: of the first packet.
    pub fn new(rate: u32, arrived: i64, transit: i64) -> DelayWatch {
        let unit = i64::from(rate / 1_000).max(1);
        let target = START_MS * unit;
        DelayWatch {
            unit,
            least: transit,
            least_before: None,
            window_began: arrived,
            bins: [0.0; BINS],
            packets: 0,
            recent: [0; RECENT],
            target,
        }
    }

    /// The shortest transit of late: what the network takes at best, in terms of two clocks that know nothing of each other.
    pub fn base(&self) -> i64 {
        self.least_before.map_or(self.least, |before| before.min(self.least))
    }

    /// So much after the shortest transit a packet's sound is wanted.
    pub fn target(&self) -> i64 {
        self.target
    }

    /// Takes a packet in that arrived at `arrived`, `transit` after its timestamp.
    pub fn note(&mut self, arrived: i64, transit: i64) {
        let base_before = self.base();
        if arrived - self.window_began > WINDOW_MS * self.unit {
            self.window_began = arrived;
            self.least_before = Some(std::mem::replace(&mut self.least, transit));
        }
        self.least = self.least.min(transit);
        self.rebase(self.base() - base_before);
        let late = (transit - self.base()).max(0);
        let share = (1.0 / (self.packets as f32 + 1.0)).max(MEMORY);
        self.bins.iter_mut().for_each(|bin| *bin *= 1.0 - share);
        let bin = usize::try_from(late / (BIN_MS * self.unit)).unwrap_or(BINS);
        self.bins[bin.min(BINS - 1)] += share;
        self.recent[self.packets as usize % RECENT] = late;
        self.packets = self.packets.saturating_add(1);
        self.follow_leap();
        self.target = self.judge().clamp(LEAST_MS * self.unit, MOST_MS * self.unit);
    }

    /// The delay that keeps all but one of a hundred, and no less than the second worst of the last second: one straggler
    /// is not worth a longer delay, two of them are, and at once.
    fn judge(&self) -> i64 {
        let mut sum = 0.0;
        let within = self.bins.iter().take_while(|bin| {
            sum += **bin;
            sum < IN_TIME
        });
        // The end of the bin in which the last hundredth begins.
        let quantile = (within.count() as i64 + 1) * BIN_MS * self.unit;
        let (mut worst, mut second) = (0, 0);
        for late in self.recent {
            if late > worst {
                (worst, second) = (late, worst);
            } else if late > second {
                second = late;
            }
        }
        let wanted = quantile.max(second);
        if self.packets < SETTLED { wanted.max(START_MS * self.unit) } else { wanted }
    }

    /// Where a whole second of packets was this late, the way itself has become longer.
    fn follow_leap(&mut self) {
        let least = self.recent.iter().copied().min().unwrap_or(0);
        if self.packets as usize >= RECENT && least > LEAP_MS * self.unit {
            (self.least, self.least_before) = (self.base() + least, None);
            self.rebase(least);
        }
    }

    /// The shortest transit has moved: what was learned is told from there.
    fn rebase(&mut self, by: i64) {
        if by == 0 {
            return;
        }
        self.recent.iter_mut().for_each(|late| *late = (*late - by).max(0));
        let bins = usize::try_from(by.abs() / (BIN_MS * self.unit)).unwrap_or(BINS).min(BINS);
        if by > 0 {
            let below: f32 = self.bins[..bins].iter().sum();
            self.bins.copy_within(bins.., 0);
            self.bins[BINS - bins..].fill(0.0);
            self.bins[0] += below;
        } else {
            let above: f32 = self.bins[BINS - bins..].iter().sum();
            self.bins.copy_within(..BINS - bins, bins);
            self.bins[..bins].fill(0.0);
            self.bins[BINS - 1] += above;
        }
    }
}

const BINS: usize = 200;
const BIN_MS: i64 = 2;
const IN_TIME: f32 = 0.99;
/// The last three seconds of packets of 20 ms count for 63 %.
const MEMORY: f32 = 1.0 / 150.0;
const RECENT: usize = 50;
const LEAP_MS: i64 = 60;
/// Before so many packets nothing is certain.
const SETTLED: u32 = 10;
const START_MS: i64 = 20;
/// What the wakings of the threads on both sides spread over, even where no network does.
const LEAST_MS: i64 = 4;
const MOST_MS: i64 = 350;
/// The shortest transit is that of the last one or two of these: a clock that runs slow is followed within seconds.
const WINDOW_MS: i64 = 5_000;

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 8;

    fn fed(watch: &mut DelayWatch, from: i64, late_ms: impl IntoIterator<Item = i64>) -> i64 {
        let mut sent = from;
        for late in late_ms {
            watch.note(sent + late * MS, late * MS);
            sent += 20 * MS;
        }
        sent
    }

    #[test]
    fn a_steady_network_needs_next_to_nothing() {
        let mut watch = DelayWatch::new(8_000, 0, 0);
        fed(&mut watch, 0, (0..500).map(|n| n % 2));
        assert!(watch.target() <= 6 * MS, "{}", watch.target());
    }

    #[test]
    fn one_straggler_changes_nothing_and_two_do_at_once() {
        let mut watch = DelayWatch::new(8_000, 0, 0);
        let sent = fed(&mut watch, 0, [0; 500]);
        let sent = fed(&mut watch, sent, [80]);
        assert!(watch.target() <= 6 * MS);
        let sent = fed(&mut watch, sent, [0, 0, 70]);
        assert!((70 * MS..=72 * MS).contains(&watch.target()));
        fed(&mut watch, sent, [0; 600]);
        assert!(watch.target() <= 6 * MS, "forgotten: {}", watch.target());
    }

    #[test]
    fn a_longer_way_is_learned_as_the_new_shortest() {
        let mut watch = DelayWatch::new(8_000, 0, 0);
        let sent = fed(&mut watch, 0, [0; 500]);
        let sent = fed(&mut watch, sent, [100; 20]);
        assert!(watch.base() == 0 && watch.target() >= 100 * MS);
        fed(&mut watch, sent, [100; 40]);
        assert_eq!(watch.base(), 100 * MS);
        assert!(watch.target() <= 6 * MS, "{}", watch.target());
    }
}
