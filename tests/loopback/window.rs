//! The real window on a display of its own: it opens, and F5 places a test call that comes back.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::support::{http, program, until};

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

    // No settings file: the demo.
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
    assert_eq!(call["returns"][0]["method"], "REFER", "{call:#}");
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
