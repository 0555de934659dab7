//! The customer's side as the engine drives it.

use std::{collections::VecDeque, time::Instant};

use super::{order::Order, setup::CustomerSetup};
use crate::{
    model::{CallId, Command},
    party::{Input, Output, Party},
};

/// The customer's side: an SBC that places test calls, and a return point that takes them back.
pub struct Customer {
    setup: CustomerSetup,
    outputs: VecDeque<Output>,
}

impl Customer {
    pub fn new(setup: CustomerSetup) -> Self {
        Self { setup, outputs: VecDeque::new() }
    }
}

impl Party for Customer {
    fn handle_input(&mut self, _now: Instant, input: Input) {
        if let Input::Command { id, command } = input {
            let outcome = match command {
                Command::PlaceTestCall { call } => match Order::read(&call, self.setup.bridge_uri().as_deref(), &self.setup.host()) {
                    Ok(_) => Err("no call can be placed yet".to_owned()),
                    Err(why) => Err(why),
                },
                Command::Return { .. } => Err("a test call has no agent: return the bridge's call".to_owned()),
                Command::HangUp { call } => Err(format!("no test call {call} is running")),
                Command::Drain => Ok(CallId(0)),
            };
            self.outputs.push_back(Output::CommandDone { id, outcome });
        }
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn deadline(&self) -> Option<Instant> {
        None
    }
}
