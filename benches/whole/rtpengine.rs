//! rtpengine in userspace, driven over its `ng` protocol: bencode in UDP datagrams.

use std::{
    net::{SocketAddr, UdpSocket},
    process::{Command, Stdio},
    time::Duration,
};

use crate::{
    ends::{Anchored, media_address, sdp},
    process::{Running, free_port, until_listening},
};

pub struct Rtpengine {
    pub process: Running,
    control: UdpSocket,
}

impl Rtpengine {
    pub fn start() -> Self {
        let port = free_port();
        let process = Running::start(
            Command::new("rtpengine")
                .args([
                    "--foreground",
                    "--table=-1",
                    "--interface=127.0.0.1",
                    "--log-stderr",
                    "--log-level=3",
                    "--port-min=30000",
                    "--port-max=39999",
                ])
                .arg(format!("--listen-ng=127.0.0.1:{port}"))
                .stdout(Stdio::null())
                .stderr(Stdio::null()),
        );
        until_listening(port);
        let control = UdpSocket::bind("127.0.0.1:0").unwrap();
        control.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        control.connect(("127.0.0.1", port)).unwrap();
        Self { process, control }
    }

    /// One call: an offer from the caller, an answer from the agent.
    pub fn call(&self, number: usize, caller: SocketAddr, agent: SocketAddr) -> Anchored {
        let call_id = format!("whole-{number}");
        let offer = [("command", "offer"), ("call-id", &call_id), ("from-tag", "caller"), ("ICE", "remove"), ("sdp", &sdp(caller))];
        let for_agent = self.ask(number, &offer);
        let answer = [
            ("command", "answer"),
            ("call-id", &call_id),
            ("from-tag", "caller"),
            ("to-tag", "agent"),
            ("ICE", "remove"),
            ("sdp", &sdp(agent)),
        ];
        let for_caller = self.ask(number, &answer);
        Anchored { for_caller, for_agent }
    }

    fn ask(&self, number: usize, question: &[(&str, &str)]) -> SocketAddr {
        let mut sorted = question.to_vec();
        sorted.sort_unstable();
        let mut text = format!("{number}_{} d", question[0].1);
        for part in sorted.iter().flat_map(|(name, value)| [name, value]) {
            text += &format!("{}:{part}", part.len());
        }
        text.push('e');
        self.control.send(text.as_bytes()).unwrap();
        let mut buffer = [0; 4096];
        let length = self.control.recv(&mut buffer).expect("rtpengine answers");
        let reply = String::from_utf8_lossy(&buffer[..length]).into_owned();
        media_address(&reply).unwrap_or_else(|| panic!("rtpengine says {reply}"))
    }
}
