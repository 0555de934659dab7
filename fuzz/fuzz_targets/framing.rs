//! A stream: however it is cut into reads, the same frames come out, and memory stays within the limit.
#![no_main]

use handback::sip::transport::framing::{Frame, FramingError, StreamFramer};
use libfuzzer_sys::fuzz_target;

const LIMIT: usize = 4096;

fuzz_target!(|input: (Vec<u8>, &[u8])| {
    let (cuts, stream) = input;
    let whole = frames(std::iter::once(stream));
    let mut rest = stream;
    let pieces = std::iter::from_fn(|| {
        let length = cuts.get((stream.len() - rest.len()) % cuts.len().max(1)).map_or(1, |&cut| usize::from(cut).max(1)).min(rest.len());
        let (piece, after) = rest.split_at(length);
        rest = after;
        (!piece.is_empty()).then_some(piece)
    });
    let cut = frames(pieces);
    assert_eq!(messages(&whole.0), messages(&cut.0), "the same messages, however cut");
    if let (Some(one), Some(other)) = (whole.1, cut.1) {
        assert_eq!(one, other);
    }
});

fn frames<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Frame>, Option<FramingError>) {
    let mut framer = StreamFramer::new(LIMIT);
    let mut found = Vec::new();
    for piece in pieces {
        framer.push(piece);
        loop {
            match framer.next() {
                Ok(Some(frame)) => found.push(frame),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(framer.next(), Err(error), "a broken stream stays broken");
                    return (found, Some(error));
                }
            }
        }
    }
    (found, None)
}

/// Keep-alives depend on what a read ends with: a lone CRLF may be half of a ping.
fn messages(frames: &[Frame]) -> Vec<&Frame> {
    frames.iter().filter(|frame| matches!(frame, Frame::Message(_))).collect()
}
