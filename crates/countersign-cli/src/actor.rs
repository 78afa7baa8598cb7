//! Who acts: the principal of the operating system's user who runs the program, never what a flag says.

use std::path::Path;

use countersign_api::view::Eyes;
use countersign_conflict::Facts;
use countersign_entry::ids::PrincipalId;
use countersign_entry::record::Role;
use countersign_entry::time::Micros;

use crate::failure::Failure;

/// The principal behind this process.
#[derive(Debug, Clone)]
pub(crate) struct Actor {
    /// Its id.
    pub(crate) id: PrincipalId,
    /// In whose eyes it looks at records, and what it may do.
    pub(crate) eyes: Eyes,
    /// Whether it is an inspector who asks and names no inquiry.
    pub(crate) names_none: bool,
}

/// The operating system's user as records name it: `uid:1000`. The real one, so that a set-uid program does not act as its owner.
pub(crate) fn os_user() -> String {
    format!("uid:{}", uid())
}

fn uid() -> u32 {
    rustix::process::getuid().as_raw()
}

/// The login name of the user, for a first display name; their number where the machine does not know one.
pub(crate) fn login_name() -> String {
    let uid = uid().to_string();
    let named = |line: &str| {
        let mut fields = line.split(':');
        let (name, _, number) = (fields.next()?, fields.next()?, fields.next()?);
        (number == uid && !name.is_empty()).then(|| name.to_owned())
    };
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    users.lines().find_map(named).unwrap_or_else(|| format!("user {uid}"))
}

impl Actor {
    /// Looks the user up, if the ledger knows them.
    pub(crate) fn known(facts: &Facts, at: Micros) -> Option<Self> {
        let principal = &facts.principal_of_os_user(&os_user())?.record;
        let person = principal.person.as_ref().and_then(|id| facts.person(id));
        let organization = person.map(|known| known.record.organization.clone());
        Some(Self { id: principal.id.clone(), eyes: Eyes { roles: principal.roles.clone(), organization, at }, names_none: false })
    }

    /// Looks the user up.
    ///
    /// # Errors
    /// The ledger does not know them; the message says how it comes to.
    pub(crate) fn find(facts: &Facts, at: Micros, dir: &Path) -> Result<Self, Failure> {
        Self::known(facts, at).ok_or_else(|| {
            let (uid, dir) = (uid(), dir.display());
            Failure::Denied(format!(
                "uid {uid} has no principal in this ledger; an operator adds one: \
                 countersign principal add {dir} --os-user uid:{uid} --person P-… --role access_officer"
            ))
        })
    }

    /// The actor of a question that is recorded: there the inspector's role counts under an inquiry alone (5 U.S.C. 406(a)(1)).
    pub(crate) fn inquiring(mut self, names_one: bool) -> Self {
        self.names_none = !names_one && self.has(Role::InspectorGeneral);
        self.eyes.roles.retain(|role| names_one || *role != Role::InspectorGeneral);
        self
    }

    /// Whether the actor has a role.
    pub(crate) fn has(&self, role: Role) -> bool {
        self.eyes.roles.contains(&role)
    }

    /// Whether the actor may see why: rules, citations, evidence, watch lists, cases.
    pub(crate) fn is_ethics(&self) -> bool {
        self.has(Role::EthicsOfficer)
    }

    /// Whether nothing is hidden from the actor: the ethics role of whoever keeps the ledger.
    pub(crate) fn sees_all(&self, facts: &Facts) -> bool {
        self.is_ethics() && facts.keeps(self.eyes.organization.as_ref())
    }

    /// Refuses whoever may not see why.
    pub(crate) fn must_be_ethics(&self, what: &str) -> Result<(), Failure> {
        self.must_have(&[Role::EthicsOfficer], || format!("{what} is for the ethics role (ethics_officer) alone"))
    }

    /// Refuses accounts that only append, or only stand for a person on record: they read nothing.
    pub(crate) fn must_read(&self) -> Result<(), Failure> {
        let readers = [Role::Operator, Role::AccessOfficer, Role::Approver, Role::EthicsOfficer, Role::InspectorGeneral];
        self.must_have(&readers, || format!("principal {} has no role that may read the ledger; an operator can give it one", self.id))
    }

    /// Refuses whoever has none of these roles, and says why.
    pub(crate) fn must_have(&self, roles: &[Role], why: impl FnOnce() -> String) -> Result<(), Failure> {
        if roles.iter().any(|role| self.has(*role)) {
            return Ok(());
        }
        let inquiry = self.names_none && roles.contains(&Role::InspectorGeneral);
        Err(Failure::Denied(if inquiry { "name the inquiry you read this under, with --inquiry".into() } else { why() }))
    }
}
