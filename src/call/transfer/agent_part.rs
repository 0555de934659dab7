//! A transfer in its agent's hands: how the script begins and goes on, and what either agent's end says.

use std::time::Instant;

use super::{Act, Acts, State, Transfer};
use crate::{
    call::{
        handback::{AgentPart, ReturnOrder},
        script_run::{ScriptRun, fill_in},
    },
    model::{CallEvent, Context, Finding, Party, Severity, script, settings},
};

impl Transfer {
    /// The customer is answered and there: now the agent's part begins, or begins again.
    pub(super) fn begin_with_agent(&mut self, now: Instant, acts: &mut Acts) -> State {
        let settings = self.settings.clone();
        let script = match &settings.agent {
            settings::Agent::Script(script) => script,
            settings::Agent::Sip { .. } => return State::WithAgent,
            settings::Agent::Operator { .. } => return State::WithOperator { held: false },
        };
        match ScriptRun::start(now, script, self.context.task_name.as_deref()) {
            Some(run) => {
                acts.push(Act::Tell(CallEvent::AgentAnswered { leg: None }));
                acts.push(Act::StartScript);
                self.script_goes_on(now, run, |run| run.on_time(now), acts)
            }
            None => {
                acts.push(Act::Tell(CallEvent::FindingRaised { finding: no_task(&self.context) }));
                let order = self.agent_is_done(AgentPart::unable(Party::Bridge).into(), acts);
                self.begin_return(now, order, acts)
            }
        }
    }

    pub(super) fn script_goes_on(
        &mut self,
        now: Instant,
        run: ScriptRun,
        end: impl FnOnce(&ScriptRun) -> Option<&script::End>,
        acts: &mut Acts,
    ) -> State {
        let Some(end) = end(&run) else { return State::WithScript(run) };
        acts.push(Act::StopScript);
        let part = AgentPart {
            outcome: end.outcome,
            current_task: end.current_task.clone(),
            transfer: fill_in(&end.transfer, &self.context),
            reference: fill_in(&end.reference, &self.context),
            by: Party::Agent,
        };
        let order = self.agent_is_done(part.into(), acts);
        self.begin_return(now, order, acts)
    }

    pub(super) fn agent_is_done(&mut self, order: ReturnOrder, acts: &mut Acts) -> ReturnOrder {
        let order = self.with_set_variables(order);
        if self.has_operator() {
            acts.push(Act::OperatorOff);
        }
        let part = &order.part;
        acts.push(Act::Tell(CallEvent::AgentEnded {
            outcome: part.outcome,
            current_task: part.current_task.clone().or_else(|| self.context.task_name.clone()),
            transfer: part.transfer.clone(),
            reference: part.reference.clone(),
            by: part.by,
        }));
        order
    }
}

fn no_task(context: &Context) -> Finding {
    let seen = match &context.task_name {
        Some(name) => format!("X-GA-taskName: {name}"),
        None => "No X-GA-taskName".to_owned(),
    };
    Finding::new(
        "no-task-serves",
        Severity::Error,
        Party::Operator,
        seen,
        "The agent's script has no task of that name and none for all others (*), so the call goes back as AGENT",
        "Add the task, or one with the name *, to the script",
    )
}
