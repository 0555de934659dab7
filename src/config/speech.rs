//! Spoken prompts, where a speech program is installed: espeak-ng speaks the text when the script is loaded.

use std::{
    io::Write as _,
    process::{Command, Stdio},
    sync::Arc,
};

use super::prompts;

/// Whether there is a program that speaks.
///
/// # Errors
/// One sentence: what to install.
pub fn check() -> Result<(), String> {
    let quiet = Command::new(PROGRAM).arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    quiet.map(|_| ()).map_err(|e| missing(&e))
}

/// The text as samples at 8 kHz.
///
/// # Errors
/// One sentence: no speech program, or it failed.
pub fn speak(text: &str) -> Result<Arc<[i16]>, String> {
    let mut child = Command::new(PROGRAM)
        .args(["--stdin", "--stdout"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|e| missing(&e))?;
    // The text goes in by standard input: it is no option, whatever it begins with.
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(text.as_bytes()).map_err(|e| format!("{PROGRAM} does not listen: {e}"))?;
    }
    let spoken = child.wait_with_output().map_err(|e| format!("{PROGRAM} failed: {e}"))?;
    if !spoken.status.success() {
        return Err(format!("{PROGRAM} failed with {}", spoken.status));
    }
    prompts::decode(&with_real_length(spoken.stdout)).map_err(|why| format!("{PROGRAM}: {why}"))
}

fn missing(error: &std::io::Error) -> String {
    format!("say needs the program {PROGRAM} ({error}): install it, or play a WAV file")
}

/// A WAV written to a pipe names no length, since nobody can go back to fill it in.
fn with_real_length(mut wav: Vec<u8>) -> Vec<u8> {
    let Some(data) = wav.windows(4).position(|w| w == b"data") else { return wav };
    let length = u32::try_from(wav.len().saturating_sub(data + 8)).unwrap_or(u32::MAX);
    if let Some(place) = wav.get_mut(data + 4..data + 8) {
        place.copy_from_slice(&length.to_le_bytes());
    }
    wav
}

const PROGRAM: &str = "espeak-ng";
