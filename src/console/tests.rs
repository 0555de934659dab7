//! The window as an operator uses it, by its accessible names: no graphics are needed.

use std::sync::Arc;

use eframe::egui::{Event, Key, Modifiers, Role, Ui, Vec2, ViewportEvent, ViewportId};
use egui_kittest::{Harness, kittest::Queryable as _};
use jiff::tz::TimeZone;

use super::{
    app::{App, Options},
    panels::{
        calls::data::find,
        ladder::data::ladder,
        payload::data::payload,
        test_call::data::{Mark, journey},
    },
    sample::{self, PLACED, PLACED_BRIDGE, RETURNING, SampleBackend, WITH_AGENT},
    state::{CallTab, Place, State},
    wire_text::Views,
};
use crate::{
    console::Backend,
    model::{CallId, Command, Outcome, Timestamp},
};

mod agent;
mod pictures;
mod places;
mod playback;

/// The window, opened in the first frame: it needs the context that the harness makes.
pub(super) type Window = Harness<'static, Option<App>>;

pub(super) fn window(backend: &Arc<SampleBackend>) -> Window {
    let backend: Arc<dyn Backend> = backend.clone();
    let frame = move |ui: &mut Ui, app: &mut Option<App>| {
        let options = Options { zone: TimeZone::UTC, threads: false, ..Options::default() };
        let is_open = app.is_some();
        let app = app.get_or_insert_with(|| App::new(ui.ctx(), backend.clone(), options));
        // The fonts are there from the second frame on.
        if is_open {
            app.drain(ui.ctx());
            app.paint(ui);
        }
    };
    let mut harness = Harness::builder().with_size(Vec2::new(1440.0, 900.0)).build_ui_state(frame, None);
    harness.run_steps(4);
    harness
}

pub(super) fn state(window: &Window) -> &State {
    &window.state().as_ref().expect("it is open").state
}

pub(super) fn click(harness: &mut Window, name: &str) {
    harness.get_by_label(name).click();
    harness.run_steps(4);
}

#[test]
fn an_empty_window_says_what_to_do_next() {
    let mut window = window(&SampleBackend::empty());
    assert!(window.query_by_label("No calls yet").is_some());
    click(&mut window, "Test call");
    assert_eq!(state(&window).place, Place::TestCall);
    click(&mut window, "On the wire");
    assert!(window.query_by_label("No test call yet").is_some());
    window.check_accessibility();
}

#[test]
fn a_chosen_call_shows_its_ladder_and_its_refer_decoded() {
    let mut window = window(&SampleBackend::filled());
    click(&mut window, "14:02:09 Returning customer@your-sbc.example.com call_routing conv-12345");
    assert_eq!(state(&window).call, Some(RETURNING));
    assert!(
        window.query_by_label("REFER Refer-To: 4 variables · 574 chars, Bridge to Customer, , 2 times").is_some(),
        "the ladder's arrow"
    );
    assert!(window.query_by_label("Return payload: 574 of 1,024 characters").is_some(), "the payload's budget");
    assert!(window.query_by_label("dropped X-GA-rv-full_address 1 Main Street1 Main Street").is_none());
    click(&mut window, "202 Accepted to REFER, Customer to Bridge, +61.83 s");
    assert!(window.query_by_label_contains("CSeq 1 REFER").is_some(), "the chosen message");
    for tab in CallTab::ALL {
        click(&mut window, tab.label());
        assert_eq!(state(&window).tab, tab);
        window.check_accessibility();
    }
}

#[test]
fn a_test_call_is_placed_by_clicking_and_its_payload_comes_back() {
    let backend = SampleBackend::empty();
    let mut window = window(&backend);
    click(&mut window, "Test call");
    click(&mut window, "Place test call");
    let commands = backend.commands();
    let Some(Command::PlaceTestCall { call }) = commands.first() else { panic!("a test call was asked for, not {commands:?}") };
    assert_eq!((call.task.as_deref(), call.iv.len()), (Some("call_routing"), 3));
    assert_eq!(state(&window).test_call, Some(PLACED));
    assert!(window.query_by_label("Talking now").is_some(), "the journey stands at the talk");
    backend.change(sample::finish_placed);
    window.run_steps(4);
    assert!(window.query_by_label("Payload checked done").is_some());
    click(&mut window, "Calls");
    assert_eq!(state(&window).call, Some(PLACED_BRIDGE), "the row of the call that one placed is chosen");
}

#[test]
fn a_sound_check_is_placed_by_a_button_and_tells_each_way() {
    let backend = SampleBackend::empty();
    let mut window = window(&backend);
    click(&mut window, "Test call");
    click(&mut window, "Sound check");
    let commands = backend.commands();
    let Some(Command::PlaceTestCall { call }) = commands.first() else { panic!("a test call was asked for, not {commands:?}") };
    assert_eq!((call.sound_check, &call.task, &call.dtmf, call.iv.len()), (true, &None, &None, 3));
    assert!(window.query_by_label("Sound checked now").is_some() && window.query_by_label("Return ahead").is_none());
    backend.change(sample::check_placed);
    window.run_steps(4);
    for told in ["Sound checked done", "As asked", "62 ms round trip", "Caller to agent, Heard -12 dB"] {
        assert!(window.query_by_label(told).is_some(), "{told}");
    }
    window.check_accessibility();
    click(&mut window, "Place test call");
    assert!(window.query_by_label("As asked").is_none(), "another call, which checks nothing");
}

#[test]
fn the_invite_of_the_form_is_shown_and_follows_it() {
    let mut window = window(&SampleBackend::empty());
    click(&mut window, "Test call");
    let shown = |window: &Window| state(window).test.preview.clone().expect("it was made").1;
    assert!(shown(&window).lines.iter().any(|(line, _)| line == "X-GA-iv-customerName: John Doe"));
    assert!(shown(&window).size.ends_with(" of 1,300 B for UDP"), "{}", shown(&window).size);
    window.state_mut().as_mut().expect("it is open").state.form.task = "x".repeat(1_300);
    window.run_steps(2);
    assert!(shown(&window).size.ends_with("over 1,300, so by TCP"), "{}", shown(&window).size);
    window.check_accessibility();
}

#[test]
fn keys_are_pressed_by_mouse_and_by_keyboard_while_a_test_call_is_up() {
    let backend = SampleBackend::empty();
    let mut window = window(&backend);
    click(&mut window, "Test call");
    click(&mut window, "Place test call");
    click(&mut window, "Key 5");
    window.event(Event::Text("#".to_owned()));
    window.run_steps(2);
    let pressed: Vec<String> = backend
        .commands()
        .into_iter()
        .filter_map(|command| if let Command::SendDigits { digits, .. } = command { Some(digits) } else { None })
        .collect();
    assert_eq!(pressed, ["5", "#"]);
}

#[test]
fn a_form_is_kept_as_a_preset_without_its_password_and_used_again() {
    let mut window = window(&SampleBackend::empty());
    click(&mut window, "Test call");
    let app = window.state_mut().as_mut().expect("it is open");
    (app.state.form.task, app.state.form.password) = ("billing".to_owned(), "swordfish".to_owned());
    click(&mut window, "Presets");
    click(&mut window, "Save as preset…");
    window.get_by_label("Name").type_text("bills");
    window.run_steps(2);
    click(&mut window, "Save");
    let app = window.state_mut().as_mut().expect("it is open");
    let kept = serde_json::to_string(&app.remembered.presets).expect("it is JSON");
    assert!(kept.contains("billing") && !kept.contains("swordfish"), "{kept}");
    app.state.form.task = "other".to_owned();
    window.run_steps(2);
    click(&mut window, "Presets");
    click(&mut window, "bills");
    assert_eq!(state(&window).form.task, "billing");
}

#[test]
fn f5_places_a_test_call_from_anywhere() {
    let backend = SampleBackend::filled();
    let mut window = window(&backend);
    window.key_press(Key::F5);
    window.run_steps(4);
    assert_eq!(backend.commands().len(), 1);
    let listed = &state(&window).listed;
    assert!(listed.contains(&PLACED_BRIDGE) && !listed.contains(&PLACED), "a call that is here twice is listed once: {listed:?}");
}

#[test]
fn a_refused_command_says_why() {
    let backend = SampleBackend::filled();
    let mut window = window(&backend);
    backend.refuse_next("The limit of 500 calls is reached");
    window.key_press(Key::F5);
    window.run_steps(4);
    assert!(window.query_by_label("The limit of 500 calls is reached").is_some());
    assert!(!state(&window).placing);
    click(&mut window, "Dismiss");
    assert!(window.query_by_label("The limit of 500 calls is reached").is_none());
}

#[test]
fn the_keyboard_goes_from_the_table_into_the_ladder_and_back() {
    let mut window = window(&SampleBackend::filled());
    let press = |window: &mut Window, key| {
        window.key_press(key);
        window.run_steps(4);
    };
    press(&mut window, Key::ArrowDown);
    press(&mut window, Key::ArrowDown);
    assert_eq!(state(&window).call, Some(RETURNING));
    let refer = state(&window).message;
    press(&mut window, Key::Enter);
    press(&mut window, Key::ArrowDown);
    assert_ne!(state(&window).message, refer);
    press(&mut window, Key::Escape);
    press(&mut window, Key::ArrowUp);
    assert_eq!(state(&window).call, Some(WITH_AGENT));
    press(&mut window, Key::Escape);
    assert_eq!(state(&window).call, None);
}

#[test]
fn return_now_asks_and_sends_what_was_filled_in() {
    let backend = SampleBackend::filled();
    let mut window = window(&backend);
    window.key_press(Key::ArrowDown);
    window.run_steps(4);
    click(&mut window, "Return now…");
    click(&mut window, "AGENT");
    window.get_by_label("Name of transfer variable 1").focus();
    window.run_steps(2);
    window.get_by_label("Name of transfer variable 1").type_text("next_action");
    window.run_steps(4);
    click(&mut window, "Return");
    let commands = backend.commands();
    let Some(Command::Return { call, request }) = commands.last() else { panic!("a return was asked for, not {commands:?}") };
    assert_eq!((*call, request.outcome), (WITH_AGENT, Outcome::Agent));
    assert!(request.transfer_variables.contains_key("next_action"));
}

#[test]
fn a_list_that_is_being_read_stays_still() {
    let backend = SampleBackend::filled();
    let mut window = window(&backend);
    let before = state(&window).listed.clone();
    let row = window.get_by_label("14:02:09 Returning customer@your-sbc.example.com call_routing conv-12345").rect().center();
    window.hover_at(row);
    window.run_steps(4);
    backend.change(|snapshot| {
        let mut call = (*snapshot.calls[0]).clone();
        call.id = CallId(99_999);
        let mut calls = snapshot.calls.to_vec();
        calls.push(Arc::new(call));
        snapshot.calls = calls.into();
    });
    window.run_steps(4);
    assert_eq!(state(&window).listed, before);
    click(&mut window, "1 new");
    window.remove_cursor();
    window.run_steps(4);
    assert_eq!(state(&window).listed.len(), before.len() + 1);
}

#[test]
fn closing_with_calls_running_asks() {
    let mut window = window(&SampleBackend::filled());
    let viewport =
        |window: &mut Window| window.input_mut().viewports.entry(ViewportId::ROOT).or_default().events.push(ViewportEvent::Close);
    viewport(&mut window);
    window.run_steps(3);
    assert!(window.query_by_label("3 calls are still running").is_some());
    click(&mut window, "Keep running");
    assert!(window.query_by_label("3 calls are still running").is_none());
}

#[test]
fn a_ladder_reads_as_text() {
    let backend = SampleBackend::filled();
    let mut views = Views::default();
    views.refresh(&backend.messages(RETURNING));
    let snapshot = backend.snapshot();
    let call = find(&snapshot, RETURNING).expect("the sample has it");
    let text = ladder(call, views.all(), snapshot.at).to_text();
    let expected = "      0 ms  Customer → Bridge: INVITE  3 variables · 684 B
   +0.4 ms  Bridge → Customer: 401 Unauthorized  digest
    +12 ms  Customer → Bridge: INVITE  3 variables · digest sbc-east
    +13 ms  Bridge → Agent: invite agent  call_routing
    +48 ms  Agent → Bridge: answered
    +61 ms  Bridge → Customer: 200 OK  PCMU 20 ms
            Customer ↔ Bridge: PCMU · 61.2 s · loss 0.0 % · jitter 1.8 ms
            Bridge ↔ Agent: in this program · 61.2 s
    +64 ms  Customer → Bridge: ACK
  +14.00 s  Customer ↔ Bridge: On hold
  +18.50 s  Customer ↔ Bridge: Resumed
  +61.20 s  Customer ↔ Bridge: Digit 1
  +61.26 s  Agent → Bridge: SYSTEM  4 variables
            Bridge → Customer: REFER  Refer-To: 4 variables · 574 chars
  +61.77 s  Bridge → Customer: REFER  Refer-To: 4 variables · 574 chars (retransmission)
  +61.83 s  Customer → Bridge: 202 Accepted  to REFER
  +61.86 s  Customer → Bridge: NOTIFY  SIP/2.0 100 Trying
            Customer → Return URI: INVITE  seen only through NOTIFY (hearsay)
            Bridge → Customer: 200 OK  to NOTIFY
  +62.32 s  Customer → Bridge: NOTIFY  SIP/2.0 180 Ringing
            Return URI → Customer: 180 Ringing  seen only through NOTIFY (hearsay)
";
    assert_eq!(text, expected);
}

#[test]
fn a_ladder_is_zoomed_put_to_scale_and_opened_by_key_and_click() {
    let mut window = window(&SampleBackend::filled());
    window.key_press(Key::ArrowDown);
    window.key_press(Key::ArrowDown);
    window.run_steps(4);
    assert!(window.query_by_label_contains("REFER Refer-To: 4 variables · 574 chars, Bridge to Customer, , 2 times").is_some());
    click(&mut window, "Show 1 retransmissions of REFER");
    assert!(window.query_by_label_contains("574 chars, Bridge to Customer, +61.77 s").is_some(), "the second REFER has its row");
    window.key_press(Key::Minus);
    window.run_steps(4);
    assert!(state(&window).ladder.zoom < 1.0);
    window.key_press(Key::Num0);
    window.run_steps(4);
    assert!((state(&window).ladder.zoom - 1.0).abs() < f32::EPSILON);
    click(&mut window, "To scale");
    assert!(state(&window).ladder.to_scale);
    click(&mut window, "In order");
    window.key_press(Key::Enter);
    window.key_press(Key::End);
    window.run_steps(4);
    let last = window.state().as_ref().expect("it is open").message_numbers().last().copied();
    assert_eq!(state(&window).message, last);
    window.check_accessibility();
}

#[test]
fn a_payload_says_what_was_dropped_and_what_would_make_it_fit() {
    let backend = SampleBackend::filled();
    let snapshot = backend.snapshot();
    let call = find(&snapshot, RETURNING).expect("the sample has it");
    let data = payload(call.returns[0].payload.as_ref().expect("a payload"));
    let advice = data.advice.expect("something was dropped");
    assert_eq!(advice.title, "1 variable dropped at the 1,024-character limit");
    assert_eq!(advice.cure, "Shorten summary by 83 characters to make full_address fit");
    let whole: String = data.raw.iter().map(|(text, _)| text.as_str()).collect();
    assert_eq!(whole, call.returns[0].payload.as_ref().expect("a payload").refer_to, "the colours lose nothing of it");
    assert_eq!(data.segments.iter().map(|s| s.cost).sum::<usize>(), 574);
}

#[test]
fn a_journey_that_breaks_says_where() {
    let backend = SampleBackend::filled();
    let snapshot = backend.snapshot();
    let steps = journey(find(&snapshot, CallId(12_342)), None, &[], &backend.facts(), false);
    let wrong = steps.iter().find(|s| s.mark == Mark::Wrong).expect("it broke somewhere");
    assert_eq!((wrong.title.as_str(), wrong.detail.as_str()), ("Call answered", "not on any peer's networks (403)"));
    let fallen_back = journey(find(&snapshot, CallId(12_343)), None, &[], &backend.facts(), false);
    let failed = fallen_back.iter().find(|s| s.title == "Return failed").expect("the REFER was refused");
    assert_eq!((failed.mark, failed.detail.as_str()), (Mark::Wrong, "REFER refused with 603 Decline"));
    let ahead = journey(None, None, &[], &backend.facts(), false);
    assert!(ahead.iter().all(|s| s.mark == Mark::Ahead && s.time.is_empty()));
    assert_eq!(Timestamp(5).micros_since(Timestamp(9)), 0);
}

#[test]
fn a_call_transfer_is_made_by_the_form_and_its_call_is_one_click_away() {
    let backend = SampleBackend::filled();
    let mut window = window(&backend);
    click(&mut window, "Transfers");
    window.check_accessibility();
    assert!(window.query_by_label("1 waiting, 1 ongoing, 4 listed").is_some());
    assert!(window.query_by_label("200 OK").is_some(), "how it would be answered");
    click(&mut window, "Create");
    assert_eq!(state(&window).transfer.as_deref(), Some("transfer-1"), "what was made is chosen");
    assert_eq!(state(&window).transfer_form.id, "transfer-2", "an id is for one attempt");

    click(&mut window, "14:02:30 ONGOING t-103");
    click(&mut window, "Show call");
    assert_eq!((state(&window).place, state(&window).call), (Place::Calls, Some(WITH_AGENT)));
}

#[test]
fn a_create_that_would_be_refused_says_so_before_it_is_sent() {
    let backend = SampleBackend::filled();
    let mut window = window(&backend);
    click(&mut window, "Transfers");
    window.get_by_label("Id").focus();
    window.run_steps(2);
    for _ in 0.."transfer-1".len() {
        window.key_press(Key::Backspace);
    }
    window.get_by_label("Id").type_text("t-104");
    window.run_steps(4);
    assert!(window.query_by_label("409-01").is_some());
    assert!(window.query_by_label_contains("an id is for one attempt").is_some());
}

#[test]
fn past_calls_follow_the_live_ones_page_by_page_and_the_search_finds_them() {
    let backend = SampleBackend::filled();
    backend.archive(250);
    let mut window = window(&backend);
    let live = SampleBackend::filled().snapshot().calls.len();
    assert_eq!(state(&window).listed.len(), live + 200, "one page");
    window.key_press_modifiers(Modifiers::COMMAND, Key::F);
    window.run_steps(2);
    window.get_by_label("Filter calls").type_text("archived");
    window.run_steps(6);
    assert_eq!(state(&window).listed.len(), 200, "words narrow what was read");
    window.state_mut().as_mut().expect("it is open").state.search = "task:billing_help archived".to_owned();
    window.run_steps(6);
    assert_eq!(state(&window).listed.len(), 200);
    window.state_mut().as_mut().expect("it is open").state.search = "task:nothing".to_owned();
    window.run_steps(6);
    assert!(window.query_by_label("No call matches").is_some());
    click(&mut window, "Clear search");
    window.run_steps(4);
    assert!(state(&window).listed.len() > 200);
}
