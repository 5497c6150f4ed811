//! What the browser asks: the server's functions by their names, through one
//! request that is compiled once. The functions' own stubs are a client for
//! each of them, three times as much to download.
//!
//! Does not know what an answer means.
#![cfg_attr(not(target_arch = "wasm32"), allow(dead_code, reason = "the browser alone asks"))]

use std::pin::Pin;

use engine::candle::Interval;
use engine::order::{RawAmend, RawTake, RawTicket, Side};
use protocol::frames::{FillFrame, OrderFrame, PortfolioSnapshot};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::api;
use protocol::candle_history::CandleHistory;
use protocol::error::ApiError;
use protocol::rest::PlaceOrderResponse;
use protocol::nav_history::NavHistory;
use protocol::nav_history::Range;

/// An answer on its way.
pub(crate) type Asked<T> = Pin<Box<dyn Future<Output = Result<T, ApiError>>>>;

/// [`api::worth`].
pub(crate) fn worth(range: Range) -> Asked<NavHistory> {
    ask("worth", &(range,))
}

/// [`api::orders`].
pub(crate) fn orders() -> Asked<Vec<OrderFrame>> {
    ask("orders", &())
}

/// [`api::order_named`].
pub(crate) fn order_named(client_order_id: &str) -> Asked<Option<OrderFrame>> {
    ask("order_named", &(client_order_id,))
}

/// [`api::fills`].
pub(crate) fn fills() -> Asked<Vec<FillFrame>> {
    ask("fills", &())
}

/// [`api::bars`].
pub(crate) fn bars(instrument_id: &str, interval: Interval) -> Asked<CandleHistory> {
    ask("bars", &(instrument_id, interval))
}

/// [`api::portfolio`].
pub(crate) fn portfolio() -> Asked<PortfolioSnapshot> {
    ask("portfolio", &())
}

/// [`api::place_order`].
pub(crate) fn place_order(ticket: &RawTicket) -> Asked<PlaceOrderResponse> {
    ask("place_order", &(ticket,))
}

/// [`api::cancel_order`].
pub(crate) fn cancel_order(order_id: &str) -> Asked<OrderFrame> {
    ask("cancel_order", &(order_id,))
}

/// [`api::amend_order`].
pub(crate) fn amend_order(order_id: &str, amend: &RawAmend) -> Asked<PlaceOrderResponse> {
    ask("amend_order", &(order_id, amend))
}

/// [`api::take_quote`].
pub(crate) fn take_quote(quote_id: &str, side: Side, take: &RawTake) -> Asked<PlaceOrderResponse> {
    ask("take_quote", &(quote_id, side, take))
}

/// [`api::cancel_all`].
pub(crate) fn cancel_all() -> Asked<u32> {
    ask("cancel_all", &())
}

fn ask<T: DeserializeOwned + 'static>(name: &str, arguments: &impl Serialize) -> Asked<T> {
    let asked = request(name, postcard::to_allocvec(arguments).ok());
    Box::pin(async move { postcard::from_bytes(&asked.await?).map_err(|_| ApiError::unreadable()) })
}

/// Asks for `name` below the functions' common address; the bytes of what it
/// answers, or why there are none.
fn request(name: &str, arguments: Option<Vec<u8>>) -> Asked<Vec<u8>> {
    let address = format!("{}/{name}", api::PREFIX);
    Box::pin(async move {
        match http::post(&address, &arguments.unwrap_or_default()).await {
            Some((true, answer)) => Ok(answer),
            Some((false, error)) => {
                Err(postcard::from_bytes(&error).unwrap_or_else(|_| ApiError::unreadable()))
            }
            None => Err(ApiError::unreachable()),
        }
    })
}

#[cfg(target_arch = "wasm32")]
mod http {
    use js_sys::Uint8Array;
    use leptos::prelude::window;
    use wasm_bindgen::{JsCast, JsValue};
    use wasm_bindgen_futures::JsFuture;
    use web_sys::{Headers, RequestInit, Response};

    const POSTCARD: &str = "application/x-postcard";

    /// Whether the status is one of success, and the body; `None` where no
    /// whole answer came.
    pub(super) async fn post(address: &str, body: &[u8]) -> Option<(bool, Vec<u8>)> {
        let response = JsFuture::from(window().fetch_with_str_and_init(address, &init(body).ok()?));
        let response: Response = response.await.ok()?.dyn_into().ok()?;
        let body = JsFuture::from(response.array_buffer().ok()?).await.ok()?;
        Some((response.ok(), Uint8Array::new(&body).to_vec()))
    }

    fn init(body: &[u8]) -> Result<RequestInit, JsValue> {
        let headers = Headers::new()?;
        headers.set("Content-Type", POSTCARD)?;
        headers.set("Accept", POSTCARD)?;
        let init = RequestInit::new();
        init.set_method("POST");
        init.set_headers(&headers);
        init.set_body(&Uint8Array::from(body));
        Ok(init)
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod http {
    /// The server renders pages and asks nobody.
    pub(super) async fn post(_: &str, _: &[u8]) -> Option<(bool, Vec<u8>)> {
        None
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use leptos::server_fn::ServerFn;

    use super::*;

    #[test]
    fn functions_have_the_addresses_that_are_asked() {
        for (path, name) in [
            (api::ReadWorth::PATH, "worth"),
            (api::ReadOrders::PATH, "orders"),
            (api::FindOrder::PATH, "order_named"),
            (api::ReadFills::PATH, "fills"),
            (api::ReadBars::PATH, "bars"),
            (api::ReadPortfolio::PATH, "portfolio"),
            (api::PlaceOrder::PATH, "place_order"),
            (api::CancelOrder::PATH, "cancel_order"),
            (api::AmendOrder::PATH, "amend_order"),
            (api::TakeQuote::PATH, "take_quote"),
            (api::CancelAll::PATH, "cancel_all"),
        ] {
            assert_eq!(path, format!("{}/{name}", api::PREFIX));
        }
    }

    #[test]
    fn arguments_are_written_as_functions_read_them() {
        let order_id = "0191".to_owned();
        let amend = RawAmend::default();
        assert_eq!(
            postcard::to_allocvec(&(&order_id, &amend)),
            postcard::to_allocvec(&api::AmendOrder { order_id, amend }),
        );
        assert_eq!(postcard::to_allocvec(&()), postcard::to_allocvec(&api::ReadOrders {}));
    }
}
