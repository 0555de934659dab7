//! What can be typed: every command and option, with the words that `--help` prints.

use std::{path::PathBuf, time::Duration};

use clap::{ArgAction, Args, Parser, Subcommand};

use super::values;
use crate::model::{
    AudioSource, OnReturn, Outcome, TestCall, TransportName, Variables,
    settings::{Codec, Secret},
};

/// Admits a call with its context, bridges it to an agent, and hands it back by REFER, INVITE or BYE.
///
/// With no command the console opens, with the engine inside it.
#[derive(Debug, Parser)]
#[command(name = "handback", version, max_term_width = 100, disable_help_subcommand = true)]
pub struct Cli {
    /// Settings file; by default handback.toml in the platform's configuration folder.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    #[command(subcommand)]
    pub command: Option<CommandLine>,
}

#[derive(Debug, Subcommand)]
pub enum CommandLine {
    /// Run the engine without a window. SIGHUP reads the settings again, SIGTERM waits for calls and ends.
    Serve(ServeArgs),
    /// Show the whole journey on loopback, once per return method.
    Demo(DemoArgs),
    /// Place one test call, to this bridge or to any other SIP endpoint.
    Call(Box<CallArgs>),
    /// Print what SIP messages, a Refer-To value, a capture or a case file say, with findings.
    Decode(DecodeArgs),
    /// Print the Refer-To for an outcome and its variables, with its budget.
    Encode(EncodeArgs),
}

#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Settings file; by default handback.toml in the platform's configuration folder.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct DemoArgs {}

/// `handback call`: exit 0 the call went as asked, 1 it did not, 2 usage.
#[derive(Debug, Args)]
pub struct CallArgs {
    /// Whom to call, for example sip:bridge@127.0.0.1:5060.
    #[arg(value_name = "URI", value_parser = values::sip_uri)]
    pub uri: String,
    /// The task that the agent starts with (X-GA-taskName).
    #[arg(long, value_name = "NAME")]
    pub task: Option<String>,
    /// The customer's conversation id (X-GA-extConversationId).
    #[arg(long, value_name = "ID")]
    pub conversation: Option<String>,
    /// The customer id (X-GA-customerId).
    #[arg(long, value_name = "ID")]
    pub customer: Option<String>,
    /// An input variable (X-GA-iv-NAME); may be repeated.
    #[arg(long, value_name = "NAME=VALUE", value_parser = values::name_value)]
    pub iv: Vec<(String, String)>,
    /// A further header of the INVITE; may be repeated.
    #[arg(long, value_name = "Name: value", value_parser = values::header)]
    pub header: Vec<String>,
    /// The call transfer that this call is for (X-ASAPP-CallTransferId).
    #[arg(long, value_name = "ID")]
    pub call_transfer_id: Option<String>,
    /// Who calls: a SIP URI or a name-addr.
    #[arg(long, value_name = "URI")]
    pub from: Option<String>,
    /// The user name that answers a digest challenge.
    #[arg(long, value_name = "NAME", requires = "password_file")]
    pub user: Option<String>,
    /// A file whose first line is that user's password.
    #[arg(long, value_name = "FILE", requires = "user")]
    pub password_file: Option<PathBuf>,
    /// udp or tcp; by default what the URI says, else udp.
    #[arg(long, value_name = "udp|tcp", value_parser = values::transport)]
    pub transport: Option<TransportName>,
    /// What the caller says: this machine's microphone (and the far side is heard at its speaker), a tone, silence or a WAV file.
    #[arg(long, value_name = "mic|tone|silence|FILE.wav", default_value = "tone", value_parser = values::audio)]
    pub audio: AudioSource,
    /// A codec to offer, the preferred one first; may be repeated. By default all of them.
    #[arg(long, value_name = "opus|G722|PCMU|PCMA", value_parser = values::codec, default_values = ["opus", "G722", "PCMU", "PCMA"], hide_default_value = true)]
    pub codec: Vec<Codec>,
    /// Where to write what the caller hears.
    #[arg(long, value_name = "FILE.wav")]
    pub record: Option<PathBuf>,
    /// Digits to send (0-9 * # A-D).
    #[arg(long, value_name = "DIGITS", value_parser = values::digits)]
    pub dtmf: Option<String>,
    /// How long after the answer the digits are sent.
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = values::duration)]
    pub dtmf_after: Duration,
    /// Hang up that long after the answer; by default the far side ends the call.
    #[arg(long, value_name = "TIME", value_parser = values::duration)]
    pub hang_up_after: Option<Duration>,
    /// What to do with a return: accept, refuse, ignore or accept-then-fail.
    #[arg(long, value_name = "HOW", default_value = "accept", value_parser = values::on_return)]
    pub on_return: OnReturn,
    /// Send tones that an agent which echoes sends back, and report how each way sounds: heard, level, clipping, round trip.
    /// The task defaults to sound_check, which the built-in agent answers with an echo. Exit 0: both ways heard.
    #[arg(long, action = ArgAction::SetTrue, conflicts_with_all = ["audio", "hang_up_after", "dtmf"])]
    pub sound_check: bool,
    /// Port at which this side takes calls back, where the bridge's return URI names one; by default any free port.
    #[arg(long, value_name = "PORT", default_value_t = 0, hide_default_value = true)]
    pub return_port: u16,
    /// Print one JSON object instead of a ladder.
    #[arg(long, action = ArgAction::SetTrue)]
    pub json: bool,
}

impl CallArgs {
    /// The order for the customer's side; `password` is what the password file holds.
    pub fn test_call(&self, password: Option<Secret>) -> Result<TestCall, String> {
        Ok(TestCall {
            uri: self.uri.clone(),
            from: self.from.clone(),
            user: self.user.clone(),
            password,
            transport: self.transport,
            task: self.task.clone(),
            conversation: self.conversation.clone(),
            customer: self.customer.clone(),
            call_transfer_id: self.call_transfer_id.clone(),
            iv: variables("--iv", &self.iv)?,
            headers: self.header.clone(),
            audio: self.audio.clone(),
            record: self.record.clone(),
            dtmf: self.dtmf.clone(),
            dtmf_after_secs: self.dtmf_after.as_secs_f64(),
            hang_up_after_secs: self.hang_up_after.map(|d| d.as_secs_f64()),
            on_return: self.on_return,
            sound_check: self.sound_check,
        })
    }
}

/// `handback decode`: exit 0; 1 with findings of severity error; 2 unreadable.
#[derive(Debug, Args)]
pub struct DecodeArgs {
    /// SIP messages, a bare Refer-To value, a pcap, a pcapng or a case file; `-` or nothing reads standard input.
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// Print the rules that findings come from instead: name, gravest severity, what it is about, and its section.
    #[arg(long, conflicts_with = "file")]
    pub rules: bool,
}

/// `handback encode`: exit 0; 1 something was dropped.
#[derive(Debug, Args)]
pub struct EncodeArgs {
    /// The return URI that the payload is added to.
    #[arg(long, value_name = "URI")]
    pub return_uri: String,
    /// AGENT or SYSTEM.
    #[arg(long, value_name = "AGENT|SYSTEM", value_parser = values::outcome)]
    pub outcome: Outcome,
    /// The customer's conversation id (X-GA-extConId).
    #[arg(long, value_name = "ID")]
    pub conversation: Option<String>,
    /// A transfer variable (X-GA-tv-NAME); may be repeated, the order is the order on the wire.
    #[arg(long, value_name = "NAME=VALUE", value_parser = values::name_value)]
    pub tv: Vec<(String, String)>,
    /// A reference variable (X-GA-rv-NAME); may be repeated.
    #[arg(long, value_name = "NAME=VALUE", value_parser = values::name_value)]
    pub rv: Vec<(String, String)>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

impl EncodeArgs {
    pub fn transfer(&self) -> Result<Variables, String> {
        variables("--tv", &self.tv)
    }

    pub fn reference(&self) -> Result<Variables, String> {
        variables("--rv", &self.rv)
    }
}

/// The pairs as variables; one name given twice is a mistake of the person who typed it.
fn variables(option: &str, pairs: &[(String, String)]) -> Result<Variables, String> {
    let mut variables = Variables::new();
    for (name, value) in pairs {
        if variables.insert(name.clone(), value.clone()).is_some() {
            return Err(format!("{option} {name} is given twice"));
        }
    }
    Ok(variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(arguments: &[&str]) -> Result<Box<CallArgs>, clap::Error> {
        let line = ["handback", "call", "sip:b@127.0.0.1"].iter().chain(arguments);
        match Cli::try_parse_from(line)?.command {
            Some(CommandLine::Call(args)) => Ok(args),
            other => panic!("read as {other:?}"),
        }
    }

    #[test]
    fn the_definitions_hold_together() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }

    #[test]
    fn a_test_call_is_read_with_everything() {
        let args = call(&[
            "--task",
            "t",
            "--conversation",
            "c",
            "--customer",
            "k",
            "--iv",
            "a=1",
            "--iv",
            "b=x=y",
            "--header",
            "X-One: 1",
            "--call-transfer-id",
            "i",
            "--from",
            "sip:me@h",
            "--user",
            "u",
            "--password-file",
            "p",
            "--transport",
            "tcp",
            "--audio",
            "hello.wav",
            "--record",
            "r.wav",
            "--dtmf",
            "1",
            "--dtmf-after",
            "500ms",
            "--hang-up-after",
            "10s",
            "--on-return",
            "accept-then-fail",
            "--json",
        ])
        .expect("reads");
        let order = args.test_call(Some(Secret::new("secret"))).expect("is an order");
        assert_eq!(order.iv.iter().collect::<Vec<_>>(), [(&"a".to_owned(), &"1".to_owned()), (&"b".to_owned(), &"x=y".to_owned())]);
        assert_eq!(order.transport, Some(TransportName::Tcp));
        assert_eq!(order.audio, AudioSource::File("hello.wav".into()));
        assert_eq!((order.dtmf_after_secs, order.hang_up_after_secs), (0.5, Some(10.0)));
        assert_eq!(order.on_return, OnReturn::AcceptThenFail);
        assert!(args.json);
    }

    #[test]
    fn what_cannot_be_done_is_a_usage_error() {
        for wrong in [
            &["--transport", "tls"][..],
            &["--transport", "sctp"],
            &["--iv", "novalue"],
            &["--header", "no colon"],
            &["--header", "Via: x"],
            &["--dtmf", "1x"],
            &["--dtmf-after", "soon"],
            &["--on-return", "shrug"],
            &["--user", "u"],
            &["--frobnicate"],
        ] {
            let error = call(wrong).expect_err("is refused");
            assert_eq!(error.exit_code(), 2, "{wrong:?}");
        }
        assert!(call(&["--iv", "a=1", "--iv", "a=2"]).expect("reads").test_call(None).is_err());
    }
}
