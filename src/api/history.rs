//! `GET /v1/calls` and `GET /v1/calls/export`: live, recent and past calls by filters, page by page, the newest first.
//!
//! Live and recent calls are the engine's; older ones are the store's. Both are asked with the same filter, and a call
//! that both know is the engine's.

use std::{collections::HashSet, ops::ControlFlow, sync::Arc};

use axum::{
    Json,
    extract::{Query, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::{calls::off_the_loop, control::Control, fault::Fault};
use crate::{
    export::{
        self,
        case::{Contents, Values},
    },
    model::{CallFilter, CallId, CallPlace, CallRecord, CallSound, CapturedMessage, Timestamp, WholeCall},
    store::{HistoryQuery, StoreHandle},
};

/// What a query asks for.
#[derive(Debug, Default, PartialEq)]
struct Asked {
    filter: CallFilter,
    /// Only these, where any are named.
    ids: Vec<CallId>,
    before: Option<CallPlace>,
    most: usize,
    format: Format,
    raw: bool,
    /// Of a case: variables' values as they are, and the sound.
    values: Values,
    rtp: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
enum Format {
    #[default]
    Json,
    Csv,
    Pcap,
    Case,
}

pub(super) async fn list(State(control): State<Control>, Query(pairs): Query<Vec<(String, String)>>) -> Result<Response, Fault> {
    let asked = Asked::read(&pairs)?;
    let snapshot = control.engine.snapshot_now().await;
    let (calls, next) = page(&control, &snapshot.calls, &asked).await?;
    let next = next.map(|place| place.to_string());
    Ok(Json(json!({ "at": snapshot.at, "seq": snapshot.seq, "calls": calls, "next": next })).into_response())
}

/// The same calls as one file: JSON with their messages, CSV, one capture, or a case. Credentials are blanked unless `raw=true`.
pub(super) async fn export(State(control): State<Control>, Query(pairs): Query<Vec<(String, String)>>) -> Result<Response, Fault> {
    let asked = Asked::read(&pairs)?;
    let snapshot = control.engine.snapshot_now().await;
    let (calls, next) = page(&control, &snapshot.calls, &asked).await?;
    let (kind, ending, body) = match asked.format {
        Format::Csv => ("text/csv; charset=utf-8", "csv", export::csv::calls(calls.iter().map(|call| &**call)).into_bytes()),
        Format::Json => {
            let mut list = Vec::with_capacity(calls.len());
            for call in &calls {
                let messages = messages(&control, call.id).await?;
                list.push(json!({ "call": call, "messages": export::json::messages(call, &messages, asked.raw) }));
            }
            ("application/json", "json", serde_json::to_vec(&list).unwrap_or_default())
        }
        Format::Case => ("application/zip", export::case::ENDING, case(&control, &calls, &asked, snapshot.at).await?),
        Format::Pcap => {
            let (mut all, mut packets) = (Vec::new(), Vec::new());
            for call in &calls {
                all.extend(messages(&control, call.id).await?);
                packets.extend(control.engine.rtp(call.id).await);
            }
            ("application/vnd.tcpdump.pcap", "pcap", export::pcap::file(&all, &packets, asked.raw))
        }
    };
    let mut answer = ([(header::CONTENT_TYPE, kind)], body).into_response();
    let disposition = format!("attachment; filename=\"calls.{ending}\"");
    answer.headers_mut().extend(HeaderValue::try_from(disposition).ok().map(|value| (header::CONTENT_DISPOSITION, value)));
    // RFC 8288: where the selection goes on.
    let link = next.map(|place| format!("<?before={place}>; rel=\"next\""));
    answer.headers_mut().extend(link.and_then(|link| HeaderValue::try_from(link).ok()).map(|value| (header::LINK, value)));
    Ok(answer)
}

/// The calls as one case file: values as tokens unless `values=as-is`, with sound where `rtp=true`.
async fn case(control: &Control, calls: &[Arc<CallRecord>], asked: &Asked, made_at: Timestamp) -> Result<Vec<u8>, Fault> {
    let (mut whole, mut sound) = (Vec::with_capacity(calls.len()), Vec::new());
    for call in calls {
        whole.push(self::whole(control, call.clone()).await?);
        if asked.rtp {
            sound.push(control.engine.rtp(call.id).await);
        }
    }
    let (values, rtp) = (asked.values, asked.rtp);
    let written = off_the_loop(move || {
        let contents = Contents { calls: &whole, rtp: rtp.then_some(sound.as_slice()), values, made_at };
        export::case::write(&contents, |_| ControlFlow::Continue(()))
    });
    written.await?.map_err(|why| Fault::unavailable(why.to_string()))
}

/// One call, live, recent or past.
pub(super) async fn record(control: &Control, id: CallId) -> Result<Arc<CallRecord>, Fault> {
    let snapshot = control.engine.snapshot_now().await;
    record_among(control, &snapshot.calls, id).await
}

/// One call, of those in memory or of the store's.
async fn record_among(control: &Control, live: &[Arc<CallRecord>], id: CallId) -> Result<Arc<CallRecord>, Fault> {
    if let Some(found) = live.iter().find(|record| record.id == id) {
        return Ok(found.clone());
    }
    let past = of_store(control, move |store| store.call(id)).await?.flatten();
    past.map(|past| Arc::new(past.record)).ok_or_else(|| {
        Fault::not_found(format!("There is no call {id}; it may have been removed: GET /v1/calls lists those that are kept"))
    })
}

/// Every message of a call's legs, from memory or, for past calls, from the store.
pub(super) async fn messages(control: &Control, id: CallId) -> Result<Vec<CapturedMessage>, Fault> {
    let kept = control.engine.messages(id);
    if !kept.is_empty() {
        return Ok(kept);
    }
    Ok(of_store(control, move |store| store.messages(id)).await?.flatten().unwrap_or_default())
}

/// How a call sounded, from memory or, for past calls, from the store.
pub(super) async fn sound(control: &Control, id: CallId) -> Result<Option<Arc<CallSound>>, Fault> {
    let known = control.engine.sound_of(id);
    if known.is_some() {
        return Ok(known);
    }
    Ok(of_store(control, move |store| store.sound(id)).await?.flatten().map(Arc::new))
}

/// All that is kept of a call.
pub(super) async fn whole(control: &Control, record: Arc<CallRecord>) -> Result<WholeCall, Fault> {
    let (messages, sound) = (messages(control, record.id).await?, sound(control, record.id).await?);
    Ok(WholeCall { record, messages, sound })
}

async fn page(control: &Control, live: &[Arc<CallRecord>], asked: &Asked) -> Result<(Vec<Arc<CallRecord>>, Option<CallPlace>), Fault> {
    if !asked.ids.is_empty() {
        let mut calls = Vec::with_capacity(asked.ids.len());
        for id in &asked.ids {
            calls.push(record_among(control, live, *id).await?);
        }
        return Ok((calls, None));
    }
    let wanted = |record: &CallRecord| asked.filter.matches(record) && asked.before.is_none_or(|before| CallPlace::of(record) < before);
    let known: HashSet<CallId> = live.iter().map(|record| record.id).collect();
    let mut calls: Vec<Arc<CallRecord>> = live.iter().filter(|record| wanted(record)).cloned().collect();
    // One more than asked for tells whether there is a next page; a call that is live, too, is no news.
    let mut query = HistoryQuery { filter: asked.filter.clone(), before: asked.before, most: asked.most + 1, ..HistoryQuery::default() };
    while calls.len() <= asked.most {
        let this = query.clone();
        let Some(past) = of_store(control, move |store| store.history(&this)).await? else { break };
        calls.extend(past.calls.into_iter().map(|past| past.record).filter(|r| !known.contains(&r.id) && wanted(r)).map(Arc::new));
        match past.next {
            Some(next) => query.before = Some(next),
            None => break,
        }
    }
    calls.sort_by_key(|record| std::cmp::Reverse(CallPlace::of(record)));
    let more = calls.len() > asked.most;
    calls.truncate(asked.most);
    let next = calls.last().filter(|_| more).map(|record| CallPlace::of(record));
    Ok((calls, next))
}

/// Asks the store on a thread for such things; `None` where there is none.
async fn of_store<T: Send + 'static, E: std::fmt::Display + Send + 'static>(
    control: &Control,
    ask: impl FnOnce(&StoreHandle) -> Result<T, E> + Send + 'static,
) -> Result<Option<T>, Fault> {
    let Some(store) = control.store.clone() else { return Ok(None) };
    let answer = tokio::task::spawn_blocking(move || ask(&store)).await;
    match answer {
        Ok(Ok(answer)) => Ok(Some(answer)),
        Ok(Err(why)) => Err(Fault::unavailable(format!("Past calls can't be read now: {why}"))),
        Err(_) => Err(Fault::unavailable("Past calls can't be read now".to_owned())),
    }
}

impl Asked {
    fn read(pairs: &[(String, String)]) -> Result<Self, Fault> {
        let mut asked = Self { most: MOST, ..Self::default() };
        for (name, value) in pairs {
            match name.as_str() {
                "limit" => {
                    let most = value.parse().ok().filter(|most| (1..=MOST).contains(most));
                    asked.most = most.ok_or_else(|| Fault::bad_request(format!("limit is a number from 1 to {MOST}, not {value:?}")))?;
                }
                "before" => asked.before = Some(value.parse().map_err(|why| Fault::bad_request(format!("{why}, not {value:?}")))?),
                "id" if asked.ids.len() < MOST => {
                    asked.ids.push(value.parse().map_err(|why| Fault::bad_request(format!("id {value:?}: {why}")))?);
                }
                "id" => return Err(Fault::bad_request(format!("at most {MOST} ids at once"))),
                "raw" => asked.raw = value == "true",
                "rtp" => asked.rtp = value == "true",
                "values" => {
                    asked.values = match value.as_str() {
                        "tokens" => Values::Tokens,
                        "as-is" => Values::AsIs,
                        _ => return Err(Fault::bad_request(format!("values is tokens or as-is, not {value:?}"))),
                    };
                }
                "format" => {
                    asked.format = match value.as_str() {
                        "json" => Format::Json,
                        "csv" => Format::Csv,
                        "pcap" => Format::Pcap,
                        "case" => Format::Case,
                        _ => return Err(Fault::bad_request(format!("format is json, csv, pcap or case, not {value:?}"))),
                    };
                }
                _ => asked.filter.set(name, value, rfc3339).map_err(|why| Fault::bad_request(why.to_string()))?,
            }
        }
        Ok(asked)
    }
}

fn rfc3339(text: &str) -> Option<Timestamp> {
    let at: jiff::Timestamp = text.parse().ok()?;
    u64::try_from(at.as_microsecond()).ok().map(Timestamp)
}

/// Calls in one answer.
const MOST: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(pairs: &[(&str, &str)]) -> Result<Asked, String> {
        let pairs: Vec<_> = pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Asked::read(&pairs).map_err(|fault| fault.1)
    }

    #[test]
    fn a_query_is_filters_and_a_page() {
        let read = asked(&[("task", "billing"), ("from", "2026-11-21T14:00:00Z"), ("limit", "20"), ("format", "csv")]).unwrap();
        assert_eq!(read.filter.from, Some(Timestamp(1_795_269_600_000_000)));
        assert_eq!((read.filter.task.as_deref(), read.most, read.format), (Some("billing"), 20, Format::Csv));
    }

    #[test]
    fn a_query_that_cannot_be_read_names_what_is_wrong() {
        for (name, value, says) in [
            ("limit", "0", "1 to 1000"),
            ("before", "x", "`next` of an earlier page"),
            ("id", "x", "13 characters"),
            ("format", "xml", "csv"),
            ("colour", "blue", "var.NAME"),
        ] {
            assert!(asked(&[(name, value)]).unwrap_err().contains(says), "{name}");
        }
    }
}
