//! `handback call`: one test call, to this bridge or to any other SIP endpoint.

use std::{
    io::{IsTerminal as _, Write as _},
    net::{IpAddr, Ipv4Addr, ToSocketAddrs as _},
    path::Path,
    process::ExitCode,
    sync::Arc,
};

#[cfg(feature = "console")]
use super::phone::Phone;
use super::{CallArgs, placed, told};
use crate::{
    engine::{Engine, EngineHandle, EngineSetup},
    model::{AudioSource, CallRecord, Command, TestCall, settings},
    sip::message::Uri,
    start,
    wire::route::local_address_for,
};

/// Runs the command: 0 the call went as asked, 1 it did not, 2 it could not be placed.
pub fn run(args: &CallArgs) -> ExitCode {
    let placed = order(args).and_then(|call| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
        let engine = engine(&call.uri, args.return_port, &args.codec)?;
        let phone = phone(&engine, &call).inspect_err(|_| end(&engine))?;
        let quiet = args.json || !std::io::stderr().is_terminal();
        let record = runtime.block_on(carry_out(&engine, call, quiet, phone));
        let messages = record.as_ref().map(|record| engine.messages(record.id)).unwrap_or_default();
        end(&engine);
        Ok((record?, messages))
    });
    match placed {
        Ok((record, messages)) => {
            let text = match args.json {
                true => format!("{:#}\n", told::as_json(&record, &messages)),
                false => told::as_text(&record, &messages),
            };
            // A reader that has gone away does not change how the call went.
            let _ = std::io::stdout().write_all(text.as_bytes());
            ExitCode::from(u8::from(!record.test_report.as_ref().is_some_and(|report| report.ok)))
        }
        Err(why) => {
            eprintln!("handback call: {why}");
            ExitCode::from(2)
        }
    }
}

fn end(engine: &EngineHandle) {
    engine.stop();
    engine.wait_ended();
}

/// Whoever speaks in person gets this machine's devices, open before the call is placed.
fn phone(engine: &EngineHandle, call: &TestCall) -> Result<Option<Phone>, String> {
    match call.audio {
        AudioSource::Microphone => Phone::open(engine).map(Some),
        _ => Ok(None),
    }
}

fn order(args: &CallArgs) -> Result<TestCall, String> {
    args.test_call(args.password_file.as_deref().map(password).transpose()?)
}

/// The first line of the file.
fn password(file: &Path) -> Result<settings::Secret, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(settings::Secret::new(line)),
        _ => Err(format!("{}: the first line holds no password", file.display())),
    }
}

/// An engine that plays the customer and nothing else, on free ports of the address that routes to `uri`.
fn engine(uri: &str, return_port: u16, codecs: &[settings::Codec]) -> Result<EngineHandle, String> {
    let limits = settings::Limits { drain_secs: 0, ..settings::Limits::default() };
    let address = local_address(uri);
    let media = settings::Media { address, ports: MEDIA_PORTS, codecs: codecs.to_vec() };
    let seed = getrandom::u64().map_err(|error| format!("the system gives no random numbers: {error}"))?;
    let parties = vec![start::customer(address, &media, None, return_port)];
    Engine::start(EngineSetup { parties, limits, recording: settings::Recording::default(), speech: None, desk: None, seed })
        .map_err(|error| error.to_string())
}

/// The address of this machine that the target sees. A name that only SRV records know is left to the engine to resolve.
fn local_address(uri: &str) -> IpAddr {
    let host = Uri::parse(uri).ok().and_then(|uri| uri.host().map(ToString::to_string)).unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let target = match bare.parse::<IpAddr>() {
        Ok(ip) => Some(ip),
        Err(_) => (bare, 5060).to_socket_addrs().ok().and_then(|mut found| found.next()).map(|found| found.ip()),
    };
    target.and_then(local_address_for).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

async fn carry_out(engine: &EngineHandle, call: TestCall, quiet: bool, phone: Option<Phone>) -> Result<Arc<CallRecord>, String> {
    let uri = call.uri.clone();
    let id = placed::place(engine, call).await?;
    if !quiet {
        eprintln!("Calling {uri}; Ctrl-C hangs up");
    }
    let wait = placed::wait_for_end(engine, |record| record.id == id);
    tokio::pin!(wait);
    let rings = async {
        match &phone {
            Some(phone) => phone.ring_along(engine, id).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(rings);
    let mut interrupts = 0;
    loop {
        tokio::select! {
            ended = &mut wait => {
                if let (Some(phone), Some(record)) = (&phone, &ended) {
                    phone.sound_end(record).await;
                }
                return ended.ok_or_else(|| "the engine ended before the call".to_owned());
            }
            () = &mut rings => return Err("the engine ended before the call".to_owned()),
            Ok(()) = tokio::signal::ctrl_c() => {
                interrupts += 1;
                if interrupts > 1 {
                    return Err("given up before the far side confirmed the end".to_owned());
                }
                let _ = engine.command(Command::HangUp { call: id }).await;
            }
        }
    }
}

/// Without sound devices there is no phone; the arguments say so before it is asked for.
#[cfg(not(feature = "console"))]
enum Phone {}

#[cfg(not(feature = "console"))]
impl Phone {
    fn open(_: &EngineHandle) -> Result<Self, String> {
        Err("this program was built without sound devices".to_owned())
    }

    async fn ring_along(&self, _: &EngineHandle, _: crate::model::CallId) {
        match *self {}
    }

    async fn sound_end(&self, _: &CallRecord) {
        match *self {}
    }
}

/// Ports that a bridge on the same machine does not use by default.
const MEDIA_PORTS: std::ops::RangeInclusive<u16> = 30_000..=39_999;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_the_first_line_of_its_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("secret");
        std::fs::write(&file, "open sesame\nnot this\n").expect("writes");
        assert_eq!(password(&file), Ok(settings::Secret::new("open sesame")));
        std::fs::write(&file, "\n").expect("writes");
        assert!(password(&file).is_err());
        assert!(password(Path::new("/nonexistent")).expect_err("missing").contains("/nonexistent"));
    }

    #[test]
    fn loopback_is_called_from_loopback() {
        assert_eq!(local_address("sip:b@127.0.0.1:5060"), IpAddr::V4(Ipv4Addr::LOCALHOST));
        assert_eq!(local_address("sip:b@[::1]:5060"), IpAddr::V6(std::net::Ipv6Addr::LOCALHOST));
    }
}
