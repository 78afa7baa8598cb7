//! The measured bars, on real text that is not part of the project: skipped, loudly, where the files are not there.
//!
//! The rows are split in two by a hash of their text. Rules are tuned looking at one half only; both are held to the bars. Set
//! `MATCH_SHOW=1` to see what the tuning half gets wrong; the other half is never shown.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, reason = "tests")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use countersign_match::{Catalogue, DatedTicker, Decision, IssuerEntry, Outcome, match_asset};

/// The shared files, beside the project or where `COUNTERSIGN_SHARED` says.
fn shared() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let root = std::env::var_os("COUNTERSIGN_SHARED").map_or(beside, PathBuf::from).join("data");
    if root.join("matching").is_dir() {
        return Some(root);
    }
    println!("SKIPPED: no shared data at {}; the bars on real text were NOT measured", root.display());
    None
}

type Row = BTreeMap<String, String>;

fn rows(root: &std::path::Path, file: &str) -> Vec<Row> {
    csv::Reader::from_path(root.join(file)).unwrap().deserialize().map(Result::unwrap).collect()
}

fn catalogue(root: &std::path::Path) -> Catalogue {
    Catalogue::new(rows(root, "issuers/sec_issuers.csv").into_iter().map(|r| IssuerEntry {
        id: r["cik"].clone(),
        name: r["name"].clone(),
        former_names: Vec::new(),
        tickers: vec![DatedTicker { symbol: r["ticker"].clone(), from: None, to: None }],
    }))
}

/// FNV-1a: a hash that stays the same for ever.
fn tuning_half(text: &str) -> bool {
    text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3)) >> 20 & 1 == 0
}

#[derive(Default)]
struct Tally {
    issuers: u32,
    right: u32,
    linked: u32,
    wrong: u32,
    funds: u32,
    funds_linked: u32,
    fund_outcomes: u32,
}

impl Tally {
    fn add(&mut self, expected: &str, outcome: &Outcome) {
        let linked = outcome.issuer();
        self.linked += u32::from(linked.is_some());
        if expected == "NONE" {
            self.funds += 1;
            self.funds_linked += u32::from(linked.is_some());
            self.fund_outcomes += u32::from(outcome.decision == Decision::Fund);
            self.wrong += u32::from(linked.is_some());
        } else {
            self.issuers += 1;
            self.right += u32::from(linked == Some(expected));
            self.wrong += u32::from(linked.is_some_and(|l| l != expected));
        }
    }

    fn recall(&self) -> f64 {
        f64::from(self.right) / f64::from(self.issuers.max(1))
    }

    fn precision(&self) -> f64 {
        1.0 - f64::from(self.wrong) / f64::from(self.linked.max(1))
    }
}

/// The three ways a text comes: with a ticker cell, without any ticker, and with the ticker in brackets behind it.
const WAYS: [&str; 3] = ["ticker cell", "name only", "in brackets"];

fn ask(catalogue: &Catalogue, way: &str, row: &Row) -> Outcome {
    let (text, ticker) = (row["asset_text"].as_str(), row["ticker_as_filed"].as_str());
    match way {
        "ticker cell" => match_asset(catalogue, text, Some(ticker), None, None),
        "name only" => match_asset(catalogue, text, None, None, None),
        _ => match_asset(catalogue, &format!("{text} ({ticker})"), None, None, None),
    }
}

#[test]
fn the_bars_hold_on_real_text() {
    let Some(root) = shared() else { return };
    let catalogue = catalogue(&root);
    let rows = rows(&root, "matching/asset_to_issuer_dev.csv");
    let show = std::env::var_os("MATCH_SHOW").is_some();
    println!("| way | half | issuer rows | recall | precision | fund rows | funds linked | funds known as funds | microseconds a name |");
    for way in WAYS {
        for tuning in [true, false] {
            let mut tally = Tally::default();
            let started = Instant::now();
            let mut asked = 0_u32;
            for row in rows.iter().filter(|r| tuning_half(&r["asset_text"]) == tuning) {
                let outcome = ask(&catalogue, way, row);
                asked += 1;
                let expected = row["expected_cik"].as_str();
                tally.add(expected, &outcome);
                let right = if expected == "NONE" { outcome.decision == Decision::Fund } else { outcome.issuer() == Some(expected) };
                if show && tuning && !right {
                    println!(
                        "  {way}: {} | {} | {expected} | {} {:?} {:?}",
                        row["asset_text"], row["ticker_as_filed"], outcome.stripped, outcome.class, outcome.decision
                    );
                }
            }
            let each = started.elapsed().as_micros() / u128::from(asked.max(1));
            println!(
                "| {way} | {} | {} | {:.4} | {:.4} | {} | {} | {} | {each} |",
                if tuning { "tuning" } else { "held out" },
                tally.issuers,
                tally.recall(),
                tally.precision(),
                tally.funds,
                tally.funds_linked,
                tally.fund_outcomes
            );
            assert!(tally.recall() >= 0.90, "{way}: recall {:.4}", tally.recall());
            assert!(tally.precision() >= 0.995, "{way}: precision {:.4}", tally.precision());
            assert_eq!(tally.funds_linked, 0, "{way}");
        }
    }
}

#[test]
fn no_ticker_that_disagrees_is_linked() {
    let Some(root) = shared() else { return };
    let catalogue = catalogue(&root);
    let rows = rows(&root, "matching/ticker_name_conflicts_dev.csv");
    let mut linked = BTreeMap::<(&str, &str), u32>::new();
    for row in &rows {
        for way in ["ticker cell", "in brackets"] {
            let outcome = ask(&catalogue, way, row);
            let verdict = row["verdict"].as_str();
            *linked.entry((verdict, way)).or_default() += u32::from(outcome.issuer().is_some());
            let must_not = matches!(verdict, "different_issuer" | "not_a_ticker");
            assert!(!must_not || outcome.issuer().is_none(), "{way} {row:?} {outcome:?}");
            // A successor or a renamed issuer may be linked, to the ticker's owner and to nobody else.
            assert!(outcome.issuer().is_none_or(|i| i == row["cik_of_ticker_today"]), "{row:?} {outcome:?}");
        }
    }
    println!("conflicts linked, of {}: {linked:?}", rows.len());
}

/// Every name with tickers that are not its own: the mistyped and reused tickers that a file of conflicts can only sample.
#[test]
fn no_name_is_linked_under_anothers_ticker() {
    let Some(root) = shared() else { return };
    let catalogue = catalogue(&root);
    let rows: Vec<Row> = rows(&root, "matching/asset_to_issuer_dev.csv").into_iter().filter(|r| r["expected_cik"] != "NONE").collect();
    let mut by_ticker: Vec<(&str, &str)> = rows.iter().map(|r| (r["ticker_as_filed"].as_str(), r["expected_cik"].as_str())).collect();
    by_ticker.sort_unstable();
    by_ticker.dedup_by_key(|(_, cik)| *cik);
    let (mut asked, mut linked) = (0, 0);
    for row in &rows {
        let at = by_ticker.partition_point(|(ticker, _)| *ticker < row["ticker_as_filed"].as_str());
        // Neighbours in the alphabet, a letter off; and some from afar.
        for other in [at.wrapping_sub(2), at.wrapping_sub(1), at + 1, at + 2, at / 2, at / 3] {
            let Some((ticker, cik)) = by_ticker.get(other).filter(|(_, cik)| *cik != row["expected_cik"]) else { continue };
            let outcome = match_asset(&catalogue, &row["asset_text"], Some(ticker), None, None);
            asked += 1;
            if outcome.issuer().is_some() {
                linked += 1;
                println!("  {} under {ticker} ({cik}): {:?}", row["asset_text"], outcome.decision);
            }
        }
    }
    println!("names under tickers of others: {linked} of {asked} linked");
    assert!(linked * 5000 <= asked, "{linked} of {asked}");
}

#[test]
fn namesakes_of_exposed_issuers_are_not_linked() {
    let Some(root) = shared() else { return };
    let catalogue = catalogue(&root);
    let (mut general, mut funds, mut products) = (0, 0, 0);
    for row in rows(&root, "issuers/gleif_lookalikes.csv") {
        let outcome = match_asset(&catalogue, &row["legal_name"], None, None, None);
        let Decision::Linked { how, .. } = &outcome.decision else { continue };
        match (row["category"].as_str(), how) {
            ("FUND", countersign_match::How::Underlying) => products += 1,
            ("FUND", _) => funds += 1,
            _ => {
                general += 1;
                println!("  linked: {} -> {:?}", row["legal_name"], outcome.decision);
            }
        }
    }
    println!(
        "of 178 namesakes: {general} companies linked, {funds} funds linked, {products} single-share products linked to what they are on"
    );
    assert_eq!(funds, 0);
}

#[test]
fn pairs_of_company_names() {
    let Some(root) = shared() else { return };
    let catalogue = catalogue(&root);
    let rows = rows(&root, "matching/company_name_pairs.csv");
    let (mut right, mut false_same) = (0, 0);
    for row in &rows {
        let (a, b) = (row["Name_x"].as_str(), row["Name_y"].as_str());
        let issuer = |name: &str| match_asset(&catalogue, name, None, None, None).issuer().map(str::to_owned);
        let linked = issuer(a).is_some_and(|i| issuer(b) == Some(i));
        // A name beside a symbol: the rule for tickers.
        let symbol = |a: &str, b: &str| b.len() <= 5 && match_asset(&catalogue, a, Some(b), None, None).issuer().is_some();
        let same = linked || symbol(a, b) || symbol(b, a) || countersign_match::similar::same_name(a, b);
        let expected = row["Targets"] == "1";
        right += usize::from(same == expected);
        false_same += usize::from(same && !expected);
        if std::env::var_os("MATCH_SHOW").is_some() && same != expected {
            println!("  pair: {a} | {b} | {expected}");
        }
    }
    println!("pairs: {right} of {} right, {false_same} wrongly taken for one company", rows.len());
    assert_eq!(false_same, 0);
}
