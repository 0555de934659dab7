//! The one place that reads the clock: monotonic time for the parties, wall time for people.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::model::Timestamp;

/// Pairs one monotonic moment with one wall moment, so that captured times never run backwards.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Instant,
    wall: Timestamp,
}

impl Clock {
    /// Starts now.
    #[expect(clippy::disallowed_methods, reason = "the engine's clock is where time comes from")]
    pub fn start() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { start: Instant::now(), wall: Timestamp(u64::try_from(since_epoch.as_micros()).unwrap_or_default()) }
    }

    #[expect(clippy::disallowed_methods, reason = "the engine's clock is where time comes from")]
    pub fn now(&self) -> Instant {
        Instant::now()
    }

    /// The wall time of a monotonic moment.
    pub fn wall(&self, at: Instant) -> Timestamp {
        let passed = at.saturating_duration_since(self.start).as_micros();
        Timestamp(self.wall.0.saturating_add(u64::try_from(passed).unwrap_or(u64::MAX)))
    }

    /// A monotonic moment from the wall time that [`Clock::wall`] gave for it.
    pub fn started_at(&self) -> Timestamp {
        self.wall
    }
}
