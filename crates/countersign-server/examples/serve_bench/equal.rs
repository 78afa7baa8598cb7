//! Whether an answer over the network tells of a watch list by the time it takes or the bytes it has: interleaved pairs of requests, one about what is
//! watched and one about what is not, on connections that stay open.

use std::path::Path;
use std::time::Instant;

use countersign_testing::table::Table;

use crate::client::{self, Client, Connection};
use crate::scene::{self, ASKERS, OTHER, SUBMISSIONS, WATCHED};

/// Pairs that are not counted.
pub const WARM: usize = 500;

#[derive(Default)]
struct Pairs {
    watched: Vec<f64>,
    other: Vec<f64>,
    differ: usize,
}

pub async fn measure(dir: &Path, port: u16, pairs: usize, table: &mut Table) {
    let (officer, gateway) = (Client::new(dir, "officer", port), Client::new(dir, "gateway", port));
    let (mut officer, mut gateway) = (officer.connect().await, gateway.connect().await);
    let (mut grants, mut accesses) = (Pairs::default(), Pairs::default());
    for n in 0..WARM + pairs {
        let mut told = [None, None];
        for which in order(n) {
            let (person, submission) = (scene::grantee(n), SUBMISSIONS[which]);
            let body = format!(r#"{{"person":"P-{person}","submission":"{submission}","duty":"Evaluate cyber capability"}}"#);
            let asked = timed(&mut officer, "/api/v1/grants", &format!("equal-grant-{n:06}-{which}"), &body).await;
            let grant = serde_json::from_slice::<serde_json::Value>(&officer.answer).unwrap()["grant"].as_u64().unwrap();
            let body = format!(
                r#"{{"person":"P-{person}","submission":"{submission}","action":"query","occurred_at":"2026-06-01T12:00:00Z","grant":{grant}}}"#
            );
            let logged = timed(&mut gateway, "/api/v1/accesses", &format!("equal-access-{n:06}-{which}"), &body).await;
            told[which] = Some((asked, logged));
        }
        let [Some(watched), Some(other)] = told else { unreachable!() };
        if n >= WARM {
            grants.take(watched.0, other.0);
            accesses.take(watched.1, other.1);
        }
    }
    let mut askers = Vec::new();
    for n in 0..ASKERS {
        askers.push(Client::new(dir, &scene::asker(n), port).connect().await);
    }
    let (from, until) = scene::days();
    let mut trades = Pairs::default();
    for n in 0..WARM + pairs {
        let mut told = [None, None];
        for which in order(n) {
            let (who, issuer) = (scene::asker(n % ASKERS), [WATCHED, OTHER][which]);
            let body = format!(
                r#"{{"person":"P-{who}","relation":"own","instrument":{{"text":"An issuer","class":"equity","issuer":"{issuer}","linking":"matched"}},"kind":"purchase","quantity":10,"terms":[],"value":{{"lo":1,"hi":1000}},"from":"{from}","until":"{until}"}}"#
            );
            told[which] =
                Some(timed(&mut askers[n % ASKERS], "/api/v1/preclearances", &format!("equal-trade-{n:06}-{which}"), &body).await);
        }
        let [Some(watched), Some(other)] = told else { unreachable!() };
        if n >= WARM {
            trades.take(watched, other);
        }
    }
    for (what, pairs) in [("request for access", grants), ("access", accesses), ("request to trade", trades)] {
        pairs.tell(what, table);
    }
}

/// Which of the two comes first changes from pair to pair.
fn order(n: usize) -> [usize; 2] {
    if n.is_multiple_of(2) { [0, 1] } else { [1, 0] }
}

/// Status, length but for what says where the entry stands, and microseconds from the first byte sent to the last received.
type Told = (u16, usize, f64);

/// The length of an answer whose numbers and proof say nothing: how long they are follows from the position of the entry alone.
fn shape(body: &[u8]) -> usize {
    let mut told: serde_json::Value = serde_json::from_slice(body).unwrap();
    for (name, value) in told.as_object_mut().unwrap() {
        if name == "receipt" || value.is_number() {
            *value = serde_json::Value::Null;
        } else if name == "at" || name == "caveat" {
            // Times leave out zeros at their end, and the caveat names the entry.
            *value = serde_json::json!(value.is_string());
        }
    }
    told.to_string().len()
}

async fn timed(connection: &mut Connection, path: &str, key: &str, body: &str) -> Told {
    let request = client::post(path, key, body);
    let began = Instant::now();
    let (status, _) = connection.ask(&request).await;
    let took = began.elapsed().as_secs_f64() * 1e6;
    assert!(status == 201 || status == 409, "{status}: {}", String::from_utf8_lossy(&connection.answer));
    (status, shape(&connection.answer), took)
}

impl Pairs {
    fn take(&mut self, watched: Told, other: Told) {
        self.watched.push(watched.2);
        self.other.push(other.2);
        self.differ += usize::from((watched.0, watched.1) != (other.0, other.1));
    }

    fn tell(&self, what: &str, table: &mut Table) {
        let cut = percentile(&[self.watched.as_slice(), &self.other].concat(), 0.9);
        let below = |x: &[f64]| x.iter().copied().filter(|v| *v <= cut).collect::<Vec<_>>();
        let (all, most) = (welch(&self.watched, &self.other), welch(&below(&self.watched), &below(&self.other)));
        let how = format!(
            "{} pairs, {:.0} and {:.0} us; below the 90th percentile {:.2}; {} pairs differ in status or length",
            self.watched.len(),
            mean(&self.watched),
            mean(&self.other),
            most.abs(),
            self.differ
        );
        table.row(format!("with and without a watch-list match, {what}, |t|"), format!("{:.2}", all.abs()), how, "4.5");
    }
}

fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

/// Welch's t.
fn welch(a: &[f64], b: &[f64]) -> f64 {
    let var = |x: &[f64]| {
        let m = mean(x);
        x.iter().map(|v| (v - m) * (v - m)).sum::<f64>() / (x.len() as f64 - 1.0) / x.len() as f64
    };
    (mean(a) - mean(b)) / (var(a) + var(b)).sqrt()
}

fn percentile(x: &[f64], p: f64) -> f64 {
    let mut sorted = x.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * p) as usize]
}
