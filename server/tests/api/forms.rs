//! Pages and plain forms that work without JavaScript, and their protection.

use reqwest::Method;

use crate::support::site::{PASSWORD, Site};

#[tokio::test]
async fn a_page_is_compressed_if_the_client_accepts_it() {
    let site = Site::open().await;
    site.steps(10).await;
    let mut browser = site.user("ada").await;
    let plain = browser.get("/").await;
    assert_eq!((plain.status.as_u16(), plain.header("content-encoding")), (200, ""));
    for encoding in ["br", "gzip"] {
        let asked = browser.send(Method::GET, "/", |ask| ask.header("accept-encoding", encoding)).await;
        assert_eq!((asked.status.as_u16(), asked.header("content-encoding")), (200, encoding));
        assert!(asked.text.len() < plain.text.len() / 2, "{} {}", asked.text.len(), plain.text.len());
        // So is what the page's scripts read, unless it is small.
        for (path, expected) in [("/api/ui/opening", encoding), ("/api/ui/account", "")] {
            let read = |ask: reqwest::RequestBuilder| {
                ask.header("accept-encoding", encoding).header("content-type", "application/octet-stream")
            };
            let answer = browser.send(Method::POST, path, read).await;
            let found = (answer.status.as_u16(), answer.header("content-encoding"));
            assert_eq!(found, (200, expected), "{path}");
        }
        // Answers to programs stay as they are.
        let path = "/api/v1/instruments";
        let answer = browser.send(Method::GET, path, |ask| ask.header("accept-encoding", encoding)).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-encoding")), (200, ""));
    }
    site.close().await;
}

#[tokio::test]
async fn a_form_registers_signs_out_and_signs_in() {
    let site = Site::open().await;
    let mut browser = site.visitor();
    let form = format!("email=ada%40example.org&password={}", PASSWORD.replace(' ', "+"));
    let answer = browser.form("/register", &form).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/"));
    assert_eq!(browser.get("/api/v1/session").await.status, 200);
    let answer = browser.form("/logout", "").await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/login"));
    assert_eq!(browser.get("/api/v1/session").await.status, 401);
    let answer = browser.form("/login", &format!("{form}&next=%2Fportfolio")).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/portfolio"));
    assert_eq!(browser.get("/api/v1/session").await.status, 200);
    site.close().await;
}

#[tokio::test]
async fn a_refused_form_goes_back_with_the_reason_and_without_the_password() {
    let site = Site::open().await;
    let mut browser = site.visitor();
    for (path, form, expected) in [
        (
            "/login",
            "email=a%40b.org&password=secret-word",
            "/login?error=invalid_credentials&email=a%40b.org",
        ),
        ("/register", "email=a%40b.org&password=short", "/register?error=password_too_short&email=a%40b.org"),
        (
            "/register",
            "email=nobody&password=correct+horse+battery",
            "/register?error=invalid_email&email=nobody",
        ),
        (
            "/login",
            "email=a%40b.org&password=secret-word&next=%2Fportfolio",
            "/login?error=invalid_credentials&email=a%40b.org&next=%2Fportfolio",
        ),
        (
            "/login",
            "email=a%40b.org&password=secret-word&next=%2F%2Fevil.example",
            "/login?error=invalid_credentials&email=a%40b.org",
        ),
    ] {
        let answer = browser.form(path, form).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, expected), "{form}");
    }
    site.close().await;
}

#[tokio::test]
async fn a_next_that_leaves_the_site_is_ignored() {
    let site = Site::open().await;
    site.user("ada").await;
    for next in
        ["%2F%2Fevil.example", "javascript%3Aalert(1)", "https%3A%2F%2Fevil.example", "%2F%5Cevil.example"]
    {
        let mut browser = site.visitor();
        let form = format!("email=ada%40example.org&password={}&next={next}", PASSWORD.replace(' ', "+"));
        let answer = browser.form("/login", &form).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/"), "{next}");
    }
    site.close().await;
}

#[tokio::test]
async fn each_page_has_a_content_security_policy_with_a_new_nonce() {
    let site = Site::open().await;
    let browser = site.visitor();
    let (first, second) = (browser.get("/login").await, browser.get("/login").await);
    assert_eq!(first.status, 200);
    let policy = first.header("content-security-policy").to_owned();
    for part in [
        "script-src 'nonce-",
        "'strict-dynamic'",
        "'wasm-unsafe-eval'",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    assert_ne!(policy, second.header("content-security-policy"));
    let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap();
    assert!(first.text.contains(&format!("nonce=\"{nonce}\"")), "the page's scripts lack the nonce");
    assert_eq!(first.header("x-content-type-options"), "nosniff");
    assert_eq!(first.header("referrer-policy"), "same-origin");
    assert_eq!(first.header("strict-transport-security"), "", "not over http");
    for path in ["/api/v1/session", "/health", "/pkg/none"] {
        let policy = browser.get(path).await.header("content-security-policy").to_owned();
        assert_eq!(policy, "default-src 'none'; frame-ancestors 'none'", "{path}");
    }
    site.close().await;
    let site = Site::with(|config| config.public_url = Some("https://trade.example.org".to_owned())).await;
    let page = site.visitor().get("/login").await;
    assert_eq!(page.header("strict-transport-security"), "max-age=31536000");
    site.close().await;
}

#[tokio::test]
async fn an_unknown_path_is_a_page_for_people_and_an_error_for_programs() {
    let site = Site::open().await;
    let mut visitor = site.visitor();
    let page = visitor.get("/nowhere").await;
    assert_eq!(page.status, 404);
    assert!(page.text.contains("<html"), "{}", page.text);
    for answer in [visitor.get("/api/v1/nowhere").await, visitor.form("/nowhere", "").await] {
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (404, "not_found"));
    }
    let wrong = visitor.delete("/api/v1/portfolio").await;
    assert_eq!((wrong.status.as_u16(), wrong.code().as_str()), (405, "method_not_allowed"));
    site.close().await;
}

#[tokio::test]
async fn health_and_metrics_need_no_user() {
    let site = Site::open().await;
    let visitor = site.visitor();
    let health = visitor.get("/health").await;
    assert_eq!((health.status.as_u16(), &health.json()["ok"]), (200, &serde_json::json!(true)));
    assert_eq!(visitor.get("/metrics").await.status, 200);
    site.close().await;
}
