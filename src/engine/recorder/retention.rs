//! How recordings are named, and when they are deleted: only what bears such a name, and only by its age.

use std::{
    path::Path,
    time::{Duration, SystemTime},
};

use crate::model::{CallId, Timestamp};

/// `2026-11-21T120000Z-CALL.wav`, so that a folder lists in order of time.
pub(super) fn name(call: CallId, at: Timestamp) -> String {
    let secs = i64::try_from(at.0 / 1_000_000).unwrap_or_default();
    let time = jiff::Timestamp::from_second(secs).unwrap_or_default();
    format!("{}-{call}.wav", time.strftime("%Y-%m-%dT%H%M%SZ"))
}

/// Deletes the recordings of `folder` that were last written more than `days` ago; 0: none. How many.
pub(super) fn forget(folder: &Path, days: u32, now: SystemTime) -> usize {
    let age = Duration::from_secs(u64::from(days) * 86_400);
    let Some(oldest) = now.checked_sub(age).filter(|_| days > 0) else { return 0 };
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let entries = entries.flatten().filter(|entry| is_recording(&entry.file_name().to_string_lossy()));
    let old = entries.filter(|entry| entry.metadata().and_then(|m| m.modified()).is_ok_and(|written| written < oldest));
    old.filter(|entry| std::fs::remove_file(entry.path()).is_ok()).count()
}

fn is_recording(name: &str) -> bool {
    const FORM: &[u8] = b"dddd-dd-ddTddddddZ-";
    let fits = |(byte, form): (&u8, &u8)| if *form == b'd' { byte.is_ascii_digit() } else { byte == form };
    name.len() > FORM.len() && name.ends_with(".wav") && name.as_bytes().iter().zip(FORM).all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "files are as old as the clock on the wall says")]
    fn only_old_recordings_are_deleted() {
        let folder = tempfile::tempdir().expect("a folder");
        let named = name(CallId(7), Timestamp(1_795_262_400_000_000));
        assert!(named.starts_with("2026-11-21T") && is_recording(&named), "{named}");
        for file in [named.as_str(), "mine.wav", "2026-11-21T120000Z-7.txt"] {
            std::fs::write(folder.path().join(file), b"x").expect("writes");
        }
        let (now, week) = (SystemTime::now(), Duration::from_secs(7 * 86_400));
        assert_eq!(forget(folder.path(), 7, now), 0);
        assert_eq!(forget(folder.path(), 0, now + 2 * week), 0, "0 keeps them");
        assert_eq!(forget(folder.path(), 7, now + 2 * week), 1);
        assert!(folder.path().join("mine.wav").exists() && !folder.path().join(named).exists());
    }
}
