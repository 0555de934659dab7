//! Who may speak on a stream: the negotiated address, or, behind NAT, the first that speaks (RFC 4961).

use std::net::SocketAddr;

/// Locks a stream to one sender. A stranger is counted, never relayed nor answered.
#[derive(Debug, Default)]
pub struct SourceLock {
    negotiated: Option<SocketAddr>,
    /// Where the peer was before it moved, and how many more packets from there may be its last ones.
    former: Option<(SocketAddr, u8)>,
    state: State,
    /// Those that were told; nearly always none.
    strangers: Vec<SocketAddr>,
    pub stranger_packets: u64,
}

#[derive(Debug, Default, Clone, Copy)]
enum State {
    /// Nothing was settled: nobody may speak.
    #[default]
    Closed,
    /// `packets` more may still move the lock.
    Learning {
        packets: u8,
        candidate: Option<(SocketAddr, u32)>,
    },
    Locked(SocketAddr),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Accepted,
    /// Accepted, and from now on this is where the peer is.
    Learned,
    /// Not accepted and no stranger either: nothing is settled yet, or the peer's last packets from where it was.
    Untimely,
    /// Not accepted; `new`: not told before, and worth telling.
    Stranger {
        new: bool,
    },
}

impl SourceLock {
    /// After an offer and answer. The same address again changes nothing: only an SDP that moves the peer reopens the lock.
    pub fn settle(&mut self, remote: Option<SocketAddr>, relearn: bool) {
        if remote == self.negotiated && !matches!(self.state, State::Closed) {
            return;
        }
        self.former = self.remote().filter(|former| Some(*former) != remote).map(|former| (former, LAST_PACKETS));
        self.negotiated = remote;
        self.state = match remote {
            None => State::Closed,
            Some(_) if relearn => State::Learning { packets: LEARNING_PACKETS, candidate: None },
            Some(address) => State::Locked(address),
        };
    }

    /// Judges one packet.
    pub fn judge(&mut self, from: SocketAddr, ssrc: u32) -> Verdict {
        if let Some((former, left)) = &mut self.former
            && *former == from
            && *left > 0
        {
            *left -= 1;
            return Verdict::Untimely;
        }
        match self.state {
            State::Locked(address) if address == from => Verdict::Accepted,
            // An answerer may speak before we have read its answer (RFC 3264 §5.1).
            State::Closed => Verdict::Untimely,
            State::Locked(_) => self.note_stranger(from),
            State::Learning { .. } if self.negotiated == Some(from) => {
                // The peer is where it said: whoever spoke before it was somebody else.
                self.state = State::Locked(from);
                Verdict::Accepted
            }
            State::Learning { packets, candidate } => {
                let packets = packets - 1;
                // One candidate, told by address and SSRC: a second voice in the window can't take the stream from the first.
                if candidate.is_some_and(|known| known != (from, ssrc)) {
                    self.state = Self::after(packets, candidate);
                    return self.note_stranger(from);
                }
                self.state = Self::after(packets, Some((from, ssrc)));
                if candidate.is_none() { Verdict::Learned } else { Verdict::Accepted }
            }
        }
    }

    /// Where the peer is known to be: where packets for it go.
    pub fn remote(&self) -> Option<SocketAddr> {
        match self.state {
            State::Closed => None,
            State::Locked(address) => Some(address),
            State::Learning { candidate, .. } => candidate.map(|(address, _)| address).or(self.negotiated),
        }
    }

    fn after(packets: u8, candidate: Option<(SocketAddr, u32)>) -> State {
        match candidate {
            Some((address, _)) if packets == 0 => State::Locked(address),
            _ => State::Learning { packets, candidate },
        }
    }

    fn note_stranger(&mut self, from: SocketAddr) -> Verdict {
        self.stranger_packets += 1;
        let new = self.strangers.len() < MOST_TOLD && !self.strangers.contains(&from);
        if new {
            self.strangers.push(from);
        }
        Verdict::Stranger { new }
    }
}

const LEARNING_PACKETS: u8 = 5;
/// A second of them. After that it has not moved, whatever it said: behind NAT it is learned there, else told as a stranger.
const LAST_PACKETS: u8 = 50;
const MOST_TOLD: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, last], 4_000))
    }

    fn settled(relearn: bool) -> SourceLock {
        let mut lock = SourceLock::default();
        lock.settle(Some(address(1)), relearn);
        lock
    }

    #[test]
    fn only_the_negotiated_address_is_heard() {
        let mut lock = settled(false);
        assert_eq!(lock.judge(address(2), 7), Verdict::Stranger { new: true });
        assert_eq!(lock.judge(address(2), 7), Verdict::Stranger { new: false });
        assert_eq!(lock.judge(address(1), 7), Verdict::Accepted);
        assert_eq!(lock.judge(address(1), 8), Verdict::Accepted, "a new SSRC from the right source is a restart");
        assert_eq!((lock.stranger_packets, lock.remote()), (2, Some(address(1))));
    }

    #[test]
    fn before_anything_is_settled_nobody_is_heard_and_nobody_is_a_stranger() {
        let mut lock = SourceLock::default();
        assert_eq!(lock.judge(address(1), 7), Verdict::Untimely);
        assert_eq!(lock.stranger_packets, 0);
    }

    #[test]
    fn behind_nat_the_first_to_speak_is_learned_and_then_locked() {
        let mut lock = settled(true);
        assert_eq!(lock.judge(address(2), 7), Verdict::Learned);
        assert_eq!(lock.remote(), Some(address(2)));
        for _ in 0..4 {
            assert_eq!(lock.judge(address(2), 7), Verdict::Accepted);
        }
        assert_eq!(lock.judge(address(3), 7), Verdict::Stranger { new: true });
        assert_eq!(lock.judge(address(1), 9), Verdict::Stranger { new: true }, "locked: even the negotiated address comes too late");
        assert_eq!(lock.remote(), Some(address(2)));
    }

    #[test]
    fn the_negotiated_address_wins_within_the_window() {
        let mut lock = settled(true);
        assert_eq!(lock.judge(address(2), 7), Verdict::Learned);
        assert_eq!(lock.judge(address(1), 9), Verdict::Accepted);
        assert_eq!(lock.judge(address(2), 7), Verdict::Stranger { new: true });
        assert_eq!(lock.remote(), Some(address(1)));
    }

    #[test]
    fn two_voices_in_the_window_do_not_alternate() {
        let mut lock = settled(true);
        assert_eq!(lock.judge(address(2), 7), Verdict::Learned);
        assert_eq!(lock.judge(address(3), 8), Verdict::Stranger { new: true });
        assert_eq!(lock.judge(address(2), 8), Verdict::Stranger { new: true }, "another SSRC is another voice");
        assert_eq!(lock.remote(), Some(address(2)));
    }

    #[test]
    fn a_new_sdp_moves_the_lock_and_the_same_sdp_does_not() {
        let mut lock = settled(true);
        for _ in 0..5 {
            lock.judge(address(2), 7);
        }
        lock.settle(Some(address(1)), true);
        assert_eq!(lock.remote(), Some(address(2)), "a re-INVITE that moves nothing keeps what was learned");
        lock.settle(Some(address(4)), false);
        assert_eq!(lock.judge(address(4), 7), Verdict::Accepted);
        for _ in 0..50 {
            assert_eq!(lock.judge(address(2), 7), Verdict::Untimely, "the last packets from where it was");
        }
        assert_eq!(lock.judge(address(2), 7), Verdict::Stranger { new: true });
        assert_eq!(lock.judge(address(9), 7), Verdict::Stranger { new: true });
        lock.settle(None, false);
        assert_eq!(lock.judge(address(4), 7), Verdict::Untimely);
    }
}
