//! The real window on a display of its own: it opens, and F5 places a test call that comes back.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::support::{free_port, http, program, until};

/// A child that ends with the test.
struct Ending(Child);

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_window_opens_and_f5_places_a_test_call_that_comes_back() {
    // `-displayfd 1`: it takes a free display and prints its number once it is ready.
    let mut xvfb = program("Xvfb")
        .args(["-displayfd", "1", "-screen", "0", "1440x900x24", "-nolisten", "tcp"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut number = String::new();
    BufReader::new(xvfb.stdout.take().unwrap()).read_line(&mut number).unwrap();
    let _xvfb = Ending(xvfb);
    let display = format!(":{}", number.trim());

    let folder = tempfile::tempdir().unwrap();
    let control = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let settings = folder.path().join("handback.toml");
    let text = format!(
        "[sip]\nlisten = [\"udp:127.0.0.1:0\", \"tcp:127.0.0.1:0\"]\n[control]\nlisten = \"{control}\"\n\
         [[peers]]\nname = \"loopback\"\nnetworks = [\"127.0.0.0/8\"]\n[peers.return]\nmethod = \"REFER\"\n"
    );
    fs::write(&settings, text).unwrap();
    let window = Command::new(env!("CARGO_BIN_EXE_handback"))
        .arg("--config")
        .arg(&settings)
        .env("DISPLAY", &display)
        .env_remove("WAYLAND_DISPLAY")
        .env("LIBGL_ALWAYS_SOFTWARE", "1")
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let _window = Ending(window);

    let xdotool = |arguments: &[&str]| program("xdotool").args(arguments).env("DISPLAY", &display).output().unwrap();
    let id = until("the window is there", || {
        let found = xdotool(&["search", "--onlyvisible", "--name", "Handback"]);
        String::from_utf8_lossy(&found.stdout).lines().next().map(str::to_owned)
    });
    let calls = || -> Vec<Value> {
        let answer: Value = serde_json::from_slice(&http::get(control, "/v1/calls").body).unwrap();
        answer.as_array().or_else(|| answer["calls"].as_array()).cloned().unwrap_or_default()
    };
    // The first key may come before the first frame: press until a call is there.
    until("F5 places a call", || {
        if calls().is_empty() {
            xdotool(&["windowfocus", "--sync", &id, "key", "F5"]);
        }
        (!calls().is_empty()).then_some(())
    });
    let call = until("the call came back", || calls().into_iter().find(|call| call["state"] == "returned"));
    assert_eq!(call["test_call"], true, "{call:#}");
}
