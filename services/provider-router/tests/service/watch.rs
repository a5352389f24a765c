//! What gateways are told.

use std::fs;
use std::time::Duration;

use pas_proto::routing::v1::routing_client::RoutingClient;
use pas_proto::routing::v1::{Documents, Versions, WatchRequest, WatchResponse, watch_response::Event};
use pas_provider_router::core::SHIPPED;
use pas_routing::{Matrix, Policies, Table};
use pas_service::rpc;
use pas_testkit::PATIENCE;
use tonic::Streaming;

use crate::router::Router;

async fn watch(router: &Router, known: Option<Versions>) -> Streaming<WatchResponse> {
    let mut client = RoutingClient::new(rpc::channel(&router.url()).unwrap());
    client.watch(WatchRequest { known }).await.unwrap().into_inner()
}

async fn next(stream: &mut Streaming<WatchResponse>) -> Option<Event> {
    let message = tokio::time::timeout(PATIENCE, stream.message()).await.unwrap();
    message.ok().flatten().map(|message| message.event.unwrap())
}

/// The next documents, whatever comes before them.
async fn documents(stream: &mut Streaming<WatchResponse>) -> Documents {
    loop {
        if let Event::Documents(documents) = next(stream).await.unwrap() {
            return documents;
        }
    }
}

#[tokio::test]
async fn a_gateway_gets_both_documents_whole_and_again_on_each_change() {
    let router = Router::start().await;
    let mut stream = watch(&router, None).await;
    let first = documents(&mut stream).await;
    // What it gets is enough to choose by.
    let matrix = Matrix::read(first.matrix_json.as_bytes()).unwrap();
    let policies = Policies::read(first.policies_json.as_bytes()).unwrap();
    let table = Table::compile(&matrix, &policies).unwrap();
    let versions = first.versions.unwrap();
    assert_eq!(
        (&table.versions().matrix, &table.versions().policies),
        (&versions.matrix, &versions.policies)
    );
    // A broken file is nobody's business but people's: the next that is told is the next that holds.
    fs::write(router.policies(), "default: wild").unwrap();
    router.files_are(pas_types::health::HealthStatus::Degraded).await;
    fs::write(router.policies(), SHIPPED.1.replace("default: balanced", "default: best")).unwrap();
    let second = documents(&mut stream).await;
    assert!(second.policies_json.contains("\"default\":\"best\""), "{}", second.policies_json);
    assert_eq!(second.versions.unwrap().matrix, versions.matrix);
    router.stop().await;
}

#[tokio::test]
async fn a_gateway_that_has_the_documents_is_only_told_that_they_hold() {
    let router = Router::start().await;
    let first = documents(&mut watch(&router, None).await).await;
    let mut stream = watch(&router, first.versions.clone()).await;
    let Some(Event::Progress(progress)) = next(&mut stream).await else { panic!("no progress") };
    assert_eq!(progress.versions, first.versions);
    router.stop().await;
}

#[tokio::test]
async fn a_stream_ends_when_the_router_stops() {
    let router = Router::start().await;
    let mut stream = watch(&router, None).await;
    documents(&mut stream).await;
    let stopped = tokio::time::timeout(Duration::from_secs(10), router.stop());
    let (ended, stopped) = tokio::join!(async { while next(&mut stream).await.is_some() {} }, stopped);
    assert_eq!((ended, stopped.is_ok()), ((), true));
}
