//! Effects of a new settlement date: coupons, redemptions, expiries.

use super::Venue;
use super::outcome::{AccountChange, Party};
use super::recorder::Recorder;
use crate::id::{AccountId, InstrumentId, OrderId};
use crate::instrument::{Instrument, Terms};
use crate::money::{Lots, Money};
use crate::order::{CancelReason, InstrumentStatus};
use crate::time::Date;

impl Venue {
    /// Moves the settlement date to that of the current step, which ends the
    /// trading day, and pays coupons and redemptions of every date passed.
    pub(super) fn roll_date(&mut self, recorder: &mut Recorder) {
        let today = self.state.config.date_at(self.state.step);
        if self.state.date < today {
            self.end_day(recorder);
        }
        while self.state.date < today {
            let date = self.state.date.plus_days(1);
            self.state.date = date;
            self.state.date_rev = recorder.outcome.seq;
            recorder.outcome.new_date = Some(date);
            let due: Vec<(InstrumentId, Money, bool)> =
                self.instruments.values().filter_map(|instrument| due_on(instrument, date)).collect();
            for (id, coupon, matures) in due {
                self.pay_coupon(id, coupon, recorder);
                if matures {
                    self.mature(id, recorder);
                }
            }
        }
    }

    fn holders(&self, id: InstrumentId) -> Vec<(AccountId, Lots)> {
        self.state
            .accounts
            .values()
            .map(|account| (account.id, account.position(id).lots))
            .filter(|(_, lots)| *lots != Lots::ZERO)
            .collect()
    }

    fn pay_coupon(&mut self, id: InstrumentId, per_lot: Money, recorder: &mut Recorder) {
        if per_lot == Money::ZERO {
            return;
        }
        for (holder, lots) in self.holders(id) {
            let amount = per_lot.times(lots).unwrap_or(Money::ZERO);
            let account = self.state.account_mut(holder);
            account.cash += amount;
            account.positions.entry(id).or_default().receive(amount);
            recorder.cash(Party::Account(holder), Party::House, amount);
            recorder.position_changed(holder, id);
            self.record(holder, AccountChange::CouponPaid { instrument: id, amount }, recorder);
        }
    }

    /// Expires an instrument: its orders are cancelled and a bond is redeemed at face.
    fn mature(&mut self, id: InstrumentId, recorder: &mut Recorder) {
        let live: Vec<(AccountId, OrderId)> = self
            .state
            .accounts
            .values()
            .flat_map(|account| account.open.values().map(|order| (account.id, order)))
            .filter(|(_, order)| order.instrument == id)
            .map(|(account, order)| (account, order.id))
            .collect();
        for (account, order) in live {
            self.cancel_resting(account, order, CancelReason::Expired, recorder);
        }
        let face = match self.instruments[&id].terms {
            Terms::Bond(_) => self.instruments[&id].face_per_lot(),
            _ => Money::ZERO,
        };
        for (holder, lots) in self.holders(id) {
            let amount = face.times(lots).unwrap_or(Money::ZERO);
            let account = self.state.account_mut(holder);
            account.cash += amount;
            account.positions.entry(id).or_default().fill(-lots, Money(amount.0.abs()), Money::ZERO);
            recorder.cash(Party::Account(holder), Party::House, amount);
            recorder.units(id, Party::House, Party::Account(holder), lots);
            recorder.position_changed(holder, id);
            self.record(holder, AccountChange::Redeemed { instrument: id, amount }, recorder);
        }
        let market = self.state.market_mut(id);
        market.set_status(id, InstrumentStatus::Expired, recorder);
        market.book = crate::book::Book::default();
        market.executed.clear();
        if let Some(board) = self.state.boards.get_mut(&id) {
            board.clear();
        }
        recorder.book_changed(id);
    }
}

/// Returns the coupon per lot that `instrument` pays on `date` and whether it
/// matures; `None` if neither.
fn due_on(instrument: &Instrument, date: Date) -> Option<(InstrumentId, Money, bool)> {
    let matures = instrument.terms.maturity() == Some(date);
    let coupon = match &instrument.terms {
        Terms::Bond(terms) => terms
            .period(date.plus_days(-1))
            .filter(|period| period.end == date)
            .map_or(Money::ZERO, |period| terms.payment(instrument.face_per_lot(), period)),
        _ => Money::ZERO,
    };
    (matures || coupon != Money::ZERO).then_some((instrument.id, coupon, matures))
}
