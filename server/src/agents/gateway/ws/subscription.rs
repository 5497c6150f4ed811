//! The channels of one socket, and what of them has been sent.
//!
//! Gathers the next update from the read model. Does not know bytes.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::account::Account;
use engine::id::{AccountId, Seq};
use protocol::socket::{FrameError, Item, Update};

use super::channel::{Channel, error};
use crate::agents::gateway::model::{AccountItems, Encoded, Stamped, VenueView};

/// Most channels of one socket.
const MAX_CHANNELS: usize = 128;

/// One socket's channels.
#[derive(Debug)]
pub(super) struct Subscription {
    account: AccountId,
    /// Each channel, and whether its first state is still to be sent.
    channels: BTreeMap<Channel, bool>,
    /// The view's version when the last update was gathered.
    sent_version: u64,
    /// The newest of the account's events that the client has; none if the whole
    /// account is to be sent.
    account_seq: Option<u64>,
    /// The settlement date that was sent last.
    date_rev: Seq,
}

/// An update's envelope, not yet numbered, and its items.
pub(super) type Gathered = (Update, Vec<Arc<Encoded>>);

impl Subscription {
    /// A subscription without channels.
    pub(super) fn new(account: AccountId) -> Self {
        Self { account, channels: BTreeMap::new(), sent_version: 0, account_seq: None, date_rev: Seq(0) }
    }

    /// Adds channels, all of them or none; the account continues after event
    /// `account_seq`, if the client names one.
    ///
    /// # Errors
    /// The first that is refused, `too_many_channels`, or, with everything
    /// added, `resync_required`: the whole account follows.
    pub(super) fn add(
        &mut self,
        names: &[String],
        account_seq: Option<i128>,
        view: &VenueView,
    ) -> Result<(), FrameError> {
        let too_many = || {
            let message = format!("A socket may have {MAX_CHANNELS} channels.");
            Err(error("too_many_channels", message))
        };
        if names.len() > MAX_CHANNELS {
            return too_many();
        }
        let channels = self.parse(names, view)?;
        let added = channels.iter().filter(|channel| !self.channels.contains_key(channel));
        let added = added.collect::<std::collections::BTreeSet<_>>().len();
        if self.channels.len() + added > MAX_CHANNELS {
            return too_many();
        }
        let has_account = channels.contains(&Channel::Account);
        if account_seq.is_some() && !has_account {
            let message = "An account_seq goes with the account's channel.";
            return Err(error("invalid_value", message.to_owned()));
        }
        for channel in channels {
            self.channels.insert(channel, true);
        }
        if has_account {
            self.account_seq = account_seq.and_then(|number| resumable(number, view, self.account));
            if account_seq.is_some() && self.account_seq.is_none() {
                let message = "The account's events cannot go on from there; the account follows whole.";
                return Err(error("resync_required", message.to_owned()));
            }
        }
        Ok(())
    }

    /// Removes channels; unsubscribed ones are ignored.
    ///
    /// # Errors
    /// The first that does not exist.
    pub(super) fn remove(&mut self, names: &[String], view: &VenueView) -> Result<(), FrameError> {
        for channel in self.parse(names, view)? {
            self.channels.remove(&channel);
        }
        Ok(())
    }

    fn parse(&self, names: &[String], view: &VenueView) -> Result<Vec<Channel>, FrameError> {
        let listed = |id| view.instruments().contains_key(&id);
        names.iter().map(|name| Channel::parse(name, self.account, listed)).collect()
    }

    /// Everything that is new since the last update; `None` if nothing is.
    pub(super) fn gather(&mut self, view: &VenueView) -> Option<Gathered> {
        let mut items = Vec::new();
        let account = view.account(self.account).ok();
        let account_items = view.account_items(self.account);
        for (channel, fresh) in &mut self.channels {
            let sent = if *fresh { 0 } else { self.sent_version };
            let newer =
                |stamped: &Stamped<Arc<Encoded>>| (stamped.version > sent).then(|| stamped.value.clone());
            let of = |id| view.instrument_items(id);
            match channel {
                Channel::Book(id) => items.extend(of(*id).and_then(|listed| newer(&listed.book))),
                Channel::Tick(id) => items.extend(of(*id).and_then(|listed| newer(listed.tick.as_ref()?))),
                Channel::Tape(id) => {
                    items.extend(of(*id).into_iter().flat_map(|listed| &listed.tape).filter_map(newer));
                }
                Channel::Candle(id, interval) => {
                    let updates = of(*id).into_iter().flat_map(|listed| listed.candles(*interval));
                    let newer = updates.filter(|update| update.version > sent);
                    items.extend(newer.map(|update| view.encoded(Item::Candle(update.value))));
                }
                Channel::Clock => {
                    let clock = view.clock();
                    items.extend((clock.version > sent).then(|| view.encoded(Item::Clock(clock.value))));
                }
                Channel::Account => {
                    let Some(account) = account else { continue };
                    items.extend(account_channel_items(view, account, self.account_seq));
                    self.account_seq = Some(account.account_seq);
                }
                Channel::Portfolio => {
                    let Some(account) = account else { continue };
                    let newest = account_items.and_then(|items| newer(items.portfolio.as_ref()?));
                    // The first one before the portfolio agent has published any.
                    let first =
                        || fresh.then(|| view.encoded(Item::Portfolio(Box::new(view.portfolio(account)))));
                    items.extend(newest.or_else(first));
                }
            }
            *fresh = false;
        }
        self.sent_version = view.version();
        let market = view.market();
        if items.is_empty() && (self.channels.is_empty() || self.date_rev == market.date_rev) {
            return None;
        }
        self.date_rev = market.date_rev;
        let envelope = Update {
            number: 0,
            more: false,
            through: market.through,
            time: market.time,
            date: market.date,
            date_rev: market.date_rev,
            items: vec![],
        };
        Some((envelope, items))
    }
}

/// `account_seq`, if every one of the account's events after it is still held.
fn resumable(account_seq: i128, view: &VenueView, account: AccountId) -> Option<u64> {
    let sent = u64::try_from(account_seq).ok()?;
    events_after(sent, view.account(account).ok()?, view.account_items(account)).map(|_| sent)
}

/// The account's events after number `sent`, in order; `None` if some of them
/// are no longer held, or `sent` is yet to come.
fn events_after(sent: u64, account: &Account, items: Option<&AccountItems>) -> Option<Vec<Arc<Encoded>>> {
    let missing = usize::try_from(account.account_seq.checked_sub(sent)?).ok()?;
    let Some(AccountItems { executions, .. }) = items else { return (missing == 0).then(Vec::new) };
    let first = executions.len().checked_sub(missing)?;
    // They are dense, and the newest is always held.
    let dense = executions.get(first).is_none_or(|execution| execution.value.0 == sent + 1);
    dense.then(|| executions.range(first..).map(|execution| execution.value.1.clone()).collect())
}

/// The account's events after number `sent`; the whole account if nothing was
/// sent yet or some of them are no longer held, and after a reset, which no event
/// tells the positions of.
fn account_channel_items(view: &VenueView, account: &Account, sent: Option<u64>) -> Vec<Arc<Encoded>> {
    let items = view.account_items(account.id);
    let events = sent.and_then(|sent| events_after(sent, account, items));
    let is_whole = events.is_none() || items.is_some_and(|items| items.reset > sent);
    let whole = is_whole.then(|| view.encoded(Item::Account(Box::new(account.clone()))));
    events.into_iter().flatten().chain(whole).collect()
}
