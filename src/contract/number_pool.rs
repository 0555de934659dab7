//! Numbers to lease (contract §4): ranges per country, the number that has been free longest first.
//!
//! A number that was never leased counts as free since ever, in the order of the ranges. So a number that was
//! just released rests for as long as the pool allows, and a late caller seldom reaches somebody else's transfer.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use crate::model::{PoolFigures, Timestamp, settings::NumberRange};

/// All pools. A number is leased at most once at a time, whatever ranges name it.
#[derive(Debug, Default)]
pub struct NumberPools {
    countries: BTreeMap<String, Pool>,
    leases: HashMap<u64, Lease>,
}

#[derive(Debug)]
struct Lease {
    country: String,
    ends_at: Timestamp,
}

/// Why there is no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoLease {
    /// No range is for this country.
    NoPool,
    /// All are leased; the next lease ends in so many seconds, at least 1.
    Exhausted { retry_after_secs: u64 },
}

#[derive(Debug, Default)]
struct Pool {
    /// First and last number of each range, without what an earlier range has.
    ranges: Vec<(u64, u64)>,
    total: u64,
    /// Numbers whose lease was revoked: they go before all others, as if never taken.
    revoked: Vec<u64>,
    /// The next number that was never leased: index of its range, and how far into it.
    fresh: (usize, u64),
    /// Leased before this program started, so not fresh once `fresh` comes to them.
    used_before: HashSet<u64>,
    /// The longest free first.
    released: VecDeque<u64>,
    /// By the end of the lease.
    leased: BTreeSet<(Timestamp, u64)>,
}

impl NumberPools {
    pub fn new(ranges: &[NumberRange]) -> Self {
        let mut pools = Self::default();
        let mut taken: Vec<(u64, u64)> = Vec::new();
        for range in ranges {
            let pool = pools.countries.entry(range.country.clone()).or_default();
            for (first, last) in without(range.first, range.last, &taken) {
                pool.total += last - first + 1;
                pool.ranges.push((first, last));
                taken.push((first, last));
            }
        }
        pools
    }

    /// Other ranges from now on. Leases go on where a range still has their numbers; what rested longest comes first again.
    pub fn replace(&mut self, ranges: &[NumberRange]) {
        let old = std::mem::replace(self, Self::new(ranges));
        for (number, lease) in old.leases {
            self.lease_again(number, lease.ends_at);
        }
        self.remember(old.countries.into_values().flat_map(|pool| pool.released));
    }

    /// These numbers have been leased before, the longest ago first. What is leased already is passed over.
    pub fn remember(&mut self, released: impl Iterator<Item = u64>) {
        for number in released {
            if let Some(pool) = self.countries.values_mut().find(|pool| pool.holds(number))
                && pool.used_before.insert(number)
            {
                pool.released.push_back(number);
            }
        }
    }

    /// Leases a number of `country` from `now` until `ends_at`.
    ///
    /// # Errors
    /// No pool is for the country, or every number of it is leased.
    pub fn lease(&mut self, country: &str, now: Timestamp, ends_at: Timestamp) -> Result<u64, NoLease> {
        let pool = self.countries.get_mut(country).ok_or(NoLease::NoPool)?;
        let number = pool.take().ok_or_else(|| NoLease::Exhausted { retry_after_secs: pool.secs_to_next_end(now) })?;
        pool.leased.insert((ends_at, number));
        self.leases.insert(number, Lease { country: country.to_owned(), ends_at });
        Ok(number)
    }

    /// Leases this very number: its lease goes on over a restart, or its release was not kept.
    /// One that is in no pool any more is not ours to lease.
    pub fn lease_again(&mut self, number: u64, ends_at: Timestamp) {
        let Some((country, pool)) = self.countries.iter_mut().find(|(_, pool)| pool.holds(number)) else { return };
        if self.leases.contains_key(&number) {
            return;
        }
        pool.used_before.insert(number);
        pool.revoked.retain(|other| *other != number);
        if pool.released.back() == Some(&number) {
            pool.released.pop_back();
        } else {
            pool.released.retain(|other| *other != number);
        }
        pool.leased.insert((ends_at, number));
        self.leases.insert(number, Lease { country: country.clone(), ends_at });
    }

    /// The number is free from now on, and will be leased after all that have been free for longer.
    pub fn release(&mut self, number: u64) {
        if let Some(pool) = self.end_lease(number) {
            pool.released.push_back(number);
        }
    }

    /// The lease was never given out: the number goes back to where it was taken from.
    pub fn revoke(&mut self, number: u64) {
        if let Some(pool) = self.end_lease(number) {
            pool.revoked.push(number);
        }
    }

    pub fn figures(&self) -> Vec<PoolFigures> {
        let of = |(country, pool): (&String, &Pool)| PoolFigures {
            country: country.clone(),
            total: usize::try_from(pool.total).unwrap_or(usize::MAX),
            leased: pool.leased.len(),
        };
        self.countries.iter().map(of).collect()
    }

    /// When the first lease of the country ends.
    pub fn next_lease_ends_at(&self, country: &str) -> Option<Timestamp> {
        self.countries.get(country)?.leased.first().map(|(ends_at, _)| *ends_at)
    }

    fn end_lease(&mut self, number: u64) -> Option<&mut Pool> {
        let lease = self.leases.remove(&number)?;
        let pool = self.countries.get_mut(&lease.country)?;
        pool.leased.remove(&(lease.ends_at, number));
        Some(pool)
    }
}

impl Pool {
    fn holds(&self, number: u64) -> bool {
        self.ranges.iter().any(|(first, last)| (*first..=*last).contains(&number))
    }

    fn take(&mut self) -> Option<u64> {
        self.revoked.pop().or_else(|| self.next_fresh()).or_else(|| self.released.pop_front())
    }

    fn next_fresh(&mut self) -> Option<u64> {
        loop {
            let (first, last) = *self.ranges.get(self.fresh.0)?;
            let number = first + self.fresh.1;
            self.fresh = if number < last { (self.fresh.0, self.fresh.1 + 1) } else { (self.fresh.0 + 1, 0) };
            if !self.used_before.remove(&number) {
                return Some(number);
            }
        }
    }

    fn secs_to_next_end(&self, now: Timestamp) -> u64 {
        self.leased.first().map_or(1, |(ends_at, _)| ends_at.micros_since(now).div_ceil(1_000_000).max(1))
    }
}

/// `first..=last` without `taken`, in order.
fn without(first: u64, last: u64, taken: &[(u64, u64)]) -> Vec<(u64, u64)> {
    taken.iter().fold(vec![(first, last)], |parts, &(from, to)| {
        let mut left = Vec::with_capacity(parts.len() + 1);
        for (first, last) in parts {
            if to < first || last < from {
                left.push((first, last));
                continue;
            }
            if first < from {
                left.push((first, from - 1));
            }
            if to < last {
                left.push((to + 1, last));
            }
        }
        left
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(country: &str, first: u64, last: u64) -> NumberRange {
        NumberRange { country: country.to_owned(), first, last }
    }

    fn at(secs: u64) -> Timestamp {
        Timestamp(secs * 1_000_000)
    }

    fn take(pools: &mut NumberPools, country: &str) -> Option<u64> {
        pools.lease(country, at(0), at(60)).ok()
    }

    #[test]
    fn never_used_numbers_go_first_in_range_order_then_the_longest_free() {
        let mut pools = NumberPools::new(&[range("US", 5001, 5002), range("DE", 7001, 7001), range("US", 4001, 4002)]);
        assert_eq!(take(&mut pools, "US"), Some(5001));
        assert_eq!(take(&mut pools, "US"), Some(5002));
        pools.release(5001);
        assert_eq!(take(&mut pools, "US"), Some(4001), "a never used one before a released one");
        pools.release(5002);
        assert_eq!(take(&mut pools, "US"), Some(4002));
        assert_eq!(take(&mut pools, "US"), Some(5001));
        assert_eq!(take(&mut pools, "US"), Some(5002));
        assert_eq!(take(&mut pools, "US"), None);
        assert_eq!(take(&mut pools, "DE"), Some(7001));
        assert_eq!(pools.lease("FR", at(0), at(60)), Err(NoLease::NoPool));
    }

    #[test]
    fn an_exhausted_pool_says_when_the_next_lease_ends() {
        let mut pools = NumberPools::new(&[range("US", 5001, 5002)]);
        pools.lease("US", at(0), at(60)).expect("a number");
        pools.lease("US", at(10), at(70)).expect("a number");
        assert_eq!(pools.lease("US", Timestamp(at(11).0 + 1), at(71)), Err(NoLease::Exhausted { retry_after_secs: 49 }));
        assert_eq!(pools.lease("US", at(90), at(99)), Err(NoLease::Exhausted { retry_after_secs: 1 }), "due, but not swept yet");
        let figures = pools.figures();
        assert_eq!((figures[0].leased, figures[0].total), (2, 2));
        assert_eq!(pools.next_lease_ends_at("US"), Some(at(60)));
    }

    #[test]
    fn a_revoked_lease_is_as_if_never_given() {
        let mut pools = NumberPools::new(&[range("US", 5001, 5003)]);
        assert_eq!((take(&mut pools, "US"), take(&mut pools, "US")), (Some(5001), Some(5002)));
        pools.revoke(5002);
        pools.revoke(5001);
        assert_eq!((take(&mut pools, "US"), take(&mut pools, "US"), take(&mut pools, "US")), (Some(5001), Some(5002), Some(5003)));
        pools.release(5002);
        pools.lease_again(5002, at(60));
        assert_eq!(take(&mut pools, "US"), None, "a release that was revoked");
        pools.release(5002);
        assert_eq!(take(&mut pools, "US"), Some(5002));
    }

    #[test]
    fn after_a_restart_leases_and_the_order_of_release_go_on() {
        let mut pools = NumberPools::new(&[range("US", 5001, 5005)]);
        pools.remember([5004, 5002, 9999].into_iter());
        pools.lease_again(5001, at(60));
        pools.lease_again(5004, at(60));
        pools.lease_again(9999, at(60));
        assert_eq!(take(&mut pools, "US"), Some(5003), "the first that was never used");
        assert_eq!(take(&mut pools, "US"), Some(5005));
        assert_eq!(take(&mut pools, "US"), Some(5002));
        assert_eq!(take(&mut pools, "US"), None);
        pools.release(5001);
        assert_eq!(take(&mut pools, "US"), Some(5001));
        pools.release(9999);
        assert_eq!(take(&mut pools, "US"), None, "a number that left the settings is not ours");
    }

    #[test]
    fn a_number_in_two_ranges_is_one_number() {
        let mut pools = NumberPools::new(&[range("US", 5003, 5004), range("CA", 5001, 5006), range("US", 5004, 5007)]);
        let totals: Vec<(String, usize)> = pools.figures().into_iter().map(|f| (f.country, f.total)).collect();
        assert_eq!(totals, [("CA".to_owned(), 4), ("US".to_owned(), 3)]);
        let mut all: Vec<u64> = std::iter::from_fn(|| take(&mut pools, "US")).collect();
        all.extend(std::iter::from_fn(|| take(&mut pools, "CA")));
        assert_eq!(all, [5003, 5004, 5007, 5001, 5002, 5005, 5006]);
    }

    #[test]
    fn releasing_twice_frees_once() {
        let mut pools = NumberPools::new(&[range("US", 5001, 5001)]);
        take(&mut pools, "US");
        pools.release(5001);
        pools.release(5001);
        assert_eq!((take(&mut pools, "US"), take(&mut pools, "US")), (Some(5001), None));
    }
}
