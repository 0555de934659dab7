//! The recording of a call.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// One stereo WAV file for a call: the customer left, whoever the customer talks with right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordingFile {
    pub file: PathBuf,
    /// The instant of its first sample.
    pub started_at: Timestamp,
    /// The instant of its last; `None`: it goes on.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ended_at: Option<Timestamp>,
    /// Why it ended before the call did and nobody had asked for it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub failed: Option<String>,
}

impl RecordingFile {
    /// Whether what is said now is recorded.
    pub fn goes_on(&self) -> bool {
        self.ended_at.is_none()
    }
}
