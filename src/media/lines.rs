//! Which stream each line is on: one at a time.

use super::command::Line;

/// The streams' slots, by line.
#[derive(Debug, Default)]
pub struct Lines([Option<usize>; 3]);

impl Lines {
    /// Moves a line to a stream, or takes it away from that one. Where it was comes back, and where it is now.
    pub fn move_to(&mut self, line: Line, slot: usize, on: bool) -> (Option<usize>, Option<usize>) {
        let place = &mut self.0[place_of(line)];
        let before = *place;
        if on {
            *place = Some(slot);
        } else if before == Some(slot) {
            *place = None;
        }
        (before, *place)
    }

    /// The lines that are on a stream.
    pub fn on(&self, slot: usize) -> impl Iterator<Item = Line> + use<> {
        let lines = self.0;
        EVERY.into_iter().filter(move |line| lines[place_of(*line)] == Some(slot))
    }
}

fn place_of(line: Line) -> usize {
    match line {
        Line::Phone => 0,
        Line::Operator => 1,
        Line::Listener => 2,
    }
}

const EVERY: [Line; 3] = [Line::Phone, Line::Operator, Line::Listener];
