//! Settings as an operator uses it: pages as text, and by accessible names down to the file.

use std::{path::Path, sync::Arc};

use eframe::egui::{Key, Modifiers, ViewportEvent, ViewportId};
use egui_kittest::kittest::Queryable as _;

use super::{
    panels::settings::{
        self,
        state::{Edited, Page, State},
    },
    remembered::Remembered,
    sample::SampleBackend,
    state::Place,
    tests::{Window, click, state, window},
};
use crate::{
    config::{self, Draft},
    model::ReturnMethod,
};

const FILE: &str = r#"# Kept by hand.
[sip]
listen = ["udp:127.0.0.1:5060"]   # loopback

# The lab.
[[peers]]
name     = "SBC lab"
networks = ["10.4.0.0/16", "2001:db8:4::/48"]
users    = [{ username = "sbc-east", secret = "open sesame" }]

[peers.return]
method = "REFER"   # blind
uri    = "sip:transfer@your-company.com:5060"
"#;

/// A page of this file, as the validator finds it.
fn page_of(page: Page, text: &str) -> String {
    let mut file = Edited::new(None, false, Draft::parse(text).expect("it is TOML"));
    if let Err(faults) = config::check(Path::new("handback.toml"), text) {
        file.faults = faults;
    }
    file.agent = config::check(Path::new("handback.toml"), text).ok().map(|(settings, _)| settings.agent);
    let state = State { page, file: Some(file), ..State::default() };
    settings::page(&state, &Remembered::default(), &jiff::tz::TimeZone::UTC).to_text()
}

fn opened(text: &str) -> (Arc<SampleBackend>, Window) {
    let backend = SampleBackend::filled();
    backend.settings.write(text);
    let mut window = window(&backend);
    click(&mut window, "Settings");
    window.run_steps(4);
    (backend, window)
}

fn type_into(window: &mut Window, name: &str, text: &str) {
    window.get_by_label(name).focus();
    window.run_steps(2);
    window.key_press(Key::End);
    window.get_by_label(name).type_text(text);
    window.run_steps(6);
}

fn save(window: &mut Window) {
    window.key_press_modifiers(Modifiers::COMMAND, Key::S);
    window.run_steps(6);
}

#[test]
fn who_may_call_reads_as_text() {
    assert_eq!(
        page_of(Page::Who, FILE),
        "Who may call
[Peers]
  > SBC lab: 2 networks or 1 user · REFER
  + Add a peer
[Allowed addresses]
  Network
  - 10.4.0.0/16 
  - 2001:db8:4::/48 
[Username and password]
  Username | Password
  - sbc-east | in this file
  Offer MD5 beside SHA-256: on
[An address that is allowed, but a password that is wrong]
  : Either is enough
[Recording of its calls]
  : As all: by hand
right: [Would this caller pass?]
  caller 
"
    );
}

#[test]
fn what_a_peer_says_of_recording_goes_before_what_all_do() {
    let with = |line: &str| page_of(Page::Who, &FILE.replace("[[peers]]\n", &format!("[[peers]]\n{line}\n")));
    let always = "[recording]\nwhen = \"always\"\n";
    for (page, chosen) in [
        (with("record = true"), "Always"),
        (with("record = false"), "By hand only"),
        (page_of(Page::Who, &format!("{FILE}{always}")), "As all: always"),
    ] {
        assert!(page.contains(&format!("[Recording of its calls]\n  : {chosen}\n")), "{page}");
    }
    assert!(with("record = \"yes\"").contains("[Recording of its calls]\n  :  !! Must be true or false"), "{}", with("record = \"yes\""));
}

#[test]
fn a_fault_stands_at_its_field_in_the_words_of_the_validator() {
    let text = page_of(Page::Who, &FILE.replace("2001:db8:4::/48", "10.4.300.0/24"));
    assert!(text.contains("- 10.4.300.0/24  !! 300 is not a valid octet: 0 to 255\n"), "{text}");
    let text = page_of(Page::Limits, &format!("{FILE}[limits]\ncalls = 0\ncals = 1\n"));
    assert!(text.contains("Calls at one time: 0 !! Must be a whole number from 1 to 1000000"), "{text}");
    assert!(text.contains("[Also in the file]\n  note: Line 16, limits.cals: unknown key; the nearest known one is \"calls\""), "{text}");
}

#[test]
fn the_pages_of_plain_values_read_as_text() {
    let text = page_of(Page::Listeners, FILE);
    assert!(text.contains("Listen on (restart)\n  - udp:127.0.0.1:5060 "), "{text}");
    assert!(text.contains("Address: (that of the first listener) (restart) | RTP ports: (40000-49999) (restart)"), "{text}");
    assert!(text.contains("Codecs, the preferred one first: PCMU, PCMA"), "{text}");
    assert!(page_of(Page::Api, FILE).contains("Serve the call transfers API: off (restart)"));
    let api = page_of(Page::Api, &format!("{FILE}[api]\nkeys = [{{ id = \"k\", secret_env = \"HOME\", allow = [\"read\"] }}]\n"));
    assert!(api.contains("- k | in $HOME | Read"), "{api}");
    let agent = page_of(Page::Agent, FILE);
    assert!(agent.contains("Kind: A script\n  Script: (demo)"), "{agent}");
    assert!(agent.contains("for any task]\n  First: plays") && agent.contains("On digit 0: ends as AGENT"), "{agent}");
    assert!(page_of(Page::Storage, FILE).contains("Ended calls are kept for: (30)days | Their messages take at most: (1024)MB"));
    assert!(page_of(Page::Appearance, FILE).contains("Scale: 100 %"));
}

#[test]
fn the_return_page_shows_what_the_method_needs() {
    let refer = page_of(Page::Return, FILE);
    assert!(refer.contains("method: REFER\n[]\n  Return URI: sip:transfer@your-company.com:5060\n  flow of REFER"), "{refer}");
    assert!(refer.contains("No NOTIFY") && !refer.contains("Authentication"), "{refer}");
    assert!(refer.contains("right: [Try a payload]  (137 of 1,024)"), "{refer}");
    let invite = page_of(Page::Return, &FILE.replace("REFER", "INVITE"));
    assert!(!invite.contains("No NOTIFY") && invite.contains("Authentication of the return INVITE"), "{invite}");
    let bye = page_of(Page::Return, &FILE.replace("REFER", "BYE"));
    assert!(bye.contains("flow of BYE") && !bye.contains("When the return fails") && bye.contains("A BYE carries no payload"), "{bye}");
}

#[test]
fn a_changed_return_method_is_saved_in_the_file_and_its_comments_stay() {
    let (backend, mut window) = opened(FILE);
    click(&mut window, "Return");
    assert!(window.query_by_label_contains("Your SBC calls the return URI by itself").is_some(), "the flow of REFER");
    click(&mut window, "Return by INVITE");
    window.run_steps(4);
    assert!(window.query_by_label_contains("The bridge calls the return URI, connects").is_some(), "the flow of INVITE");
    assert!(window.query_by_label("Not saved: Return").is_some());
    assert_eq!(backend.settings.read(), FILE, "nothing is written yet");
    window.check_accessibility();
    save(&mut window);
    assert_eq!(backend.settings.read(), FILE.replace("\"REFER\"   # blind", "\"INVITE\"   # blind"));
    let applied = backend.settings.applied.lock().expect("no panic");
    assert_eq!(applied[0].peers[0].returns.method, ReturnMethod::Invite);
    assert!(window.query_by_label("Not saved: Return").is_none());
}

#[test]
fn what_has_a_fault_is_not_saved_until_it_is_mended() {
    let (backend, mut window) = opened(FILE);
    type_into(&mut window, "New network", "10.4.300.0/24");
    assert!(window.query_by_label("300 is not a valid octet: 0 to 255").is_some());
    assert!(window.query_by_label_contains("One value has to be mended first").is_some());
    save(&mut window);
    assert_eq!(backend.settings.read(), FILE);
    click(&mut window, "Remove network 3");
    window.run_steps(4);
    assert!(window.query_by_label_contains("Not saved").is_none(), "it is as it was");
    window.check_accessibility();
}

#[test]
fn the_tester_says_who_passes_and_why_not() {
    let (_, mut window) = opened(FILE);
    type_into(&mut window, "Address", "10.4.2.11");
    assert!(window.query_by_label("Admitted as peer SBC lab, by its address in 10.4.0.0/16").is_some());
    type_into(&mut window, "Address", "1");
    assert!(window.query_by_label("Admitted as peer SBC lab, by its address in 10.4.0.0/16").is_some(), "10.4.2.111, too");
    type_into(&mut window, "Address", "1");
    assert!(window.query_by_label_contains("is no IP address").is_some());
    for _ in 0.."10.4.2.1111".len() {
        window.key_press(Key::Backspace);
    }
    type_into(&mut window, "Address", "192.0.2.1");
    assert!(window.query_by_label("Refused: it is asked for a password and does not answer").is_some());
    click(&mut window, "It answers");
    type_into(&mut window, "Its username", "sbc-east");
    type_into(&mut window, "Its password", "open sesame");
    assert!(window.query_by_label("Admitted as peer SBC lab, by the password of sbc-east (SHA-256)").is_some());
}

#[test]
fn a_file_that_was_changed_on_disk_is_offered_and_nothing_is_lost() {
    let (backend, mut window) = opened(FILE);
    click(&mut window, "Return");
    click(&mut window, "Return by BYE");
    let theirs = FILE.replace("SBC lab", "Their lab");
    backend.settings.write(&theirs);
    save(&mut window);
    assert_eq!(backend.settings.read(), theirs);
    assert!(window.query_by_label_contains("was changed on disk").is_some());
    click(&mut window, "Reload");
    window.run_steps(4);
    click(&mut window, "Who may call");
    assert!(window.query_by_label("Their lab").is_some());
    let unsaved = backend.settings.path().with_file_name("handback.toml.unsaved");
    assert!(std::fs::read_to_string(unsaved).expect("it is kept").contains("method = \"BYE\""));
}

#[test]
fn a_secret_is_set_and_never_shown() {
    let (backend, mut window) = opened(FILE);
    click(&mut window, "Replace Password of 1");
    assert!(window.get_by_label("Secret").is_focused(), "one types at once");
    type_into(&mut window, "Secret", "new one");
    click(&mut window, "Set");
    save(&mut window);
    assert!(backend.settings.read().contains("{ username = \"sbc-east\", secret = \"new one\" }"), "{}", backend.settings.read());
    assert!(window.query_by_label_contains("new one").is_none() && window.query_by_label_contains("sesame").is_none());
    click(&mut window, "Forget Password of 1");
    window.run_steps(4);
    assert!(window.query_by_label_contains("Is missing: give secret").is_some());
}

#[test]
fn without_a_file_the_demo_is_shown_and_saving_makes_one() {
    let backend = SampleBackend::filled();
    let mut window = window(&backend);
    click(&mut window, "Settings");
    window.run_steps(4);
    assert_eq!(state(&window).place, Place::Settings);
    assert!(window.query_by_label("Demo").is_some());
    assert!(!backend.settings.path().exists());
    click(&mut window, "Call transfers API");
    type_into(&mut window, "Requests a second", "7");
    save(&mut window);
    assert!(backend.settings.read().contains("requests_per_second = 7"));
}

#[test]
fn what_waits_for_a_restart_says_so_and_a_restart_that_cannot_work_is_not_made() {
    let (_, mut window) = opened(FILE);
    click(&mut window, "Listeners");
    type_into(&mut window, "address 1", "1");
    save(&mut window);
    assert!(window.query_by_label_contains("After the next start: sip.listen").is_some());
    click(&mut window, "Dismiss");
    assert!(window.query_by_label_contains("In force after the next start: sip.listen").is_some());
    click(&mut window, "Restart now");
    window.run_steps(4);
    assert!(window.query_by_label("port 5060 is in use").is_some());
}

#[test]
fn closing_with_unsaved_settings_asks() {
    let (_, mut window) = opened(FILE);
    click(&mut window, "Return");
    click(&mut window, "Return by BYE");
    window.input_mut().viewports.entry(ViewportId::ROOT).or_default().events.push(ViewportEvent::Close);
    window.run_steps(3);
    assert!(window.query_by_label("Changed settings are not saved").is_some());
}

#[test]
fn every_page_is_told_to_screen_readers() {
    let (_, mut window) = opened(&format!("{FILE}[api]\n"));
    for page in Page::ALL {
        // A place of the rail may have the same name.
        window.get_all_by_label(page.title()).last().expect("the page is listed").click();
        window.run_steps(4);
        assert_eq!(state(&window).settings.page, page);
        window.check_accessibility();
    }
    click(&mut window, "Light");
    window.run_steps(2);
    assert!(!state(&window).dark);
}
