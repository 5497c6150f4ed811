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
mod words;

pub(super) use form::Form;
pub(super) use panel::TicketPanel;
