//! The non-INVITE client transaction (RFC 3261 §17.1.2, figure 6).
//!
//! ```text
//!                    | request from user: send
//!  Timer E: resend   V
//!          +----- TRYING ------- Timer F or transport error: tell user ---+
//!          +---->  |   |                                                  |
//!               1xx|   | 200-699: to user                                 |
//!         to user  V   +-------------------+                              |
//!          +-- PROCEEDING ----- Timer F or transport error: tell user ----+
//!          +--->   |                       |                              |
//!  Timer E: resend | 200-699: to user      |                              |
//!  1xx: to user    V                       V                              |
//!              COMPLETED (absorbs) --------+                              |
//!                  | Timer K                                              |
//!                  V                                                      V
//!                                  TERMINATED
//! ```

use std::time::Duration;

use super::effect::{ClientInput as Input, Effect, Effects, Timer};
use crate::sip::timers::TimerConfig;

/// One request other than INVITE and ACK.
#[derive(Debug)]
pub struct ClientNonInvite {
    state: State,
    reliable: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Trying { interval: Duration },
    Proceeding,
    Completed,
    Terminated,
}

impl ClientNonInvite {
    /// Sends the request.
    pub fn start(reliable: bool, timers: &TimerConfig, effects: &mut Effects) -> Self {
        effects.push(Effect::Send);
        if !reliable {
            effects.push(Effect::Start(Timer::E, timers.t1));
        }
        effects.push(Effect::Start(Timer::F, timers.patience()));
        Self { state: State::Trying { interval: timers.t1 }, reliable }
    }

    pub fn handle(&mut self, input: Input, timers: &TimerConfig, effects: &mut Effects) {
        self.state = match (self.state, input) {
            (State::Trying { interval }, Input::Timer(Timer::E)) => {
                let interval = timers.backed_off(interval);
                effects.extend([Effect::Resend, Effect::Start(Timer::E, interval)]);
                State::Trying { interval }
            }
            (State::Proceeding, Input::Timer(Timer::E)) => {
                effects.extend([Effect::Resend, Effect::Start(Timer::E, timers.t2)]);
                State::Proceeding
            }
            (State::Trying { .. } | State::Proceeding, Input::Timer(Timer::F)) => {
                effects.extend([Effect::Stop(Timer::E), Effect::TimedOut, Effect::Terminated]);
                State::Terminated
            }
            (State::Trying { .. } | State::Proceeding, Input::TransportError) => {
                effects.extend([Effect::TransportFailed, Effect::Terminated]);
                State::Terminated
            }
            (State::Trying { .. }, Input::Response(100..=199)) => {
                effects.push(Effect::PassUp);
                if !self.reliable {
                    effects.push(Effect::Start(Timer::E, timers.t2));
                }
                State::Proceeding
            }
            (State::Proceeding, Input::Response(100..=199)) => {
                effects.push(Effect::PassUp);
                State::Proceeding
            }
            (State::Trying { .. } | State::Proceeding, Input::Response(200..=699)) => {
                effects.extend([Effect::Stop(Timer::E), Effect::PassUp]);
                if self.reliable {
                    // Timer K is zero on a reliable transport.
                    effects.push(Effect::Terminated);
                    State::Terminated
                } else {
                    effects.push(Effect::Start(Timer::K, timers.t4));
                    State::Completed
                }
            }
            (State::Completed, Input::Timer(Timer::K)) => {
                effects.push(Effect::Terminated);
                State::Terminated
            }
            // Repeated responses, stopped timers, errors when all is said: absorbed.
            (state, Input::Response(_) | Input::Timer(_) | Input::TransportError) => state,
        };
    }

    /// The state in the words of the RFC.
    pub fn state(&self) -> &'static str {
        match self.state {
            State::Trying { .. } => "Trying",
            State::Proceeding => "Proceeding",
            State::Completed => "Completed",
            State::Terminated => "Terminated",
        }
    }

    /// Whether it has its final response and only absorbs repetitions.
    pub fn lingers(&self) -> bool {
        matches!(self.state, State::Completed | State::Terminated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hears(machine: &mut ClientNonInvite, timers: &TimerConfig, input: Input) -> Vec<Effect> {
        let mut effects = Effects::new();
        machine.handle(input, timers, &mut effects);
        effects.to_vec()
    }

    #[test]
    fn timer_e_backs_off_to_t2_and_jumps_there_at_a_provisional_response() {
        let timers = TimerConfig::default();
        let mut bye = ClientNonInvite::start(false, &timers, &mut Effects::new());
        let start = |secs| Effect::Start(Timer::E, Duration::from_secs(secs));
        for secs in [1, 2, 4, 4] {
            assert_eq!(hears(&mut bye, &timers, Input::Timer(Timer::E)), [Effect::Resend, start(secs)]);
        }
        let mut bye = ClientNonInvite::start(false, &timers, &mut Effects::new());
        assert_eq!(hears(&mut bye, &timers, Input::Response(100)), [Effect::PassUp, start(4)]);
        assert_eq!(hears(&mut bye, &timers, Input::Timer(Timer::E)), [Effect::Resend, start(4)]);
    }

    #[test]
    fn the_final_response_is_told_once_and_repetitions_absorbed_until_timer_k() {
        let timers = TimerConfig::default();
        let mut bye = ClientNonInvite::start(false, &timers, &mut Effects::new());
        assert!(hears(&mut bye, &timers, Input::Response(200)).contains(&Effect::PassUp));
        assert_eq!(hears(&mut bye, &timers, Input::Response(200)), []);
        assert_eq!(hears(&mut bye, &timers, Input::Timer(Timer::F)), []);
        assert_eq!(hears(&mut bye, &timers, Input::Timer(Timer::K)), [Effect::Terminated]);
    }
}
