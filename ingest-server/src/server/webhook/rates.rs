//! How often one may ask: a token bucket for each address, before anything is looked up, and one for each source.

use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::Refusal;
use crate::server::settings::WebhookSettings;

/// After so many checks, buckets that are full again are forgotten: a new one would be the same.
const CHECKS_PER_CLEANING: u32 = 100_000;

pub(super) struct Rates {
    addresses: Option<Rate<IpAddr>>,
    sources: Option<Rate<String>>,
}

impl Rates {
    pub(super) fn new(settings: &WebhookSettings) -> Self {
        Self {
            addresses: Rate::new(settings.requests_per_second_per_address),
            sources: Rate::new(settings.requests_per_second_per_source),
        }
    }

    pub(super) fn check_address(&self, address: IpAddr) -> Result<(), Refusal> {
        self.addresses.as_ref().map_or(Ok(()), |rate| rate.check(&one_host(address)))
    }

    pub(super) fn check_source(&self, id: &str) -> Result<(), Refusal> {
        self.sources.as_ref().map_or(Ok(()), |rate| rate.check(&id.to_owned()))
    }
}

/// What counts as one address: a network of IPv6 gives each host as many addresses as it likes.
fn one_host(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !(u128::MAX >> 64)).into(),
    }
}

struct Rate<K: Hash + Eq + Clone> {
    limiter: DefaultKeyedRateLimiter<K>,
    clock: DefaultClock,
    checks: AtomicU32,
}

impl<K: Hash + Eq + Clone> Rate<K> {
    /// None if there is no limit.
    fn new(per_second: u32) -> Option<Self> {
        let quota = Quota::per_second(NonZeroU32::new(per_second)?);
        Some(Self {
            limiter: RateLimiter::keyed(quota),
            clock: DefaultClock::default(),
            checks: AtomicU32::new(0),
        })
    }

    fn check(&self, key: &K) -> Result<(), Refusal> {
        if self.checks.fetch_add(1, Ordering::Relaxed) % CHECKS_PER_CLEANING
            == CHECKS_PER_CLEANING - 1
        {
            self.limiter.retain_recent();
        }
        self.limiter
            .check_key(key)
            .map_err(|early| Refusal::RateLimited(early.wait_time_from(self.clock.now())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(per_source: u32, per_address: u32) -> Rates {
        Rates::new(&WebhookSettings {
            requests_per_second_per_source: per_source,
            requests_per_second_per_address: per_address,
            ..WebhookSettings::default()
        })
    }

    #[test]
    fn each_source_has_a_bucket_of_its_own() {
        let rates = rates(3, 0);
        for source in ["a", "b"] {
            let refused = (0..20).filter(|_| rates.check_source(source).is_err()).count();
            assert!((15..=17).contains(&refused), "{refused}");
        }
        let Err(Refusal::RateLimited(pause)) = rates.check_source("a") else { panic!("no limit") };
        assert!(pause.as_millis() <= 334, "{pause:?}");
    }

    #[test]
    fn zero_is_no_limit() {
        let rates = rates(0, 0);
        assert!((0..10_000).all(|_| rates.check_source("a").is_ok()));
        assert!((0..10_000).all(|_| rates.check_address([127, 0, 0, 1].into()).is_ok()));
    }

    #[test]
    fn a_host_cannot_multiply_by_its_network() {
        let one = one_host("2001:db8:1:2::1".parse().unwrap());
        assert_eq!(one, one_host("2001:db8:1:2:ffff::9".parse().unwrap()));
        assert_ne!(one, one_host("2001:db8:1:3::1".parse().unwrap()));
        let four: IpAddr = "192.0.2.1".parse().unwrap();
        assert_eq!(one_host("::ffff:192.0.2.1".parse().unwrap()), four);
        assert_ne!(one_host("192.0.2.2".parse().unwrap()), four);
    }
}
