//! Which thread goes first: one that carries sound is late where it waits for those that do not.

/// Lets the calling thread go before others, where the system permits it (`CAP_SYS_NICE`, or a limit `nice` of the user's).
/// Without that permission it stays as it was.
pub fn go_first() {
    #[cfg(target_os = "linux")]
    // Linux takes "this process" for the calling thread alone (setpriority(2), C library/kernel differences).
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        tracing::debug!(%error, "a thread of sound has no priority over others");
    }
}

/// What sound servers take for themselves.
#[cfg(target_os = "linux")]
const NICE: i32 = -11;
