//! The cookie by which PulseAudio knows its users: made where there is none, as its own library does.
//!
//! Servers of today go by the socket's owner and still want one to be shown; on a machine where no other program has asked for
//! sound yet nobody has made it.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

/// As the protocol has it.
const LENGTH: usize = 256;

/// Makes `~/.config/pulse/cookie` where none of the places holds one that clients look at. What can't be made is for the server to
/// complain of.
pub fn ensure() {
    let Some(home) = std::env::home_dir() else { return };
    if let Err(error) = ensure_in(&home, std::env::var_os("PULSE_COOKIE").map(PathBuf::from)) {
        tracing::debug!(%error, "no PulseAudio cookie could be made");
    }
}

fn ensure_in(home: &Path, named: Option<PathBuf>) -> io::Result<()> {
    let own = home.join(".config/pulse/cookie");
    if named.is_some_and(|path| path.exists()) || own.exists() || home.join(".pulse-cookie").exists() {
        return Ok(());
    }
    if let Some(folder) = own.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut cookie = [0; LENGTH];
    getrandom::fill(&mut cookie).map_err(io::Error::other)?;
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&own) {
        Ok(mut file) => file.write_all(&cookie),
        // Another program was quicker.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_cookie_is_made_once_and_for_its_owner_only() {
        let home = tempfile::tempdir().unwrap();
        ensure_in(home.path(), None).unwrap();
        let file = home.path().join(".config/pulse/cookie");
        let first = fs::read(&file).unwrap();
        assert_eq!((first.len(), fs::metadata(&file).unwrap().permissions().mode() & 0o777), (LENGTH, 0o600));
        ensure_in(home.path(), None).unwrap();
        assert_eq!(fs::read(&file).unwrap(), first);
    }

    #[test]
    fn one_that_is_elsewhere_is_good_enough() {
        let home = tempfile::tempdir().unwrap();
        let named = home.path().join("named");
        fs::write(&named, [7; LENGTH]).unwrap();
        ensure_in(home.path(), Some(named)).unwrap();
        assert!(!home.path().join(".config").exists());
    }
}
