//! Both ends of many calls in one place: a small SIP caller and agent on one UDP socket each, just enough to set calls up.

use std::{
    net::{SocketAddr, UdpSocket},
    ops::Range,
    time::{Duration, Instant},
};

/// Where the relay took the media of one call: the caller sends to `for_caller`, the agent to `for_agent`.
#[derive(Debug, Clone, Copy)]
pub struct Anchored {
    pub for_caller: SocketAddr,
    pub for_agent: SocketAddr,
}

pub struct Ends {
    caller: UdpSocket,
    agent: UdpSocket,
    /// Where the ends receive media.
    pub caller_media: SocketAddr,
    pub agent_media: SocketAddr,
}

impl Ends {
    pub fn new(caller_media: SocketAddr, agent_media: SocketAddr) -> Self {
        let socket = || {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            socket.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
            socket
        };
        Self { caller: socket(), agent: socket(), caller_media, agent_media }
    }

    pub fn agent_port(&self) -> u16 {
        self.agent.local_addr().unwrap().port()
    }

    /// Sets these calls up through `bridge`, one after the other; they stay until the bridge's process ends.
    pub fn call(&self, bridge: SocketAddr, numbers: Range<usize>) -> Vec<Anchored> {
        numbers.map(|number| self.call_once(bridge, number)).collect()
    }

    fn call_once(&self, bridge: SocketAddr, number: usize) -> Anchored {
        let me = self.caller.local_addr().unwrap();
        let head = |method: &str, cseq: &str, to_tag: &str| {
            format!(
                "{method} sip:bridge@{bridge} SIP/2.0\r\nVia: SIP/2.0/UDP {me};branch=z9hG4bK-{method}-{number}\r\nMax-Forwards: 70\r\n\
                 From: <sip:caller@{me}>;tag=c{number}\r\nTo: <sip:bridge@{bridge}>{to_tag}\r\nCall-ID: whole-{number}@{me}\r\nCSeq: {cseq}\r\n\
                 Contact: <sip:caller@{me}>\r\nX-GA-taskName: bench\r\nX-GA-extConversationId: whole-{number}\r\n"
            )
        };
        let offer = sdp(self.caller_media);
        let invite =
            format!("{}Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{offer}", head("INVITE", "1 INVITE", ""), offer.len());
        self.caller.send_to(invite.as_bytes(), bridge).unwrap();
        let patience_ends = Instant::now() + Duration::from_secs(10);
        let mut for_agent = None;
        let mut buffer = [0; 4096];
        loop {
            assert!(Instant::now() < patience_ends, "call {number} was never answered");
            if let Ok((length, from)) = self.agent.recv_from(&mut buffer) {
                let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
                if text.starts_with("INVITE ") {
                    for_agent = media_address(&text);
                    self.agent.send_to(self.answer(&text).as_bytes(), from).unwrap();
                }
            }
            if let Ok((length, _)) = self.caller.recv_from(&mut buffer) {
                let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
                if !text.contains(&format!("Call-ID: whole-{number}@")) {
                    continue;
                }
                let code = text.split(' ').nth(1).unwrap_or_default();
                assert!(code.starts_with(['1', '2']), "call {number}: {text}");
                if code == "200" {
                    let to_tag = header(&text, "To").split_once(";tag=").map(|(_, tag)| format!(";tag={tag}")).unwrap_or_default();
                    let ack = format!("{}Content-Length: 0\r\n\r\n", head("ACK", "1 ACK", &to_tag));
                    self.caller.send_to(ack.as_bytes(), bridge).unwrap();
                    // A scripted agent needs no agent leg.
                    let for_caller = media_address(&text).expect("an answer");
                    return Anchored { for_caller, for_agent: for_agent.unwrap_or(for_caller) };
                }
            }
        }
    }

    fn answer(&self, invite: &str) -> String {
        let me = self.agent.local_addr().unwrap();
        let mut text = String::from("SIP/2.0 200 OK\r\n");
        for line in invite.lines().take_while(|line| !line.is_empty()) {
            let name = line.split(':').next().unwrap_or_default();
            match name {
                "Via" | "From" | "Call-ID" | "CSeq" | "Record-Route" => text += &format!("{line}\r\n"),
                "To" => text += &format!("{line};tag=agent\r\n"),
                _ => {}
            }
        }
        let answer = sdp(self.agent_media);
        text + &format!("Contact: <sip:agent@{me}>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{answer}", answer.len())
    }
}

pub fn sdp(media: SocketAddr) -> String {
    let (ip, port) = (media.ip(), media.port());
    format!("v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n")
}

/// The address in `c=` and the port in `m=`.
pub fn media_address(text: &str) -> Option<SocketAddr> {
    let after = |start: &str| text.lines().find_map(|line| line.strip_prefix(start));
    let ip = after("c=IN IP4 ")?.trim().parse().ok()?;
    let port = after("m=audio ")?.split(' ').next()?.parse().ok()?;
    Some(SocketAddr::new(ip, port))
}

fn header<'a>(text: &'a str, name: &str) -> &'a str {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap_or_default()
}
