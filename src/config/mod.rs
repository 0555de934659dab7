//! Settings from TOML, read and checked once. Every fault is collected, with its file, line and key.
//!
//! The format is a promise to those who write it: an unknown key is a fault that names the nearest known
//! one, and what this version cannot do yet is said, never silently ignored.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::model::settings::Settings;

mod agent;
mod api;
mod demo;
pub mod desk;
mod difference;
mod draft;
mod edges;
mod fault;
mod file;
mod keyring;
mod media;
mod peers;
pub mod prompts;
mod read;
mod recording;
pub mod script;
mod secret;
mod sip;
mod sound;
mod speech;
mod table;
#[cfg(test)]
mod tests;

pub use demo::demo;
pub use difference::{Applied, in_force, needs_restart};
pub use draft::Draft;
pub use fault::Fault;
pub use file::{SaveFault, SettingsFile, WhenChanged};
pub use speech::speak;

/// What a file says, and what is accepted in it but not served by this version.
#[derive(Debug)]
pub struct Loaded {
    pub settings: Settings,
    pub file: PathBuf,
    pub warnings: Vec<Fault>,
}

/// Reads `path`, or the platform's settings file. Warnings go to the log; [`read()`] hands them back.
///
/// # Errors
/// All faults of the file, or that there is none.
pub fn load(path: Option<&Path>) -> Result<Settings, Vec<Fault>> {
    let loaded = read(path)?;
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    Ok(loaded.settings)
}

/// Reads `path`, or the platform's settings file.
///
/// # Errors
/// All faults of the file, or that there is none.
pub fn read(path: Option<&Path>) -> Result<Loaded, Vec<Fault>> {
    let file = match path {
        Some(path) => path.to_owned(),
        None => default_path()
            .ok_or_else(|| vec![Fault::of_file("handback.toml", "this account has no configuration folder: give --config FILE")])?,
    };
    let text = fs::read_to_string(&file).map_err(|error| vec![unreadable(&file, &error, path.is_none())])?;
    let (settings, mut warnings) = check(&file, &text)?;
    warnings.extend((holds_plain_secret(&text) && others_may_read(&file)).then(|| {
        Fault::of_file(
            &file,
            "other users of this machine may read it, and it holds a secret: `chmod 600` it, or name secrets by secret_env or secret_file",
        )
    }));
    Ok(Loaded { settings, file, warnings })
}

/// Checks a text as if it stood in `file`: the settings with warnings.
///
/// # Errors
/// All faults of the text.
pub fn check(file: &Path, text: &str) -> Result<(Settings, Vec<Fault>), Vec<Fault>> {
    read::settings(file, text, &|name| std::env::var(name).ok())
}

/// The platform's settings file, if there is one.
pub fn find() -> Option<PathBuf> {
    default_path().filter(|p| p.is_file())
}

/// Where the platform keeps it: `~/.config/handback/handback.toml` on Linux.
pub fn default_path() -> Option<PathBuf> {
    Some(directories::ProjectDirs::from("", "", "handback")?.config_dir().join("handback.toml"))
}

/// The file's own permissions; where the system has none of the kind, nobody else is assumed.
#[cfg(unix)]
fn others_may_read(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(file).is_ok_and(|m| m.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn others_may_read(_file: &Path) -> bool {
    false
}

/// A secret or token that stands in the file itself.
fn holds_plain_secret(text: &str) -> bool {
    let lines = text.lines().map(|l| l.split('#').next().unwrap_or_default());
    lines.flat_map(|l| l.split([',', '{'])).any(|part| {
        let key = part.split('=').next().unwrap_or_default().trim();
        part.contains('=') && ["secret", "token"].contains(&key)
    })
}

fn unreadable(file: &Path, error: &std::io::Error, searched: bool) -> Fault {
    let text = match error.kind() {
        std::io::ErrorKind::NotFound if searched => {
            "there is no settings file here: write one (assets/handback.example.toml shows every key), or give --config FILE".to_owned()
        }
        std::io::ErrorKind::InvalidData => "is no UTF-8 text".to_owned(),
        _ => format!("can't be read: {error}"),
    };
    Fault::of_file(file, text)
}
