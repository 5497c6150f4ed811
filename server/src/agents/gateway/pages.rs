//! Pages and server functions: Leptos with a gateway, a caller and a nonce.
//!
//! Does not know what a page shows.

use app::{App, shell};
use axum::Router;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt as _;
use leptos::nonce::use_nonce;
use leptos::prelude::{LeptosOptions, provide_context, use_context};
use leptos::server_fn::ContentType as _;
use leptos::server_fn::codec::PostcardEncoding;
use leptos::server_fn::error::SERVER_FN_ERROR_HEADER;
use leptos_axum::{LeptosRoutes, ResponseOptions, generate_route_list, render_app_async_with_context};
use protocol::caller::Caller;
use protocol::error::ApiError;
use protocol::gateway::SharedGateway;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{Predicate as _, SizeAbove};

use super::Gateway;
use crate::agents::auth::Identity;
use crate::assets::preload_links;
use crate::http::ErrorResponse;
use crate::http::middleware::page_policy;

/// Answers of this size and less are sent as they are, so that an order waits for no
/// compression.
const UNCOMPRESSED_MAX_BYTES: u16 = 1_024;

/// Path of every server function.
pub(super) const SERVER_FN_PREFIX: &str = "/api/ui/";

/// Brotli level of pages: most of the gain, in a millisecond.
const PAGE_COMPRESSION: CompressionLevel = CompressionLevel::Precise(4);

/// Routes of pages and server functions, and the fallback of the whole site: a
/// 404 page for people, an error for programs.
pub(super) fn routes(gateway: &Gateway, options: LeptosOptions) -> Router {
    let context = context(gateway.shared());
    let document = {
        let options = options.clone();
        move || shell(options.clone())
    };
    let not_found = render_app_async_with_context(context.clone(), document.clone());
    Router::new()
        .leptos_routes_with_context(&options, generate_route_list(App), context, document)
        .fallback(move |request: Request| async move {
            if is_for_programs(request.method(), request.uri().path()) {
                return ErrorResponse::from(ApiError::not_found()).into_response();
            }
            not_found(request).await
        })
        .layer(
            CompressionLayer::new()
                .quality(PAGE_COMPRESSION)
                .compress_when(SizeAbove::new(UNCOMPRESSED_MAX_BYTES).and(is_for_browsers)),
        )
        .with_state(options)
}

/// Context of components and server functions: the gateway, the caller, and for a
/// page a policy that lets its own scripts run and nothing else.
fn context(gateway: SharedGateway) -> impl Fn() + Clone + Send + Sync + 'static {
    move || {
        provide_context(gateway.clone());
        let parts = use_context::<Parts>();
        let caller = parts.as_ref().and_then(|parts| caller(&parts.extensions));
        let page = parts.as_ref().filter(|_| caller.is_some()).map(|parts| parts.uri.path());
        let links = page.and_then(preload_links);
        provide_context(caller);
        let is_page = parts.is_some_and(|parts| !is_for_programs(&parts.method, parts.uri.path()));
        if let (true, Some(nonce), Some(response)) = (is_page, use_nonce(), use_context::<ResponseOptions>())
            && let Ok(policy) = HeaderValue::try_from(page_policy(&nonce))
        {
            response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
            if let Some(links) = links {
                response.insert_header(header::LINK, links);
            }
        }
        if let Some(manifest) = crate::assets::split_manifest() {
            provide_context(manifest);
        }
    }
}

/// Pages and answers of server functions are large and repetitive; answers to
/// programs are small.
fn is_for_browsers(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    kind.starts_with(b"text/html") || kind == PostcardEncoding::CONTENT_TYPE.as_bytes()
}

/// Middleware: encodes the errors of server functions, and of what refuses their
/// requests, as the client reads them: in Postcard for the browser's half of a
/// function, in JSON for everybody else.
pub(super) async fn encode_errors(request: Request, next: Next) -> Response {
    if !request.uri().path().starts_with(SERVER_FN_PREFIX) {
        return next.run(request).await;
    }
    let accepts = request.headers().get_all(header::ACCEPT);
    let postcard = PostcardEncoding::CONTENT_TYPE;
    let reads_postcard =
        accepts.iter().any(|accepted| accepted.to_str().is_ok_and(|accepted| accepted.contains(postcard)));
    let response = next.run(request).await;
    if response.headers().contains_key(SERVER_FN_ERROR_HEADER) {
        if reads_postcard && response.status() != StatusCode::INTERNAL_SERVER_ERROR {
            return response;
        }
        let error = ErrorResponse::from(server_fn_error(response).await).into_response();
        return if reads_postcard { in_postcard(error) } else { error };
    }
    if reads_postcard { in_postcard(response) } else { response }
}

/// The error of a server function's response. Its own errors set their status: 500
/// is left for arguments that it could not read.
async fn server_fn_error(response: Response) -> ApiError {
    if response.status() == StatusCode::INTERNAL_SERVER_ERROR {
        return ApiError::new(400, "invalid_request", "The server could not read the request.");
    }
    let body = response.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    postcard::from_bytes(&body).unwrap_or_else(|_| ApiError::unavailable())
}

/// `response` with its error, if it has one, in Postcard.
fn in_postcard(mut response: Response) -> Response {
    let Some(error) = response.extensions_mut().remove::<ApiError>() else { return response };
    let Ok(bytes) = postcard::to_allocvec(&error) else { return response };
    *response.body_mut() = bytes.into();
    response.headers_mut().remove(header::CONTENT_LENGTH);
    let kind = HeaderValue::from_static(PostcardEncoding::CONTENT_TYPE);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
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
