//! The INVITE server transaction (RFC 3261 §17.2.1, figure 7, with the Accepted state of RFC 6026 §7.1).
//!
//! ```text
//!                          | INVITE: to user
//!    INVITE: resend 1xx    V             200 ms of silence: send 100
//!             +------ PROCEEDING ------+ 1xx from user: send
//!             +------>  |    |  <------+ transport error: tell user
//!                       |    |
//!  300-699 from user:   |    | 2xx from user: send
//!  send                 |    +------------------------+
//!    INVITE, Timer G:   V                             V   INVITE: absorb
//!    resend  +---- COMPLETED ---- Timer H: --+    ACCEPTED ---+ ACK: to user
//!            +--->  |      transport error:  |        |  <----+ 2xx from user: send
//!               ACK |      tell user         |        |
//!                   V                        |        | Timer L
//!               CONFIRMED (absorbs ACKs)     |        |
//!                   | Timer I                |        |
//!                   V                        V        V
//!                              TERMINATED
//! ```

use std::time::Duration;

use super::effect::{Effect, Effects, ServerInput as Input, Timer};
use crate::sip::timers::{TRYING_AFTER, TimerConfig};

/// One INVITE that came in.
#[derive(Debug)]
pub struct ServerInvite {
    state: State,
    reliable: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// `answered`: a provisional response has been sent, which repetitions of the INVITE are answered with.
    Proceeding {
        answered: bool,
    },
    Completed {
        interval: Duration,
    },
    Confirmed,
    Accepted,
    Terminated,
}

impl ServerInvite {
    /// Hands the INVITE up, and promises a 100 where the user takes its time.
    pub fn start(reliable: bool, effects: &mut Effects) -> Self {
        effects.extend([Effect::PassUp, Effect::Start(Timer::Trying, TRYING_AFTER)]);
        Self { state: State::Proceeding { answered: false }, reliable }
    }

    pub fn handle(&mut self, input: Input, timers: &TimerConfig, effects: &mut Effects) {
        self.state = match (self.state, input) {
            (State::Proceeding { answered: false }, Input::Timer(Timer::Trying) | Input::Request) => {
                // A repeated INVITE within the 200 ms wants the same 100, only sooner.
                effects.extend([Effect::Stop(Timer::Trying), Effect::SendTrying]);
                State::Proceeding { answered: true }
            }
            (State::Proceeding { answered: true }, Input::Request) => {
                effects.push(Effect::Resend);
                State::Proceeding { answered: true }
            }
            (State::Proceeding { .. }, Input::Respond(100..=199)) => {
                effects.extend([Effect::Stop(Timer::Trying), Effect::Send]);
                State::Proceeding { answered: true }
            }
            (State::Proceeding { answered }, Input::TransportError) => {
                effects.push(Effect::TransportFailed);
                State::Proceeding { answered }
            }
            (State::Proceeding { .. }, Input::Respond(200..=299)) => {
                // RFC 6026 §7.1: the 2xx is the user's to repeat; this state swallows repeated INVITEs for it.
                effects.extend([Effect::Stop(Timer::Trying), Effect::Send, Effect::Start(Timer::L, timers.patience())]);
                State::Accepted
            }
            (State::Proceeding { .. }, Input::Respond(300..=699)) => {
                effects.extend([Effect::Stop(Timer::Trying), Effect::Send]);
                if !self.reliable {
                    effects.push(Effect::Start(Timer::G, timers.t1));
                }
                effects.push(Effect::Start(Timer::H, timers.patience()));
                State::Completed { interval: timers.t1 }
            }
            (State::Completed { interval }, Input::Request) => {
                effects.push(Effect::Resend);
                State::Completed { interval }
            }
            (State::Completed { interval }, Input::Timer(Timer::G)) => {
                let interval = timers.backed_off(interval);
                effects.extend([Effect::Resend, Effect::Start(Timer::G, interval)]);
                State::Completed { interval }
            }
            (State::Completed { .. }, Input::Timer(Timer::H)) => {
                effects.extend([Effect::Stop(Timer::G), Effect::TimedOut, Effect::Terminated]);
                State::Terminated
            }
            (State::Completed { .. }, Input::TransportError) => {
                effects.extend([Effect::TransportFailed, Effect::Terminated]);
                State::Terminated
            }
            (State::Completed { .. }, Input::Ack) => {
                effects.push(Effect::Stop(Timer::G));
                if self.reliable {
                    // Timer I is zero on a reliable transport.
                    effects.push(Effect::Terminated);
                    State::Terminated
                } else {
                    effects.push(Effect::Start(Timer::I, timers.t4));
                    State::Confirmed
                }
            }
            (State::Confirmed, Input::Timer(Timer::I)) => {
                effects.push(Effect::Terminated);
                State::Terminated
            }
            (State::Accepted, Input::Ack) => {
                effects.push(Effect::PassUp);
                State::Accepted
            }
            (State::Accepted, Input::Respond(200..=299)) => {
                effects.push(Effect::Send);
                State::Accepted
            }
            (State::Accepted, Input::TransportError) => {
                effects.push(Effect::TransportFailed);
                State::Accepted
            }
            (State::Accepted, Input::Timer(Timer::L)) => {
                effects.push(Effect::Terminated);
                State::Terminated
            }
            // INVITEs and ACKs once confirmed or accepted, a second final response, stopped timers: absorbed.
            (state, Input::Request | Input::Ack | Input::Respond(_) | Input::Timer(_) | Input::TransportError) => state,
        };
    }

    /// The state in the words of the RFC.
    pub fn state(&self) -> &'static str {
        match self.state {
            State::Proceeding { .. } => "Proceeding",
            State::Completed { .. } => "Completed",
            State::Confirmed => "Confirmed",
            State::Accepted => "Accepted",
            State::Terminated => "Terminated",
        }
    }

    /// Whether the final response is sent and acknowledged, or in the user's hands.
    pub fn lingers(&self) -> bool {
        matches!(self.state, State::Confirmed | State::Accepted | State::Terminated)
    }

    /// Whether a CANCEL would still change anything (§9.2).
    pub fn cancellable(&self) -> bool {
        matches!(self.state, State::Proceeding { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hears(machine: &mut ServerInvite, timers: &TimerConfig, input: Input) -> Vec<Effect> {
        let mut effects = Effects::new();
        machine.handle(input, timers, &mut effects);
        effects.to_vec()
    }

    #[test]
    fn a_silent_user_gets_a_100_after_200_ms_or_at_the_first_repetition() {
        let timers = TimerConfig::default();
        let mut invite = ServerInvite::start(false, &mut Effects::new());
        assert!(hears(&mut invite, &timers, Input::Timer(Timer::Trying)).contains(&Effect::SendTrying));
        assert_eq!(hears(&mut invite, &timers, Input::Request), [Effect::Resend]);
        let mut invite = ServerInvite::start(false, &mut Effects::new());
        assert!(hears(&mut invite, &timers, Input::Request).contains(&Effect::SendTrying));
    }

    #[test]
    fn a_refusal_is_repeated_until_its_ack() {
        let timers = TimerConfig::default();
        let mut invite = ServerInvite::start(false, &mut Effects::new());
        hears(&mut invite, &timers, Input::Respond(486));
        for secs in [1, 2, 4, 4] {
            let expected = [Effect::Resend, Effect::Start(Timer::G, Duration::from_secs(secs))];
            assert_eq!(hears(&mut invite, &timers, Input::Timer(Timer::G)), expected);
        }
        assert!(hears(&mut invite, &timers, Input::Ack).contains(&Effect::Start(Timer::I, Duration::from_secs(5))));
        assert_eq!(hears(&mut invite, &timers, Input::Ack), []);
        assert_eq!(hears(&mut invite, &timers, Input::Timer(Timer::I)), [Effect::Terminated]);
    }

    #[test]
    fn accepted_absorbs_repeated_invites_and_hands_up_acks() {
        let timers = TimerConfig::default();
        let mut invite = ServerInvite::start(false, &mut Effects::new());
        hears(&mut invite, &timers, Input::Respond(200));
        assert_eq!(hears(&mut invite, &timers, Input::Request), []);
        assert_eq!(hears(&mut invite, &timers, Input::Ack), [Effect::PassUp]);
        assert_eq!(hears(&mut invite, &timers, Input::Timer(Timer::L)), [Effect::Terminated]);
    }

    #[test]
    fn a_refusal_that_nobody_acknowledges_ends_with_timer_h() {
        let timers = TimerConfig::default();
        let mut invite = ServerInvite::start(true, &mut Effects::new());
        assert!(!hears(&mut invite, &timers, Input::Respond(600)).contains(&Effect::Start(Timer::G, timers.t1)));
        assert!(hears(&mut invite, &timers, Input::Timer(Timer::H)).contains(&Effect::TimedOut));
    }
}
