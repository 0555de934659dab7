//! Who may use the API, and how often: key pairs by their hashes, in constant time, with a rate for each.

use std::{
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::http::HeaderMap;
use governor::{
    DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::refusal::Refusal;
use crate::{contract::api_fault::Cause, model::settings::ApiKey};

pub(super) const KEY_ID: &str = "asapp-api-id";
pub(super) const KEY_SECRET: &str = "asapp-api-secret";

/// Judges every request for a call transfer.
pub(super) struct Guard {
    keys: Vec<Arc<Key>>,
    requests_per_second: u32,
    clock: DefaultClock,
    /// Requests without a good key, by address.
    failures: DefaultKeyedRateLimiter<IpAddr>,
    failed: AtomicU32,
}

/// A key that is admitted, as far as its rate allows.
pub(super) struct Key {
    pub id: Arc<str>,
    id_sha256: [u8; 32],
    secret_sha256: [u8; 32],
    pub may_create: bool,
    pub may_read: bool,
    rate: DefaultDirectRateLimiter,
}

impl Guard {
    /// `failures_per_second`: of requests without a good key, from one address.
    pub fn new(keys: &[ApiKey], requests_per_second: u32, failures_per_second: u32) -> Self {
        let clock = DefaultClock::default();
        let keys = keys.iter().map(|key| Key {
            id: key.id.as_str().into(),
            id_sha256: Sha256::digest(&key.id).into(),
            secret_sha256: key.secret_sha256,
            may_create: key.may_create,
            may_read: key.may_read,
            rate: RateLimiter::direct(quota(requests_per_second)),
        });
        let keys = keys.map(Arc::new);
        let failures = RateLimiter::keyed(quota(failures_per_second));
        Self { keys: keys.collect(), requests_per_second, clock, failures, failed: AtomicU32::new(0) }
    }

    /// The key whose id and secret the headers hold.
    ///
    /// A good key gets through however many bad ones come from its address: else a stranger behind the same proxy
    /// could lock a customer out.
    pub fn known(&self, headers: &HeaderMap, peer: IpAddr) -> Result<Arc<Key>, Refusal> {
        let (Some(id), Some(secret)) = (only(headers, KEY_ID), only(headers, KEY_SECRET)) else {
            let why = format!("The headers {KEY_ID} and {KEY_SECRET} are required, once each");
            return Err(self.failure(peer, Refusal::new(Cause::NoKey, why)));
        };
        // The same work for an unknown id as for a wrong secret: two hashes, and each key's two compared.
        let (id, secret) = (Sha256::digest(id), Sha256::digest(secret));
        let mut found = None;
        for key in &self.keys {
            if bool::from(id.ct_eq(&key.id_sha256) & secret.ct_eq(&key.secret_sha256)) {
                found = Some(key.clone());
            }
        }
        found.ok_or_else(|| {
            self.failure(peer, Refusal::new(Cause::WrongKey, format!("{KEY_ID} and {KEY_SECRET} are no key of this bridge")))
        })
    }

    /// Counts a request of this key.
    pub fn rate(&self, key: &Key) -> Result<(), Refusal> {
        key.rate.check().map_err(|until| {
            let why = format!("This key may make {} requests a second", self.requests_per_second);
            Refusal::new(Cause::KeyTooFast, why).retry_after(whole_secs(until.wait_time_from(self.clock.now())))
        })
    }

    fn failure(&self, peer: IpAddr, refusal: Refusal) -> Refusal {
        // Addresses that have been quiet for a second are forgotten, every so often.
        if self.failed.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
            self.failures.retain_recent();
        }
        match self.failures.check_key(&network(peer)) {
            Ok(()) => refusal,
            Err(until) => Refusal::new(Cause::TooManyFailures, "Too many requests without a good key come from this address")
                .retry_after(whole_secs(until.wait_time_from(self.clock.now()))),
        }
    }
}

/// The value of a header that stands there once.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a [u8]> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none()).map(|value| value.as_bytes())
}

/// An IPv6 host has a whole /64 to speak from.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
    }
}

fn quota(per_second: u32) -> Quota {
    Quota::per_second(NonZeroU32::new(per_second).unwrap_or(NonZeroU32::MIN))
}

fn whole_secs(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

const FORGET_EVERY: u32 = 4096;
