//! Settlement: what a match moves between accounts, house and fees.

use super::outcome::{Fill, Party, TapePrint};
use super::recorder::Recorder;
use super::state::HouseExecution;
use super::{AccountChange, Venue};
use crate::account::{fee_on, reserved_by};
use crate::book::{Maker, Match};
use crate::id::{AccountId, InstrumentId, OrderId, TradeId};
use crate::money::{Lots, Money, Ticks};
use crate::order::{CancelReason, OrderEvent, Side};

/// One user's side of one match.
struct UserSide {
    account: AccountId,
    order: OrderId,
    trade: TradeId,
    price: Ticks,
    lots: Lots,
    notional: Money,
    maker: bool,
    against_house: bool,
}

impl Venue {
    /// Settles an incoming user order's matches at one price. Its position
    /// takes the level as one fill, so that a preview, which sees only totals
    /// a level, computes the same basis.
    pub(super) fn settle_level(
        &mut self,
        taker: AccountId,
        order: OrderId,
        level: &[Match],
        recorder: &mut Recorder,
    ) {
        let Some(incoming) = self.state.account_mut(taker).open.get(&order).cloned() else { return };
        let (instrument, side) = (incoming.instrument, incoming.side);
        let (mut lots, mut money, mut fee) = (Lots::ZERO, Money::ZERO, Money::ZERO);
        for fill in level {
            let trade = self.next_trade(recorder);
            let notional = self.exchanged(instrument, fill.price, fill.lots);
            let counterparty = match fill.maker {
                Maker::House => {
                    self.executed(instrument, side.opposite(), fill.price, fill.lots, recorder);
                    Party::House
                }
                Maker::Dealer => Party::House,
                Maker::Order { order, account } => {
                    self.settle_resting(instrument, order, account, fill, trade, false, recorder);
                    Party::Account(account)
                }
            };
            self.exchange(
                instrument,
                side,
                Party::Account(taker),
                counterparty,
                fill.lots,
                notional,
                recorder,
            );
            let against_house = counterparty == Party::House;
            let (price, filled) = (fill.price, fill.lots);
            let own = UserSide {
                account: taker,
                order,
                trade,
                price,
                lots: filled,
                notional,
                maker: false,
                against_house,
            };
            fee += self.fill_order(&own, recorder);
            lots += filled;
            money += notional;
            self.print_tape(instrument, fill.price, filled, side, recorder);
        }
        let signed = Lots(side.sign() * lots.0);
        self.settle_position(taker, instrument, signed, money, fee, recorder);
    }

    /// Settles a house order's matches: those with users move money, those
    /// with synthetic liquidity only print.
    pub(super) fn settle_house(
        &mut self,
        instrument: InstrumentId,
        side: Side,
        plan: &[Match],
        recorder: &mut Recorder,
    ) {
        for fill in plan {
            let trade = self.next_trade(recorder);
            if let Maker::Order { order, account } = fill.maker {
                let notional = self.exchanged(instrument, fill.price, fill.lots);
                self.settle_resting(instrument, order, account, fill, trade, true, recorder);
                let owner = Party::Account(account);
                self.exchange(instrument, side, Party::House, owner, fill.lots, notional, recorder);
            }
            self.print_tape(instrument, fill.price, fill.lots, side, recorder);
        }
    }

    /// The resting user's side of a match.
    #[expect(clippy::too_many_arguments, reason = "one match, seen from its resting side")]
    fn settle_resting(
        &mut self,
        instrument: InstrumentId,
        order: OrderId,
        account: AccountId,
        fill: &Match,
        trade: TradeId,
        against_house: bool,
        recorder: &mut Recorder,
    ) {
        let notional = self.exchanged(instrument, fill.price, fill.lots);
        let owner = self.state.account_mut(account);
        let Some(resting) = owner.open.get(&order) else { return };
        let side = resting.side;
        let held_before = reserved_by(&self.instruments[&instrument], resting);
        owner.reserved -= held_before;
        let own = UserSide {
            account,
            order,
            trade,
            price: fill.price,
            lots: fill.lots,
            notional,
            maker: true,
            against_house,
        };
        let fee = self.fill_order(&own, recorder);
        let owner = self.state.account_mut(account);
        if let Some(left) = owner.open.get(&order) {
            owner.reserved += reserved_by(&self.instruments[&instrument], left);
        }
        let signed = Lots(side.sign() * fill.lots.0);
        self.settle_position(account, instrument, signed, notional, fee, recorder);
    }

    /// Fills a live order and charges what the fill adds to its fee; the fee.
    fn fill_order(&mut self, side: &UserSide, recorder: &mut Recorder) -> Money {
        let time = recorder.outcome.time;
        let account = self.state.account_mut(side.account);
        let Some(order) = account.open.get_mut(&side.order) else { return Money::ZERO };
        order.filled += side.lots;
        order.notional += side.notional;
        order.updated_at = time;
        let fee = fee_on(&self.instruments[&order.instrument], order.notional) - order.fee;
        order.fee += fee;
        let complete = order.filled == order.quantity;
        let event = if complete { OrderEvent::Completed } else { OrderEvent::PartlyFilled };
        // A live order can always be filled.
        order.status = order.status.next(event).unwrap_or(order.status);
        let order = order.clone();
        if complete {
            account.open.remove(&side.order);
        }
        account.cash -= Money(order.side.sign() * side.notional.0) + fee;
        recorder.cash(Party::Fees, Party::Account(side.account), fee);
        let fill = Fill {
            trade: side.trade,
            order: side.order,
            instrument: order.instrument,
            side: order.side,
            price: side.price,
            lots: side.lots,
            notional: side.notional,
            fee,
            maker: side.maker,
            against_house: side.against_house,
            time,
        };
        self.record(side.account, AccountChange::OrderFilled { order, fill }, recorder);
        fee
    }

    /// Closes a live order that rests nowhere any more.
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

    /// Postings of a match: units to the buyer, money to the seller.
    #[expect(clippy::too_many_arguments, reason = "one match's two transfers")]
    fn exchange(
        &self,
        instrument: InstrumentId,
        side: Side,
        incoming: Party,
        resting: Party,
        lots: Lots,
        notional: Money,
        recorder: &mut Recorder,
    ) {
        let (buyer, seller) = match side {
            Side::Buy => (incoming, resting),
            Side::Sell => (resting, incoming),
        };
        recorder.units(instrument, buyer, seller, lots);
        recorder.cash(seller, buyer, notional);
    }

    /// Money that `lots` exchange at `price` today. `check` refuses orders for
    /// which this could overflow.
    pub(super) fn exchanged(&self, instrument: InstrumentId, price: Ticks, lots: Lots) -> Money {
        let instrument = &self.instruments[&instrument];
        instrument
            .money_per_lot(price, self.state.date)
            .and_then(|per_lot| per_lot.times(lots))
            .unwrap_or(Money::ZERO)
    }

    /// Remembers synthetic liquidity that traded until a step has seen it.
    pub(super) fn executed(
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
        let id = self.state.trade_id(recorder.outcome.seq, recorder.matches);
        recorder.matches += 1;
        id
    }

    fn print_tape(
        &self,
        instrument: InstrumentId,
        price: Ticks,
        lots: Lots,
        aggressor: Side,
        recorder: &mut Recorder,
    ) {
        recorder.outcome.tape.push(TapePrint { instrument, price, lots, aggressor });
    }
}
