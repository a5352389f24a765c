//! A call in PAS's own words.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use pas_dialects::request::Asked;
use pas_dialects::said;
use pas_service::web::{Json, Pairs};
use pas_types::error::ErrorEnvelope;
use pas_types::event::{CallStatus, CallUsage};
use pas_types::id::CallId;
use pas_types::invoke::{InvokeRequest, PolicyWish, TargetType};
use pas_types::receipt::{Cost, Resolved, RoutingReceipt};
use pas_types::routing::Dialect;
use pas_types::{Error, ErrorCode, json};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::encode;
use super::endpoint::{Begun, read, refuse};
use crate::app::App;
use crate::call::{Call, Form, Handed, Operation, Wishes};
use crate::pipeline::{self, Answered, Reply, text_of};

const ROUTE: &str = "/invoke";

pub(super) fn described() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(invoke))
}

/// What a call came to.
#[derive(Debug, Serialize, ToSchema)]
struct Invoked {
    /// The call.
    run_id: CallId,
    /// How it ended.
    status: CallStatus,
    /// Who answered.
    resolved: Option<Resolved>,
    /// What was answered, whole; of a model also its `text`, where it can be read off.
    #[schema(value_type = serde_json::Value)]
    output: Box<RawValue>,
    /// The tokens that it took.
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<CallUsage>,
    /// What it cost.
    cost_estimate: Cost,
    /// All that is known of it.
    #[schema(value_type = RoutingReceipt)]
    receipt: Arc<RoutingReceipt>,
}

/// Calls a model, a tool or an agent. `?dry_run=true` answers the receipt that would be written, and sends nothing.
#[utoipa::path(post, path = "/invoke", request_body = InvokeRequest,
    params(("dry_run" = Option<bool>, Query, description = "Say what would be done, and do nothing")),
    responses(
    (status = 200, description = "The answer; with `dry_run` a `RoutingReceipt`", body = Invoked),
    (status = 400, description = "Not a call; `field` says where", body = ErrorEnvelope),
    (status = 404, description = "Nobody fits, and nobody who does could come back", body = ErrorEnvelope),
    (status = 429, description = "A limit is reached", body = ErrorEnvelope),
    (status = 502, description = "Whoever was asked failed", body = ErrorEnvelope),
    (status = 503, description = "Nobody can be asked now, or the agent is paused", body = ErrorEnvelope),
    (status = 504, description = "It took too long", body = ErrorEnvelope),
))]
async fn invoke(State(app): State<App>, query: Pairs, request: Request) -> Response {
    let begun = Begun::now(&app);
    let decoded = async { Ok((dry_run(&query)?, decode(&begun, request).await?)) };
    match decoded.await {
        Ok((true, call)) => match pipeline::dry_run(&app, &call) {
            Ok(receipt) => Json(receipt).into_response(),
            Err(error) => encode::error(call.family(), &error, &call.request_id, Some(&call.run_id)),
        },
        Ok((false, call)) => {
            let reply = pipeline::run(&app, &call).await;
            encode(&call, reply)
        }
        Err(error) => refuse(&app, begun, ROUTE, Dialect::Pas, error).await,
    }
}

fn dry_run(query: &Pairs) -> Result<bool, Error> {
    query.iter().try_fold(false, |_, (key, value)| match (key, value) {
        ("dry_run", "true" | "") => Ok(true),
        ("dry_run", "false") => Ok(false),
        ("dry_run", other) => {
            Err(Error::invalid("dry_run", format!("dry_run is `{other}`: use true or false")))
        }
        (other, _) => Err(Error::invalid(other, format!("there is no parameter `{other}`: use dry_run"))),
    })
}

/// The fields by which a payload is known for what it is.
#[derive(Deserialize, Default)]
struct Payload<'a> {
    #[serde(borrow, default)]
    messages: Option<&'a RawValue>,
    #[serde(borrow, default)]
    input: Option<&'a RawValue>,
    #[serde(borrow, default)]
    contents: Option<&'a RawValue>,
    #[serde(borrow, default)]
    system: Option<&'a RawValue>,
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    prompt: Option<&'a RawValue>,
    #[serde(borrow, default)]
    stream: Option<&'a RawValue>,
}

async fn decode(begun: &Begun, request: Request) -> Result<Call, Error> {
    let (said, headers, body) = read(request).await?;
    let invoked: InvokeRequest = json::parse(&body)?;
    invoked.validate()?;
    let InvokeRequest { target, payload, policy, agent, agent_run_id } = invoked;
    // The body says it more plainly than a header.
    let wishes = Wishes {
        agent: agent.or(said.agent),
        agent_run_id: agent_run_id.or(said.agent_run_id),
        policy: with_defaults(policy.unwrap_or_default(), said.policy),
        hops: said.hops,
    };
    let bytes = Bytes::from(String::from(Box::<str>::from(payload)));
    let is_object = bytes.first() == Some(&b'{');
    let known: Payload<'_> =
        if is_object { serde_json::from_slice(&bytes).unwrap_or_default() } else { Payload::default() };
    let is_model = target.target_type == TargetType::Model;
    let dialect = if is_model { dialect_of(&known, &target.require_caps) } else { None };
    if dialect.is_some() && known.stream.is_some_and(|stream| stream.get() == "true") {
        let message =
            "the answer to /invoke is whole: leave payload.stream out, or use the dialect's own route";
        return Err(Error::invalid("payload.stream", message));
    }
    let text = known.text.or(known.prompt).and_then(|raw| serde_json::from_str::<String>(raw.get()).ok());
    let (operation, asked) = match dialect {
        Some(dialect) => (Operation::of(dialect), Asked::read(dialect, &bytes)?),
        None => (Operation::Invoke, Asked { model: None, ..whole(&bytes) }),
    };
    let handed = match (dialect, text) {
        (None, Some(text)) if is_model => {
            Handed::Text { instruction: text_of(&target.require_caps), payload: bytes, text }
        }
        _ => Handed::Bytes(bytes),
    };
    Ok(Call {
        run_id: begun.run_id.clone(),
        request_id: begun.request_id.clone(),
        came: begun.came,
        route: ROUTE,
        dialect: Dialect::Pas,
        operation,
        form: Form::Whole,
        target,
        body: handed,
        asked: Asked { stream: false, ask_usage: None, ..asked },
        headers,
        wishes,
    })
}

/// Of a payload in nobody's dialect only its size is known.
fn whole(payload: &[u8]) -> Asked {
    const BYTES_PER_TOKEN: u64 = 4;
    Asked {
        model: None,
        stream: false,
        max_output: None,
        input_estimate: payload.len() as u64 / BYTES_PER_TOKEN,
        needs: Default::default(),
        ask_usage: None,
    }
}

fn with_defaults(wish: PolicyWish, default: PolicyWish) -> PolicyWish {
    PolicyWish {
        name: wish.name.or(default.name),
        prefer: wish.prefer.or(default.prefer),
        complexity: wish.complexity.or(default.complexity),
        timeout_s: wish.timeout_s.or(default.timeout_s),
        max_cost_usd: wish.max_cost_usd.or(default.max_cost_usd),
        max_attempts: wish.max_attempts.or(default.max_attempts),
        fallback: wish.fallback.or(default.fallback),
        delivery: wish.delivery.or(default.delivery),
        budget: wish.budget.or(default.budget),
    }
}

fn dialect_of(payload: &Payload<'_>, caps: &[String]) -> Option<Dialect> {
    if payload.contents.is_some() {
        Some(Dialect::GeminiGenerate)
    } else if payload.messages.is_some() {
        // What stands beside the messages there stands among them with OpenAI.
        Some(if payload.system.is_some() { Dialect::AnthropicMessages } else { Dialect::OpenaiChat })
    } else if payload.input.is_some() {
        let embeds = caps.iter().any(|cap| cap == "embed");
        Some(if embeds { Dialect::OpenaiEmbeddings } else { Dialect::OpenaiResponses })
    } else {
        None
    }
}

fn encode(call: &Call, reply: Reply) -> Response {
    let refuse = |error: &Error| encode::error(call.family(), error, &call.request_id, Some(&call.run_id));
    let answered = match reply {
        Reply::Whole(answered) if answered.is_answer => *answered,
        Reply::Whole(answered) => return refuse(&provider_error(&answered)),
        Reply::Refused(refused) => return refuse(&refused.error),
        Reply::Passing(_) => return refuse(&Error::new(ErrorCode::Internal, "the answer came as a stream")),
    };
    let Answered { body, text, receipt, lane, .. } = answered;
    let Some(receipt) = receipt else {
        return refuse(&Error::new(ErrorCode::Internal, "the receipt is missing"));
    };
    let Some(output) = output(&body, text) else {
        return refuse(&Error::new(ErrorCode::UpstreamError, "the answer is no JSON"));
    };
    let invoked = Invoked {
        run_id: call.run_id.clone(),
        status: receipt.status,
        resolved: receipt.resolved.clone(),
        output,
        usage: receipt.usage,
        cost_estimate: receipt.cost_estimate.clone(),
        receipt,
    };
    let Ok(body) = serde_json::to_vec(&invoked) else {
        return refuse(&Error::new(ErrorCode::Internal, "the answer could not be written"));
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::OK;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    encode::name(response.headers_mut(), &call.run_id, lane.as_deref());
    response
}

/// The answer, with its text beside the rest where it can be read off and there is none.
fn output(body: &[u8], text: Option<String>) -> Option<Box<RawValue>> {
    #[derive(Deserialize)]
    struct Text<'a> {
        #[serde(borrow, default)]
        text: Option<&'a RawValue>,
    }
    let body = std::str::from_utf8(body).ok()?.trim();
    let has_text = || serde_json::from_str::<Text<'_>>(body).is_ok_and(|found| found.text.is_some());
    let with_text = text.filter(|_| body.starts_with('{') && !has_text()).and_then(|text| {
        let text = serde_json::to_string(&text).ok()?;
        let rest = body.get(1..)?;
        let comma = if rest.trim_start().starts_with('}') { "" } else { "," };
        Some(format!("{{\"text\":{text}{comma}{rest}"))
    });
    RawValue::from_string(with_text.unwrap_or_else(|| body.to_owned())).ok()
}

/// A provider's refusal in PAS's words: whose fault it is stays the same.
fn provider_error(answered: &Answered) -> Error {
    let said = said::read(&answered.body).unwrap_or_default();
    let status = answered.status.as_u16();
    let what = if said.message.is_empty() { "it did not say why" } else { &said.message };
    let name = answered.lane.as_ref().map_or("the provider", |lane| &lane.name);
    let message = format!("{name} refused the request with {status}: {what}");
    match status {
        404 => Error::not_found(message),
        409 => Error::new(ErrorCode::Conflict, message),
        422 => Error::new(ErrorCode::FailedPrecondition, message),
        413 => Error::invalid("payload", message).with_status(413),
        _ => Error::invalid("payload", message),
    }
}
