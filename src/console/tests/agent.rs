//! The place *Agent*, by its accessible names: answering, holding, variables, handing back, wrap-up.

use super::*;
use crate::{
    console::sample::operator::{self as sample_operator, HELD, TALKING, WAITING, WRAP_UP},
    model::{ListenSide, SetVariables},
};

fn with_calls() -> Arc<SampleBackend> {
    let backend = SampleBackend::empty();
    for call in sample_operator::calls() {
        backend.add(call, Vec::new());
    }
    backend
}

fn last(backend: &SampleBackend) -> Command {
    backend.commands().pop().expect("something was asked for")
}

#[test]
fn who_is_not_the_agent_reads_how_to_become_it() {
    let mut window = window(&SampleBackend::empty());
    click(&mut window, "Agent");
    assert_eq!(state(&window).place, Place::Agent);
    assert!(window.query_by_label("You are not the agent").is_some());
    window.check_accessibility();
}

#[test]
fn a_waiting_call_is_seen_from_every_place_and_steals_nothing() {
    let backend = SampleBackend::empty();
    let mut window = window(&backend);
    click(&mut window, "Messages");
    backend.add(sample_operator::calls().swap_remove(0), Vec::new());
    window.run_steps(4);
    assert_eq!(state(&window).place, Place::Messages);
    assert!(window.query_by_label("A call waits for you").is_some());
    assert!(window.query_by_label("Agent, 1 waiting").is_some(), "the badge");
    window.check_accessibility();
    click(&mut window, "Answer");
    assert_eq!((state(&window).place, last(&backend)), (Place::Agent, Command::Answer { call: WAITING }));
}

#[test]
fn the_context_is_there_before_the_answer_and_a_call_is_declined() {
    let backend = with_calls();
    let mut window = window(&backend);
    click(&mut window, "Agent, 2 waiting");
    click(&mut window, "Waits bea@customer.example billing");
    assert!(window.query_by_label_contains("Bea Roe").is_some(), "an input variable");
    window.check_accessibility();
    click(&mut window, "Decline");
    assert_eq!(last(&backend), Command::Decline { call: WAITING });
}

#[test]
fn enter_answers_the_call_that_is_shown() {
    let backend = with_calls();
    let mut window = window(&backend);
    let app = window.state_mut().as_mut().expect("it is open");
    (app.state.place, app.state.agent.chosen) = (Place::Agent, Some(WAITING));
    window.run_steps(2);
    window.key_press(Key::Enter);
    window.run_steps(4);
    assert_eq!(last(&backend), Command::Answer { call: WAITING });
}

#[test]
fn the_talk_is_held_and_taken_back() {
    let backend = with_calls();
    let mut window = window(&backend);
    click(&mut window, "Agent, 2 waiting");
    click(&mut window, "Hold");
    assert_eq!(last(&backend), Command::Hold { call: TALKING, on: true });
    click(&mut window, "On hold dan@customer.example call_routing");
    window.check_accessibility();
    click(&mut window, "Resume");
    assert_eq!(last(&backend), Command::Hold { call: HELD, on: false });
}

#[test]
fn variables_are_told_as_they_are_typed_and_go_back_in_their_order() {
    let backend = with_calls();
    let mut window = window(&backend);
    click(&mut window, "Agent, 2 waiting");
    assert!(window.query_by_label_contains("Return payload:").is_some(), "the budget is there before it goes");
    window.get_by_label("Name of transfer variable 3").focus();
    window.run_steps(2);
    window.get_by_label("Name of transfer variable 3").type_text("added");
    window.run_steps(60);
    let Command::SetVariables { call, variables } = last(&backend) else { panic!("{:?}", last(&backend)) };
    assert_eq!(call, TALKING);
    assert_eq!(variables.transfer_variables.keys().collect::<Vec<_>>(), ["next_action", "summary", "added"]);
    let told = backend.commands().len();
    window.run_steps(30);
    assert_eq!(backend.commands().len(), told, "once");
    click(&mut window, "AGENT");
    click(&mut window, "End as AGENT");
    let Command::Return { call, request } = last(&backend) else { panic!("{:?}", last(&backend)) };
    assert_eq!((call, request.outcome), (TALKING, Outcome::Agent));
    let set = SetVariables { transfer_variables: request.transfer_variables, reference_variables: request.reference_variables };
    assert_eq!(set, variables);
}

#[test]
fn a_wrap_up_shows_what_went_back_until_it_is_done() {
    let backend = with_calls();
    let mut window = window(&backend);
    click(&mut window, "Agent, 2 waiting");
    click(&mut window, "Wrap-up eve@customer.example billing");
    assert!(window.query_by_label("What went back").is_some());
    window.check_accessibility();
    click(&mut window, "Done");
    assert_eq!(last(&backend), Command::Done { call: WRAP_UP });
}

#[test]
fn a_live_call_is_listened_to_and_a_side_is_chosen() {
    let backend = SampleBackend::filled();
    let mut window = window(&backend);
    window.key_press(Key::ArrowDown);
    window.run_steps(4);
    click(&mut window, "Listen");
    assert_eq!(last(&backend), Command::Listen { call: WITH_AGENT, side: Some(ListenSide::Both) });
    backend.change(|snapshot| {
        snapshot.calls = snapshot
            .calls
            .iter()
            .map(|call| {
                let mut call = (**call).clone();
                call.listening = (call.id == WITH_AGENT).then_some(ListenSide::Both);
                Arc::new(call)
            })
            .collect();
    });
    window.run_steps(4);
    window.check_accessibility();
    let side = |window: &mut Window| window.get_by_role_and_label(Role::RadioButton, "Customer").click();
    side(&mut window);
    window.run_steps(4);
    assert_eq!(last(&backend), Command::Listen { call: WITH_AGENT, side: Some(ListenSide::Customer) });
    click(&mut window, "Stop listening");
    assert_eq!(last(&backend), Command::Listen { call: WITH_AGENT, side: None });
}
