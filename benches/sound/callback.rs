//! A speaker's and a microphone's callback, of the length that devices are asked for: its time (the slowest counts, beside a fifth of
//! the period) and its allocations (none).

use std::sync::Arc;

use divan::{Bencher, counter::ItemsCount};
use handback::engine::sound_desk::{Controls, Line, Microphone, Mouth, Speaker};
use handback::wire::audio_device::{MICROPHONE_MS, SPEAKER_MS};
use rtrb::RingBuffer;

/// Devices as they are found: rate and channels.
const DEVICES: [(u32, u16); 3] = [(48_000, 2), (44_100, 2), (16_000, 1)];

#[divan::bench(args = DEVICES, sample_count = 2_000, sample_size = 1)]
fn speaker_with_three_lines(bencher: Bencher<'_, '_>, (rate, channels): (u32, u16)) {
    let (mut lines, mut rings) = (Vec::new(), [None, None, None, None]);
    for ring in rings.iter_mut().take(3) {
        let (line, consumer) = RingBuffer::new(38_400);
        lines.push(line);
        *ring = Some(consumer);
    }
    let mut speaker = Speaker::new(rate, channels, rings, Arc::new(Controls::default()));
    let sound: Vec<i16> = (0..96 * SPEAKER_MS).map(|n| ((n as f32 / 20.0).sin() * 8_000.0) as i16).collect();
    let mut out = vec![0.0; (rate * SPEAKER_MS / 1_000) as usize * usize::from(channels)];
    bencher.counter(ItemsCount::new(out.len())).bench_local(|| {
        for line in &mut lines {
            let _ = line.push_entire_slice(&sound);
        }
        speaker.fill(divan::black_box(&mut out));
    });
}

#[divan::bench(args = DEVICES, sample_count = 2_000, sample_size = 1)]
fn microphone_into_two_lines(bencher: Bencher<'_, '_>, (rate, channels): (u32, u16)) {
    let (mut heard, mut mouths) = (Vec::new(), [None, None]);
    for (mouth, line) in mouths.iter_mut().zip([Line::Phone, Line::Operator]) {
        let (ring, consumer) = RingBuffer::new(9_600);
        heard.push(consumer);
        *mouth = Some(Mouth { line, ring });
    }
    let mut microphone = Microphone::new(rate, channels, 0, mouths, Arc::new(Controls::default()));
    let sound: Vec<f32> =
        (0..(rate * MICROPHONE_MS / 1_000) as usize * usize::from(channels)).map(|n| (n as f32 / 20.0).sin() / 4.0).collect();
    bencher.counter(ItemsCount::new(sound.len())).bench_local(|| {
        microphone.take(divan::black_box(&sound));
        for line in &mut heard {
            let there = line.slots();
            if let Ok(chunk) = line.read_chunk(there) {
                chunk.commit_all();
            }
        }
    });
}
