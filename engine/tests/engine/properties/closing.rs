//! Accounts that are opened, reset and closed amid random trading: the ledger sums to
//! zero, and nothing of a closed account is left.

use std::collections::BTreeMap;

use engine::id::AccountId;
use engine::order::Side;
use engine::replica::VenueReplica;
use engine::venue::{Asset, Command, Party};
use proptest::prelude::*;

use super::cases;
use crate::support::{TestVenue, quoted, tick};

/// Users who come and go.
const USERS: u128 = 4;

#[derive(Clone, Debug)]
enum Action {
    Step { move_ticks: i64 },
    Market { user: u128, bond: bool, buy: bool, lots: i64 },
    Limit { user: u128, buy: bool, offset: i64, lots: i64 },
    Take { user: u128, buy: bool, lots: i64 },
    Close { user: u128 },
    Reset { user: u128 },
}

fn action() -> impl Strategy<Value = Action> {
    let user = || 1..=USERS;
    prop_oneof![
        2 => (-40_i64..=40).prop_map(|move_ticks| Action::Step { move_ticks }),
        3 => (user(), any::<bool>(), any::<bool>(), 1_i64..300)
            .prop_map(|(user, bond, buy, lots)| Action::Market { user, bond, buy, lots }),
        4 => (user(), any::<bool>(), -5_i64..=5, 1_i64..300)
            .prop_map(|(user, buy, offset, lots)| Action::Limit { user, buy, offset, lots }),
        1 => (user(), any::<bool>(), 1_i64..50).prop_map(|(user, buy, lots)| Action::Take { user, buy, lots }),
        2 => user().prop_map(|user| Action::Close { user }),
        2 => user().prop_map(|user| Action::Reset { user }),
    ]
}

/// A venue in which users open an account when they first act, and after they
/// closed one, a new one.
struct Crowd {
    test: TestVenue,
    mark: i64,
    accounts: BTreeMap<u128, AccountId>,
    opened: u128,
    closed: Vec<AccountId>,
}

impl Crowd {
    fn open() -> Self {
        let mut crowd = Self {
            test: TestVenue::new(),
            mark: 10_000,
            accounts: BTreeMap::new(),
            opened: 0,
            closed: Vec::new(),
        };
        crowd.step(0);
        crowd
    }

    fn account(&mut self, user: u128) -> AccountId {
        if let Some(account) = self.accounts.get(&user) {
            return *account;
        }
        self.opened += 1;
        let account = self.test.open(self.opened);
        self.accounts.insert(user, account);
        account
    }

    fn step(&mut self, move_ticks: i64) {
        self.mark += move_ticks;
        let (mark, test) = (self.mark, &mut self.test);
        let depth = |side: i64| [1, 2, 3].map(|level| (mark + side * level, 200));
        test.quotes = vec![quoted(test, 0, mark - 5, mark + 5, 40, 10)];
        let ticks = [test.share, test.bond].map(|id| tick(id, mark, &depth(-1), &depth(1)));
        let otc = tick(test.otc, mark, &[], &[]);
        test.step(ticks.into_iter().chain([otc]).collect());
    }

    fn perform(&mut self, action: &Action) {
        let side = |buy: bool| if buy { Side::Buy } else { Side::Sell };
        // A refused order changes nothing, and need not be told apart here.
        match *action {
            Action::Step { move_ticks } => self.step(move_ticks),
            Action::Market { user, bond, buy, lots } => {
                let account = self.account(user);
                let instrument = if bond { self.test.bond } else { self.test.share };
                let _ = self.test.market(account, instrument, side(buy), lots);
            }
            Action::Limit { user, buy, offset, lots } => {
                let (account, price) = (self.account(user), self.mark + offset);
                let _ = self.test.limit(account, self.test.share, side(buy), price, lots);
            }
            Action::Take { user, buy, lots } => {
                let account = self.account(user);
                if let Some(quote) = self.test.board(self.test.otc).first().map(|quote| quote.id) {
                    let _ = self.test.take(account, side(buy), quote, lots);
                }
            }
            Action::Reset { user } => {
                let account = self.account(user);
                self.test.command(&Command::ResetAccount { account }).unwrap();
                let found = self.test.venue.account(account).unwrap();
                assert_eq!(found.cash, self.test.venue.config().starting_balance);
            }
            Action::Close { user } => {
                let account = self.account(user);
                self.test.command(&Command::CloseAccount { account }).unwrap();
                self.accounts.remove(&user);
                self.closed.push(account);
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn closed_accounts_leave_nothing_and_the_ledger_sums_to_zero(
        actions in prop::collection::vec(action(), 1..120),
    ) {
        let mut crowd = Crowd::open();
        for action in &actions {
            // Checks the books after every entry.
            crowd.perform(action);
        }
        let mut ledger: BTreeMap<(Asset, Party), i128> = BTreeMap::new();
        let mut replica = VenueReplica::before_opening(crowd.test.venue.config()).unwrap();
        for outcome in &crowd.test.outcomes {
            let mut sums: BTreeMap<Asset, i128> = BTreeMap::new();
            for posting in &outcome.postings {
                *sums.entry(posting.asset).or_default() += i128::from(posting.amount);
                *ledger.entry((posting.asset, posting.party)).or_default() += i128::from(posting.amount);
            }
            prop_assert!(sums.values().all(|sum| *sum == 0), "entry {}", outcome.seq);
            replica.apply(outcome.seq, outcome).unwrap();
        }
        for account in &crowd.closed {
            prop_assert!(crowd.test.venue.account(*account).is_none());
            let left: Vec<_> = ledger
                .iter()
                .filter(|((_, party), sum)| *party == Party::Account(*account) && **sum != 0)
                .collect();
            prop_assert!(left.is_empty(), "{left:?}");
        }
        prop_assert_eq!(&replica.accounts, crowd.test.venue.accounts());
    }
}
