//! `handback decode`: SIP messages, a bare Refer-To value, or a capture, told with findings.
//!
//! Exit: 0; 1 with findings of severity error; 2 unreadable.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    path::Path,
    process::ExitCode,
};

use super::DecodeArgs;
use crate::model::Severity;

mod capture;
mod packets;
mod report;
#[cfg(test)]
mod tests;
mod text;

use report::Report;

/// Runs the command.
pub fn run(args: &DecodeArgs) -> ExitCode {
    if args.rules {
        let _ = io::stdout().lock().write_all(report::rules(args.json).as_bytes());
        return ExitCode::SUCCESS;
    }
    match read(args.file.as_deref()).and_then(|bytes| report(&bytes)) {
        Ok(report) => {
            let output = if args.json { format!("{:#}\n", report.as_json()) } else { report.as_text() };
            // Whoever reads may have had enough (`| head`): that is no fault.
            let _ = io::stdout().lock().write_all(output.as_bytes());
            ExitCode::from(u8::from(report.findings.iter().any(|f| f.severity == Severity::Error)))
        }
        Err(why) => {
            eprintln!("handback decode: {why}");
            ExitCode::from(2)
        }
    }
}

fn read(file: Option<&Path>) -> Result<Vec<u8>, String> {
    match file {
        Some(path) if path != Path::new("-") => fs::read(path).map_err(|e| format!("{} can't be read: {e}", path.display())),
        _ => {
            let mut bytes = Vec::new();
            io::stdin().lock().read_to_end(&mut bytes).map_err(|e| format!("standard input can't be read: {e}"))?;
            Ok(bytes)
        }
    }
}

fn report(bytes: &[u8]) -> Result<Report, String> {
    if capture::is_one(bytes) {
        return capture::read(bytes).map(|(messages, others)| Report::of_messages(messages, others));
    }
    let messages = text::messages(bytes);
    if !messages.is_empty() {
        return Ok(Report::of_messages(messages, 0));
    }
    match text::refer_to_values(bytes) {
        values if values.is_empty() => Err("this is neither a SIP message, nor a Refer-To value, nor a capture".to_owned()),
        values => Ok(Report::of_values(values)),
    }
}
