//! Offers that are odd, broken or hostile, sent by SIPp, and what the bridge answers; and sound that fits no offer at all.

use std::net::UdpSocket;

use serde_json::Value;

use crate::support::{
    bridge::{AGENT_THAT_PLAYS_A_TONE, Bridge},
    sipp::Sipp,
    until,
};

const BY_BYE: &str = "[[peers]]\nname = \"loopback\"\nnetworks = [\"127.0.0.0/8\"]\n[peers.return]\nmethod = \"BYE\"\n";
const ALL_CODECS: &str = "[media]\naddress = \"127.0.0.1\"\ncodecs = [\"opus\", \"G722\", \"PCMU\", \"PCMA\"]\n";

fn bridge(more: &str) -> Bridge {
    Bridge::start_with(ALL_CODECS, &format!("{BY_BYE}{AGENT_THAT_PLAYS_A_TONE}{more}"))
}

/// Lines from `m=` on, after what every offer begins with.
fn sdp(version: usize, lines: &str) -> String {
    format!("v=0\no=sipp 1 {version} IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\n{lines}")
}

/// A caller that offers these one after the other and gets these answers; `ends`: it hangs up, or waits to be hung up on.
fn scenario(offers: &[(String, u16)], ends: bool) -> String {
    let request = |method: &str, cseq: usize, body: &str| {
        let target = if cseq == 1 { "sip:bridge@[remote_ip]:[remote_port]" } else { "[next_url]" };
        let to = if cseq == 1 { "" } else { "[peer_tag_param]" };
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\n" };
        format!(
            "{method} {target} SIP/2.0\nVia: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]\nMax-Forwards: 70\n\
             From: <sip:sipp@[local_ip]:[local_port]>;tag=[call_number]\nTo: <sip:bridge@[remote_ip]:[remote_port]>{to}\n\
             Call-ID: [call_id]\nCSeq: {cseq} {method}\nContact: <sip:sipp@[local_ip]:[local_port]>\nX-GA-taskName: billing\n\
             {kind}Content-Length: [len]\n\n{body}"
        )
    };
    let send = |how: &str, text: &str| format!("<send{how}><![CDATA[\n\n{text}\n]]></send>\n");
    let mut xml = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\" ?>\n<scenario name=\"offers\">\n".to_owned();
    let mut up = false;
    for (n, (offer, code)) in offers.iter().enumerate() {
        xml += &send(" retrans=\"500\"", &request("INVITE", n + 1, offer));
        xml += "<recv response=\"100\" optional=\"true\"/>\n<recv response=\"180\" optional=\"true\"/>\n";
        xml += &format!("<recv response=\"{code}\" rrs=\"true\"/>\n");
        let target = if *code == 200 { "[next_url]" } else { "sip:bridge@[remote_ip]:[remote_port]" };
        // A refusal is acknowledged in its own transaction (RFC 3261 §17.1.1.3).
        let branch = if *code == 200 { "[branch]" } else { "[branch-4]" };
        let ack = format!(
            "ACK {target} SIP/2.0\nVia: SIP/2.0/UDP [local_ip]:[local_port];branch={branch}\nMax-Forwards: 70\n\
             From: <sip:sipp@[local_ip]:[local_port]>;tag=[call_number]\nTo: <sip:bridge@[remote_ip]:[remote_port]>[peer_tag_param]\n\
             Call-ID: [call_id]\nCSeq: {} ACK\nContent-Length: 0\n\n",
            n + 1
        );
        xml += &send("", &ack);
        up |= *code == 200;
    }
    if up && ends {
        xml += &send(" retrans=\"500\"", &request("BYE", offers.len() + 1, ""));
        xml += "<recv response=\"200\"/>\n";
    } else if up {
        let ok = "SIP/2.0 200 OK\n[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\nContent-Length: 0\n\n";
        xml += &format!("<recv request=\"BYE\"/>\n{}", send("", ok));
    }
    xml + "</scenario>\n"
}

/// The lines of each description that came with a 200, from `m=` on.
fn answers(trace: &str) -> Vec<Vec<String>> {
    let received = trace.split("----------------------------------------------- ").filter(|part| part.contains(" message received"));
    let answers = received.filter(|part| part.contains("SIP/2.0 200") && part.contains(" INVITE"));
    answers.map(|part| part.lines().map(str::trim).skip_while(|line| !line.starts_with("m=")).map(str::to_owned).collect()).collect()
}

const OPUS: &str = "a=rtpmap:111 opus/48000/2\n";

#[test]
fn odd_offers_get_the_answer_that_fits_them() {
    let bridge = bridge("");
    let many = "m=audio 6000 RTP/AVP 96 97 98 99 18 4 3 13 9 8 0 101\na=rtpmap:96 AMR-WB/16000\na=fmtp:96 octet-align=1\n\
                a=rtpmap:97 iLBC/8000\na=rtpmap:98 speex/16000\na=rtpmap:99 EVS/16000\na=rtpmap:101 telephone-event/8000\n";
    let attributes: String = (0..600).map(|n| format!("a=x-{n}:1\n")).collect();
    let sections = "m=audio 6000 RTP/AVP 0\n".repeat(40);
    let opus = |more: &str| format!("m=audio 6000 RTP/AVP 111\n{OPUS}{more}");
    let cases: Vec<(&str, String, u16, &[&str])> = vec![
        ("the first that we know of many", many.to_owned(), 200, &["RTP/AVP 9 101", "a=rtpmap:9 G722/8000"]),
        (
            "stereo and a narrow ear",
            opus("a=fmtp:111 stereo=1;sprop-stereo=1;maxplaybackrate=16000\n"),
            200,
            &["RTP/AVP 111", "opus/48000/2"],
        ),
        (
            "parameters that make no sense",
            opus("a=fmtp:111 ;;;=;useinbandfec=;maxaveragebitrate=99999999999;maxplaybackrate=-1;cbr\na=fmtp:77 x\na=fmtp\n"),
            200,
            &["RTP/AVP 111"],
        ),
        ("Opus without its channels", "m=audio 6000 RTP/AVP 96\na=rtpmap:96 OPUS/48000\n".into(), 200, &["RTP/AVP 96", "opus/48000/2"]),
        ("packets of 10 ms", opus("a=ptime:10\n"), 200, &["a=ptime:10"]),
        ("packets of 40 ms", opus("a=ptime:40\n"), 200, &["a=ptime:40"]),
        ("packets of 60 ms", "m=audio 6000 RTP/AVP 8\na=ptime:60\n".into(), 200, &["RTP/AVP 8", "a=ptime:60"]),
        ("packets of no length", "m=audio 6000 RTP/AVP 0\na=ptime:0\n".into(), 200, &["a=ptime:20"]),
        ("packets of a second", "m=audio 6000 RTP/AVP 0\na=ptime:1000\na=maxptime:10\n".into(), 200, &["a=ptime:10"]),
        (
            "one number for two things",
            "m=audio 6000 RTP/AVP 96\na=rtpmap:96 opus/48000/2\na=rtpmap:96 telephone-event/48000\n".into(),
            200,
            &["RTP/AVP 96", "opus/48000/2"],
        ),
        ("a number that RTCP has", "m=audio 6000 RTP/AVP 72 0\na=rtpmap:72 opus/48000/2\n".into(), 200, &["RTP/AVP 0"]),
        ("G.722 by its sampling rate", "m=audio 6000 RTP/AVP 96 0\na=rtpmap:96 G722/16000\n".into(), 200, &["RTP/AVP 0"]),
        ("numbers that are none", "m=audio 6000 RTP/AVP 200 abc -1 999999 0\n".into(), 200, &["RTP/AVP 0"]),
        ("comfort noise", "m=audio 6000 RTP/AVP 13 0\na=rtpmap:13 CN/8000\n".into(), 200, &["RTP/AVP 0"]),
        ("the same again and again", "m=audio 6000 RTP/AVP 8 8 8 8 0 0 8\n".into(), 200, &["RTP/AVP 8"]),
        ("RTCP on the same port", "m=audio 6000 RTP/AVP 0\na=rtcp-mux\na=rtcp:6000\n".into(), 200, &["RTP/AVP 0"]),
        ("none that we know", "m=audio 6000 RTP/AVP 18 4\n".into(), 488, &[]),
        ("G.722 by its sampling rate alone", "m=audio 6000 RTP/AVP 96\na=rtpmap:96 G722/16000\n".into(), 488, &[]),
        ("no format at all", "m=audio 6000 RTP/AVP\n".into(), 488, &[]),
        ("encrypted only", "m=audio 6000 RTP/SAVP 0\n".into(), 488, &[]),
        ("more attributes than anybody needs", format!("m=audio 6000 RTP/AVP 0\n{attributes}"), 513, &[]),
        ("more streams than anybody needs", sections, 513, &[]),
        ("a line that is none", "m=audio 6000 RTP/AVP 0\nrubbish\n".into(), 400, &[]),
    ];
    for (what, lines, code, wanted) in cases {
        let trace = Sipp::caller_with(&scenario(&[(sdp(1, &lines), code)], true), bridge.udp).arg("-max_socket").arg("64").plays();
        let answers = answers(&trace);
        if code != 200 {
            assert!(answers.is_empty(), "{what}: {answers:?}");
            continue;
        }
        let answer = answers.first().unwrap_or_else(|| panic!("{what}: no answer in\n{trace}"));
        for wanted in wanted {
            let found =
                if wanted.starts_with("RTP") { answer[0].ends_with(wanted) } else { answer.iter().any(|line| line.contains(wanted)) };
            assert!(found, "{what}: no {wanted} in {answer:#?}");
        }
        assert!(!answer.iter().any(|line| line.contains("rtcp-mux")), "{what}: nobody said so");
    }
    until("all calls are over", || bridge.calls().iter().all(|call| !call["ended"].is_null()).then_some(()));
    let (code, log) = bridge.stop();
    assert!(code == Some(0) && !log.contains("panicked"), "{log}");
}

#[test]
fn numbers_and_codecs_may_change_in_mid_call_and_a_bad_offer_changes_nothing() {
    let bridge = bridge("");
    let offers = [
        (sdp(1, &format!("m=audio 6000 RTP/AVP 111 101\n{OPUS}a=rtpmap:101 telephone-event/8000\n")), 200),
        (sdp(2, "m=audio 6000 RTP/AVP 101 96\na=rtpmap:101 opus/48000/2\na=rtpmap:96 telephone-event/48000\n"), 200),
        (sdp(3, "m=audio 6000 RTP/AVP 18\n"), 488),
        (sdp(4, "m=audio 6000 RTP/AVP 8 96\na=rtpmap:96 telephone-event/8000\na=sendonly\n"), 200),
        (sdp(5, "m=audio 6000 RTP/AVP 9\n"), 200),
    ];
    let trace = Sipp::caller_with(&scenario(&offers, true), bridge.udp).plays();
    let lines: Vec<String> = answers(&trace).iter().map(|answer| answer[0].split_once("RTP/AVP ").unwrap().1.to_owned()).collect();
    assert_eq!(lines, ["111 101", "101 96", "8 96", "9"]);
    let call = bridge.only_call_when_over();
    assert!(call["findings"].as_array().is_none_or(|all| all.iter().all(|finding| finding["rule"] != "media-command-refused")), "{call:#}");
}

/// RTP as a test makes it.
struct Sound {
    socket: UdpSocket,
    to: u16,
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
}

impl Sound {
    fn sends(&mut self, pt: u8, payload: &[u8], units: u32) {
        let mut packet = vec![0x80, pt];
        packet.extend(self.sequence.to_be_bytes());
        packet.extend(self.timestamp.to_be_bytes());
        packet.extend(self.ssrc.to_be_bytes());
        packet.extend(payload);
        self.socket.send_to(&packet, ("127.0.0.1", self.to)).unwrap();
        (self.sequence, self.timestamp) = (self.sequence.wrapping_add(1), self.timestamp.wrapping_add(units));
    }

    /// Everything that no peer should send.
    fn misbehaves(&mut self, pt: u8) {
        let mut state = 0x1234_5678u32;
        let mut random = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as u8
        };
        for n in 0..600u32 {
            let noise: Vec<u8> = (0..[0, 1, 2, 40, 160, 480, 1_400, 4_000][n as usize % 8]).map(|_| random()).collect();
            match n % 10 {
                0 => self.sends(77, &noise, 160),
                1 => self.sends(13, &[0x40], 160),
                2 => self.sends(pt, &[], 0),
                3 => self.timestamp = self.timestamp.wrapping_add(0x7fff_0000),
                4 => self.sequence = self.sequence.wrapping_add(30_000),
                5 => self.ssrc = self.ssrc.wrapping_mul(31),
                6 => self.sends(101, &noise, 0),
                7 => self.sequence = 65_530,
                _ => {}
            }
            self.sends(pt, &noise, 160);
            // RTCP where RTP belongs, and compounds that are cut, nested or lie about their length.
            for rtcp in
                [&[0x81, 200, 0xff, 0xff][..], &[0x81, 201, 0, 7, 0, 0, 0, 1, 0x81, 202], &[0xbf, 203, 0, 0], &[0x80, 210, 0, 0], &noise]
            {
                self.socket.send_to(rtcp, ("127.0.0.1", self.to + u16::from(n % 2 == 0))).unwrap();
            }
        }
    }
}

/// The port that the bridge named in its answer.
fn rtp_port(messages: &[Value]) -> Option<u16> {
    let all: Vec<String> = messages.iter().filter_map(|message| message["raw"].as_str().map(str::to_owned)).collect();
    let answer = all.iter().find(|text| text.starts_with("SIP/2.0 200") && text.contains("m=audio "))?;
    answer.split_once("m=audio ")?.1.split(' ').next()?.parse().ok()
}

#[test]
fn sound_that_fits_no_offer_harms_neither_the_call_nor_its_recording() {
    for (pt, map) in [(0, ""), (9, ""), (111, OPUS)] {
        let mut bridge = bridge("[recording]\nwhen = \"always\"\nfolder = \"kept\"\n");
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let offer = sdp(1, &format!("m=audio {port} RTP/AVP {pt} 101\n{map}a=rtpmap:101 telephone-event/8000\n"));
        let caller = Sipp::caller_with(&scenario(&[(offer, 200)], false), bridge.udp).start();
        let call = bridge.only_call_in_state("with_agent");
        let to = until("the answer is captured", || rtp_port(&bridge.messages(&call)));
        let mut sound = Sound { socket, to, sequence: 1, timestamp: 1, ssrc: 1 };
        sound.misbehaves(pt);
        let id = call["id"].as_str().unwrap();
        assert_eq!(bridge.call(id)["state"], "with_agent", "payload type {pt}");
        // It is still a call: a key ends it.
        let key = |end: u8| [1, end | 10, 0x03, 0x20];
        until("the key is heard", || {
            (sound.ssrc, sound.timestamp) = (7, sound.timestamp.wrapping_add(8_000));
            for end in [0, 0, 0x80, 0x80] {
                sound.sends(101, &key(end), 0);
            }
            (!bridge.call(id)["ended"].is_null()).then_some(())
        });
        caller.ends_well();
        let over = bridge.only_call_when_over();
        let (talk_us, wav) =
            (over["ended_at"].as_u64().unwrap() - over["answered_at"].as_u64().unwrap(), format!("/v1/calls/{id}/recording.wav"));
        until("its recording is as long as it", || {
            let reader = hound::WavReader::new(std::io::Cursor::new(bridge.bytes(&wav))).ok()?;
            let secs = f64::from(reader.duration()) / f64::from(reader.spec().sample_rate);
            ((secs - talk_us as f64 / 1e6).abs() <= 0.020).then_some(())
        });
        assert!(bridge.is_alive());
        let (code, log) = bridge.stop();
        assert!(code == Some(0) && !log.contains("panicked"), "{log}");
    }
}
