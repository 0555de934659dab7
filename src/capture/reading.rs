//! A whole capture, read from its first byte to its findings.

use std::{io::Read, ops::ControlFlow};

use super::{
    call::captured,
    file::{File, Packet, ReadError},
    joining,
    legs::Legs,
    notes::Note,
    packets::{Sifter, Totals, Wired},
};
use crate::model::{Timestamp, WholeCall};

/// What a capture holds.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// The oldest first; a message's number is its place among all messages of the capture.
    pub calls: Vec<WholeCall>,
    /// Messages of no call, such as OPTIONS and REGISTER, with their places among all messages.
    pub others: Vec<(usize, Wired)>,
    pub totals: Totals,
    /// What was damaged, cut or passed over.
    pub notes: Vec<Note>,
    pub first_at: Timestamp,
    pub last_at: Timestamp,
}

/// How far the reading is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// So many bytes of the file.
    Bytes(u64),
    /// So many of the calls.
    Calls { done: usize, all: usize },
}

/// Reads a capture. `progress` is told now and then, and may stop the reading.
///
/// # Errors
/// It is no capture, it can't be read, or it was stopped. Damage within a capture is a note, not an error.
pub fn read(input: impl Read, mut progress: impl FnMut(Progress) -> ControlFlow<()>) -> Result<Reading, ReadError> {
    let mut file = File::open(input)?;
    let mut sifter = Sifter::default();
    let mut packet = Packet::default();
    let mut times: Option<(Timestamp, Timestamp)> = None;
    let mut told = 0;
    while file.next(&mut packet, &mut sifter.notes)? {
        let (first, last) = times.get_or_insert((packet.at, packet.at));
        (*first, *last) = ((*first).min(packet.at), (*last).max(packet.at));
        sifter.take(&packet);
        if file.position() - told >= EVERY_BYTES {
            told = file.position();
            ask(&mut progress, Progress::Bytes(told))?;
        }
    }
    sifter.finish();
    let (first_at, last_at) = times.unwrap_or_default();
    let mut legs = Legs::sort(&sifter.messages);
    let others = std::mem::take(&mut legs.others);
    let joined = joining::join(&legs.legs);
    sifter.media.sort(|message| legs.places.get(message).copied().flatten().map(|(leg, _)| leg), legs.legs.len());
    let mut calls = Vec::with_capacity(joined.len());
    for (done, call) in joined.iter().enumerate() {
        if done.is_multiple_of(EVERY_CALLS) {
            ask(&mut progress, Progress::Calls { done, all: joined.len() })?;
        }
        calls.push(captured(&legs, call, &sifter.messages, &sifter.media, last_at));
    }
    if sifter.totals.messages == 0 && sifter.totals.packets > 0 {
        sifter.notes.add("no sip", None, || "There is no SIP in this capture; SIP over TLS can't be read".to_owned());
    }
    let others = others.into_iter().filter_map(|index| Some((index, sifter.messages.get(index)?.clone()))).collect();
    Ok(Reading { calls, others, totals: sifter.totals, notes: sifter.notes.finish(), first_at, last_at })
}

fn ask(progress: &mut impl FnMut(Progress) -> ControlFlow<()>, now: Progress) -> Result<(), ReadError> {
    match progress(now) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(ReadError::Stopped),
    }
}

const EVERY_BYTES: u64 = 1 << 20;
const EVERY_CALLS: usize = 64;
