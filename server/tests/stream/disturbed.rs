//! Users trade on a moving market while every one of their screens' frames may
//! be lost, doubled, late, or the last of its socket: what they believe is what
//! the venue is, by hash.
//!
//! `TICKHALL_DISTURBANCES` says how many (10,000 when absent).

use std::time::Instant;

use engine::id::AccountId;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::client::{Client, Disturbances};
use super::picture::{Picture, Truth};
use crate::support::site::{Site, Visitor, ticket};
use crate::support::traders::Random;

/// How many trade and watch.
const USERS: usize = 6;

/// Orders and steps between two comparisons.
const ROUND: usize = 100;

/// A market, its users, and what really happens.
struct Floor {
    site: Site,
    owner: Visitor,
    users: Vec<Visitor>,
    accounts: Vec<AccountId>,
    truth: Truth,
    random: Random,
    orders: u64,
    refused: u64,
}

impl Floor {
    async fn open(seed: u64) -> Self {
        let site = Site::with(|config| {
            config.limits.socket_cuts_per_second = 1_000;
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
        Self { site, owner, users, accounts, truth: Truth::default(), random, orders: 0, refused: 0 }
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

    /// Somebody does something, or the market moves.
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

    /// A round of trading under disturbance, and then which of the clients
    /// believe something else than what is so.
    async fn round(&mut self, clients: &mut Vec<Client>) -> Vec<usize> {
        let enough = CancellationToken::new();
        let suffering: Vec<_> =
            clients.drain(..).map(|client| tokio::spawn(client.suffer(enough.clone()))).collect();
        for _ in 0..ROUND {
            self.act().await;
        }
        enough.cancel();
        for client in suffering {
            clients.push(client.await.unwrap());
        }
        for client in clients.iter_mut() {
            client.calm().await;
        }
        self.step().await;
        let store = &self.site.running.as_ref().unwrap().resources.store;
        let venue = self.truth.now(store).await;
        let mut wrong = Vec::new();
        for (number, (client, account)) in clients.iter_mut().zip(&self.accounts).enumerate() {
            client.reach(venue.seq()).await;
            let believed = Picture::of_client(&client.state).hash();
            if believed != Picture::of_venue(venue, *account).hash() {
                wrong.push(number);
            }
        }
        wrong
    }
}

fn wanted() -> u64 {
    let wanted = std::env::var("TICKHALL_DISTURBANCES");
    wanted.ok().and_then(|text| text.parse().ok()).unwrap_or(10_000)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_clients_believe_is_what_the_venue_is_whatever_happens_to_frames() {
    let seed = 0x5eed_f00d;
    let began = Instant::now();
    let mut floor = Floor::open(seed).await;
    let mut clients = floor.clients(true, seed).await;
    let sum = |clients: &[Client], of: fn(&Disturbances) -> u64| -> u64 {
        clients.iter().map(|client| of(&client.done)).sum()
    };
    let mut rounds = 0;
    while sum(&clients, Disturbances::all) < wanted() {
        let wrong = floor.round(&mut clients).await;
        rounds += 1;
        for number in &wrong {
            let (client, account) = (&clients[*number], floor.accounts[*number]);
            let store = &floor.site.running.as_ref().unwrap().resources.store;
            let venue = floor.truth.now(store).await;
            let (believed, so) = (Picture::of_client(&client.state), Picture::of_venue(venue, account));
            assert_eq!(format!("{believed:#?}"), format!("{so:#?}"), "seed {seed:#x}, round {rounds}");
        }
    }
    let kinds = [
        sum(&clients, |done| done.dropped),
        sum(&clients, |done| done.doubled),
        sum(&clients, |done| done.reordered),
        sum(&clients, |done| done.reconnected),
    ];
    let (asked, resynced) =
        clients.iter().fold((0, 0), |(asked, whole), client| (asked + client.asked, whole + client.resynced));
    let traded: u64 = clients.iter().map(|client| client.state.account.account_seq).sum();
    eprintln!(
        "{} dropped, {} doubled, {} reordered, {} reconnected; asked again {asked} times, account whole \
         {resynced} times; {} orders ({} refused), {traded} events, {rounds} comparisons of {USERS} clients, \
         {:.1} s",
        kinds[0],
        kinds[1],
        kinds[2],
        kinds[3],
        floor.orders,
        floor.refused,
        began.elapsed().as_secs_f64()
    );
    assert!(kinds.iter().all(|count| *count * 50 > wanted()), "seed {seed:#x}: {kinds:?}");
    assert!(traded > 500 && asked > 0, "seed {seed:#x}: {traded} {asked}");
    floor.site.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_ask_again_is_found_out() {
    let seed = 0xbad_5eed;
    let mut floor = Floor::open(seed).await;
    let mut clients = floor.clients(false, seed).await;
    let wrong = floor.round(&mut clients).await;
    assert!(!wrong.is_empty(), "seed {seed:#x}: nobody noticed that frames were lost");
    floor.site.close().await;
}
