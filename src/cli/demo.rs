//! `handback demo`: the whole journey on loopback, once per return method, with nothing to set up.

use std::{fmt::Write as _, io::Write as _, net::SocketAddr, process::ExitCode, sync::Arc, time::Duration};

use super::{DemoArgs, placed};
use crate::{
    config, customer,
    engine::EngineHandle,
    export,
    model::{CallRecord, CallState, CapturedMessage, Outcome, ReturnMethod, Severity, TestCall, settings::Settings},
    start,
};

/// Runs the command: 0 all as expected, 1 otherwise.
pub fn run(_: &DemoArgs) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("handback demo: {error}");
            return ExitCode::from(1);
        }
    };
    let mut all_as_expected = true;
    for method in [ReturnMethod::Refer, ReturnMethod::Invite, ReturnMethod::Bye] {
        let (text, as_expected) = match runtime.block_on(journey(method)) {
            Ok(journey) => journey.told(method),
            Err(why) => (format!("== Return by {} ==\n\n{why}\n\n", method.name()), false),
        };
        all_as_expected &= as_expected;
        // A reader that has gone away does not change how it went.
        let _ = std::io::stdout().write_all(text.as_bytes());
    }
    ExitCode::from(u8::from(!all_as_expected))
}

/// One call there and back, from both sides.
struct Journey {
    customer: Arc<CallRecord>,
    messages: Vec<CapturedMessage>,
    bridge: Arc<CallRecord>,
}

async fn journey(method: ReturnMethod) -> Result<Journey, String> {
    let engine = start::engine(settings(method)).map_err(|fault| fault.to_string())?;
    let journey = tokio::time::timeout(PATIENCE, travel(&engine, method)).await;
    engine.stop();
    engine.stop();
    engine.ended().await;
    journey.unwrap_or_else(|_| Err(format!("the call was not over after {} s", PATIENCE.as_secs())))
}

async fn travel(engine: &EngineHandle, method: ReturnMethod) -> Result<Journey, String> {
    let call = TestCall {
        task: Some("call_routing".to_owned()),
        conversation: Some(format!("demo-{}", method.name().to_ascii_lowercase())),
        customer: Some("4711".to_owned()),
        iv: [("accountNumber".to_owned(), "12345".to_owned()), ("customerName".to_owned(), "Zoë".to_owned())].into_iter().collect(),
        dtmf: Some("1".to_owned()),
        dtmf_after_secs: 0.5,
        ..TestCall::default()
    };
    let ended_first = || "the engine ended before the call".to_owned();
    let id = placed::place(engine, call).await?;
    let customer = placed::wait_for_end(engine, |record| record.id == id).await.ok_or_else(ended_first)?;
    let bridge = placed::wait_for_end(engine, |record| !record.test_call).await.ok_or_else(ended_first)?;
    Ok(Journey { messages: engine.messages(id), customer, bridge })
}

/// The demo's settings on free ports, so that it runs beside whatever else runs.
fn settings(method: ReturnMethod) -> Settings {
    let mut settings = config::demo();
    for (_, address) in &mut settings.sip.listen {
        *address = SocketAddr::new(address.ip(), 0);
    }
    for peer in &mut settings.peers {
        peer.returns.method = method;
    }
    settings.limits.drain_secs = 0;
    settings
}

impl Journey {
    fn told(&self, method: ReturnMethod) -> (String, bool) {
        let mut text = format!("== Return by {} ==\n\n", method.name());
        text.push_str(&export::ladder::text(&self.customer, &self.messages));
        let bridge = &self.bridge;
        let _ = writeln!(
            text,
            "\nThe agent ended task {} with {}.",
            bridge.current_task.as_deref().or(bridge.context.task_name.as_deref()).unwrap_or("–"),
            bridge.outcome.map_or("nothing", Outcome::wire)
        );
        // With BYE nothing comes back on the wire (contract §3).
        if method == ReturnMethod::Bye {
            text.push_str("Kept for the customer to fetch\n");
            for (prefix, set) in [("tv", &bridge.transfer_variables), ("rv", &bridge.reference_variables)] {
                for (name, value) in set {
                    let _ = writeln!(text, "  {prefix}  {name:16}  {value}");
                }
            }
        }
        let faults = self.faults(method);
        for fault in &faults {
            let _ = writeln!(text, "NOT AS EXPECTED: {fault}");
        }
        let verdict = if faults.is_empty() { "As expected" } else { "Not as expected" };
        let took = bridge.ended_at.unwrap_or_default().micros_since(bridge.started_at) as f64 / 1e6;
        let _ = writeln!(text, "{verdict}, in {took:.1} s.\n");
        (text, faults.is_empty())
    }

    /// What differs from a journey as it should be.
    fn faults(&self, method: ReturnMethod) -> Vec<String> {
        let mut faults = Vec::new();
        let mut expect = |holds: bool, what: &str| {
            if !holds {
                faults.push(what.to_owned());
            }
        };
        let report = self.customer.test_report.as_deref().cloned().unwrap_or_default();
        expect(report.ok, "the customer's side did not see the call go as asked");
        expect(report.returned_by == Some(method), "the call did not come back that way");
        expect(self.bridge.state == CallState::Returned, "the bridge does not say that the call was returned");
        expect(self.bridge.outcome == Some(Outcome::System), "the agent did not end with SYSTEM");
        expect(!self.bridge.transfer_variables.is_empty(), "the agent set no transfer variables");
        let carried = report.returned.as_ref().is_some_and(|payload| !payload.items.is_empty());
        expect(carried == (method != ReturnMethod::Bye), "a payload comes with REFER and INVITE, and only with them");
        // A note may come of a busy machine: a message that was answered late and sent again.
        let findings = self.customer.findings.iter().chain(&self.bridge.findings);
        for finding in findings.filter(|finding| finding.severity > Severity::Note) {
            faults.push(format!("finding {}: {}", finding.rule, finding.seen));
        }
        for step in report.steps.iter().filter(|step| !step.ok) {
            faults.push(step.text.clone());
        }
        faults.extend(customer::differences(&report, &self.bridge).into_iter().filter(|_| method != ReturnMethod::Bye));
        faults
    }
}

/// A journey takes about two seconds.
const PATIENCE: Duration = Duration::from_secs(30);
