//! The colours of a message's text: start line, names, values, ours, and the body.

use std::ops::Range;

use crate::console::{
    theme::{Leg, Tone},
    wire_text::{Kind, MessageView, long_name},
};

/// The text cut where its colour changes; the pieces cover all of it.
pub fn colours(view: &MessageView, payload: &[(Range<usize>, Tone)]) -> Vec<(Range<usize>, Tone)> {
    let mut pieces = Pieces { text: &view.raw, pieces: Vec::new(), done: 0 };
    let first = view.raw.find(|c| c != '\n').unwrap_or(0);
    let line = first..view.raw[first..].find('\n').map_or(view.raw.len(), |at| first + at);
    start_line(&mut pieces, line, view);
    for ((name, _), span) in view.headers.iter().zip(&view.spans) {
        let ours = is_ours(name);
        pieces.until(span.start + name.len() + 1, if ours { Tone::Accent } else { Tone::Of(Leg::Customer) });
        if long_name(name).eq_ignore_ascii_case("Refer-To") {
            for (item, tone) in payload {
                pieces.until(item.start, Tone::Soft);
                pieces.until(item.end, *tone);
            }
        }
        pieces.until(span.end, Tone::Plain);
    }
    let body = view.raw.len() - view.body.len();
    pieces.until(body, Tone::Plain);
    let is_sdp = view.body.starts_with("v=");
    let mut at = body;
    for line in view.body.split_inclusive('\n') {
        if is_sdp {
            pieces.until(at + line.find('=').map_or(0, |equals| equals + 1), Tone::Of(Leg::Agent));
        }
        at += line.len();
        pieces.until(at, Tone::Soft);
    }
    pieces.until(view.raw.len(), Tone::Plain);
    pieces.pieces
}

fn start_line(pieces: &mut Pieces<'_>, line: Range<usize>, view: &MessageView) {
    let text = view.raw.get(line.clone()).unwrap_or_default();
    let (first, last) = (text.find(' ').unwrap_or(text.len()), text.rfind(' ').unwrap_or(text.len()));
    match &view.kind {
        Kind::Request(method) => {
            let tone = if method == "REFER" { Tone::Of(Leg::Return) } else { Tone::Of(Leg::Customer) };
            pieces.until(line.start + first, tone);
            pieces.until(line.start + last, Tone::Plain);
            pieces.until(line.end, Tone::Faint);
        }
        Kind::Response { code, .. } => {
            pieces.until(line.start + first, Tone::Faint);
            let tone = match code {
                0..200 => Tone::Soft,
                200..300 => Tone::Good,
                300..=399 | 401 | 407 => Tone::Warn,
                _ => Tone::Wrong,
            };
            pieces.until(line.end, tone);
        }
        Kind::Other => pieces.until(line.end, Tone::Plain),
    }
}

pub fn is_ours(name: &str) -> bool {
    ["X-GA-", "X-ASAPP-"].iter().any(|prefix| name.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix)))
}

struct Pieces<'a> {
    text: &'a str,
    pieces: Vec<(Range<usize>, Tone)>,
    done: usize,
}

impl Pieces<'_> {
    /// What was not coloured before `end` gets this colour.
    fn until(&mut self, end: usize, tone: Tone) {
        let end = end.min(self.text.len());
        if end <= self.done || !self.text.is_char_boundary(end) {
            return;
        }
        match self.pieces.last_mut() {
            Some((span, last)) if *last == tone => span.end = end,
            _ => self.pieces.push((self.done..end, tone)),
        }
        self.done = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::{
        Backend as _,
        sample::{RETURNING, SampleBackend},
    };

    #[test]
    fn the_pieces_cover_the_whole_text_of_any_message() {
        let backend = SampleBackend::filled();
        let mut messages = backend.messages(RETURNING);
        for bytes in ["", "\r\n\r\n", "x", "INVITE sip:a SIP/2.0\r\nVia\r\n", "é: ü\r\n é\r\n\r\nv=0\r\n=\r\n"] {
            messages.push(crate::model::CapturedMessage { bytes: bytes.as_bytes().to_vec().into(), ..messages[0].clone() });
        }
        for message in messages {
            let view = MessageView::new(&message);
            let pieces = colours(&view, &[]);
            let whole: String = pieces.iter().map(|(span, _)| &view.raw[span.clone()]).collect();
            assert_eq!(whole, view.raw);
        }
    }
}
