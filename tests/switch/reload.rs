//! Other settings while calls run: new calls are under the new ones, a running call ends under its own.

use std::{sync::Arc, time::Duration};

use handback::{
    model::{
        CallEvent, CallState, ReturnMethod,
        settings::{Secret, User},
    },
    party::Input,
    sip::dialog::SessionEnd,
};

use crate::lab::{Customer, Lab, credentials, settings};

#[test]
fn a_running_call_goes_back_as_it_was_admitted() {
    let mut lab = Lab::new(settings());
    let call = lab.in_a_call();
    let mut other = settings();
    // Even its peer is gone.
    other.peers[0].name = "another".into();
    other.peers[0].networks = vec!["198.51.100.0/24".parse().unwrap()];
    other.peers[0].returns.method = ReturnMethod::Bye;
    lab.tells_switch(Input::Settings(Arc::new(other)));
    lab.presses('1');
    lab.hears(Customer, |event| matches!(event, handback::sip::dialog::UaEvent::Refer { .. }));
    lab.does(Customer, |ua, now| ua.hang_up(now, call, &[], None)).unwrap();
    let record = lab.is_over();
    assert_eq!(record.peer.as_deref(), Some("SBC lab"));
    assert_eq!(record.returns[0].method, ReturnMethod::Refer);
}

#[test]
fn a_new_call_is_judged_by_the_new_settings() {
    let mut lab = Lab::new(settings());
    let mut other = settings();
    other.peers[0].networks = vec!["198.51.100.0/24".parse().unwrap()];
    lab.tells_switch(Input::Settings(Arc::new(other)));
    let call = lab.calls();
    assert!(matches!(lab.ends(Customer, call), SessionEnd::Rejected { code: 403, .. }));
    assert_eq!(lab.record().state, CallState::Refused);

    let mut by_password = settings();
    by_password.sip.realm = "another".into();
    by_password.peers[0].networks.clear();
    by_password.peers[0].users = vec![User { username: "sbc".into(), secret: Secret::new("secret") }];
    by_password.peers[0].returns.method = ReturnMethod::Bye;
    lab.tells_switch(Input::Settings(Arc::new(by_password)));
    let call = lab.calls_with(|invite| invite.credentials = Some(credentials("secret")));
    lab.happens(|event| matches!(event, CallEvent::AgentAnswered { .. }));
    lab.passes(Duration::from_secs(1));
    lab.does(Customer, |ua, now| ua.hang_up(now, call, &[], None)).unwrap();
    lab.is_over();
    assert_eq!(lab.records().len(), 2);
}
