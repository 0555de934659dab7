//! What arrived of what was sent: loss, order, doubles (RFC 3550 §A.1, §A.3) and interarrival jitter (§A.8).

use super::quality::{LossPattern, Losses};
use super::rtp::sequence_distance;

/// The account of one stream of arriving packets, over restarts of its source.
#[derive(Debug, Clone, Default)]
pub struct Reception {
    run: Option<Run>,
    /// Expected and distinct packets of the sources before the present one.
    expected_before: u64,
    distinct_before: u64,
    pub packets: u64,
    pub bytes: u64,
    pub reordered: u64,
    pub duplicated: u64,
    /// For the report block's fraction: both totals at the last report.
    expected_reported: u64,
    distinct_reported: u64,
    losses: Losses,
}

/// One unbroken series of sequence numbers from one SSRC.
#[derive(Debug, Clone)]
struct Run {
    ssrc: u32,
    first: u16,
    highest: u16,
    cycles: u32,
    distinct: u64,
    /// Bit n: `highest - n` has arrived.
    seen: u64,
    /// §A.1: the number that would confirm that the sender began anew.
    restart_at: Option<u16>,
    transit: Option<u32>,
    /// §A.8, scaled by 16.
    jitter: u32,
    drift: Drift,
}

/// How the sender's clock and ours drift apart: the shortest transit of a stretch, beside that of a stretch long before.
#[derive(Debug, Clone, Default)]
struct Drift {
    /// The first packet's arrival and transit, from which all is counted.
    begin: Option<(u32, u32)>,
    /// When the stretch under way began, and its shortest transit.
    stretch: (u32, i32),
    /// When the first and the last whole stretch began, and theirs.
    first: Option<(u32, i32)>,
    last: (u32, i32),
}

/// How a packet fits what came before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    InOrder,
    /// Later ones were here before it.
    Late,
    /// Here already.
    Duplicate,
    /// The first of a source, or of a source that began anew.
    Start,
    /// Far off the series; §A.1 waits for a second one before it believes it.
    Odd,
}

/// A report block's numbers (§6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    pub ssrc: u32,
    pub fraction_lost: u8,
    pub lost: i32,
    pub highest: u32,
    pub jitter: u32,
}

impl Reception {
    /// `clock`: the arrival time and `timestamp`, both in units of the RTP clock; `None` for what does not count for jitter (telephone-events).
    pub fn handle_packet(&mut self, ssrc: u32, sequence: u16, bytes: usize, clock: Option<(u32, u32)>) -> Arrival {
        self.packets += 1;
        self.bytes += bytes as u64;
        let arrival = match &mut self.run {
            Some(run) if run.ssrc == ssrc => run.handle(sequence, &mut self.losses),
            _ => Arrival::Start,
        };
        let arrival = if arrival == Arrival::Start { self.start(ssrc, sequence) } else { arrival };
        match arrival {
            Arrival::Late => self.reordered += 1,
            Arrival::Duplicate => self.duplicated += 1,
            Arrival::InOrder | Arrival::Start | Arrival::Odd => {}
        }
        if let (Some(run), Some((arrived, timestamp))) = (&mut self.run, clock)
            && matches!(arrival, Arrival::InOrder | Arrival::Start)
        {
            run.note_transit(arrived, arrived.wrapping_sub(timestamp));
        }
        arrival
    }

    /// Of what should have arrived; a late packet is no longer lost.
    pub fn lost(&self) -> u64 {
        self.expected().saturating_sub(self.distinct())
    }

    /// What arrives is counted by another clock from now on.
    pub fn forget_jitter(&mut self) {
        if let Some(run) = &mut self.run {
            (run.transit, run.jitter) = (None, 0);
        }
    }

    /// In samples.
    pub fn jitter(&self) -> u32 {
        self.run.as_ref().map_or(0, |run| run.jitter >> 4)
    }

    /// How the losses lie together, up to a moment ago: what may still come is not judged.
    pub fn loss_pattern(&self) -> LossPattern {
        self.losses.pattern()
    }

    /// By how many millionths the sender's clock is slower than ours, and over how many samples that was measured.
    pub fn drift(&self) -> Option<(f32, u32)> {
        let drift = &self.run.as_ref()?.drift;
        let (began, least) = drift.first?;
        let span = drift.last.0.wrapping_sub(began);
        let ppm = f64::from(drift.last.1.wrapping_sub(least)) * 1e6 / f64::from(span);
        (span > 0).then_some((ppm as f32, span))
    }

    /// For the next RTCP packet; each call begins a new interval for the fraction.
    pub fn report(&mut self) -> Option<Report> {
        let (expected, distinct) = (self.expected(), self.distinct());
        let run = self.run.as_ref()?;
        let expected_now = expected - self.expected_reported;
        let lost_now = expected_now.saturating_sub(distinct - self.distinct_reported);
        (self.expected_reported, self.distinct_reported) = (expected, distinct);
        Some(Report {
            ssrc: run.ssrc,
            fraction_lost: (lost_now * 256).checked_div(expected_now).map_or(0, |fraction| fraction.min(255) as u8),
            lost: run.expected().saturating_sub(run.distinct).min(0x7f_ffff) as i32,
            highest: run.cycles << 16 | u32::from(run.highest),
            jitter: run.jitter >> 4,
        })
    }

    fn expected(&self) -> u64 {
        self.expected_before + self.run.as_ref().map_or(0, Run::expected)
    }

    fn distinct(&self) -> u64 {
        self.distinct_before + self.run.as_ref().map_or(0, |run| run.distinct)
    }

    fn start(&mut self, ssrc: u32, sequence: u16) -> Arrival {
        let jitter = self.run.as_ref().map_or(0, |run| run.jitter);
        self.expected_before = self.expected();
        self.distinct_before = self.distinct();
        self.run = Some(Run {
            ssrc,
            first: sequence,
            highest: sequence,
            cycles: 0,
            distinct: 1,
            seen: 1,
            restart_at: None,
            transit: None,
            jitter,
            drift: Drift::default(),
        });
        Arrival::Start
    }
}

impl Run {
    fn handle(&mut self, sequence: u16, losses: &mut Losses) -> Arrival {
        let ahead = sequence_distance(sequence, self.highest);
        if (1..MAX_DROPOUT).contains(&ahead) {
            if sequence < self.highest {
                self.cycles = self.cycles.wrapping_add(1);
            }
            self.judge(ahead.unsigned_abs(), losses);
            self.highest = sequence;
            self.seen = self.seen.checked_shl(ahead.unsigned_abs().into()).unwrap_or(0) | 1;
            self.distinct += 1;
            self.restart_at = None;
            return Arrival::InOrder;
        }
        if ahead <= 0 && ahead > -MAX_MISORDER {
            return self.handle_earlier(sequence, ahead.unsigned_abs());
        }
        if self.restart_at == Some(sequence) {
            return Arrival::Start;
        }
        self.restart_at = Some(sequence.wrapping_add(1));
        Arrival::Odd
    }

    /// Tells of the packets that become so old that they come no more: of each, whether it came.
    #[inline]
    fn judge(&self, ahead: u16, losses: &mut Losses) {
        let had = self.expected();
        for n in 0..ahead {
            // The number that lay `JUDGED_AFTER - 1 - n` back, seen from the highest until now; later ones were jumped over.
            let lost = match JUDGED_AFTER.checked_sub(n + 1) {
                Some(behind) if u64::from(behind) >= had => continue,
                Some(behind) => self.seen >> behind & 1 == 0,
                None => true,
            };
            losses.note(lost);
        }
    }

    fn handle_earlier(&mut self, sequence: u16, behind: u16) -> Arrival {
        match 1u64.checked_shl(behind.into()) {
            Some(bit) if self.seen & bit != 0 => Arrival::Duplicate,
            Some(bit) => {
                self.seen |= bit;
                self.distinct += 1;
                // It left before what we took for the first: so we should have expected it.
                if self.is_young() && sequence_distance(sequence, self.first) < 0 {
                    self.cycles += u32::from(sequence > self.first);
                    self.first = sequence;
                }
                Arrival::Late
            }
            // Too far back to know whether it was here: counts as late, not as found.
            None => Arrival::Late,
        }
    }

    /// The first packet is still so near that what seems to lie before it does so.
    fn is_young(&self) -> bool {
        self.expected() < MAX_MISORDER.unsigned_abs().into()
    }

    fn expected(&self) -> u64 {
        (u64::from(self.cycles) << 16) + u64::from(self.highest) + 1 - u64::from(self.first)
    }

    fn note_transit(&mut self, arrived: u32, transit: u32) {
        self.drift.note(arrived, transit);
        if let Some(last) = self.transit {
            let change = (transit.wrapping_sub(last) as i32).unsigned_abs().min(MOST_CHANGE);
            self.jitter = self.jitter + change - ((self.jitter + 8) >> 4);
        }
        self.transit = Some(transit);
    }
}

impl Drift {
    fn note(&mut self, arrived: u32, transit: u32) {
        let (begin, zero) = *self.begin.get_or_insert((arrived, transit));
        let (at, transit) = (arrived.wrapping_sub(begin), transit.wrapping_sub(zero) as i32);
        let (began, least) = self.stretch;
        if transit.abs_diff(least) > MOST_CHANGE {
            // A clock that was set anew is no drift.
            *self = Drift::default();
        } else if at.wrapping_sub(began) < STRETCH {
            self.stretch.1 = least.min(transit);
        } else {
            self.first.get_or_insert(self.stretch);
            self.last = self.stretch;
            self.stretch = (at, transit);
        }
    }
}

/// So many packets later one that is missing is lost for good.
const JUDGED_AFTER: u16 = 32;
/// Ten seconds at 8,000 samples a second.
const STRETCH: u32 = 80_000;
const MAX_DROPOUT: i16 = 3_000;
const MAX_MISORDER: i16 = 100;
/// Ten seconds: a source that sets its clock anew is no jitter, and must not spoil the figure for minutes.
const MOST_CHANGE: u32 = 80_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn fed(sequences: impl IntoIterator<Item = u16>) -> Reception {
        let mut reception = Reception::default();
        for sequence in sequences {
            reception.handle_packet(7, sequence, 160, None);
        }
        reception
    }

    fn counts(reception: &Reception) -> (u64, u64, u64, u64) {
        (reception.packets, reception.lost(), reception.reordered, reception.duplicated)
    }

    #[test]
    fn loss_order_and_doubles_are_told_apart() {
        assert_eq!(counts(&fed([1, 2, 3, 4])), (4, 0, 0, 0));
        assert_eq!(counts(&fed([1, 2, 5])), (3, 2, 0, 0));
        assert_eq!(counts(&fed([1, 2, 4, 3, 5])), (5, 0, 1, 0));
        assert_eq!(counts(&fed([1, 2, 2, 3, 2])), (5, 0, 0, 2));
        assert_eq!(counts(&fed([2, 1, 3])), (3, 0, 1, 0));
    }

    #[test]
    fn the_sequence_wraps_without_loss() {
        let reception = fed((0..200_000u32).map(|n| (n + 65_000) as u16));
        assert_eq!(counts(&reception), (200_000, 0, 0, 0));
        assert_eq!(counts(&fed([0, 65_535, 1])), (3, 0, 1, 0));
        let mut reception = fed([65_534, 65_535, 1, 0, 2]);
        assert_eq!(counts(&reception), (5, 0, 1, 0));
        assert_eq!(reception.report().expect("a source").highest, 0x1_0002);
    }

    #[test]
    fn a_new_source_or_a_leap_begins_a_new_series_and_keeps_the_totals() {
        let mut reception = fed([1, 2, 4]);
        assert_eq!(reception.handle_packet(8, 40_000, 160, None), Arrival::Start);
        assert_eq!(reception.handle_packet(8, 20_000, 160, None), Arrival::Odd);
        assert_eq!(reception.handle_packet(8, 20_001, 160, None), Arrival::Start);
        assert_eq!(reception.handle_packet(8, 20_002, 160, None), Arrival::InOrder);
        assert_eq!((reception.lost(), reception.packets), (1, 7));
    }

    #[test]
    fn the_fraction_is_of_the_last_interval() {
        let mut reception = fed([1, 2, 3, 5]);
        let report = reception.report().expect("a source");
        assert_eq!((report.fraction_lost, report.lost), (51, 1));
        reception.handle_packet(7, 6, 160, None);
        let report = reception.report().expect("a source");
        assert_eq!((report.fraction_lost, report.lost), (0, 1));
    }

    #[test]
    fn jitter_follows_rfc_3550() {
        let mut steady = Reception::default();
        let mut shaky = Reception::default();
        for n in 0..1_000u32 {
            let timestamp = n * 160;
            steady.handle_packet(7, n as u16, 160, Some((timestamp + 40, timestamp)));
            // Every second packet 5 ms late: each change of transit is 40 samples.
            shaky.handle_packet(7, n as u16, 160, Some((timestamp + n % 2 * 40, timestamp)));
        }
        assert_eq!(steady.jitter(), 0);
        assert!((37..=40).contains(&shaky.jitter()), "{}", shaky.jitter());
    }

    #[test]
    fn losses_are_judged_once_they_come_no_more() {
        // Every tenth is lost; every hundredth comes late, which is no loss.
        let mut sequence: Vec<u16> = (0..1_000).filter(|n| n % 10 != 5).collect();
        sequence.extend((1_000..2_000).filter(|n| n % 100 != 7));
        for n in (1_007..2_000).step_by(100) {
            let place = sequence.iter().position(|s| *s == n + 5).expect("sent");
            sequence.insert(place, n);
        }
        let reception = fed(sequence);
        let pattern = reception.loss_pattern();
        assert_eq!((reception.lost(), pattern.bursts), (100, 1));
        assert!((pattern.burst_density - 100.0 * 100.0 / 991.0).abs() < 0.1, "{pattern:?}");
        assert_eq!(pattern.gap_density, 0.0);
        let outage = fed((0..100).chain(140..300));
        assert_eq!((outage.lost(), outage.loss_pattern().bursts, outage.loss_pattern().burst_packets), (40, 1, 40.0));
    }

    #[test]
    fn a_clock_that_runs_slow_is_measured() {
        for ppm in [-200.0f64, 0.0, 150.0] {
            let mut reception = Reception::default();
            for n in 0..15_000u32 {
                let arrived = (f64::from(n * 160) * (1.0 + ppm / 1e6)) as u32 + n * 7 % 13;
                reception.handle_packet(7, n as u16, 160, Some((arrived.wrapping_sub(500_000), n * 160)));
            }
            let (measured, span) = reception.drift().expect("five minutes");
            assert!((f64::from(measured) - ppm).abs() < 10.0 && span > 2_000_000, "{ppm}: {measured} over {span}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_series_is_survived(packets in proptest::collection::vec((0u32..3, proptest::num::u16::ANY, proptest::num::u32::ANY), 0..400)) {
            let mut reception = Reception::default();
            for (ssrc, sequence, time) in packets {
                reception.handle_packet(ssrc, sequence, 160, Some((time, time.rotate_left(9))));
                let _ = (reception.lost(), reception.report());
            }
        }
    }
}
