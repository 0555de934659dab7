//! A secret, from the one place that the file names: itself, an environment variable, another file, or the keyring.

use std::fs;

use super::{fault::Faults, keyring, table::Section};
use crate::model::settings::Secret;

/// Gives the value of an environment variable.
pub type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

/// The four keys of a secret (or of a token).
#[derive(Clone, Copy)]
pub struct Keys {
    pub plain: &'static str,
    pub env: &'static str,
    pub file: &'static str,
    pub keyring: &'static str,
}

pub const SECRET: Keys = Keys { plain: "secret", env: "secret_env", file: "secret_file", keyring: "secret_keyring" };
pub const TOKEN: Keys = Keys { plain: "token", env: "token_env", file: "token_file", keyring: "token_keyring" };

/// Reads the secret that the section names, if it names one. More than one is a fault.
pub fn read(section: &mut Section<'_>, keys: Keys, environment: Environment<'_>, faults: &mut Faults<'_>) -> Option<Secret> {
    let entries = [keys.plain, keys.env, keys.file, keys.keyring].map(|key| section.text(key, faults).map(|found| (key, found)));
    let mut given = entries.into_iter().flatten();
    let (key, (entry, text)) = given.next()?;
    if let Some((other, (second, _))) = given.next() {
        second.fault(format!("{key} is given too: keep one of {key} and {other}"), faults);
    }
    let secret = if key == keys.plain {
        Ok(text.to_owned())
    } else if key == keys.env {
        environment(text).ok_or_else(|| format!("the environment variable {text} is not set"))
    } else if key == keys.file {
        let path = faults.path(text);
        fs::read_to_string(&path)
            .map(|content| content.lines().next().unwrap_or_default().to_owned())
            .map_err(|error| format!("{} can't be read: {error}", path.display()))
    } else {
        keyring::read(text)
    };
    match secret {
        Ok(secret) if secret.is_empty() => entry.fault("names an empty secret", faults),
        Ok(secret) if secret.contains(char::is_control) => entry.fault("the secret holds a control character", faults),
        Ok(secret) => return Some(Secret::new(secret)),
        Err(text) => entry.fault(text, faults),
    }
    None
}
