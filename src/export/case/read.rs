//! Reads a case back, within bounds: it comes from somebody else.

use std::{
    io::{Cursor, Read as _, Seek},
    sync::Arc,
};

use bytes::Bytes;
use serde::Deserialize;
use zip::{ZipArchive, result::ZipError};

use super::{FORMAT, VERSION};
use crate::model::{CallRecord, CallSound, CapturedMessage, Direction, LegId, Timestamp, TransportName, WholeCall};

/// Why a case can't be read, or was not written.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    #[error("this is no case file: it holds no manifest of one")]
    NotACase,
    #[error("this case file was made by a newer Handback (its form is {found}, this one reads up to {VERSION}): update, and open it again")]
    Newer { found: u64 },
    #[error("{file} in this case file can't be read: {why}")]
    Broken { file: String, why: String },
    #[error("{file} in this case file is larger than {LARGEST_FILE} bytes, which no case of Handback's is")]
    TooLarge { file: String },
    #[error("this case file is damaged: {0}")]
    Archive(#[from] ZipError),
    #[error("the case file can't be written: {0}")]
    Io(#[from] std::io::Error),
    #[error("it was stopped")]
    Stopped,
}

/// Whether these first bytes may begin a case.
pub fn is_case(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04")
}

/// The calls of a case, in its order.
///
/// # Errors
/// It is none, is damaged, was made by a newer program, or holds more than a case does.
pub fn read(bytes: &[u8]) -> Result<Vec<WholeCall>, CaseError> {
    let mut archive = Archive { zip: ZipArchive::new(Cursor::new(bytes))?, left: LARGEST_ALL };
    let manifest: Manifest = match archive.json("manifest.json") {
        Ok(manifest) => manifest,
        Err(CaseError::Archive(ZipError::FileNotFound) | CaseError::Broken { .. }) => return Err(CaseError::NotACase),
        Err(error) => return Err(error),
    };
    if manifest.format != FORMAT {
        return Err(CaseError::NotACase);
    }
    if manifest.version > VERSION {
        return Err(CaseError::Newer { found: manifest.version });
    }
    let mut calls = Vec::new();
    for call in manifest.calls.iter().take(MOST_CALLS) {
        let record: CallRecord = archive.json(&format!("{}/call.json", call.folder))?;
        let messages: Vec<Message> = archive.json(&format!("{}/messages.json", call.folder))?;
        // A case from before this was kept, or of a call that was silent, has none.
        let sound: Option<CallSound> = match archive.json(&format!("{}/sound.json", call.folder)) {
            Ok(sound) => Some(sound),
            Err(CaseError::Archive(ZipError::FileNotFound)) => None,
            Err(error) => return Err(error),
        };
        calls.push(WholeCall {
            record: Arc::new(record),
            messages: messages.into_iter().map(Message::captured).collect(),
            sound: sound.and_then(CallSound::within_bounds).map(Arc::new),
        });
    }
    Ok(calls)
}

struct Archive<R> {
    zip: ZipArchive<R>,
    /// Bytes that may still be unpacked.
    left: u64,
}

impl<R: std::io::Read + Seek> Archive<R> {
    fn json<T: for<'de> Deserialize<'de>>(&mut self, name: &str) -> Result<T, CaseError> {
        let file = self.zip.by_name(name)?;
        let mut bytes = Vec::new();
        let most = LARGEST_FILE.min(self.left);
        let read = file.take(most + 1).read_to_end(&mut bytes);
        let broken = |why: String| CaseError::Broken { file: name.to_owned(), why };
        read.map_err(|error| broken(error.to_string()))?;
        if bytes.len() as u64 > most {
            return Err(CaseError::TooLarge { file: name.to_owned() });
        }
        self.left -= bytes.len() as u64;
        serde_json::from_slice(&bytes).map_err(|error| broken(error.to_string()))
    }
}

#[derive(Deserialize)]
struct Manifest {
    format: String,
    version: u64,
    calls: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    folder: String,
}

#[derive(Deserialize)]
struct Message {
    number: u64,
    at: Timestamp,
    direction: Direction,
    leg: Option<LegId>,
    transport: TransportName,
    local: std::net::SocketAddr,
    remote: std::net::SocketAddr,
    retransmission: bool,
    raw: String,
    #[serde(default)]
    raw_hex: Option<String>,
}

impl Message {
    fn captured(self) -> CapturedMessage {
        let bytes = self.raw_hex.as_deref().and_then(unhexed).unwrap_or_else(|| self.raw.into());
        CapturedMessage {
            number: self.number,
            at: self.at,
            direction: self.direction,
            leg: self.leg,
            transport: self.transport,
            local: self.local,
            remote: self.remote,
            retransmission: self.retransmission,
            bytes,
        }
    }
}

fn unhexed(text: &str) -> Option<Bytes> {
    let digits = text.as_bytes().chunks(2);
    let bytes: Option<Vec<u8>> = digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect();
    bytes.map(Bytes::from)
}

const LARGEST_FILE: u64 = 256 << 20;
const LARGEST_ALL: u64 = 1 << 30;
const MOST_CALLS: usize = 10_000;
