//! Writes a case: for each call its record, messages, ladder as text and pictures, and capture; above them a manifest.

use std::{
    io::{Cursor, Write as _},
    ops::ControlFlow,
    sync::Arc,
};

use serde_json::{Value, json};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::{FORMAT, VERSION, read::CaseError, tokens::Tokens, wire};
use crate::{
    export::{csv, json as as_json, ladder, pcap, picture},
    model::{CallRecord, CapturedMessage, RtpPacket, Timestamp, WholeCall},
};

/// How variables' values stand in a case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Values {
    #[default]
    Tokens,
    /// Only where somebody asked for that.
    AsIs,
}

/// What goes into a case.
#[derive(Debug, Clone, Copy)]
pub struct Contents<'a> {
    pub calls: &'a [WholeCall],
    /// The sound of each call, where it was asked for; in the order of `calls`.
    pub rtp: Option<&'a [Vec<RtpPacket>]>,
    pub values: Values,
    pub made_at: Timestamp,
}

/// The archive's bytes. `progress` is told how many calls are in it, and may stop the writing.
///
/// # Errors
/// It was stopped, or does not fit into memory.
pub fn write(contents: &Contents<'_>, mut progress: impl FnMut(usize) -> ControlFlow<()>) -> Result<Vec<u8>, CaseError> {
    let mut archive = Archive { zip: ZipWriter::new(Cursor::new(Vec::new())) };
    let mut tokens = Tokens::default();
    let mut listed = Vec::new();
    let mut records: Vec<Arc<CallRecord>> = Vec::new();
    for (index, call) in contents.calls.iter().enumerate() {
        if progress(index).is_break() {
            return Err(CaseError::Stopped);
        }
        let call = match contents.values {
            Values::Tokens => tokens.redact(call),
            Values::AsIs => WholeCall { messages: call.messages.iter().map(blanked).collect(), ..call.clone() },
        };
        let folder = format!("calls/{}", call.record.id);
        let sound = contents.rtp.and_then(|packets| packets.get(index)).map(Vec::as_slice).unwrap_or_default();
        let pictures = archive.call(&folder, &call, sound, contents)?;
        listed.push(json!({ "id": call.record.id, "folder": folder, "messages": call.messages.len(), "pictures": pictures }));
        records.push(call.record);
    }
    archive.file("calls.csv", csv::calls(records.iter().map(|record| &**record)).as_bytes())?;
    archive.file("README.txt", readme(contents).as_bytes())?;
    let manifest = json!({
        "format": FORMAT,
        "version": VERSION,
        "made_by": concat!("handback ", env!("CARGO_PKG_VERSION")),
        "made_at": contents.made_at,
        "values": match contents.values { Values::Tokens => "tokens", Values::AsIs => "as-is" },
        "secrets": "blanked",
        "rtp": contents.rtp.is_some(),
        "calls": listed,
    });
    archive.json("manifest.json", &manifest)?;
    Ok(archive.zip.finish()?.into_inner())
}

struct Archive {
    zip: ZipWriter<Cursor<Vec<u8>>>,
}

impl Archive {
    /// Whether there is a PNG beside the SVGs.
    fn call(&mut self, folder: &str, call: &WholeCall, sound: &[RtpPacket], contents: &Contents<'_>) -> Result<Value, CaseError> {
        let (record, messages) = (&*call.record, call.messages.as_slice());
        let now = messages.last().map_or(record.started_at, |message| message.at);
        self.json(&format!("{folder}/call.json"), &serde_json::to_value(record).unwrap_or_default())?;
        self.json(&format!("{folder}/messages.json"), &messages_json(record, messages))?;
        if let Some(outline) = &call.sound {
            self.file(&format!("{folder}/sound.json"), &serde_json::to_vec(&**outline).unwrap_or_default())?;
        }
        self.file(&format!("{folder}/ladder.txt"), ladder::text(record, messages).as_bytes())?;
        self.file(&format!("{folder}/ladder-light.svg"), picture::svg(call, now, picture::Theme::Light).as_bytes())?;
        self.file(&format!("{folder}/ladder-dark.svg"), picture::svg(call, now, picture::Theme::Dark).as_bytes())?;
        // Secrets are out already: what is in the bytes now may be written.
        self.file(&format!("{folder}/capture.pcap"), &pcap::file(messages, sound, true))?;
        if contents.calls.len() > MOST_PNGS {
            return Ok(json!(["svg"]));
        }
        Ok(match picture::png(call, now, picture::Theme::Light) {
            Ok(png) => {
                self.file(&format!("{folder}/ladder.png"), &png)?;
                json!(["svg", "png"])
            }
            // Too long for a picture; the SVG is there.
            Err(_) => json!(["svg"]),
        })
    }

    fn json(&mut self, name: &str, value: &Value) -> Result<(), CaseError> {
        self.file(name, format!("{value:#}\n").as_bytes())
    }

    fn file(&mut self, name: &str, bytes: &[u8]) -> Result<(), CaseError> {
        self.zip.start_file(name, SimpleFileOptions::default().compression_method(CompressionMethod::Deflated))?;
        self.zip.write_all(bytes)?;
        Ok(())
    }
}

fn blanked(message: &CapturedMessage) -> CapturedMessage {
    CapturedMessage { bytes: wire::without_secrets(&message.bytes), ..message.clone() }
}

/// As the control API tells them; bytes that are no UTF-8 also as hexadecimal, so that none is lost.
fn messages_json(record: &CallRecord, messages: &[CapturedMessage]) -> Value {
    let mut list = as_json::messages(record, messages, true);
    for (value, message) in list.as_array_mut().into_iter().flatten().zip(messages) {
        if std::str::from_utf8(&message.bytes).is_err()
            && let Some(object) = value.as_object_mut()
        {
            let hex: String = message.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            object.insert("raw_hex".to_owned(), hex.into());
        }
    }
    list
}

fn readme(contents: &Contents<'_>) -> String {
    let values = match contents.values {
        Values::Tokens => {
            "Variables' values are replaced by tokens (v1, v2, …), as long as the value was in a URI. The same value has the same\n\
             token in every file, so it can still be followed from the INVITE to the return."
        }
        Values::AsIs => "Variables' values are as they crossed the wire: look at them before you send this on.",
    };
    format!(
        "Calls out of Handback, as one archive. Open it in the console (Ctrl+O, or drop it there), or read it with\n\
         `handback decode NAME.handback-case`.\n\n\
         calls.csv                 all calls, a row each\n\
         calls/ID/call.json        what is known of a call, findings too\n\
         calls/ID/messages.json    every message, in order\n\
         calls/ID/sound.json       how it sounded over its time: loss, jitter, delay, MOS, and the voices' outlines
\
         calls/ID/ladder.txt       the ladder, the payload and the findings as text; ladder-*.svg and ladder.png as pictures\n\
         calls/ID/capture.pcap     the messages for Wireshark{}\n\n\
         Credentials, keys and passwords are blanked, always.\n{values}\n",
        if contents.rtp.is_some() { ", with their sound" } else { "; no sound is in it" }
    )
}

/// A picture takes some tenths of a second.
const MOST_PNGS: usize = 20;
