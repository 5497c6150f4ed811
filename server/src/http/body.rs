//! Bodies: read whole before anybody looks at them, if they are short enough
//! and come in time.
//!
//! Does not know what is in them.

use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use super::{Problem, problem};

/// Largest body, in bytes.
const LARGEST: usize = 64 * 1024;

/// Middleware: whoever comes after it finds the whole body there.
pub async fn arrived(State(patience): State<Duration>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    if body.is_end_stream() {
        return next.run(Request::from_parts(parts, body)).await;
    }
    if body.size_hint().lower() > LARGEST as u64 {
        return too_large().into_response();
    }
    match tokio::time::timeout(patience, whole(body)).await {
        Ok(Ok(bytes)) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Ok(Err(problem)) => problem.into_response(),
        Err(_) => {
            let message = "The request did not arrive in time.";
            let mut answer = problem(StatusCode::REQUEST_TIMEOUT, "request_timeout", message).into_response();
            answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            answer
        }
    }
}

async fn whole(body: Body) -> Result<Bytes, Problem> {
    match Limited::new(body, LARGEST).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.downcast_ref::<LengthLimitError>().is_some() => Err(too_large()),
        Err(_) => Err(problem(StatusCode::BAD_REQUEST, "invalid_body", "The body broke off.")),
    }
}

fn too_large() -> Problem {
    problem(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "A body may be 64 KiB.")
}
