//! Sending a ticket: one name an attempt, kept on retry, so that repeating is
//! harmless; the answer compared with the preview that promised it.
//!
//! Does not know what an order does.

use std::time::Duration;

use engine::order::{Preview, RawTicket};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::words;
use crate::api;
use crate::gateway::{ApiError, OrderReply, Placed};
use crate::live::Live;
use crate::live::receipts::Verdict;
use crate::widgets::format;

/// How often an unanswered order is asked after.
const ASK_EVERY: Duration = Duration::from_millis(700);

/// How often at most.
const MAX_ASKS: u32 = 15;

/// Where a submission stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Sent {
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

/// The outbox of a ticket.
#[derive(Clone, Copy)]
pub(super) struct Outbox {
    live: Live,
    pub(super) sent: RwSignal<Sent>,
    /// The attempt whose outcome is unknown: its body and its name.
    doubtful: StoredValue<Option<(RawTicket, String)>>,
}

impl Outbox {
    pub(super) fn new(live: Live) -> Self {
        Self { live, sent: RwSignal::new(Sent::Nothing), doubtful: StoredValue::new(None) }
    }

    /// The name for `raw`: the one that it already has when its last attempt
    /// was not answered, else a new one.
    pub(super) fn name(self, raw: &RawTicket) -> String {
        let body = nameless(raw);
        self.doubtful
            .with_value(|doubtful| {
                doubtful.as_ref().filter(|(known, _)| *known == body).map(|(_, name)| name.clone())
            })
            .unwrap_or_else(mint)
    }

    /// Sends `raw`, which must carry its name, and compares the answer with
    /// `preview`, computed just before.
    pub(super) fn send(self, raw: RawTicket, preview: Preview) {
        let name = raw.client_order_id.clone().unwrap_or_default();
        self.doubtful.set_value(Some((nameless(&raw), name)));
        self.sent.set(Sent::Sending);
        spawn_local(async move {
            let sent = match api::place_order(raw).await {
                Ok(Placed::Answered(reply)) => self.answered(&preview, &reply),
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
            self.sent.try_set(sent);
        });
    }

    fn answered(self, preview: &Preview, reply: &OrderReply) -> Sent {
        if !reply.repeated {
            let mut verdict = Verdict::OtherBasis;
            self.live.receipts.update(|receipts| verdict = receipts.compare(preview, reply));
            if verdict == Verdict::Different {
                let (promised, decided) = (&preview.decided, &reply.decided);
                leptos::logging::warn!("preview {promised:?} but fill {decided:?}");
            }
        }
        let order = &reply.order;
        let filled = format::decimal(order.filled_quantity);
        Sent::Accepted(match (order.filled_quantity.mantissa, order.leaves_quantity.mantissa) {
            (0, 0) => "Accepted; nothing to trade with, so it is cancelled.".to_owned(),
            (0, _) => format!("Accepted; {} rests.", format::decimal(order.leaves_quantity)),
            (_, 0) if order.filled_quantity == order.quantity => format!("Filled {filled}."),
            (_, 0) => format!("Filled {filled}; the remainder is cancelled."),
            (_, _) => {
                format!("Filled {filled}; {} rests.", format::decimal(order.leaves_quantity))
            }
        })
    }

    async fn ask_after(self, name: String) -> Sent {
        for _ in 0..MAX_ASKS {
            pause(ASK_EVERY).await;
            if let Ok(Some(order)) = api::order_named(name.clone()).await {
                return Sent::Accepted(format!("Accepted; {}.", order.status.as_str().to_lowercase()));
            }
        }
        Sent::Unknown("Not answered yet. Sending it again is safe: it keeps its name.".to_owned())
    }
}

fn nameless(raw: &RawTicket) -> RawTicket {
    RawTicket { client_order_id: None, ..raw.clone() }
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
            set_timeout(
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
