//! Real filings against real releases: had every filer of the shared House file had access to 91 models in the 30 days before each was
//! released, which trades would have to be asked about? Two other programs found the figures here. The file is test input beside this tree
//! and never part of it; without it these tests say so and pass.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::PathBuf;

use countersign_conflict::surveil::{
    Access, Day, Edge, Ending, Finding, Hit, OPEN, Recorded, Surveillance, Trade, Window, closest, day_of_date, finding, join, windows,
};
use countersign_entry::ids::Date;
use countersign_entry::record::Tier;

/// Labs whose closed-weight models people had access to, with how many there are.
const LABS: [(&str, usize); 4] = [("anthropic", 21), ("google", 20), ("openai", 46), ("xai", 4)];
const WINDOW_DAYS: Day = 30;
const NVIDIA: u32 = 1_045_810;

type Row = BTreeMap<String, String>;

fn shared() -> Option<PathBuf> {
    let data = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data"));
    if data.is_dir() {
        return Some(data);
    }
    // Not through the macro: that text would be kept back with everything else a passing test says.
    #[allow(clippy::explicit_write, reason = "see above")]
    writeln!(std::io::stderr(), "SKIPPED: ../shared is not beside this tree, so the House figures were not reached again").unwrap();
    None
}

fn table(path: PathBuf) -> Vec<Row> {
    csv::Reader::from_path(path).unwrap().into_deserialize().map(|row| row.unwrap()).collect()
}

fn day(date: &str) -> Day {
    day_of_date(&Date::new(date).unwrap())
}

fn cik(text: &str) -> u32 {
    text.parse().unwrap()
}

/// What a row of the file is good for.
#[derive(Debug, Clone, PartialEq)]
enum Reading {
    Usable { trade: Trade, disclosed: Day },
    BadDate,
    UnknownTicker,
}

/// MM/DD/YYYY.
fn american(text: &str) -> Option<Day> {
    let [month, day, year] = text.split('/').collect::<Vec<_>>().try_into().ok()?;
    Date::new(format!("{year}-{month}-{day}")).ok().map(|d| day_of_date(&d))
}

fn house(data: &std::path::Path) -> Vec<Reading> {
    let known: BTreeMap<String, u32> =
        table(data.join("issuers/sec_issuers.csv")).iter().map(|r| (r["ticker"].clone(), cik(&r["cik"]))).collect();
    let rows: Vec<serde_json::Value> = serde_json::from_slice(&std::fs::read(data.join("trades/house_ptr_raw_dev.json")).unwrap()).unwrap();
    let newest = rows.iter().filter_map(|r| american(r["disclosure_date"].as_str().unwrap())).max().unwrap();
    let mut filers: BTreeMap<String, u32> = BTreeMap::new();
    let mut read = |row: &serde_json::Value, trade: u32| {
        let text = |field: &str| row[field].as_str().unwrap().trim().to_owned();
        let (traded, disclosed) = (american(&text("transaction_date")), american(&text("disclosure_date")));
        // Disclosed before it was traded is a slip in either date and leaves the trade usable; traded after the newest filing of all is no
        // day anybody meant.
        let Some((traded, disclosed)) = traded.zip(disclosed).filter(|(traded, _)| *traded <= newest) else { return Reading::BadDate };
        let Some(issuer) = known.get(&text("ticker")) else { return Reading::UnknownTicker };
        let next = u32::try_from(filers.len()).unwrap();
        let person = *filers.entry(text("filer")).or_insert(next);
        Reading::Usable { trade: Trade { person, issuer: *issuer, day: traded, trade }, disclosed }
    };
    rows.iter().zip(0..).map(|(row, trade)| read(row, trade)).collect()
}

/// A model as a submission: its handle is its position.
struct Model {
    id: String,
    lab: String,
    released: String,
}

fn models(data: &std::path::Path) -> Vec<Model> {
    let all = table(data.join("models/catalogue.csv")).into_iter();
    let chosen = all.filter(|m| {
        m["open_weights"] == "false" && LABS.iter().any(|(lab, _)| *lab == m["lab"]) && Date::new(m["release_date"].clone()).is_ok()
    });
    chosen.map(|m| Model { id: m["model_id"].clone(), lab: m["lab"].clone(), released: m["release_date"].clone() }).collect()
}

/// Every edge from a model to a listed issuer, with the days it holds. The files give the day after the last (one listing ends on the day
/// the next begins).
fn edges(data: &std::path::Path, models: &[Model]) -> Vec<Edge> {
    let providers = table(data.join("exposures/providers.csv"));
    let graph = table(data.join("exposures/edges.csv"));
    let days = |r: &Row| {
        (
            if r["valid_from"].is_empty() { Day::MIN } else { day(&r["valid_from"]) },
            if r["valid_to"].is_empty() { OPEN } else { day(&r["valid_to"]) },
        )
    };
    let mut edges = Vec::new();
    for (model, submission) in models.iter().zip(0..) {
        let mut add = |row: &Row, column: &str, tier, (from, until)| {
            edges.push(Edge {
                submission,
                issuer: cik(&row[column]),
                from,
                until,
                tier,
                confirmed: !row["evidence"].contains("unconfirmed"),
            });
        };
        for p in providers.iter().filter(|p| p["provider_id"] == model.lab && !p["cik"].is_empty()) {
            add(p, "cik", Tier::One, days(p));
        }
        for e in graph.iter().filter(|e| e["relation"] == "equity_held_by" && e["from"] == format!("provider:{}", model.lab)) {
            add(e, "to_cik", Tier::One, days(e));
        }
        for served in graph.iter().filter(|e| e["relation"] == "served_by" && e["from"] == format!("model:{}", model.id)) {
            for e in graph.iter().filter(|e| e["relation"] == "operated_by" && e["from"] == served["to"]) {
                let ((a, b), (c, d)) = (days(served), days(e));
                add(e, "to_cik", Tier::Two, (a.max(c), b.min(d)));
            }
        }
    }
    edges
}

/// What the two other programs ask of an edge: that it holds on the day of release, and then for the whole window.
fn held_on_release(edges: &[Edge], models: &[Model]) -> Vec<Edge> {
    let holds = |e: &&Edge| (e.from..e.until).contains(&day(&models[e.submission as usize].released));
    edges.iter().filter(holds).map(|e| Edge { from: Day::MIN, until: OPEN, ..*e }).collect()
}

fn windows_of(people: &BTreeSet<u32>, models: &[Model], edges: &[Edge]) -> Vec<Window> {
    let released = || models.iter().zip(0..).map(|(m, submission)| (submission, day(&m.released)));
    let accesses =
        people.iter().flat_map(|&person| released().map(move |(submission, day)| Access { person, submission, day: day - WINDOW_DAYS }));
    windows(accesses, edges.iter().copied(), released().map(|(submission, until)| Ending { submission, until }))
}

fn findings(windows: &[Window], trades: &[Trade], hits: &[Hit]) -> Vec<Finding> {
    let by_handle: BTreeMap<u32, &Trade> = trades.iter().map(|t| (t.trade, t)).collect();
    closest(hits.iter().map(|h| {
        let window = &windows[h.window as usize];
        let recorded = Recorded { access: window.from, exposure: window.from, trade: by_handle[&h.trade].day };
        finding(h.window, window, by_handle[&h.trade], &recorded).unwrap()
    }))
}

/// Trades in a tier-1 window, their filers, their pairs of trade and model; trades in tier-2 windows only.
fn figures(findings: &[Finding]) -> [usize; 4] {
    let one: Vec<&Finding> = findings.iter().filter(|f| f.tier == Tier::One).collect();
    let of_one: BTreeSet<u32> = one.iter().map(|f| f.hit.trade).collect();
    let filers: BTreeSet<u32> = one.iter().map(|f| f.trade.person).collect();
    let of_two: BTreeSet<u32> =
        findings.iter().filter(|f| f.tier == Tier::Two && !of_one.contains(&f.hit.trade)).map(|f| f.hit.trade).collect();
    [of_one.len(), filers.len(), one.len(), of_two.len()]
}

fn usable(rows: &[Reading]) -> Vec<(Trade, Day)> {
    rows.iter().filter_map(|r| if let Reading::Usable { trade, disclosed } = r { Some((*trade, *disclosed)) } else { None }).collect()
}

#[test]
fn every_row_of_the_house_file_is_accounted_for() {
    let Some(data) = shared() else { return };
    let rows = house(&data);
    let count = |what: &Reading| rows.iter().filter(|r| *r == what).count();
    assert_eq!([usable(&rows).len(), count(&Reading::BadDate), count(&Reading::UnknownTicker), rows.len()], [3_375, 1, 566, 3_942]);
    for (lab, n) in LABS {
        assert_eq!(models(&data).iter().filter(|m| m.lab == lab).count(), n, "{lab}");
    }
}

#[test]
fn the_house_figures() {
    let Some(data) = shared() else { return };
    let (rows, models) = (house(&data), models(&data));
    let trades: Vec<Trade> = usable(&rows).iter().map(|(trade, _)| *trade).collect();
    let people: BTreeSet<u32> = trades.iter().map(|t| t.person).collect();
    let dated = edges(&data, &models);

    let loose = windows_of(&people, &models, &held_on_release(&dated, &models));
    let hits = join(&loose, &trades).unwrap();
    let found = findings(&loose, &trades, &hits);
    assert_eq!(figures(&found), [50, 15, 132, 4], "tier-1 trades, filers, trade and model pairs; tier-2 trades");

    // Edges by their own days instead, as the ledger reads them: a stake that began on the day of release was none on the days before.
    let strict = windows_of(&people, &models, &dated);
    let strict_found = findings(&strict, &trades, &join(&strict, &trades).unwrap());
    assert_eq!(figures(&strict_found), [50, 15, 131, 4]);
    let pairs = |f: &[Finding]| f.iter().map(|f| (f.hit.trade, f.submission, f.tier)).collect::<BTreeSet<_>>();
    let only_loose: Vec<_> = found.iter().filter(|f| !pairs(&strict_found).contains(&(f.hit.trade, f.submission, f.tier))).collect();
    let why: Vec<_> = only_loose
        .iter()
        .map(|f| (models[f.submission as usize].id.as_str(), models[f.submission as usize].released.as_str(), f.trade.issuer))
        .collect();
    assert_eq!(why, [("anthropic/claude-opus-4-5-20251101", "2025-11-01", NVIDIA)]);
    assert!(dated.iter().any(|e| e.submission == only_loose[0].submission && e.issuer == NVIDIA && e.from == day("2025-11-01")));
    assert!(pairs(&strict_found).is_subset(&pairs(&found)), "nothing is found by the days of edges alone");
}

/// As it happens: accesses on their days, filings when they are disclosed, releases when they come, and the ledger learns of one thing
/// after another.
#[test]
fn the_house_figures_one_fact_at_a_time() {
    let Some(data) = shared() else { return };
    let (rows, models) = (house(&data), models(&data));
    let trades = usable(&rows);
    let people: BTreeSet<u32> = trades.iter().map(|(t, _)| t.person).collect();
    let all: Vec<Trade> = trades.iter().map(|(trade, _)| *trade).collect();
    let windows = windows_of(&people, &models, &held_on_release(&edges(&data, &models), &models));

    let mut timeline: Vec<(Day, u8, usize)> = windows.iter().zip(0..).flat_map(|(w, i)| [(w.from, 0, i), (w.until, 2, i)]).collect();
    timeline.extend(trades.iter().zip(0..).map(|((_, disclosed), i)| (*disclosed, 1, i)));
    timeline.sort_unstable();
    let mut surveillance = Surveillance::default();
    let mut position: BTreeMap<usize, u32> = BTreeMap::new();
    let mut known: BTreeSet<Hit> = BTreeSet::new();
    let mut late = 0;
    for (day, kind, i) in timeline {
        match kind {
            0 => {
                let (p, new) = surveillance.add_window(Window { until: OPEN, ..windows[i] }).unwrap();
                position.insert(i, p);
                known.extend(new);
            }
            1 => {
                let new = surveillance.add_trade(all[i]).unwrap();
                late += usize::from(new.iter().any(|h| surveillance.window(h.window).unwrap().until < day));
                known.extend(new);
            }
            _ => {
                for gone in surveillance.end_window(position[&i], windows[i].until).unwrap().gone {
                    assert!(known.remove(&gone));
                }
            }
        }
    }
    let back: BTreeMap<u32, usize> = position.into_iter().map(|(i, p)| (p, i)).collect();
    let hits: Vec<Hit> = known.iter().map(|h| Hit { window: u32::try_from(back[&h.window]).unwrap(), ..*h }).collect();
    assert_eq!(figures(&findings(&windows, &all, &hits)), [50, 15, 132, 4]);
    assert_eq!(late, 28, "trades whose filing came after a window they fall into had closed");
}
