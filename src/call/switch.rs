//! The switch: every transfer of one shard, behind one pair of doors: inputs in, outputs out.

use std::{collections::VecDeque, net::SocketAddr, sync::Arc, time::Instant};

use crate::{
    media::PortPool,
    model::{Command, settings::Settings},
    party::{Input, Output, Party},
    sip::transport::Transport,
};

use super::{admission::Admission, script_run::Prompts, throttle::Throttle};

/// What a switch is made of.
pub struct SwitchSetup {
    pub settings: Arc<Settings>,
    /// The sound of the scripts.
    pub prompts: Prompts,
    /// As bound, with real ports.
    pub listeners: Vec<(Transport, SocketAddr)>,
    /// Random and secret: ids and nonces come from it.
    pub seed: u64,
    /// Calls are numbered from here on; unique over restarts by its choice.
    pub first_call_id: u64,
    pub now: Instant,
}

pub struct Switch {
    setup: SwitchSetup,
    admission: Admission,
    throttle: Throttle,
    ports: PortPool,
    outputs: VecDeque<Output>,
}

impl Switch {
    pub fn new(setup: SwitchSetup) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&setup.seed.to_be_bytes());
        let admission = Admission::new(setup.now, &setup.settings.sip.realm, setup.settings.peers.clone().into(), key);
        let throttle = Throttle::new(setup.settings.limits.unadmitted_per_second);
        let mut ports = PortPool::new();
        let mut outputs = VecDeque::new();
        match ports.wanted(PORTS_READY) {
            0 => {}
            more => outputs.push_back(Output::PortsWanted(more)),
        }
        Self { setup, admission, throttle, ports, outputs }
    }
}

impl Party for Switch {
    fn handle_input(&mut self, now: Instant, input: Input) {
        match input {
            Input::Received(received) => if self.throttle.is_silenced(now, received.flow.remote.ip()) {},
            Input::PortsOpened(ports) => self.ports.add(ports),
            Input::Command { id, command } => {
                let why = match command {
                    Command::PlaceTestCall { .. } => "the switch places no test calls",
                    Command::Return { .. } | Command::HangUp { .. } => "there is no such call",
                    Command::Drain => "nothing to drain",
                };
                self.outputs.push_back(Output::CommandDone { id, outcome: Err(why.to_owned()) });
            }
            Input::TransportFailed(_) | Input::Media(_) | Input::Resolved { .. } | Input::Spoken { .. } | Input::Timeout => {}
        }
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn deadline(&self) -> Option<Instant> {
        let _ = (&self.setup, &self.admission);
        None
    }
}

/// Free ports kept at hand, so that a call waits for none.
const PORTS_READY: usize = 16;
