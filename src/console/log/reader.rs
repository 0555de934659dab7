//! The log itself and the search in it, without a thread: chunks of rows that are shared once they are full.

use std::{collections::VecDeque, sync::Arc};

use super::{LogRow, filter::Filter, row::is_copy};
use crate::model::{Listener, LoggedMessage};

pub type Chunk = Arc<[Arc<LogRow>]>;

/// Rows in order, so that a view of them costs one pointer a chunk.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    full: VecDeque<Chunk>,
    tail: Vec<Arc<LogRow>>,
}

impl Rows {
    fn push(&mut self, row: Arc<LogRow>) {
        self.tail.push(row);
        if self.tail.len() >= CHUNK {
            self.full.push_back(std::mem::take(&mut self.tail).into());
        }
    }

    fn chunks(&self) -> Vec<Chunk> {
        let tail = (!self.tail.is_empty()).then(|| self.tail.as_slice().into());
        self.full.iter().cloned().chain(tail).collect()
    }
}

/// What the filter lets through, as far as it was looked for.
#[derive(Debug, Clone, Default)]
pub struct LogView {
    chunks: Vec<Chunk>,
    /// The index of each chunk's first row.
    starts: Vec<usize>,
    pub len: usize,
    /// Messages that are held, whether they match or not.
    pub held: usize,
    /// Messages that this program saw at both ends, left out once each.
    pub copies: usize,
    /// All that is held was looked at.
    pub done: bool,
    /// Which filter it was.
    pub generation: u64,
}

impl LogView {
    fn new(chunks: Vec<Chunk>) -> Self {
        let mut len = 0;
        let mut starts = Vec::with_capacity(chunks.len());
        for chunk in &chunks {
            starts.push(len);
            len += chunk.len();
        }
        Self { chunks, starts, len, ..Self::default() }
    }

    /// The row at `index`, counted from the oldest.
    pub fn get(&self, index: usize) -> Option<&Arc<LogRow>> {
        let chunk = self.starts.partition_point(|start| *start <= index).checked_sub(1)?;
        self.chunks.get(chunk)?.get(index - self.starts.get(chunk)?)
    }

    /// Where the message of that number stands, or would stand.
    pub fn position(&self, number: u64) -> Result<usize, usize> {
        let after = self.chunks.partition_point(|chunk| chunk.first().is_some_and(|row| row.number() <= number));
        let Some(chunk) = after.checked_sub(1) else { return Err(0) };
        let start = self.starts.get(chunk).copied().unwrap_or_default();
        let rows = self.chunks.get(chunk).map(|chunk| &**chunk).unwrap_or_default();
        rows.binary_search_by_key(&number, |row| row.number()).map(|at| start + at).map_err(|at| start + at)
    }

    pub fn last(&self) -> Option<&Arc<LogRow>> {
        self.chunks.last()?.last()
    }
}

/// Holds the log and looks for what the filter asks, a chunk at a time, the newest first.
#[derive(Debug, Default)]
pub struct Reader {
    pub next: u64,
    held: Rows,
    copies: usize,
    matched: Rows,
    filter: Filter,
    generation: u64,
    /// Full chunks that were not looked at yet: those before this one.
    unsearched: usize,
}

impl Reader {
    /// Looks anew, from the newest on.
    pub fn set_filter(&mut self, filter: Filter, generation: u64) {
        self.matched = Rows::default();
        if filter.is_empty() {
            self.matched = self.held.clone();
            self.unsearched = 0;
        } else {
            self.matched.tail = self.held.tail.iter().filter(|row| filter.matches(row)).cloned().collect();
            self.unsearched = self.held.full.len();
        }
        (self.filter, self.generation) = (filter, generation);
    }

    /// Takes new messages in, in order.
    pub fn take(&mut self, messages: Vec<LoggedMessage>, listeners: &[Listener]) {
        for logged in messages {
            if is_copy(&logged.message, listeners) {
                self.copies += 1;
                continue;
            }
            let row = Arc::new(LogRow::new(logged));
            if self.filter.matches(&row) {
                self.matched.push(row.clone());
            }
            self.held.push(row);
        }
        while self.held.full.len() * CHUNK > MOST {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        self.held.full.pop_front();
        self.unsearched = self.unsearched.saturating_sub(1);
        let oldest = self.held.full.front().and_then(|chunk| chunk.first()).map_or(u64::MAX, |row| row.number());
        while self.matched.full.front().is_some_and(|chunk| chunk.last().is_none_or(|row| row.number() < oldest)) {
            self.matched.full.pop_front();
        }
    }

    /// Looks through one more chunk; tells whether there was one.
    pub fn search(&mut self) -> bool {
        let Some(index) = self.unsearched.checked_sub(1) else { return false };
        self.unsearched = index;
        let rows = self.held.full.get(index).into_iter().flat_map(|chunk| chunk.iter());
        let found: Chunk = rows.filter(|row| self.filter.matches(row)).cloned().collect();
        if !found.is_empty() {
            self.matched.full.push_front(found);
        }
        true
    }

    pub fn view(&self) -> LogView {
        LogView {
            held: self.held.full.len() * CHUNK + self.held.tail.len(),
            copies: self.copies,
            done: self.unsearched == 0,
            generation: self.generation,
            ..LogView::new(self.matched.chunks())
        }
    }

    /// Everything that is held, the newest chunk first.
    pub fn newest_first(&self) -> impl Iterator<Item = &Arc<LogRow>> {
        self.held.tail.iter().rev().chain(self.held.full.iter().rev().flat_map(|chunk| chunk.iter().rev()))
    }
}

/// Rows in a chunk.
const CHUNK: usize = 1_024;
/// Messages that are held.
const MOST: usize = 100 * CHUNK;

#[cfg(test)]
mod tests {
    use super::{super::row::tests::logged, *};

    fn reader(count: u64) -> Reader {
        let mut reader = Reader::default();
        let text = |i: u64| format!("{} sip:a@b SIP/2.0\nCSeq: {i} X\n\n", if i.is_multiple_of(10) { "INVITE" } else { "BYE" });
        reader.take((0..count).map(|i| logged(i, &text(i))).collect(), &[]);
        reader
    }

    fn filter(text: &str) -> Filter {
        Filter::parse(text).0.unwrap()
    }

    #[test]
    fn a_view_finds_rows_by_place_and_by_number() {
        let view = reader(3_000).view();
        assert_eq!((view.len, view.held, view.done), (3_000, 3_000, true));
        for at in [0, 1_023, 1_024, 2_999] {
            assert_eq!(view.get(at).unwrap().number(), at as u64);
            assert_eq!(view.position(at as u64), Ok(at));
        }
        assert!(view.get(3_000).is_none() && view.position(9_999) == Err(3_000));
        assert_eq!(LogView::default().position(1), Err(0));
    }

    #[test]
    fn the_newest_match_is_there_first_and_order_is_kept() {
        let mut reader = reader(3_000);
        reader.set_filter(filter("method:INVITE"), 1);
        let first = reader.view();
        assert!(!first.done && first.last().unwrap().number() == 2_990);
        while reader.search() {}
        let all = reader.view();
        assert_eq!((all.len, all.done, all.generation), (300, true, 1));
        assert!((0..300).all(|i| all.get(i).unwrap().number() == 10 * i as u64));
        reader.take(vec![logged(3_000, "INVITE sip:a@b SIP/2.0\n\n"), logged(3_001, "BYE sip:a@b SIP/2.0\n\n")], &[]);
        assert_eq!((reader.view().len, reader.view().held), (301, 3_002));
        reader.set_filter(Filter::default(), 2);
        assert_eq!(reader.view().len, 3_002);
    }

    #[test]
    fn the_oldest_go_first_from_what_matched_too() {
        let mut reader = reader(0);
        reader.set_filter(filter("method:BYE"), 1);
        for from in (0..110_000_u64).step_by(1_000) {
            reader.take((from..from + 1_000).map(|i| logged(i, "BYE sip:a@b SIP/2.0\n\n")).collect(), &[]);
        }
        let view = reader.view();
        assert!(view.held <= MOST + CHUNK && view.len <= view.held && view.get(0).unwrap().number() > 5_000);
    }
}
