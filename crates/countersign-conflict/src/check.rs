//! What a record must agree with before it may be recorded. A refusal is definitely not recorded.

use std::collections::BTreeSet;

use countersign_entry::ids::{IssuerId, LeafIndex, PrincipalId, RecordId};
use countersign_entry::record::{
    Agreement, AgreementKind, Bound, Credential, GrantState, List, ListKind, Node, Record, RecusalScope, Role,
};

use crate::facts::{Facts, Grant, account};
use crate::officers::{SignatureFault, approvals};
use crate::{grants, roles};

/// Why a record is not taken. Nothing was recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The actor is not a principal of this ledger, or may act no longer.
    #[error("principal {0} is not known here or is disabled")]
    UnknownPrincipal(PrincipalId),
    /// The actor has no role that may record this.
    #[error("principal {actor} has no role that may record {what}")]
    Role {
        /// Who.
        actor: PrincipalId,
        /// What.
        what: String,
    },
    /// The record refers to something that is not recorded.
    #[error("{what} {id} is not recorded")]
    Unknown {
        /// What kind of thing.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// The id is taken; a change must say which entry it supersedes.
    #[error("{what} {id} exists already as entry {current}: to change it, supersede that entry")]
    Exists {
        /// The record type.
        what: &'static str,
        /// Its id.
        id: String,
        /// The entry that holds it now.
        current: LeafIndex,
    },
    /// The record supersedes an entry that is not the newest of its kind and id.
    #[error("entry {named} is not the newest {what} {id}{}", .current.map(|c| format!(": entry {c} is")).unwrap_or_default())]
    Stale {
        /// The record type.
        what: &'static str,
        /// Its id.
        id: String,
        /// What the record names.
        named: LeafIndex,
        /// The newest, where there is one.
        current: Option<LeafIndex>,
    },
    /// The grant cannot move so.
    #[error("grant {grant} is {from:?}; it cannot become {to:?}")]
    Move {
        /// The grant.
        grant: LeafIndex,
        /// Where it stands.
        from: GrantState,
        /// What was asked.
        to: GrantState,
    },
    /// Whoever decides is recused from it. By which recusal is not said: it would tell them what the submission touches.
    #[error("whoever decides this is recused from what it is about (18 U.S.C. 208(a)): somebody else has to")]
    Recused,
    /// Whom it is about serves in another agency, whose ethics office keeps their filings.
    #[error(
        "whom this is about is another agency's: its own ethics office records and decides it, or one that policy names (routine_uses; 5 U.S.C. 552a(b)(3))"
    )]
    OtherAgency,
    /// Something recorded forbids that anything be erased.
    #[error("legal hold {hold} stands as entry {entry}: nothing is erased while one does")]
    Held {
        /// The hold.
        hold: RecordId,
        /// Its entry.
        entry: LeafIndex,
    },
    /// Officers' own keys and signatures.
    #[error(transparent)]
    Signature(#[from] SignatureFault),
    /// Another rule of the record's own.
    #[error("{0}")]
    Invalid(&'static str),
}

impl Facts {
    /// Whether `actor` may record `record` next, and whether everything it refers to is there.
    ///
    /// # Errors
    /// The first thing that stands against it.
    pub fn check(&self, actor: &PrincipalId, record: &Record) -> Result<(), Refusal> {
        self.check_role(actor, record)?;
        self.check_approvers(actor, record)?;
        self.check_supersedes(record)?;
        self.check_references(record)?;
        if let Record::CredentialLinked(r) = record {
            self.check_login(actor, r)?;
        }
        self.check_case(actor, record)?;
        self.check_preclearance(actor, record)?;
        self.check_duty(record)
    }

    fn check_role(&self, actor: &PrincipalId, record: &Record) -> Result<(), Refusal> {
        let principal = self.principal(actor).filter(|p| !p.record.disabled);
        if principal.is_some_and(|p| roles::may_record(&p.record.roles, record)) || !self.bootstrapped() {
            Ok(())
        } else if principal.is_none() {
            Err(Refusal::UnknownPrincipal(actor.clone()))
        } else {
            let what = match record {
                Record::GrantTransition(t) => format!("{} to {:?}", record.type_name(), t.to),
                _ => record.type_name().to_owned(),
            };
            Err(Refusal::Role { actor: actor.clone(), what })
        }
    }

    /// Keys change, entries are redacted and vouchers are made under dual control: two approvers of this ledger, two people, neither of them the actor (NIST SP 800-53 AU-9(5), SC-12).
    fn check_approvers(&self, actor: &PrincipalId, record: &Record) -> Result<(), Refusal> {
        let Some((approvers, _)) = approvals(record) else { return Ok(()) };
        let mut people = BTreeSet::from([self.principal(actor).and_then(|p| p.record.person.clone())]);
        for approver in approvers {
            let known = self.principal(approver).filter(|p| !p.record.disabled && p.record.roles.contains(&Role::Approver));
            let Some(known) = known else { return Err(Refusal::Invalid("an approver is not one of this ledger's, or is disabled")) };
            if approver == actor || !people.insert(known.record.person.clone()) {
                return Err(Refusal::Invalid("approvers are different people, and none of them the one who asks"));
            }
        }
        // Whoever opens access in an emergency has one approver with them; everything else here has two.
        match (record, approvers.len()) {
            (Record::EmergencyUse(_), 0) => Err(Refusal::Invalid("whoever opened access together with the one who tells is named")),
            (Record::EmergencyUse(_), _) | (_, 2..) => Ok(()),
            _ => Err(Refusal::Invalid("two approvers are needed")),
        }
    }

    fn check_supersedes(&self, record: &Record) -> Result<(), Refusal> {
        if let (Record::AccessEvent(_), Some(named)) = (record, record.supersedes()) {
            let stale = Refusal::Stale { what: record.type_name(), id: String::new(), named, current: None };
            return if self.is_access(named) { Ok(()) } else { Err(stale) };
        }
        let Some(id) = record.entity() else { return Ok(()) };
        let (what, id) = (record.type_name(), id.to_owned());
        match (self.current(record), record.supersedes()) {
            (None, None) => Ok(()),
            (Some(current), None) => Err(Refusal::Exists { what, id, current }),
            (current, Some(named)) if current == Some(named) => Ok(()),
            (current, Some(named)) => Err(Refusal::Stale { what, id, named, current }),
        }
    }

    /// The entry that holds the newest record of this one's type and id.
    pub fn current(&self, record: &Record) -> Option<LeafIndex> {
        match record {
            Record::Organization(r) => self.organization(&r.id).map(|k| k.index),
            Record::Person(r) => self.person(&r.id).map(|k| k.index),
            Record::Principal(r) => self.principal(&r.id).map(|k| k.index),
            Record::Credential(r) => self.credential(&r.id).map(|k| k.index),
            Record::Identifier(r) => self.identifier(&r.id).map(|k| k.index),
            Record::Relationship(r) => self.relationship(&r.id).map(|k| k.index),
            Record::Provider(r) => self.provider(&r.id).map(|k| k.index),
            Record::Model(r) => self.model(&r.id).map(|k| k.index),
            Record::Issuer(r) => self.issuer(&r.id).map(|k| k.index),
            Record::Exposure(r) => self.exposure(&r.id).map(|k| k.index),
            Record::Submission(r) => self.submission(&r.id).map(|k| k.index),
            Record::Agreement(r) => self.agreement(&r.id).map(|k| k.index),
            Record::Recusal(r) => self.recusal(&r.id).map(|k| k.index),
            Record::List(r) => self.list(&r.id).map(|k| k.index),
            Record::ListItem(r) => self.item(&r.id).map(|k| k.index),
            Record::Policy(r) => self.policies.iter().rev().find(|p| p.record.id == r.id).map(|k| k.index),
            Record::Holding(r) => self.holding(&r.id).map(|k| k.index),
            Record::Trade(r) => self.trade(&r.id).map(|k| k.index),
            Record::Import(r) => self.import(&r.id).map(|k| k.index),
            Record::MatchDecision(r) => self.match_decision(&r.id).map(|k| k.index),
            Record::Filer(r) => self.filer(&r.id).map(|k| k.index),
            Record::LegalHold(r) => self.legal_holds.get(&r.id).map(|k| k.index),
            other => self.others.get(&(other.type_name(), other.entity()?.to_owned())).copied(),
        }
    }

    fn check_references(&self, record: &Record) -> Result<(), Refusal> {
        let need = |known: bool, what, id: &dyn ToString| if known { Ok(()) } else { Err(Refusal::Unknown { what, id: id.to_string() }) };
        match record {
            Record::Organization(r) => match &r.parent {
                Some(p) => need(self.organizations.contains_key(p), "organization", p),
                None => Ok(()),
            },
            Record::Person(r) => need(self.organizations.contains_key(&r.organization), "organization", &r.organization),
            Record::Principal(r) => match &r.person {
                Some(p) => need(self.persons.contains_key(p), "person", p),
                None => Ok(()),
            },
            Record::Credential(r) => {
                need(self.persons.contains_key(&r.person), "person", &r.person)?;
                self.check_credential(r)
            }
            Record::CredentialLinked(r) => need(self.principals.contains_key(&r.principal), "principal", &r.principal),
            Record::CredentialRevoked(r) => need(self.login(&r.id).is_some_and(|l| self.stands(&l.record)), "linked credential", &r.id),
            Record::Exposure(r) => {
                if !matches!(r.to, Node::Issuer(_) | Node::Host(_)) {
                    return Err(Refusal::Invalid("an exposure ends at an issuer or a host"));
                }
                self.check_node(&r.from)?;
                self.check_node(&r.to)
            }
            Record::Model(r) => need(self.providers.contains_key(&r.provider), "provider", &r.provider),
            Record::Submission(r) => {
                need(self.providers.contains_key(&r.provider), "provider", &r.provider)?;
                r.model.as_ref().map_or(Ok(()), |m| need(self.models.contains_key(m), "model", m))
            }
            Record::Agreement(r) => {
                if r.kind == AgreementKind::DestructionCertificate && r.submission.is_none() {
                    return Err(Refusal::Invalid("a certificate of destruction says of which submission"));
                }
                need(self.persons.contains_key(&r.person), "person", &r.person)?;
                r.submission.as_ref().map_or(Ok(()), |s| need(self.submissions.contains_key(s), "submission", s))
            }
            Record::Recusal(r) => {
                need(self.persons.contains_key(&r.person), "person", &r.person)?;
                self.check_scope(&r.scope)
            }
            Record::List(r) => self.check_binds(r),
            Record::ListItem(r) => {
                let list = self.list(&r.list).ok_or_else(|| Refusal::Unknown { what: "list", id: r.list.to_string() })?;
                if list.record.kind == ListKind::ProhibitedHolding && !matches!(r.subject, RecusalScope::Issuer(_)) {
                    return Err(Refusal::Invalid("what may not be held is an issuer's: the item names issuer:ID"));
                }
                self.check_scope(&r.subject)
            }
            Record::GrantRequest(r) => {
                need(self.persons.contains_key(&r.person), "person", &r.person)?;
                need(self.submissions.contains_key(&r.submission), "submission", &r.submission)
            }
            Record::GrantTransition(r) => self.check_move(r.grant, r.to),
            Record::Holding(r) => {
                need(self.persons.contains_key(&r.person), "person", &r.person)?;
                self.check_issuer(r.instrument.issuer.as_ref())
            }
            Record::Trade(r) => {
                need(self.persons.contains_key(&r.person), "person", &r.person)?;
                self.check_issuer(r.instrument.issuer.as_ref())
            }
            Record::Relationship(r) => {
                need(self.persons.contains_key(&r.person), "person", &r.person)?;
                if let Some(o) = &r.organization {
                    need(self.organizations.contains_key(o), "organization", o)?;
                }
                self.check_issuer(r.issuer.as_ref())
            }
            Record::OfficerEnrolled(r) => {
                let person = self.principal(&r.principal).and_then(|p| p.record.person.as_ref());
                need(person.is_some(), "principal of a person", &r.principal)
            }
            Record::Filer(r) => need(self.persons.contains_key(&r.person), "person", &r.person),
            Record::DutyEvent(r) => need(self.persons.contains_key(&r.person), "person", &r.person),
            Record::MatchDecision(r) => self.check_issuer(r.issuer.as_ref()),
            Record::Identifier(r) => self.check_issuer(Some(&r.issuer)),
            Record::Vulnerability(r) => r.vendor.iter().chain(&r.affected).try_for_each(|i| self.check_issuer(Some(i))),
            Record::Designation(r) => need(self.submissions.contains_key(&r.submission), "submission", &r.submission),
            Record::Selection(r) => {
                need(self.organizations.contains_key(&r.organization), "organization", &r.organization)?;
                need(self.submissions.contains_key(&r.submission), "submission", &r.submission)
            }
            Record::RosterEntry(r) => {
                need(self.organizations.contains_key(&r.organization), "organization", &r.organization)?;
                need(self.persons.contains_key(&r.person), "person", &r.person)
            }
            Record::PreclearanceRequest(r) => {
                need(self.persons.contains_key(&r.person), "person", &r.person)?;
                self.check_issuer(r.instrument.issuer.as_ref())
            }
            Record::Correction(r) => need(r.target.0 < self.size, "entry", &r.target),
            // An access that happened is recorded whatever it refers to; what is wrong with it becomes a finding.
            _ => Ok(()),
        }
    }

    /// What may not be held says by what authority and whom it binds; no prohibition is made up (5 CFR 2635.403).
    fn check_binds(&self, list: &List) -> Result<(), Refusal> {
        match (list.kind, &list.authority, &list.binds) {
            (ListKind::ProhibitedHolding, Some(_), Some(Bound::Organization(id))) => {
                let known = self.organizations.contains_key(id);
                if known { Ok(()) } else { Err(Refusal::Unknown { what: "organization", id: id.to_string() }) }
            }
            (ListKind::ProhibitedHolding, Some(_), Some(Bound::Person(id))) => {
                if self.persons.contains_key(id) {
                    Ok(())
                } else {
                    Err(Refusal::Unknown { what: "person", id: id.to_string() })
                }
            }
            (ListKind::ProhibitedHolding, ..) => Err(Refusal::Invalid(
                "a list of prohibited holdings says by what authority, and whom it binds: organization:ID or person:ID",
            )),
            (_, _, None) => Ok(()),
            (_, _, Some(_)) => Err(Refusal::Invalid("a list of prohibited holdings alone says whom it binds")),
        }
    }

    /// One account is one person's at a time: whom its accesses are told of must not be chance.
    fn check_credential(&self, credential: &Credential) -> Result<(), Refusal> {
        let others = self.credentials_of.get(&account(credential)).into_iter().flatten().filter(|id| **id != credential.id);
        let clash =
            others.filter_map(|id| self.credential(id)).any(|k| k.record.person != credential.person && k.record.overlaps(credential));
        if clash { Err(Refusal::Invalid("the account is another person's on some of the same days")) } else { Ok(()) }
    }

    fn check_issuer(&self, issuer: Option<&IssuerId>) -> Result<(), Refusal> {
        match issuer {
            Some(id) if !self.issuers.contains_key(id) => Err(Refusal::Unknown { what: "issuer", id: id.to_string() }),
            _ => Ok(()),
        }
    }

    /// A host needs no record of its own.
    fn check_node(&self, node: &Node) -> Result<(), Refusal> {
        let (known, what) = match node {
            Node::Submission(id) => (self.submissions.contains_key(id), "submission"),
            Node::Model(id) => (self.models.contains_key(id), "model"),
            Node::Provider(id) => (self.providers.contains_key(id), "provider"),
            Node::Issuer(id) => (self.issuers.contains_key(id), "issuer"),
            Node::Host(_) => (true, "host"),
        };
        if known { Ok(()) } else { Err(Refusal::Unknown { what, id: node.to_string() }) }
    }

    fn check_scope(&self, scope: &RecusalScope) -> Result<(), Refusal> {
        let (known, what) = match scope {
            RecusalScope::Provider(id) => (self.providers.contains_key(id), "provider"),
            RecusalScope::Issuer(id) => (self.issuers.contains_key(id), "issuer"),
            RecusalScope::Submission(id) => (self.submissions.contains_key(id), "submission"),
        };
        if known { Ok(()) } else { Err(Refusal::Unknown { what, id: scope.to_string() }) }
    }

    /// A waiver or an authorization is on record before the person takes part; what is to be given up was directed or promised.
    fn check_paper(&self, grant: &Grant, to: GrantState) -> Result<(), Refusal> {
        let (person, submission) = (&grant.request.person, &grant.request.submission);
        let signed = |kind: AgreementKind| {
            let of = self.agreements_of.get(person).into_iter().flatten().filter_map(|id| self.agreement(id)).map(|k| &k.record);
            let first = self.first_access.get(person).and_then(|of| of.get(submission)).map(|(at, _)| *at);
            let covers = |a: &Agreement| a.kind == kind && a.submission.as_ref().is_none_or(|s| s == submission);
            of.into_iter().any(|a| covers(a) && first.is_none_or(|first| a.signed_at <= first))
        };
        let met = match to {
            GrantState::Waived => signed(AgreementKind::Waiver208),
            GrantState::Authorized502 => signed(AgreementKind::Authorization502),
            GrantState::Divesting => self.divestiture_due(person).is_some(),
            _ => true,
        };
        match to {
            _ if met => Ok(()),
            GrantState::Waived => Err(Refusal::Invalid(
                "a waiver under 18 U.S.C. 208(b) is recorded first, signed before the person had access (5 CFR 2640.301)",
            )),
            GrantState::Authorized502 => {
                Err(Refusal::Invalid("an authorization under 5 CFR 2635.502(d) is recorded first, signed before the person had access"))
            }
            _ => Err(Refusal::Invalid("the direction to divest, or the agreement to, is recorded first: countersign duty")),
        }
    }

    fn check_move(&self, index: LeafIndex, to: GrantState) -> Result<(), Refusal> {
        let grant = self.grant(index).ok_or_else(|| Refusal::Unknown { what: "grant", id: index.to_string() })?;
        if !grants::move_exists(grant.state, to) {
            return Err(Refusal::Move { grant: index, from: grant.state, to });
        }
        self.check_paper(grant, to)?;
        if to == GrantState::Recused && grant.request.needs_participation {
            return Err(Refusal::Invalid(
                "the duty needs participation, so access without participation is no use: deny it or change the duty",
            ));
        }
        Ok(())
    }
}
