//! Messages, comparing, the search over everything, and the table of calls, by their accessible names.

use super::*;

#[test]
fn messages_are_narrowed_by_a_filter_and_lead_to_their_ladder() {
    let mut window = window(&SampleBackend::filled());
    click(&mut window, "Messages");
    assert!(window.query_by_label("17 messages").is_some());
    window.check_accessibility();
    window.get_by_label("Filter messages").focus();
    window.run_steps(2);
    window.get_by_label("Filter messages").type_text("metod:REFER");
    window.run_steps(4);
    assert!(window.query_by_label("“metod:” is no filter. Did you mean method:?").is_some());
    assert!(window.query_by_label("17 messages").is_none() && window.query_by_label("17 of 17").is_some(), "the last good filter holds");
    window.state_mut().as_mut().expect("it is open").state.messages.filter = "method:REFER -is:again".to_owned();
    window.run_steps(6);
    assert!(window.query_by_label("2 of 17").is_some());
    click(&mut window, "14:03:10.262 10.9.0.5:5060 → 10.4.2.11:5060 REFER Refer-To: 4 variables · 574 chars");
    assert!(window.query_by_label("Return payload: 574 of 1,024 characters").is_some());
    assert!(!state(&window).messages.follow, "who reads is not moved");
    window.check_accessibility();
    click(&mut window, "Show in ladder");
    assert_eq!((state(&window).place, state(&window).call), (Place::Calls, Some(RETURNING)));
    assert!(window.query_by_label("REFER Refer-To: 4 variables · 574 chars, Bridge to Customer, , 2 times").is_some());
}

#[test]
fn a_list_of_messages_that_is_read_stays_still_and_counts_what_comes() {
    let backend = SampleBackend::filled();
    let mut window = window(&backend);
    click(&mut window, "Messages");
    window.key_press(Key::ArrowUp);
    window.run_steps(4);
    let chosen = state(&window).messages.chosen;
    assert!(chosen.is_some() && !state(&window).messages.follow);
    window.key_press(Key::F5);
    window.run_steps(8);
    assert!(window.query_by_label("1 new").is_some());
    assert_eq!(state(&window).messages.chosen, chosen);
    click(&mut window, "1 new");
    window.run_steps(4);
    assert!(window.query_by_label("1 new").is_none() && state(&window).messages.follow);
    window.state_mut().as_mut().expect("it is open").state.messages.filter = "nothing-like-this".to_owned();
    window.run_steps(6);
    click(&mut window, "method:INVITE");
    window.run_steps(4);
    assert_eq!(state(&window).messages.filter, "method:INVITE");
}

#[test]
fn two_messages_are_compared_by_header() {
    let mut window = window(&SampleBackend::filled());
    window.key_press(Key::ArrowDown);
    window.key_press(Key::ArrowDown);
    window.run_steps(4);
    click(&mut window, "INVITE 3 variables · 684 B, Customer to Bridge, 0 ms");
    click(&mut window, "Compare…");
    window.check_accessibility();
    click(&mut window, "Compare with INVITE 3 variables · digest sbc-east, Customer → Bridge · +12 ms · this leg");
    assert!(window.query_by_label("1 removed · 26 the same").is_some());
    assert!(window.query_by_label_contains("removed Authorization: Digest username=\"sbc-east\"").is_some());
    assert!(window.query_by_label_contains("same Via").is_none());
    click(&mut window, "Show all");
    assert!(window.query_by_label_contains("same Via").is_some());
    click(&mut window, "NOTIFY SIP/2.0 100 Trying, Customer to Bridge, +61.86 s");
    assert!(window.query_by_label_contains("changed CSeq: 1 INVITE → 2 NOTIFY").is_some(), "another message, the same pin");
    window.check_accessibility();
    click(&mut window, "Unpin");
    assert!(window.query_by_label("Pin this message").is_some());
    click(&mut window, "Headers");
    click(&mut window, "Raw");
}

#[test]
fn the_search_over_everything_finds_calls_messages_and_actions() {
    let mut window = window(&SampleBackend::filled());
    let search = |window: &mut Window, words: &str| {
        window.key_press_modifiers(Modifiers::COMMAND, Key::K);
        window.run_steps(3);
        window.get_by(|node| node.role() == Role::TextInput && node.label().as_deref() == Some("Search everything")).type_text(words);
        window.run_steps(4);
    };
    search(&mut window, "schedule_callback");
    window.check_accessibility();
    assert!(window.query_by_label_contains("conv-12345, tv next_action: schedule_callback").is_some());
    assert!(window.query_by_label_contains("REFER of conv-12345, Refer-To: <sip:transfer@").is_some(), "what stands in a header");
    window.key_press(Key::Enter);
    window.run_steps(4);
    assert_eq!((state(&window).call, &state(&window).palette), (Some(RETURNING), &None));
    search(&mut window, "mess");
    click(&mut window, "Messages, Every message of all calls");
    assert_eq!(state(&window).place, Place::Messages);
    search(&mut window, "place test call");
    window.key_press(Key::Escape);
    window.run_steps(4);
    assert!(state(&window).palette.is_none());
}

#[test]
fn the_table_is_sorted_and_gets_any_variable_or_header_as_a_column() {
    let mut window = window(&SampleBackend::filled());
    click(&mut window, "Sort by Payload");
    assert_eq!(state(&window).listed.first(), Some(&CallId(12_343)));
    click(&mut window, "Sort by Payload, sorted up");
    assert_eq!(state(&window).listed.first(), Some(&RETURNING));
    click(&mut window, "Sort by Payload, sorted down");
    assert_eq!(state(&window).listed.first(), Some(&WITH_AGENT));
    click(&mut window, "Choose columns");
    window.check_accessibility();
    let field = "Any header or variable: User-Agent, iv:accountNumber, tv:next_action";
    for column in ["iv:accountNumber", "Max-Forwards"] {
        window.get_by_role_and_label(Role::TextInput, field).focus();
        window.run_steps(2);
        window.get_by_role_and_label(Role::TextInput, field).type_text(column);
        window.run_steps(2);
        window.key_press(Key::Enter);
        window.run_steps(4);
    }
    assert!(window.query_by_label("Sort by accountNumber").is_some() && window.query_by_label("Sort by Max-Forwards").is_some());
    window.key_press(Key::Escape);
    window.run_steps(4);
    click(&mut window, "Sort by Max-Forwards");
    assert_eq!(state(&window).listed.len(), 6);
}

#[test]
fn several_calls_are_selected_with_ctrl_and_shift() {
    let mut window = window(&SampleBackend::filled());
    let with = |window: &mut Window, modifiers, call: &str| {
        window.get_by_label_contains(call).click_modifiers(modifiers);
        window.run_steps(4);
    };
    with(&mut window, Modifiers::NONE, "Returning customer@your-sbc.example.com call_routing conv-12345");
    with(&mut window, Modifiers::COMMAND, "Ringing +14155550123");
    assert!(window.query_by_label("2 of 6 calls selected").is_some());
    with(&mut window, Modifiers::SHIFT, "Returned +14155550199");
    assert_eq!(state(&window).table.selected.len(), 3);
    click(&mut window, "Select none");
    assert!(state(&window).table.selected.is_empty() && state(&window).call == Some(RETURNING));
}
