//! The OpenAPI documents are what the services say of their routes.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use pas_tests::contract::pretty;
use pas_tests::{checked_in, map};
use pas_types::catalog;
use serde_json::Value;
use utoipa::openapi::OpenApi;

/// Every service with its document.
fn documents() -> Vec<(catalog::Entry, OpenApi)> {
    let doors = pas_adapters::PROFILES.into_iter().chain([&pas_local_llm::LLAMA, &pas_local_llm::TINYLLAMA]);
    let doors = doors.map(|profile| (profile.entry, pas_adapter::openapi(profile)));
    let others = [
        (catalog::REGISTRY, pas_registry::openapi()),
        (catalog::EVENT_STREAM, pas_event_stream::openapi()),
        (catalog::HEARTBEAT_MONITOR, pas_heartbeat_monitor::openapi()),
        (catalog::GATEWAY, pas_gateway::openapi()),
        (catalog::HMI, pas_hmi::openapi()),
        (catalog::PROVIDER_ROUTER, pas_provider_router::openapi()),
        (catalog::CLASSIFIER, pas_classifier::openapi()),
    ];
    others.into_iter().chain(doors).collect()
}

/// What the references in a document point to.
fn references(value: &Value) -> Vec<&str> {
    match value {
        Value::Object(map) => {
            let own = map.get("$ref").and_then(Value::as_str);
            own.into_iter().chain(map.values().flat_map(references)).collect()
        }
        Value::Array(list) => list.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn every_service_that_exists_has_a_document() {
    let documented = documents().iter().map(|(entry, _)| entry.name).collect::<BTreeSet<_>>();
    assert_eq!(documented, catalog::SERVICES.iter().map(|entry| entry.name).collect());
}

#[test]
fn the_documents_that_are_checked_in_are_what_the_services_say() -> Result<()> {
    for (entry, document) in documents() {
        let document = serde_json::to_value(document)?;
        checked_in::hold(&format!("contracts/openapi/{}.json", entry.name), &pretty(document))?;
    }
    Ok(())
}

#[test]
fn a_document_names_its_service_and_the_routes_that_all_have() -> Result<()> {
    for (entry, document) in documents() {
        let document = serde_json::to_value(document)?;
        assert_eq!(document["info"]["title"], entry.name);
        for path in ["/health", "/metrics", "/openapi.json"] {
            assert!(document["paths"][path]["get"].is_object(), "{} lacks {path}", entry.name);
        }
    }
    Ok(())
}

#[test]
fn what_a_document_refers_to_is_in_it() -> Result<()> {
    for (entry, document) in documents() {
        let document = serde_json::to_value(document)?;
        for reference in references(&document) {
            let place = reference.strip_prefix('#').with_context(|| reference.to_owned())?;
            assert!(document.pointer(place).is_some(), "{} lacks {reference}", entry.name);
        }
    }
    Ok(())
}

#[test]
fn a_path_that_others_call_is_a_route_of_its_service() -> Result<()> {
    let routes = map::routes()?;
    for (entry, document) in documents() {
        let document = serde_json::to_value(document)?;
        for route in routes.iter().filter(|route| map::server(&route.owner) == entry.section) {
            let described = &document["paths"][&route.path][route.method.to_lowercase()];
            assert!(described.is_object(), "{} has no {} {}", entry.name, route.method, route.path);
        }
    }
    Ok(())
}
