//! What happens to packets on their way to the bridge.

use std::time::Duration;

/// The kinds of network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Network {
    Clean,
    /// A packet is lost with this chance.
    Loss(f64),
    /// Losses in rows of three in the mean.
    Bursts(f64),
    /// Each packet is late by up to so many milliseconds, and so overtakes others.
    Jitter(f64),
}

/// One direction.
pub struct Line {
    network: Network,
    seed: u64,
    losing: bool,
}

impl Network {
    pub fn words(self) -> String {
        match self {
            Network::Clean => "clean".to_owned(),
            Network::Loss(share) => format!("{:.0} % lost", share * 100.0),
            Network::Bursts(share) => format!("{:.0} % lost in bursts", share * 100.0),
            Network::Jitter(millis) => format!("{millis:.0} ms jitter, reordered"),
        }
    }
}

impl Line {
    pub fn new(network: Network, number: usize) -> Self {
        Self { network, seed: 0x5eed ^ (number as u64) << 20, losing: false }
    }

    /// How late a packet comes; none: never.
    pub fn fate(&mut self) -> Option<Duration> {
        let (way, chance) = (Duration::from_millis(5), self.chance());
        match self.network {
            Network::Clean => Some(way),
            Network::Loss(share) => (chance >= share).then_some(way),
            Network::Bursts(share) => {
                let into = share / (1.0 - share) / 3.0;
                self.losing = if self.losing { chance >= 1.0 / 3.0 } else { chance < into };
                (!self.losing).then_some(way)
            }
            Network::Jitter(millis) => Some(way + Duration::from_secs_f64(chance * millis / 1_000.0)),
        }
    }

    fn chance(&mut self) -> f64 {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 11) as f64 / (1u64 << 53) as f64
    }
}
