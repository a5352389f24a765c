//! What is asked of receipts.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, header};
use pas_service::web::{Failure, Json, Pairs, Segment};
use pas_types::error::ErrorEnvelope;
use pas_types::id::CallId;
use pas_types::receipt::{
    ReceiptFilter, ReceiptPage, ReceiptQuery, ReceiptStats, RoutingReceipt, StatsFormat, StatsQuery, path,
};
use serde_json::value::RawValue;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::Error;
use crate::receipts::Receipts;

const NEXT_CURSOR: HeaderName = HeaderName::from_static("x-next-cursor");
const BEHIND: HeaderName = HeaderName::from_static("x-pas-behind");

type Answer<T> = Result<Json<T>, Failure>;

/// The routes.
pub(super) fn described() -> OpenApiRouter<Receipts> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(stats)).routes(routes!(receipt))
}

/// Lists receipts, those of the latest calls first. A page may be shorter than `limit`, or empty, where little is wanted of
/// much: the end is where `next_cursor` is null.
#[utoipa::path(get, path = path::RECEIPTS, params(ReceiptFilter, ReceiptQuery), responses(
    (status = 200, description = "A page of receipts", body = ReceiptPage),
    (status = 400, description = "A filter that isn't one, or a cursor of no page", body = ErrorEnvelope),
    (status = 422, description = "This gateway keeps no index", body = ErrorEnvelope),
    (status = 503, description = "The index can't be read now", body = ErrorEnvelope),
))]
async fn list(State(receipts): State<Receipts>, query: Pairs) -> Answer<ReceiptPage> {
    let query = ReceiptQuery::from_pairs(query.iter())?;
    look(move || receipts.page(&query)).await.map(Json)
}

/// Shows the receipt of a call. Whoever has the answer of the call finds it.
#[utoipa::path(get, path = path::RECEIPT, params(("run_id" = CallId, Path, description = "The call")), responses(
    (status = 200, description = "The receipt", body = RoutingReceipt),
    (status = 400, description = "No id of a call", body = ErrorEnvelope),
    (status = 404, description = "No receipt of such a call, or no longer", body = ErrorEnvelope),
    (status = 503, description = "The index can't tell yet", body = ErrorEnvelope),
))]
async fn receipt(
    State(receipts): State<Receipts>,
    Segment(run_id): Segment<CallId>,
) -> Answer<Box<RawValue>> {
    look(move || receipts.receipt(&run_id)).await.map(Json)
}

/// Sums receipts by group. As a table (`format=csv`) the cursor of the next page is in the header `x-next-cursor`, and how much the
/// sums lack in `x-pas-behind`.
#[utoipa::path(get, path = path::STATS, params(ReceiptFilter, StatsQuery), responses(
    (status = 200, description = "The sums", content(
        (ReceiptStats = "application/json"),
        (String = "text/csv"),
    )),
    (status = 400, description = "No group, or a filter that isn't one", body = ErrorEnvelope),
    (status = 422, description = "This gateway keeps no index", body = ErrorEnvelope),
    (status = 503, description = "The index can't be read now", body = ErrorEnvelope),
))]
async fn stats(State(receipts): State<Receipts>, query: Pairs) -> Result<Response, Failure> {
    let query = StatsQuery::from_pairs(query.iter())?;
    let format = query.format;
    let stats = look(move || receipts.stats(&query)).await?;
    Ok(match format {
        StatsFormat::Json => Json(stats).into_response(),
        StatsFormat::Csv => {
            let table = [(header::CONTENT_TYPE, "text/csv; charset=utf-8")];
            let mut response = (table, stats.to_csv()).into_response();
            // What can't stand in a header is in the JSON.
            let next = stats.next_cursor.and_then(|cursor| HeaderValue::try_from(cursor).ok());
            response.headers_mut().extend(next.map(|next| (NEXT_CURSOR, next)));
            response.headers_mut().extend(stats.behind.map(|behind| (BEHIND, HeaderValue::from(behind))));
            response
        }
    })
}

/// Looks in a thread that may wait.
async fn look<T: Send + 'static>(
    look: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Failure> {
    let looked = tokio::task::spawn_blocking(look).await.unwrap_or(Err(Error::Cut));
    looked.map_err(|error| Failure(error.into()))
}
