//! Which RTP ports are free: sockets stay bound between calls, and a port rests before it is used again.

use std::collections::VecDeque;

/// The even RTP ports that a party may open streams on. The longest unused goes first, so that
/// late packets of an ended call seldom meet the next one.
#[derive(Debug, Default)]
pub struct PortPool {
    free: VecDeque<u16>,
    taken: usize,
    asked_for: usize,
}

impl PortPool {
    pub fn new() -> PortPool {
        PortPool::default()
    }

    /// Ports that are bound and ready (the answer to [`PortPool::wanted`]). Too few answered is fine: the rest is asked for again.
    pub fn add(&mut self, ports: impl IntoIterator<Item = u16>) {
        self.asked_for = 0;
        self.free.extend(ports);
    }

    /// A port for a new stream.
    pub fn take(&mut self) -> Option<u16> {
        let port = self.free.pop_front()?;
        self.taken += 1;
        Some(port)
    }

    /// After the stream's `Closed`.
    pub fn give_back(&mut self, port: u16) {
        debug_assert!(!self.free.contains(&port), "port {port} was given back twice");
        self.taken = self.taken.saturating_sub(1);
        self.free.push_back(port);
    }

    /// How many more to ask the engine for so that `low_water` are free; 0 while an earlier request is under way.
    pub fn wanted(&mut self, low_water: usize) -> usize {
        if self.asked_for > 0 || self.free.len() >= low_water {
            return 0;
        }
        self.asked_for = low_water - self.free.len();
        self.asked_for
    }

    pub fn free(&self) -> usize {
        self.free.len()
    }

    /// How many streams hold a port now: 0 when nothing is left over.
    pub fn taken(&self) -> usize {
        self.taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_rests_before_it_is_used_again() {
        let mut pool = PortPool::new();
        assert_eq!(pool.wanted(3), 3);
        assert_eq!(pool.wanted(3), 0, "asked for already");
        pool.add([40_000, 40_002, 40_004]);
        let first = pool.take().expect("three are free");
        pool.give_back(first);
        assert_eq!((pool.take(), pool.take(), pool.take(), pool.take()), (Some(40_002), Some(40_004), Some(40_000), None));
        assert_eq!((pool.taken(), pool.free()), (3, 0));
        assert_eq!(pool.wanted(4), 4);
    }
}
