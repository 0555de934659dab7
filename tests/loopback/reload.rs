//! SIGHUP: the settings file is read again while the bridge runs.

use std::fs;

use crate::support::{
    bridge::{AGENT_THAT_ENDS_AT_ONCE, API, API_KEY, API_SECRET, Bridge, LOOPBACK_BY_REFER},
    until,
};

fn changed(bridge: &Bridge, change: impl FnOnce(String) -> String) {
    let file = bridge.folder.path().join("handback.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, change(text)).unwrap();
    bridge.hang_up();
}

#[test]
fn another_key_is_good_at_once_and_a_file_with_faults_changes_nothing() {
    let bridge = Bridge::start(&format!("{LOOPBACK_BY_REFER}{AGENT_THAT_ENDS_AT_ONCE}{API}"));
    let status = |secret: &str| bridge.api_with(&[("asapp-api-id", API_KEY), ("asapp-api-secret", secret)], "GET", "/none", "").status;
    assert_eq!([status(API_SECRET), status("barracuda-1")], [404, 401]);

    changed(&bridge, |text| text.replace(API_SECRET, "barracuda-1").replace("udp:127.0.0.1:0", "udp:127.0.0.2:0"));
    until("the new key is good", || (status("barracuda-1") == 404).then_some(()));
    assert_eq!(status(API_SECRET), 401);

    changed(&bridge, |text| text.replace("barracuda-1", "pike-1").replace("realm", "reaml").replace("networks", "netwroks"));
    changed(&bridge, |text| text.replace("netwroks", "networks").replace("pike-1", "pike-2"));
    until("the file without faults is taken", || (status("pike-2") == 404).then_some(()));
    assert_eq!(status("pike-1"), 401);

    let (code, log) = bridge.stop();
    assert_eq!(code, Some(0));
    assert!(log.contains("in force after the next start only: sip.listen"), "{log}");
    assert!(!log.contains("pike"), "no secret is logged: {log}");
}
