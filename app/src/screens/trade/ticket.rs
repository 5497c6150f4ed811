//! The order ticket: fields, the instant preview, and sending.
//!
//! Decides nothing: the preview is the engine's, the answer the venue's.

mod danger;
mod fields;
mod form;
mod panel;
mod parts;
mod preview;
mod send;
mod wish;
mod words;

pub(super) use form::{Form, PREVIEW, typed};
pub(super) use panel::TicketPanel;
pub(super) use parts::Answer;
pub(super) use send::{Outbox, Sent};
pub(super) use wish::{Judged, Wish};
pub(super) use words::worded;
