//! Sending an order intent: one client order id per attempt, kept on retry, so
//! that a repeat is harmless. The answer is compared with its preview.
//!
//! Does not know what an order does.

use std::time::Duration;

use engine::id::QuoteId;
use engine::money::Lots;
use engine::order::{Order, Preview, Side, TimeInForce};
use engine::venue::OrderReply;
use leptos::prelude::*;
use leptos::task::spawn_local;
use protocol::error::ApiError;
use protocol::rest::PlaceOrderResponse;

use super::intent::OrderIntent;
use super::texts;
use crate::api;
use crate::format::Units;
use crate::live::{Live, NotificationKind};

/// Time between two look-ups of an order that was not answered.
const LOOKUP_DELAY: Duration = Duration::from_millis(700);

/// Look-ups of one order at most.
const MAX_LOOKUPS: u32 = 15;

/// State of the last submission.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Submission {
    /// Nothing was sent.
    #[default]
    Idle,
    /// Sent, not answered.
    Sending,
    /// Accepted, with its result for the user.
    Accepted(String),
    /// Refused, without effect.
    Refused(Box<ApiError>),
    /// Its outcome is unknown; sending it again is harmless.
    Unknown(String),
}

/// Sends intents one at a time. A handle.
#[derive(Clone, Copy)]
pub(crate) struct OrderSender {
    live: Live,
    pub(crate) submission: RwSignal<Submission>,
    /// The attempt whose outcome is unknown.
    unconfirmed: StoredValue<Option<OrderIntent>>,
}

impl OrderSender {
    pub(crate) fn new(live: Live) -> Self {
        Self { live, submission: RwSignal::new(Submission::Idle), unconfirmed: StoredValue::new(None) }
    }

    /// The intent to send for `intent`: the unconfirmed attempt if it is the same
    /// request, else `intent` with a new client order id, about the `chosen` quote
    /// or the best one now.
    pub(crate) fn prepare(self, intent: &OrderIntent, chosen: Option<QuoteId>) -> OrderIntent {
        let quoted = intent.clone().with_quote(self.live, chosen);
        let request = if chosen.is_some() { &quoted } else { intent };
        let repeat = self.unconfirmed.get_value().filter(|attempt| attempt.is_same_request(request));
        repeat.unwrap_or_else(|| quoted.with_client_order_id(&new_client_order_id()))
    }

    /// Returns true if `intent` is the unconfirmed attempt.
    pub(crate) fn is_repeat(self, intent: &OrderIntent) -> bool {
        self.unconfirmed.with_value(|attempt| attempt.as_ref() == Some(intent))
    }

    /// Sends a prepared intent and compares the answer with `preview`, computed
    /// just before; a repeat has none.
    pub(crate) fn send(self, intent: OrderIntent, preview: Option<Preview>) {
        self.unconfirmed.set_value(Some(intent.clone()));
        self.submission.set(Submission::Sending);
        spawn_local(async move {
            let is_amendment = matches!(intent, OrderIntent::Amend { .. });
            let answer = match intent {
                OrderIntent::Order(raw) => api::place_order(raw).await,
                OrderIntent::Take { quote, side, raw, .. } => {
                    let quote = quote.map(|quote| quote.to_string()).unwrap_or_default();
                    api::take_quote(quote, side, raw).await
                }
                OrderIntent::Amend { order, raw } => api::amend_order(order.to_string(), raw).await,
            };
            let submission = match answer {
                Ok(PlaceOrderResponse::Decided { reply, repeated, .. }) => {
                    self.accepted(preview.as_ref().filter(|_| !repeated), &reply)
                }
                // The id of an amendment is no order's: only a repeat finds it.
                Ok(PlaceOrderResponse::Pending { .. }) if is_amendment => not_answered(),
                Ok(PlaceOrderResponse::Pending { client_order_id }) => look_up(client_order_id).await,
                Err(error) if error.leaves_doubt() => Submission::Unknown(format!(
                    "{} Sending it again is safe: it keeps its client order id.",
                    error.message
                )),
                Err(error) => {
                    self.live
                        .notify(NotificationKind::Refusal, format!("Refused: {}", texts::error_text(&error)));
                    Submission::Refused(Box::new(error))
                }
            };
            if !matches!(submission, Submission::Unknown(_)) {
                self.unconfirmed.try_set_value(None);
            }
            self.submission.set(submission);
        });
    }

    fn accepted(self, preview: Option<&Preview>, reply: &OrderReply) -> Submission {
        if let Some(preview) = preview {
            let mut is_different = false;
            self.live.previews.update(|previews| is_different = previews.compare(preview, reply));
            if is_different {
                let (promised, decided) = (&preview.decided, &reply.decided);
                leptos::logging::warn!("preview {promised:?} but fill {decided:?}");
            }
        }
        let order = &reply.order;
        let Some(instrument) = self.live.instrument(order.instrument) else {
            return Submission::Accepted(String::new());
        };
        Submission::Accepted(answer_text(order, Units::of(&instrument), self.available(order)))
    }

    /// Others' lots that the book offers to an order now.
    fn available(self, order: &Order) -> Lots {
        self.live.read(|state| {
            let side = order.side.opposite();
            let levels = state.market.instruments.get(&order.instrument).map(|listed| listed.levels(side));
            let own = state.account.resting_at(order.instrument, side);
            let reached = levels.unwrap_or_default().iter().filter(|level| {
                order.price.limit().is_none_or(|limit| order.side.reaches(limit, level.price))
            });
            reached.map(|level| level.lots - own.get(&level.price).copied().unwrap_or_default()).sum()
        })
    }
}

/// Result of an accepted order; `available` lots are offered at its price now.
fn answer_text(order: &Order, units: Units, available: Lots) -> String {
    let [quantity, filled, leaves] =
        [order.quantity, order.filled, order.leaves()].map(|lots| units.quantity(lots));
    let dropped = units.quantity(order.quantity - order.filled);
    let nobody = match (order.side, order.price.limit()) {
        (Side::Buy, Some(_)) => "no one offers at this price",
        (Side::Sell, Some(_)) => "no one bids at this price",
        (Side::Buy, None) => "no one offers",
        (Side::Sell, None) => "no one bids",
    };
    match (order.filled.0, order.leaves().0) {
        (0, 0) if order.time_in_force == TimeInForce::Fok && available > Lots::ZERO => {
            let available = units.quantity(available.min(order.quantity));
            format!("Not filled: fill or kill, and only {available} of {quantity} are available.")
        }
        (0, 0) => format!("Not filled: {nobody}."),
        (0, _) => format!("Order placed; {leaves} waiting in the book."),
        (_, 0) if order.filled == order.quantity => format!("Filled {filled}."),
        (_, 0) => {
            format!("Filled {filled} of {quantity}: {nobody} for the other {dropped}, which is cancelled.")
        }
        (_, _) => format!("Filled {filled}; {leaves} waiting in the book."),
    }
}

/// Asks for an order that was not answered in time until it is there.
async fn look_up(client_order_id: String) -> Submission {
    for _ in 0..MAX_LOOKUPS {
        sleep(LOOKUP_DELAY).await;
        if let Ok(Some(order)) = api::find_order(client_order_id.clone()).await {
            let status = order.status.as_str().to_ascii_lowercase();
            return Submission::Accepted(format!("Accepted; {status}."));
        }
    }
    not_answered()
}

fn not_answered() -> Submission {
    Submission::Unknown(
        "Not answered yet. Sending it again is safe: it keeps its client order id.".to_owned(),
    )
}

/// A client order id of 128 random bits.
fn new_client_order_id() -> String {
    let hex: String = random_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("web-{hex}")
}

#[cfg(target_arch = "wasm32")]
fn random_bytes() -> [u8; 16] {
    let mut bytes = [0; 16];
    if let Ok(crypto) = window().crypto() {
        let _ = crypto.get_random_values_with_u8_array(&mut bytes);
    }
    bytes
}

/// The server renders tickets and never sends one.
#[cfg(not(target_arch = "wasm32"))]
const fn random_bytes() -> [u8; 16] {
    [0; 16]
}

#[cfg(target_arch = "wasm32")]
async fn sleep(time: Duration) {
    let promise = js_sys::Promise::new(&mut |resolve, _| {
        let wake = move || {
            let _ = resolve.call0(&wasm_bindgen::JsValue::NULL);
        };
        set_timeout(wake, time);
    });
    let _ = wasm_bindgen_futures::JsFuture::from(promise).await;
}

#[cfg(not(target_arch = "wasm32"))]
async fn sleep(_: Duration) {}

#[cfg(test)]
mod tests {
    use engine::money::{Money, Ticks};
    use engine::order::{ClientOrderId, OrderStatus, Price};
    use engine::time::VenueTime;
    use engine::venue::VenueConfig;

    use super::*;

    #[test]
    fn an_answer_says_what_became_of_the_order_and_why() {
        let listed = VenueConfig::default().instruments().unwrap();
        let acme = listed.values().find(|instrument| instrument.symbol == "ACME").unwrap();
        let order = |terms, side, price, quantity, filled, status| Order {
            id: "aaaaaaaa-0000-4000-8000-000000000000".parse().unwrap(),
            client_order_id: ClientOrderId::parse("c").unwrap(),
            instrument: acme.id,
            side,
            price,
            time_in_force: terms,
            quantity: Lots(quantity),
            filled: Lots(filled),
            notional: Money::ZERO,
            fee: Money::ZERO,
            status,
            created_at: VenueTime(0),
            updated_at: VenueTime(0),
        };
        let limit = Price::Limit(Ticks(10_020));
        let (buy, sell) = (Side::Buy, Side::Sell);
        let (open, part, filled, over) =
            (OrderStatus::Open, OrderStatus::Partial, OrderStatus::Filled, OrderStatus::Cancelled);
        for (order, available, text) in [
            (order(TimeInForce::Gtc, buy, limit, 200, 0, open), 0, "Order placed; 200 waiting in the book."),
            (order(TimeInForce::Gtc, buy, limit, 200, 80, part), 0, "Filled 80; 120 waiting in the book."),
            (order(TimeInForce::Ioc, buy, Price::Market, 100, 100, filled), 9, "Filled 100."),
            (
                order(TimeInForce::Fok, buy, limit, 50_000, 0, over),
                8_340,
                "Not filled: fill or kill, and only 8,340 of 50,000 are available.",
            ),
            (
                order(TimeInForce::Fok, buy, limit, 500, 0, over),
                0,
                "Not filled: no one offers at this price.",
            ),
            (order(TimeInForce::Ioc, sell, limit, 500, 0, over), 0, "Not filled: no one bids at this price."),
            (
                order(TimeInForce::Ioc, sell, Price::Market, 9_000, 7_040, over),
                0,
                "Filled 7,040 of 9,000: no one bids for the other 1,960, which is cancelled.",
            ),
        ] {
            assert_eq!(answer_text(&order, Units::of(acme), Lots(available)), text);
        }
    }
}
