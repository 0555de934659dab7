//! The settings file on disk: read whole, written whole and at once, never over what somebody else wrote meanwhile.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use super::holds_plain_secret;

/// The file, and what it held when it was last read or written.
pub struct SettingsFile {
    path: PathBuf,
    /// `None`: it was not there.
    seen: Option<String>,
}

/// Why it is not written.
#[derive(Debug, thiserror::Error)]
pub enum SaveFault {
    #[error("{} was changed by somebody else since it was read", .0.display())]
    ChangedOnDisk(PathBuf),
    #[error("{} can't be written: {error}. Nothing was changed", path.display())]
    Write { path: PathBuf, error: io::Error },
}

/// What is done with a file that was changed meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenChanged {
    Refuse,
    /// What somebody else wrote is kept beside it.
    KeepAside,
}

impl SettingsFile {
    /// Reads it; it need not be there.
    ///
    /// # Errors
    /// It is there and can't be read.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), seen: read(path)? })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it held when it was last read or written.
    pub fn text(&self) -> Option<&str> {
        self.seen.as_deref()
    }

    /// Whether somebody else has written it since. What can't be read now has not changed.
    pub fn is_changed(&self) -> bool {
        read(&self.path).is_ok_and(|now| now != self.seen)
    }

    /// Writes it: beside it first, then in its place, so that a crash leaves the old or the new one, whole. It keeps its
    /// mode; a new one, and one that holds a secret, is for its owner alone. Gives the path of what was kept aside.
    ///
    /// # Errors
    /// It was changed meanwhile, or can't be written; nothing is changed then.
    pub fn save(&mut self, text: &str, when_changed: WhenChanged) -> Result<Option<PathBuf>, SaveFault> {
        // A link stays one: what it leads to is written.
        let path = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let fail = |error| SaveFault::Write { path: path.clone(), error };
        let now = read(&path).map_err(fail)?;
        let mut aside = None;
        if now != self.seen {
            if when_changed == WhenChanged::Refuse {
                return Err(SaveFault::ChangedOnDisk(path));
            }
            if let Some(other) = &now {
                aside = Some(keep_aside(&path, "other", other).map_err(fail)?);
            }
        }
        let mode = if holds_plain_secret(text) { None } else { mode_of(&path) };
        write_at_once(&path, text, mode.unwrap_or(OWNER_ALONE)).map_err(fail)?;
        self.seen = Some(text.to_owned());
        Ok(aside)
    }

    /// Reads it anew. What one had not saved is kept beside it; gives the path of that.
    ///
    /// # Errors
    /// It can't be read, or the changes can't be kept; nothing is read then.
    pub fn reload(&mut self, unsaved: Option<&str>) -> io::Result<Option<PathBuf>> {
        let now = read(&self.path)?;
        let aside = unsaved.map(|text| keep_aside(&self.path, "unsaved", text)).transpose()?;
        self.seen = now;
        Ok(aside)
    }
}

/// Writes a secret into a file for its owner alone.
///
/// # Errors
/// It can't be written; what was there stays.
pub(super) fn write_secret(path: &Path, secret: &str) -> io::Result<()> {
    write_at_once(path, &format!("{secret}\n"), OWNER_ALONE)
}

fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn write_at_once(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = folder.join(format!(".{name}.{}.new", std::process::id()));
    let written = (|| {
        let mut file = create(&beside, mode)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        // The name, too, shall be there after a power cut.
        File::open(folder)?.sync_all()
    })();
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}

/// Beside the file under a name of its own: `handback.toml.other`, `handback.toml.other.2`, …
fn keep_aside(path: &Path, what: &str, text: &str) -> io::Result<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    for number in 1..MOST_ASIDE {
        let suffix = if number == 1 { String::new() } else { format!(".{number}") };
        let aside = path.with_file_name(format!("{name}.{what}{suffix}"));
        match OpenOptions::new().write(true).create_new(true).open(&aside) {
            Ok(_) => {
                write_at_once(&aside, text, OWNER_ALONE)?;
                return Ok(aside);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other(format!("there are too many files {name}.{what}.N beside it: remove some")))
}

#[cfg(unix)]
fn create(path: &Path, mode: u32) -> io::Result<File> {
    use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(OWNER_ALONE).open(path)?;
    // Beyond what the umask lets a new file have.
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    Ok(file)
}

#[cfg(not(unix))]
fn create(path: &Path, _mode: u32) -> io::Result<File> {
    File::create(path)
}

#[cfg(unix)]
fn mode_of(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).ok().map(|metadata| metadata.permissions().mode() & 0o7777)
}

#[cfg(not(unix))]
fn mode_of(_path: &Path) -> Option<u32> {
    None
}

const OWNER_ALONE: u32 = 0o600;
const MOST_ASIDE: u32 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("deeper").join("handback.toml");
        (folder, path)
    }

    #[test]
    fn a_file_that_is_not_there_is_made_with_its_folder() {
        let (_folder, path) = folder();
        let mut file = SettingsFile::open(&path).expect("opens");
        assert_eq!((file.text(), file.is_changed()), (None, false));
        file.save("[sip]\n", WhenChanged::Refuse).expect("saves");
        assert_eq!(fs::read_to_string(&path).expect("reads"), "[sip]\n");
        assert!(!file.is_changed());
        let left: Vec<_> = fs::read_dir(path.parent().expect("a folder")).expect("reads").collect();
        assert_eq!(left.len(), 1, "nothing else is left: {left:?}");
    }

    #[test]
    fn what_somebody_else_wrote_is_never_lost() {
        let (_folder, path) = folder();
        let mut file = SettingsFile::open(&path).expect("opens");
        file.save("mine = 1\n", WhenChanged::Refuse).expect("saves");
        fs::write(&path, "theirs = 1\n").expect("writes");
        assert!(file.is_changed());
        assert!(matches!(file.save("mine = 2\n", WhenChanged::Refuse), Err(SaveFault::ChangedOnDisk(_))));
        assert_eq!(fs::read_to_string(&path).expect("reads"), "theirs = 1\n");

        let aside = file.save("mine = 2\n", WhenChanged::KeepAside).expect("saves").expect("kept aside");
        assert_eq!(fs::read_to_string(&aside).expect("reads"), "theirs = 1\n");
        assert_eq!(fs::read_to_string(&path).expect("reads"), "mine = 2\n");
    }

    #[test]
    fn what_one_had_not_saved_is_kept_when_the_file_is_read_anew() {
        let (_folder, path) = folder();
        let mut file = SettingsFile::open(&path).expect("opens");
        file.save("a = 1\n", WhenChanged::Refuse).expect("saves");
        fs::write(&path, "a = 2\n").expect("writes");
        let aside = [file.reload(Some("a = 3\n")), file.reload(Some("a = 4\n"))].map(|kept| kept.expect("reads").expect("kept"));
        assert_eq!(file.text(), Some("a = 2\n"));
        assert_eq!(aside.map(|path| fs::read_to_string(path).expect("reads")), ["a = 3\n", "a = 4\n"]);
    }

    #[cfg(unix)]
    #[test]
    fn the_mode_stays_and_a_secret_is_for_the_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_folder, path) = folder();
        let mut file = SettingsFile::open(&path).expect("opens");
        let mode = || fs::metadata(&path).expect("is there").permissions().mode() & 0o777;
        file.save("a = 1\n", WhenChanged::Refuse).expect("saves");
        assert_eq!(mode(), 0o600, "a new file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("changes");
        file.save("a = 2\n", WhenChanged::Refuse).expect("saves");
        assert_eq!(mode(), 0o644);
        file.save("u = { secret = \"s\" }\n", WhenChanged::Refuse).expect("saves");
        assert_eq!(mode(), 0o600);
    }
}
