//! Pages and server functions: Leptos with a gateway, a caller and a nonce.
//!
//! Does not know what a page shows.

use app::{App, shell};
use axum::Router;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, Version, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use leptos::nonce::use_nonce;
use leptos::prelude::{LeptosOptions, provide_context, use_context};
use leptos::server_fn::ContentType;
use leptos::server_fn::codec::PostcardEncoding;
use leptos::server_fn::error::SERVER_FN_ERROR_HEADER;
use leptos_axum::{LeptosRoutes, ResponseOptions, generate_route_list, render_app_async_with_context};
use protocol::caller::Caller;
use protocol::error::ApiError;
use protocol::gateway::SharedGateway;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{Predicate, SizeAbove};

use super::Gateway;
use crate::agents::auth::Identity;
use crate::http::ErrorResponse;
use crate::http::middleware::page_policy;

/// Brotli level of pages and answers: most of the gain, in a millisecond.
const COMPRESSION_LEVEL: CompressionLevel = CompressionLevel::Precise(4);

/// Smaller answers are sent as they are: they fit a packet.
const COMPRESSION_MIN_BYTES: u16 = 1024;

/// Routes of pages and server functions, and the fallback of the whole site: a
/// 404 page for people, an error for programs.
pub(super) fn routes(gateway: &Gateway, options: LeptosOptions) -> Router {
    let context = context(gateway.shared());
    let document = {
        let options = options.clone();
        move || shell(options.clone())
    };
    let not_found = render_app_async_with_context(context.clone(), document.clone());
    let compressed = SizeAbove::new(COMPRESSION_MIN_BYTES).and(is_compressible);
    Router::new()
        .leptos_routes_with_context(&options, generate_route_list(App), context, document)
        .fallback(move |request: Request| async move {
            if is_for_programs(request.method(), request.uri().path()) {
                return ErrorResponse::from(ApiError::not_found()).into_response();
            }
            not_found(request).await
        })
        .layer(map_response(correct_status))
        .layer(CompressionLayer::new().quality(COMPRESSION_LEVEL).compress_when(compressed))
        .with_state(options)
}

/// Context of components and server functions: the gateway, the caller, and for a
/// page a policy that lets its own scripts run and nothing else.
fn context(gateway: SharedGateway) -> impl Fn() + Clone + Send + Sync + 'static {
    move || {
        provide_context(gateway.clone());
        let parts = use_context::<Parts>();
        provide_context(parts.as_ref().and_then(|parts| caller(&parts.extensions)));
        let is_page = parts.is_some_and(|parts| !is_for_programs(&parts.method, parts.uri.path()));
        if let (true, Some(nonce), Some(response)) = (is_page, use_nonce(), use_context::<ResponseOptions>())
            && let Ok(policy) = HeaderValue::try_from(page_policy(&nonce))
        {
            response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
        }
        if let Some(manifest) = crate::assets::split_manifest() {
            provide_context(manifest);
        }
    }
}

/// Returns true for pages and for the answers of server functions: rows of
/// candles and fills repeat themselves.
fn is_compressible(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).map_or(&[][..], HeaderValue::as_bytes);
    kind.starts_with(b"text/html") || kind == PostcardEncoding::CONTENT_TYPE.as_bytes()
}

/// Turns 500 into 400 for arguments that a server function could not read; its
/// own errors set their own status.
async fn correct_status(mut response: Response) -> Response {
    let is_unreadable = response.status() == StatusCode::INTERNAL_SERVER_ERROR
        && response.headers().contains_key(SERVER_FN_ERROR_HEADER);
    if is_unreadable {
        *response.status_mut() = StatusCode::BAD_REQUEST;
    }
    response
}

/// The signed-in user of a request.
fn caller(extensions: &Extensions) -> Option<Caller> {
    extensions.get::<Identity>().cloned().map(Caller::from)
}

/// Returns true if an unknown route is answered with JSON instead of a page.
fn is_for_programs(method: &Method, path: &str) -> bool {
    path.starts_with("/api/") || path == "/api" || !matches!(*method, Method::GET | Method::HEAD)
}
