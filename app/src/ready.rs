//! What a page is rendered from: read before it is rendered, carried inside it,
//! found there by the browser. So neither side ever renders what it has to wait
//! for.
//!
//! Knows which page needs what; not what a page makes of it.

use std::sync::Arc;

use leptos::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec::PostcardCodec;
use protocol::error::ApiError;
use protocol::rest::{Opening, SessionEntry};

/// An answer of the gateway; `None` where nobody asked.
pub(crate) type Answer<T> = Option<Result<T, ApiError>>;

/// What the pages are rendered from.
#[derive(Debug, Default)]
pub struct Ready {
    /// For the trading floor's screens.
    pub(crate) opening: Answer<Opening>,
    /// For the list of one's sessions.
    pub(crate) sessions: Answer<Vec<SessionEntry>>,
}

#[cfg(feature = "ssr")]
impl Ready {
    /// Reads what the page at `path` shows to `caller`.
    pub async fn read(
        path: &str,
        gateway: &protocol::gateway::SharedGateway,
        caller: Option<&protocol::gateway::Caller>,
    ) -> Self {
        let Some(caller) = caller else { return Self::default() };
        match crate::place::plain(path) {
            "/account" => Self { sessions: Some(gateway.sessions(caller).await), ..Self::default() },
            path @ ("/" | crate::floor::PORTFOLIO) => {
                let worth = path == crate::floor::PORTFOLIO;
                let opening = crate::api::read_opening(gateway, caller, worth).await;
                Self { opening: Some(opening), ..Self::default() }
            }
            _ => Self::default(),
        }
    }

    /// Why the page cannot show what it is for.
    pub fn error(&self) -> Option<&ApiError> {
        let opening = self.opening.as_ref().and_then(|answer| answer.as_ref().err());
        opening.or_else(|| self.sessions.as_ref().and_then(|answer| answer.as_ref().err()))
    }
}

/// A part of what was read: on the server out of the context, in the browser
/// out of the page.
pub(crate) fn ready<T>(part: fn(&Ready) -> &Answer<T>) -> Answer<T>
where
    T: Clone + Serialize + DeserializeOwned,
{
    let read = || use_context::<Arc<Ready>>().and_then(|ready| part(&ready).clone());
    SharedValue::<Answer<T>, PostcardCodec>::new_with_encoding(read).into_inner()
}
