//! Pages and server functions: Leptos with a gateway, a caller and a nonce.
//!
//! Does not know what a page shows.

use app::gateway::{Caller, SharedGateway};
use app::{App, shell};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use leptos::nonce::use_nonce;
use leptos::prelude::{LeptosOptions, provide_context, use_context};
use leptos_axum::{
    LeptosRoutes, ResponseOptions, generate_route_list, handle_server_fns_with_context,
    render_app_async_with_context,
};

use super::Floor;
use super::router::{Identity, is_for_programs};
use crate::door::{Problem, headers::page_policy};

/// The routes of pages and server functions, and what is nowhere.
pub(super) fn routes(floor: &Floor, options: LeptosOptions) -> Router {
    let context = context(floor.shared());
    let document = {
        let options = options.clone();
        move || shell(options.clone())
    };
    let functions = {
        let context = context.clone();
        move |request: Request| {
            let context = context.clone();
            async move { handle_server_fns_with_context(context, request).await.into_response() }
        }
    };
    let nowhere = {
        let (context, document) = (context.clone(), document.clone());
        move |State(options): State<LeptosOptions>, request: Request| {
            not_found(context.clone(), document.clone(), options, request)
        }
    };
    Router::new()
        .route("/api/ui/{*function}", post(functions))
        .leptos_routes_with_context(&options, generate_route_list(App), context, document)
        .fallback(nowhere)
        .with_state(options)
}

/// What components and server functions find in their context.
fn context(gateway: SharedGateway) -> impl Fn() + Clone + Send + Sync + 'static {
    move || {
        provide_context(gateway.clone());
        let parts = use_context::<Parts>();
        let identity = parts.and_then(|parts| parts.extensions.get::<Identity>().cloned());
        provide_context(identity.and_then(|identity| identity.0).map(Caller::from));
        // A page's own scripts carry the nonce; nothing else may run.
        if let (Some(nonce), Some(response)) = (use_nonce(), use_context::<ResponseOptions>())
            && let Ok(policy) = HeaderValue::try_from(page_policy(&nonce))
        {
            response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
        }
    }
}

async fn not_found<Context, Document, View>(
    context: Context,
    document: Document,
    _options: LeptosOptions,
    request: Request,
) -> Response
where
    Context: Fn() + Clone + Send + Sync + 'static,
    Document: Fn() -> View + Clone + Send + Sync + 'static,
    View: leptos::prelude::IntoView + 'static,
{
    if is_for_programs(request.method(), request.uri().path()) {
        return Problem::not_found().into_response();
    }
    render_app_async_with_context(context, document)(request).await.into_response()
}
