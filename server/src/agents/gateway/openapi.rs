//! `GET /api/v1/openapi.json`: the description of the REST API.
//!
//! Routes and schemas come from the handlers and types themselves; errors are
//! added to every operation here. Does not know what a handler does.

mod errors;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use engine::candle::Interval;
use engine::id::Digest;
use protocol::error::ErrorBody;
use serde_json::{Map, Value, json};
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::{ErrorResponse, refuse_query};

/// Parts of the description that belong to no route.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tickhall",
        description = "REST API of Tickhall, a simulated trading venue.\n\n\
            Prices, quantities and money are exact decimals as text. Requests refuse unknown fields. \
            Every error has the same body and a stable `error.code`; codes may be added. A route that does not \
            exist answers 404 `not_found`, a method that a route does not have 405 `method_not_allowed`. \
            429 and 503 carry `Retry-After`.\n\n\
            Sign in first: the cookie of the answer authenticates further requests. A request other than GET \
            that carries a cookie must carry this site's `Origin`.",
    ),
    components(schemas(ErrorBody, Interval)),
    security(("session" = [])),
    tags(
        (name = "orders", description = "The caller's orders: place, preview, amend, look up, cancel."),
        (name = "quotes", description = "Dealers' quotes: list, preview, hit, lift."),
        (name = "account", description = "The caller's cash, positions and valuation."),
        (name = "history", description = "Stored rows, newest first, page by page."),
        (name = "venue", description = "The venue: its instruments, clock and owner."),
        (name = "auth", description = "Registration, sign-in and sessions."),
        (name = "stream", description = "Live updates over a WebSocket."),
        (name = "meta", description = "Browser errors and this description."),
    ),
)]
struct General;

/// An empty description, to which routers add their routes.
pub(super) fn empty() -> utoipa::openapi::OpenApi {
    General::openapi()
}

/// The route of `description`, whose sessions are in the cookie `cookie`.
pub(super) fn routes(mut description: utoipa::openapi::OpenApi, cookie: &str) -> Router {
    let (route, own) = OpenApiRouter::new().routes(routes!(serve)).split_for_parts();
    description.merge(own);
    let text = "Cookie that the answer to a sign-in sets: `HttpOnly`, `SameSite=Lax`.";
    let session = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(cookie, text)));
    description.components.get_or_insert_default().add_security_scheme("session", session);
    route.with_state(Document::new(&complete(json!(description))))
}

/// Routes that have a query, by path and method.
#[derive(Clone, Debug)]
pub(super) struct QueryRoutes(Arc<BTreeSet<(String, String)>>);

impl QueryRoutes {
    /// The routes of `description` with a parameter in the query.
    pub(super) fn of(description: &utoipa::openapi::OpenApi) -> Self {
        let mut document = json!(description);
        let mut found = BTreeSet::new();
        for (path, item) in members(&mut document["paths"]) {
            let methods = members(item).filter(|(_, operation)| has_query(operation));
            found.extend(methods.map(|(method, _)| (path.clone(), method.clone())));
        }
        Self(Arc::new(found))
    }
}

/// Returns true if an operation has a parameter in the query.
fn has_query(operation: &Value) -> bool {
    let parameters = operation["parameters"].as_array();
    parameters.is_some_and(|all| all.iter().any(|parameter| parameter["in"] == "query"))
}

/// Middleware: refuses a query on a route of the API that has none. The others refuse
/// the fields that they do not know.
pub(super) async fn refuse_queries(
    State(routes): State<QueryRoutes>,
    path: MatchedPath,
    request: Request,
    next: Next,
) -> Response {
    // HEAD is answered by the route of GET.
    let method = if *request.method() == Method::HEAD { &Method::GET } else { request.method() };
    let route = (path.as_str().to_owned(), method.as_str().to_ascii_lowercase());
    if let Some(query) = request.uri().query()
        && route.0.starts_with("/api/")
        && !routes.0.contains(&route)
        && let Err(error) = refuse_query(query)
    {
        return ErrorResponse::from(error).into_response();
    }
    next.run(request).await
}

/// The description as it is sent.
#[derive(Clone)]
struct Document {
    body: Bytes,
    etag: String,
}

impl Document {
    fn new(description: &Value) -> Self {
        let body = Bytes::from(description.to_string());
        let etag = format!("\"{:.32}\"", Digest::of(&[&body]).to_string());
        Self { body, etag }
    }
}

/// Returns this description.
#[utoipa::path(
    get,
    path = "/api/v1/openapi.json",
    operation_id = "get_description",
    tag = "meta",
    security(()),
    responses(
        (status = 200, description = "An OpenAPI 3.1 document, with an `ETag`.", body = Object),
        (status = 304, description = "The client's copy (`If-None-Match`) is current."),
    ),
)]
async fn serve(State(document): State<Document>, headers: HeaderMap) -> Response {
    let mut response = if crate::assets::matches(&headers, &document.etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, "application/json")], document.body).into_response()
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(etag) = HeaderValue::from_str(&document.etag) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}

/// Adds what the macros cannot say: errors, closed request bodies, and which
/// histories are of one instrument.
fn complete(mut document: Value) -> Value {
    let Value::Object(mut schemas) = document["components"]["schemas"].take() else { return document };
    let mut codes = BTreeSet::from([(404, "not_found".to_owned()), (405, "method_not_allowed".to_owned())]);
    for (path, item) in members(&mut document["paths"]) {
        for (method, operation) in members(item) {
            if path == "/api/v1/openapi.json" {
                continue;
            }
            match operation["operationId"].as_str() {
                Some("list_ticks") => set_instrument(operation, true),
                Some("list_valuations") => set_instrument(operation, false),
                _ => {}
            }
            let body = body_schema(operation).to_owned();
            close(&body, &mut schemas);
            let fields = schemas.get(&body).map(property_names).unwrap_or_default();
            let mut by_status = BTreeMap::<u16, Vec<String>>::new();
            for (status, code) in errors::of(method, operation, &fields) {
                by_status.entry(status).or_default().push(code);
            }
            for (status, of_status) in by_status {
                operation["responses"][status.to_string()] = errors::response(status, &of_status);
                codes.extend(of_status.into_iter().map(|code| (status, code)));
            }
        }
    }
    if let Some(fields) = schemas.get_mut("Error") {
        let code = json!({ "$ref": "#/components/schemas/ErrorCode", "description": "Stable identifier." });
        fields["properties"]["code"] = code;
    }
    schemas.insert("ErrorCode".to_owned(), errors::schema(&codes));
    document["components"]["schemas"] = Value::Object(schemas);
    document
}

fn members(value: &mut Value) -> impl Iterator<Item = (&String, &mut Value)> {
    value.as_object_mut().into_iter().flatten()
}

/// Name of the schema of an operation's body; empty without one.
fn body_schema(operation: &Value) -> &str {
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
    schema.as_str().and_then(|path| path.rsplit('/').next()).unwrap_or_default()
}

fn property_names(schema: &Value) -> Vec<String> {
    schema["properties"].as_object().into_iter().flat_map(Map::keys).cloned().collect()
}

/// Marks `instrument_id` as required, or removes it.
fn set_instrument(operation: &mut Value, required: bool) {
    if let Some(parameters) = operation["parameters"].as_array_mut() {
        parameters.retain(|parameter| required || parameter["name"] != "instrument_id");
        for parameter in parameters.iter_mut().filter(|parameter| parameter["name"] == "instrument_id") {
            parameter["required"] = json!(true);
            parameter["description"] = json!("UUID of the instrument.");
        }
    }
}

/// Refuses unknown fields in the request `name`: derived schemas of enums do not.
fn close(name: &str, schemas: &mut Map<String, Value>) {
    fn close_all(schema: &mut Value) {
        match schema {
            Value::Object(fields) => {
                if fields.get("type") == Some(&json!("object")) {
                    fields.entry("additionalProperties").or_insert(json!(false));
                }
                fields.values_mut().for_each(close_all);
            }
            Value::Array(items) => items.iter_mut().for_each(close_all),
            _ => {}
        }
    }
    if let Some(schema) = schemas.get_mut(name) {
        close_all(schema);
    }
}
