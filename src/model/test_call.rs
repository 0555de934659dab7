//! A test call: what the customer's side is asked to do, and the report of what came of it.

use std::path::PathBuf;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{Ended, Payload, TransportName, Variables, settings::Secret};

/// One test call, as `handback call` and `POST /v1/test-calls` take it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TestCall {
    /// Whom to call: a `sip:` URI. Empty: this program's own bridge.
    pub uri: String,
    pub from: Option<String>,
    pub user: Option<String>,
    /// Never serialized.
    #[serde(skip_serializing)]
    pub password: Option<Secret>,
    pub transport: Option<TransportName>,
    pub task: Option<String>,
    pub conversation: Option<String>,
    pub customer: Option<String>,
    pub call_transfer_id: Option<String>,
    /// Input variables (`X-GA-iv-NAME`), in order.
    pub iv: Variables,
    /// Further headers, `Name: value`.
    pub headers: Vec<String>,
    pub audio: AudioSource,
    /// Where to write what the call heard.
    pub record: Option<PathBuf>,
    pub dtmf: Option<String>,
    pub dtmf_after_secs: f64,
    pub hang_up_after_secs: Option<f64>,
    pub on_return: OnReturn,
    /// Sends tones to be sent back by an agent that echoes, and reports how each way sounds; then hangs up.
    pub sound_check: bool,
}

impl Default for TestCall {
    fn default() -> Self {
        Self {
            uri: String::new(),
            from: None,
            user: None,
            password: None,
            transport: None,
            task: None,
            conversation: None,
            customer: None,
            call_transfer_id: None,
            iv: Variables::new(),
            headers: Vec::new(),
            audio: AudioSource::Tone,
            record: None,
            dtmf: None,
            dtmf_after_secs: 2.0,
            hang_up_after_secs: None,
            on_return: OnReturn::Accept,
            sound_check: false,
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AudioSource {
    #[default]
    Tone,
    Silence,
    /// Whoever is at this machine's microphone; the far side is heard at its speaker.
    #[serde(alias = "mic")]
    Microphone,
    /// A WAV file.
    File(PathBuf),
}

/// The INVITE that a test call would begin with. Branch, tag and Call-ID are other ones when it is placed; they are as long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitePreview {
    /// What carries it: TCP where it is too large for UDP (RFC 3261 §18.1.1).
    pub transport: TransportName,
    pub bytes: Bytes,
    /// It is within 200 bytes of an unknown path MTU (RFC 3261 §18.1.1).
    pub fits_udp: bool,
}

/// What the customer's side does with a REFER or a return INVITE.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnReturn {
    /// Accept, place (or answer) the return call, report its success.
    #[default]
    Accept,
    /// Refuse with 603.
    Refuse,
    /// Answer 202 and then say nothing.
    Ignore,
    /// Answer 202, then report 503.
    AcceptThenFail,
}

/// How a test call went, for `--json` and the console.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TestCallReport {
    pub steps: Vec<TestCallStep>,
    /// The call went as asked.
    pub ok: bool,
    /// `X-GA-*` that came back, decoded, in wire order.
    pub returned: Option<Payload>,
    pub returned_by: Option<super::ReturnMethod>,
    pub ended: Option<Ended>,
    /// Where a sound check was asked for and the call came to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sound_check: Option<SoundCheck>,
}

/// How each way of a call sounds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct SoundCheck {
    /// From the caller to the agent.
    pub to_agent: SoundCheckWay,
    /// From the agent to the caller.
    pub from_agent: SoundCheckWay,
    /// There and back; the network and the far side's buffers.
    pub round_trip_ms: Option<f32>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct SoundCheckWay {
    /// `None`: it can't be told.
    pub heard: Option<bool>,
    /// Of a full-scale sine.
    pub level_dbfs: Option<f32>,
    pub clipped: Option<bool>,
    /// Half of the round trip: the two ends share no clock, by which the ways could be told apart.
    #[serde(default)]
    pub delay_ms: Option<f32>,
}

impl SoundCheck {
    /// How long a check takes from the answer on.
    pub const LENGTH_SECS: f64 = 5.0;

    /// Both ways were heard.
    pub fn passed(&self) -> bool {
        self.to_agent.heard == Some(true) && self.from_agent.heard == Some(true)
    }

    /// A sentence a way.
    pub fn words(&self) -> [String; 2] {
        let way = |name: &str, way: &SoundCheckWay| {
            let heard = match way.heard {
                Some(true) => "heard",
                Some(false) => "not heard",
                None => "cannot be told",
            };
            let level = way.level_dbfs.map(|level| format!(" at {level:.1} dBFS")).unwrap_or_default();
            let clipped = if way.clipped == Some(true) { ", clipped" } else { "" };
            let delay = way.delay_ms.map(|ms| format!(", about {ms:.0} ms on the way")).unwrap_or_default();
            format!("{name}: {heard}{level}{clipped}{delay}")
        };
        [way("Caller to agent", &self.to_agent), way("Agent to caller", &self.from_agent)]
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TestCallStep {
    /// Microseconds since the call was placed.
    pub at_us: u64,
    pub text: String,
    pub ok: bool,
}
