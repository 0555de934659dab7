//! Any packets of any codec at an ear, which orders, decodes, conceals and keeps in step, and at a transcoder; nothing panics, and
//! every sample that is asked for is there.
#![no_main]

use std::time::{Duration, Instant};

use arbitrary::Arbitrary;
use handback::media::{
    Codec,
    codecs::Decoder,
    ear::Ear,
    rtp::{Header, sequence_distance},
    transcode::{Follows, Transcoder},
};
use libfuzzer_sys::fuzz_target;

#[derive(Debug, Arbitrary)]
enum Step<'a> {
    Sound {
        header: Numbers,
        payload: &'a [u8],
    },
    /// The next packet of a series, so that the fuzzer need not count.
    Next {
        lost: u8,
        payload: &'a [u8],
    },
    Key {
        header: Numbers,
    },
    Later {
        ms: u8,
        samples: u16,
    },
}

#[derive(Debug, Arbitrary)]
struct Numbers {
    marker: bool,
    pt: u8,
    sequence: u16,
    timestamp: u32,
    ssrc: u8,
}

impl Numbers {
    fn header(&self) -> Header {
        Header { marker: self.marker, pt: self.pt, sequence: self.sequence, timestamp: self.timestamp, ssrc: self.ssrc.into(), payload: 0..0 }
    }
}

fuzz_target!(|input: (u8, u8, Vec<Step<'_>>)| {
    let (from, to, steps) = input;
    let (codec, to) = (Codec::ALL[usize::from(from % 4)], Codec::ALL[usize::from(to % 4)]);
    let mut ear = Ear::new(codec.clock_rate(), codec.sample_rate());
    let (mut decoder, mut transcoder) = (Decoder::new(codec), Transcoder::new(codec, to));
    let (mut now, mut last) = (Instant::now(), Header { marker: false, pt: 0, sequence: 0, timestamp: 0, ssrc: 1, payload: 0..0 });
    let mut frame = vec![0; to.sample_rate() as usize / 50];
    for step in steps.into_iter().take(300) {
        let (header, payload) = match step {
            Step::Sound { header, payload } => (header.header(), payload),
            Step::Next { lost, payload } => {
                let by = 1 + u16::from(lost % 8);
                let units = u32::from(by) * codec.clock_rate() / 50;
                let next = Header { sequence: last.sequence.wrapping_add(by), timestamp: last.timestamp.wrapping_add(units), ..last.clone() };
                (next, payload)
            }
            Step::Key { header } => {
                ear.push_event(now, &header.header());
                transcoder.pass(&header.header());
                continue;
            }
            Step::Later { ms, samples } => {
                now += Duration::from_millis(ms.into());
                let mut out = vec![i16::MIN; usize::from(samples % 3_000)];
                ear.pull(now, &mut decoder, &mut out);
                let figures = ear.figures();
                assert!(figures.delay_ms.is_finite() && figures.target_ms.is_finite());
                continue;
            }
        };
        let payload = &payload[..payload.len().min(1_500)];
        ear.push(now, &header, payload);
        let follows = transcoder.take(&header, payload);
        let mut frames = 0;
        while transcoder.next_frame(&mut frame) {
            frames += 1;
        }
        assert!(frames <= 50, "no more comes out than a packet and a gap hold");
        assert!(follows != Follows::TooLate || frames == 0);
        if sequence_distance(header.sequence, last.sequence) > 0 || header.ssrc != last.ssrc {
            last = header;
        }
    }
});
