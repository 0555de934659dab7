//! Captures made of bytes, layer by layer, and what is read out of them.

mod build;
mod calls;
mod containers;
mod damage;
mod layers;
mod sound;

use std::ops::ControlFlow;

use super::{ReadError, Reading};

fn read(bytes: &[u8]) -> Result<Reading, ReadError> {
    super::read(bytes, |_| ControlFlow::Continue(()))
}

/// A call's messages, a line each: who to whom, and its first words.
fn ladder(reading: &Reading, call: usize) -> Vec<String> {
    let call = &reading.calls[call];
    let line = |message: &crate::model::CapturedMessage| {
        let (near, far) = call.record.ends_of(message.leg);
        let (from, to) = if message.direction == crate::model::Direction::Out { (near, far) } else { (far, near) };
        let text = String::from_utf8_lossy(&message.bytes);
        let mut words = text.split_whitespace();
        let first = words.next().unwrap_or_default();
        let title = if first == "SIP/2.0" { words.next().unwrap_or_default() } else { first };
        format!("{} → {}: {title}{}", from.name(), to.name(), if message.retransmission { " again" } else { "" })
    };
    call.messages.iter().map(line).collect()
}
