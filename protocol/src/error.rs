//! The one error shape of REST and server functions, and the HTTP status of
//! every refusal by the engine.
//!
//! Does not know who answers, or how an error is encoded.

use std::fmt;

use engine::order::Reject;
use serde::{Deserialize, Serialize};

/// An error as clients read it: `{"error":{"code","message","field"}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiError {
    /// HTTP status; 0 where no server answered.
    pub status: u16,
    /// Stable identifier in `snake_case`.
    pub code: String,
    /// Sentence for people.
    pub message: String,
    /// Input field that the error belongs to, if it is one field's.
    pub field: Option<String>,
    /// The engine's typed reason, where there is one: lets a ticket say how
    /// much is missing.
    pub reject: Option<Reject>,
}

impl ApiError {
    /// Code of an error whose request may or may not have been carried out.
    pub const UNREACHABLE: &'static str = "unreachable";

    /// Creates an error that belongs to no field.
    pub fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into(), field: None, reject: None }
    }

    /// No answer from the server: the request may or may not have been carried out.
    pub fn unreachable() -> Self {
        Self::new(0, Self::UNREACHABLE, "The server cannot be reached.")
    }

    /// An answer that could not be decoded.
    pub fn unreadable() -> Self {
        Self::new(500, "internal", "The server's answer could not be read.")
    }

    /// 401: the request needs a signed-in user.
    pub fn not_signed_in() -> Self {
        Self::new(401, "unauthenticated", "Sign in first.")
    }

    /// 404: no such route.
    pub fn not_found() -> Self {
        Self::new(404, "not_found", "There is nothing here.")
    }

    /// 503: an outage behind the gateway, not the client's fault.
    pub fn unavailable() -> Self {
        Self::new(503, "unavailable", "The venue cannot answer right now. Try again shortly.")
    }

    /// Returns true if the request may have been carried out all the same.
    pub fn leaves_doubt(&self) -> bool {
        self.status == 0 || self.status >= 500
    }

    /// The same error, belonging to `field`.
    #[must_use]
    pub fn at(mut self, field: &str) -> Self {
        self.field = Some(field.to_owned());
        self
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ApiError {}

impl From<Reject> for ApiError {
    fn from(reject: Reject) -> Self {
        let mut error = Self::new(status_of(&reject), reject.code(), reject.to_string());
        error.field = reject.field().map(str::to_owned);
        error.reject = Some(reject);
        error
    }
}

/// JSON body of an error.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorBody {
    /// The error.
    pub error: ErrorFields,
}

/// An error.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Error))]
pub struct ErrorFields {
    /// Stable identifier in `snake_case`.
    pub code: String,
    /// Sentence for people.
    pub message: String,
    /// Input field that the error belongs to, if it is one field's.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub field: Option<String>,
    /// Amount in currency units or quantity in units that is needed, where there is
    /// too little.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required: Option<String>,
    /// Amount or quantity that there is.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available: Option<String>,
}

impl From<ApiError> for ErrorBody {
    fn from(error: ApiError) -> Self {
        let ApiError { status: _, code, message, field, reject } = error;
        let (required, available) = match reject {
            Some(Reject::InsufficientCash { required, available }) => {
                (Some(required.to_string()), Some(available.to_string()))
            }
            Some(
                Reject::InsufficientPosition { required, available }
                | Reject::QuoteSize { required, available },
            ) => (Some(required.to_string()), Some(available.to_string())),
            _ => (None, None),
        };
        Self { error: ErrorFields { code, message, field, required, available } }
    }
}

/// HTTP status of a refusal.
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

#[cfg(feature = "server_fn")]
impl server_fn::error::FromServerFnError for ApiError {
    type Encoder = server_fn::codec::PostcardEncoding;

    fn from_server_fn_error(error: server_fn::error::ServerFnErrorErr) -> Self {
        use server_fn::error::ServerFnErrorErr;
        match error {
            ServerFnErrorErr::Request(_) => Self::unreachable(),
            ServerFnErrorErr::MissingArg(_) | ServerFnErrorErr::Args(_) => {
                Self::new(400, "invalid_request", "The server could not read the request.")
            }
            _ => Self::unreadable(),
        }
    }
}

#[cfg(test)]
mod tests {
    use engine::money::Money;

    use super::*;

    #[test]
    fn a_refusal_keeps_its_code_field_and_status() {
        let reject =
            Reject::InsufficientCash { required: Money::from_units(10), available: Money::from_units(4) };
        let error = ApiError::from(reject);
        assert_eq!((error.status, error.code.as_str()), (409, "insufficient_cash"));
        assert_eq!(error.field.as_deref(), Some("quantity"));
        assert_eq!(ApiError::from(Reject::UnknownInstrument).status, 404);
        assert_eq!(ApiError::from(Reject::InvalidSide).status, 422);
    }
}
