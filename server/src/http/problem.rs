//! The one error shape, `{"error":{"code","message","field"}}`, and the one
//! place where a reason becomes a status.
//!
//! Does not decide anything: reasons come from the engine and from the doors.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use engine::order::Reject;
use protocol::gateway::ApiError;
use serde_json::json;

/// An error on its way out.
#[derive(Clone, Debug)]
pub struct Problem {
    /// What the client is told.
    pub error: Box<ApiError>,
    /// Seconds after which trying again makes sense.
    pub retry_after: Option<u64>,
}

/// An error with `status`, `code` and `message` that belongs to no field.
pub fn problem(status: StatusCode, code: &str, message: impl Into<String>) -> Problem {
    ApiError::new(status.as_u16(), code, message).into()
}

impl Problem {
    /// The same, belonging to `field`.
    #[must_use]
    pub fn at(mut self, field: &str) -> Self {
        self.error.field = Some(field.to_owned());
        self
    }

    /// The same, worth another try after `seconds`.
    #[must_use]
    pub fn after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// 401: nobody is signed in.
    pub fn not_signed_in() -> Self {
        problem(StatusCode::UNAUTHORIZED, "unauthenticated", "Sign in first.")
    }

    /// 404: no such thing here.
    pub fn not_found() -> Self {
        problem(StatusCode::NOT_FOUND, "not_found", "There is nothing here.")
    }

    /// 503: an outage behind the gateway, not the client's fault.
    pub fn unavailable() -> Self {
        problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "The venue cannot answer right now. Try again shortly.",
        )
        .after(1)
    }
}

/// The HTTP status of a refusal.
pub const fn status_of(reject: &Reject) -> u16 {
    match reject {
        Reject::UnknownInstrument | Reject::UnknownOrder | Reject::UnknownQuote => 404,
        Reject::Halted
        | Reject::Expired
        | Reject::TooLate
        | Reject::IdempotencyMismatch
        | Reject::InsufficientCash { .. }
        | Reject::InsufficientPosition { .. }
        | Reject::BelowFilled { .. }
        | Reject::NoOrderBook
        | Reject::QuoteExpired
        | Reject::QuoteUsed
        | Reject::QuoteSize { .. }
        | Reject::NoOpenOrders => 409,
        Reject::UnknownAccount => 503,
        Reject::InvalidQuantity
        | Reject::LotSize { .. }
        | Reject::InvalidPrice
        | Reject::TickSize { .. }
        | Reject::PriceCollar { .. }
        | Reject::NotionalLimit
        | Reject::PriceRequired
        | Reject::PriceForbidden
        | Reject::InvalidSide
        | Reject::InvalidTimeInForce
        | Reject::InvalidType
        | Reject::InvalidClientOrderId
        | Reject::InvalidValidUntil
        | Reject::InvalidSelfTradePrevention
        | Reject::SelfTrade
        | Reject::NothingToAmend
        | Reject::TooManyOrders { .. } => 422,
    }
}

/// A refusal as the client's error.
pub fn refused(reject: Reject) -> ApiError {
    let mut error = ApiError::new(status_of(&reject), reject.code(), reject.to_string());
    error.field = reject.field().map(str::to_owned);
    error.reject = Some(reject);
    error
}

impl From<ApiError> for Problem {
    fn from(error: ApiError) -> Self {
        let retry_after = matches!(error.status, 429 | 503).then_some(1);
        Self { error: Box::new(error), retry_after }
    }
}

impl From<Reject> for Problem {
    fn from(reject: Reject) -> Self {
        refused(reject).into()
    }
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        *problem.error
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let ApiError { status, code, message, field, reject } = *self.error;
        let mut body = json!({ "code": code, "message": message, "field": field });
        if let Some(Reject::InsufficientCash { required, available }) = &reject {
            body["required"] = json!(required);
            body["available"] = json!(available);
        }
        if let Some(
            Reject::InsufficientPosition { required, available } | Reject::QuoteSize { required, available },
        ) = &reject
        {
            body["required"] = json!(required);
            body["available"] = json!(available);
        }
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(json!({ "error": body }))).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::money::Money;

    #[test]
    fn a_refusal_keeps_its_code_field_and_status() {
        let short =
            Reject::InsufficientCash { required: Money::from_units(10), available: Money::from_units(4) };
        let problem = Problem::from(short);
        assert_eq!((problem.error.status, problem.error.code.as_str()), (409, "insufficient_cash"));
        assert_eq!(problem.error.field.as_deref(), Some("quantity"));
        assert_eq!(Problem::from(Reject::UnknownInstrument).error.status, 404);
        assert_eq!(Problem::from(Reject::InvalidSide).error.status, 422);
    }

    #[test]
    fn an_outage_says_when_to_try_again() {
        let response = Problem::unavailable().into_response();
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()[header::RETRY_AFTER], "1");
    }
}
