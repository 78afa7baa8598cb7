//! Credentials that stand for principals over the network: who may link one, and for whom it stands on a day.

use countersign_entry::ids::{Date, PrincipalId, RecordId};
use countersign_entry::record::{CredentialKind, CredentialLinked, Principal, Role};

use crate::check::Refusal;
use crate::facts::{Account, Facts, Known};

pub(crate) fn login_account(c: &CredentialLinked) -> Account {
    (c.kind, c.issuer.to_string(), c.subject.to_string())
}

/// Whether a principal with these roles may come by a key, which whoever finds it can show: one that does nothing but append accesses, or tell who
/// serves where.
pub fn holds_keys(roles: &[Role]) -> bool {
    matches!(roles, [Role::Gateway | Role::Provisioner])
}

impl Facts {
    /// The principal that a credential stands for on a day: linked, not revoked, not past its last day, and the principal not disabled.
    pub fn principal_of_login(
        &self,
        kind: CredentialKind,
        issuer: &str,
        subject: &str,
        on: &Date,
    ) -> Option<(&Known<CredentialLinked>, &Known<Principal>)> {
        let id = self.logins_of.get(&(kind, issuer.to_owned(), subject.to_owned()))?;
        self.standing_login(id, on)
    }

    /// As [`Facts::principal_of_login`], by the credential's own id.
    pub fn standing_login(&self, id: &RecordId, on: &Date) -> Option<(&Known<CredentialLinked>, &Known<Principal>)> {
        let linked = self.logins.get(id).filter(|l| self.stands(&l.record))?;
        let principal = self.principals.get(&linked.record.principal).filter(|p| !p.record.disabled)?;
        linked.record.valid_to.as_ref().is_none_or(|to| on <= to).then_some((linked, principal))
    }

    /// Whether a linked credential was not revoked.
    pub fn stands(&self, linked: &CredentialLinked) -> bool {
        self.logins_of.get(&login_account(linked)) == Some(&linked.id)
    }

    /// A credential stands for one principal, and three people stand behind that: who links it, who looked at the evidence, and whose it is
    /// (NIST SP 800-53 IA-5(12), AC-5). A key of an interface is a program's and no person's.
    pub(crate) fn check_login(&self, actor: &PrincipalId, linked: &CredentialLinked) -> Result<(), Refusal> {
        use CredentialKind::{ApiKey, Cac, Certificate, Oidc, Piv};
        let is_key = linked.kind == ApiKey;
        if !matches!(linked.kind, ApiKey | Cac | Certificate | Oidc | Piv) {
            return Err(Refusal::Invalid("only piv, cac, certificate, oidc and api_key let somebody act"));
        }
        if is_key != linked.secret_hash.is_some() || (is_key && linked.subject.as_str() != linked.id.as_str()) {
            return Err(Refusal::Invalid("an api_key, and nothing else, has a secret_hash, and its subject is its id"));
        }
        if let Some(known) = self.login(&linked.id) {
            return Err(Refusal::Exists { what: "credential.linked", id: linked.id.to_string(), current: known.index });
        }
        if self.logins_of.contains_key(&login_account(linked)) {
            return Err(Refusal::Invalid("the credential stands for a principal already: revoke that first"));
        }
        let person = |id: &PrincipalId| self.principal(id).and_then(|p| p.record.person.clone());
        let holder = self.principal(&linked.principal);
        if is_key && holder.is_none_or(|p| !holds_keys(&p.record.roles)) {
            return Err(Refusal::Invalid("an api_key is for a principal that is a gateway, or a provisioner, and nothing else"));
        }
        let approver = self.principal(&linked.approver).filter(|p| !p.record.disabled && p.record.roles.contains(&Role::Approver));
        let Some(approver) = approver.and_then(|p| p.record.person.clone()) else {
            return Err(Refusal::Invalid("the approver is not one of this ledger's, or is disabled"));
        };
        if linked.approver == *actor || Some(&approver) == person(actor).as_ref() || Some(&approver) == person(&linked.principal).as_ref() {
            return Err(Refusal::Invalid("the approver is neither who asks nor whom the credential stands for"));
        }
        Ok(())
    }
}
