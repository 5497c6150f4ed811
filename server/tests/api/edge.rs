//! Requests that reach no route, and errors that no handler makes: the one shape for
//! all of them.

use protocol::error::ApiError;
use reqwest::Method;
use serde_json::json;

use crate::support::raw;
use crate::support::site::{Site, ticket};

#[tokio::test]
async fn methods_that_clients_invent_are_refused_and_share_one_series() {
    let site = Site::open().await;
    let host = format!("host: {}", site.address());
    for number in 0..100 {
        for path in ["/", "/api/v1/orders", "/nowhere"] {
            let word = format!("M{number}{}", "Q".repeat(1_000));
            let answer = raw::request(site.address(), &format!("{word} {path} HTTP/1.1"), &[&host]).await;
            assert_eq!((answer.status, answer.code().as_str()), (405, "method_not_allowed"), "{path}");
        }
    }
    let metrics = site.visitor().get("/metrics").await.text;
    assert!(metrics.contains("method=\"other\"") && !metrics.contains("QQQ"));
    let others = metrics.lines().filter(|line| line.contains("method=\"other\"")).count();
    // One a route and status, however many words there are.
    assert!(others <= 3, "{others}");
    site.close().await;
}

#[tokio::test]
async fn a_target_that_is_no_path_is_refused() {
    let site = Site::open().await;
    let host = format!("host: {}", site.address());
    for (line, status, code) in [
        ("GET a:1 HTTP/1.1", 400, "invalid_request"),
        ("GET x HTTP/1.1", 400, "invalid_request"),
        ("GET javascript:alert(1) HTTP/1.1", 400, "invalid_request"),
        ("POST a:1 HTTP/1.1", 400, "invalid_request"),
        ("OPTIONS * HTTP/1.1", 400, "invalid_request"),
        ("GET http://x?a=b HTTP/1.1", 400, "invalid_request"),
        // An answer to HEAD has no body.
        ("HEAD host:80 HTTP/1.1", 400, ""),
        ("CONNECT host:80 HTTP/1.1", 405, "method_not_allowed"),
        ("TRACE / HTTP/1.1", 405, "method_not_allowed"),
        ("GET http://x/health HTTP/1.1", 200, ""),
    ] {
        let answer = raw::request(site.address(), line, &[&host]).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{line}");
    }
    site.close().await;
}

#[tokio::test]
async fn a_request_has_one_host_and_one_origin() {
    let site = Site::open().await;
    let (host, origin) = (format!("host: {}", site.address()), format!("origin: {}", site.base));
    for (line, headers, status) in [
        ("GET /health HTTP/1.1", &[][..], 400),
        ("GET /health HTTP/1.1", &[host.as_str(), "host: evil.example"], 400),
        ("GET /health HTTP/1.1", &[host.as_str(), origin.as_str(), "origin: https://evil.example"], 400),
        ("GET /health HTTP/1.1", &[host.as_str(), origin.as_str()], 200),
        ("GET /health HTTP/1.0", &[], 200),
    ] {
        let answer = raw::request(site.address(), line, headers).await;
        let code = if status == 400 { "invalid_request" } else { "" };
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{line} {headers:?}");
    }
    site.close().await;
}

#[tokio::test]
async fn a_body_that_is_too_large_is_the_last_of_its_connection() {
    let site = Site::open().await;
    let mut user = site.user("ada").await;
    let answer = user.raw("/api/v1/orders", "application/json", "x".repeat(70_000)).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (413, "body_too_large"));
    assert_eq!(answer.header("connection"), "close");
    site.close().await;
}

#[tokio::test]
async fn paths_that_are_not_utf_8_and_missing_files_get_the_one_error_shape() {
    let site = Site::open().await;
    let mut user = site.user("ada").await;
    for (method, path, status, code, field) in [
        (Method::GET, "/api/v1/orders/%ff", 400, "invalid_id", "order_id"),
        (Method::DELETE, "/api/v1/orders/%ff", 400, "invalid_id", "order_id"),
        (Method::DELETE, "/api/v1/auth/sessions/%ff", 400, "invalid_id", "session_id"),
        (Method::GET, "/pkg/%ff", 404, "not_found", ""),
        (Method::GET, "/pkg/none", 404, "not_found", ""),
        (Method::GET, "/pkg/0123456789abcdef/tickhall.js", 404, "not_found", ""),
    ] {
        let answer = user.send(method.clone(), path, |request| request).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code), "{method} {path}");
        let named = answer.json()["error"]["field"].as_str().unwrap_or_default().to_owned();
        assert_eq!(named, field, "{method} {path}");
    }
    let take = json!({ "quantity": "1", "client_order_id": "c-1" });
    let answer = user.post("/api/v1/quotes/%ff/lift", &take).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (400, "invalid_id"));
    site.close().await;
}

#[tokio::test]
async fn errors_of_server_functions_are_json_but_for_their_own_client() {
    let postcard = "application/x-postcard";
    let site = Site::open().await;
    let mut user = site.user("ada").await;
    let mut stranger = site.visitor();
    let call = |request: reqwest::RequestBuilder| request.header("content-type", postcard).body("garbage");
    let path = "/api/ui/place_order";
    let answer = user.send(Method::POST, path, call).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (400, "invalid_request"));
    let answer = stranger.send(Method::POST, "/api/ui/orders", call).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (401, "unauthenticated"));

    let request = user.client.post(format!("{}{path}", site.base)).header("origin", &site.base);
    let request = request.header("cookie", user.cookie.clone().unwrap()).header("accept", postcard);
    let answer = request.header("content-type", postcard).body("garbage").send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["content-type"]),
        (400, &postcard.parse().unwrap())
    );
    let error: ApiError = postcard::from_bytes(&answer.bytes().await.unwrap()).unwrap();
    assert_eq!((error.status, error.code.as_str()), (400, "invalid_request"));
    site.close().await;
}

#[tokio::test]
async fn what_refuses_a_server_function_beforehand_speaks_its_language_too() {
    let postcard = "application/x-postcard";
    let site = Site::with(|config| config.limits.requests_per_second = 1).await;
    let user = site.user("ada").await;
    let call = || {
        let request = user.client.post(format!("{}/api/ui/orders", site.base)).header("origin", &site.base);
        let request = request.header("cookie", user.cookie.clone().unwrap()).header("accept", postcard);
        request.header("content-type", postcard).send()
    };
    assert_eq!(call().await.unwrap().status(), 200);
    let refused = call().await.unwrap();
    assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (429, &"1".parse().unwrap()));
    let error: ApiError = postcard::from_bytes(&refused.bytes().await.unwrap()).unwrap();
    assert_eq!(error.code, "rate_limited");
    site.close().await;
}

#[tokio::test]
async fn routes_without_a_query_refuse_one() {
    let site = Site::open().await;
    let mut user = site.user("ada").await;
    for path in [
        "/api/v1/account",
        "/api/v1/portfolio",
        "/api/v1/stream",
        "/api/v1/instruments",
        "/api/v1/venue",
        "/api/v1/venue/clock",
        "/api/v1/session",
        "/api/v1/auth/sessions",
    ] {
        let answer = user.get(&format!("{path}?account=x")).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (422, "unknown_field"), "{path}");
        assert_eq!(answer.json()["error"]["field"], "account", "{path}");
    }
    let order = ticket(site.id("ACME"), "BUY", "1", None, "c-1");
    let answer = user.post("/api/v1/orders/preview?dry=1", &order).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (422, "unknown_field"));
    // A page may be opened with whatever a link has added to it.
    assert_eq!(user.get("/portfolio?utm_source=mail").await.status, 200);
    site.close().await;
}

#[tokio::test]
async fn a_nul_in_a_query_is_the_clients_mistake() {
    let site = Site::open().await;
    let user = site.user("ada").await;
    for (path, field) in [
        ("/api/v1/orders?client_order_id=%00", "client_order_id"),
        ("/api/v1/orders?status=OPEN%00", "status"),
        ("/api/v1/history/trades?cursor=a%00b", "cursor"),
    ] {
        let answer = user.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (400, "invalid_query"), "{path}");
        assert_eq!(answer.json()["error"]["field"], field, "{path}");
    }
    site.close().await;
}

#[tokio::test]
async fn a_handshake_without_a_true_key_is_refused() {
    let site = Site::open().await;
    let user = site.user("ada").await;
    let (host, origin) = (format!("host: {}", site.address()), format!("origin: {}", site.base));
    let cookie = format!("cookie: {}", user.cookie.clone().unwrap());
    for key in ["x", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ==dGhlIHNhbXBsZSBub25jZQ=="] {
        let key = format!("sec-websocket-key: {key}");
        let headers = [&host, &origin, &cookie, &key].map(String::as_str);
        let upgrade = ["connection: upgrade", "upgrade: websocket", "sec-websocket-version: 13"];
        let headers = [&headers[..], &upgrade].concat();
        let answer = raw::request(site.address(), "GET /api/v1/stream HTTP/1.1", &headers).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "invalid_websocket_key"), "{key}");
    }
    site.close().await;
}
