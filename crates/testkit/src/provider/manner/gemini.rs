//! Gemini. Sources: ai.google.dev/api/models (pages, `supportedGenerationMethods`), ai.google.dev/gemini-api/docs/troubleshooting
//! (statuses), ai.google.dev/gemini-api/docs/rate-limits (quotas a minute and a day), google.rpc's `error_details.proto`
//! (ErrorInfo, QuotaFailure, RetryInfo) and the official SDK (`google-genai` 3.6.1, `models.py`, `errors.py`).

use serde_json::{Value, json};

use super::{Model, Offer, message};
use crate::provider::dialect::{Ask, Wire, value_of};
use crate::provider::script::{Fault, Script};

/// So many are on a page, unless it is asked for more or less; the number is our own.
const PAGE: usize = 50;
/// What a page's token begins with.
const TOKEN: &str = "page-";
const UNKNOWN_KEY: &str = "API key not valid. Please pass a valid API key.";

/// A page of the list. The first and the last of it all are no models to talk with.
pub(super) fn models(models: &[Model], ask: &Ask) -> Value {
    let other = |id: &str, method: &str| item(&Offer::new(id).context(2_048), &[method]);
    let mut all = vec![other("scripted-embedding", "embedContent")];
    all.extend(models.iter().map(model));
    all.push(other("scripted-image", "predict"));
    if models.is_empty() {
        all.clear();
    }
    let begin = begin(ask).unwrap_or_default().min(all.len());
    let size = value_of(&ask.query, "pageSize").and_then(|size| size.parse().ok()).unwrap_or(PAGE).max(1);
    let end = all.len().min(begin.saturating_add(size));
    let mut page = json!({"models": all[begin..end]});
    if end < all.len() {
        page["nextPageToken"] = format!("{TOKEN}{end}").into();
    }
    page
}

/// One of it.
pub(super) fn model(model: &Model) -> Value {
    item(&model.offer, &["generateContent", "countTokens", "createCachedContent", "batchGenerateContent"])
}

fn item(offer: &Offer, methods: &[&str]) -> Value {
    let mut item = json!({"name": format!("models/{}", offer.id), "version": "001", "displayName": offer.id,
        "description": "scripted", "supportedGenerationMethods": methods});
    for (field, tokens) in [("inputTokenLimit", offer.context), ("outputTokenLimit", offer.output)] {
        if let Some(tokens) = tokens {
            item[field] = tokens.into();
        }
    }
    item
}

/// Where the page that is wanted begins; none when its token is none of ours.
pub(super) fn begin(ask: &Ask) -> Option<usize> {
    match value_of(&ask.query, "pageToken") {
        None => Some(0),
        Some(token) if token.is_empty() => Some(0),
        Some(token) => token.strip_prefix(TOKEN)?.parse().ok(),
    }
}

/// An error. Where a stream was to be an array, it is an element of one.
pub(super) fn error(ask: &Ask, script: &Script, status: u16) -> Value {
    let is_wrong_key = script.fault == Some(Fault::UnknownKey) && status == 400;
    let (word, usual) = match (script.fault, status) {
        (Some(Fault::ContextTooLong), _) => (
            "INVALID_ARGUMENT",
            "The input token count (1196265) exceeds the maximum number of tokens allowed (1048575).".to_owned(),
        ),
        (Some(Fault::UnknownKey), 400) => ("INVALID_ARGUMENT", UNKNOWN_KEY.to_owned()),
        (Some(Fault::UnknownKey), 403) => (
            "PERMISSION_DENIED",
            "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or \
             other form of API consumer identity to call this API."
                .to_owned(),
        ),
        (Some(Fault::UnknownModel), _) | (_, 404) => {
            let usual = format!(
                "models/{} is not found for API version v1beta, or is not supported for generateContent. Call ListModels \
                 to see the list of available models and their supported methods.",
                ask.model
            );
            ("NOT_FOUND", usual)
        }
        (_, 401) => (
            "UNAUTHENTICATED",
            "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid \
             authentication credential."
                .to_owned(),
        ),
        (_, 403) => ("PERMISSION_DENIED", "The caller does not have permission.".to_owned()),
        (_, 429) => (
            "RESOURCE_EXHAUSTED",
            "You exceeded your current quota, please check your plan and billing details.".to_owned(),
        ),
        (_, 400..=499) => ("INVALID_ARGUMENT", "Request contains an invalid argument.".to_owned()),
        (_, 503) => (
            "UNAVAILABLE",
            "This model is currently experiencing high demand. Spikes in demand are usually temporary. Please try again \
             later."
                .to_owned(),
        ),
        (_, 504) => {
            ("DEADLINE_EXCEEDED", "The deadline expired before the operation could complete.".to_owned())
        }
        _ => ("INTERNAL", "An internal error has occurred.".to_owned()),
    };
    let mut error = json!({"code": status, "message": message(script, usual), "status": word});
    if is_wrong_key {
        error["details"] = json!([
            {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com",
                "metadata": {"service": "generativelanguage.googleapis.com"}},
            {"@type": "type.googleapis.com/google.rpc.LocalizedMessage", "locale": "en-US", "message": UNKNOWN_KEY},
        ]);
    }
    if status == 429 {
        error["details"] = exhausted(ask, script);
    }
    let error = json!({ "error": error });
    match ask.wire {
        Wire::Array if ask.stream && script.fault != Some(Fault::Error) => json!([error]),
        _ => error,
    }
}

/// What is exhausted, and when to come again. Of a day's quota too it is said that one may come again soon.
fn exhausted(ask: &Ask, script: &Script) -> Value {
    let is_day = script.fault == Some(Fault::Quota);
    let (period, limit) = if is_day { ("Day", "500") } else { ("Minute", "15") };
    let mut details = vec![
        json!({"@type": "type.googleapis.com/google.rpc.Help",
            "links": [{"description": "Learn more about Gemini API quotas",
                "url": "https://ai.google.dev/gemini-api/docs/rate-limits"}]}),
        json!({"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{
            "quotaMetric": "generativelanguage.googleapis.com/generate_content_free_tier_requests",
            "quotaId": format!("GenerateRequestsPer{period}PerProjectPerModel-FreeTier"),
            "quotaDimensions": {"location": "global", "model": ask.model}, "quotaValue": limit}]}),
    ];
    if let Some(seconds) = script.retry_after_s.or(script.reset_s).or(is_day.then_some(38)) {
        details.push(
            json!({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": format!("{seconds}s")}),
        );
    }
    details.into()
}
