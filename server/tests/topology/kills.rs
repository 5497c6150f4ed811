//! Every process of the site killed and restarted while people trade: what was
//! answered is there, once, and everything adds up.
//!
//! `TICKHALL_TOPOLOGY_KILLS` says how often (12 when absent).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::deployment::{Deployment, answers_healthy, health, visitor};
use crate::support::site::Visitor;
use crate::support::traders::{Random, TEST_TIMEOUT, Traders, at};

/// One step of the venue.
const STEP: Duration = Duration::from_millis(100);

/// An agent is back within this, but for one kill in twenty, or one.
const BACK: Duration = Duration::from_secs(2);

/// Steps that may be missing when somebody is killed, once there was time to make
/// those that are late.
const MISSED: u64 = 2;
const LATE: Duration = Duration::from_secs(1);

/// Between two looks at who is back.
const LOOK: Duration = Duration::from_millis(10);

/// Observations of one kill.
struct Seen {
    target: String,
    /// From the restart to being well.
    back: Duration,
    /// Steps that market data should have made meanwhile and had not; `None`
    /// when it was killed itself.
    missed: Option<u64>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn topology_kills_lose_no_answered_order_and_double_none() {
    let kills = std::env::var("TICKHALL_TOPOLOGY_KILLS");
    let kills: usize = kills.ok().and_then(|text| text.parse().ok()).unwrap_or(12);
    let deployment = Deployment::open(
        Deployment::postgres(),
        &[
            ("TICKHALL_IDLE", "run"),
            ("TICKHALL_SEED", "7"),
            ("TICKHALL_SNAPSHOT__JOURNAL_ENTRIES", "150"),
            ("TICKHALL_SNAPSHOT__SIM_STEPS", "20"),
        ],
    );
    deployment.until_healthy().await;
    let mut venue =
        Killed { deployment, traders: Traders::default(), random: Random(0x5eed), seen: Vec::new() };
    venue.traders.register(&venue.deployment.gateways[0]).await;
    let end = CancellationToken::new();
    let all = venue.traders.all.iter().cloned();
    let trading: Vec<_> = all
        .map(|trader| tokio::spawn(trader.until(venue.deployment.gateways.clone(), end.clone())))
        .collect();

    let mut targets = venue.deployment.site.names();
    targets.extend(["postgres".to_owned(), "redis".to_owned()]);
    for kill in 0..kills {
        // Everybody in turn, so that nobody is left out, at a random moment.
        let target = targets[kill % targets.len()].clone();
        venue.kill(&target).await;
        if kill % 6 == 5 {
            venue.wipe();
        }
    }
    end.cancel();
    for trader in trading {
        tokio::time::timeout(TEST_TIMEOUT, trader).await.expect("a trader is never answered").unwrap();
    }

    let lost = venue.traders.lost(&venue.deployment.stored());
    assert!(lost.is_empty(), "seed 0x5eed: answered and lost: {lost:?}");
    let verified = venue.deployment.say(&["verify"]);
    assert!(verified.contains("books balance"), "{verified}");
    let gaps = venue.steps_lost(&verified);
    println!("{kills} kills: {}; {gaps} steps never journalled", venue.traders.tell());
    println!("{}", venue.tell());
    assert!(gaps <= MISSED, "{gaps} steps were lost in {kills} kills");
    let missed = venue.seen.iter().filter_map(|seen| seen.missed).max();
    assert!(missed <= Some(MISSED), "{missed:?} steps were missed while somebody was away");
    assert!(venue.agents_back() <= BACK, "{}", venue.tell());
    assert!(venue.traders.answered() > kills as u64 * 5, "too little was answered to prove anything");
}

/// Whether trading, if this is it, does not merely stand by.
async fn leads(visitor: &Visitor) -> bool {
    health(visitor).await["agents"]["trading"]["standby"] != true
}

struct Killed {
    deployment: Deployment,
    traders: Traders,
    random: Random,
    seen: Vec<Seen>,
}

impl Killed {
    /// Kills and restarts one process, and waits until it is well.
    async fn kill(&mut self, target: &str) {
        at(Duration::from_millis(150 + self.random.draw() % 700)).await;
        let (before, since) = (self.step().await, Instant::now());
        match target {
            "postgres" => self.deployment.site.postgres.kill(),
            "redis" => self.deployment.site.redis.kill(),
            service => self.deployment.site.kill(service),
        }
        at(Duration::from_millis(self.random.draw() % 300)).await;
        let answered = self.traders.answered();
        let restarted = Instant::now();
        match target {
            "postgres" => self.deployment.site.postgres.restart().unwrap(),
            "redis" => self.deployment.site.redis.restart().unwrap(),
            service => {
                self.deployment.site.spawn(service).unwrap();
                self.deployment.site.wait_until_ready(service).unwrap();
            }
        }
        // A server is back when somebody is answered again.
        let asked = self
            .deployment
            .site
            .names()
            .contains(&target.to_owned())
            .then(|| self.deployment.site.url(target));
        let back = async {
            loop {
                let is_back = match &asked {
                    Some(url) => answers_healthy(&visitor(url)).await && leads(&visitor(url)).await,
                    None => self.traders.answered() > answered,
                };
                if is_back {
                    return restarted.elapsed();
                }
                at(LOOK).await;
            }
        };
        let Ok(back) = tokio::time::timeout(TEST_TIMEOUT, back).await else {
            let words: Vec<_> =
                self.deployment.site.names().iter().map(|name| self.deployment.site.log_tail(name)).collect();
            panic!("{target} does not come back: {}", words.join("\n"));
        };
        let mut missed = None;
        while target != "market-data" && missed.is_none_or(|missed| missed > MISSED) {
            let due = u64::try_from(since.elapsed().as_millis() / STEP.as_millis()).unwrap();
            missed = Some(due.saturating_sub(self.step().await - before));
            if restarted.elapsed() > back + LATE {
                break;
            }
            at(LOOK).await;
        }
        self.seen.push(Seen { target: target.to_owned(), back, missed });
    }

    /// Empties Redis.
    fn wipe(&self) {
        let done = self.deployment.site.redis.client("redis-cli").unwrap().arg("FLUSHALL").output().unwrap();
        assert!(done.status.success(), "{done:?}");
    }

    /// The last step that market data made.
    async fn step(&self) -> u64 {
        let said = health(&visitor(&self.deployment.site.url("market-data"))).await;
        said["agents"]["market_data"]["progress"].as_u64().unwrap_or_else(|| panic!("market data: {said}"))
    }

    /// Steps below the newest that have no entry.
    fn steps_lost(&self, verified: &str) -> u64 {
        let number = |what: &str| {
            let before = verified.split_once(what).unwrap().0;
            before.rsplit(' ').find(|word| !word.is_empty()).unwrap().parse::<u64>().unwrap()
        };
        let (entries, step) = (number(" entries"), number(" steps"));
        let commands: u64 = self
            .deployment
            .sql("SELECT count(*) FROM journal WHERE kind = 'command'")
            .trim()
            .parse()
            .unwrap();
        // Entry 1 opens; every other one is a command or a step.
        step - (entries - 1 - commands)
    }

    /// The 95th percentile of how long agents took to come back.
    fn agents_back(&self) -> Duration {
        let agents = self.seen.iter().filter(|seen| !["postgres", "redis"].contains(&seen.target.as_str()));
        let mut back: Vec<_> = agents.map(|seen| seen.back).collect();
        back.sort_unstable();
        back[back.len().saturating_sub(1 + back.len().div_ceil(20))]
    }

    fn tell(&self) -> String {
        let mut by_target: BTreeMap<&str, Vec<u128>> = BTreeMap::new();
        for seen in &self.seen {
            by_target.entry(&seen.target).or_default().push(seen.back.as_millis());
        }
        let missed: Vec<_> = self.seen.iter().filter_map(|seen| seen.missed).collect();
        format!(
            "back after, in ms: {by_target:?}; agents' 95th percentile: {}; \
             steps that market data missed while another was away: {missed:?}",
            self.agents_back().as_millis()
        )
    }
}
