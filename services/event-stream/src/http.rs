//! The routes. Each decodes, makes one call, and encodes.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use pas_journal::{ReadError, Reader};
use pas_service::web::{Failure, Json, Pairs, Text};
use pas_service::{clock, openapi};
use pas_types::error::ErrorEnvelope;
use pas_types::event::{
    Cursor, Event, EventFilter, HistoryPage, HistoryQuery, Posted, Published, PublishedBatch, Snapshot,
    StreamQuery,
};
use pas_types::{Error, limits};
use tokio_stream::wrappers::ReceiverStream;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::ENTRY;
use crate::app::App;
use crate::core::recent::Entry;
use crate::error::{Misplaced, Refusal};
use crate::records::{PART_BYTES, PART_RECORDS, entry};
use crate::sse;

/// Records that one request of a page looks at, at the most: a rare filter gets a short page, not a long wait.
const LOOKED_AT: usize = 50_000;
/// Parts of an export that wait for a slow reader.
const WAITING: usize = 4;

type Answer<T> = Result<Json<T>, Failure>;

/// The routes and their description.
pub fn routes(app: App) -> (Router, OpenApi) {
    let (router, openapi) = described().split_for_parts();
    (router.with_state(app), openapi)
}

/// The description of the routes.
pub fn openapi() -> OpenApi {
    described().into_openapi()
}

fn described() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::base(&ENTRY))
        .routes(routes!(publish, history))
        .routes(routes!(stream))
        .routes(routes!(export))
        .routes(routes!(snapshot))
}

/// Publishes an event, or an array of up to 5,000 of them, which is taken whole or not at all. Answered when the journal
/// has it. What came before under the same `idempotency_key` is not kept twice; its place is answered again.
#[utoipa::path(post, path = "/events", request_body(content = Event, description = "An event, or an array of events"),
    responses(
    (status = 201, description = "The place of the event; of an array: `PublishedBatch`", body = Published),
    (status = 200, description = "Everything had come before", body = PublishedBatch),
    (status = 400, description = "Not an event; `field` says where", body = ErrorEnvelope),
    (status = 413, description = "An event, or an array, that is too large", body = ErrorEnvelope),
    (status = 503, description = "It can't be written now", body = ErrorEnvelope),
))]
async fn publish(
    State(app): State<App>,
    Text(body): Text<{ limits::BATCH_BYTES }>,
) -> Result<Response, Failure> {
    let (events, single) = match Posted::read(&body, clock::now().wall.into())? {
        Posted::One(event) => (vec![*event], true),
        Posted::Batch(events) => (events, false),
    };
    let placed = app.publish(events).await.map_err(failure)?;
    let status = if placed.fresh.is_some() { StatusCode::CREATED } else { StatusCode::OK };
    let (epoch, (first_seq, last_seq)) = (placed.epoch, placed.span);
    let cursor = app.cursor(last_seq);
    Ok(if single {
        (status, Json(Published { epoch, seq: first_seq, cursor })).into_response()
    } else {
        (status, Json(PublishedBatch { epoch, first_seq, last_seq, cursor })).into_response()
    })
}

/// A page of what happened, oldest first. It may be shorter than `limit`, or empty, where little is wanted of much: the
/// end is where `next_cursor` is null.
#[utoipa::path(get, path = "/events", params(EventFilter, HistoryQuery), responses(
    (status = 200, description = "A page of events", body = HistoryPage),
    (status = 400, description = "A filter that isn't one, or a cursor of no place", body = ErrorEnvelope),
    (status = 503, description = "It can't be read now", body = ErrorEnvelope),
))]
async fn history(State(app): State<App>, query: Pairs) -> Answer<HistoryPage> {
    let query = HistoryQuery::from_pairs(query.iter())?;
    let start = locate(&app, query.since)?;
    let read = tokio::task::spawn_blocking(move || page(&app, &query, start)).await;
    read.map_err(|_| failure(Refusal::Stopping))?.map(Json).map_err(failure)
}

fn page(app: &App, query: &HistoryQuery, start: u64) -> Result<HistoryPage, Refusal> {
    let (size, mut looked_at, mut bytes) = (query.page_size(), 0, 0);
    let mut reader = app.reader(start);
    let mut events = Vec::new();
    let mut at = start;
    'page: while looked_at < LOOKED_AT {
        let records = match reader.read(PART_RECORDS, PART_BYTES) {
            Ok(records) => records,
            // Who gave no cursor asked for what is kept, which begins later since the look.
            Err(ReadError::Gone { oldest }) if query.since.is_none() && looked_at == 0 => {
                at = oldest - 1;
                reader = app.reader(at);
                continue;
            }
            Err(error) => return Err(unreadable(app, query.since.unwrap_or(app.cursor(at)), error)),
        };
        if records.is_empty() {
            at = reader.after();
            break;
        }
        for entry in records.into_iter().filter_map(entry) {
            (at, looked_at) = (entry.seq, looked_at + 1);
            if query.filter.admits(&entry.header) {
                bytes += entry.line.get().len();
                events.push(entry.line.clone());
            }
            if events.len() == size || bytes > limits::BATCH_BYTES {
                break 'page;
            }
        }
    }
    let (head, oldest) = (app.head(), app.oldest());
    let next_cursor = (at < head).then(|| app.cursor(at));
    Ok(HistoryPage { events, next_cursor, cursor: app.cursor(at), epoch: app.epoch(), head, oldest })
}

/// What happens, as it happens: server-sent events, whose ids are cursors. Begins after `Last-Event-ID` or `since`; without
/// either, now.
#[utoipa::path(get, path = "/events/stream", params(EventFilter, StreamQuery,
    ("Last-Event-ID" = Option<Cursor>, Header, description = "After this place; if it can't be, an event `reset` comes first")),
    responses(
    (status = 200, description = "The events", content_type = "text/event-stream", body = String),
    (status = 400, description = "A filter that isn't one, or a cursor of no place", body = ErrorEnvelope),
))]
async fn stream(State(app): State<App>, query: Pairs, headers: HeaderMap) -> Result<Response, Failure> {
    let query = StreamQuery::from_pairs(query.iter())?;
    // Who has seen nothing may say so by an empty one.
    let last = headers.get("last-event-id").filter(|id| !id.is_empty());
    let start = match last.map(|id| id.to_str().unwrap_or_default().parse::<Cursor>()) {
        Some(Ok(cursor)) => sse::Start::resume(&app, cursor),
        Some(Err(error)) => return Err(Failure(error.with_field("last-event-id"))),
        None => {
            sse::Start::at(query.since.map_or_else(|| Ok(app.head()), |since| locate(&app, Some(since)))?)
        }
    };
    let body = Body::from_stream(sse::stream(app, query.filter, start));
    let kind = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    Ok((kind, body).into_response())
}

/// Everything that is kept, or what came after `since`, up to now: a JSON object a line, oldest first.
#[utoipa::path(get, path = "/events/export", params(EventFilter, StreamQuery), responses(
    (status = 200, description = "The events", content_type = "application/x-ndjson", body = String),
    (status = 400, description = "A filter that isn't one, or a cursor of no place", body = ErrorEnvelope),
))]
async fn export(State(app): State<App>, query: Pairs) -> Result<Response, Failure> {
    let query = StreamQuery::from_pairs(query.iter())?;
    let start = locate(&app, query.since)?;
    let head = app.head();
    let (out, parts) = tokio::sync::mpsc::channel::<std::io::Result<Bytes>>(WAITING);
    let (tasks, shutdown) = (app.shared.tasks.clone(), app.shared.shutdown.clone());
    tasks.spawn(async move {
        let mut reader = app.reader(start);
        while reader.after() < head && !out.is_closed() {
            let filter = query.filter.clone();
            // A thread for each part alone: who takes its time holds none.
            let read = tokio::task::spawn_blocking(move || {
                let lines = lines(&mut reader, head, &filter)?;
                Ok::<_, ReadError>((reader, lines))
            });
            let part = match read.await {
                _ if shutdown.is_cancelled() => Err(std::io::ErrorKind::Interrupted.into()),
                Ok(Ok(part)) => Ok(part),
                Ok(Err(error)) => Err(std::io::Error::other(error)),
                Err(error) => Err(std::io::Error::other(error)),
            };
            let lines = match part {
                Ok((read, lines)) => {
                    reader = read;
                    lines
                }
                // The body ends without its end, so that the reader knows that it lacks something.
                Err(error) => return drop(out.send(Err(error)).await),
            };
            if !lines.is_empty() && out.send(Ok(lines)).await.is_err() {
                return;
            }
        }
    });
    let body = Body::from_stream(ReceiverStream::new(parts));
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], body).into_response())
}

/// The next lines of an export that are wanted.
fn lines(reader: &mut Reader, head: u64, filter: &EventFilter) -> Result<Bytes, ReadError> {
    let mut lines = Vec::new();
    let records = reader.read(PART_RECORDS, PART_BYTES)?;
    let wanted = |entry: &Arc<Entry>| entry.seq <= head && filter.admits(&entry.header);
    for entry in records.into_iter().filter_map(entry).filter(wanted) {
        lines.extend_from_slice(entry.line.get().as_bytes());
        lines.push(b'\n');
    }
    Ok(lines.into())
}

/// The latest `heartbeat` and `status_update` of each agent.
#[utoipa::path(get, path = "/snapshot", responses(
    (status = 200, description = "The agents, by name", body = Snapshot),
    (status = 503, description = "The past is still being read", body = ErrorEnvelope),
))]
async fn snapshot(State(app): State<App>) -> Answer<Snapshot> {
    app.snapshot().map(Json).map_err(failure)
}

/// The place after which to read: that of the cursor; without one, before the oldest.
fn locate(app: &App, since: Option<Cursor>) -> Result<u64, Failure> {
    let start = since.map_or(Ok(app.oldest() - 1), |since| app.locate(since));
    start.map_err(|misplaced| failure(Refusal::Cursor(misplaced)))
}

fn unreadable(app: &App, given: Cursor, error: ReadError) -> Refusal {
    match error {
        // Between the look and the read.
        ReadError::Gone { oldest } => {
            Refusal::Cursor(Misplaced::Gone { given, before_oldest: app.cursor(oldest - 1) })
        }
        ReadError::Io(error) => {
            tracing::error!(%error, "the journal can't be read");
            Refusal::CannotRead
        }
    }
}

fn failure(refusal: Refusal) -> Failure {
    Failure(Error::from(refusal))
}
