//! The official SDKs of OpenAI, Anthropic and Google (`tests/python/`), with nothing but the base URL changed: straight at the
//! scripted provider, at the gateway, and at the gateway with their provider's adapter behind it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod adapters;
mod door;
mod gateway;
mod straight;
