//! The desk of a story: the real one, in memory and in virtual time; slow, silent or full where the story wants it.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use handback::{
    contract::desk::MemoryDesk,
    model::{
        CallEvent, CallId, CallRecord, CallTransfer, ClaimKey, DeskAnswer, DeskAsk, Keep, NewCallTransfer, ReturnVerdict, Timestamp,
        TransferStatus, WholeCall,
        settings::{Api, NumberRange},
    },
    party::Input,
};

pub struct LabDesk {
    memory: Option<MemoryDesk>,
    start: Instant,
    /// How long an answer takes.
    pub delay: Duration,
    /// It does what it is asked, and does not say so.
    pub silent: bool,
    /// Nothing can be kept.
    pub full: bool,
    pub keeps: Vec<(CallId, Keep)>,
    ids: Vec<String>,
    due: Vec<(Instant, Input)>,
    records: HashMap<CallId, CallRecord>,
}

/// Numbers +1 999 555 0100 to 0103 of the US.
pub fn api() -> Api {
    Api {
        listen: "127.0.0.1:0".parse().unwrap(),
        keys: Vec::new(),
        requests_per_second: 100,
        number_lease_secs: 60,
        sip_transfer_expiry_secs: 300,
        numbers: vec![NumberRange { country: "US".into(), first: 19_995_550_100, last: 19_995_550_103 }],
        payload_in_return: false,
    }
}

impl LabDesk {
    pub fn new(start: Instant, api: Option<&Api>) -> Self {
        Self {
            memory: api.map(MemoryDesk::new),
            start,
            delay: Duration::ZERO,
            silent: false,
            full: false,
            keeps: Vec::new(),
            ids: Vec::new(),
            due: Vec::new(),
            records: HashMap::new(),
        }
    }

    /// What `POST …/call-transfers` does.
    pub fn creates(&mut self, now: Instant, new: NewCallTransfer) -> CallTransfer {
        self.ids.push(new.id.clone());
        let at = self.at(now);
        self.memory.as_mut().expect("the settings have an API").create(new, at).expect("it can be made")
    }

    /// What `GET …/call-transfers/{id}` shows.
    pub fn shows(&mut self, now: Instant, id: &str) -> CallTransfer {
        let at = self.at(now);
        let memory = self.memory.as_mut().expect("the settings have an API");
        memory.expire_due(at);
        memory.transfer(id).expect("it was made").clone()
    }

    pub fn claims(&mut self, now: Instant, query: u32, call: CallId, key: ClaimKey) -> Option<Input> {
        let at = self.at(now);
        self.asked(now, DeskAsk::Claim { party: 0, query, call, key, at })
    }

    pub fn keeps(&mut self, now: Instant, call: CallId, kept: Box<Keep>) -> Option<Input> {
        let at = self.at(now);
        self.keeps.push((call, (*kept).clone()));
        self.asked(now, DeskAsk::Keep { party: 0, call, kept, at })
    }

    /// What the engine tells it of the calls' events.
    pub fn hears(&mut self, now: Instant, call: CallId, what: &CallEvent) {
        let at = self.at(now);
        let record = self.records.entry(call).or_insert_with(|| CallRecord::new(call, at));
        record.apply(at, what);
        let record = record.clone();
        match (what, record.call_transfer.clone()) {
            (CallEvent::ReturnSettled { verdict: ReturnVerdict::Succeeded }, Some(call_transfer)) => {
                self.asked(now, DeskAsk::Returned { call_transfer, at });
            }
            (CallEvent::CallEnded { .. }, _) => {
                self.asked(now, DeskAsk::Ended(WholeCall::new(Arc::new(record), Vec::new())));
            }
            _ => {}
        }
    }

    /// Answers that have come by now.
    pub fn answers(&mut self, now: Instant) -> Vec<Input> {
        let (due, later) = std::mem::take(&mut self.due).into_iter().partition(|(at, _)| *at <= now);
        self.due = later;
        let due: Vec<(Instant, Input)> = due;
        due.into_iter().map(|(_, input)| input).collect()
    }

    pub fn next(&self) -> Option<Instant> {
        self.due.iter().map(|(at, _)| *at).min()
    }

    /// How many are ONGOING.
    pub fn ongoing(&self) -> usize {
        let Some(memory) = &self.memory else { return 0 };
        self.ids.iter().filter_map(|id| memory.transfer(id)).filter(|transfer| transfer.status == TransferStatus::Ongoing).count()
    }

    fn asked(&mut self, now: Instant, ask: DeskAsk) -> Option<Input> {
        let at = self.at(now);
        let answer = match &mut self.memory {
            Some(memory) => {
                memory.expire_due(at);
                memory.handle(ask)?
            }
            None => match ask {
                DeskAsk::Keep { party, call, .. } => DeskAnswer::Kept { party, call, stored: true },
                _ => return None,
            },
        };
        let input = match answer {
            DeskAnswer::Claimed { query, outcome, .. } => Input::Claimed { query, outcome },
            DeskAnswer::Kept { call, stored, .. } => Input::Kept { call, stored: stored && !self.full },
        };
        if self.silent {
            return None;
        }
        if self.delay.is_zero() {
            return Some(input);
        }
        self.due.push((now + self.delay, input));
        None
    }

    fn at(&self, now: Instant) -> Timestamp {
        Timestamp(1_000_000 + (now - self.start).as_micros() as u64)
    }
}
