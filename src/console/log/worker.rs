//! The thread that reads the log, so that the window neither parses nor searches while it paints.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

use super::{Found, LogView, filter::Filter, find::find, reader::Reader};
use crate::{
    console::{Backend, Waker},
    model::Listener,
};

/// The window's end. It is asked for nothing until the first wish, so that a window without a log costs nothing.
pub struct Log {
    shared: Arc<Shared>,
    /// Everything is done at once by who asks: for tests.
    inline: Option<Mutex<Reader>>,
    generation: u64,
    filter: String,
    asked: (String, usize),
}

struct Shared {
    backend: Arc<dyn Backend>,
    waker: Waker,
    wishes: Mutex<Wishes>,
    wished: Condvar,
    view: Mutex<Arc<LogView>>,
    found: Mutex<(String, Arc<[Found]>)>,
}

#[derive(Default)]
struct Wishes {
    started: bool,
    /// There may be new messages.
    look: bool,
    filter: Option<(Filter, u64)>,
    find: Option<String>,
    listeners: Arc<[Listener]>,
    stop: bool,
}

impl Log {
    pub fn new(backend: Arc<dyn Backend>, waker: Waker, on_thread: bool) -> Self {
        let shared =
            Shared { backend, waker, wishes: Mutex::default(), wished: Condvar::new(), view: Mutex::default(), found: Mutex::default() };
        Self {
            shared: Arc::new(shared),
            inline: (!on_thread).then(Mutex::default),
            generation: 0,
            filter: String::new(),
            asked: (String::new(), 0),
        }
    }

    /// The same from the beginning, for other messages.
    pub fn renewed(&self) -> Self {
        Self::new(self.shared.backend.clone(), self.shared.waker.clone(), self.inline.is_none())
    }

    /// The log as it stands.
    pub fn view(&self) -> Arc<LogView> {
        lock(&self.shared.view).clone()
    }

    /// There may be new messages.
    pub fn look(&self, listeners: &Arc<[Listener]>) {
        self.wish(|wishes| {
            wishes.look = true;
            wishes.listeners = listeners.clone();
        });
    }

    /// Narrows the view to what `text` asks, where it can be read.
    pub fn narrow(&mut self, text: &str) {
        if self.filter == text {
            return;
        }
        text.clone_into(&mut self.filter);
        if let Ok(filter) = Filter::parse(text).0 {
            self.generation += 1;
            let generation = self.generation;
            self.wish(|wishes| wishes.filter = Some((filter, generation)));
        }
    }

    /// Which filter the view should be of.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Messages that hold all words of `text`, once they were found.
    pub fn find(&mut self, text: &str) -> Arc<[Found]> {
        // Anew with every few thousand messages that came.
        let held = self.view().held / 4_096;
        if self.asked.0 != text || self.asked.1 != held {
            self.asked = (text.to_owned(), held);
            let text = text.to_owned();
            self.wish(|wishes| wishes.find = Some(text));
        }
        let found = lock(&self.shared.found);
        if found.0 == self.asked.0 { found.1.clone() } else { Arc::default() }
    }

    fn wish(&self, change: impl FnOnce(&mut Wishes)) {
        let mut wishes = lock(&self.shared.wishes);
        change(&mut wishes);
        if let Some(reader) = &self.inline {
            drop(wishes);
            self.shared.fulfil(&mut lock(reader));
            return;
        }
        self.shared.wished.notify_one();
        if !std::mem::replace(&mut wishes.started, true) {
            let shared = self.shared.clone();
            let started = thread::Builder::new().name("log".to_owned()).spawn(move || shared.run());
            wishes.started = started.is_ok();
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        lock(&self.shared.wishes).stop = true;
        self.shared.wished.notify_one();
    }
}

impl Shared {
    fn run(&self) {
        let mut reader = Reader::default();
        loop {
            let idle = |wishes: &mut Wishes| !(wishes.stop || wishes.look || wishes.filter.is_some() || wishes.find.is_some());
            let wishes = self.wished.wait_while(lock(&self.wishes), idle).unwrap_or_else(PoisonError::into_inner);
            if wishes.stop {
                return;
            }
            drop(wishes);
            self.fulfil(&mut reader);
        }
    }

    /// Does what is wished, and shows what came of it after each step; a newer wish comes before the rest of an older one.
    fn fulfil(&self, reader: &mut Reader) {
        loop {
            let (filter, words, look, listeners) = {
                let mut wishes = lock(&self.wishes);
                if wishes.stop {
                    return;
                }
                (wishes.filter.take(), wishes.find.take(), std::mem::take(&mut wishes.look), wishes.listeners.clone())
            };
            if let Some((filter, generation)) = filter {
                reader.set_filter(filter, generation);
                self.show(reader);
            }
            if let Some(text) = words {
                let words: Vec<Vec<u8>> = text.to_lowercase().split_whitespace().map(|word| word.as_bytes().to_vec()).collect();
                let found = find(reader.newest_first(), &words, MOST_FOUND).into();
                *lock(&self.found) = (text, found);
                (self.waker)();
            }
            let mut went_on = reader.search();
            if look {
                let (messages, next) = self.backend.messages_from(reader.next, AT_ONCE);
                if next > reader.next {
                    reader.next = next;
                    reader.take(messages, &listeners);
                    lock(&self.wishes).look = true;
                    went_on = true;
                }
            }
            if went_on {
                self.show(reader);
            }
            let wishes = lock(&self.wishes);
            if !went_on && !wishes.look && wishes.filter.is_none() && wishes.find.is_none() {
                return;
            }
        }
    }

    fn show(&self, reader: &Reader) {
        *lock(&self.view) = Arc::new(reader.view());
        (self.waker)();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Messages that are copied while the engine waits: some tens of microseconds.
const AT_ONCE: usize = 256;
const MOST_FOUND: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::sample::SampleBackend;

    #[test]
    fn a_thread_reads_narrows_and_finds() {
        let (woken, wakes) = std::sync::mpsc::channel();
        let waker: Waker = Arc::new(move || woken.send(()).unwrap_or_default());
        let mut log = Log::new(SampleBackend::filled(), waker, true);
        let until = |log: &mut Log, what: &dyn Fn(&mut Log) -> bool| {
            while !what(log) {
                wakes.recv_timeout(std::time::Duration::from_secs(10)).expect("it goes on");
            }
        };
        log.look(&Arc::default());
        until(&mut log, &|log| log.view().held == 17);
        log.narrow("method:REFER");
        until(&mut log, &|log| log.view().generation == log.generation() && log.view().done);
        assert_eq!(log.view().len, 3, "twice sent, once accepted");
        until(&mut log, &|log| !log.find("refer-to summary").is_empty());
        assert!(log.find("refer-to summary")[0].line.starts_with("Refer-To: "));
    }
}
