//! What parties ask of others than the wire, and what of their calls the desk hears.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::Driver;
use crate::{
    engine::node::lookup_of,
    model::{CallEvent, CallId, DeskAnswer, DeskAsk, ReturnVerdict, Timestamp, settings::Settings},
    party::Input,
    wire::resolve::resolve,
};

impl Driver {
    /// An event for everyone who reads; of the bridge's calls the desk hears what must last, and answers none of it.
    pub(super) fn tell(&mut self, index: usize, party: u8, at: Timestamp, call: CallId, what: CallEvent) {
        if !self.desk_hears_of(index) {
            self.publisher.take(party, at, call, what);
            return;
        }
        // By an agent's first invitation the record has all that the call brought; a call that is refused before that is
        // told at its end.
        let begins = matches!(what, CallEvent::AgentInvited { .. })
            && self.publisher.record(call).is_some_and(|record| record.agent_invited_at.is_none());
        let returned = matches!(what, CallEvent::ReturnSettled { verdict: ReturnVerdict::Succeeded });
        let ended = self.publisher.take(party, at, call, what);
        if (begins || returned)
            && let Some(record) = self.publisher.record(call)
        {
            let ask = match (begins, &record.call_transfer) {
                (true, _) => Some(DeskAsk::Began(record.clone())),
                (false, transfer) => transfer.clone().map(|call_transfer| DeskAsk::Returned { call_transfer, at }),
            };
            drop(ask.and_then(|ask| self.desk.ask(ask)));
        }
        if let Some(whole) = ended {
            drop(self.desk.ask(DeskAsk::Ended(whole)));
        }
    }

    fn desk_hears_of(&self, index: usize) -> bool {
        self.desk.is_there() && self.nodes.get(index).is_some_and(|node| !node.customer_side)
    }

    /// Looks now and then whether calls got messages after their end: a BYE comes again for as long as its answer is lost.
    pub(super) fn retell(&mut self, now: Instant) {
        match self.next_retelling {
            None if self.shared.capture().has_late() => self.next_retelling = Some(now + QUIET),
            Some(at) if at <= now => {
                self.next_retelling = None;
                self.retell_late(Timestamp(self.clock.wall(now).0.saturating_sub(QUIET.as_micros() as u64)));
            }
            _ => {}
        }
    }

    /// Judges anew, and has kept anew, the calls whose last message came before that, and after their end.
    pub(super) fn retell_late(&mut self, before: Timestamp) {
        let late = self.shared.capture().take_late(before);
        let at = self.clock.wall(self.clock.now());
        for call in late {
            let Some((party, whole)) = self.publisher.take_again(at, call) else { continue };
            if self.desk_hears_of(usize::from(party)) {
                drop(self.desk.ask(DeskAsk::Ended(whole)));
            }
        }
    }

    /// The bridge is the first party where there is one.
    pub(super) fn take_settings(&mut self, settings: Arc<Settings>) {
        self.limits = settings.limits.clone();
        self.shared.capture().set_budget(self.limits.capture_bytes);
        self.recorder.apply(settings.recording.clone());
        self.publisher.keep_finished(self.limits.finished_calls);
        self.step(0, Input::Settings(settings));
    }

    pub(super) fn take_answer(&mut self, answer: DeskAnswer) {
        match answer {
            DeskAnswer::Claimed { party, query, outcome } => self.step(usize::from(party), Input::Claimed { query, outcome }),
            DeskAnswer::Kept { party, call, stored } => self.step(usize::from(party), Input::Kept { call, stored }),
        }
    }

    pub(super) fn speak(&self, party: u8, query: u32, text: String) {
        let (answers, speech) = (self.speaks.clone(), self.speech);
        // A speech program takes tens of milliseconds: not on this thread.
        tokio::task::spawn_blocking(move || answers.blocking_send((party, query, speech.and_then(|say| say(&text)))));
    }

    pub(super) fn resolve(&mut self, party: u8, query: u32, uri: &str) {
        let answers = self.resolves.clone();
        match lookup_of(uri) {
            Some(Err(lookup)) => drop(tokio::spawn(async move {
                let found = resolve(lookup).await;
                let targets = found.into_iter().filter_map(|(transport, address)| Some((transport.parse().ok()?, address))).collect();
                let _ = answers.send((party, query, targets)).await;
            })),
            Some(Ok(found)) => drop(answers.try_send((party, query, found))),
            None => drop(answers.try_send((party, query, Vec::new()))),
        }
    }
}

/// A request that is never answered comes every 4 s (T2, RFC 3261 §17.1.2.1): after this no more of them come.
const QUIET: Duration = Duration::from_secs(5);
