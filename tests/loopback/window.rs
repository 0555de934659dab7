//! The real window on a display of its own: F5 places a test call that comes back, as Settings say.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{http, program, until};

/// A child that ends with the test.
struct Ending(Child);

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The window on a display of its own, in an account of its own: with no settings file, so the demo.
struct Window {
    display: String,
    id: String,
    control: SocketAddr,
    folder: TempDir,
    _window: Ending,
    _xvfb: Ending,
}

impl Window {
    fn open() -> Self {
        // `-displayfd 1`: it takes a free display and prints its number once it is ready.
        let mut xvfb = program("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1440x900x24", "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut number = String::new();
        BufReader::new(xvfb.stdout.take().unwrap()).read_line(&mut number).unwrap();
        let xvfb = Ending(xvfb);
        let display = format!(":{}", number.trim());
        let folder = tempfile::tempdir().unwrap();
        let window = Command::new(env!("CARGO_BIN_EXE_handback"))
            .env("DISPLAY", &display)
            .env("XDG_CONFIG_HOME", folder.path())
            .env("XDG_STATE_HOME", folder.path())
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .env_remove("WAYLAND_DISPLAY")
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let window = Ending(window);
        let control = until("the control API listens", || control_of(window.0.id()));
        let id = until("the window is there", || {
            let found =
                program("xdotool").args(["search", "--onlyvisible", "--name", "Handback"]).env("DISPLAY", &display).output().unwrap();
            String::from_utf8_lossy(&found.stdout).lines().next().map(str::to_owned)
        });
        Self { display, id, control, folder, _window: window, _xvfb: xvfb }
    }

    fn xdotool(&self, arguments: &[&str]) {
        program("xdotool").args(arguments).env("DISPLAY", &self.display).output().unwrap();
    }

    fn presses(&self, key: &str) {
        self.xdotool(&["windowfocus", "--sync", &self.id, "key", key]);
    }

    fn clicks(&self, x: u32, y: u32) {
        self.xdotool(&["mousemove", &x.to_string(), &y.to_string(), "click", "1"]);
    }

    fn calls(&self) -> Vec<Value> {
        let answer: Value = serde_json::from_slice(&http::get(self.control, "/v1/calls").body).unwrap();
        answer.as_array().or_else(|| answer["calls"].as_array()).cloned().unwrap_or_default()
    }

    /// By F5, once it came back.
    fn places_a_call(&self) -> Value {
        // The first key may come before the first frame: press until a call is there.
        until("F5 places a call", || {
            if self.calls().is_empty() {
                self.presses("F5");
            }
            (!self.calls().is_empty()).then_some(())
        });
        until("the call came back", || self.calls().into_iter().find(|call| call["state"] == "returned"))
    }
}

#[test]
fn the_window_opens_and_f5_places_a_test_call_that_comes_back() {
    let call = Window::open().places_a_call();
    assert_eq!(call["returns"][0]["method"], "REFER", "{call:#}");
}

#[test]
fn a_return_method_that_is_saved_in_settings_is_in_force_for_the_next_call() {
    let window = Window::open();
    window.xdotool(&["windowmove", "--sync", &window.id, "0", "0", "windowsize", "--sync", &window.id, "1440", "900"]);
    let file = window.folder.path().join("handback").join("handback.toml");
    until("INVITE is saved", || {
        // Settings, its page Return, the card INVITE: where they stand at this size.
        for (x, y) in [(30, 817), (150, 141), (520, 190)] {
            window.clicks(x, y);
            window.presses("Shift_L");
        }
        window.presses("ctrl+s");
        fs::read_to_string(&file).ok().filter(|text| text.contains("method   = \"INVITE\""))
    });
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("# Handback's demo"), "its comments stay: {text}");
    let call = window.places_a_call();
    assert_eq!(call["returns"][0]["method"], "INVITE", "{call:#}");
}

/// Where this process accepts TCP and has no UDP socket at the same port (SIP has both), and answers as the control API does:
/// the call transfers API is there, too.
fn control_of(pid: u32) -> Option<SocketAddr> {
    let sockets: Vec<String> = fs::read_dir(format!("/proc/{pid}/fd"))
        .ok()?
        .filter_map(|entry| {
            Some(fs::read_link(entry.ok()?.path()).ok()?.to_string_lossy().strip_prefix("socket:[")?.trim_end_matches(']').to_owned())
        })
        .collect();
    let ports = |table: &str, state: &str| -> Vec<u16> {
        let table = fs::read_to_string(table).unwrap_or_default();
        let rows = table.lines().skip(1).map(|row| row.split_whitespace().collect::<Vec<_>>());
        let ours = rows.filter(|row| row[3] == state && sockets.iter().any(|inode| inode == row[9]));
        ours.filter_map(|row| u16::from_str_radix(row[1].split_once(':')?.1, 16).ok()).collect()
    };
    let udp = ports("/proc/net/udp", "07");
    let tcp_alone = ports("/proc/net/tcp", "0A").into_iter().filter(|port| !udp.is_empty() && !udp.contains(port));
    tcp_alone.map(|port| ([127, 0, 0, 1], port).into()).find(|address| http::get(*address, "/healthz").status == 200)
}
