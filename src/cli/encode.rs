//! `handback encode`: the Refer-To for an outcome and its variables, with each one's cost and what is dropped.
//!
//! Exit: 0; 1 something was dropped; 2 it cannot be written.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use serde_json::json;

use super::EncodeArgs;
use crate::{
    contract::payload::{self, Return},
    export::ladder,
    model::Payload,
};

/// Runs the command.
pub fn run(args: &EncodeArgs) -> ExitCode {
    match encoded(args) {
        Ok(payload) => {
            let output = if args.json { format!("{:#}\n", json!(payload)) } else { as_text(&payload) };
            // Whoever reads may have had enough (`| head`): that is no fault.
            let _ = io::stdout().lock().write_all(output.as_bytes());
            ExitCode::from(u8::from(!payload.dropped.is_empty()))
        }
        Err(why) => {
            eprintln!("handback encode: {why}");
            ExitCode::from(2)
        }
    }
}

fn encoded(args: &EncodeArgs) -> Result<Payload, String> {
    let (transfer, reference) = (args.transfer()?, args.reference()?);
    for (name, value) in transfer.iter().chain(&reference) {
        payload::check_variable_value(name, value).map_err(|e| e.to_string())?;
    }
    let conversation = args.conversation.as_deref();
    if let Some(id) = conversation {
        payload::check_variable_value("--conversation", id).map_err(|e| e.to_string())?;
    }
    let what = Return {
        return_uri: &args.return_uri,
        ext_conversation_id: conversation,
        outcome: args.outcome,
        transfer: &transfer,
        reference: &reference,
    };
    payload::encode(&what).map_err(|e| e.to_string())
}

fn as_text(payload: &Payload) -> String {
    let text = format!("Refer-To: {}\n\n{}", payload.refer_to, ladder::payload_text(payload));
    format!("{}\n", text.trim_end())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, CommandLine};

    fn args(more: &[&str]) -> EncodeArgs {
        let line = ["handback", "encode", "--return-uri", "sip:r@h", "--outcome", "SYSTEM", "--conversation", "c 1"];
        match Cli::try_parse_from(line.iter().chain(more)).expect("parses").command {
            Some(CommandLine::Encode(args)) => args,
            other => panic!("read as {other:?}"),
        }
    }

    #[test]
    fn the_refer_to_is_printed_with_each_cost() {
        let payload = encoded(&args(&["--tv", "a=1=2", "--rv", "b=é"])).expect("encodes");
        let text = as_text(&payload);
        assert!(
            text.starts_with("Refer-To: <sip:r@h?X-GA-extConId=c%201&X-GA-transfer=SYSTEM&X-GA-tv-a=1%3D2&X-GA-rv-b=%C3%A9>\n"),
            "{text}"
        );
        assert!(text.contains("   19  X-GA-extConId  c 1"), "{text}");
        assert!(text.contains("of 1,024 characters"), "{text}");
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let long = format!("long={}", "x".repeat(1_100));
        let payload = encoded(&args(&["--tv", &long, "--tv", "after=1"])).expect("encodes");
        assert_eq!(payload.dropped.len(), 2);
        let text = as_text(&payload);
        assert!(text.contains("dropped: ") && text.contains("dropped after it"), "{text}");
    }

    #[test]
    fn a_name_that_is_no_token_cannot_be_written() {
        assert!(encoded(&args(&["--tv", "a b=1"])).is_err_and(|why| why.contains("no token")));
    }
}
