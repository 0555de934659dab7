//! What lasting costs: creates and gets a second with durable commits, their latency at 1,000 a second, and the store's
//! CPU for the beginning and the end of a call. `cargo bench --bench store`.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a benchmark measures real time, and stops where something is amiss")]

use std::{
    fs,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use handback::{
    model::{
        CallEvent, CallId, CallRecord, CallState, CapturedMessage, Context, DeskAsk, Direction, Ended, InputContext, LegId, LegOpened,
        LegRole, NewCallTransfer, Outcome, Party, ReturnMethod, ReturnVerdict, SipReturn, Timestamp, TransferTarget, TransportName,
        Variables, WholeCall,
        settings::{self, Api, NumberRange},
    },
    store::{Store, StoreHandle},
};
use tokio::{sync::mpsc, task::JoinSet};

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("bench.db-key"), [7; 32]).unwrap();
    let settings = settings::Store { path: Some(folder.path().join("bench.db")), ..settings::Store::default() };
    let mut store = Store::open(&settings, Some(&api())).unwrap();
    let (asks, _answers) = store.desk().unwrap();
    let handle = store.handle();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();

    println!("commit alone (one create at a time)");
    let one_by_one = latencies((0..200).map(|i| timed(|| drop(runtime.block_on(handle.create(new(&format!("alone-{i}"))))))));
    println!("  {one_by_one}");

    for (kind, make) in [("SIP", new as fn(&str) -> NewCallTransfer), ("PHONE_NUMBER", by_number)] {
        println!("create {kind}, 256 at a time");
        let cpu = Cpu::now();
        let took = timed(|| runtime.block_on(creates(&handle, kind, make, 40_000)));
        println!("  {:.0} a second; {}", 40_000.0 / took.as_secs_f64(), cpu.per(40_000));
    }
    println!("create at 1,000 a second for 5 s");
    println!("  {}", runtime.block_on(paced(&handle, 5_000)));

    println!("get");
    let cpu = Cpu::now();
    let took = timed(|| (0..100_000).for_each(|i| assert!(handle.get(&format!("SIP-{}", i * 7_919 % 40_000)).unwrap().is_some())));
    println!("  {:.0} a second; {}", 100_000.0 / took.as_secs_f64(), cpu.per(100_000));

    // Each told alone, as a bridge of 50 calls a second does; and all at once, so that commits are shared.
    println!("a call's beginning and end, 12 messages");
    runtime.block_on(calls(&asks, 1, 500, Some(Duration::from_millis(10))));
    runtime.block_on(calls(&asks, 10_000, 5_000, None));
    drop(asks);
    store.close();
    println!("{:.1} MB on disk", fs::metadata(folder.path().join("bench.db")).unwrap().len() as f64 / 1e6);
}

async fn creates(handle: &StoreHandle, kind: &str, make: fn(&str) -> NewCallTransfer, count: usize) {
    let mut tasks = JoinSet::new();
    for i in 0..count {
        while tasks.len() >= 256 {
            tasks.join_next().await.unwrap().unwrap();
        }
        let (handle, new) = (handle.clone(), make(&format!("{kind}-{i}")));
        tasks.spawn(async move { drop(handle.create(new).await.unwrap()) });
    }
    while tasks.join_next().await.is_some() {}
}

async fn paced(handle: &StoreHandle, count: u64) -> String {
    let mut tasks = JoinSet::new();
    let start = Instant::now();
    for i in 0..count {
        tokio::time::sleep_until((start + Duration::from_millis(i)).into()).await;
        let (handle, new) = (handle.clone(), new(&format!("paced-{i}")));
        tasks.spawn(async move {
            let asked = Instant::now();
            handle.create(new).await.unwrap();
            asked.elapsed()
        });
    }
    latencies(tasks.join_all().await.into_iter())
}

async fn calls(asks: &mpsc::Sender<DeskAsk>, first: u64, count: u64, apart: Option<Duration>) {
    let pairs: Vec<_> =
        (first..first + count).map(|call| (Arc::new(record(call, false)), Arc::new(record(call, true)), messages())).collect();
    let cpu = Cpu::now();
    let start = Instant::now();
    for (began, record, messages) in pairs {
        asks.send(DeskAsk::Began(began)).await.unwrap();
        if let Some(apart) = apart {
            tokio::time::sleep_until((Instant::now() + apart).into()).await;
        }
        asks.send(DeskAsk::Ended(WholeCall::new(record, messages))).await.unwrap();
        if let Some(apart) = apart {
            tokio::time::sleep_until((Instant::now() + apart).into()).await;
        }
    }
    while asks.capacity() < asks.max_capacity() {
        tokio::time::sleep_until((Instant::now() + Duration::from_millis(5)).into()).await;
    }
    let how = if apart.is_some() { "one by one" } else { "in bunches" };
    println!("  {how}: {:.0} calls a second; {}", count as f64 / start.elapsed().as_secs_f64(), cpu.per(count));
}

fn api() -> Api {
    Api {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        keys: Vec::new(),
        requests_per_second: 100,
        number_lease_secs: 86_400,
        sip_transfer_expiry_secs: 86_400,
        numbers: vec![NumberRange { country: "US".to_owned(), first: 19_990_000_000, last: 19_990_099_999 }],
        payload_in_return: false,
    }
}

fn new(id: &str) -> NewCallTransfer {
    let target =
        TransferTarget::Sip(SipReturn { method: ReturnMethod::Refer, uri: Some("sip:back@sbc.example.com".to_owned()), auth: None });
    let input_context = Some(InputContext { task_name: Some("call_routing".to_owned()), input_variables: variables(5) });
    NewCallTransfer { id: id.to_owned(), external_conversation_id: format!("conversation-{id}"), target, input_context }
}

fn by_number(id: &str) -> NewCallTransfer {
    NewCallTransfer { target: TransferTarget::PhoneNumber { country: "US".to_owned() }, ..new(id) }
}

fn variables(count: usize) -> Variables {
    (0..count).map(|i| (format!("variable_{i}"), format!("a value of some length, number {i}"))).collect()
}

fn record(call: u64, over: bool) -> CallRecord {
    let at = Timestamp(1_800_000_000_000_000 + call * 1_000);
    let remote = SocketAddr::from(([192, 0, 2, 7], 5060));
    let mut record = CallRecord::new(CallId(call), at);
    let leg = |leg, role| LegOpened {
        leg: LegId(leg),
        role,
        sip_call_id: format!("{call}@h"),
        remote,
        uri: "sip:a@h".to_owned(),
        incoming: leg == 0,
    };
    let context = Context {
        task_name: Some("call_routing".to_owned()),
        ext_conversation_id: Some(format!("conversation-{call}")),
        customer_id: Some(format!("customer-{}", call % 1_000)),
        call_transfer_id: None,
        input_variables: variables(4),
    };
    let mut events = vec![
        CallEvent::CallArrived {
            from: "<sip:+14155550100@sbc.example.com>;tag=abc".to_owned(),
            to: "<sip:bridge@192.0.2.1>".to_owned(),
            request_uri: "sip:bridge@192.0.2.1".to_owned(),
            source: remote,
            test_call: false,
        },
        CallEvent::LegOpened(leg(0, LegRole::Customer)),
        CallEvent::ContextRead { context: context.into() },
    ];
    if over {
        let (transfer, reference) = (variables(4), variables(2));
        let why = Ended::new("Handed back", Party::Agent, None);
        events.extend([
            CallEvent::CallAnswered { codec: "PCMU/8000".to_owned() },
            CallEvent::AgentEnded { outcome: Outcome::Agent, current_task: None, transfer, reference, by: Party::Agent },
            CallEvent::ReturnStarted { method: ReturnMethod::Refer, uri: "sip:back@sbc.example.com".to_owned(), payload: None },
            CallEvent::ReturnProgressed { code: 200, reason: "OK".to_owned(), by_notify: true },
            CallEvent::ReturnSettled { verdict: ReturnVerdict::Succeeded },
            CallEvent::LegEnded { leg: LegId(0), why: why.clone() },
            CallEvent::CallEnded { state: CallState::Returned, why },
        ]);
    }
    events.iter().for_each(|event| record.apply(at, event));
    record
}

fn messages() -> Vec<CapturedMessage> {
    let head = "INVITE sip:bridge@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bKabcdef;rport\r\nMax-Forwards: 70\r\n\
                From: <sip:+14155550100@sbc.example.com>;tag=abc\r\nTo: <sip:bridge@192.0.2.1>\r\nCall-ID: 1@h\r\nCSeq: 1 INVITE\r\n\
                Contact: <sip:a@192.0.2.7>\r\nX-GA-taskName: call_routing\r\nContent-Type: application/sdp\r\nContent-Length: 180\r\n\r\n";
    let bytes = Bytes::from(format!("{head}{}", "a=rtpmap:0 PCMU/8000\r\n".repeat(9)));
    let message = |number| CapturedMessage {
        number,
        at: Timestamp(number),
        direction: Direction::In,
        leg: Some(LegId(0)),
        transport: TransportName::Udp,
        local: SocketAddr::from(([192, 0, 2, 1], 5060)),
        remote: SocketAddr::from(([192, 0, 2, 7], 5060)),
        retransmission: false,
        bytes: bytes.clone(),
    };
    (0..12).map(message).collect()
}

fn timed(what: impl FnOnce()) -> Duration {
    let start = Instant::now();
    what();
    start.elapsed()
}

fn latencies(of: impl Iterator<Item = Duration>) -> String {
    let mut all: Vec<f64> = of.map(|took| took.as_secs_f64() * 1e3).collect();
    all.sort_by(f64::total_cmp);
    let at = |part: f64| all[((all.len() - 1) as f64 * part) as usize];
    format!("p50 {:.2} ms, p99 {:.2} ms, most {:.2} ms", at(0.5), at(0.99), at(1.0))
}

/// CPU of the store's thread, and of the whole process.
struct Cpu {
    store_ns: u64,
    all_ns: u64,
}

impl Cpu {
    fn now() -> Self {
        let (mut store_ns, mut all_ns) = (0, 0);
        for task in fs::read_dir("/proc/self/task").unwrap().flatten() {
            let (Ok(name), Ok(stat)) = (fs::read_to_string(task.path().join("comm")), fs::read_to_string(task.path().join("schedstat")))
            else {
                continue;
            };
            let ns: u64 = stat.split(' ').next().unwrap().parse().unwrap();
            all_ns += ns;
            if name.trim() == "handback-store" {
                store_ns += ns;
            }
        }
        Self { store_ns, all_ns }
    }

    fn per(self, count: u64) -> String {
        let now = Self::now();
        let micros = |ns: u64| ns as f64 / 1e3 / count as f64;
        format!(
            "CPU each: {:.1} µs on the store's thread, {:.1} µs in all",
            micros(now.store_ns - self.store_ns),
            micros(now.all_ns - self.all_ns)
        )
    }
}
