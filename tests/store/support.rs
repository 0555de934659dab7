//! A store in a folder that vanishes, and what the API and the engine would ask of it.

use std::{path::PathBuf, sync::Arc};

use handback::{
    contract::create_refusal::CreateRefusal,
    model::{
        CallId, CallRecord, CallTransfer, CapturedMessage, ClaimKey, ClaimRefusal, Claimed, DeskAnswer, DeskAsk, Direction, InputContext,
        Keep, LegId, NewCallTransfer, Outcome, OutputContext, ReturnMethod, ReturnRecord, SipReturn, Timestamp, TransferStatus,
        TransferTarget, TransportName, WholeCall,
        settings::{self, Api, NumberRange, Secret, User},
    },
    store::{Store, StoreHandle},
};
use tempfile::TempDir;
use tokio::sync::mpsc;

/// The store with both ends of its desk, as the engine holds them.
pub struct Lab {
    /// Vanishes with the last that holds it.
    pub folder: Option<Arc<TempDir>>,
    pub api: Api,
    pub settings: settings::Store,
    pub store: Option<Store>,
    pub handle: StoreHandle,
    pub asks: mpsc::Sender<DeskAsk>,
    pub answers: mpsc::Receiver<DeskAnswer>,
    pub runtime: tokio::runtime::Runtime,
}

impl Lab {
    pub fn new() -> Self {
        Self::with(|_, _| {})
    }

    /// With settings changed.
    pub fn with(change: impl FnOnce(&mut Api, &mut settings::Store)) -> Self {
        let folder = Arc::new(TempDir::new().unwrap());
        let (mut api, mut settings) = (api(), settings_in(&folder));
        change(&mut api, &mut settings);
        Self::open(Some(folder), api, settings)
    }

    pub fn open(folder: Option<Arc<TempDir>>, api: Api, settings: settings::Store) -> Self {
        let mut store = Store::open(&settings, Some(&api)).unwrap();
        let handle = store.handle();
        let (asks, answers) = store.desk().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        Self { folder, api, settings, store: Some(store), handle, asks, answers, runtime }
    }

    /// Closes it, and opens it again.
    #[must_use]
    pub fn reopened(mut self) -> Self {
        self.store.take().unwrap().close();
        let Self { folder, api, settings, .. } = self;
        Self::open(folder, api, settings)
    }

    pub fn database(&self) -> PathBuf {
        self.settings.path.clone().unwrap()
    }

    pub fn create(&self, new: NewCallTransfer) -> Result<CallTransfer, CreateRefusal> {
        self.runtime.block_on(self.handle.create(new))
    }

    pub fn ask(&self, ask: DeskAsk) {
        self.runtime.block_on(self.asks.send(ask)).unwrap();
    }

    pub fn answer(&mut self) -> DeskAnswer {
        self.runtime.block_on(self.answers.recv()).unwrap()
    }

    pub fn claim(&mut self, key: ClaimKey, call: u64) -> Result<Claimed, ClaimRefusal> {
        self.ask(DeskAsk::Claim { party: 0, query: 7, call: CallId(call), key, at: now() });
        match self.answer() {
            DeskAnswer::Claimed { party: 0, query: 7, outcome } => outcome.map(|claimed| *claimed),
            other => panic!("{other:?}"),
        }
    }

    /// Tells whether it was stored.
    pub fn keep(&mut self, transfer: &str, call: u64, completes: bool) -> bool {
        let kept = Box::new(Keep { call_transfer: Some(transfer.to_owned()), output: output(), completes });
        self.ask(DeskAsk::Keep { party: 0, call: CallId(call), kept, at: now() });
        match self.answer() {
            DeskAnswer::Kept { party: 0, call: of, stored } if of == CallId(call) => stored,
            other => panic!("{other:?}"),
        }
    }

    pub fn transfer(&self, id: &str) -> CallTransfer {
        self.handle.get(id).unwrap().unwrap()
    }

    pub fn status(&self, id: &str) -> TransferStatus {
        self.transfer(id).status
    }

    /// Waits until all that was told before is committed: by asking for what there is not.
    pub fn settle(&mut self) {
        let asked = self.claim(ClaimKey::Id("there is none".to_owned()), 1);
        assert!(matches!(asked, Err(ClaimRefusal::Unknown | ClaimRefusal::Unavailable)), "{asked:?}");
    }
}

/// Waits until it holds, for 20 s at most.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let waiting = std::time::Instant::now();
    while !holds() {
        assert!(waiting.elapsed().as_secs() < 20, "still not: {what}");
        std::thread::park_timeout(std::time::Duration::from_millis(5));
    }
}

pub fn api() -> Api {
    Api {
        listen: ([127, 0, 0, 1], 0).into(),
        keys: Vec::new(),
        requests_per_second: 100,
        number_lease_secs: 60,
        sip_transfer_expiry_secs: 300,
        numbers: vec![NumberRange { country: "US".to_owned(), first: 19_995_550_100, last: 19_995_550_199 }],
        payload_in_return: false,
    }
}

/// With a key file, so that no keyring of the machine is asked.
pub fn settings_in(folder: &TempDir) -> settings::Store {
    let path = folder.path().join("handback.db");
    std::fs::write(folder.path().join("handback.db-key"), [7; 32]).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(folder.path().join("handback.db-key"), std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    settings::Store { path: Some(path), ..settings::Store::default() }
}

pub fn by_number(id: &str) -> NewCallTransfer {
    let target = TransferTarget::PhoneNumber { country: "US".to_owned() };
    NewCallTransfer { id: id.to_owned(), external_conversation_id: "conversation".to_owned(), target, input_context: None }
}

pub fn by_sip(id: &str) -> NewCallTransfer {
    let auth = Some(User { username: "bridge".to_owned(), secret: Secret::new("s3cr3t-pässword") });
    let target = TransferTarget::Sip(SipReturn { method: ReturnMethod::Invite, uri: Some("sip:back@h?a=b".to_owned()), auth });
    let input_variables = [("accountNumber".to_owned(), "3434".to_owned()), ("b".to_owned(), String::new())].into_iter().collect();
    let input_context = Some(InputContext { task_name: Some("task".to_owned()), input_variables });
    NewCallTransfer { target, input_context, ..by_number(id) }
}

pub fn output() -> OutputContext {
    OutputContext {
        transfer_type: Outcome::System,
        current_task_name: Some("billing".to_owned()),
        reference_variables: [("r".to_owned(), "1".to_owned())].into_iter().collect(),
        transfer_variables: [("z".to_owned(), "ü".to_owned()), ("a".to_owned(), "2".to_owned())].into_iter().collect(),
    }
}

pub fn id(id: &str) -> ClaimKey {
    ClaimKey::Id(id.to_owned())
}

/// A record of a call as large as they come from a script agent.
pub fn record(call: u64, started_at: Timestamp) -> CallRecord {
    let mut record = CallRecord::new(CallId(call), started_at);
    record.from = "<sip:+14155550100@sbc.example.com>;tag=1".to_owned();
    record.to = "<sip:bridge@192.0.2.1>".to_owned();
    record.peer = Some("sbc".to_owned());
    std::sync::Arc::make_mut(&mut record.context).task_name = Some("call_routing".to_owned());
    std::sync::Arc::make_mut(&mut record.context).ext_conversation_id = Some(format!("conversation-{}", call / 2));
    std::sync::Arc::make_mut(&mut record.context).customer_id = Some("customer-1".to_owned());
    std::sync::Arc::make_mut(&mut record.context).input_variables = [("accountNumber".to_owned(), call.to_string())].into_iter().collect();
    record
}

pub fn ended(call: u64, started_at: Timestamp) -> CallRecord {
    let mut record = record(call, started_at);
    record.state = handback::model::CallState::Returned;
    record.ended_at = Some(Timestamp(started_at.0 + 5_000_000));
    record.outcome = Some(Outcome::System);
    record.transfer_variables = output().transfer_variables;
    record.returns.push(ReturnRecord {
        method: ReturnMethod::Refer,
        uri: "sip:back@h".to_owned(),
        started_at,
        payload: None,
        last_code: Some(200),
        settled_at: None,
        verdict: None,
    });
    record
}

pub fn messages(count: u64) -> Vec<CapturedMessage> {
    let text =
        format!("INVITE sip:b@h SIP/2.0\r\nCall-ID: a\r\nAuthorization: Digest response=\"{}\"\r\n\r\n{}", "feedface", "v".repeat(600));
    let message = |number| CapturedMessage {
        number,
        at: Timestamp(number),
        direction: Direction::In,
        leg: Some(LegId(0)),
        transport: TransportName::Udp,
        local: ([127, 0, 0, 1], 5060).into(),
        remote: ([127, 0, 0, 1], 5070).into(),
        retransmission: false,
        bytes: text.clone().into(),
    };
    (0..count).map(message).collect()
}

pub fn tell_ended(call: u64, count: u64) -> DeskAsk {
    DeskAsk::Ended(WholeCall::new(Arc::new(ended(call, now())), messages(count)))
}

pub fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp(since.as_micros() as u64)
}
