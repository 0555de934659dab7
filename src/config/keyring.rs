//! Secrets of the service `handback` in the system's keyring, by their names.

use std::{sync::mpsc, time::Duration};

use keyring::Entry;

/// # Errors
/// One sentence: there is no keyring, or no such entry.
pub fn read(name: &str) -> Result<String, String> {
    let asked = name.to_owned();
    in_time(move || Entry::new(SERVICE, &asked)?.get_password()).map_err(|why| match why {
        Fault::Keyring(keyring::Error::NoEntry) => format!("the keyring has no entry {name:?} of the service {SERVICE:?}"),
        other => format!("the keyring can't be read: {other}"),
    })
}

/// # Errors
/// One sentence: there is no keyring, or it takes nothing.
pub fn write(name: &str, secret: &str) -> Result<(), String> {
    let (name, secret) = (name.to_owned(), secret.to_owned());
    in_time(move || Entry::new(SERVICE, &name)?.set_password(&secret)).map_err(|why| format!("the keyring can't be written: {why}"))
}

#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Keyring(keyring::Error),
    #[error("it does not answer")]
    Silent,
}

/// A keyring that asks its user for a password, or a bus that is stuck, must not hold up a start for ever.
fn in_time<T: Send + 'static>(ask: impl FnOnce() -> Result<T, keyring::Error> + Send + 'static) -> Result<T, Fault> {
    let (sender, answer) = mpsc::sync_channel(1);
    let asker = std::thread::Builder::new().name("handback-keyring".to_owned()).spawn(move || {
        let _ = sender.send(ask());
    });
    if asker.is_err() {
        return Err(Fault::Silent);
    }
    answer.recv_timeout(PATIENCE).map_err(|_| Fault::Silent)?.map_err(Fault::Keyring)
}

const SERVICE: &str = "handback";
const PATIENCE: Duration = Duration::from_secs(20);
