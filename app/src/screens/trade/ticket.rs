//! The order ticket: fields, the instant preview, and sending.
//!
//! Decides nothing: the preview is the engine's, the answer the venue's.

mod bond;
mod fields;
mod form;
mod intent;
mod panel;
mod parts;
mod preview;
mod sender;
mod texts;
mod warnings;

pub(super) use form::{PREVIEW_ORDER_ID, TicketForm, plain_number};
pub(super) use intent::{OrderIntent, PreTradeCheck};
pub(super) use panel::TicketPanel;
pub(super) use parts::SubmissionStatus;
pub(super) use sender::{OrderSender, Submission};
pub(super) use texts::{cancels_text, typed_text};
