use std::path::Path;
use std::sync::Arc;

use pas_testkit::{Process, Provider, http, until};
use pas_types::catalog;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;

use crate::support::{chat, register, registry, run_id, swarm};

/// A server with a certificate of its own before a provider; answers its port, and the certificate.
async fn encrypted(provider: &Provider) -> (u16, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let (acceptor, to) = (TlsAcceptor::from(Arc::new(config)), provider.port());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let accepting = TaskTracker::new();
    let tasks = accepting.clone();
    let accept = async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            let pass = async move {
                // Who does not trust it leaves.
                let Ok(mut client) = acceptor.accept(stream).await else { return };
                let mut upstream = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
                drop(tokio::io::copy_bidirectional(&mut client, &mut upstream).await);
            };
            tasks.spawn(pass);
        }
    };
    accepting.spawn(accept);
    (port, made.cert.pem())
}

/// The gateway as a process that trusts the certificates in this file.
fn trusting(certificates: &Path, data: &Path, registry: &str) -> Process {
    let variable = format!("SSL_CERT_FILE={}", certificates.display());
    let binary = pas_testkit::binary(catalog::GATEWAY.binary).unwrap();
    let arguments = [&variable, binary.to_str().unwrap(), "--registry-url", registry];
    Process::start(&catalog::GATEWAY, Path::new("/usr/bin/env"), data, &arguments).unwrap()
}

#[tokio::test]
async fn an_upstream_is_called_over_tls_if_its_certificate_is_trusted_and_not_at_all_if_it_is_not() {
    let provider = Provider::start().unwrap();
    let (port, certificate) = encrypted(&provider).await;
    let (_, other) = encrypted(&provider).await;
    for (trusted, status) in [(certificate, 200), (other, 502)] {
        let data = tempfile::tempdir().unwrap();
        let file = data.path().join("trusted.pem");
        std::fs::write(&file, trusted).unwrap();
        let registry = registry(&swarm(data.path(), pas_testkit::NOBODY.to_owned())).await;
        let service = json!({
            "name": "far", "type": "model", "role": "production", "url": format!("https://localhost:{port}/v1"),
            "caps": ["chat"], "labels": {"dialects": "openai.chat", "models": "scripted-1"},
        });
        register(&registry, &service).await;
        let gateway = trusting(&file, data.path(), &registry.url());
        provider.forget();
        let answer = until("the gateway knows of it", async || {
            let call = http().post(format!("{}/v1/chat/completions", gateway.url())).json(&chat(false));
            call.send().await.ok().filter(|answer| answer.status() != 404)
        })
        .await;
        assert_eq!(answer.status(), status);
        let receipt = format!("{}/receipts/{}", gateway.url(), run_id(&answer));
        let receipt: Value = http().get(receipt).send().await.unwrap().json().await.unwrap();
        if status == 200 {
            assert_eq!(provider.requests()[0].path, "/v1/chat/completions");
            assert_eq!(receipt["attempts"][0]["outcome"], "ok");
        } else {
            assert!(provider.requests().is_empty());
            let error = receipt["attempts"][0]["error"].as_str().unwrap();
            assert!(error.contains("certificate"), "{receipt}");
        }
        drop(gateway);
        registry.stop().await.unwrap();
    }
}
