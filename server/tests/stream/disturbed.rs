//! Users trade on a moving market while any frame of their sockets may be lost,
//! doubled, late, or the last of its socket: their state equals the venue's.
//!
//! `TICKHALL_DISTURBANCES` sets the number of disturbances (default 10,000).

use std::time::Instant;

use engine::id::AccountId;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::client::{Client, Disturbances};
use super::replay::{ReplayedVenue, Snapshot};
use crate::support::site::{Site, Visitor, ticket};
use crate::support::traders::Random;

/// Users who trade and watch.
const USERS: usize = 6;

/// Orders and steps between two comparisons.
const ROUND_ACTIONS: usize = 100;

/// A site, its users, and the venue decided again.
struct Scenario {
    site: Site,
    owner: Visitor,
    users: Vec<Visitor>,
    accounts: Vec<AccountId>,
    replayed: ReplayedVenue,
    random: Random,
    orders: u64,
    refused: u64,
}

impl Scenario {
    async fn open(seed: u64) -> Self {
        let site = Site::with(|config| {
            config.limits.socket_updates_per_second = 1_000;
            config.limits.socket_messages_per_second = 1_000;
            config.limits.sockets_per_user = 1_000;
            config.snapshot.journal_entries = 1_000_000;
        })
        .await;
        site.steps(20).await;
        let (mut users, mut accounts) = (Vec::new(), Vec::new());
        for number in 0..USERS {
            let user = site.user(&format!("u{number}")).await;
            let session = user.get("/api/v1/session").await.json();
            accounts.push(session["account"].as_str().unwrap().parse().unwrap());
            users.push(user);
        }
        let owner = site.owner().await;
        let random = Random(seed);
        Self {
            site,
            owner,
            users,
            accounts,
            replayed: ReplayedVenue::default(),
            random,
            orders: 0,
            refused: 0,
        }
    }

    async fn clients(&self, heals: bool, seed: u64) -> Vec<Client> {
        let mut clients = Vec::new();
        for (user, number) in self.users.iter().zip(1_u64..) {
            clients.push(Client::open(user, heals, seed.wrapping_mul(number)).await);
        }
        clients
    }

    /// Two steps: the liquid shares tick in every second one.
    async fn step(&mut self) {
        let answer = self.owner.post("/api/v1/venue/clock", &json!({ "step": { "steps": 2 } })).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    /// A random user trades, or the market moves.
    async fn act(&mut self) {
        let draw = self.random.draw();
        let user = &mut self.users[(draw >> 8) as usize % USERS];
        self.orders += 1;
        let name = format!("o-{}", self.orders);
        let symbols = ["ACME", "BRLS", "GOV-4.5-2036"];
        let symbol = symbols[(draw >> 16) as usize % symbols.len()];
        let lots = if symbol.starts_with("GOV") { "2000" } else { "7" };
        let side = if draw & 64 == 0 { "BUY" } else { "SELL" };
        let answer = match draw % 16 {
            0..5 => return self.step().await,
            5..9 => {
                let order = ticket(self.site.id(symbol), side, lots, None, &name);
                user.post("/api/v1/orders", &order).await
            }
            // Around the touch, so that some rest and some meet each other.
            9..13 => {
                let price = ["99.80", "99.95", "100.05", "100.20"][(draw >> 24) as usize % 4];
                let order = ticket(self.site.id("ACME"), side, "9", Some(price), &name);
                user.post("/api/v1/orders", &order).await
            }
            13 => user.delete("/api/v1/orders").await,
            _ => {
                let boards = user.get("/api/v1/quotes").await.json();
                let quotes = boards[(draw >> 24) as usize % 2]["quotes"].clone();
                let Some(quote) = quotes[0]["quote_id"].as_str() else { return };
                let verb = if side == "BUY" { "lift" } else { "hit" };
                let take = json!({ "quantity": "1000", "client_order_id": name });
                user.post(&format!("/api/v1/quotes/{quote}/{verb}"), &take).await
            }
        };
        assert!(answer.status.as_u16() < 500 && answer.status != 429, "{}", answer.text);
        self.refused += u64::from(!answer.status.is_success());
    }

    /// A round of trading under disturbance. Returns the clients whose state is
    /// not the venue's.
    async fn round(&mut self, clients: &mut Vec<Client>) -> Vec<usize> {
        let done = CancellationToken::new();
        let listening: Vec<_> =
            clients.drain(..).map(|client| tokio::spawn(client.listen_disturbed(done.clone()))).collect();
        for _ in 0..ROUND_ACTIONS {
            self.act().await;
        }
        done.cancel();
        for client in listening {
            clients.push(client.await.unwrap());
        }
        for client in clients.iter_mut() {
            client.catch_up().await;
        }
        self.step().await;
        let store = &self.site.running.as_ref().unwrap().resources.store;
        let venue = self.replayed.now(store).await;
        let mut wrong = Vec::new();
        for (number, (client, account)) in clients.iter_mut().zip(&self.accounts).enumerate() {
            client.wait_for_seq(venue.seq()).await;
            if client.snapshot() != Snapshot::of_venue(venue, *account) {
                wrong.push(number);
            }
        }
        wrong
    }
}

fn min_disturbances() -> u64 {
    let min = std::env::var("TICKHALL_DISTURBANCES");
    min.ok().and_then(|text| text.parse().ok()).unwrap_or(10_000)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_agree_with_the_venue_whatever_happens_to_frames() {
    let seed = 0x5eed_f00d;
    let began = Instant::now();
    let mut scenario = Scenario::open(seed).await;
    let mut clients = scenario.clients(true, seed).await;
    let sum = |clients: &[Client], of: fn(&Disturbances) -> u64| -> u64 {
        clients.iter().map(|client| of(&client.done)).sum()
    };
    let mut rounds = 0;
    while sum(&clients, Disturbances::all) < min_disturbances() {
        let wrong = scenario.round(&mut clients).await;
        rounds += 1;
        for number in &wrong {
            let (client, account) = (&clients[*number], scenario.accounts[*number]);
            let store = &scenario.site.running.as_ref().unwrap().resources.store;
            let venue = scenario.replayed.now(store).await;
            let (shown, expected) = (client.snapshot(), Snapshot::of_venue(venue, account));
            assert_eq!(format!("{shown:#?}"), format!("{expected:#?}"), "seed {seed:#x}, round {rounds}");
        }
    }
    let kinds = [
        sum(&clients, |done| done.dropped),
        sum(&clients, |done| done.doubled),
        sum(&clients, |done| done.reordered),
        sum(&clients, |done| done.reconnected),
    ];
    let (resubscribed, resynced) = clients
        .iter()
        .fold((0, 0), |(asked, whole), client| (asked + client.resubscribed, whole + client.resynced));
    let traded: u64 = clients.iter().map(|client| client.state.account.account_seq).sum();
    eprintln!(
        "{} dropped, {} doubled, {} reordered, {} reconnected; resubscribed {resubscribed} times, account whole \
         {resynced} times; {} orders ({} refused), {traded} events, {rounds} comparisons of {USERS} clients, \
         {:.1} s",
        kinds[0],
        kinds[1],
        kinds[2],
        kinds[3],
        scenario.orders,
        scenario.refused,
        began.elapsed().as_secs_f64()
    );
    assert!(kinds.iter().all(|count| *count * 50 > min_disturbances()), "seed {seed:#x}: {kinds:?}");
    assert!(traded > 500 && resubscribed > 0, "seed {seed:#x}: {traded} {resubscribed}");
    scenario.site.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_resubscribe_disagrees() {
    let seed = 0xbad_5eed;
    let mut scenario = Scenario::open(seed).await;
    let mut clients = scenario.clients(false, seed).await;
    let wrong = scenario.round(&mut clients).await;
    assert!(!wrong.is_empty(), "seed {seed:#x}: lost frames made no difference");
    scenario.site.close().await;
}
