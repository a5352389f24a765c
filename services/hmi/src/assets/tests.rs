use super::*;

const SCRIPT: Asset = Asset {
    path: "/assets/index-1a2b.js",
    content_type: "text/javascript; charset=utf-8",
    bytes: b"let long = 1;",
    gzip: Some(b"packed"),
    hash: "1a2b",
    immutable: true,
};
const INDEX: Asset = Asset {
    path: "/index.html",
    content_type: "text/html; charset=utf-8",
    bytes: b"<!doctype html>",
    gzip: None,
    hash: "3c4d",
    immutable: false,
};

async fn ask(asset: &Asset, headers: &[(&'static str, &str)]) -> (u16, HeaderMap, Bytes) {
    let headers = headers
        .iter()
        .map(|(name, value)| (header::HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()));
    let (head, body) = answer(asset, &headers.collect()).into_parts();
    (head.status.as_u16(), head.headers, axum::body::to_bytes(body, 1_000).await.unwrap())
}

#[tokio::test]
async fn a_file_is_packed_for_who_takes_that_alone() {
    for takes in ["gzip", "br, GZIP;q=0.5", "deflate;q=0.1, gzip"] {
        let (status, headers, body) = ask(&SCRIPT, &[("accept-encoding", takes)]).await;
        assert_eq!(
            (status, &body[..], &headers["content-encoding"]),
            (200, &b"packed"[..], &"gzip".parse().unwrap())
        );
    }
    for takes in ["", "br", "gzip;q=0", "identity, gzip; q=0.0"] {
        let (status, headers, body) = ask(&SCRIPT, &[("accept-encoding", takes)]).await;
        assert_eq!((status, &body[..]), (200, SCRIPT.bytes), "{takes}");
        assert_eq!(
            (headers.get("content-encoding"), &headers["vary"]),
            (None, &"accept-encoding".parse().unwrap())
        );
    }
    let (_, headers, body) = ask(&INDEX, &[("accept-encoding", "gzip")]).await;
    assert_eq!((&body[..], headers.get("content-encoding")), (INDEX.bytes, None));
}

#[tokio::test]
async fn what_has_a_hash_in_its_name_is_kept_and_the_page_is_asked_for_again() {
    let keep = async |asset| ask(asset, &[]).await.1["cache-control"].to_str().unwrap().to_owned();
    assert_eq!(keep(&SCRIPT).await, "public, max-age=31536000, immutable");
    assert_eq!(keep(&INDEX).await, "no-cache");
}

#[tokio::test]
async fn who_has_these_very_bytes_is_told_that_alone() {
    let (_, headers, _) = ask(&SCRIPT, &[]).await;
    assert_eq!(headers["etag"], "\"1a2b\"");
    for known in ["\"1a2b\"", "W/\"1a2b\"", "\"x\", \"1a2b\"", "*"] {
        let (status, headers, body) = ask(&SCRIPT, &[("if-none-match", known)]).await;
        assert_eq!((status, body.len(), &headers["etag"]), (304, 0, &"\"1a2b\"".parse().unwrap()), "{known}");
    }
    let packed = [("if-none-match", "\"1a2b\""), ("accept-encoding", "gzip")];
    let (status, headers, _) = ask(&SCRIPT, &packed).await;
    assert_eq!((status, &headers["etag"]), (200, &"\"1a2b-gzip\"".parse().unwrap()));
}

#[test]
fn without_a_web_build_a_page_says_what_to_do() {
    let told = page(&[]);
    // What runs is started again only if it was stopped.
    let text = std::str::from_utf8(told.bytes).unwrap();
    assert!(text.contains("scripts/stop_pas_services.sh\nscripts/start_pas_services.sh</pre>"), "{text}");
    assert_eq!((told.content_type, told.immutable), ("text/html; charset=utf-8", false));
    assert_eq!(page(&[SCRIPT, INDEX]), INDEX);
}

#[test]
fn the_table_of_this_binary_is_of_the_files_that_were_built() {
    for asset in BUILT {
        assert!(asset.path.starts_with('/') && !asset.path.contains(".."), "{}", asset.path);
        assert_eq!(asset.immutable, asset.path.starts_with("/assets/"), "{}", asset.path);
        assert!(asset.gzip.is_none_or(|packed| packed.len() < asset.bytes.len()), "{}", asset.path);
    }
    assert_eq!(BUILT.is_empty(), page(BUILT) == NOT_BUILT, "a web build has an index.html");
}
