//! `handback decode`: SIP messages, a bare Refer-To value, a capture, or a case file, told with findings.
//!
//! Exit: 0; 1 with findings of severity error; 2 unreadable.

use std::{
    fs,
    io::{self, BufRead, BufReader, Read as _, Write as _},
    ops::ControlFlow,
    path::Path,
    process::ExitCode,
};

use super::DecodeArgs;
use crate::{capture, export::case, model::Severity};

mod captured;
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
    match open(args.file.as_deref()).and_then(report) {
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

/// The input, and what a fault in it is said of.
fn open(file: Option<&Path>) -> Result<Box<dyn BufRead>, String> {
    match file {
        Some(path) if path != Path::new("-") => {
            let file = fs::File::open(path).map_err(|e| format!("{} can't be read: {e}", path.display()))?;
            Ok(Box::new(BufReader::with_capacity(READ_AHEAD, file)))
        }
        _ => Ok(Box::new(BufReader::with_capacity(READ_AHEAD, io::stdin()))),
    }
}

fn report(mut input: impl BufRead) -> Result<Report, String> {
    // A capture may be larger than memory, and is read as it comes.
    if capture::is_capture(input.fill_buf().map_err(|e| format!("the input can't be read: {e}"))?) {
        let reading = capture::read(input, |_| ControlFlow::Continue(())).map_err(|e| e.to_string())?;
        return Ok(Report::of_reading(reading));
    }
    if case::is_case(input.fill_buf().map_err(|e| format!("the input can't be read: {e}"))?) {
        let mut bytes = Vec::new();
        input.take(LARGEST_CASE).read_to_end(&mut bytes).map_err(|e| format!("the input can't be read: {e}"))?;
        return case::read(&bytes).map(Report::of_calls).map_err(|e| e.to_string());
    }
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes).map_err(|e| format!("the input can't be read: {e}"))?;
    let messages = text::messages(&bytes);
    if !messages.is_empty() {
        return Ok(Report::of_messages(messages));
    }
    match text::refer_to_values(&bytes) {
        values if values.is_empty() => {
            Err("this is neither a SIP message, nor a Refer-To value, nor a capture, nor a case file".to_owned())
        }
        values => Ok(Report::of_values(values)),
    }
}

const LARGEST_CASE: u64 = 1 << 30;
const READ_AHEAD: usize = 1 << 20;
