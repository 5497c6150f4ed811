//! Failures behind the gateway as API errors: logged here, hidden from clients.

use protocol::error::ApiError;

use crate::bus::BusError;
use crate::sequencer_client::SendError;
use crate::store::StoreError;

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        tracing::error!(event = "store_failed", %error, "the gateway could not use the store");
        Self::unavailable()
    }
}

impl From<BusError> for ApiError {
    fn from(error: BusError) -> Self {
        tracing::error!(event = "bus_failed", %error, "the gateway could not use the bus");
        Self::unavailable()
    }
}

impl From<SendError> for ApiError {
    fn from(error: SendError) -> Self {
        let code = match error {
            SendError::Refused(reject) => return reject.into(),
            SendError::Busy => "busy",
            SendError::TradingHalted => "trading_halted",
            SendError::Unavailable | SendError::Pending => "unavailable",
        };
        Self::new(503, code, format!("{error}; try again shortly."))
    }
}
