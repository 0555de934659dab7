//! Digest headers: any Authorization and any challenge is read or refused; and a right password is always admitted.
#![no_main]

use std::time::Instant;

use handback::sip::{
    digest::{
        client::{Challenge, Credentials},
        server::{Answer, Asked, Authenticator},
    },
    message::AuthValue,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (String, String, String, String, bool)| {
    let (header, username, password, uri, md5) = input;
    let now = Instant::now();
    let source = [127, 0, 0, 1].into();
    let mut server = Authenticator::new("realm \"quoted\" \\", [7; 32], now);
    let asked = Asked { method: "INVITE", request_uri: &uri, source };
    for value in AuthValue::parse_list(&header) {
        let _ = (value.is_digest(), value.has_duplicates(), value.param("nonce"));
        if let Some(answer) = Answer::read(value.params()) {
            assert!(server.check(now, asked, &answer, |_| Some("secret"), true).is_err(), "nobody guesses a password");
        }
        if let Some(challenge) = Challenge::read(value.params()) {
            let answer = challenge.answer(Credentials { username: "u", password: "p" }, "INVITE", "sip:a@b", 1, "c");
            assert!(!answer.contains(['\r', '\n', '\0']) || header.contains(['\r', '\n', '\0']));
        }
    }

    if [&username, &password, &uri].iter().any(|text| text.chars().any(char::is_control)) {
        return;
    }
    let challenges: Vec<Challenge> = server
        .challenges(now, source, false, md5)
        .iter()
        .flat_map(|value| AuthValue::parse_list(value))
        .filter_map(|value| Challenge::read(value.params()))
        .collect();
    let challenge = Challenge::choose(challenges).expect("we can answer our own challenge");
    let answer = challenge.answer(Credentials { username: &username, password: &password }, "INVITE", &uri, 1, "cnonce");
    let read = AuthValue::parse_list(&answer);
    let answer = read.first().and_then(|value| Answer::read(value.params())).expect("our own answer is read");
    assert_eq!(answer.username, username);
    server.check(now, asked, &answer, |_| Some(&password), md5).expect("the right password is admitted");
    assert!(server.check(now, asked, &answer, |_| Some(&password), md5).is_err(), "a nonce count is never accepted twice");
});
