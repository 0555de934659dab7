//! One device of the desk as it comes and goes: what was chosen, what is open, and when to try again.

use std::time::{Duration, Instant};

use super::{End, choice::Chosen};
use crate::wire::audio_device::{AudioFault, AudioStream};

/// A microphone or a speaker of the desk.
#[derive(Default)]
pub struct Stand {
    pub chosen: Chosen,
    open: Option<Open>,
    fault: Option<String>,
    /// Not before.
    retry_at: Option<Instant>,
    /// It is kept open until then, though nobody needs it.
    linger_until: Option<Instant>,
    /// What the machine is too slow for is asked for in longer periods: so many milliseconds more than the shortest.
    longer_ms: u32,
}

struct Open {
    id: String,
    stream: AudioStream,
    calls: u64,
    called_at: Instant,
    /// Glitches before this stretch, and when it began.
    glitches: u64,
    stretch_began: Instant,
}

impl Stand {
    /// Takes a new choice; a device that is not the chosen one any more is closed.
    pub fn choose(&mut self, chosen: Chosen) {
        if chosen != self.chosen {
            (self.fault, self.retry_at) = (None, None);
        }
        self.chosen = chosen;
        let id = self.chosen.device.as_ref().map(|device| device.id.as_str());
        self.open.take_if(|open| Some(open.id.as_str()) != id);
    }

    /// Closes what is lost or no longer needed. The id of what is to be opened now comes back.
    pub fn wanted(&mut self, now: Instant, needed: bool) -> Option<String> {
        if let Some(open) = &mut self.open {
            let calls = open.stream.calls();
            if calls != open.calls {
                (open.calls, open.called_at) = (calls, now);
            }
            let is_dead = now.saturating_duration_since(open.called_at) > DEAD_AFTER;
            let stutters = open.stutters(now) && self.longer_ms < MOST_LONGER_MS;
            if open.stream.is_lost() || is_dead {
                self.open = None;
                self.retry_at = Some(now + RETRY);
            } else if stutters {
                self.open = None;
                self.longer_ms += LONGER_BY_MS;
            }
        }
        if needed {
            self.linger_until = Some(now + LINGER);
        } else if self.linger_until.is_none_or(|until| until <= now) {
            (self.open, self.longer_ms) = (None, 0);
        }
        let may = needed && self.open.is_none() && self.retry_at.is_none_or(|at| at <= now);
        self.chosen.device.as_ref().filter(|_| may).map(|device| device.id.clone())
    }

    /// What became of the opening.
    pub fn opened(&mut self, now: Instant, id: String, result: Result<AudioStream, AudioFault>) {
        match result {
            Ok(stream) => {
                let (calls, glitches) = (stream.calls(), stream.glitches());
                self.open = Some(Open { id, stream, calls, called_at: now, glitches, stretch_began: now });
                (self.fault, self.retry_at) = (None, None);
            }
            Err(fault) => {
                self.fault = Some(fault.to_string());
                self.retry_at = Some(now + RETRY);
            }
        }
    }

    /// By how much its period is to be longer than the shortest.
    pub fn longer_ms(&self) -> u32 {
        self.longer_ms
    }

    pub fn close(&mut self) {
        self.open = None;
    }

    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    pub fn end(&self) -> End {
        End {
            device: self.chosen.device.clone(),
            follows_default: self.chosen.follows_default,
            missing: self.chosen.missing.clone(),
            open: self.open.is_some(),
            rate: self.open.as_ref().map(|open| open.stream.format.rate),
            fault: self.fault.clone(),
        }
    }
}

impl Open {
    /// Whether its period is too short for this machine: once or twice late is chance.
    fn stutters(&mut self, now: Instant) -> bool {
        let glitches = self.stream.glitches();
        if glitches - self.glitches >= MOST_GLITCHES {
            return true;
        }
        if now.saturating_duration_since(self.stretch_began) > STRETCH {
            (self.glitches, self.stretch_began) = (glitches, now);
        }
        false
    }
}

/// In one stretch.
const MOST_GLITCHES: u64 = 4;
const STRETCH: Duration = Duration::from_secs(4);
const LONGER_BY_MS: u32 = 10;
const MOST_LONGER_MS: u32 = 30;
/// A device that was lost or refused is tried again after this.
const RETRY: Duration = Duration::from_millis(500);
/// One that does not ask for so long is gone, whatever the system says.
const DEAD_AFTER: Duration = Duration::from_secs(2);
/// Devices stay open for the next call or tone: opening takes time.
const LINGER: Duration = Duration::from_secs(3);
