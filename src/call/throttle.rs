//! Who is answered at all: rates per source address, in a bounded table.
//!
//! ```text
//!            failure                     30 failures ignored
//!  Answered ────────► 10 spent: Slowed ───────────────────────► Silenced (60 s) ──► Answered
//!      ▲               one answer a second │
//!      └───────────────────────────────────┘ time passes
//! ```
//!
//! An address that only fails to be admitted is *slowed*: what is over the rate gets no answer, so its own
//! retransmission timers hold it back. If it goes on, it is dropped before anything is read.

use std::{
    collections::HashMap,
    net::IpAddr,
    time::{Duration, Instant},
};

/// What an address has been doing, for addresses that are not admitted.
#[derive(Debug)]
pub struct Throttle {
    /// Messages a second from one address that is not admitted.
    per_second: f64,
    sources: HashMap<IpAddr, Source>,
    dropped: u64,
}

/// What to do with a message whose sender was not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    Answer,
    /// Over the rate: no answer.
    Ignore,
    /// No answer, and none for the next minute. Said once, so that the operator can be told.
    Silence,
}

#[derive(Debug)]
struct Source {
    messages: Bucket,
    failures: Bucket,
    /// Failures in a row that got no answer.
    ignored: u32,
    silent_until: Option<Instant>,
}

impl Throttle {
    pub fn new(per_second: u32) -> Self {
        Self { per_second: f64::from(per_second.max(1)), sources: HashMap::new(), dropped: 0 }
    }

    /// For addresses that are new from now on.
    pub fn set_rate(&mut self, per_second: u32) {
        self.per_second = f64::from(per_second.max(1));
    }

    /// Whether a message from there is dropped unread.
    pub fn is_silenced(&mut self, now: Instant, source: IpAddr) -> bool {
        let silenced = self.sources.get(&key(source)).and_then(|s| s.silent_until).is_some_and(|until| now < until);
        self.dropped += u64::from(silenced);
        silenced
    }

    /// A message that opens nothing: a challenge to answer, OPTIONS from a stranger.
    pub fn unadmitted(&mut self, now: Instant, source: IpAddr) -> Treatment {
        let treatment = self.source(now, source).count(now, false);
        self.noted(treatment)
    }

    /// A refusal: a wrong password, an address that no peer holds.
    pub fn failed(&mut self, now: Instant, source: IpAddr) -> Treatment {
        let treatment = self.source(now, source).count(now, true);
        self.noted(treatment)
    }

    /// Admitted after all: what was held against the address is forgotten.
    pub fn admitted(&mut self, source: IpAddr) {
        if !self.sources.is_empty() {
            self.sources.remove(&key(source));
        }
    }

    /// Messages that got no answer since the start.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Addresses that are remembered now.
    pub fn len(&self) -> usize {
        self.sources.len()
    }

    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    fn noted(&mut self, treatment: Treatment) -> Treatment {
        self.dropped += u64::from(treatment != Treatment::Answer);
        treatment
    }

    fn source(&mut self, now: Instant, source: IpAddr) -> &mut Source {
        let source = key(source);
        if self.sources.len() >= MAX_SOURCES && !self.sources.contains_key(&source) {
            self.make_room(now);
        }
        let per_second = self.per_second;
        self.sources.entry(source).or_insert_with(|| Source {
            messages: Bucket::full(now, per_second, per_second),
            failures: Bucket::full(now, FAILURES_AT_ONCE, FAILURES_PER_SECOND),
            ignored: 0,
            silent_until: None,
        })
    }

    /// Forgets addresses that have been quiet long enough to have a full bucket again; if all are busy, half of
    /// them: a table full of forged addresses protects nobody.
    fn make_room(&mut self, now: Instant) {
        self.sources.retain(|_, s| s.silent_until.is_some_and(|until| now < until) || !s.is_rested(now));
        if self.sources.len() >= MAX_SOURCES {
            let mut keep = false;
            self.sources.retain(|_, _| {
                keep = !keep;
                keep
            });
        }
    }
}

impl Source {
    fn count(&mut self, now: Instant, failure: bool) -> Treatment {
        if self.silent_until.is_some_and(|until| now < until) {
            return Treatment::Ignore;
        }
        if self.silent_until.take().is_some() {
            self.ignored = 0;
        }
        if !self.messages.take(now) {
            // Not silenced for it: a burst of calls from an SBC that waits for its challenges looks the same.
            return Treatment::Ignore;
        }
        if !failure || self.failures.take(now) {
            self.ignored = 0;
            return Treatment::Answer;
        }
        self.ignored += 1;
        if self.ignored >= IGNORED_BEFORE_SILENCE {
            self.silent_until = Some(now + SILENCE);
            return Treatment::Silence;
        }
        Treatment::Ignore
    }

    fn is_rested(&self, now: Instant) -> bool {
        self.messages.is_full(now) && self.failures.is_full(now)
    }
}

/// A token bucket.
#[derive(Debug, Clone)]
pub struct Bucket {
    tokens: f64,
    most: f64,
    per_second: f64,
    at: Instant,
}

impl Bucket {
    pub fn full(now: Instant, most: f64, per_second: f64) -> Self {
        Self { tokens: most, most, per_second, at: now }
    }

    /// Takes a token, if there is one.
    pub fn take(&mut self, now: Instant) -> bool {
        self.tokens = self.level(now);
        self.at = now;
        let taken = self.tokens >= 1.0;
        if taken {
            self.tokens -= 1.0;
        }
        taken
    }

    pub fn is_full(&self, now: Instant) -> bool {
        self.level(now) >= self.most
    }

    fn level(&self, now: Instant) -> f64 {
        (self.tokens + now.saturating_duration_since(self.at).as_secs_f64() * self.per_second).min(self.most)
    }
}

/// One host has a whole IPv6 /64 (RFC 6177): addresses within it count together.
fn key(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6((u128::from(ip) & (u128::MAX << 64)).into()),
        v4 => v4,
    }
}

const FAILURES_AT_ONCE: f64 = 10.0;
const FAILURES_PER_SECOND: f64 = 1.0;
const IGNORED_BEFORE_SILENCE: u32 = 30;
const SILENCE: Duration = Duration::from_secs(60);
const MAX_SOURCES: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

    #[test]
    fn repeated_failures_are_slowed_then_dropped_and_forgiven() {
        let mut throttle = Throttle::new(50);
        let mut now = Instant::now();
        let answered = (0..10).filter(|_| throttle.failed(now, SOURCE) == Treatment::Answer).count();
        assert_eq!(answered, 10);
        assert_eq!(throttle.failed(now, SOURCE), Treatment::Ignore);
        now += Duration::from_secs(1);
        assert_eq!(throttle.failed(now, SOURCE), Treatment::Answer, "slowed: one a second");
        let silence = (0..30).map(|_| throttle.failed(now, SOURCE)).find(|t| *t == Treatment::Silence);
        assert_eq!(silence, Some(Treatment::Silence));
        assert!(throttle.is_silenced(now, SOURCE));
        now += Duration::from_secs(61);
        assert!(!throttle.is_silenced(now, SOURCE));
        assert_eq!(throttle.failed(now, SOURCE), Treatment::Answer);
    }

    #[test]
    fn over_fifty_unadmitted_messages_a_second_get_no_answer() {
        let mut throttle = Throttle::new(50);
        let now = Instant::now();
        assert!((0..50).all(|_| throttle.unadmitted(now, SOURCE) == Treatment::Answer));
        assert_eq!(throttle.unadmitted(now, SOURCE), Treatment::Ignore);
        assert_eq!(throttle.unadmitted(now + Duration::from_secs(1), SOURCE), Treatment::Answer);
        let other = "192.0.2.8".parse().unwrap();
        assert_eq!(throttle.unadmitted(now, other), Treatment::Answer, "others are not touched");
    }

    #[test]
    fn forged_addresses_fill_no_memory() {
        let mut throttle = Throttle::new(50);
        let now = Instant::now();
        for n in 0..3 * MAX_SOURCES as u32 {
            throttle.failed(now, IpAddr::V4(n.into()));
        }
        assert!(throttle.len() <= MAX_SOURCES);
    }

    #[test]
    fn an_ipv6_host_counts_as_one() {
        let mut throttle = Throttle::new(50);
        let now = Instant::now();
        for n in 0..50u128 {
            throttle.unadmitted(now, IpAddr::V6((0x2001_0db8 << 96 | n).into()));
        }
        assert_eq!(throttle.unadmitted(now, "2001:db8::ffff".parse().unwrap()), Treatment::Ignore);
    }
}
