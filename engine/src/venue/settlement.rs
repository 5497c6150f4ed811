//! Settlement: transfers of a match between accounts, house and fees.

use super::outcome::{Fill, Party, TapePrint};
use super::recorder::Recorder;
use super::state::HouseExecution;
use super::{AccountChange, Venue};
use crate::account::{fee_on, reserved_by};
use crate::book::{Maker, Match};
use crate::id::{AccountId, InstrumentId, OrderId, TradeId};
use crate::money::{Lots, Money, Ticks};
use crate::order::{CancelReason, OrderEvent, Side};

impl Venue {
    /// Settles an incoming user order's matches at one price. Its position takes
    /// the level as one fill, so that a preview, which reads only totals per
    /// level, computes the same basis.
    pub(super) fn settle_level(
        &mut self,
        taker: AccountId,
        order: OrderId,
        level: &[Match],
        recorder: &mut Recorder,
    ) {
        let Some(incoming) = self.state.account_mut(taker).open.get(&order) else { return };
        let (instrument, side) = (incoming.instrument, incoming.side);
        let (mut lots, mut money, mut fee) = (Lots::ZERO, Money::ZERO, Money::ZERO);
        for matched in level {
            let own = self.fill_of(matched, instrument, side, order, recorder);
            let counterparty = match matched.maker {
                Maker::House => {
                    self.record_house_execution(instrument, side.opposite(), own.price, own.lots, recorder);
                    Party::House
                }
                Maker::Dealer => Party::House,
                Maker::Order { order, account } => {
                    let resting = Fill { order, side: side.opposite(), maker: true, ..own };
                    self.settle_resting(account, resting, recorder);
                    Party::Account(account)
                }
            };
            recorder.exchange(&own, Party::Account(taker), counterparty);
            fee += self.fill_order(taker, own, recorder);
            lots += own.lots;
            money += own.notional;
            self.print_tape(instrument, matched, side, recorder);
        }
        let signed = Lots(side.sign() * lots.0);
        self.settle_position(taker, instrument, signed, money, fee, recorder);
    }

    /// Settles a house order's matches: those with users move money, those with
    /// synthetic liquidity only print.
    pub(super) fn settle_house(
        &mut self,
        instrument: InstrumentId,
        side: Side,
        plan: &[Match],
        recorder: &mut Recorder,
    ) {
        for matched in plan {
            if let Maker::Order { order, account } = matched.maker {
                let fill = self.fill_of(matched, instrument, side.opposite(), order, recorder);
                let resting = Fill { maker: true, against_house: true, ..fill };
                self.settle_resting(account, resting, recorder);
                recorder.exchange(&resting, Party::Account(account), Party::House);
            } else {
                self.next_trade(recorder);
            }
            self.print_tape(instrument, matched, side, recorder);
        }
    }

    /// Returns the fill of an incoming order's match with the next trade id, its
    /// fee not yet computed.
    fn fill_of(
        &self,
        matched: &Match,
        instrument: InstrumentId,
        side: Side,
        order: OrderId,
        recorder: &mut Recorder,
    ) -> Fill {
        let Match { price, lots, maker } = *matched;
        Fill {
            trade: self.next_trade(recorder),
            order,
            instrument,
            side,
            price,
            lots,
            notional: self.exchanged(instrument, price, lots),
            fee: Money::ZERO,
            maker: false,
            against_house: !matches!(maker, Maker::Order { .. }),
            time: recorder.outcome.time,
        }
    }

    /// Settles the resting user's side of a match.
    fn settle_resting(&mut self, account: AccountId, fill: Fill, recorder: &mut Recorder) {
        let owner = self.state.account_mut(account);
        let Some(resting) = owner.open.get(&fill.order) else { return };
        owner.reserved -= reserved_by(&self.instruments[&fill.instrument], resting);
        let fee = self.fill_order(account, fill, recorder);
        let owner = self.state.account_mut(account);
        if let Some(left) = owner.open.get(&fill.order) {
            owner.reserved += reserved_by(&self.instruments[&fill.instrument], left);
        }
        let signed = Lots(fill.side.sign() * fill.lots.0);
        self.settle_position(account, fill.instrument, signed, fill.notional, fee, recorder);
    }

    /// Applies a fill to its live order, charges the increase of the order's fee
    /// and returns that.
    fn fill_order(&mut self, id: AccountId, mut fill: Fill, recorder: &mut Recorder) -> Money {
        let account = self.state.account_mut(id);
        let Some(order) = account.open.get_mut(&fill.order) else { return Money::ZERO };
        order.filled += fill.lots;
        order.notional += fill.notional;
        order.updated_at = fill.time;
        fill.fee = fee_on(&self.instruments[&order.instrument], order.notional) - order.fee;
        order.fee += fill.fee;
        let complete = order.filled == order.quantity;
        let event = if complete { OrderEvent::Completed } else { OrderEvent::PartlyFilled };
        // A live order can always be filled.
        order.status = order.status.next(event).unwrap_or(order.status);
        let order = order.clone();
        if complete {
            account.open.remove(&fill.order);
        }
        account.cash -= Money(order.side.sign() * fill.notional.0) + fill.fee;
        recorder.cash(Party::Fees, Party::Account(id), fill.fee);
        self.record(id, AccountChange::OrderFilled { order, fill }, recorder);
        fill.fee
    }

    /// Closes a live order that does not rest.
    pub(super) fn close_order(
        &mut self,
        id: AccountId,
        order: OrderId,
        reason: CancelReason,
        recorder: &mut Recorder,
    ) {
        let Some(mut order) = self.state.account_mut(id).open.remove(&order) else { return };
        order.status = order.status.next(OrderEvent::Cancelled).unwrap_or(order.status);
        order.updated_at = recorder.outcome.time;
        self.record(id, AccountChange::OrderCancelled { order, reason }, recorder);
    }

    fn settle_position(
        &mut self,
        account: AccountId,
        instrument: InstrumentId,
        lots: Lots,
        money: Money,
        fee: Money,
        recorder: &mut Recorder,
    ) {
        let positions = &mut self.state.account_mut(account).positions;
        positions.entry(instrument).or_default().fill(lots, money, fee);
        recorder.position_changed(account, instrument);
    }

    /// Returns the money that `lots` exchange at `price` on the current date.
    /// `check` refuses orders for which this could overflow.
    pub(super) fn exchanged(&self, instrument: InstrumentId, price: Ticks, lots: Lots) -> Money {
        let instrument = &self.instruments[&instrument];
        instrument
            .money_per_lot(price, self.state.date)
            .and_then(|per_lot| per_lot.times(lots))
            .unwrap_or(Money::ZERO)
    }

    /// Stores an execution of synthetic liquidity until a step includes it.
    pub(super) fn record_house_execution(
        &mut self,
        instrument: InstrumentId,
        side: Side,
        price: Ticks,
        lots: Lots,
        recorder: &Recorder,
    ) {
        let seq = recorder.outcome.seq;
        self.state.market_mut(instrument).executed.push(HouseExecution { seq, side, price, lots });
    }

    fn next_trade(&self, recorder: &mut Recorder) -> TradeId {
        let id = TradeId::derive(self.state.venue, recorder.outcome.seq, recorder.matches);
        recorder.matches += 1;
        id
    }

    fn print_tape(
        &self,
        instrument: InstrumentId,
        matched: &Match,
        aggressor: Side,
        recorder: &mut Recorder,
    ) {
        let (price, lots) = (matched.price, matched.lots);
        recorder.outcome.tape.push(TapePrint { instrument, price, lots, aggressor });
    }
}
