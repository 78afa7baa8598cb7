//! Who is asking: from what somebody shows to a principal of the ledger, by what the ledger's entries link. What is not linked is nobody, and what is
//! linked to two is nobody either.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::{HeaderMap, HeaderValue, header};
use countersign_conflict::{Facts, holds_keys};
use countersign_entry::ids::{Date, Hash32, OrganizationId, PersonId, PrincipalId};
use countersign_entry::record::{CredentialKind, Person, PersonStatus, Principal, Record, Role};
use countersign_entry::time::Micros;
use countersign_ledger::{AppendError, Receipt};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::certificate::Name;
use crate::oidc::{Nobody, Providers};
use crate::tls::{Card, Standing};

/// Somebody the ledger knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The account.
    pub principal: PrincipalId,
    /// The person behind it, where one is.
    pub person: Option<PersonId>,
    /// Where that person serves.
    pub organization: Option<OrganizationId>,
    /// Whether they serve in the organization that keeps the ledger.
    pub keeps: bool,
    /// What the account may do.
    pub roles: Vec<Role>,
}

/// What a connection shows.
#[derive(Debug)]
pub enum Shown {
    /// No certificate.
    Nothing,
    /// A certificate.
    Certificate(Card),
}

impl Shown {
    /// By what somebody means to be known, in a word for the log; whether it holds is another question.
    pub fn by(&self, headers: &HeaderMap) -> &'static str {
        let sent = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
        match (self, sent) {
            (_, Some(sent)) if sent.starts_with(b"Bearer csk_") => "key",
            (_, Some(_)) => "token",
            (Self::Certificate(_), None) => "certificate",
            (Self::Nothing, None) => "nothing",
        }
    }
}

#[derive(Debug, Clone)]
struct Login {
    caller: Arc<Caller>,
    secret_hash: Option<Hash32>,
    valid_to: Option<Date>,
}

/// What somebody is held against.
#[derive(Clone, Copy)]
pub struct By<'a> {
    /// The ledger's origin, which keys are keys of.
    pub origin: &'a str,
    /// What the clock says.
    pub now: Micros,
    /// Whose tokens are taken.
    pub providers: &'a Providers,
}

/// Credentials that stand, and for whom, as of some entry.
#[derive(Debug, Default)]
pub struct Logins {
    accounts: HashMap<Name, Login>,
    os_users: HashMap<String, Arc<Caller>>,
}

impl Logins {
    /// Those the facts know.
    pub fn of(facts: &Facts) -> Self {
        let callers: HashMap<&PrincipalId, Arc<Caller>> =
            facts.principals().filter(|p| may_act(facts, &p.record)).map(|p| (&p.record.id, Arc::new(caller(facts, &p.record)))).collect();
        let mut logins = Self::default();
        for linked in facts.logins().map(|l| &l.record).filter(|l| facts.stands(l)) {
            let Some(caller) = callers.get(&linked.principal).cloned() else { continue };
            let name = Name { kind: linked.kind, issuer: linked.issuer.to_string(), subject: linked.subject.to_string() };
            logins.accounts.insert(name, Login { caller, secret_hash: linked.secret_hash, valid_to: linked.valid_to.clone() });
        }
        let users = facts.principals().filter_map(|p| Some((p.record.os_user.as_ref()?.to_string(), callers.get(&p.record.id)?.clone())));
        logins.os_users = users.collect();
        logins
    }

    fn login(&self, name: &Name, today: &Date) -> Option<&Login> {
        let login = self.accounts.get(name)?;
        login.valid_to.as_ref().is_none_or(|to| today <= to).then_some(login)
    }

    /// The principal of an operating system's user.
    pub fn of_os_user(&self, uid: u32) -> Option<Arc<Caller>> {
        self.os_users.get(&format!("uid:{uid}")).cloned()
    }

    /// Who asks; `None` where nothing was shown at all.
    ///
    /// # Errors
    /// Something was shown that stands for nobody, or two things that stand for different principals; or a token whose key is not known.
    pub fn who(&self, shown: &Shown, headers: &HeaderMap, by: By<'_>) -> Result<Option<Arc<Caller>>, Nobody> {
        let today = Date::of(by.now);
        let mut found: Vec<Arc<Caller>> = Vec::new();
        match shown {
            Shown::Nothing => {}
            Shown::Certificate(card) => {
                match card.standing() {
                    Standing::Holds => {}
                    Standing::Void => return Err(Nobody::No),
                    Standing::Unknown => return Err(Nobody::Unchecked),
                }
                found.extend(card.names.iter().filter_map(|name| self.login(name, &today)).map(|l| Arc::clone(&l.caller)));
                if found.is_empty() {
                    return Err(Nobody::No);
                }
            }
        }
        let mut sent = headers.get_all(header::AUTHORIZATION).iter();
        if let Some(value) = sent.next() {
            let bearer = value.to_str().ok().and_then(|v| v.strip_prefix("Bearer ")).filter(|_| sent.next().is_none());
            found.push(self.bearer(bearer.ok_or(Nobody::No)?, shown, by, &today)?);
        }
        let mut found = found.into_iter();
        let Some(first) = found.next() else { return Ok(None) };
        if found.all(|other| other == first) { Ok(Some(first)) } else { Err(Nobody::No) }
    }

    /// A key of the interface, or a provider's token.
    fn bearer(&self, text: &str, shown: &Shown, by: By<'_>, today: &Date) -> Result<Arc<Caller>, Nobody> {
        if let Some(key) = Key::parse(text) {
            return self.key(&key, by.origin, today).ok_or(Nobody::No);
        }
        let (account, bound) = by.providers.account(text, by.now)?;
        // Whoever took it from the one it was given to has not got their key.
        let shows = if let Shown::Certificate(card) = shown { card.thumbprint() } else { None };
        if bound.is_some() && bound != shows {
            return Err(Nobody::No);
        }
        let name = Name { kind: CredentialKind::Oidc, issuer: account.issuer, subject: account.subject };
        let login = self.login(&name, today);
        login.map(|login| Arc::clone(&login.caller)).ok_or(Nobody::No)
    }

    fn key(&self, key: &Key<'_>, origin: &str, today: &Date) -> Option<Arc<Caller>> {
        let name = Name { kind: CredentialKind::ApiKey, issuer: origin.to_owned(), subject: key.id.to_owned() };
        let login = self.login(&name, today)?;
        let hash: [u8; 32] = Sha256::digest(key.secret.as_slice()).into();
        let same: bool = login.secret_hash?.0.ct_eq(&hash).into();
        // The table of records holds to this; a key is never more than that, whatever a record says.
        (same && holds_keys(&login.caller.roles)).then(|| Arc::clone(&login.caller))
    }
}

/// Whether an account is anybody's who serves: it is not disabled, and its person has not left (NIST SP 800-53 PS-4).
fn may_act(facts: &Facts, principal: &Principal) -> bool {
    let former = |p: &countersign_conflict::Known<Person>| p.record.status == PersonStatus::Former;
    !principal.disabled && !principal.person.as_ref().and_then(|id| facts.person(id)).is_some_and(former)
}

fn caller(facts: &Facts, principal: &Principal) -> Caller {
    let person = principal.person.as_ref().and_then(|id| facts.person(id));
    let organization = person.map(|p| p.record.organization.clone());
    Caller {
        principal: principal.id.clone(),
        person: principal.person.clone(),
        keeps: facts.keeps(organization.as_ref()),
        organization,
        roles: principal.roles.clone(),
    }
}

/// A key of the interface: `csk_`, 32 random bytes in hex, `_`, the credential's id.
struct Key<'a> {
    id: &'a str,
    secret: Zeroizing<[u8; 32]>,
}

impl<'a> Key<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (hex, id) = text.strip_prefix("csk_")?.split_once('_')?;
        let mut secret = Zeroizing::new([0; 32]);
        hex::decode_to_slice(hex, secret.as_mut_slice()).ok()?;
        Some(Self { id, secret })
    }
}

/// The text of a key, to be handed out once.
pub fn key_text(id: &str, secret: &[u8; 32]) -> String {
    format!("csk_{}_{id}", hex::encode(secret))
}

/// What is kept of a key.
pub fn key_hash(secret: &[u8; 32]) -> Hash32 {
    Hash32(Sha256::digest(secret).into())
}

/// The logins as they stand, read again after whatever may change them.
#[derive(Default)]
pub struct Known {
    version: AtomicU64,
    kept: Mutex<Option<(u64, Arc<Logins>)>>,
    /// Whoever reads them anew: one does for all who ask.
    pub(crate) reading: tokio::sync::Mutex<()>,
}

impl Known {
    /// What is kept, if nothing changed it since; else which version is to be read anew.
    pub fn current(&self) -> Result<Arc<Logins>, u64> {
        let version = self.version.load(Ordering::SeqCst);
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some((of, logins)) if *of == version => Ok(Arc::clone(logins)),
            _ => Err(version),
        }
    }

    /// Keeps what was read after `version` was asked for. If something changed meanwhile, it is read again by the next who asks.
    pub fn keep(&self, version: u64, logins: Arc<Logins>) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some((version, logins));
    }

    /// Has them read anew by the next who asks.
    pub fn forget(&self) {
        self.version.fetch_add(1, Ordering::SeqCst);
    }

    /// Looks at what was recorded before anybody hears of it, so that a revocation that was acknowledged holds for whatever is asked from then on.
    pub fn heed(&self, answer: &Result<Receipt, AppendError>) {
        let changes = match answer {
            Ok(receipt) => matches!(
                receipt.record,
                Record::Principal(_)
                    | Record::CredentialLinked(_)
                    | Record::CredentialRevoked(_)
                    | Record::Person(_)
                    | Record::Organization(_)
            ),
            Err(e) => matches!(e, AppendError::Unknown(_)),
        };
        if changes {
            self.forget();
        }
    }
}
