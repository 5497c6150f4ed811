//! Worked examples: scenarios with the arithmetic in comments.

mod bonds;
mod closing;
mod journal;
mod orders;
mod quotes;
mod venue;
