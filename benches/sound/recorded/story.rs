//! What happens in each call: codecs, clocks, network, and holds, pauses and returns.

use handback::media::Codec;

use super::network::Network;

pub struct Story {
    pub secs: f64,
    kind: Kind,
    codecs: [Codec; 2],
    pub network: Network,
    /// By how many millionths the customer's clock is slow; the agent's is as much fast.
    ppm: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Pauses,
    Hold,
    LateAgent,
    InviteReturn,
    OtherCodec,
    Restart,
}

#[derive(Debug, Clone, Copy)]
pub enum Step {
    /// The call is answered, and recorded from now on.
    Begin,
    /// 0 the customer, 1 the agent, 2 the return endpoint.
    Speaks(usize),
    Held,
    Resumed,
    Codec(Codec),
    /// The customer's device begins anew: another source, other numbers.
    Restarted,
    AgentLeaves,
    Returned,
    End,
}

impl Story {
    /// The lengths of the lists below have no common divisor, so that each kind meets each codec and network.
    pub fn number(number: usize, secs: f64) -> Self {
        let kinds = [Kind::Plain, Kind::Pauses, Kind::Hold, Kind::LateAgent, Kind::InviteReturn, Kind::OtherCodec, Kind::Restart];
        let codecs = [
            [Codec::Pcmu, Codec::Pcmu],
            [Codec::G722, Codec::G722],
            [Codec::Opus, Codec::Opus],
            [Codec::Pcma, Codec::Pcmu],
            [Codec::Pcmu, Codec::Opus],
            [Codec::G722, Codec::Pcma],
            [Codec::Opus, Codec::G722],
            [Codec::Pcma, Codec::Pcma],
        ];
        let networks = [Network::Clean, Network::Loss(0.01), Network::Jitter(60.0), Network::Bursts(0.1), Network::Clean];
        Self {
            // No length is a whole number of seconds, nor of packets.
            secs: secs + 0.013_7 * (number % 73) as f64,
            kind: kinds[number % kinds.len()],
            codecs: codecs[number % codecs.len()],
            network: networks[number % networks.len()],
            // 100 ppm in five minutes are 30 ms; a shorter call gets clocks that are worse.
            ppm: if number % 3 == 2 { (100.0 * 300.0 / secs).min(500.0) } else { 0.0 },
        }
    }

    pub fn words(&self) -> String {
        let [customer, agent] = self.codecs.map(Codec::name);
        let drift = if self.ppm > 0.0 { ", clocks apart" } else { "" };
        format!("{:?}, {customer} to {agent}, {}{drift}", self.kind, self.network.words())
    }

    pub fn network_words(&self) -> String {
        self.network.words()
    }

    pub fn has_pauses(&self) -> bool {
        self.kind == Kind::Pauses
    }

    /// Customer, agent and return endpoint: what each speaks, and by how much its clock is slow.
    pub fn voices(&self) -> [(Codec, f64); 3] {
        let [customer, agent] = self.codecs;
        [(customer, self.ppm), (agent, -self.ppm), (Codec::G722, -self.ppm)]
    }

    /// By how much the clock of the left and the right channel's voice is slow.
    pub fn ppm(&self) -> [f64; 2] {
        [self.ppm, -self.ppm]
    }

    /// With the second of the call at which each happens.
    pub fn steps(&self) -> Vec<(f64, Step)> {
        let at = |share: f64| self.secs * share;
        let agent_speaks = if self.kind == Kind::LateAgent { at(0.1) } else { 0.0 };
        let mut steps = vec![(0.0, Step::Begin), (0.0, Step::Speaks(0)), (agent_speaks, Step::Speaks(1))];
        match self.kind {
            Kind::Plain | Kind::Pauses | Kind::LateAgent => {}
            Kind::Hold => steps.extend([(at(0.4), Step::Held), (at(0.5), Step::Resumed)]),
            Kind::InviteReturn => steps.extend([(at(0.5), Step::AgentLeaves), (at(0.55), Step::Returned)]),
            Kind::OtherCodec => {
                let other = if self.codecs[0] == Codec::Opus { Codec::Pcmu } else { Codec::Opus };
                steps.push((at(0.5), Step::Codec(other)));
            }
            Kind::Restart => steps.push((at(0.5), Step::Restarted)),
        }
        steps.push((self.secs, Step::End));
        steps
    }
}
