//! What all routes of providers' dialects share: a request is decoded into a call, and what it came to is encoded.

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::any;
use bytes::Bytes;
use http::HeaderMap;
use pas_dialects::request::Asked;
use pas_dialects::{Dialect, Family};
use pas_service::{clock, request, web};
use pas_types::event::CallStatus;
use pas_types::id::CallId;
use pas_types::invoke::{Target, TargetType};
use pas_types::receipt::RoutingReceipt;
use pas_types::time::Now;
use pas_types::{Error, limits};
use pas_upstream::headers::onward;

use super::{encode, waiting};
use crate::app::App;
use crate::call::{Call, Form, Handed, Operation, Wishes};
use crate::pipeline;

/// A request of a dialect, as its route knows it.
pub(super) struct Asking {
    /// The route, as receipts name it.
    pub(super) route: &'static str,
    /// What is to be done.
    pub(super) operation: Operation,
    /// The model, where the path names it.
    pub(super) model: Option<String>,
    /// The answer's form, where the path tells.
    pub(super) form: Option<Form>,
}

impl Asking {
    /// Of a request that says all else in its body.
    pub(super) fn of(route: &'static str, operation: Operation) -> Self {
        Self { route, operation, model: None, form: None }
    }
}

/// What every call begins with.
pub(super) struct Begun {
    pub(super) run_id: CallId,
    pub(super) request_id: String,
    pub(super) came: Now,
}

impl Begun {
    pub(super) fn now(app: &App) -> Self {
        let came = clock::now();
        Self { run_id: app.receipts().next_id(came), request_id: request::id().unwrap_or_default(), came }
    }
}

/// Answers a request of a provider's dialect.
pub(super) async fn answer(app: App, request: Request, asking: Asking) -> Response {
    let begun = Begun::now(&app);
    let dialect = asking.operation.dialect();
    let route = asking.route;
    let call = match decode(&begun, request, asking).await {
        Ok(call) => call,
        Err(error) => return refuse(&app, begun, route, dialect, error).await,
    };
    if call.form != Form::Whole && waiting::is_wanted(&app, &call) {
        return waiting::answer(app, call).await;
    }
    let reply = pipeline::run(&app, &call).await;
    encode::reply(&call, reply)
}

/// Refuses what could not be decoded; with a receipt, as every other call.
pub(super) async fn refuse(
    app: &App,
    begun: Begun,
    route: &'static str,
    dialect: Dialect,
    error: Error,
) -> Response {
    let Begun { run_id, request_id, came } = begun;
    let mut receipt =
        Box::new(RoutingReceipt::new(run_id.clone(), came.wall.into(), route, CallStatus::Refused));
    receipt.dialect.incoming = Some(dialect.as_str().into());
    drop(app.refuse_unlisted(receipt, error.clone()).await);
    encode::error(Family::of(dialect), &error, &request_id, Some(&run_id))
}

async fn decode(begun: &Begun, request: Request, asking: Asking) -> Result<Call, Error> {
    // Whoever wants to know what would be done must not pay for having it done.
    let query = request.uri().query().unwrap_or_default();
    if query.split('&').any(|pair| pair.split('=').next() == Some("dry_run")) {
        let message =
            "dry_run is taken by /invoke alone: POST /invoke?dry_run=true with this body as its payload";
        return Err(Error::invalid("dry_run", message));
    }
    let (wishes, headers, body) = read(request).await?;
    let dialect = asking.operation.dialect();
    let asked = Asked::read(dialect, &body)?;
    let model = match (asking.model, &asked.model) {
        (Some(model), _) => model,
        (None, Some(model)) => model.name.clone(),
        (None, None) => {
            let message = "model is missing: name a model, a route (as `auto`), `cap:…` or a service";
            return Err(Error::invalid("model", message));
        }
    };
    let form = asking.form.unwrap_or(if asked.stream { Form::Events } else { Form::Whole });
    let target = Target {
        target_type: TargetType::Model,
        role: None,
        require_caps: Vec::new(),
        name: None,
        model: Some(model),
        labels: Default::default(),
    };
    Ok(Call {
        run_id: begun.run_id.clone(),
        request_id: begun.request_id.clone(),
        came: begun.came,
        route: asking.route,
        dialect,
        operation: asking.operation,
        form,
        target,
        body: Handed::Bytes(body),
        asked,
        headers,
        wishes,
    })
}

/// What a request's caller wishes, the headers that go on with it, and its body.
pub(super) async fn read(request: Request) -> Result<(Wishes, HeaderMap, Bytes), Error> {
    let (headers, body) = web::text(request, limits::CALL_BODY_BYTES).await?;
    Ok((Wishes::read(&headers)?, onward(headers), body))
}

/// What SDKs may ask for that isn't here is answered in their own shape, and names what is.
pub(super) fn unsupported() -> Router<App> {
    Router::new()
        .route("/v1/{*path}", any(async |request: Request| no_such(&request, "/v1/chat/completions, /v1/responses, /v1/responses/input_tokens, /v1/embeddings, /v1/messages, /v1/messages/count_tokens, /v1/models")))
        .route("/v1beta/{*path}", any(async |request: Request| no_such(&request, GEMINI)))
}

const GEMINI: &str = "/v1beta/models/{model}:generateContent, :streamGenerateContent, :countTokens";

fn no_such(request: &Request, supported: &str) -> Response {
    let path: String = request.uri().path().chars().take(200).collect();
    let error =
        Error::not_found(format!("there is no {} {path} here: use one of {supported}", request.method()));
    encode::error(
        family(request.uri().path(), request.headers()),
        &error,
        &request::id().unwrap_or_default(),
        None,
    )
}

/// Whose SDK asks.
pub(super) fn family(path: &str, headers: &HeaderMap) -> Family {
    if path.starts_with("/v1beta") || headers.contains_key("x-goog-api-key") {
        Family::Gemini
    } else if headers.contains_key("anthropic-version") {
        Family::Anthropic
    } else {
        Family::OpenAi
    }
}
