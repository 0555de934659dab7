//! The non-INVITE server transaction (RFC 3261 §17.2.2, figure 8).
//!
//! ```text
//!                    | request: to user
//!                    V
//!                 TRYING (absorbs repetitions)
//!                  |   |
//!    1xx from user:|   | 200-699 from user: send
//!            send  V   |
//!       +--- PROCEEDING ------ transport error: tell user --+
//!       +-->   |       |                                    |
//!  request:    |       |                                    |
//!  resend      V       V                                    |
//!       +--- COMPLETED ------- transport error: tell user --+
//!       +-->   |                                            |
//!  request:    | Timer J                                    |
//!  resend      V                                            V
//!                           TERMINATED
//! ```

use super::effect::{Effect, Effects, ServerInput as Input, Timer};
use crate::sip::timers::TimerConfig;

/// One request other than INVITE and ACK that came in.
#[derive(Debug)]
pub struct ServerNonInvite {
    state: State,
    reliable: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Trying,
    Proceeding,
    Completed,
    Terminated,
}

impl ServerNonInvite {
    /// Hands the request up.
    pub fn start(reliable: bool, effects: &mut Effects) -> Self {
        effects.push(Effect::PassUp);
        Self { state: State::Trying, reliable }
    }

    pub fn handle(&mut self, input: Input, timers: &TimerConfig, effects: &mut Effects) {
        self.state = match (self.state, input) {
            (State::Trying | State::Proceeding, Input::Respond(100..=199)) => {
                effects.push(Effect::Send);
                State::Proceeding
            }
            (State::Proceeding, Input::Request) => {
                effects.push(Effect::Resend);
                State::Proceeding
            }
            (State::Trying | State::Proceeding, Input::Respond(200..=699)) => {
                effects.push(Effect::Send);
                if self.reliable {
                    // Timer J is zero on a reliable transport.
                    effects.push(Effect::Terminated);
                    State::Terminated
                } else {
                    effects.push(Effect::Start(Timer::J, timers.patience()));
                    State::Completed
                }
            }
            (State::Completed, Input::Request) => {
                effects.push(Effect::Resend);
                State::Completed
            }
            (State::Proceeding | State::Completed, Input::TransportError) => {
                effects.extend([Effect::TransportFailed, Effect::Terminated]);
                State::Terminated
            }
            (State::Completed, Input::Timer(Timer::J)) => {
                effects.push(Effect::Terminated);
                State::Terminated
            }
            // Repetitions before there is anything to say, a second final response, a stray ACK: absorbed.
            (state, Input::Request | Input::Ack | Input::Respond(_) | Input::Timer(_) | Input::TransportError) => state,
        };
    }

    /// The state in the words of the RFC.
    pub fn state(&self) -> &'static str {
        match self.state {
            State::Trying => "Trying",
            State::Proceeding => "Proceeding",
            State::Completed => "Completed",
            State::Terminated => "Terminated",
        }
    }

    /// Whether the final response is sent.
    pub fn lingers(&self) -> bool {
        matches!(self.state, State::Completed | State::Terminated)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn hears(machine: &mut ServerNonInvite, timers: &TimerConfig, input: Input) -> Vec<Effect> {
        let mut effects = Effects::new();
        machine.handle(input, timers, &mut effects);
        effects.to_vec()
    }

    #[test]
    fn repetitions_are_absorbed_first_and_answered_the_same_afterwards() {
        let timers = TimerConfig::default();
        let mut bye = ServerNonInvite::start(false, &mut Effects::new());
        assert_eq!(hears(&mut bye, &timers, Input::Request), []);
        assert_eq!(hears(&mut bye, &timers, Input::Respond(200)), [Effect::Send, Effect::Start(Timer::J, Duration::from_secs(32))]);
        assert_eq!(hears(&mut bye, &timers, Input::Request), [Effect::Resend]);
        assert_eq!(hears(&mut bye, &timers, Input::Respond(500)), []);
        assert_eq!(hears(&mut bye, &timers, Input::Timer(Timer::J)), [Effect::Terminated]);
    }

    #[test]
    fn a_reliable_transport_ends_it_with_the_final_response() {
        let timers = TimerConfig::default();
        let mut bye = ServerNonInvite::start(true, &mut Effects::new());
        assert_eq!(hears(&mut bye, &timers, Input::Respond(200)), [Effect::Send, Effect::Terminated]);
    }
}
