use std::path::Path;

use super::*;
use crate::model::{
    ReturnMethod, ReturnMethodOrAgent, TransportName,
    script::{Play, Trigger},
    settings::{Agent, Codec, Policy},
};

fn environment(name: &str) -> Option<String> {
    (name == "SET").then(|| "from the environment".to_owned())
}

fn loaded(text: &str) -> (Settings, Vec<Fault>) {
    read::settings(Path::new("folder/handback.toml"), text, &environment).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

/// The faults as they are printed, the file left out.
fn faults(text: &str) -> Vec<String> {
    let list = read::settings(Path::new("h.toml"), text, &environment).err().unwrap_or_default();
    list.iter().map(|f| f.to_string().trim_start_matches("h.toml").to_owned()).collect()
}

fn only_fault(text: &str) -> String {
    let list = faults(text);
    assert_eq!(list.len(), 1, "{list:#?}");
    list.into_iter().next().unwrap_or_default()
}

const PEER: &str = "[[peers]]\nname = \"a\"\nnetworks = [\"10.0.0.0/8\"]\n";

#[test]
fn an_empty_file_is_the_defaults() {
    let (settings, warnings) = loaded("");
    assert_eq!(settings.sip.listen, [TransportName::Udp, TransportName::Tcp].map(|t| (t, "127.0.0.1:5060".parse().expect("an address"))));
    assert_eq!((settings.media.address.to_string(), settings.media.ports), ("127.0.0.1".into(), 40_000..=49_999));
    assert_eq!(settings.media.codecs, [Codec::Pcmu, Codec::Pcma]);
    assert_eq!(settings.control.listen.to_string(), "127.0.0.1:8081");
    assert_eq!(settings.limits, crate::model::settings::Limits::default());
    assert!(settings.peers.is_empty() && matches!(settings.agent, Agent::Script(_)));
    assert!(warnings.is_empty());
}

#[test]
fn the_example_file_loads_and_so_does_every_key_that_it_comments_out() {
    let text = include_str!("../../assets/handback.example.toml");
    let (settings, warnings) = loaded(text);
    assert_eq!(settings.peers[0].returns.uri.as_deref(), Some("sip:transfer@127.0.0.1:5070"));
    assert!(warnings.is_empty(), "{warnings:#?}");

    let uncommented: String = text
        .lines()
        .map(|l| l.strip_prefix("# ").filter(|r| r.starts_with('[') || r.contains(" = ") && !r.starts_with("A secret")).unwrap_or(l))
        .map(|l| {
            format!(
                "{}\n",
                l.replace("RETURN_SECRET", "SET").replace("HANDBACK_CONTROL_TOKEN", "SET").replace("HANDBACK_API_SECRET", "SET")
            )
        })
        .collect();
    let (settings, warnings) = loaded(&uncommented);
    assert_eq!(settings.sip.advertise.as_deref(), Some("203.0.113.5"));
    assert_eq!(settings.control.token.map(|t| t.reveal().to_owned()).as_deref(), Some("from the environment"));
    let keys: Vec<&str> = warnings.iter().map(|w| w.key.as_str()).collect();
    assert_eq!(keys, ["sip.tls", "peers[0].return.auth"], "what this version does not serve is said");
}

#[test]
fn codecs_are_named_in_any_case_and_kept_in_order() {
    let (settings, _) = loaded("[media]\ncodecs = [\"Opus\", \"g722\", \"PCMA\"]\n");
    assert_eq!(settings.media.codecs, [Codec::Opus, Codec::G722, Codec::Pcma]);
    assert!(only_fault("[media]\ncodecs = [\"opus\", \"OPUS\"]\n").contains("listed twice"));
    assert!(only_fault("[media]\ncodecs = [\"G729\"]\n").contains("the nearest is \"G722\""));
}

#[test]
fn recordings_are_off_unless_asked_for_and_a_peer_may_differ() {
    let (settings, _) = loaded(&format!("{PEER}record = true\n[recording]\nfolder = \"kept\"\nwhen = \"always\"\ndays = 7\n"));
    let recording = settings.recording;
    assert!(recording.folder.is_some_and(|folder| folder.ends_with("kept")) && recording.always && recording.days == 7);
    assert_eq!(settings.peers[0].record, Some(true));
    let (settings, _) = loaded(PEER);
    assert_eq!((settings.recording, settings.peers[0].record), (crate::model::settings::Recording::default(), None));
    assert!(only_fault("[recording]\nwhen = \"sometimes\"\n").contains("recording.when"));
}

#[test]
fn a_whole_file_is_read() {
    let (settings, _) = loaded(
        r#"
[sip]
listen = ["udp:0.0.0.0:5060", "tcp:[::1]:0"]
advertise = "sip.example.com"
[media]
ports = "30000-30099"
codecs = ["PCMA"]
[[peers]]
name = "east"
networks = ["10.4.7.0/16", "2001:db8::1"]
policy = "both"
users = [{ username = "u", secret = "s" }]
allow_md5 = false
[peers.return]
method = "INVITE"
uri = "sips:r@h;transport=tcp?Subject=a"
fallback = "agent"
auth = { username = "v", secret_env = "SET" }
[[peers]]
name = "west"
users = [{ username = "w", secret = "s" }]
[agent]
kind = "sip"
uri = "sip:agent@127.0.0.1"
[limits]
calls = 10
"#,
    );
    assert_eq!(settings.media.address.to_string(), "0.0.0.0", "media follows the first listen address");
    let east = &settings.peers[0];
    assert_eq!(east.networks.iter().map(ToString::to_string).collect::<Vec<_>>(), ["10.4.0.0/16", "2001:db8::1/128"]);
    assert_eq!((east.policy, east.allow_md5, east.users[0].secret.reveal()), (Policy::Both, false, "s"));
    assert_eq!(
        (east.returns.method, east.returns.fallback, east.returns.notify_timeout_secs),
        (ReturnMethod::Invite, ReturnMethodOrAgent::Agent, 30)
    );
    assert_eq!(east.returns.auth.as_ref().map(|a| a.secret.reveal()), Some("from the environment"));
    assert_eq!(settings.peers[1].returns.method, ReturnMethod::Bye);
    assert_eq!(settings.agent, Agent::Sip { uri: "sip:agent@127.0.0.1".into(), ring_timeout_secs: 30 });
    assert_eq!((settings.limits.calls, settings.limits.calls_per_second), (10, 50));
    assert!(!format!("{settings:?}").contains("from the environment"), "secrets are never printed");
}

#[test]
fn an_unknown_key_names_itself_its_line_and_the_nearest_known_one() {
    assert_eq!(only_fault("[sip]\n\nlisten_on = []\n"), ":3: sip.listen_on: unknown key; the nearest known one is \"listen\"");
    assert_eq!(only_fault("[medai]\n"), ":1: medai: unknown key; the nearest known one is \"media\"");
    let nested = format!("{PEER}[peers.return]\nfalback = \"bye\"\n");
    assert_eq!(only_fault(&nested), ":5: peers[0].return.falback: unknown key; the nearest known one is \"fallback\"");
}

#[test]
fn all_faults_are_told_at_once_in_the_order_of_the_file() {
    let list = faults(
        "[sip]\nlisten = [\"udp:nowhere\"]\nrealm = 5\n[media]\nports = \"9-1\"\ncodecs = [\"PCMX\"]\n[limits]\ncalls = 0\nqueue = 1\n",
    );
    let lines: Vec<&str> = list.iter().map(|f| f.split(": ").take(2).last().unwrap_or_default()).collect();
    assert_eq!(lines, ["sip.listen[0]", "sip.realm", "media.ports", "media.codecs[0]", "limits.calls", "limits.queue"]);
    assert!(list[3].contains("the nearest is \"PCMU\""), "{}", list[3]);
}

#[test]
fn what_is_no_toml_is_told_with_its_line() {
    let list = faults("[sip]\nlisten = [\n[media\n");
    assert!(list[0].starts_with(":2: ") || list[0].starts_with(":3: "), "{list:?}");
    assert!(faults("[sip]\nrealm=\"a\"\nrealm=\"b\"\n")[0].contains(":3: this is no TOML"), "twice the same key");
}

#[test]
fn listening_wider_than_loopback_with_no_peer_is_refused_with_the_reason() {
    let fault = only_fault("[sip]\nlisten = [\"udp:0.0.0.0:5060\"]\n");
    assert!(fault.starts_with(":2: sip.listen[0]: 0.0.0.0:5060 can be reached from other machines, and no peer"), "{fault}");
    loaded(&format!("[sip]\nlisten = [\"udp:0.0.0.0:5060\"]\n{PEER}"));
    loaded("[sip]\nlisten = [\"udp:127.3.2.1:0\", \"tcp:[::1]:0\"]\n");
}

#[test]
fn control_wider_than_loopback_needs_a_token() {
    assert!(only_fault("[control]\nlisten = \"0.0.0.0:8081\"\n").contains("set token_env"));
    assert!(only_fault("[control]\nlisten = \"0.0.0.0:8081\"\ntoken_env = \"UNSET\"\n").contains("UNSET is not set"));
    loaded("[control]\nlisten = \"0.0.0.0:8081\"\ntoken_env = \"SET\"\n");
}

#[test]
fn what_comes_later_is_a_fault_where_it_would_be_relied_on() {
    assert!(only_fault("[sip]\nlisten = [\"tls:127.0.0.1:5061\"]\n").contains("TLS is not in this version"));
    assert!(only_fault("[agent]\nkind = \"websocket\"\n").contains("not in this version"));
    let keyring = "[[peers]]\nname = \"a\"\nusers = [{ username = \"u\", secret_keyring = \"k\" }]\n";
    assert!(only_fault(keyring).contains("the keyring"), "no such entry, or no keyring here: {}", only_fault(keyring));
}

#[test]
fn a_return_uri_is_checked() {
    for (uri, why) in
        [("tel:+1555", "sip: or sips:"), ("sip:r@h;method=BYE", "method="), ("http://h", "sip: or sips:"), ("sip:r@h\\r\\nX: 1", "control")]
    {
        let text = format!("{PEER}[peers.return]\nmethod = \"REFER\"\nuri = \"{uri}\"\n");
        assert!(only_fault(&text).contains(why), "{uri}: {}", only_fault(&text));
    }
    let missing = format!("{PEER}[peers.return]\nmethod = \"REFER\"\n");
    assert!(only_fault(&missing).contains("peers[0].return.uri: is missing"));
    let fallback = format!("{PEER}[peers.return]\nfallback = \"invite\"\n");
    assert!(only_fault(&fallback).contains("peers[0].return.uri: is missing"));
}

#[test]
fn a_peer_that_admits_nobody_is_refused() {
    assert!(only_fault("[[peers]]\nname = \"a\"\n").contains("nobody is ever admitted"));
    assert!(only_fault(&format!("{PEER}policy = \"both\"\n")).contains("needs networks and users"));
    assert!(only_fault(&format!("{PEER}{PEER}")).contains("there is a peer \"a\" already"));
    assert!(only_fault("[[peers]]\nname = \"a\"\nnetworks = [\"10.0.0.0/99\"]\n").contains("no network"));
}

#[test]
fn a_secret_comes_from_exactly_one_place() {
    let user = |keys: &str| format!("[[peers]]\nname = \"a\"\nusers = [{{ username = \"u\"{keys} }}]\n");
    assert!(only_fault(&user("")).contains("users[0].secret: is missing"));
    assert!(only_fault(&user(", secret = \"a\", secret_env = \"SET\"")).contains("keep one of"));
    assert!(only_fault(&user(", secret_env = \"UNSET\"")).contains("UNSET is not set"));
    assert!(only_fault(&user(", secret_file = \"no-such-file\"")).contains("no-such-file can't be read"));
    assert!(only_fault(&user(", secret = \"\"")).contains("empty secret"));

    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("pw"), "from the file\nsecond line\n").expect("writes");
    let file = folder.path().join("handback.toml");
    std::fs::write(&file, user(", secret_file = \"pw\"")).expect("writes");
    let settings = load(Some(&file)).expect("loads");
    assert_eq!(settings.peers[0].users[0].secret.reveal(), "from the file");
}

#[cfg(unix)]
#[test]
fn a_secret_in_a_file_that_others_may_read_is_a_warning() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("handback.toml");
    let warned = |text: &str, mode: u32| {
        std::fs::write(&file, text).expect("writes");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).expect("changes");
        read(Some(&file)).expect("loads").warnings.len()
    };
    let plain = "[[peers]]\nname = \"a\"\nusers = [{ username = \"u\", secret = \"s\" }]\n";
    assert_eq!((warned(plain, 0o644), warned(plain, 0o600)), (1, 0));
    assert_eq!(warned("# secret = \"s\"\n[limits]\ncalls = 1\n", 0o644), 0);
}

#[test]
fn a_file_that_is_not_there_is_one_sentence() {
    let faults = load(Some(Path::new("no/such.toml"))).expect_err("is not there");
    assert!(faults[0].to_string().starts_with("no/such.toml: can't be read"), "{}", faults[0]);
}

#[test]
fn the_demo_listens_on_loopback_only_and_admits_it() {
    let demo = demo();
    assert!(demo.sip.listen.iter().all(|(_, a)| a.ip().is_loopback() && a.port() == 0));
    assert!(demo.control.listen.ip().is_loopback());
    assert_eq!((demo.peers[0].name.as_str(), demo.peers[0].networks.len()), ("Demo", 2));
}

#[test]
fn the_demos_file_says_what_the_demo_is() {
    let (settings, warnings) = loaded(include_str!("../../assets/demo.toml"));
    let demo = demo();
    assert_eq!(settings, Settings { store: crate::model::settings::Store { is_default: false, ..demo.store.clone() }, ..demo });
    assert!(warnings.is_empty());
}

#[test]
fn a_network_says_what_is_wrong_with_it() {
    let fault = |network: &str| only_fault(&format!("[[peers]]\nname = \"a\"\nnetworks = [\"{network}\"]\n"));
    assert!(fault("10.4.300.0/24").ends_with("networks[0]: 300 is not a valid octet: 0 to 255"), "{}", fault("10.4.300.0/24"));
    assert!(fault("10.4.0.0/33").contains("has 32 bits, not 33"));
    assert!(fault("lab").contains("such as 10.4.0.0/16"));
}

#[test]
fn the_demo_script_ends_by_1_by_0_and_by_silence() {
    let script = script::demo();
    let task = script.task(Some("anything")).expect("serves any task");
    let ends: Vec<(&Trigger, &str)> = task.ends.iter().map(|e| (&e.on, e.outcome.wire())).collect();
    assert_eq!(ends, [(&Trigger::Dtmf('1'), "SYSTEM"), (&Trigger::Dtmf('0'), "AGENT"), (&Trigger::SilenceSecs(20.0), "SYSTEM")]);
    assert_eq!(task.ends[0].transfer.keys().collect::<Vec<_>>(), ["next_action", "callback_window"]);
    assert!(matches!(&task.play, Some(Play::Wav(prompt)) if prompt.samples.len() > 8_000));
}
