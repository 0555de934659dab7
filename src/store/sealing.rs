//! Passwords sealed with a key that is not in the database: from the system's keyring, or else a 0600 file beside it.

use std::{
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    sync::mpsc,
    time::Duration,
};

use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit as _,
    aead::{Aead as _, Payload},
};

use super::{
    fault::StoreError,
    file::{beside, private_file},
};
use crate::model::settings::Secret;

/// See the module.
pub struct Seal(ChaCha20Poly1305);

type Key = [u8; 32];

impl Seal {
    /// With the key file beside the database where there is one, else with the keyring's key; where there is no
    /// keyring (a server without a session), a key file is made.
    ///
    /// # Errors
    /// The key file can't be made, or holds no key.
    pub fn for_database(path: &Path) -> Result<Self, StoreError> {
        let key_path = beside(path, "-key");
        // Only a missing file may bring up another key: one that can't be read must be mended, not replaced.
        if !key_path.exists()
            && let Some(key) = from_keyring()
        {
            return Ok(Self::with(&key));
        }
        Ok(Self::with(&from_file(key_path)?))
    }

    /// With a key of its own: for a database that ends with this process.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn for_memory() -> Result<Self, StoreError> {
        Ok(Self::with(&random()?))
    }

    fn with(key: &Key) -> Self {
        Self(ChaCha20Poly1305::new(key.into()))
    }

    /// Nonce and ciphertext, bound to the transfer: moved to another row it does not open.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn seal(&self, transfer: &str, secret: &Secret) -> Result<Vec<u8>, StoreError> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(StoreError::Random)?;
        let payload = Payload { msg: secret.reveal().as_bytes(), aad: transfer.as_bytes() };
        // Fails for texts of more than 256 GiB only.
        let sealed = self.0.encrypt(&nonce.into(), payload).unwrap_or_default();
        Ok([&nonce[..], &sealed].concat())
    }

    /// The password again; `None` where the key is another one, or the bytes are damaged.
    pub fn open(&self, transfer: &str, sealed: &[u8]) -> Option<Secret> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
        let opened = self.0.decrypt(nonce.into(), Payload { msg: sealed, aad: transfer.as_bytes() }).ok()?;
        String::from_utf8(opened).ok().map(Secret::new)
    }
}

fn random() -> Result<Key, StoreError> {
    let mut key = Key::default();
    getrandom::fill(&mut key).map_err(StoreError::Random)?;
    Ok(key)
}

/// One key for all databases of this user. Asked on a thread of its own: a locked keyring asks its user, who may be away.
fn from_keyring() -> Option<Key> {
    let (sender, answer) = mpsc::sync_channel(1);
    let ask = move || {
        let _ = sender.send(ask_keyring());
    };
    std::thread::Builder::new().name("handback-keyring".to_owned()).spawn(ask).ok()?;
    match answer.recv_timeout(KEYRING_WAIT) {
        Ok(Ok(key)) => Some(key),
        Ok(Err(why)) => {
            tracing::debug!("no key from the keyring: {why}");
            None
        }
        Err(_) => {
            tracing::warn!("the keyring does not answer; the key goes into a file");
            None
        }
    }
}

fn ask_keyring() -> Result<Key, String> {
    let entry = keyring::Entry::new("handback", "store key").map_err(|why| why.to_string())?;
    match entry.get_secret() {
        Ok(secret) => Key::try_from(secret).map_err(|_| "its entry \"handback\" holds something else".to_owned()),
        Err(keyring::Error::NoEntry) => {
            let key = random().map_err(|why| why.to_string())?;
            entry.set_secret(&key).map_err(|why| why.to_string())?;
            // A keyring that forgets at once is none.
            entry.get_secret().ok().filter(|kept| kept[..] == key).map(|_| key).ok_or_else(|| "it keeps nothing".to_owned())
        }
        Err(why) => Err(why.to_string()),
    }
}

fn from_file(path: PathBuf) -> Result<Key, StoreError> {
    let fault = |why: std::io::Error| StoreError::File { path: path.clone(), why };
    let mut file = private_file(&path).map_err(fault)?;
    let mut kept = Vec::new();
    (&file).take(KEY as u64 + 1).read_to_end(&mut kept).map_err(fault)?;
    if kept.is_empty() {
        let key = random()?;
        file.write_all(&key).and_then(|()| file.sync_all()).map_err(fault)?;
        return Ok(key);
    }
    Key::try_from(kept).map_err(|_| StoreError::Key {
        why: format!("is no key of {KEY} bytes: restore it, or delete it (call transfers that wait lose their passwords)"),
        path,
    })
}

const NONCE: usize = 12;
const KEY: usize = 32;
const KEYRING_WAIT: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_with_the_same_key_for_the_same_transfer_only() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("h.db");
        let made = Seal(Seal::with(&from_file(beside(&database, "-key")).unwrap()).0);
        let sealed = made.seal("a", &Secret::new("pässword")).unwrap();
        assert!(!sealed.windows(4).any(|w| w == b"word"));
        assert_ne!(sealed, made.seal("a", &Secret::new("pässword")).unwrap(), "never the same nonce");

        let again = Seal::for_database(&database).unwrap();
        assert_eq!(again.open("a", &sealed).map(|s| s.reveal().to_owned()).as_deref(), Some("pässword"));
        assert!(again.open("b", &sealed).is_none());
        assert!(again.open("a", &sealed[..20]).is_none() && again.open("a", &[]).is_none());
        assert!(Seal::for_memory().unwrap().open("a", &sealed).is_none());
    }

    #[test]
    fn a_key_file_is_its_users_alone_and_a_damaged_one_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("h.db");
        let key = beside(&database, "-key");
        from_file(key.clone()).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        }
        std::fs::write(&key, "short").unwrap();
        let fault = Seal::for_database(&database).err().unwrap().to_string();
        assert!(fault.contains("h.db-key") && fault.contains("32 bytes"), "{fault}");
        assert_eq!(std::fs::read(&key).unwrap(), b"short");
    }
}
