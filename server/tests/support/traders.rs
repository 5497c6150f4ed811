//! People who trade as fast as they are answered while the program is killed
//! under them, and what they were told.
//!
//! Does not know what is killed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use engine::id::InstrumentId;
use engine::venue::VenueConfig;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// Number of concurrent traders.
pub const TRADERS: usize = 6;

/// Nothing on this machine takes longer.
pub const TEST_TIMEOUT: Duration = Duration::from_secs(60);

/// Before somebody who was not answered tries again.
const RETRY_DELAY: Duration = Duration::from_millis(25);

/// Stored order ids and seqs by client order id.
pub type Stored = BTreeMap<String, Vec<(String, u64)>>;

/// Everybody who trades.
#[derive(Default)]
pub struct Traders {
    pub all: Vec<Trader>,
}

/// A user with everything that they sent.
#[derive(Clone)]
pub struct Trader {
    pub number: usize,
    pub cookie: String,
    /// By client order id.
    sent: Arc<Mutex<BTreeMap<String, Sent>>>,
}

/// An order as its sender knows it.
#[derive(Clone)]
struct Sent {
    body: Value,
    /// Id and seq, if it was answered.
    answer: Option<(String, u64)>,
    /// Cut off by a kill, sent again, and found to have been accepted.
    repeated: bool,
    refused: bool,
}

impl Traders {
    /// Registers whoever is missing.
    pub async fn register(&mut self, base: &str) {
        while self.all.len() < TRADERS {
            self.all.push(Trader::register(base, self.all.len()).await);
        }
    }

    /// Answered orders that the store lacks, has otherwise, or has twice.
    pub fn lost(&self, stored: &Stored) -> Vec<String> {
        let mut lost = Vec::new();
        for trader in &self.all {
            for (name, sent) in trader.sent.lock().unwrap().iter() {
                let found = stored.get(name).map(Vec::as_slice).unwrap_or_default();
                let right = match &sent.answer {
                    Some(answer) => found == std::slice::from_ref(answer),
                    None => found.len() <= usize::from(!sent.refused),
                };
                if !right {
                    lost.push(format!("{name}: told {:?}, stored {found:?}", sent.answer));
                }
            }
        }
        lost
    }

    pub fn answered(&self) -> u64 {
        self.count(|sent| sent.answer.is_some())
    }

    fn count(&self, wanted: impl Fn(&Sent) -> bool) -> u64 {
        self.all
            .iter()
            .map(|trader| trader.sent.lock().unwrap().values().filter(|sent| wanted(sent)).count() as u64)
            .sum()
    }

    pub fn tell(&self) -> String {
        format!(
            "{} orders answered ({} cut off, sent again and found accepted), {} refused, {} still cut off",
            self.answered(),
            self.count(|sent| sent.repeated),
            self.count(|sent| sent.refused),
            self.count(|sent| sent.answer.is_none() && !sent.refused)
        )
    }
}

impl Trader {
    async fn register(base: &str, number: usize) -> Self {
        let body =
            json!({ "email": format!("trader{number}@example.org"), "password": "correct horse battery" });
        let client = reqwest::Client::new();
        let request = client.post(format!("{base}/api/v1/auth/register")).header("origin", base).json(&body);
        let answer = request.timeout(TEST_TIMEOUT).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 201, "{}", answer.text().await.unwrap());
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Self { number, cookie, sent: Arc::default() }
    }

    /// Orders without an answer yet.
    fn open(&self) -> Vec<(String, Value)> {
        let sent = self.sent.lock().unwrap();
        let unanswered = sent.iter().filter(|(_, sent)| sent.answer.is_none() && !sent.refused);
        unanswered.map(|(name, sent)| (name.clone(), sent.body.clone())).collect()
    }

    /// Sends orders until the server is gone; first again what nobody
    /// answered.
    pub async fn until_it_dies(self, base: String) {
        let client = reqwest::Client::new();
        let mut open = self.open();
        loop {
            let order = open.pop().unwrap_or_else(|| self.next());
            if self.send(&client, &base, &order).await.is_none() {
                return;
            }
        }
    }

    /// Sends orders until `end`, in turn through each of `bases` that answers;
    /// what was not decided is sent again until it is.
    pub async fn until(self, bases: Vec<String>, end: CancellationToken) {
        let client = reqwest::Client::new();
        let mut turn = self.number;
        loop {
            let mut open = self.open();
            if open.is_empty() && end.is_cancelled() {
                return;
            }
            let order = open.pop().unwrap_or_else(|| self.next());
            if self.send(&client, &bases[turn % bases.len()], &order).await != Some(true) {
                at(RETRY_DELAY).await;
            }
            turn += 1;
        }
    }

    fn next(&self) -> (String, Value) {
        let acme = InstrumentId::derive(VenueConfig::default().venue_id(), "ACME");
        let number = self.sent.lock().unwrap().len();
        let name = format!("t{}-{number}", self.number);
        (name.clone(), order(acme, &name, number))
    }

    /// Whether it was decided; nothing when nobody answered.
    async fn send(
        &self,
        client: &reqwest::Client,
        base: &str,
        (name, body): &(String, Value),
    ) -> Option<bool> {
        let fresh = Sent { body: body.clone(), answer: None, repeated: false, refused: false };
        self.sent.lock().unwrap().entry(name.clone()).or_insert(fresh);
        let request = client
            .post(format!("{base}/api/v1/orders"))
            .header("origin", base)
            .header("cookie", &self.cookie)
            .json(body)
            .timeout(TEST_TIMEOUT);
        let answer = request.send().await.ok()?;
        let status = answer.status().as_u16();
        let answer = answer.json::<Value>().await.ok()?;
        match status {
            200 | 201 => {
                let id = answer["order_id"].as_str().unwrap().to_owned();
                let seq = answer["seq"].as_u64().unwrap();
                let mut sent = self.sent.lock().unwrap();
                let sent = sent.get_mut(name).unwrap();
                (sent.answer, sent.repeated) = (Some((id, seq)), status == 200);
            }
            // Not decided yet: it may be there or not.
            202 | 503 => return Some(false),
            401 => panic!("the session was lost: {answer}"),
            _ => self.sent.lock().unwrap().get_mut(name).unwrap().refused = true,
        }
        Some(true)
    }
}

/// Buys and sells in turn; one in five rests.
fn order(instrument: InstrumentId, name: &str, number: usize) -> Value {
    let side = if number.is_multiple_of(2) { "BUY" } else { "SELL" };
    let mut order = json!({
        "instrument_id": instrument.to_string(), "side": side, "type": "MARKET",
        "quantity": "3", "client_order_id": name,
    });
    if number % 5 == 4 {
        order["type"] = json!("LIMIT");
        order["side"] = json!("BUY");
        order["quantity"] = json!("1");
        order["limit_price"] = json!("95.00");
    }
    order
}

#[expect(clippy::disallowed_methods, reason = "a kill comes at a random time, not at an event")]
pub async fn at(moment: Duration) {
    tokio::time::sleep(moment).await;
}

/// xorshift64*: a failure names the seed.
pub struct Random(pub u64);

impl Random {
    pub fn draw(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33
    }
}
