//! Every record the ledger can hold, and its way into content and back.
//!
//! Each type's fields are in `schemas/entry.cddl` too. Every field is written even when it has no value (null), so that two records of one type
//! have the same keys; fields that came later, and signatures, are left out where there is nothing to say, so that what was written before stays. Records name people only by random id; names live in [`Person`] and [`Organization`] alone.
//!
//! *Any record may supersede an earlier one of its kind and the same id; nothing is edited.*

mod access;
mod assessment;
mod cases;
mod control;
mod directory;
mod duties;
mod emergency;
mod ethics;
mod grant;
mod interest;
mod login;
mod policy;
mod preclearance;
mod process;
mod submission;

use ciborium::Value;

pub use self::access::{AccessEvent, AccessResult, Read};
pub use self::assessment::{Assessment, Decision, Obligation, ObligationKind, ObligedParty, Outcome, Reason, Verdict, WATCH_ITEMS_MAX};
pub use self::cases::{CaseEvent, CaseOpened, CaseStep, Disposition};
pub use self::control::{
    DataKeyCreated, DataKeyDestroyed, Genesis, KeyAttested, KeyLossDeclared, KeyRevoked, KeyRotated, OfficerEnrolled, OfficerRevoked,
    Redaction,
};
pub use self::directory::{
    Basis, Credential, CredentialKind, Exposure, FormerName, Issuer, Model, Node, Organization, OrganizationKind, Person, PersonStatus,
    Principal, Provider, Relation, Role, Tier,
};
pub use self::duties::{DutyEvent, DutyKind, DutyStep, Filer, Report};
pub use self::emergency::{EmergencyUse, EmergencyVoucher};
pub use self::ethics::{Agreement, AgreementKind, Bound, List, ListItem, ListKind, ListSubject, Recusal, RecusalScope};
pub use self::grant::{GrantRequest, GrantState, GrantTransition};
pub use self::interest::{
    Band, HolderRelation, Holding, Import, Instrument, InstrumentClass, Linking, MatchDecision, Provenance, Relationship, RelationshipKind,
    Trade, TradeKind,
};
pub use self::login::{CredentialLinked, CredentialRevoked};
pub use self::policy::{Effect, Effects, Feed, Policy, RoutineUse, SignedType};
pub use self::preclearance::{
    AccessBar, ForbiddenTerm, PreclearanceDecision, PreclearancePolicy, PreclearanceRequest, PreclearanceScope, TradeTerm,
};
pub use self::process::{
    Authority, Correction, Designation, HoldScope, Identifier, IdentifierScheme, LegalHold, Referral, RosterEntry, Selection, Vulnerability,
};
pub use self::submission::{InformationOwner, Marking, MarkingLevel, Offer, Submission, SubmissionStatus, WindowEndEvent};

use crate::canonical::{CanonicalError, Fields};
use crate::cbor::CborError;
use crate::content::{self, COMMON, Content, ContentError, Encoded, SIGNED};
use crate::ids::{LeafIndex, Reference};
use crate::leaf::Kind;

/// Why a content is not a record of the types this version knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The content itself.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// A type this version does not know.
    #[error("type {0:?} is not known to this version")]
    UnknownType(String),
    /// Fields that rules read were redacted, so nothing follows from the record any more.
    #[error("fields erased: {}", .0.join(", "))]
    Erased(Vec<String>),
    /// Fields missing, unknown, or with values the type does not allow.
    #[error("not a {kind}: {detail}")]
    Fields {
        /// The record type.
        kind: String,
        /// What is wrong, in serde's words.
        detail: String,
    },
}

/// Fields that are left out of a record where they hold nothing: they came later, or are signatures.
pub const LEFT_OUT: &[&str] = &["approvals", "binds", "inquiry", "routine_uses", "signatures_required"];

macro_rules! records {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $kind:ident;)*) => {
        /// One record of any type.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Record {
            $($(#[$doc])* $variant($variant),)*
            /// Nothing: hides how much is recorded.
            Padding,
        }

        impl Record {
            /// The content's `type`.
            pub fn type_name(&self) -> &'static str {
                match self {
                    $(Record::$variant(_) => $name,)*
                    Record::Padding => "padding",
                }
            }

            /// The leaf kind such a record stands under.
            pub fn kind(&self) -> Kind {
                match self {
                    $(Record::$variant(_) => Kind::$kind,)*
                    Record::Padding => Kind::Entry,
                }
            }

            fn body(&self) -> Result<Value, ciborium::value::Error> {
                match self {
                    $(Record::$variant(r) => Value::serialized(r),)*
                    Record::Padding => Ok(Value::Map(Vec::new())),
                }
            }

            /// The fields beside the common four, encoded.
            pub(crate) fn encoded_fields(&self) -> Result<Fields, CanonicalError> {
                match self {
                    $(Record::$variant(r) => Fields::of(r),)*
                    Record::Padding => Ok(Fields::default()),
                }
            }

            pub(crate) fn from_body(kind: &str, body: &Value) -> Result<Self, RecordError> {
                let bad = |e: ciborium::value::Error| RecordError::Fields { kind: kind.to_owned(), detail: e.to_string() };
                Ok(match kind {
                    $($name => Record::$variant(body.deserialized().map_err(bad)?),)*
                    "padding" if matches!(body, Value::Map(m) if m.is_empty()) => Record::Padding,
                    "padding" => return Err(RecordError::Fields { kind: kind.to_owned(), detail: "padding holds nothing beside the four common fields".into() }),
                    other => return Err(RecordError::UnknownType(other.to_owned())),
                })
            }

            /// A record of a type from a JSON object as [`Record::to_human`] writes it. A field left out is null.
            ///
            /// # Errors
            /// A type this version does not know, or what the fields break, in serde's words.
            pub fn from_human<'de, D: serde::Deserializer<'de>>(kind: &str, d: D) -> Result<Self, D::Error> {
                match kind {
                    $($name => <$variant as serde::Deserialize>::deserialize(d).map(Record::$variant),)*
                    other => Err(serde::de::Error::custom(format_args!("type {other:?} is not known to this version"))),
                }
            }

            /// The record as a JSON object, without its type.
            ///
            /// # Errors
            /// A value JSON cannot hold (a map with integer keys inside `detail`).
            pub fn to_human<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Record::$variant(r) => serde::Serialize::serialize(r, s),)*
                    Record::Padding => serde::Serializer::serialize_unit(s),
                }
            }
        }

        $(impl From<$variant> for Record {
            fn from(r: $variant) -> Record {
                Record::$variant(r)
            }
        })*

        /// Every type name, in the order of the CDDL.
        pub const TYPE_NAMES: &[&str] = &[$($name,)* "padding"];
    };
}

records! {
    /// Who the ledger is.
    Genesis = "genesis", Genesis;
    /// A data key exists.
    DataKeyCreated = "datakey.created", Maintenance;
    /// A data key is gone.
    DataKeyDestroyed = "datakey.destroyed", Maintenance;
    /// Fields were erased.
    Redaction = "redaction", Maintenance;
    /// The log's key changed.
    KeyRotated = "key.rotated", KeyEvent;
    /// A key is trusted no longer.
    KeyRevoked = "key.revoked", KeyEvent;
    /// What a token says of a key.
    KeyAttested = "key.attested", KeyEvent;
    /// Entries are lost for good.
    KeyLossDeclared = "key.loss.declared", KeyEvent;
    /// An officer's own key.
    OfficerEnrolled = "officer.enrolled", KeyEvent;
    /// An officer's key is trusted no longer.
    OfficerRevoked = "officer.revoked", KeyEvent;
    /// An agency, component, provider or partner.
    Organization = "organization", Entry;
    /// A person, by random id.
    Person = "person", Entry;
    /// An account that can act.
    Principal = "principal", Entry;
    /// An account or card somewhere else that points to a person.
    Credential = "credential", Entry;
    /// What stands for a principal over the network.
    CredentialLinked = "credential.linked", Entry;
    /// It does no longer.
    CredentialRevoked = "credential.revoked", Entry;
    /// A lab that develops models.
    Provider = "provider", Entry;
    /// A model the public knows.
    Model = "model", Entry;
    /// A company whose securities or stakes somebody may hold.
    Issuer = "issuer", Entry;
    /// How something touches an issuer.
    Exposure = "exposure", Entry;
    /// A model handed over for review.
    Submission = "submission", Entry;
    /// A signed agreement or certification.
    Agreement = "agreement", Entry;
    /// A person's recusal.
    Recusal = "recusal", Entry;
    /// A restricted list or a watch list.
    List = "list", Entry;
    /// A subject on a list, for a time.
    ListItem = "list.item", Entry;
    /// A request for access, with what was decided.
    GrantRequest = "grant.request", Entry;
    /// A grant's move to another state.
    GrantTransition = "grant.transition", Entry;
    /// Somebody touched pre-release information.
    AccessEvent = "access.event", Entry;
    /// A finding became a case.
    CaseOpened = "case.opened", Entry;
    /// A step in a case.
    CaseEvent = "case.event", Entry;
    /// A question whether a trade may be made, with what was decided.
    PreclearanceRequest = "preclearance.request", Entry;
    /// What the ethics office decided on one.
    PreclearanceDecision = "preclearance.decision", Entry;
    /// The rules' parameters.
    Policy = "policy", Entry;
    /// Somebody looked at the ledger.
    Read = "read", Entry;
    /// An identifier of an issuer.
    Identifier = "identifier", Entry;
    /// Something held.
    Holding = "holding", Entry;
    /// A trade.
    Trade = "trade", Entry;
    /// A tie to an issuer or an organization.
    Relationship = "relationship", Entry;
    /// A file that was imported.
    Import = "import", Entry;
    /// What an asset text means.
    MatchDecision = "match.decision", Entry;
    /// What grants cite.
    Authority = "authority", Entry;
    /// That a model is covered.
    Designation = "designation", Entry;
    /// A person of a partner.
    RosterEntry = "roster.entry", Entry;
    /// A partner was chosen.
    Selection = "selection", Entry;
    /// An unpatched flaw.
    Vulnerability = "vulnerability", Entry;
    /// A case handed on.
    Referral = "referral", Entry;
    /// Nothing in its scope may be erased.
    LegalHold = "legal.hold", Entry;
    /// Whose position files which report.
    Filer = "filer", Entry;
    /// Something happened with a duty that has a date.
    DutyEvent = "duty.event", Entry;
    /// One access may go ahead while nothing can be recorded.
    EmergencyVoucher = "emergency.voucher", Entry;
    /// One did.
    EmergencyUse = "emergency.use", Entry;
    /// An earlier entry is wrong.
    Correction = "correction", Entry;
}

/// What is read in the place of a field that was redacted.
pub const REDACTED: &str = "[redacted]";

/// Fields of a type that tell people something and no rule anything. They can be redacted, and every decision still follows from what is left; what a rule
/// reads goes with its data key, when its years are over.
pub fn redactable(kind: &str) -> &'static [&'static str] {
    match kind {
        "organization" | "person" | "provider" | "model" | "list" => &["name"],
        "submission" => &["title"],
        "recusal" => &["ground", "screening_contact"],
        "exposure" => &["evidence"],
        "grant.request" => &["duty"],
        "access.event" => &["artefact", "session"],
        "read" => &["inquiry"],
        "case.event" | "duty.event" => &["text"],
        "list.item"
        | "grant.transition"
        | "preclearance.decision"
        | "match.decision"
        | "correction"
        | "emergency.voucher"
        | "emergency.use" => &["reason"],
        _ => &[],
    }
}

impl Record {
    /// The fields of the record's content beside the common four.
    ///
    /// # Errors
    /// A record whose values have no encoding; only `detail` of an access event can be so.
    pub fn fields(&self) -> Result<Vec<(String, Value)>, RecordError> {
        let bad = |detail: String| RecordError::Fields { kind: self.type_name().to_owned(), detail };
        let Value::Map(pairs) = self.body().map_err(|e| bad(e.to_string()))? else {
            return Err(bad("not a map".into()));
        };
        pairs
            .into_iter()
            .map(|(k, v)| match k {
                Value::Text(k) => Ok((k, v)),
                _ => Err(bad("a key is not text".into())),
            })
            .collect()
    }

    /// The whole content of an entry.
    ///
    /// # Errors
    /// As [`Record::fields`].
    pub fn content(
        &self,
        at: u64,
        actor: &str,
        request: &str,
        signed: Option<&[u8]>,
        salt: impl FnMut() -> [u8; 16],
    ) -> Result<Content, RecordError> {
        let mut fields = self.fields()?;
        fields.push(("type".to_owned(), Value::from(self.type_name())));
        fields.push(("at".to_owned(), Value::from(at)));
        fields.push(("actor".to_owned(), Value::from(actor)));
        fields.push(("request".to_owned(), Value::from(request)));
        fields.extend(signed.map(|signed| (SIGNED.to_owned(), Value::Bytes(signed.to_vec()))));
        Ok(Content::new(fields, salt))
    }

    /// The bytes of the whole content of an entry, and their hash: what [`Record::content`] and [`Content::encode`] give, several times as fast.
    ///
    /// # Errors
    /// As [`Record::fields`].
    pub fn encode(
        &self,
        at: u64,
        actor: &str,
        request: &str,
        signed: Option<&[u8]>,
        salt: impl FnMut() -> [u8; 16],
    ) -> Result<Encoded, RecordError> {
        let mut fields = self.encoded_fields().map_err(|e| self.not_encoded(e))?;
        fields.push_text("type", self.type_name());
        fields.push_uint("at", at);
        fields.push_text("actor", actor);
        fields.push_text("request", request);
        if let Some(signed) = signed {
            fields.push_bytes(SIGNED, signed);
        }
        Ok(content::encode(&fields, salt)?)
    }

    pub(crate) fn not_encoded(&self, e: CanonicalError) -> RecordError {
        match e {
            CanonicalError::Cbor(e) => ContentError::Cbor(e).into(),
            CanonicalError::Custom(detail) => RecordError::Fields { kind: self.type_name().to_owned(), detail },
        }
    }

    /// Reads the record out of a content, with [`REDACTED`] in the place of every field that was.
    ///
    /// # Errors
    /// [`RecordError::UnknownType`], [`RecordError::Erased`], or what the fields break.
    pub fn from_content(content: &Content) -> Result<Self, RecordError> {
        let kind = content.meta()?.kind;
        let read: Vec<String> = content.erased().filter(|key| !redactable(&kind).contains(key)).map(str::to_owned).collect();
        if !read.is_empty() {
            return Err(RecordError::Erased(read));
        }
        let pairs = content
            .fields()
            .iter()
            .filter(|(k, _)| !COMMON.contains(&k.as_str()) && k != SIGNED)
            .map(|(k, _)| (Value::Text(k.clone()), content.value(k).cloned().unwrap_or_else(|| Value::from(REDACTED))))
            .collect();
        let record = Self::from_body(&kind, &Value::Map(pairs))?;
        match record.unlike(content)? {
            Some(detail) => Err(RecordError::Fields { kind, detail }),
            None => Ok(record),
        }
    }

    /// What of a content's fields is there, or is not, where the record would be written otherwise: serde takes an absent field for null, and one that
    /// holds nothing for an absent one. Only an access event, which others write, may leave fields out.
    fn unlike(&self, content: &Content) -> Result<Option<String>, RecordError> {
        if matches!(self, Record::AccessEvent(_)) {
            return Ok(None);
        }
        let own = self.fields()?;
        let is_there = |key: &str| content.fields().iter().any(|(known, _)| known == key);
        if let Some((key, _)) = own.iter().find(|(key, _)| !is_there(key)) {
            return Ok(Some(format!("missing field `{key}`")));
        }
        let mut keys = content.fields().iter().map(|(key, _)| key).filter(|key| !COMMON.contains(&key.as_str()) && *key != SIGNED);
        Ok(keys.find(|key| own.iter().all(|(own, _)| own != *key)).map(|key| format!("field `{key}` holds nothing: it is left out then")))
    }

    /// Type and every field but those the ledger itself fills in, as canonical CBOR. Two requests under one idempotency key must agree in it.
    /// What officers sign is [`Record::canonical_request`].
    ///
    /// # Errors
    /// As [`Record::fields`].
    pub fn request_bytes(&self) -> Result<Vec<u8>, RecordError> {
        let mut asked = self.encoded_fields().map_err(|e| self.not_encoded(e))?;
        self.outcome_fields().iter().for_each(|key| asked.clear(key));
        asked.leave_out(self.signing_fields());
        // Signed once more, the same request is the same request.
        asked.leave_out(&["approvals"]);
        asked.push_text("type", self.type_name());
        Ok(asked.to_map().map_err(ContentError::Cbor)?)
    }

    /// The fields the ledger itself fills in: assessment, reference, resulting state.
    pub(crate) fn outcome_fields(&self) -> &'static [&'static str] {
        match self {
            Record::GrantRequest(_) => &["assessment", "reference", "result"],
            Record::GrantTransition(_) => &["assessment", "result"],
            Record::AccessEvent(_) => &["assessment"],
            Record::PreclearanceRequest(_) => &["assessment", "cleared_until", "reference"],
            _ => &[],
        }
    }

    /// Empties the fields the ledger itself fills in.
    pub fn clear_outcome(&mut self) {
        match self {
            Record::GrantRequest(r) => (r.assessment, r.reference, r.result) = (None, None, None),
            Record::GrantTransition(r) => (r.assessment, r.result) = (None, None),
            Record::AccessEvent(r) => r.assessment = None,
            Record::PreclearanceRequest(r) => (r.assessment, r.cleared_until, r.reference) = (None, None, None),
            _ => {}
        }
    }

    /// What was decided, where the record carries a decision.
    pub fn assessment(&self) -> Option<&Assessment> {
        match self {
            Record::GrantRequest(r) => r.assessment.as_ref(),
            Record::GrantTransition(r) => r.assessment.as_ref(),
            Record::AccessEvent(r) => r.assessment.as_ref(),
            Record::PreclearanceRequest(r) => r.assessment.as_ref(),
            _ => None,
        }
    }

    /// Where the reference of a request stands, for types whose requester gets one; the ledger draws it.
    pub fn reference_mut(&mut self) -> Option<&mut Option<Reference>> {
        match self {
            Record::GrantRequest(r) => Some(&mut r.reference),
            Record::PreclearanceRequest(r) => Some(&mut r.reference),
            _ => None,
        }
    }

    /// The level it is marked with by itself, for types that carry one beside a submission's whole marking.
    pub fn level(&self) -> Option<MarkingLevel> {
        match self {
            Record::AccessEvent(r) => r.marking,
            Record::Designation(r) => Some(r.marking),
            _ => None,
        }
    }

    /// The id that names the record among those of its type, for types whose records supersede one another.
    pub fn entity(&self) -> Option<&str> {
        Some(match self {
            Record::Organization(r) => r.id.as_str(),
            Record::Person(r) => r.id.as_str(),
            Record::Principal(r) => r.id.as_str(),
            Record::Credential(r) => r.id.as_str(),
            Record::Provider(r) => r.id.as_str(),
            Record::Model(r) => r.id.as_str(),
            Record::Issuer(r) => r.id.as_str(),
            Record::Exposure(r) => r.id.as_str(),
            Record::Submission(r) => r.id.as_str(),
            Record::Agreement(r) => r.id.as_str(),
            Record::Recusal(r) => r.id.as_str(),
            Record::List(r) => r.id.as_str(),
            Record::ListItem(r) => r.id.as_str(),
            Record::Policy(r) => r.id.as_str(),
            Record::Identifier(r) => r.id.as_str(),
            Record::Holding(r) => r.id.as_str(),
            Record::Trade(r) => r.id.as_str(),
            Record::Relationship(r) => r.id.as_str(),
            Record::MatchDecision(r) => r.id.as_str(),
            Record::Authority(r) => r.id.as_str(),
            Record::Designation(r) => r.id.as_str(),
            Record::RosterEntry(r) => r.id.as_str(),
            Record::Selection(r) => r.id.as_str(),
            Record::Vulnerability(r) => r.id.as_str(),
            Record::Referral(r) => r.id.as_str(),
            Record::LegalHold(r) => r.id.as_str(),
            Record::Import(r) => r.id.as_str(),
            Record::Filer(r) => r.id.as_str(),
            _ => return None,
        })
    }

    /// The earlier entry this record takes the place of.
    pub fn supersedes(&self) -> Option<LeafIndex> {
        match self {
            Record::Organization(r) => r.supersedes,
            Record::Person(r) => r.supersedes,
            Record::Principal(r) => r.supersedes,
            Record::Credential(r) => r.supersedes,
            Record::Provider(r) => r.supersedes,
            Record::Model(r) => r.supersedes,
            Record::Issuer(r) => r.supersedes,
            Record::Exposure(r) => r.supersedes,
            Record::Submission(r) => r.supersedes,
            Record::Agreement(r) => r.supersedes,
            Record::Recusal(r) => r.supersedes,
            Record::List(r) => r.supersedes,
            Record::ListItem(r) => r.supersedes,
            Record::Policy(r) => r.supersedes,
            Record::Identifier(r) => r.supersedes,
            Record::Holding(r) => r.supersedes,
            Record::Trade(r) => r.supersedes,
            Record::Relationship(r) => r.supersedes,
            Record::MatchDecision(r) => r.supersedes,
            Record::Authority(r) => r.supersedes,
            Record::Designation(r) => r.supersedes,
            Record::RosterEntry(r) => r.supersedes,
            Record::Selection(r) => r.supersedes,
            Record::Vulnerability(r) => r.supersedes,
            Record::Referral(r) => r.supersedes,
            Record::LegalHold(r) => r.supersedes,
            Record::AccessEvent(r) => r.supersedes,
            Record::Filer(r) => r.supersedes,
            _ => None,
        }
    }
}

impl From<CborError> for RecordError {
    fn from(e: CborError) -> Self {
        RecordError::Content(e.into())
    }
}
