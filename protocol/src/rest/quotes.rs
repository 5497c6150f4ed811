//! Dealers' quotes: taken and previewed.

use engine::order::RawTake;
#[cfg(feature = "openapi")]
use engine::{
    order::{ClientOrderId, Side},
    time::VenueTime,
};
use serde::Deserialize;

use super::DecimalText;

/// Body of `POST /api/v1/quotes/{id}/hit` and `…/lift`, and of the preview.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TakeQuoteRequest {
    /// In units, a multiple of the lot size.
    #[cfg_attr(feature = "openapi", schema(value_type = DecimalText, required))]
    pub quantity: Option<DecimalText>,
    /// The client's name for the resulting order.
    #[cfg_attr(feature = "openapi", schema(value_type = ClientOrderId, required))]
    pub client_order_id: Option<String>,
    /// Venue time after which it must not be accepted.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<VenueTime>))]
    pub valid_until: Option<String>,
}

impl From<TakeQuoteRequest> for RawTake {
    fn from(request: TakeQuoteRequest) -> Self {
        Self {
            quantity: request.quantity.unwrap_or_default().into(),
            client_order_id: request.client_order_id,
            valid_until: request.valid_until,
        }
    }
}

/// Body of `POST /api/v1/quotes/{id}/preview`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PreviewQuoteRequest {
    /// `SELL` hits the bid, `BUY` lifts the offer.
    #[cfg_attr(feature = "openapi", schema(value_type = Side, required))]
    pub side: Option<String>,
    /// In units, a multiple of the lot size.
    #[cfg_attr(feature = "openapi", schema(value_type = DecimalText, required))]
    pub quantity: Option<DecimalText>,
    /// Accepted and not used.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<ClientOrderId>))]
    pub client_order_id: Option<String>,
    /// Accepted and not used.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<VenueTime>))]
    pub valid_until: Option<String>,
}
