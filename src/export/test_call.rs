//! A test call for others to repeat: as a `handback call` line, and as a scenario of SIPp.

use std::fmt::Write as _;

use crate::model::{AudioSource, OnReturn, ReturnMethod, TestCall};

/// The line for a shell. A password is never in it: the file that holds it is named.
pub fn command_line(call: &TestCall, own_bridge: &str) -> String {
    let mut line = "handback call".to_owned();
    let mut word = |text: &str| {
        line.push(' ');
        line.push_str(&shell_word(text));
    };
    let uri = call.uri.trim();
    word(if uri.is_empty() { own_bridge } else { uri });
    let mut option = |name: &str, value: Option<&str>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            word(name);
            word(value);
        }
    };
    option("--task", call.task.as_deref());
    option("--conversation", call.conversation.as_deref());
    option("--customer", call.customer.as_deref());
    for (name, value) in &call.iv {
        option("--iv", Some(&format!("{name}={value}")));
    }
    for header in &call.headers {
        option("--header", Some(header));
    }
    option("--call-transfer-id", call.call_transfer_id.as_deref());
    option("--from", call.from.as_deref());
    option("--user", call.user.as_deref());
    option("--password-file", call.password.as_ref().map(|_| "PASSWORD_FILE"));
    option("--transport", call.transport.map(|transport| transport.name()));
    match &call.audio {
        AudioSource::Tone => {}
        AudioSource::Microphone => option("--audio", Some("mic")),
        AudioSource::Silence => option("--audio", Some("silence")),
        AudioSource::File(path) => option("--audio", path.to_str()),
    }
    option("--dtmf", call.dtmf.as_deref());
    option("--dtmf-after", call.dtmf.as_ref().map(|_| format!("{}s", call.dtmf_after_secs)).as_deref());
    option("--hang-up-after", call.hang_up_after_secs.map(|secs| format!("{secs}s")).as_deref());
    let on_return = match call.on_return {
        OnReturn::Accept => None,
        OnReturn::Refuse => Some("refuse"),
        OnReturn::Ignore => Some("ignore"),
        OnReturn::AcceptThenFail => Some("accept-then-fail"),
    };
    option("--on-return", on_return);
    line
}

/// A scenario that sends the same INVITE, answers a challenge where there is a user, and takes the return by `method`.
///
/// To be run as `sipp -sf FILE -m 1 HOST:PORT`, with `-au USER -ap PASSWORD` where it is challenged, and `-t t1` where
/// the call goes by TCP.
pub fn sipp_scenario(invite: &str, call: &TestCall, method: ReturnMethod) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<!DOCTYPE scenario SYSTEM \"sipp.dtd\">\n");
    out.push_str("<scenario name=\"handed over with context\">\n");
    send(&mut out, &as_template(invite, 1, false), true);
    if call.user.is_some() {
        out.push_str("  <recv response=\"100\" optional=\"true\"/>\n  <recv response=\"401\" auth=\"true\"/>\n");
        send(&mut out, &acknowledged(start_uri(invite), "", invite, 1), false);
        send(&mut out, &as_template(invite, 2, true), true);
    }
    for code in [100, 180, 183] {
        let _ = writeln!(out, "  <recv response=\"{code}\" optional=\"true\"/>");
    }
    let cseq = if call.user.is_some() { 2 } else { 1 };
    out.push_str("  <recv response=\"200\" rrs=\"true\"/>\n");
    send(&mut out, &acknowledged("[next_url]", "[routes]\n", invite, cseq), false);
    if let (ReturnMethod::Refer, OnReturn::Refuse) = (method, call.on_return) {
        out.push_str("  <recv request=\"REFER\"/>\n");
        send(&mut out, &answer("603 Decline", ""), false);
    } else if method == ReturnMethod::Refer {
        out.push_str("  <recv request=\"REFER\"/>\n");
        send(&mut out, &answer("202 Accepted", CONTACT), false);
        if call.on_return != OnReturn::Ignore {
            send(&mut out, &notify(invite, cseq + 1, "active;expires=60", "SIP/2.0 100 Trying"), true);
            out.push_str("  <recv response=\"200\"/>\n");
            let last = if call.on_return == OnReturn::AcceptThenFail { "SIP/2.0 503 Service Unavailable" } else { "SIP/2.0 200 OK" };
            send(&mut out, &notify(invite, cseq + 2, "terminated;reason=noresource", last), true);
            out.push_str("  <recv response=\"200\"/>\n");
        }
    }
    out.push_str("  <recv request=\"BYE\"/>\n");
    send(&mut out, &answer("200 OK", ""), false);
    out.push_str("</scenario>\n");
    out
}

fn send(out: &mut String, message: &str, retransmitted: bool) {
    let _ = write!(
        out,
        "  <send{}>\n<![CDATA[\n\n{}\n]]>\n  </send>\n",
        if retransmitted { " retrans=\"500\"" } else { "" },
        message.trim_end()
    );
    // SIPp tells header from body by an empty line, which a message with no body ends with.
    if !message.contains("Content-Type") {
        out.truncate(out.len() - "]]>\n  </send>\n".len());
        out.push_str("\n]]>\n  </send>\n");
    }
}

/// The INVITE with what SIPp fills in at each call.
fn as_template(invite: &str, cseq: u32, authenticated: bool) -> String {
    let mut out = String::new();
    let (head, body) = invite.split_once("\r\n\r\n").unwrap_or((invite, ""));
    for line in head.lines() {
        let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
        let line = match name.as_str() {
            "via" => VIA.to_owned(),
            "from" => tagged_from(line),
            "call-id" => "Call-ID: [call_id]".to_owned(),
            "cseq" => format!("CSeq: {cseq} INVITE"),
            "contact" => CONTACT.to_owned(),
            "content-length" => "Content-Length: [len]".to_owned(),
            _ => literal(line),
        };
        out.push_str(&line);
        out.push('\n');
    }
    if authenticated {
        out.push_str("[authentication]\n");
    }
    out.push('\n');
    for line in body.lines() {
        let line = match line {
            o if o.starts_with("o=") => "o=- 1 1 IN IP[local_ip_type] [local_ip]".to_owned(),
            c if c.starts_with("c=") => "c=IN IP[media_ip_type] [media_ip]".to_owned(),
            m if m.starts_with("m=audio") => m.split(' ').enumerate().fold(String::new(), |mut out, (at, word)| {
                out.push_str(if at > 0 { " " } else { "" });
                out.push_str(if at == 1 { "[media_port]" } else { word });
                out
            }),
            rtcp if rtcp.starts_with("a=rtcp:") => continue,
            line => literal(line),
        };
        out.push_str(&line);
        out.push('\n');
    }
    out
}

/// `From` with the tag that SIPp makes.
fn tagged_from(line: &str) -> String {
    let without = line.find(";tag=").map_or(line, |at| line.get(..at).unwrap_or(line));
    format!("{};tag=[pid]handback[call_number]", literal(without))
}

/// A bracket begins a keyword of SIPp, `\x` an escape, and `]]>` would end the message in the file.
fn literal(line: &str) -> String {
    line.replace('\\', r"\x5C").replace('[', r"\x5B").replace("]]>", r"]]\x3E")
}

fn acknowledged(uri: &str, routes: &str, invite: &str, cseq: u32) -> String {
    format!(
        "ACK {uri} SIP/2.0\n{VIA}\n{routes}{}\n[last_To:]\nCall-ID: [call_id]\nCSeq: {cseq} ACK\nMax-Forwards: 70\nContent-Length: 0\n",
        tagged_from(&header(invite, "From"))
    )
}

fn notify(invite: &str, cseq: u32, state: &str, fragment: &str) -> String {
    format!(
        "NOTIFY [next_url] SIP/2.0\n{VIA}\n[routes]\n{}\n{}[peer_tag_param]\nCall-ID: [call_id]\nCSeq: {cseq} NOTIFY\n{CONTACT}\nMax-Forwards: 70\nEvent: refer\nSubscription-State: {state}\nContent-Type: message/sipfrag;version=2.0\nContent-Length: [len]\n\n{fragment}\n",
        tagged_from(&header(invite, "From")),
        literal(&header(invite, "To"))
    )
}

fn answer(status: &str, contact: &str) -> String {
    let contact = if contact.is_empty() { String::new() } else { format!("{contact}\n") };
    format!("SIP/2.0 {status}\n[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\n{contact}Content-Length: 0\n")
}

fn start_uri(invite: &str) -> &str {
    invite.split(' ').nth(1).unwrap_or("sip:[service]@[remote_ip]:[remote_port]")
}

fn header(invite: &str, name: &str) -> String {
    let found = invite.lines().find(|line| line.split(':').next().is_some_and(|n| n.eq_ignore_ascii_case(name)));
    found.unwrap_or_default().to_owned()
}

/// `text` as one word of a POSIX shell.
pub fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@+,%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

const VIA: &str = "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]";
const CONTACT: &str = "Contact: <sip:customer@[local_ip]:[local_port];transport=[transport]>";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{TransportName, settings::Secret};

    #[test]
    fn the_line_says_all_but_the_password() {
        let call = TestCall {
            task: Some("call routing".into()),
            iv: [("name".to_owned(), "it's".to_owned())].into_iter().collect(),
            user: Some("sbc".into()),
            password: Some(Secret::new("swordfish")),
            transport: Some(TransportName::Tcp),
            dtmf: Some("1".into()),
            on_return: OnReturn::Refuse,
            ..TestCall::default()
        };
        assert_eq!(
            command_line(&call, "sip:bridge@127.0.0.1:5060"),
            "handback call sip:bridge@127.0.0.1:5060 --task 'call routing' --iv 'name=it'\\''s' --user sbc --password-file PASSWORD_FILE \
             --transport tcp --dtmf 1 --dtmf-after 2s --on-return refuse"
        );
    }

    #[test]
    fn the_scenario_sends_the_same_headers_and_takes_the_return() {
        let invite = "INVITE sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP h:1;branch=z9hG4bKx\r\nFrom: <sip:c@h>;tag=1\r\nTo: <sip:b@h>\r\n\
                      Call-ID: x\r\nCSeq: 1 INVITE\r\nContact: <sip:c@h:1>\r\nX-GA-taskName: a [b]\r\nContent-Type: application/sdp\r\n\
                      Content-Length: 5\r\n\r\nv=0\r\no=- 1 1 IN IP4 h\r\nc=IN IP4 h\r\nm=audio 4 RTP/AVP 0\r\n";
        let scenario = sipp_scenario(invite, &TestCall { user: Some("u".into()), ..TestCall::default() }, ReturnMethod::Refer);
        for part in [
            "X-GA-taskName: a \\x5Bb]\n",
            "From: <sip:c@h>;tag=[pid]handback[call_number]\n",
            "m=audio [media_port] RTP/AVP 0\n",
            "auth=\"true\"",
            "CSeq: 2 INVITE\n",
            "[authentication]\n",
            "<recv request=\"REFER\"/>",
            "CSeq: 4 NOTIFY\n",
            "<recv request=\"BYE\"/>",
        ] {
            assert!(scenario.contains(part), "{part} in {scenario}");
        }
        assert!(!scenario.contains("z9hG4bKx") && !scenario.contains("tag=1\n"));
    }
}
