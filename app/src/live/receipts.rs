//! Previews against fills: the promise that both are byte-equal on an equal
//! basis, counted in front of the user.
//!
//! Knows neither how a preview is made nor how an order is sent.

use engine::order::Preview;

use protocol::rest::PlacedOrder;

/// How often an answer kept its preview's word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipts {
    /// Answers on the preview's own basis.
    pub compared: u32,
    /// Those of them that decided otherwise; never, says the venue.
    pub different: u32,
    /// Answers on another basis: the market moved in between.
    pub other_basis: u32,
    /// Of the compared ones, those that filled something.
    pub with_fills: u32,
}

/// What a comparison found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Equal basis, equal bytes.
    Same,
    /// Equal basis, other bytes.
    Different,
    /// The market or the account moved in between.
    OtherBasis,
}

impl Receipts {
    /// Compares an answer with the preview shown just before it was asked for.
    pub fn compare(&mut self, preview: &Preview, reply: &PlacedOrder) -> Verdict {
        if reply.basis != preview.basis {
            self.other_basis += 1;
            return Verdict::OtherBasis;
        }
        self.compared += 1;
        self.with_fills += u32::from(!reply.decided.fills.is_empty());
        if reply.decided.bytes() == preview.decided.bytes() {
            return Verdict::Same;
        }
        self.different += 1;
        Verdict::Different
    }
}
