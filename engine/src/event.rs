//! Messages that cross a process boundary: between agents over the bus, and
//! from the gateway to clients.
//!
//! Plain versioned structs and enums, so that JSON (public, Redis) and
//! postcard (the browser app) both carry them. Inside the bus prices are
//! `Ticks` and quantities `Lots`; towards clients they are decimals.

mod bus;
mod frame;
mod old;
mod socket;

pub use bus::{
    BookMessage, BookRow, ExecutionBatch, MarketStep, PortfolioMessage, PublishedEntry, QuotesMessage,
};
pub use frame::{
    AccountFrame, BookFrame, BookLevel, ExecutionFrame, FillFrame, Item, OrderFrame, PortfolioSnapshot,
    PositionFrame, QuoteFrame, QuotesFrame, TapeFrame, TickEvent,
};
pub use old::MarketStepV1;
pub use socket::{ClientMessage, Cut, Encoding, FRAMES_VERSION, Frame, FrameError, Hello};
