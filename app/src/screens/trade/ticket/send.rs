//! Sending a wish: one name an attempt, kept on retry, so that repeating is
//! harmless; the answer compared with the preview that promised it.
//!
//! Does not know what an order does.

use std::time::Duration;

use engine::id::QuoteId;
use engine::order::Preview;
use leptos::task::spawn_local;

use super::wish::Wish;
use super::words;
use crate::ask;
use crate::components::Units;
use crate::live::Live;
use crate::reactive::{RwSignal, StoredValue};
use protocol::gateway::{ApiError, OrderReply, Placed};

/// How often an unanswered order is asked after.
const ASK_EVERY: Duration = Duration::from_millis(700);

/// How often at most.
const MAX_ASKS: u32 = 15;

/// Where a submission stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::screens::trade) enum Sent {
    /// Nothing was sent.
    #[default]
    Nothing,
    /// On its way.
    Sending,
    /// Accepted: what it did, in words.
    Accepted(String),
    /// Refused, durably without effect.
    Refused(Box<ApiError>),
    /// Nobody knows: sending it again is harmless.
    Unknown(String),
}

/// Where wishes are sent from.
#[derive(Clone, Copy)]
pub(in crate::screens::trade) struct Outbox {
    live: Live,
    pub(in crate::screens::trade) sent: RwSignal<Sent>,
    /// The attempt whose outcome is unknown, with its name.
    doubtful: StoredValue<Option<Wish>>,
}

impl Outbox {
    pub(in crate::screens::trade) fn new(live: Live) -> Self {
        Self { live, sent: RwSignal::new(Sent::Nothing), doubtful: StoredValue::new(None) }
    }

    /// `wish` as it is to be sent: the last attempt itself when that asked for
    /// the same and was not answered, else under a new name, about the quote
    /// that was `chosen` or the best of now.
    pub(in crate::screens::trade) fn prepare(self, wish: &Wish, chosen: Option<QuoteId>) -> Wish {
        let aimed = wish.clone().aimed(self.live, chosen);
        let wanted = if chosen.is_some() { &aimed } else { wish };
        let again = self
            .doubtful
            .with_value(|doubtful| doubtful.as_ref().filter(|doubtful| doubtful.asks_like(wanted)).cloned());
        again.unwrap_or_else(|| aimed.named(&mint()))
    }

    /// Whether `wish` is the very attempt whose outcome is unknown.
    pub(in crate::screens::trade) fn is_repeat(self, wish: &Wish) -> bool {
        self.doubtful.with_value(|doubtful| doubtful.as_ref() == Some(wish))
    }

    /// Sends `wish`, which must carry its name, and compares the answer with
    /// `preview`, computed just before; a repeat is promised nothing.
    pub(in crate::screens::trade) fn send(self, wish: Wish, preview: Option<Preview>) {
        self.doubtful.set_value(Some(wish.clone()));
        self.sent.set(Sent::Sending);
        spawn_local(async move {
            let placed = match &wish {
                Wish::Order(raw) => ask::place_order(raw).await,
                Wish::Take { quote, side, raw, .. } => {
                    let quote = quote.map(|quote| quote.to_string()).unwrap_or_default();
                    ask::take_quote(&quote, *side, raw).await
                }
                Wish::Amend { order, raw } => ask::amend_order(&order.to_string(), raw).await,
            };
            let sent = match placed {
                Ok(Placed::Answered(reply)) => self.answered(preview.as_ref(), &reply),
                // An amendment's name is no order's: only a repeat finds it.
                Ok(Placed::Pending { .. }) if matches!(wish, Wish::Amend { .. }) => not_yet(),
                Ok(Placed::Pending { client_order_id }) => self.ask_after(client_order_id).await,
                Err(error) if error.leaves_doubt() => {
                    Sent::Unknown(format!("{} Sending it again is safe: it keeps its name.", error.message))
                }
                Err(error) => {
                    self.live.say(format!("Refused: {}", words::answered(&error)));
                    Sent::Refused(Box::new(error))
                }
            };
            if !matches!(sent, Sent::Unknown(_)) {
                self.doubtful.try_set_value(None);
            }
            self.sent.set(sent);
        });
    }

    fn answered(self, preview: Option<&Preview>, reply: &OrderReply) -> Sent {
        if let Some(preview) = preview.filter(|_| !reply.repeated) {
            let mut is_different = false;
            self.live.previews.update(|previews| is_different = previews.compare(preview, reply));
            if is_different {
                let (promised, decided) = (&preview.decided, &reply.decided);
                leptos::logging::warn!("preview {promised:?} but fill {decided:?}");
            }
        }
        let order = &reply.order;
        let units = self.live.instrument(order.instrument).map(|instrument| Units::of(&instrument));
        let quantity = |lots| units.map(|units| units.quantity(lots)).unwrap_or_default();
        let (filled, leaves) = (quantity(order.filled), quantity(order.leaves()));
        Sent::Accepted(match (order.filled.0, order.leaves().0) {
            (0, 0) => "Accepted; nothing to trade with, so it is cancelled.".to_owned(),
            (0, _) => format!("Accepted; {leaves} rests."),
            (_, 0) if order.filled == order.quantity => format!("Filled {filled}."),
            (_, 0) => format!("Filled {filled}; the remainder is cancelled."),
            (_, _) => format!("Filled {filled}; {leaves} rests."),
        })
    }

    async fn ask_after(self, name: String) -> Sent {
        for _ in 0..MAX_ASKS {
            pause(ASK_EVERY).await;
            if let Ok(Some(order)) = ask::order_named(&name).await {
                return Sent::Accepted(format!("Accepted; {}.", order.status.as_str().to_ascii_lowercase()));
            }
        }
        not_yet()
    }
}

fn not_yet() -> Sent {
    Sent::Unknown("Not answered yet. Sending it again is safe: it keeps its name.".to_owned())
}

/// A name that nobody else has: 128 random bits.
fn mint() -> String {
    let bytes = random_bytes();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("web-{hex}")
}

#[cfg(target_arch = "wasm32")]
fn random_bytes() -> [u8; 16] {
    let mut bytes = [0; 16];
    if let Some(crypto) = web_sys::window().and_then(|window| window.crypto().ok()) {
        let _ = crypto.get_random_values_with_u8_array(&mut bytes);
    }
    bytes
}

/// The server renders tickets and never sends one.
#[cfg(not(target_arch = "wasm32"))]
const fn random_bytes() -> [u8; 16] {
    [0; 16]
}

async fn pause(time: Duration) {
    #[cfg(target_arch = "wasm32")]
    {
        let promise = js_sys::Promise::new(&mut |resolve, _| {
            leptos::prelude::set_timeout(
                move || {
                    let _ = resolve.call0(&wasm_bindgen::JsValue::NULL);
                },
                time,
            );
        });
        let _ = wasm_bindgen_futures::JsFuture::from(promise).await;
    }
    #[cfg(not(target_arch = "wasm32"))]
    let _ = time;
}
