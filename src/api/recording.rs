//! `/v1/calls/{id}/record` and `/v1/calls/{id}/recording.wav`: recordings, begun and ended by scripts, and fetched.

use std::{fs::File, io::Read as _};

use axum::{
    body::{Body, Bytes},
    extract::{Path, State},
    http::header,
    response::{IntoResponse as _, Response},
};
use futures_util::stream;
use serde::Deserialize;

use super::{
    calls::{accepted, off_the_loop, parse, record as record_of},
    control::Control,
    fault::Fault,
};
use crate::model::Command;

/// `{"on": true}` begins it, `false` ends it.
pub(super) async fn record(State(control): State<Control>, Path(id): Path<String>, body: Bytes) -> Result<Response, Fault> {
    let call = record_of(&control, &id).await?.id;
    let Record { on } = parse(&body)?;
    accepted(control.engine.command(Command::Record { call, on }).await)
}

/// The file as it is now: of a call that goes on, up to the last second.
pub(super) async fn file(State(control): State<Control>, Path(id): Path<String>) -> Result<Response, Fault> {
    let record = record_of(&control, &id).await?;
    let Some(recording) = &record.recording else {
        return Err(Fault::not_found(format!("Call {} was not recorded", record.id)));
    };
    let path = recording.file.clone();
    let opened = off_the_loop(move || File::open(&path)).await?;
    let file = opened.map_err(|error| match (error.kind(), recording.goes_on()) {
        (std::io::ErrorKind::NotFound, true) => Fault::conflict("The recording has just begun: ask again in a second or two".to_owned()),
        (std::io::ErrorKind::NotFound, false) => Fault::not_found(format!("{} is no longer there", recording.file.display())),
        _ => Fault::unavailable(format!("{}: {error}", recording.file.display())),
    })?;
    let name = format!("attachment; filename=\"{}.wav\"", record.id);
    let body = Body::from_stream(stream::unfold(Some(file), |file| async {
        let mut file = file?;
        let read = tokio::task::spawn_blocking(move || {
            let mut piece = vec![0; PIECE];
            let length = file.read(&mut piece);
            (
                file,
                length.map(|length| {
                    piece.truncate(length);
                    Bytes::from(piece)
                }),
            )
        });
        match read.await {
            Ok((_, Ok(piece))) if piece.is_empty() => None,
            Ok((file, Ok(piece))) => Some((Ok(piece), Some(file))),
            Ok((_, Err(error))) => Some((Err(error), None)),
            Err(_) => None,
        }
    }));
    Ok(([(header::CONTENT_TYPE, "audio/wav"), (header::CONTENT_DISPOSITION, name.as_str())], body).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    on: bool,
}

const PIECE: usize = 256 << 10;
