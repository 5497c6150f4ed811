//! What one socket follows and what of it has been sent.
//!
//! Gathers the next update from the gateway's picture. Does not know bytes.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::id::{AccountId, Seq};
use protocol::frames::{Item, PortfolioSnapshot};
use protocol::socket::{FrameError, Update};

use super::channel::{Channel, error};
use crate::agents::gateway::model::{Encoded, Followed, Stamped, VenueReplica};

/// Most channels of one socket.
const MAX_CHANNELS: usize = 128;

/// One socket's channels.
#[derive(Debug)]
pub(super) struct Subscription {
    account: AccountId,
    /// Each channel, and whether its first state is still to be sent.
    channels: BTreeMap<Channel, bool>,
    /// The picture's version when the last update was gathered.
    seen: u64,
    /// The newest of the account's events that the client has; none when the
    /// account is to be sent whole.
    account_seq: Option<u64>,
    /// The settlement date that was sent last.
    date_rev: Seq,
}

/// An update's envelope, not yet numbered, and what is in it.
pub(super) type Gathered = (Update, Vec<Arc<Encoded>>);

impl Subscription {
    /// Nothing is followed yet.
    pub(super) fn new(account: AccountId) -> Self {
        Self { account, channels: BTreeMap::new(), seen: 0, account_seq: None, date_rev: Seq(0) }
    }

    /// Adds channels, all of them or none; the account's from event `resumed`
    /// on, where the client names one.
    ///
    /// # Errors
    /// The first that is refused, `too_many_channels`, or, with everything
    /// added, `resync_required`: the account follows whole.
    pub(super) fn add(
        &mut self,
        names: &[String],
        resumed: Option<i128>,
        state: &VenueReplica,
    ) -> Result<(), FrameError> {
        let too_many = || {
            let message = format!("A socket may have {MAX_CHANNELS} channels.");
            Err(error("too_many_channels", message))
        };
        if names.len() > MAX_CHANNELS {
            return too_many();
        }
        let channels = self.parse(names, state)?;
        let added = channels.iter().filter(|channel| !self.channels.contains_key(channel));
        let added = added.collect::<std::collections::BTreeSet<_>>().len();
        if self.channels.len() + added > MAX_CHANNELS {
            return too_many();
        }
        let account = channels.contains(&Channel::Account);
        if resumed.is_some() && !account {
            let message = "An account_seq goes with the account's channel.";
            return Err(error("invalid_value", message.to_owned()));
        }
        for channel in channels {
            self.channels.insert(channel, true);
        }
        if account {
            self.account_seq = resumed.and_then(|number| resumable(number, state.account(self.account)?));
            if resumed.is_some() && self.account_seq.is_none() {
                let message = "The account's events cannot go on from there; the account follows whole.";
                return Err(error("resync_required", message.to_owned()));
            }
        }
        Ok(())
    }

    /// Takes channels away; those that are not there are gone already.
    ///
    /// # Errors
    /// The first that names nothing.
    pub(super) fn remove(&mut self, names: &[String], state: &VenueReplica) -> Result<(), FrameError> {
        for channel in self.parse(names, state)? {
            self.channels.remove(&channel);
        }
        Ok(())
    }

    fn parse(&self, names: &[String], state: &VenueReplica) -> Result<Vec<Channel>, FrameError> {
        let listed = |id| state.instruments.contains_key(&id);
        names.iter().map(|name| Channel::parse(name, self.account, listed)).collect()
    }

    /// Everything that is new since the last update; `None` when nothing is.
    pub(super) fn gather(&mut self, state: &VenueReplica) -> Option<Gathered> {
        let mut items = Vec::new();
        let followed = state.account(self.account);
        for (channel, fresh) in &mut self.channels {
            let seen = if *fresh { 0 } else { self.seen };
            let is_new = |stamped: &&Stamped<Arc<Encoded>>| stamped.version > seen;
            let newest = |stamped: &Stamped<Arc<Encoded>>| stamped.value.clone();
            match channel {
                Channel::Book(id) => items.extend(state.book(*id).filter(is_new).map(newest)),
                Channel::Tick(id) => items.extend(state.tick(*id).filter(is_new).map(newest)),
                Channel::Tape(id) => items.extend(state.tape(*id).filter(is_new).map(newest)),
                Channel::Account => {
                    let Some(followed) = followed else { continue };
                    items.extend(account_items(state, followed, self.account_seq));
                    self.account_seq = Some(followed.account.account_seq);
                }
                Channel::Portfolio => {
                    let Some(followed) = followed else { continue };
                    let newer = followed.portfolio.as_ref().filter(is_new).map(newest);
                    items.extend(newer.or_else(|| fresh.then(|| valued(state, followed))));
                }
            }
            *fresh = false;
        }
        self.seen = state.version;
        if items.is_empty() && (self.channels.is_empty() || self.date_rev == state.date_rev) {
            return None;
        }
        self.date_rev = state.date_rev;
        let envelope = Update {
            number: 0,
            more: false,
            through: state.through,
            time: state.time,
            date: state.date,
            date_rev: state.date_rev,
            items: vec![],
        };
        Some((envelope, items))
    }
}

/// `number`, if every one of the account's events after it is still kept.
fn resumable(number: i128, followed: &Followed) -> Option<u64> {
    let number = u64::try_from(number).ok()?;
    events_after(number, followed).map(|_| number)
}

/// The account's events after number `sent`, in order; `None` when some of them
/// are no longer kept, or `sent` is yet to come.
fn events_after(sent: u64, followed: &Followed) -> Option<impl Iterator<Item = &Arc<Encoded>>> {
    let missing = usize::try_from(followed.account.account_seq.checked_sub(sent)?).ok()?;
    let first = followed.executions.len().checked_sub(missing)?;
    // They are dense, and the newest is always kept.
    let dense = followed.executions.get(first).is_none_or(|execution| execution.value.0 == sent + 1);
    dense.then(|| followed.executions.range(first..).map(|execution| &execution.value.1))
}

/// The account's events after number `sent`; the whole account when nothing was
/// sent yet or some of them are no longer kept.
fn account_items(state: &VenueReplica, followed: &Followed, sent: Option<u64>) -> Vec<Arc<Encoded>> {
    match sent.and_then(|sent| events_after(sent, followed)) {
        Some(events) => events.cloned().collect(),
        None => {
            let frame = state.account_frame(&followed.account);
            vec![Arc::new(Encoded::new(Item::Account(Box::new(frame))))]
        }
    }
}

/// A first valuation, before the portfolio agent has spoken.
fn valued(state: &VenueReplica, followed: &Followed) -> Arc<Encoded> {
    let snapshot = PortfolioSnapshot {
        through: state.through,
        timestamp: state.time,
        valuation: state.valuation(&followed.account),
    };
    Arc::new(Encoded::new(Item::Portfolio(Box::new(snapshot))))
}
