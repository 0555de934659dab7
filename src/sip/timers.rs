//! Timer values T1, T2, T4, all that follows from them (RFC 3261 §17, table 4), and the queue that rings them.

use std::{
    collections::{BinaryHeap, VecDeque},
    time::{Duration, Instant},
};

/// The three values that every SIP timer is derived from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimerConfig {
    /// Round-trip estimate.
    pub t1: Duration,
    /// The longest interval between retransmissions of a non-INVITE request or an INVITE response.
    pub t2: Duration,
    /// How long a message can stay in the network.
    pub t4: Duration,
}

impl Default for TimerConfig {
    fn default() -> Self {
        Self { t1: Duration::from_millis(500), t2: Duration::from_secs(4), t4: Duration::from_secs(5) }
    }
}

impl TimerConfig {
    /// 64·T1: Timers B, F, H, J, L, M, and the patience for an ACK or a PRACK.
    pub fn patience(&self) -> Duration {
        self.t1 * 64
    }

    /// Timer D: at least 32 s, and never shorter than the peer's Timer H (§17.1.1.2).
    pub fn d(&self) -> Duration {
        self.patience().max(if self.t1 < Duration::from_millis(500) { Duration::ZERO } else { Duration::from_secs(32) })
    }

    /// The next interval of a retransmission that backs off up to T2 (Timers E, G and the 2xx).
    pub fn backed_off(&self, interval: Duration) -> Duration {
        (interval * 2).min(self.t2)
    }
}

/// Timers with an owner `T`. An armed timer is known by its serial number: the owner keeps the serial of the one
/// that counts and lets the others ring unheard, so nothing is ever searched for or removed.
///
/// Nearly all SIP timers have one of a dozen lengths. Each length is a lane, a plain queue in which deadlines rise,
/// so arming and ringing cost no sorting. Odd lengths (session timers, 491 pauses) go to a heap.
///
/// T4, Timer D and 64·T1 say how long at least something is waited for: nobody on the wire sees whether that ends a moment
/// later. Each call leaves several of them behind, and so that not each wakes the process, they are due together, in steps.
#[derive(Debug)]
pub struct TimerQueue<T> {
    lanes: Vec<Lane<T>>,
    odd: BinaryHeap<Odd<T>>,
    last_serial: u64,
    /// Where the steps begin: the first arming.
    epoch: Option<Instant>,
    step: Duration,
}

/// One ring of a timer: whose, which arming, and when it was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ring<T> {
    pub at: Instant,
    pub serial: u64,
    pub owner: T,
}

#[derive(Debug)]
struct Lane<T> {
    length: Duration,
    patient: bool,
    rings: VecDeque<Ring<T>>,
}

#[derive(Debug)]
struct Odd<T>(Ring<T>);

impl<T: Copy> TimerQueue<T> {
    /// Lanes for the lengths that follow from `config`.
    pub fn new(config: &TimerConfig) -> Self {
        let patient = [config.patience(), config.d(), config.t4];
        let mut lengths = vec![config.t2, TRYING_AFTER, STILL_RINGING];
        lengths.extend(patient);
        let mut interval = config.t1;
        while interval < config.patience() {
            lengths.push(interval);
            interval *= 2;
        }
        lengths.sort_unstable();
        lengths.dedup();
        let lane = |length| Lane { length, patient: patient.contains(&length), rings: VecDeque::new() };
        let lanes = lengths.into_iter().map(lane).collect();
        Self { lanes, odd: BinaryHeap::new(), last_serial: 0, epoch: None, step: config.t4 / STEPS_IN_T4 }
    }

    /// Arms a timer and says under which serial it will ring. Serials start at 1.
    pub fn arm(&mut self, now: Instant, after: Duration, owner: T) -> u64 {
        self.last_serial += 1;
        self.epoch.get_or_insert(now);
        let ring = Ring { at: now + after, serial: self.last_serial, owner };
        match self.lanes.iter_mut().find(|lane| lane.length == after) {
            // A clock that stepped back would break the lane's order.
            Some(lane) if lane.rings.back().is_none_or(|last| last.at <= ring.at) => lane.rings.push_back(ring),
            _ => self.odd.push(Odd(ring)),
        }
        self.last_serial
    }

    /// The next ring that is due.
    pub fn pop_due(&mut self, now: Instant) -> Option<Ring<T>> {
        let lane = self.lanes.iter_mut().filter(|lane| !lane.rings.is_empty()).min_by_key(|lane| lane.rings.front().map(|ring| ring.at));
        let lane_at = lane.as_ref().and_then(|lane| lane.rings.front()).map(|ring| ring.at);
        let odd_at = self.odd.peek().map(|odd| odd.0.at);
        match (lane, lane_at, odd_at) {
            (Some(lane), Some(at), odd_at) if odd_at.is_none_or(|odd_at| at <= odd_at) => {
                (at <= now).then(|| lane.rings.pop_front()).flatten()
            }
            (_, _, Some(odd_at)) if odd_at <= now => self.odd.pop().map(|odd| odd.0),
            _ => None,
        }
    }

    /// When something rings next. Call `forget_dead` before, or it may be a timer that nobody waits for.
    pub fn deadline(&self) -> Option<Instant> {
        let of_lane = |lane: &Lane<T>| lane.rings.front().map(|ring| if lane.patient { self.next_step(ring.at) } else { ring.at });
        self.lanes.iter().filter_map(of_lane).chain(self.odd.peek().map(|odd| odd.0.at)).min()
    }

    /// The first step that is not before `at`.
    fn next_step(&self, at: Instant) -> Instant {
        let into_step = self.epoch.map_or(0, |epoch| at.saturating_duration_since(epoch).as_nanos() % self.step.as_nanos().max(1));
        if into_step == 0 { at } else { at + self.step - Duration::from_nanos(into_step as u64) }
    }

    /// Drops the timers at the heads of the lanes that their owners no longer wait for.
    pub fn forget_dead(&mut self, alive: impl Fn(&Ring<T>) -> bool) {
        for lane in &mut self.lanes {
            while lane.rings.front().is_some_and(|ring| !alive(ring)) {
                lane.rings.pop_front();
            }
        }
        while self.odd.peek().is_some_and(|odd| !alive(&odd.0)) {
            self.odd.pop();
        }
    }

    /// Armed timers for which `alive` holds; walks them all, for tests and self-reports.
    pub fn count(&self, alive: impl Fn(&Ring<T>) -> bool) -> usize {
        let lanes = self.lanes.iter().flat_map(|lane| &lane.rings);
        lanes.chain(self.odd.iter().map(|odd| &odd.0)).filter(|ring| alive(ring)).count()
    }
}

impl<T> PartialEq for Odd<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0.at == other.0.at
    }
}

impl<T> Eq for Odd<T> {}

impl<T> Ord for Odd<T> {
    /// The earliest ring is the greatest, since `BinaryHeap` gives the greatest first.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        other.0.at.cmp(&self.0.at)
    }
}

impl<T> PartialOrd for Odd<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// 100 ms with the T4 of RFC 3261.
const STEPS_IN_T4: u32 = 50;

/// §17.2.1: a server transaction sends 100 itself when its user has said nothing for this long.
pub const TRYING_AFTER: Duration = Duration::from_millis(200);

/// How often a call that rings says so again (§13.3.1.1).
pub const STILL_RINGING: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_of_any_length_ring_in_the_order_of_their_deadlines() {
        let start = Instant::now();
        let mut queue = TimerQueue::new(&TimerConfig::default());
        for (millis, owner) in [(32_000, 'd'), (500, 'a'), (777, 'b'), (4_000, 'c'), (99_000, 'e')] {
            queue.arm(start, Duration::from_millis(millis), owner);
        }
        assert_eq!(queue.deadline(), Some(start + Duration::from_millis(500)));
        let later = start + Duration::from_secs(40);
        let heard: String = std::iter::from_fn(|| queue.pop_due(later)).map(|ring| ring.owner).collect();
        assert_eq!(heard, "abcd");
        assert_eq!(queue.count(|_| true), 1);
    }

    #[test]
    fn what_only_lingers_is_due_in_steps_and_what_repeats_to_the_instant() {
        let config = TimerConfig::default();
        let start = Instant::now();
        let after = |millis| start + Duration::from_millis(millis);
        let mut queue = TimerQueue::new(&config);
        for (at, owner) in [(0, 'a'), (7, 'b'), (99, 'c'), (101, 'd')] {
            queue.arm(after(at), config.t4, owner);
        }
        queue.arm(after(4_507), config.t1, 'r');
        let mut wakings = Vec::new();
        while let Some(now) = queue.deadline() {
            let rung: String = std::iter::from_fn(|| queue.pop_due(now)).map(|ring| ring.owner).collect();
            wakings.push((now.duration_since(start).as_millis(), rung));
        }
        assert_eq!(wakings, [(5_000, "a".into()), (5_007, "rb".into()), (5_100, "c".into()), (5_200, "d".into())]);
    }

    #[test]
    fn forgotten_timers_leave_the_deadline() {
        let start = Instant::now();
        let mut queue = TimerQueue::new(&TimerConfig::default());
        let dead = queue.arm(start, Duration::from_millis(500), ());
        queue.arm(start, Duration::from_secs(4), ());
        queue.forget_dead(|ring| ring.serial != dead);
        assert_eq!(queue.deadline(), Some(start + Duration::from_secs(4)));
    }
}
