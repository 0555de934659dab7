//! Samples between the rates of two codecs, by way of the line's.

use super::rate::{Down, LINE_RATE, Up};

/// One direction, with what its filters remember. Nothing is allocated after [`Between::new`].
#[derive(Debug)]
pub struct Between {
    rates: (u32, u32),
    up: Up,
    down: Down,
}

impl Between {
    /// Each of 8,000, 16,000 or 48,000 samples a second.
    pub fn new(from: u32, to: u32) -> Between {
        Between { rates: (from, to), up: Up::new(from), down: Down::new(to) }
    }

    pub fn rates(&self) -> (u32, u32) {
        self.rates
    }

    /// Fills `into` with what `from`, any number of 10 ms, becomes; how many samples.
    pub fn run(&mut self, from: &[i16], into: &mut [i16]) -> usize {
        if self.rates.0 == self.rates.1 {
            let count = from.len().min(into.len());
            into[..count].copy_from_slice(&from[..count]);
            return count;
        }
        let (mut line, mut written) = ([0; LINE], 0);
        for piece in from.chunks(LINE / (LINE_RATE / self.rates.0) as usize) {
            let length = self.up.run(piece, &mut line);
            written += self.down.run(&line[..length], &mut into[written..]);
        }
        written
    }
}

/// 20 ms of a line.
const LINE: usize = LINE_RATE as usize / 50;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_much_time_comes_out_as_went_in() {
        for from in [8_000, 16_000, 48_000] {
            for to in [8_000, 16_000, 48_000] {
                let mut between = Between::new(from, to);
                let said = vec![1_000; from as usize / 100];
                let mut heard = vec![0; to as usize / 50];
                for _ in 0..10 {
                    assert_eq!(between.run(&said, &mut heard), to as usize / 100, "{from} to {to}");
                }
                assert!(heard[..10].iter().all(|sample| (990..1_010).contains(sample)), "{from} to {to}: {:?}", &heard[..10]);
            }
        }
    }
}
