//! Real issuers, model releases and exposures, from the files under `data/` (sources and licences: `data/SOURCES.md`).

use std::collections::{BTreeMap, BTreeSet};

use countersign_entry::ids::{Date, IssuerId, Line, ProviderId, RecordId, SubmissionId};
use countersign_entry::record::{Basis, Exposure, Issuer, Node, Provider, Relation, Tier};
use serde::Deserialize;

use super::DemoError;

const SEC_ISSUERS: &str = include_str!("../../data/issuers/sec_issuers.csv");
const SP500: &str = include_str!("../../data/issuers/sp500_gics.csv");
const CATALOGUE: &str = include_str!("../../data/models/catalogue.csv");
const PROVIDERS: &str = include_str!("../../data/exposures/providers.csv");
const EDGES: &str = include_str!("../../data/exposures/edges.csv");

#[derive(Deserialize)]
struct SecRow {
    cik: String,
    ticker: String,
    name: String,
}

#[derive(Deserialize)]
struct SpRow {
    #[serde(rename = "GICS Sub-Industry")]
    sub_industry: String,
    #[serde(rename = "CIK")]
    cik: String,
}

#[derive(Deserialize)]
struct ModelRow {
    model_id: String,
    lab: String,
    name: String,
    release_date: String,
}

#[derive(Deserialize)]
struct ProviderRow {
    provider_id: String,
    name: String,
    cik: String,
    valid_from: String,
    valid_to: String,
    basis: String,
    evidence: String,
}

#[derive(Deserialize)]
struct EdgeRow {
    from: String,
    relation: String,
    to: String,
    to_cik: String,
    valid_from: String,
    valid_to: String,
    basis: String,
    evidence: String,
}

/// A model's public release.
pub(super) struct Release {
    /// Its name.
    pub(super) name: String,
    /// Its lab.
    pub(super) provider: ProviderId,
    /// The day the public got it.
    pub(super) date: Date,
}

fn rows<T: for<'de> Deserialize<'de>>(text: &str) -> Result<Vec<T>, DemoError> {
    csv::Reader::from_reader(text.as_bytes())
        .deserialize()
        .collect::<Result<_, _>>()
        .map_err(|e| DemoError(format!("a shipped data file: {e}")))
}

fn bad(e: impl std::fmt::Display) -> DemoError {
    DemoError(format!("a shipped data file: {e}"))
}

fn issuer_id(cik: &str) -> Result<IssuerId, DemoError> {
    IssuerId::new(format!("cik-{cik:0>10}")).map_err(bad)
}

/// Every SEC registrant with a ticker, once, with its GICS sub-industry where it is in the S&P 500.
pub(super) fn issuers() -> Result<Vec<Issuer>, DemoError> {
    let sub: BTreeMap<String, String> = rows::<SpRow>(SP500)?.into_iter().map(|r| (format!("{:0>10}", r.cik), r.sub_industry)).collect();
    let mut by_cik: BTreeMap<String, Issuer> = BTreeMap::new();
    for row in rows::<SecRow>(SEC_ISSUERS)? {
        let ticker = Line::new(row.ticker).map_err(bad)?;
        if let Some(known) = by_cik.get_mut(&row.cik) {
            known.tickers.push(ticker);
            continue;
        }
        let sub_industry = sub.get(&row.cik).map(|s| Line::new(s.as_str())).transpose().map_err(bad)?;
        let (id, name, cik) = (issuer_id(&row.cik)?, Line::new(row.name).map_err(bad)?, Line::new(row.cik.as_str()).map_err(bad)?);
        by_cik.insert(row.cik, Issuer { id, name, cik: Some(cik), tickers: vec![ticker], sub_industry, supersedes: None });
    }
    Ok(by_cik.into_values().collect())
}

/// The labs.
pub(super) fn providers() -> Result<Vec<Provider>, DemoError> {
    let mut seen = BTreeSet::new();
    rows::<ProviderRow>(PROVIDERS)?
        .into_iter()
        .filter(|r| seen.insert(r.provider_id.clone()))
        .map(|r| Ok(Provider { id: ProviderId::new(r.provider_id).map_err(bad)?, name: Line::new(r.name).map_err(bad)?, supersedes: None }))
        .collect()
}

/// The release of one model.
pub(super) fn release(model: &str) -> Result<Release, DemoError> {
    let row = rows::<ModelRow>(CATALOGUE)?.into_iter().find(|r| r.model_id == model).ok_or_else(|| bad(format!("no model {model}")))?;
    Ok(Release { name: row.name, provider: ProviderId::new(row.lab).map_err(bad)?, date: Date::new(row.release_date).map_err(bad)? })
}

/// Edges of the labs: owners and listed selves, equity holders, suppliers.
pub(super) fn provider_exposures() -> Result<Vec<Exposure>, DemoError> {
    let mut out = Vec::new();
    for r in rows::<ProviderRow>(PROVIDERS)?.into_iter().filter(|r| !r.cik.is_empty()) {
        let from = Node::Provider(ProviderId::new(r.provider_id).map_err(bad)?);
        out.push(edge(out.len(), from, Relation::OwnedBy, &r.cik, Tier::One, &r.valid_from, &r.valid_to, &r.basis, &r.evidence)?);
    }
    for r in rows::<EdgeRow>(EDGES)?.into_iter().filter(|r| r.from.starts_with("provider:")) {
        let (relation, tier) = match r.relation.as_str() {
            "equity_held_by" => (Relation::EquityHeldBy, Tier::One),
            "buys_from" => (Relation::Supplier, Tier::Two),
            _ => continue,
        };
        let from = r.from.parse().map_err(bad)?;
        out.push(edge(out.len(), from, relation, &r.to_cik, tier, &r.valid_from, &r.valid_to, &r.basis, &r.evidence)?);
    }
    Ok(out)
}

/// Edges of one submission: listed operators of hosts that serve its model.
pub(super) fn host_exposures(model: &str, submission: &SubmissionId) -> Result<Vec<Exposure>, DemoError> {
    let edges = rows::<EdgeRow>(EDGES)?;
    let node = format!("model:{model}");
    let hosts: BTreeSet<&str> = edges.iter().filter(|e| e.relation == "served_by" && e.from == node).map(|e| e.to.as_str()).collect();
    let mut operators = BTreeMap::new();
    for e in edges.iter().filter(|e| e.relation == "operated_by" && hosts.contains(e.from.as_str())) {
        operators.entry(e.to_cik.as_str()).or_insert(e);
    }
    let from = || Node::Submission(submission.clone());
    operators
        .into_values()
        .enumerate()
        .map(|(n, e)| {
            let mut made = edge(n, from(), Relation::ServedBy, &e.to_cik, Tier::Two, "", "", "computed", &format!("{} serves it", e.from))?;
            made.id = RecordId::new(format!("{submission}-host-{n}")).map_err(bad)?;
            Ok(made)
        })
        .collect()
}

#[allow(clippy::too_many_arguments)]
fn edge(
    n: usize,
    from: Node,
    relation: Relation,
    cik: &str,
    tier: Tier,
    valid_from: &str,
    valid_to: &str,
    basis: &str,
    evidence: &str,
) -> Result<Exposure, DemoError> {
    let date = |d: &str| if d.is_empty() { Ok(None) } else { Date::new(d).map(Some).map_err(bad) };
    Ok(Exposure {
        id: RecordId::new(format!("edge-{n:03}")).map_err(bad)?,
        from,
        relation,
        to: issuer_id(cik)?,
        tier,
        valid_from: date(valid_from)?,
        valid_to: date(valid_to)?,
        basis: match basis {
            b if b.starts_with("public filing") || b.contains("SEC") => Basis::PublicFiling,
            "press" => Basis::Press,
            _ => Basis::Computed,
        },
        // An edge whose own evidence calls itself unconfirmed may refer, never block.
        confirmed: !evidence.contains("unconfirmed"),
        evidence: if evidence.is_empty() { None } else { Some(Line::new(evidence).map_err(bad)?) },
        supersedes: None,
    })
}
