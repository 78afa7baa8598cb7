//! Real issuers, model releases and exposures, from the files under `data/` (sources and licences: `data/SOURCES.md`).

use std::collections::{BTreeMap, BTreeSet};

use countersign_entry::ids::{Date, IssuerId, Line, ModelId, ProviderId, RecordId, SubmissionId};
use countersign_entry::record::{Basis, Exposure, Issuer, Model, Node, Provider, Relation, Tier};
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
    family: String,
    release_date: String,
    open_weights: String,
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
    /// Its id.
    pub(super) id: ModelId,
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
        by_cik.insert(
            row.cik,
            Issuer { id, name, cik: Some(cik), tickers: vec![ticker], former_names: vec![], sub_industry, supersedes: None },
        );
    }
    Ok(by_cik.into_values().collect())
}

/// Labs that are companies of their own and not listed: what somebody may hold a private stake in.
pub(super) fn private_issuers() -> Result<Vec<Issuer>, DemoError> {
    private()?
        .map(|r| {
            let (id, name) = (private_id(&r)?, Line::new(r.name).map_err(bad)?);
            Ok(Issuer { id, name, cik: None, tickers: vec![], former_names: vec![], sub_industry: None, supersedes: None })
        })
        .collect()
}

fn private() -> Result<impl Iterator<Item = ProviderRow>, DemoError> {
    Ok(rows::<ProviderRow>(PROVIDERS)?.into_iter().filter(|r| r.cik.is_empty()))
}

fn private_id(row: &ProviderRow) -> Result<IssuerId, DemoError> {
    IssuerId::new(format!("private-{}", row.provider_id)).map_err(bad)
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
    Ok(Release {
        id: ModelId::new(model).map_err(bad)?,
        name: row.name,
        provider: ProviderId::new(row.lab).map_err(bad)?,
        date: Date::new(row.release_date).map_err(bad)?,
    })
}

/// Models that were public by a day.
pub(super) fn models(by: &Date) -> Result<Vec<Model>, DemoError> {
    let mut out = Vec::new();
    for row in rows::<ModelRow>(CATALOGUE)? {
        // Of some the month alone is known.
        let Ok(released_on) = Date::new(row.release_date) else { continue };
        if released_on > *by {
            continue;
        }
        let family = if row.family.is_empty() { None } else { Some(Line::new(row.family).map_err(bad)?) };
        out.push(Model {
            id: ModelId::new(row.model_id).map_err(bad)?,
            provider: ProviderId::new(row.lab).map_err(bad)?,
            name: Line::new(row.name).map_err(bad)?,
            family,
            released_on: Some(released_on),
            open_weights: Some(row.open_weights == "true"),
            stopped: None,
            supersedes: None,
        });
    }
    Ok(out)
}

/// Every edge: the labs' owners, listed selves, equity holders and suppliers; hosts of the models given; who runs the hosts.
pub(super) fn exposures(models: &[Model]) -> Result<Vec<Exposure>, DemoError> {
    let mut out = Vec::new();
    for r in rows::<ProviderRow>(PROVIDERS)?.into_iter().filter(|r| !r.cik.is_empty()) {
        let from = Node::Provider(ProviderId::new(r.provider_id).map_err(bad)?);
        // The file names the day after the last.
        let valid_to = day(&r.valid_to)?.and_then(|d| d.day_before());
        let edge =
            Edge { from, relation: Relation::OwnedBy, to: issuer(&r.cik)?, tier: Tier::One, valid_from: day(&r.valid_from)?, valid_to };
        out.push(edge.record(out.len(), &r.basis, &r.evidence)?);
    }
    for r in private()? {
        let to = Node::Issuer(private_id(&r)?);
        let from = Node::Provider(ProviderId::new(r.provider_id).map_err(bad)?);
        let valid_to = day(&r.valid_to)?.and_then(|d| d.day_before());
        let edge = Edge { from, relation: Relation::Is, to, tier: Tier::One, valid_from: day(&r.valid_from)?, valid_to };
        out.push(edge.record(out.len(), &r.basis, &r.evidence)?);
    }
    for r in rows::<EdgeRow>(EDGES)? {
        let (relation, tier) = match r.relation.as_str() {
            "equity_held_by" => (Relation::EquityHeldBy, Tier::One),
            "buys_from" => (Relation::Supplier, Tier::Two),
            "served_by" => (Relation::ServedBy, Tier::Two),
            "operated_by" => (Relation::OperatedBy, Tier::Two),
            _ => continue,
        };
        let from: Node = r.from.parse().map_err(bad)?;
        if matches!(&from, Node::Model(id) if !models.iter().any(|m| m.id == *id)) {
            continue;
        }
        let to = if r.to_cik.is_empty() { r.to.parse().map_err(bad)? } else { issuer(&r.to_cik)? };
        let edge = Edge { from, relation, to, tier, valid_from: day(&r.valid_from)?, valid_to: day(&r.valid_to)? };
        out.push(edge.record(out.len(), &r.basis, &r.evidence)?);
    }
    Ok(out)
}

/// Hosts that will serve a submission's model, as the developer tells the access officer.
pub(super) fn hosts(model: &str, submission: &SubmissionId) -> Result<Vec<Exposure>, DemoError> {
    let node = format!("model:{model}");
    let served = rows::<EdgeRow>(EDGES)?.into_iter().filter(|e| e.relation == "served_by" && e.from == node);
    served
        .enumerate()
        .map(|(n, e)| {
            let from = Node::Submission(submission.clone());
            let to = e.to.parse().map_err(bad)?;
            let edge = Edge { from, relation: Relation::ServedBy, to, tier: Tier::Two, valid_from: None, valid_to: None };
            let made = edge.record(n, "developer", "")?;
            Ok(Exposure { id: RecordId::new(format!("{submission}-host-{n}")).map_err(bad)?, ..made })
        })
        .collect()
}

fn issuer(cik: &str) -> Result<Node, DemoError> {
    issuer_id(cik).map(Node::Issuer)
}

fn day(text: &str) -> Result<Option<Date>, DemoError> {
    if text.is_empty() { Ok(None) } else { Date::new(text).map(Some).map_err(bad) }
}

/// An edge as the files have it.
struct Edge {
    from: Node,
    relation: Relation,
    to: Node,
    tier: Tier,
    valid_from: Option<Date>,
    valid_to: Option<Date>,
}

impl Edge {
    fn record(self, n: usize, basis: &str, evidence: &str) -> Result<Exposure, DemoError> {
        let Edge { from, relation, to, tier, valid_from, valid_to } = self;
        Ok(Exposure {
            id: RecordId::new(format!("edge-{n:03}")).map_err(bad)?,
            from,
            relation,
            to,
            tier,
            valid_from,
            valid_to,
            basis: match basis {
                b if b.starts_with("public filing") || b.contains("SEC") => Basis::PublicFiling,
                "press" => Basis::Press,
                "name match" => Basis::NameMatch,
                "developer" => Basis::Developer,
                _ => Basis::Computed,
            },
            // An edge whose own evidence calls itself unconfirmed may refer, never block.
            confirmed: !evidence.contains("unconfirmed"),
            evidence: if evidence.is_empty() { None } else { Some(Line::new(evidence).map_err(bad)?) },
            supersedes: None,
        })
    }
}
