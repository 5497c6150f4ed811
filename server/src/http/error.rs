//! Errors as HTTP responses: status, JSON body and `Retry-After`.
//!
//! Does not decide anything: reasons come from the engine, the extractors and
//! the agents.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use engine::order::Reject;
use protocol::error::{ApiError, ErrorBody};

/// An error as a response.
#[derive(Clone, Debug)]
pub struct ErrorResponse {
    /// Content of the body, and the status.
    pub error: Box<ApiError>,
    /// Seconds until a retry makes sense.
    pub retry_after: Option<u64>,
}

impl ErrorResponse {
    /// Creates an error that belongs to no field.
    pub fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        ApiError::new(status.as_u16(), code, message).into()
    }

    /// The same error, belonging to `field`.
    #[must_use]
    pub fn at(mut self, field: &str) -> Self {
        self.error.field = Some(field.to_owned());
        self
    }

    /// 405: the route does not have the request's method.
    pub fn method_not_allowed() -> Self {
        let message = "This route does not have this method.";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
    }

    /// 429: the same request may come again after `seconds`.
    pub fn rate_limited(message: &str, seconds: u64) -> Self {
        let error = Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", message);
        Self { retry_after: Some(seconds), ..error }
    }
}

impl From<ApiError> for ErrorResponse {
    fn from(error: ApiError) -> Self {
        let retry_after = matches!(error.status, 429 | 503).then_some(1);
        Self { error: Box::new(error), retry_after }
    }
}

impl From<Reject> for ErrorResponse {
    fn from(reject: Reject) -> Self {
        ApiError::from(reject).into()
    }
}

impl From<ErrorResponse> for ApiError {
    fn from(response: ErrorResponse) -> Self {
        *response.error
    }
}

/// The response is JSON; the error is its extension, for whoever encodes it anew.
impl IntoResponse for ErrorResponse {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(ErrorBody::from(ApiError::clone(&self.error)))).into_response();
        response.extensions_mut().insert(*self.error);
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_has_a_retry_after_header() {
        let response = ErrorResponse::from(ApiError::unavailable()).into_response();
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()[header::RETRY_AFTER], "1");
    }
}
