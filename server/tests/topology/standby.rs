//! Two `trading` processes over the same stores: one writes, one stands by, and
//! whatever happens to the one, no answered order is lost or doubled.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::deployment::{Deployment, health, visitor};
use crate::support::traders::{Random, TEST_TIMEOUT, Traders, at};

/// Whoever dies is killed this often, in turn.
const KILLS: usize = 4;

/// From a kill to the next entry of the other one.
const TAKEOVER: Duration = Duration::from_secs(2);

/// Between two looks.
const LOOK: Duration = Duration::from_millis(5);

/// A site with two sequencers, and people who trade on it.
struct Pair {
    deployment: Deployment,
    traders: Traders,
    trading: Vec<JoinHandle<()>>,
    end: CancellationToken,
}

impl Pair {
    async fn open() -> Self {
        let mut deployment = Deployment::open(
            Deployment::postgres(),
            &[
                ("TICKHALL_IDLE", "run"),
                ("TICKHALL_SEED", "7"),
                ("TICKHALL_SNAPSHOT__JOURNAL_ENTRIES", "150"),
            ],
        );
        deployment.until_healthy().await;
        deployment.site.add("trading", "trading-2").unwrap();
        let mut traders = Traders::default();
        traders.register(&deployment.gateways[0]).await;
        let end = CancellationToken::new();
        let all = traders.all.iter().cloned();
        let trading =
            all.map(|trader| tokio::spawn(trader.until(deployment.gateways.clone(), end.clone()))).collect();
        Self { deployment, traders, trading, end }
    }

    /// A process's report on its sequencer.
    async fn sequencer(&self, name: &str) -> Value {
        health(&visitor(&self.deployment.site.url(name))).await["agents"]["trading"].clone()
    }

    async fn until(&self, name: &str, standby: bool) {
        let there = async {
            loop {
                let said = self.sequencer(name).await;
                if said["standby"] == json!(standby) && said["ok"] == json!(true) {
                    return;
                }
                at(LOOK).await;
            }
        };
        if tokio::time::timeout(TEST_TIMEOUT, there).await.is_err() {
            let words = ["trading", "trading-2"].map(|name| self.deployment.site.log_tail(name));
            panic!("{name} is not standby: {standby}; {}", words.join("\n"));
        }
    }

    /// Waits until this many more orders are answered.
    async fn answers(&self, more: u64) {
        let wanted = self.traders.answered() + more;
        let answered = async {
            while self.traders.answered() < wanted {
                at(LOOK).await;
            }
        };
        tokio::time::timeout(TEST_TIMEOUT, answered).await.expect("nobody is answered");
    }

    /// Waits until a gateway's health is that of the sequencer that works.
    async fn until_heard_of(&self) {
        let heard_of = async {
            loop {
                let seen = health(&self.deployment.visitor(0)).await["elsewhere"]["trading"].clone();
                if seen["ok"] == json!(true) && seen["progress"].as_u64() > Some(1) {
                    return;
                }
                at(LOOK).await;
            }
        };
        tokio::time::timeout(TEST_TIMEOUT, heard_of).await.expect("nobody hears of who works");
    }

    fn epoch(&self) -> u64 {
        self.deployment.sql("SELECT epoch FROM epochs").parse().unwrap()
    }

    /// Ends the trading; everything that was answered is there, once. In words.
    async fn adds_up(self) -> String {
        self.end.cancel();
        for trader in self.trading {
            tokio::time::timeout(TEST_TIMEOUT, trader).await.expect("a trader is never answered").unwrap();
        }
        let lost = self.traders.lost(&self.deployment.stored());
        assert!(lost.is_empty(), "answered and lost: {lost:?}");
        assert!(self.deployment.say(&["verify"]).contains("books balance"));
        self.traders.tell()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn topology_a_second_sequencer_never_writes_until_the_first_is_killed() {
    let mut pair = Pair::open().await;
    pair.until("trading-2", true).await;
    let before = pair.epoch();
    pair.answers(50).await;
    // It was started, answers, and left everything alone.
    assert_eq!(pair.epoch(), before);
    let waiting = pair.sequencer("trading-2").await;
    assert_eq!((&waiting["standby"], &waiting["progress"]), (&json!(true), &json!(0)));
    assert_eq!(pair.sequencer("trading").await["standby"], json!(false));
    pair.until_heard_of().await;

    let (mut random, mut took) = (Random(0x57a6), Vec::new());
    let (mut first, mut second) = ("trading", "trading-2");
    for kill in 1..=KILLS {
        at(Duration::from_millis(150 + random.draw() % 700)).await;
        let killed = Instant::now();
        pair.deployment.site.kill(first);
        pair.until(second, false).await;
        pair.answers(1).await;
        took.push(killed.elapsed());
        assert_eq!(pair.epoch(), before + kill as u64);
        pair.deployment.site.spawn(first).unwrap();
        pair.deployment.site.wait_until_ready(first).unwrap();
        pair.until(first, true).await;
        (first, second) = (second, first);
    }
    println!("answered again after {took:?}");
    assert!(took.iter().all(|took| *took < TAKEOVER), "seed 0x57a6: {took:?}");
    println!("{}", pair.adds_up().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn topology_a_sequencer_that_stalled_writes_nothing_when_it_goes_on() {
    let mut pair = Pair::open().await;
    pair.until("trading-2", true).await;
    let before = pair.epoch();
    pair.answers(50).await;
    let stalled = Instant::now();
    pair.deployment.site.set_stopped("trading", true);
    // The database hears nothing of it and gives its turn away.
    pair.until("trading-2", false).await;
    pair.answers(50).await;
    println!("the other one had answered 50 orders after {:?}", stalled.elapsed());
    pair.deployment.site.set_stopped("trading", false);
    pair.until("trading", true).await;
    pair.answers(50).await;
    assert_eq!(pair.epoch(), before + 1);
    println!("{}", pair.adds_up().await);
}
