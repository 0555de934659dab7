//! What a microphone hears: one voice for all lines that it speaks into. Called by the device, so it never waits.
//!
//! Its clock is the one by which its packets are sent; whoever hears them keeps step with it, as with any sender's.

use std::sync::Arc;

use rtrb::Producer;

use super::{
    bent::{Bent, CHUNK},
    controls::Controls,
};
use crate::media::Line;

/// See the module.
pub struct Microphone {
    channels: usize,
    /// Which of the two.
    place: usize,
    bent: Bent,
    gathered: usize,
    said: Box<[i16]>,
    mouths: [Option<Mouth>; 2],
    controls: Arc<Controls>,
}

/// The way into one line.
pub struct Mouth {
    pub line: Line,
    pub ring: Producer<i16>,
}

impl Microphone {
    /// For a device of `rate` and `channels`, the `place`th microphone, that speaks into `mouths`.
    pub fn new(rate: u32, channels: u16, place: usize, mouths: [Option<Mouth>; 2], controls: Arc<Controls>) -> Self {
        let bent = Bent::of_microphone(rate);
        let most = bent.output().first().map_or(CHUNK, Vec::len);
        Self { channels: usize::from(channels.max(1)), place, bent, gathered: 0, said: vec![0; most].into(), mouths, controls }
    }

    /// Takes what the device heard, frame by frame.
    pub fn take(&mut self, heard: &[f32]) {
        if let Some(meter) = self.controls.spoken.get(self.place) {
            meter.note(heard.iter().copied());
        }
        for frame in heard.chunks_exact(self.channels) {
            let mono = frame.iter().sum::<f32>() / self.channels as f32;
            if let Some(place) = self.bent.input().first_mut().and_then(|input| input.get_mut(self.gathered)) {
                *place = mono;
            }
            self.gathered += 1;
            if self.gathered >= self.bent.wanted() {
                self.gathered = 0;
                self.speak();
            }
        }
    }

    fn speak(&mut self) {
        let made = self.bent.run();
        let Some(samples) = self.bent.output().first().and_then(|output| output.get(..made)) else { return };
        let Some(said) = self.said.get_mut(..made) else { return };
        said.iter_mut().zip(samples).for_each(|(said, sample)| *said = (sample.clamp(-1.0, 1.0) * 32_767.0) as i16);
        for mouth in self.mouths.iter_mut().flatten() {
            let muted = self.controls.is_muted(mouth.line);
            // A line that nobody fetches is full, and what is said into it is dropped.
            if let Ok(room) = mouth.ring.write_chunk_uninit(made) {
                room.fill_from_iter(said.iter().map(|sample| if muted { 0 } else { *sample }));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rtrb::RingBuffer;

    use super::*;

    #[test]
    fn any_microphone_speaks_at_the_lines_rate() {
        for (rate, channels) in [(48_000u32, 1u16), (44_100, 2), (16_000, 1), (192_000, 4)] {
            let (ring, mut line) = RingBuffer::new(96_000);
            let controls = Arc::new(Controls::default());
            let mouth = Mouth { line: Line::Phone, ring };
            let mut microphone = Microphone::new(rate, channels, 0, [Some(mouth), None], controls.clone());
            let samples: Vec<f32> = (0..rate)
                .flat_map(|n| vec![(n as f32 * 1_000.0 / rate as f32 * std::f32::consts::TAU).sin() / 2.0; usize::from(channels)])
                .collect();
            samples.chunks(usize::from(channels) * 441).for_each(|part| microphone.take(part));
            let there = line.slots();
            assert!(there.abs_diff(48_000) < 500, "{rate} Hz: {there}");
            let heard: Vec<i16> = (0..there).map(|_| line.pop().expect("a sample")).collect();
            let crossings = heard[24_000..].windows(2).filter(|pair| (pair[0] < 0) != (pair[1] < 0)).count();
            let expected = (there - 24_000) / 24;
            assert!(crossings.abs_diff(expected) < 8, "{rate} Hz: {crossings} of {expected}");
            assert!(controls.spoken[0].take().rms > 0.3);
        }
    }

    #[test]
    fn a_muted_line_gets_silence_and_the_other_the_voice() {
        let controls = Arc::new(Controls::default());
        controls.mute(Line::Phone, true);
        let (mut lines, mut mouths) = (Vec::new(), Vec::new());
        for line in [Line::Phone, Line::Operator] {
            let (ring, heard) = RingBuffer::new(9_600);
            lines.push(heard);
            mouths.push(Some(Mouth { line, ring }));
        }
        let mouths: [Option<Mouth>; 2] = mouths.try_into().unwrap_or_default();
        let mut microphone = Microphone::new(48_000, 1, 0, mouths, controls);
        microphone.take(&[0.5; 4_800]);
        let loudest = lines.iter_mut().map(|line| (0..line.slots()).map(|_| line.pop().expect("a sample")).max()).collect::<Vec<_>>();
        assert!(loudest[0] == Some(0) && loudest[1].is_some_and(|loudest| loudest > 16_000), "{loudest:?}");
    }
}
