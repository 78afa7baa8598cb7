//! What the command line may say of each record type. Names of fields are those of the records, so that what is given lies over what is known.

use std::path::PathBuf;

use clap::Args;
use countersign_entry::ids::{Date, Hash32, IssuerId, Line, ModelId, OrganizationId, PersonId, ProviderId, RecordId, SubmissionId};
use countersign_entry::record::{
    AgreementKind, Basis, Bound, FormerName, InformationOwner, ListKind, ListSubject, MarkingLevel, Node, OrganizationKind, PersonStatus,
    RecusalScope, Relation, Report, Role, SubmissionStatus, WindowEndEvent,
};
use countersign_entry::time::Micros;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::kinds::{self, Kind};
use crate::defaults::LOCAL;
use crate::failure::Failure;
use crate::words::{text, word};

/// A record type's fields on the command line.
pub(crate) trait Fields: Args + Serialize {
    /// The record type.
    const KIND: Kind;

    /// What was given, as the record's JSON; nulls stand for what was not.
    ///
    /// # Errors
    /// A file that is named cannot be read.
    fn given(&self) -> Result<Value, Failure> {
        serde_json::to_value(self).map_err(|e| Failure::Bug(e.to_string()))
    }

    /// What a new record has where nothing was given.
    fn defaults(_now: Micros) -> Value {
        json!({})
    }
}

/// An organization.
#[derive(Debug, Args, Serialize)]
pub(crate) struct OrganizationFields {
    /// Its name.
    #[arg(long)]
    name: Option<Line>,
    /// agency, component, developer, partner, contractor or ffrdc.
    #[arg(long, value_parser = word::<OrganizationKind>)]
    kind: Option<OrganizationKind>,
    /// The organization it belongs to.
    #[arg(long)]
    parent: Option<OrganizationId>,
    /// How to reach its ethics office.
    #[arg(long)]
    ethics_office: Option<Line>,
}

impl Fields for OrganizationFields {
    const KIND: Kind = kinds::ORGANIZATION;
}

/// A person.
#[derive(Debug, Args, Serialize)]
pub(crate) struct PersonFields {
    /// Their name. No other record holds it.
    #[arg(long)]
    name: Option<Line>,
    /// officer, enlisted, civilian, sge, presidential_appointee, ipa_detailee, contractor, ffrdc, partner or former: it decides which law binds them.
    #[arg(long, value_parser = word::<PersonStatus>)]
    status: Option<PersonStatus>,
    /// Where they serve. Without it: `local`.
    #[arg(long)]
    organization: Option<OrganizationId>,
}

impl Fields for PersonFields {
    const KIND: Kind = kinds::PERSON;

    fn defaults(_: Micros) -> Value {
        json!({ "organization": LOCAL })
    }
}

/// An account that can act.
#[derive(Debug, Args, Serialize)]
pub(crate) struct PrincipalFields {
    /// The person behind it; none for gateways.
    #[arg(long)]
    person: Option<PersonId>,
    /// What it may do; give it several times for several: operator, access_officer, approver, ethics_officer, inspector_general, gateway,
    /// covered_person.
    #[arg(long = "role", alias = "roles", value_name = "ROLE", value_parser = word::<Role>)]
    roles: Option<Vec<Role>>,
    /// The operating system's user it acts as, such as uid:1001.
    #[arg(long, value_parser = os_user)]
    os_user: Option<Line>,
    /// Whether it may act no longer.
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    disabled: Option<bool>,
}

impl Fields for PrincipalFields {
    const KIND: Kind = kinds::PRINCIPAL;

    fn defaults(_: Micros) -> Value {
        json!({ "disabled": false })
    }
}

/// The one form in which users are looked up; another would never match, and nobody would know why.
fn os_user(given: &str) -> Result<Line, String> {
    let number = given.strip_prefix("uid:").unwrap_or(given);
    let uid: u32 = number.parse().map_err(|_| "a user is uid:NUMBER, such as uid:1001 (see `id -u`)".to_owned())?;
    Line::new(format!("uid:{uid}")).map_err(|e| e.to_string())
}

/// A lab that develops models.
#[derive(Debug, Args, Serialize)]
pub(crate) struct ProviderFields {
    /// Its name.
    #[arg(long)]
    name: Option<Line>,
}

impl Fields for ProviderFields {
    const KIND: Kind = kinds::PROVIDER;
}

/// A company.
#[derive(Debug, Args, Serialize)]
pub(crate) struct IssuerFields {
    /// Its name.
    #[arg(long)]
    name: Option<Line>,
    /// SEC Central Index Key, ten digits.
    #[arg(long)]
    cik: Option<Line>,
    /// A ticker symbol; give it several times for several.
    #[arg(long = "ticker", value_name = "TICKER")]
    tickers: Option<Vec<Line>>,
    /// A name it had, with `;` and its last day where that is known: "Halvorsen Networks Inc;2024-03-31". Give it several times for several.
    #[arg(long = "former-name", value_name = "NAME[;DATE]", value_parser = former_name)]
    former_names: Option<Vec<FormerName>>,
    /// GICS sub-industry.
    #[arg(long)]
    sub_industry: Option<Line>,
}

impl Fields for IssuerFields {
    const KIND: Kind = kinds::ISSUER;

    fn defaults(_: Micros) -> Value {
        json!({ "tickers": [], "former_names": [] })
    }
}

fn former_name(given: &str) -> Result<FormerName, String> {
    let (name, to) = match given.rsplit_once(';') {
        Some((name, day)) => (name, Some(Date::new(day.trim()).map_err(|e| e.to_string())?)),
        None => (given, None),
    };
    Ok(FormerName { name: Line::new(name.trim()).map_err(|e| e.to_string())?, from: None, to })
}

/// A model the public knows.
#[derive(Debug, Args, Serialize)]
pub(crate) struct ModelFields {
    /// Who made it.
    #[arg(long)]
    provider: Option<ProviderId>,
    /// Its name.
    #[arg(long)]
    name: Option<Line>,
    /// The family it belongs to.
    #[arg(long)]
    family: Option<Line>,
    /// The day the public got it.
    #[arg(long)]
    released_on: Option<Date>,
    /// Whether anybody can have its weights.
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    open_weights: Option<bool>,
    /// Stops all work on it: every grant under any submission of it is suspended in the same commit. `--stopped false` lifts the stop; grants stay
    /// suspended until they are activated again.
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    stopped: Option<bool>,
}

impl Fields for ModelFields {
    const KIND: Kind = kinds::MODEL;
}

/// An edge that leads to an issuer.
#[derive(Debug, Args, Serialize)]
pub(crate) struct ExposureFields {
    /// Where it starts: submission:ID, model:ID, provider:ID, host:ID or issuer:ID.
    #[arg(long)]
    from: Option<Node>,
    /// is, owned_by, equity_held_by, served_by, operated_by, supplier, customer, competitor or downstream.
    #[arg(long, value_parser = word::<Relation>)]
    relation: Option<Relation>,
    /// Where it ends: issuer:ID or host:ID. An issuer's id alone will do.
    #[arg(long, value_parser = end)]
    to: Option<Node>,
    /// 1 the lab, its owner or an equity holder; 2 host, large supplier or customer; 3 competitor or downstream sector.
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=3))]
    tier: Option<u8>,
    /// First day it holds.
    #[arg(long)]
    valid_from: Option<Date>,
    /// Last day it holds.
    #[arg(long)]
    valid_to: Option<Date>,
    /// public_filing, press, computed, name_match, officer or developer.
    #[arg(long, value_parser = word::<Basis>)]
    basis: Option<Basis>,
    /// Whether somebody checked it. An unconfirmed edge may refer, never block.
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    confirmed: Option<bool>,
    /// What shows it.
    #[arg(long)]
    evidence: Option<Line>,
}

fn end(given: &str) -> Result<Node, String> {
    if given.contains(':') {
        return given.parse::<Node>().map_err(|e| e.to_string());
    }
    IssuerId::new(given).map(Node::Issuer).map_err(|e| e.to_string())
}

impl Fields for ExposureFields {
    const KIND: Kind = kinds::EXPOSURE;

    fn defaults(_: Micros) -> Value {
        json!({ "confirmed": false })
    }
}

/// A model handed over for review.
#[derive(Debug, Args, Serialize)]
pub(crate) struct SubmissionFields {
    /// Who offers the model.
    #[arg(long)]
    provider: Option<ProviderId>,
    /// The model, where its name may stand here.
    #[arg(long)]
    model: Option<ModelId>,
    /// A GICS sub-industry that what it can do bears on; give it several times for several.
    #[arg(long = "downstream", value_name = "SUB_INDUSTRY")]
    downstream: Option<Vec<Line>>,
    /// What people call it here; a neutral label where the model's name is itself non-public.
    #[arg(long)]
    title: Option<Line>,
    /// Authority and section every grant under it cites.
    #[arg(long)]
    authority: Option<Line>,
    /// When the developer made the voluntary offer. Without an offer nothing is granted.
    #[arg(long)]
    offered_at: Option<Micros>,
    /// SHA-256 of the offer's terms, hex.
    #[arg(long, value_parser = text::<Hash32>)]
    terms_hash: Option<Hash32>,
    /// What access is for, in the developer's words.
    #[arg(long)]
    purpose: Option<Line>,
    /// When the offer was withdrawn.
    #[arg(long)]
    offer_revoked_at: Option<Micros>,
    /// Opaque reference to the designation.
    #[arg(long)]
    designation: Option<Line>,
    /// When the window opens.
    #[arg(long)]
    opens_at: Option<Micros>,
    /// When it closes; at most 30 days later.
    #[arg(long)]
    closes_at: Option<Micros>,
    /// trusted_partner_release, public_release, withdrawal or lapse.
    #[arg(long, value_parser = word::<WindowEndEvent>)]
    window_end_event: Option<WindowEndEvent>,
    /// When the public got the model.
    #[arg(long)]
    public_release_at: Option<Micros>,
    /// When recipients were told that what they know is no longer inside information.
    #[arg(long)]
    cleansed_at: Option<Micros>,
    /// open, suspended or closed.
    #[arg(long, value_parser = word::<SubmissionStatus>)]
    status: Option<SubmissionStatus>,
    /// unclassified, cui, confidential, secret or top_secret.
    #[arg(long, value_parser = word::<MarkingLevel>)]
    marking: Option<MarkingLevel>,
    /// A CUI category or control system, in banner order.
    #[arg(long = "category", value_name = "CATEGORY")]
    categories: Option<Vec<Line>>,
    /// A dissemination control, in banner order.
    #[arg(long)]
    dissemination: Option<Vec<Line>>,
    /// developer, agency or joint.
    #[arg(long, value_parser = word::<InformationOwner>)]
    information_owner: Option<InformationOwner>,
    /// Why it is confidential.
    #[arg(long)]
    confidentiality_basis: Option<Line>,
}

impl Fields for SubmissionFields {
    const KIND: Kind = kinds::SUBMISSION;

    fn given(&self) -> Result<Value, Failure> {
        Ok(json!({
            "provider": self.provider,
            "model": self.model,
            "downstream": self.downstream,
            "title": self.title,
            "authority": self.authority,
            "offer": {
                "offered_at": self.offered_at,
                "terms_hash": self.terms_hash,
                "purpose": self.purpose,
                "revoked_at": self.offer_revoked_at,
            },
            "designation": self.designation,
            "window": { "opens_at": self.opens_at, "closes_at": self.closes_at },
            "window_end_event": self.window_end_event,
            "public_release_at": self.public_release_at,
            "cleansed_at": self.cleansed_at,
            "status": self.status,
            "marking": { "level": self.marking, "categories": self.categories, "dissemination": self.dissemination },
            "information_owner": self.information_owner,
            "confidentiality_basis": self.confidentiality_basis,
        }))
    }

    fn defaults(_: Micros) -> Value {
        json!({
            "downstream": [],
            "window_end_event": WindowEndEvent::TrustedPartnerRelease,
            "status": SubmissionStatus::Open,
            "marking": { "level": MarkingLevel::Cui, "categories": [], "dissemination": [] },
            "information_owner": InformationOwner::Developer,
        })
    }
}

/// A signed agreement or certification.
#[derive(Debug, Args, Serialize)]
pub(crate) struct AgreementFields {
    /// Who signed.
    #[arg(long)]
    person: Option<PersonId>,
    /// access_terms, duty_notice or no_interest_certification.
    #[arg(long, value_parser = word::<AgreementKind>)]
    kind: Option<AgreementKind>,
    /// The submission it covers; none covers all.
    #[arg(long)]
    submission: Option<SubmissionId>,
    /// Version of the text.
    #[arg(long)]
    version: Option<Line>,
    /// SHA-256 of the signed document, hex.
    #[arg(long, value_parser = text::<Hash32>, conflicts_with = "document")]
    document_hash: Option<Hash32>,
    /// The signed document; its SHA-256 alone is recorded.
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    document: Option<PathBuf>,
    /// When it was signed. Without it: now.
    #[arg(long)]
    signed_at: Option<Micros>,
    /// When it ends.
    #[arg(long)]
    expires_at: Option<Micros>,
}

impl Fields for AgreementFields {
    const KIND: Kind = kinds::AGREEMENT;

    fn given(&self) -> Result<Value, Failure> {
        let mut given = serde_json::to_value(self).map_err(|e| Failure::Bug(e.to_string()))?;
        if let (Some(path), Value::Object(fields)) = (&self.document, &mut given) {
            let mut hasher = Sha256::new();
            let mut file = std::fs::File::open(path).map_err(Failure::file(path))?;
            let mut block = [0; 8192];
            loop {
                let read = std::io::Read::read(&mut file, &mut block).map_err(Failure::file(path))?;
                match block.get(..read) {
                    None | Some([]) => break,
                    Some(bytes) => hasher.update(bytes),
                }
            }
            fields.insert("document_hash".into(), hex::encode(hasher.finalize()).into());
        }
        Ok(given)
    }

    fn defaults(now: Micros) -> Value {
        json!({ "signed_at": now })
    }
}

/// A recusal.
#[derive(Debug, Args, Serialize)]
pub(crate) struct RecusalFields {
    /// Who.
    #[arg(long)]
    person: Option<PersonId>,
    /// From what: provider:ID, issuer:ID or submission:ID.
    #[arg(long)]
    scope: Option<RecusalScope>,
    /// Since when. Without it: now.
    #[arg(long)]
    from: Option<Micros>,
    /// Until when.
    #[arg(long)]
    until: Option<Micros>,
    /// On what ground; the ethics role alone sees it.
    #[arg(long)]
    ground: Option<Line>,
    /// Who keeps matters away from the person.
    #[arg(long)]
    screening_contact: Option<Line>,
}

impl Fields for RecusalFields {
    const KIND: Kind = kinds::RECUSAL;

    fn defaults(now: Micros) -> Value {
        json!({ "from": now })
    }
}

/// A position whose incumbent files a report.
#[derive(Debug, Args, Serialize)]
pub(crate) struct FilerFields {
    /// Who.
    #[arg(long)]
    person: Option<PersonId>,
    /// public (OGE Form 278e) or confidential (OGE Form 450).
    #[arg(long, value_parser = word::<Report>)]
    report: Option<Report>,
    /// The day they assumed it.
    #[arg(long, value_name = "DATE")]
    from: Option<Date>,
    /// The day they left it.
    #[arg(long, value_name = "DATE")]
    until: Option<Date>,
}

impl Fields for FilerFields {
    const KIND: Kind = kinds::FILER;
}

/// A list.
#[derive(Debug, Args, Serialize)]
pub(crate) struct ListFields {
    /// restricted (known, trading prohibited), watch (secret, changes nothing a requester can see) or prohibited_holding (what those it binds may neither
    /// hold nor buy).
    #[arg(long, value_parser = word::<ListKind>)]
    kind: Option<ListKind>,
    /// Its name.
    #[arg(long)]
    name: Option<Line>,
    /// What lets it bar trading or holding. A restricted list without one refers; a list of prohibited holdings has one.
    #[arg(long)]
    authority: Option<Line>,
    /// Whom a list of prohibited holdings binds: organization:ID (5 CFR 2635.403(a)) or person:ID (5 CFR 2635.403(b)).
    #[arg(long)]
    binds: Option<Bound>,
}

impl Fields for ListFields {
    const KIND: Kind = kinds::LIST;
}

/// A subject on a list.
#[derive(Debug, Args, Serialize)]
pub(crate) struct ListItemFields {
    /// The list.
    #[arg(long)]
    list: Option<RecordId>,
    /// What is listed: provider:ID, issuer:ID or submission:ID.
    #[arg(long)]
    subject: Option<ListSubject>,
    /// Since when. Without it: now.
    #[arg(long)]
    from: Option<Micros>,
    /// Until when.
    #[arg(long)]
    until: Option<Micros>,
    /// Why.
    #[arg(long)]
    reason: Option<Line>,
}

impl Fields for ListItemFields {
    const KIND: Kind = kinds::LIST_ITEM;

    fn defaults(now: Micros) -> Value {
        json!({ "from": now })
    }
}
