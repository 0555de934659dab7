//! Events become what everyone else sees: numbered events, records, and a snapshot.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use arc_swap::ArcSwap;
use tokio::sync::watch;

use super::{capture::Capture, records::Records};
use crate::{
    findings,
    model::{
        CallEvent, CallId, CallRecord, CallSound, CallState, CapturedMessage, Counters, Event, Finding, LegId, LegOpened, Listener,
        LoggedMessage, Snapshot, Timestamp, WholeCall,
    },
    party::Gauges,
};

/// What readers on other threads share with the engine. No lock is held for longer than a copy of pointers.
pub struct Shared {
    snapshot: ArcSwap<Snapshot>,
    /// Somebody has read the snapshot since it was last published.
    read: AtomicBool,
    history: Mutex<VecDeque<Event>>,
    last_seq: watch::Sender<u64>,
    capture: Mutex<Capture>,
    /// Beside the records, which are copied with every event: a call's sound over its time.
    sound: Mutex<HashMap<CallId, Arc<CallSound>>>,
    pub(super) figures: Figures,
    /// The engine was told to stop.
    pub(super) draining: AtomicBool,
    /// Called after each new snapshot.
    waker: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

/// Counts that the engine's threads add to and `/metrics` reads.
#[derive(Default)]
pub struct Figures {
    pub messages_in: AtomicU64,
    pub messages_out: AtomicU64,
    /// Streams that turned out to be no SIP; parties count what they can't read themselves.
    pub streams_malformed: AtomicU64,
    pub messages_dropped: AtomicU64,
}

impl Shared {
    pub fn new(capture_bytes: usize) -> Self {
        Self {
            snapshot: ArcSwap::default(),
            read: AtomicBool::new(true),
            history: Mutex::new(VecDeque::new()),
            last_seq: watch::Sender::new(0),
            capture: Mutex::new(Capture::new(capture_bytes)),
            sound: Mutex::default(),
            figures: Figures::default(),
            draining: AtomicBool::new(false),
            waker: OnceLock::new(),
        }
    }

    /// The state as last published, at most 33 ms old while somebody reads.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.read.store(true, Ordering::Relaxed);
        self.snapshot.load_full()
    }

    /// Up to `most` events after `seq`, oldest first. Events older than what is kept are gone.
    pub fn events_after(&self, seq: u64, most: usize) -> Vec<Event> {
        let history = lock(&self.history);
        let start = history.partition_point(|event| event.seq <= seq);
        history.iter().skip(start).take(most).cloned().collect()
    }

    /// Changes when there are new events.
    pub fn watch_events(&self) -> watch::Receiver<u64> {
        self.last_seq.subscribe()
    }

    /// Every message of a call's legs, in order.
    pub fn messages(&self, call: CallId) -> Vec<CapturedMessage> {
        lock(&self.capture).messages(call)
    }

    /// A call's sound over its time, while the call is known and once anything was heard.
    pub fn sound_of(&self, call: CallId) -> Option<Arc<CallSound>> {
        lock(&self.sound).get(&call).cloned()
    }

    /// Messages of all calls and of none from number `from` on; see [`Capture::messages_from`].
    pub fn messages_from(&self, from: u64, most: usize) -> (Vec<LoggedMessage>, u64) {
        lock(&self.capture).messages_from(from, most)
    }

    /// Has `waker` called after each new snapshot. Only the first one is kept.
    pub fn on_snapshot(&self, waker: Box<dyn Fn() + Send + Sync>) {
        let _ = self.waker.set(waker);
    }

    /// Somebody has read since the last snapshot, or waits to be woken by the next one: a reader that sleeps until then
    /// must not miss the end of a burst.
    fn is_watched(&self) -> bool {
        self.read.load(Ordering::Relaxed) || self.waker.get().is_some()
    }

    pub(super) fn capture(&self) -> MutexGuard<'_, Capture> {
        lock(&self.capture)
    }
}

/// Folds events into records, on the engine's thread.
pub struct Publisher {
    shared: Arc<Shared>,
    listeners: Arc<[Listener]>,
    records: Records,
    finished: VecDeque<CallId>,
    most_finished: usize,
    seq: u64,
    counters: Counters,
    gauges: Gauges,
    changed: bool,
}

impl Publisher {
    pub fn new(shared: Arc<Shared>, listeners: Vec<Listener>, most_finished: usize) -> Self {
        Self {
            shared,
            listeners: listeners.into(),
            records: Records::default(),
            finished: VecDeque::new(),
            most_finished,
            seq: 0,
            counters: Counters::default(),
            gauges: Gauges::default(),
            changed: true,
        }
    }

    /// Which party runs the call.
    pub fn party_of(&self, call: CallId) -> Option<u8> {
        self.records.get(call).map(|(party, _)| *party)
    }

    /// The call as it stands; while it is known.
    pub fn record(&self, call: CallId) -> Option<&Arc<CallRecord>> {
        self.records.get(call).map(|(_, record)| record)
    }

    /// Calls that are not over, each with the party that runs it.
    pub fn running(&self) -> Vec<(CallId, u8)> {
        let running = self.records.values().filter(|(_, record)| !record.state.is_final());
        running.map(|(party, record)| (record.id, *party)).collect()
    }

    /// Whether there is something new that somebody wants to see.
    pub fn is_due(&self) -> bool {
        self.changed && self.shared.is_watched()
    }

    /// How many calls are not over.
    pub fn active(&self) -> u64 {
        self.counters.calls_active
    }

    /// Takes one event of `party` in. What the rules find in a finished call is told before its end, and the call as it
    /// was comes back, with the messages and the sound of all its legs.
    pub fn take(&mut self, party: u8, at: Timestamp, call: CallId, what: CallEvent) -> Option<WholeCall> {
        let ends = matches!(what, CallEvent::CallEnded { .. });
        // The wrap-up may end long after the call: what is kept of it is then told again, whole.
        let later = matches!(what, CallEvent::WrapUpEnded) && self.records.get(call).is_some_and(|(_, record)| record.state.is_final());
        let seen = (ends || later).then(|| self.seen_of(call, later));
        if let Some((messages, _)) = seen.as_ref().filter(|_| ends) {
            for finding in self.findings(at, call, &what, messages) {
                self.fold(party, at, call, CallEvent::FindingRaised { finding });
            }
        }
        let (record, (messages, sound)) = (self.fold(party, at, call, what)?, seen?);
        Some(WholeCall { record, messages, sound })
    }

    /// A call's messages and sound. Told `again` it has none where some have gone meanwhile: what was kept of it then stays.
    fn seen_of(&self, call: CallId, again: bool) -> (Vec<CapturedMessage>, Option<Arc<CallSound>>) {
        if again && !self.shared.capture().is_whole(call) {
            return (Vec::new(), None);
        }
        (self.shared.messages(call), self.shared.sound_of(call))
    }

    /// A call that was over, with what came for it since: what the rules find now is told, and the call comes back whole, with
    /// the party that ran it. None where it is not known, or runs.
    pub fn take_again(&mut self, at: Timestamp, call: CallId) -> Option<(u8, WholeCall)> {
        let (party, record) = self.records.get(call).filter(|(_, record)| record.state.is_final())?;
        let (party, record) = (*party, record.clone());
        let (messages, sound) = self.seen_of(call, true);
        for finding in findings::of_call(&record, &messages) {
            self.fold(party, at, call, CallEvent::FindingRaised { finding });
        }
        Some((party, WholeCall { record: self.record(call)?.clone(), messages, sound }))
    }

    /// What the rules say of a call, seen with its end.
    fn findings(&self, at: Timestamp, call: CallId, end: &CallEvent, messages: &[CapturedMessage]) -> Vec<Finding> {
        let Some((_, record)) = self.records.get(call) else { return Vec::new() };
        let mut ended = CallRecord::clone(record);
        ended.apply(at, end);
        findings::of_call(&ended, messages)
    }

    /// The record comes back with its last event.
    fn fold(&mut self, party: u8, at: Timestamp, call: CallId, what: CallEvent) -> Option<Arc<CallRecord>> {
        self.changed = true;
        self.seq += 1;
        let counters = &mut self.counters;
        let (_, record) = self.records.entry(call, || {
            counters.calls_total += 1;
            counters.calls_active += 1;
            (party, Arc::new(CallRecord::new(call, at)))
        });
        if let CallEvent::MediaMeasured { leg, figures } = &what {
            counters.add_media(record.media_of(*leg), figures);
            Arc::make_mut(lock(&self.shared.sound).entry(call).or_default()).note(at, *leg, figures);
        }
        let is_recorded = |record: &CallRecord| u64::from(record.recording.as_ref().is_some_and(|recording| recording.goes_on()));
        let was_recorded = is_recorded(record);
        Arc::make_mut(record).apply(at, &what);
        counters.recordings_active = counters.recordings_active + is_recorded(record) - was_recorded;
        counters.recordings_total += u64::from(matches!(what, CallEvent::RecordingStarted { .. }));
        counters.recordings_failed += u64::from(matches!(what, CallEvent::RecordingEnded { failed: Some(_) }));
        let ended = matches!(what, CallEvent::CallEnded { .. } | CallEvent::WrapUpEnded).then(|| record.clone());
        let mut placed_here = None;
        match &what {
            CallEvent::LegOpened(LegOpened { leg, sip_call_id, remote, incoming, .. }) => {
                let called_up = *leg == LegId(0) && *incoming && !record.test_call;
                let mut capture = self.shared.capture();
                capture.claim(party, sip_call_id, *remote, call, *leg);
                placed_here = if called_up { capture.other_end(party, sip_call_id) } else { None };
            }
            CallEvent::CallEnded { state, .. } => {
                if let Some(mos) = record.mos() {
                    counters.calls_rated += 1;
                    counters.mos_sum += f64::from(mos);
                }
                self.finish(call, *state);
            }
            _ => {}
        }
        self.remember(Event { seq: self.seq, at, call, what: Arc::new(what) });
        if let Some(test_call) = placed_here {
            self.fold(party, at, call, CallEvent::PlacedHere { test_call });
        }
        ended
    }

    /// A finished call is kept until enough others have finished after it.
    fn finish(&mut self, call: CallId, state: CallState) {
        self.counters.calls_active = self.counters.calls_active.saturating_sub(1);
        self.counters.calls_refused += u64::from(state == CallState::Refused);
        self.shared.capture().release(call);
        self.finished.push_back(call);
        self.forget_finished();
    }

    /// So many finished calls are kept from now on.
    pub fn keep_finished(&mut self, most: usize) {
        self.most_finished = most;
        self.forget_finished();
    }

    fn forget_finished(&mut self) {
        while self.finished.len() > self.most_finished
            && let Some(oldest) = self.finished.pop_front()
        {
            self.records.remove(oldest);
            lock(&self.shared.sound).remove(&oldest);
            self.shared.capture().forget(oldest);
        }
    }

    /// Publishes a snapshot if anything changed and (unless `always`) anybody looks.
    pub fn publish(&mut self, at: Timestamp, always: bool, gauges: impl FnOnce() -> Gauges) {
        if !self.changed || !(always || self.shared.is_watched()) {
            return;
        }
        self.shared.read.store(false, Ordering::Relaxed);
        self.changed = false;
        self.gauges = gauges();
        self.shared.snapshot.store(Arc::new(Snapshot {
            at,
            seq: self.seq,
            calls: self.records.values().map(|(_, record)| record.clone()).collect(),
            listeners: self.listeners.clone(),
            counters: self.counters(),
        }));
        if let Some(waker) = self.shared.waker.get() {
            waker();
        }
    }

    /// Something besides events changed that the snapshot shows.
    pub fn touch(&mut self) {
        self.changed = true;
    }

    fn counters(&self) -> Counters {
        let figures = &self.shared.figures;
        Counters {
            messages_in: figures.messages_in.load(Ordering::Relaxed),
            messages_out: figures.messages_out.load(Ordering::Relaxed),
            messages_malformed: self.gauges.malformed + figures.streams_malformed.load(Ordering::Relaxed),
            last_malformed: self.gauges.last_malformed.clone(),
            messages_dropped: self.gauges.dropped + figures.messages_dropped.load(Ordering::Relaxed),
            transactions: self.gauges.transactions as u64,
            media_streams: self.gauges.media_streams as u64,
            messages_kept: self.shared.capture().kept(),
            ..self.counters.clone()
        }
    }

    fn remember(&self, event: Event) {
        let mut history = lock(&self.shared.history);
        if history.len() >= MOST_EVENTS {
            history.pop_front();
        }
        history.push_back(event);
        drop(history);
        self.shared.last_seq.send_replace(self.seq);
    }
}

/// A reader that panicked must not take the engine with it: the data are whole after every single change.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Events kept for readers that ask for the past.
const MOST_EVENTS: usize = 20_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::LegRole;

    fn arrives(publisher: &mut Publisher, party: u8, call: CallId, incoming: bool, sip_call_id: &str) {
        let address = ([127, 0, 0, 1], 5060).into();
        let what = CallEvent::CallArrived {
            from: String::new(),
            to: String::new(),
            request_uri: String::new(),
            source: address,
            test_call: party == 1,
        };
        publisher.take(party, Timestamp(1), call, what);
        let opened = LegOpened {
            leg: LegId(0),
            role: LegRole::Customer,
            sip_call_id: sip_call_id.into(),
            remote: address,
            uri: String::new(),
            incoming,
        };
        publisher.take(party, Timestamp(1), call, CallEvent::LegOpened(opened));
    }

    #[test]
    fn the_bridges_call_of_a_test_call_says_so() {
        let mut publisher = Publisher::new(Arc::new(Shared::new(1 << 20)), Vec::new(), 0);
        arrives(&mut publisher, 1, CallId(7), false, "a@b");
        arrives(&mut publisher, 0, CallId(1), true, "a@b");
        arrives(&mut publisher, 0, CallId(2), true, "c@d");
        assert_eq!(publisher.record(CallId(1)).unwrap().placed_here, Some(CallId(7)));
        assert_eq!(publisher.record(CallId(2)).unwrap().placed_here, None);
        assert_eq!(publisher.record(CallId(7)).unwrap().placed_here, None);
    }

    #[test]
    fn an_ended_call_comes_back_even_where_none_is_kept() {
        let mut publisher = Publisher::new(Arc::new(Shared::new(1 << 20)), Vec::new(), 0);
        arrives(&mut publisher, 0, CallId(1), true, "a@b");
        let why = crate::model::Ended::new("x", crate::model::Party::Bridge, None);
        let ended = CallEvent::CallEnded { state: CallState::Refused, why };
        let whole = publisher.take(0, Timestamp(2), CallId(1), ended).unwrap();
        let record = &whole.record;
        assert_eq!((record.state, record.ended_at, whole.messages.len()), (CallState::Refused, Some(Timestamp(2)), 0));
        assert!(publisher.record(CallId(1)).is_none());
    }
}
