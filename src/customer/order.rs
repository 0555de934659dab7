//! A test call's order, checked and put into the words of an INVITE (contract §2).

use crate::{
    contract::{context, payload},
    media::Playout,
    model::{AudioSource, Context, TestCall, TransportName},
    sip::message::{NameAddr, Scheme, Uri},
};

use super::{leg::Voice, sound, sound_check};

/// What the INVITE of a test call is made of.
#[derive(Debug)]
pub(super) struct Order {
    /// The Request-URI, as typed.
    pub uri: String,
    /// The URI whose addresses are looked up: the Request-URI with the transport that was asked for.
    pub lookup: String,
    pub from: String,
    /// The context's headers first, then those that the person added.
    pub headers: Vec<(String, String)>,
    pub context: Context,
    pub voice: Voice,
}

impl Order {
    /// Checks `call`. `own_bridge` is called where it names nobody, and `host` stands in the default From.
    ///
    /// # Errors
    /// One sentence that says what cannot be done.
    pub fn read(call: &TestCall, own_bridge: Option<&str>, host: &str) -> Result<Self, String> {
        let uri = match (call.uri.trim(), own_bridge) {
            ("", Some(bridge)) => bridge.to_owned(),
            ("", None) => return Err("whom to call? A sip: URI is wanted".to_owned()),
            (uri, _) => uri.to_owned(),
        };
        check_uri(&uri)?;
        let lookup = match call.transport {
            Some(TransportName::Tls) => return Err("TLS is not built yet; udp or tcp".to_owned()),
            Some(transport) if !has_transport(&uri) => format!("{uri};transport={}", transport.name()),
            _ => uri.clone(),
        };
        let from = match call.from.as_deref().map(str::trim).filter(|f| !f.is_empty()) {
            None => format!("<sip:test-call@{host}>"),
            Some(from) => {
                let from = if from.contains('<') { from.to_owned() } else { format!("<{from}>") };
                let read = NameAddr::parse(&from).map_err(|why| format!("'{}' cannot be a From: {why}", from.escape_debug()))?;
                if read.tag().is_some() {
                    return Err("the tag of From is the call's own: leave it out".to_owned());
                }
                from
            }
        };
        if call.user.is_some() != call.password.is_some() {
            return Err("a user and a password belong together".to_owned());
        }
        call.dtmf.as_deref().map_or(Ok(()), check_digits)?;
        let mut context = context_of(call);
        if call.sound_check {
            context.task_name.get_or_insert_with(|| sound_check::TASK.to_owned());
        }
        let mut headers = context_headers(&context)?;
        for line in &call.headers {
            headers.push(header_line(line)?);
        }
        let voice = match &call.audio {
            _ if call.sound_check => Voice::Played(sound_check::probe()),
            AudioSource::Microphone => Voice::Person,
            AudioSource::Tone => Voice::Played(Playout::Tone { hz: CALLER_HZ, secs: f32::INFINITY }),
            AudioSource::Silence => Voice::Played(Playout::Silence),
            AudioSource::File(path) => Voice::Played(Playout::Prompt(sound::load(path)?)),
        };
        Ok(Self { uri, lookup, from, headers, context, voice })
    }
}

/// The keys of a phone (RFC 4733 §3.2), at most 64 at once.
pub(super) fn check_digits(digits: &str) -> Result<(), String> {
    match digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '*' | '#' | 'A'..='D' | 'a'..='d')) {
        true if digits.len() <= MOST_DIGITS => Ok(()),
        true => Err(format!("{} digits are more than {MOST_DIGITS}", digits.len())),
        false => Err(format!("'{}' is not made of 0-9 * # A-D", digits.escape_debug())),
    }
}

/// Reads `Name: value` as a header that a test call may carry.
///
/// # Errors
/// One sentence: not a header, or one that the call itself writes.
pub fn header_line(line: &str) -> Result<(String, String), String> {
    let (name, value) = line.split_once(':').ok_or("'Name: value' is wanted")?;
    let (name, value) = (name.trim(), value.trim());
    payload::check_variable_name(name).map_err(|_| format!("'{name}' cannot be a header's name"))?;
    no_controls(name, value)?;
    match OWN_HEADERS.iter().any(|own| own.eq_ignore_ascii_case(name)) {
        true => Err(format!("{name} is written by the call itself")),
        false => Ok((name.to_owned(), value.to_owned())),
    }
}

fn context_of(call: &TestCall) -> Context {
    let filled = |text: &Option<String>| text.clone().filter(|t| !t.is_empty());
    Context {
        task_name: filled(&call.task),
        ext_conversation_id: filled(&call.conversation),
        customer_id: filled(&call.customer),
        call_transfer_id: filled(&call.call_transfer_id),
        input_variables: call.iv.clone(),
    }
}

fn context_headers(context: &Context) -> Result<Vec<(String, String)>, String> {
    let single = [
        (context::TASK_NAME, &context.task_name),
        (context::EXT_CONVERSATION_ID, &context.ext_conversation_id),
        (context::CUSTOMER_ID, &context.customer_id),
    ];
    let mut headers: Vec<(String, String)> =
        single.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?))).collect();
    for (name, value) in &context.input_variables {
        payload::check_variable_name(name).map_err(|_| format!("'{name}' cannot name a variable: it becomes part of a header's name"))?;
        headers.push((format!("{}{name}", context::INPUT_VARIABLE_PREFIX), value.clone()));
    }
    headers.extend(context.call_transfer_id.iter().map(|id| (context::CALL_TRANSFER_ID.to_owned(), id.clone())));
    for (name, value) in &headers {
        no_controls(name, value)?;
    }
    Ok(headers)
}

fn check_uri(uri: &str) -> Result<(), String> {
    match Uri::parse(uri) {
        // RFC 3261 §19.1.1, table 1: a Request-URI has no headers.
        Ok(read) if read.has_headers() => Err("headers in the URI are not sent: give each with --header".to_owned()),
        Ok(read) if read.scheme() == Scheme::Sip => Ok(()),
        Ok(read) if read.scheme() == Scheme::Sips => Err("TLS is not built yet, so a sips: URI cannot be called".to_owned()),
        Ok(_) => Err(format!("'{uri}' is not a sip: URI")),
        Err(why) => Err(format!("'{}' is not a sip: URI: {why}", uri.escape_debug())),
    }
}

fn has_transport(uri: &str) -> bool {
    uri.split(';').skip(1).any(|p| p.split('=').next().is_some_and(|n| n.eq_ignore_ascii_case("transport")))
}

fn no_controls(what: &str, text: &str) -> Result<(), String> {
    match text.chars().find(|c| c.is_control() && *c != '\t') {
        Some(c) => Err(format!("{what} holds the control character {}, which no header can carry", c.escape_default())),
        None => Ok(()),
    }
}

/// Headers that the call itself writes: another one would break the call instead of testing it.
const OWN_HEADERS: [&str; 18] = [
    "Via",
    "v",
    "From",
    "f",
    "To",
    "t",
    "Call-ID",
    "i",
    "CSeq",
    "Contact",
    "m",
    "Max-Forwards",
    "Content-Length",
    "l",
    "Content-Type",
    "c",
    "Authorization",
    "Proxy-Authorization",
];
const MOST_DIGITS: usize = 64;
/// What the caller's tone sounds like; the return point answers with another.
const CALLER_HZ: f32 = 440.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(call: &TestCall) -> Result<Order, String> {
        Order::read(call, Some("sip:bridge@127.0.0.1:5060"), "127.0.0.1")
    }

    #[test]
    fn the_context_becomes_headers_in_the_order_of_the_contract() {
        let call = TestCall {
            task: Some("billing".into()),
            conversation: Some("c-1".into()),
            customer: Some("k".into()),
            call_transfer_id: Some("t-1".into()),
            iv: [("name".to_owned(), "Zoë".to_owned())].into_iter().collect(),
            headers: vec!["X-Extra: a: b".into()],
            ..TestCall::default()
        };
        let order = read(&call).expect("reads");
        let headers: Vec<_> = order.headers.iter().map(|(n, v)| format!("{n}: {v}")).collect();
        assert_eq!(
            headers,
            [
                "X-GA-taskName: billing",
                "X-GA-extConversationId: c-1",
                "X-GA-customerId: k",
                "X-GA-iv-name: Zoë",
                "X-ASAPP-CallTransferId: t-1",
                "X-Extra: a: b"
            ]
        );
        assert_eq!(order.uri, "sip:bridge@127.0.0.1:5060");
        assert_eq!(order.from, "<sip:test-call@127.0.0.1>");
    }

    #[test]
    fn the_transport_is_looked_up_and_the_request_uri_stays_as_typed() {
        let call = TestCall { uri: "sip:b@h;x=1".into(), transport: Some(TransportName::Tcp), ..TestCall::default() };
        let order = read(&call).expect("reads");
        assert_eq!((order.uri.as_str(), order.lookup.as_str()), ("sip:b@h;x=1", "sip:b@h;x=1;transport=tcp"));
    }

    #[test]
    fn nothing_can_be_injected() {
        let with = |change: fn(&mut TestCall)| {
            let mut call = TestCall::default();
            change(&mut call);
            read(&call).expect_err("is refused")
        };
        with(|c| c.task = Some("a\r\nVia: x".into()));
        with(|c| c.headers = vec!["X-A: b\r\nVia: x".into()]);
        with(|c| c.headers = vec!["Via: x".into()]);
        with(|c| c.iv = [("a b".to_owned(), "1".to_owned())].into_iter().collect());
        with(|c| c.iv = [("a".to_owned(), "1\0".to_owned())].into_iter().collect());
        with(|c| c.from = Some("sip:a@b\r\n".into()).map(|f: String| f + "x\ny"));
        with(|c| c.uri = "sip:a@b\nx".into());
        with(|c| c.uri = "tel:+1".into());
        with(|c| c.uri = "sip:a@b?Via=x".into());
        with(|c| c.uri = "sips:a@b".into());
        with(|c| c.dtmf = Some("1x".into()));
        with(|c| c.user = Some("u".into()));
        with(|c| c.audio = AudioSource::File("/nonexistent.wav".into()));
    }
}
