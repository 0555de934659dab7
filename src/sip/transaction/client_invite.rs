//! The INVITE client transaction (RFC 3261 §17.1.1, figure 5, with the Accepted state of RFC 6026 §7.2).
//!
//! ```text
//!                      | INVITE from user: send
//!   Timer A: resend    V
//!            +--- CALLING ------ Timer B or transport error: tell user ---+
//!            +--->  |  |  |                                               |
//!                1xx|  |  +---- 2xx: to user ---------------------------+ |
//!        to user    V  |                                                | |
//!     +----- PROCEEDING ------- 2xx: to user ------------------------+  | |
//!     | 1xx   ^ |      |                                             |  | |
//!     +-------+ |      | 300-699: ACK, to user                       |  | |
//!   300-699:    V      V                                             V  V |
//!   ACK, to user COMPLETED -- 300-699: ACK --+                   ACCEPTED |  2xx: to user
//!                   |  ^                     |                       |    |
//!                   |  +---------------------+                       |    |
//!                   | Timer D, transport error                Timer M|    |
//!                   V                                                V    V
//!                                   TERMINATED
//! ```

use std::time::Duration;

use super::effect::{ClientInput as Input, Effect, Effects, Timer};
use crate::sip::timers::TimerConfig;

/// One INVITE and what became of it.
#[derive(Debug)]
pub struct ClientInvite {
    state: State,
    reliable: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Calling { interval: Duration },
    Proceeding,
    Completed,
    Accepted,
    Terminated,
}

impl ClientInvite {
    /// Sends the INVITE.
    pub fn start(reliable: bool, timers: &TimerConfig, effects: &mut Effects) -> Self {
        effects.push(Effect::Send);
        if !reliable {
            effects.push(Effect::Start(Timer::A, timers.t1));
        }
        effects.push(Effect::Start(Timer::B, timers.patience()));
        Self { state: State::Calling { interval: timers.t1 }, reliable }
    }

    pub fn handle(&mut self, input: Input, timers: &TimerConfig, effects: &mut Effects) {
        self.state = match (self.state, input) {
            (State::Calling { interval }, Input::Timer(Timer::A)) => {
                let interval = interval * 2;
                effects.extend([Effect::Resend, Effect::Start(Timer::A, interval)]);
                State::Calling { interval }
            }
            (State::Calling { .. }, Input::Timer(Timer::B)) => {
                effects.extend([Effect::Stop(Timer::A), Effect::TimedOut, Effect::Terminated]);
                State::Terminated
            }
            (State::Calling { .. } | State::Proceeding, Input::TransportError) => {
                effects.extend([Effect::TransportFailed, Effect::Terminated]);
                State::Terminated
            }
            (State::Calling { .. }, Input::Response(100..=199)) => {
                // §17.1.1.2: nothing is repeated, and nothing given up, once the peer has spoken.
                effects.extend([Effect::Stop(Timer::A), Effect::Stop(Timer::B), Effect::PassUp]);
                State::Proceeding
            }
            (State::Proceeding, Input::Response(100..=199)) => {
                effects.push(Effect::PassUp);
                State::Proceeding
            }
            (State::Calling { .. } | State::Proceeding, Input::Response(200..=299)) => {
                effects.extend([Effect::Stop(Timer::A), Effect::PassUp, Effect::Start(Timer::M, timers.patience())]);
                State::Accepted
            }
            (State::Calling { .. } | State::Proceeding, Input::Response(300..=699)) => {
                effects.extend([Effect::Stop(Timer::A), Effect::SendAck, Effect::PassUp]);
                if self.reliable {
                    // Timer D is zero on a reliable transport.
                    effects.push(Effect::Terminated);
                    State::Terminated
                } else {
                    effects.push(Effect::Start(Timer::D, timers.d()));
                    State::Completed
                }
            }
            (State::Completed, Input::Response(300..=699)) => {
                effects.push(Effect::SendAck);
                State::Completed
            }
            (State::Completed, Input::Timer(Timer::D) | Input::TransportError) => {
                // The user has the final response already; that the ACK was lost is the peer's Timer H to settle.
                effects.push(Effect::Terminated);
                State::Terminated
            }
            (State::Accepted, Input::Response(200..=299)) => {
                effects.push(Effect::PassUp);
                State::Accepted
            }
            (State::Accepted, Input::Timer(Timer::M)) => {
                effects.push(Effect::Terminated);
                State::Terminated
            }
            // Late provisional responses, a 2xx after a refusal or a refusal after a 2xx, a transport error once
            // accepted (the ACK is the user's), timers that were stopped: absorbed.
            (state, Input::Response(_) | Input::Timer(_) | Input::TransportError) => state,
        };
    }

    /// The state in the words of the RFC.
    pub fn state(&self) -> &'static str {
        match self.state {
            State::Calling { .. } => "Calling",
            State::Proceeding => "Proceeding",
            State::Completed => "Completed",
            State::Accepted => "Accepted",
            State::Terminated => "Terminated",
        }
    }

    /// Whether it has its final response and only absorbs repetitions.
    pub fn lingers(&self) -> bool {
        matches!(self.state, State::Completed | State::Accepted | State::Terminated)
    }

    /// Whether a CANCEL may be sent now (§9.1: not before a provisional response).
    pub fn cancellable(&self) -> bool {
        self.state == State::Proceeding
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(reliable: bool) -> (ClientInvite, TimerConfig) {
        let timers = TimerConfig::default();
        (ClientInvite::start(reliable, &timers, &mut Effects::new()), timers)
    }

    fn hears(machine: &mut ClientInvite, timers: &TimerConfig, input: Input) -> Vec<Effect> {
        let mut effects = Effects::new();
        machine.handle(input, timers, &mut effects);
        effects.to_vec()
    }

    #[test]
    fn timer_a_doubles_without_bound_until_timer_b() {
        let (mut invite, timers) = started(false);
        for secs in [1, 2, 4, 8, 16, 32] {
            let effects = hears(&mut invite, &timers, Input::Timer(Timer::A));
            assert_eq!(effects, [Effect::Resend, Effect::Start(Timer::A, Duration::from_secs(secs))]);
        }
        assert!(hears(&mut invite, &timers, Input::Timer(Timer::B)).contains(&Effect::TimedOut));
        assert_eq!(invite.state(), "Terminated");
    }

    #[test]
    fn a_refusal_is_acknowledged_each_time_and_told_once() {
        let (mut invite, timers) = started(false);
        assert!(hears(&mut invite, &timers, Input::Response(486)).contains(&Effect::PassUp));
        assert_eq!(hears(&mut invite, &timers, Input::Response(486)), [Effect::SendAck]);
        assert_eq!(hears(&mut invite, &timers, Input::Response(200)), []);
        assert_eq!(hears(&mut invite, &timers, Input::Timer(Timer::D)), [Effect::Terminated]);
    }

    #[test]
    fn accepted_hands_up_every_2xx_until_timer_m() {
        let (mut invite, timers) = started(false);
        hears(&mut invite, &timers, Input::Response(180));
        assert!(hears(&mut invite, &timers, Input::Response(200)).contains(&Effect::Start(Timer::M, Duration::from_secs(32))));
        assert_eq!(hears(&mut invite, &timers, Input::Response(200)), [Effect::PassUp]);
        assert_eq!(hears(&mut invite, &timers, Input::Response(486)), []);
        assert_eq!(hears(&mut invite, &timers, Input::Timer(Timer::M)), [Effect::Terminated]);
    }

    #[test]
    fn a_reliable_transport_repeats_nothing_and_lingers_for_nothing() {
        let mut effects = Effects::new();
        let timers = TimerConfig::default();
        let mut invite = ClientInvite::start(true, &timers, &mut effects);
        assert_eq!(effects.to_vec(), [Effect::Send, Effect::Start(Timer::B, Duration::from_secs(32))]);
        assert!(hears(&mut invite, &timers, Input::Response(603)).contains(&Effect::Terminated));
    }
}
