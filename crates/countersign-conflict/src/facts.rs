//! What the ledger knows at an index. `apply` is the only way in; recovery, replay and the sequencer all use it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use countersign_entry::ids::{
    Date, IssuerId, LeafIndex, Line, ModelId, OrganizationId, PersonId, PrincipalId, ProviderId, RecordId, SubmissionId,
};
use countersign_entry::record::{
    Agreement, CaseOpened, Credential, CredentialKind, CredentialLinked, DutyEvent, DutyKind, Exposure, Filer, GrantRequest, GrantState,
    Holding, Identifier, Import, Issuer, LegalHold, List, ListItem, ListSubject, MarkingLevel, MatchDecision, Model, Node, Organization,
    Outcome, Person, PersonStatus, Policy, Principal, Provider, Record, Recusal, Relationship, Role, Submission, Trade,
};
use countersign_entry::time::Micros;
use serde::{Deserialize, Serialize};

use crate::cases::CaseFile;
use crate::emergency::Voucher;
use crate::follow::{Looking, NoneDueBefore, Reach};
use crate::logins::login_account;
use crate::names;
use crate::officers::Officers;
use crate::preclear::Preclearance;
use crate::touched::Remembered;

/// A record, with where and when it was recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Known<T> {
    /// Its entry.
    pub index: LeafIndex,
    /// When it was recorded.
    pub at: Micros,
    /// What it says.
    pub record: T,
}

/// A grant: its request and everything that became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    /// The request.
    pub request: GrantRequest,
    /// Who asked.
    pub requester: PrincipalId,
    /// When it was recorded.
    pub at: Micros,
    /// Where it stands.
    pub state: GrantState,
    /// The same, or, once only clocks run, the state before those: why access ended.
    pub because: GrantState,
    /// Who approved, in order.
    pub approvers: Vec<PrincipalId>,
    /// When it became what it is now.
    pub since: Micros,
    /// Times during which access was open: from, and until where it ended.
    pub open: Vec<(Micros, Option<Micros>)>,
    /// The verdicts it was last activated on: participate, hold, trade.
    pub basis: [Outcome; 3],
}

impl Grant {
    /// Whether access was open at a time, as far as is recorded now.
    pub fn open_at(&self, at: Micros) -> bool {
        at < self.request.expires_at && self.open.iter().any(|(from, until)| *from <= at && until.is_none_or(|until| at < until))
    }
}

/// Something found that has not become a case yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PendingFinding {
    /// When its case is due.
    pub due: Micros,
    /// The entry it was found in.
    pub finding: LeafIndex,
    /// Entries it rests on.
    pub evidence: Vec<LeafIndex>,
}

/// Entries a case lists at most; the finding itself always stands first.
pub const CASE_EVIDENCE_MAX: usize = 64;

/// What comes due at a time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Timer {
    /// A grant's own end, or its window's.
    Expire(LeafIndex),
    /// What was recorded ahead of its start takes effect, what was in force ends, or a feed that an import or a policy brought becomes too old.
    TakeEffect(LeafIndex, Reach),
    /// Access is over, and duties go on.
    Cool(LeafIndex),
    /// The duties that go on after access are over, but for those that never end.
    Close(LeafIndex),
    /// What was to be given up was not, by its day.
    Divest(LeafIndex),
}

/// Rule, person, submission where there is one, and a number where one case would not hold all the evidence.
pub(crate) type FindingKey = (&'static str, PersonId, Option<SubmissionId>, u32);
/// What a credential is known by to whoever gave it out: kind, issuer, subject.
pub(crate) type Account = (CredentialKind, String, String);

pub(crate) fn account(c: &Credential) -> Account {
    (c.kind, c.issuer.to_string(), c.subject.to_string())
}

type ById<K, T> = BTreeMap<K, Known<T>>;

/// Counts up whenever [`Facts::apply`] makes other facts of the same entries, so that facts kept by an older version are never taken up.
pub const FACTS_VERSION: u32 = 13;

/// Everything known before the next index.
///
/// Serialized they are for whoever can tell, without trusting the bytes, that they are the facts it wrote: facts decide.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    pub(crate) organizations: ById<OrganizationId, Organization>,
    /// The first organization recorded: the one that keeps the ledger.
    pub(crate) keeper: Option<OrganizationId>,
    pub(crate) persons: ById<PersonId, Person>,
    pub(crate) principals: ById<PrincipalId, Principal>,
    pub(crate) credentials: ById<RecordId, Credential>,
    pub(crate) credentials_of: BTreeMap<Account, BTreeSet<RecordId>>,
    /// Credentials that were ever linked to a principal.
    pub(crate) logins: ById<RecordId, CredentialLinked>,
    /// Those of them that stand, by what they are known by.
    pub(crate) logins_of: BTreeMap<Account, RecordId>,
    pub(crate) officers: Officers,
    pub(crate) providers: ById<ProviderId, Provider>,
    pub(crate) models: ById<ModelId, Model>,
    pub(crate) issuers: ById<IssuerId, Issuer>,
    /// Issuers by GICS sub-industry.
    pub(crate) issuers_in: BTreeMap<String, BTreeSet<IssuerId>>,
    pub(crate) exposures: ById<RecordId, Exposure>,
    pub(crate) exposures_from: BTreeMap<Node, BTreeSet<RecordId>>,
    pub(crate) submissions: ById<SubmissionId, Submission>,
    pub(crate) agreements: ById<RecordId, Agreement>,
    pub(crate) agreements_of: BTreeMap<PersonId, BTreeSet<RecordId>>,
    pub(crate) recusals: ById<RecordId, Recusal>,
    pub(crate) recusals_of: BTreeMap<PersonId, BTreeSet<RecordId>>,
    pub(crate) lists: ById<RecordId, List>,
    pub(crate) items: ById<RecordId, ListItem>,
    pub(crate) items_on: BTreeMap<ListSubject, BTreeSet<RecordId>>,
    pub(crate) grants: BTreeMap<LeafIndex, Grant>,
    pub(crate) grants_of: BTreeMap<PersonId, BTreeSet<LeafIndex>>,
    pub(crate) active_on: BTreeMap<SubmissionId, BTreeSet<LeafIndex>>,
    pub(crate) policies: Vec<Known<Policy>>,
    /// The last import of each importer, by its name without a version.
    pub(crate) feeds: BTreeMap<String, (Micros, LeafIndex)>,
    /// People who left, when, and what they were before.
    pub(crate) left: BTreeMap<PersonId, (Micros, PersonStatus)>,
    /// Grants after which duties go on.
    pub(crate) cooling: BTreeSet<LeafIndex>,
    pub(crate) identifiers: ById<RecordId, Identifier>,
    pub(crate) holdings: ById<RecordId, Holding>,
    pub(crate) holdings_of: BTreeMap<PersonId, BTreeSet<RecordId>>,
    pub(crate) relationships: ById<RecordId, Relationship>,
    pub(crate) ties_of: BTreeMap<PersonId, BTreeSet<RecordId>>,
    pub(crate) trades: ById<RecordId, Trade>,
    pub(crate) trades_of: BTreeMap<PersonId, BTreeSet<RecordId>>,
    pub(crate) trades_in: BTreeMap<IssuerId, BTreeSet<RecordId>>,
    /// First access of a person to a submission: when, as the source tells, and its entry.
    pub(crate) first_access: BTreeMap<PersonId, BTreeMap<SubmissionId, (Micros, LeafIndex)>>,
    pub(crate) people_of: BTreeMap<SubmissionId, BTreeSet<PersonId>>,
    /// Findings about trades that were made already: trade and submission. One is enough.
    pub(crate) trades_found: BTreeSet<(LeafIndex, SubmissionId)>,
    /// The same for trades in listed issuers: trade and list item.
    pub(crate) trades_listed: BTreeSet<(LeafIndex, LeafIndex)>,
    /// The same for trades that do not keep to what was cleared.
    pub(crate) trades_not_cleared: BTreeSet<LeafIndex>,
    /// The same for what may not be held: a holding, tie or trade, and the list item, by their ids.
    pub(crate) prohibited_found: BTreeSet<(RecordId, RecordId)>,
    pub(crate) preclearances: BTreeMap<LeafIndex, Preclearance>,
    pub(crate) preclearances_of: BTreeMap<PersonId, BTreeSet<LeafIndex>>,
    /// Newest entries of records that no rule looks at, by type and id.
    #[serde(with = "names::types")]
    pub(crate) others: BTreeMap<(&'static str, String), LeafIndex>,
    pub(crate) imports: ById<RecordId, Import>,
    pub(crate) match_decisions: ById<RecordId, MatchDecision>,
    pub(crate) filers: ById<RecordId, Filer>,
    pub(crate) legal_holds: ById<RecordId, LegalHold>,
    /// What happened with each duty, in order.
    pub(crate) duty_events: BTreeMap<(PersonId, DutyKind, Date), Vec<Known<DutyEvent>>>,
    pub(crate) vouchers: BTreeMap<LeafIndex, Voucher>,
    pub(crate) cases: BTreeMap<LeafIndex, CaseOpened>,
    pub(crate) case_files: BTreeMap<LeafIndex, CaseFile>,
    #[serde(with = "names::findings")]
    pub(crate) pending: BTreeMap<FindingKey, PendingFinding>,
    pub(crate) watch_seen: BTreeSet<(PersonId, SubmissionId, LeafIndex)>,
    pub(crate) timers: BTreeSet<(Micros, Timer)>,
    /// One bit for each entry: whether it is an access event, so that a correction can be held to its kind in a bit an entry.
    pub(crate) accesses: Vec<u64>,
    /// The highest level that an access event or a designation is marked with by itself.
    pub(crate) level_marked: Option<MarkingLevel>,
    pub(crate) size: u64,
    /// Derived, and forgotten whenever it may be wrong.
    #[serde(skip)]
    pub(crate) touched: Remembered,
    /// Derived as well.
    #[serde(skip)]
    pub(crate) looking: Looking,
    /// Derived as well.
    #[serde(skip)]
    pub(crate) none_due_before: NoneDueBefore,
}

macro_rules! lookups {
    ($($(#[$doc:meta])* $one:ident, $all:ident, $after:ident, $map:ident: $key:ty => $value:ty;)*) => {
        impl Facts {
            $(
                $(#[$doc])*
                pub fn $one(&self, id: &$key) -> Option<&Known<$value>> {
                    self.$map.get(id)
                }
                /// All of them, by id, in their newest form.
                pub fn $all(&self) -> impl Iterator<Item = &Known<$value>> {
                    self.$map.values()
                }
                /// Those whose ids come after one, by id, in their newest form.
                pub fn $after<'a>(&'a self, id: Option<&$key>) -> impl Iterator<Item = &'a Known<$value>> + use<'a> {
                    self.$map.range((id.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded)).map(|(_, known)| known)
                }
            )*
        }
    };
}

lookups! {
    /// The organization with this id.
    organization, organizations, organizations_after, organizations: OrganizationId => Organization;
    /// The person with this id.
    person, persons, persons_after, persons: PersonId => Person;
    /// The principal with this id.
    principal, principals, principals_after, principals: PrincipalId => Principal;
    /// The credential with this id.
    credential, credentials, credentials_after, credentials: RecordId => Credential;
    /// The credential that was linked to a principal under this id, whether or not it still stands.
    login, logins, logins_after, logins: RecordId => CredentialLinked;
    /// The provider with this id.
    provider, providers, providers_after, providers: ProviderId => Provider;
    /// The model with this id.
    model, models, models_after, models: ModelId => Model;
    /// The issuer with this id.
    issuer, issuers, issuers_after, issuers: IssuerId => Issuer;
    /// The exposure edge with this id.
    exposure, exposures, exposures_after, exposures: RecordId => Exposure;
    /// The submission with this id.
    submission, submissions, submissions_after, submissions: SubmissionId => Submission;
    /// The agreement with this id.
    agreement, agreements, agreements_after, agreements: RecordId => Agreement;
    /// The recusal with this id.
    recusal, recusals, recusals_after, recusals: RecordId => Recusal;
    /// The list with this id.
    list, lists, lists_after, lists: RecordId => List;
    /// The list item with this id.
    item, items, items_after, items: RecordId => ListItem;
    /// The identifier record with this id.
    identifier, identifiers, identifiers_after, identifiers: RecordId => Identifier;
    /// The holding with this id.
    holding, holdings, holdings_after, holdings: RecordId => Holding;
    /// The relationship with this id.
    relationship, relationships, relationships_after, relationships: RecordId => Relationship;
    /// The trade with this id.
    trade, trades, trades_after, trades: RecordId => Trade;
    /// The import with this id.
    import, imports, imports_after, imports: RecordId => Import;
    /// The match decision with this id.
    match_decision, match_decisions, match_decisions_after, match_decisions: RecordId => MatchDecision;
    /// The filing position with this id.
    filer, filers, filers_after, filers: RecordId => Filer;
}

impl Facts {
    /// Entries applied; the index the next one will have.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The grant with this name.
    pub fn grant(&self, index: LeafIndex) -> Option<&Grant> {
        self.grants.get(&index)
    }

    /// Every grant, in the order of the requests.
    pub fn grants(&self) -> impl Iterator<Item = (LeafIndex, &Grant)> {
        self.grants.iter().map(|(i, g)| (*i, g))
    }

    /// Credentials in their newest form that point from this account, ended ones too.
    pub fn credentials_at<'a>(
        &'a self,
        kind: CredentialKind,
        issuer: &str,
        subject: &str,
    ) -> impl Iterator<Item = &'a Known<Credential>> + use<'a> {
        let ids = self.credentials_of.get(&(kind, issuer.to_owned(), subject.to_owned())).into_iter().flatten();
        ids.filter_map(|id| self.credential(id))
    }

    /// When somebody left, and what they were until then.
    pub fn left(&self, person: &PersonId) -> Option<(Micros, PersonStatus)> {
        self.left.get(person).copied()
    }

    /// The case with this entry.
    pub fn case_at(&self, entry: LeafIndex) -> Option<&CaseOpened> {
        self.cases.get(&entry)
    }

    /// Cases, by their own entry.
    pub fn cases(&self) -> impl Iterator<Item = (LeafIndex, &CaseOpened)> {
        self.cases.iter().map(|(i, c)| (*i, c))
    }

    /// Findings that wait for the next opening of cases: rule, person, submission, finding.
    pub fn pending(&self) -> impl Iterator<Item = (&'static str, &PersonId, Option<&SubmissionId>, &PendingFinding)> {
        self.pending.iter().map(|((rule, person, submission, _), f)| (*rule, person, submission.as_ref(), f))
    }

    /// The policy in force at a time: the newest recorded whose effect has begun.
    pub fn policy(&self, at: Micros) -> Option<&Known<Policy>> {
        self.policies.iter().rev().find(|p| p.record.effective_from <= at)
    }

    /// The principal that acts for an operating system's user.
    pub fn principal_of_os_user(&self, os_user: &str) -> Option<&Known<Principal>> {
        self.principals.values().find(|p| !p.record.disabled && p.record.os_user.as_ref().is_some_and(|u| u.as_str() == os_user))
    }

    /// Whether a first operator has been recorded. Until then the ledger is being made and anybody who makes it may write.
    pub fn bootstrapped(&self) -> bool {
        self.principals.values().any(|p| p.record.roles.contains(&Role::Operator))
    }

    /// List items that name a subject and are in force at a time, with their lists.
    pub fn items_naming<'a>(&'a self, subject: &ListSubject, at: Micros) -> impl Iterator<Item = (&'a Known<ListItem>, &'a Known<List>)> {
        self.items_on
            .get(subject)
            .into_iter()
            .flatten()
            .filter_map(|id| self.items.get(id))
            .filter(move |item| in_force(item.record.from, item.record.until, at))
            .filter_map(|item| Some((item, self.lists.get(&item.record.list)?)))
    }

    /// Whether facts that were kept are these, replayed. Timers that ran out before the kept facts were settled and came to nothing are forgotten there
    /// when somebody asks what is due, whether or not an entry follows; everything else is the same to the last field.
    pub fn settled_as(mut self, mut kept: Facts, settled_at: Micros) -> bool {
        let (replayed, settled) = (std::mem::take(&mut self.timers), std::mem::take(&mut kept.timers));
        let run_out = |(when, _): &(Micros, Timer)| *when <= settled_at;
        self == kept && settled.is_subset(&replayed) && replayed.difference(&settled).all(run_out)
    }

    /// The highest level that an access event or a designation is marked with by itself, beside what its submission is.
    pub fn level_marked(&self) -> Option<MarkingLevel> {
        self.level_marked
    }

    /// Whether an entry is an access event.
    pub fn is_access(&self, index: LeafIndex) -> bool {
        usize::try_from(index.0 / 64).ok().and_then(|word| self.accesses.get(word)).is_some_and(|word| word >> (index.0 % 64) & 1 == 1)
    }

    /// Counts an entry in that nobody can read: what it said is no fact any more.
    pub fn pass(&mut self, index: LeafIndex) {
        self.size = index.0.saturating_add(1);
    }

    /// Takes one more entry in. The record has passed [`Facts::check`] or stands in a ledger already; what it does not refer to rightly is ignored,
    /// so that recovery and an inspector's replay always get through to the end.
    pub fn apply(&mut self, index: LeafIndex, at: Micros, actor: &PrincipalId, record: &Record) {
        self.size = index.0.saturating_add(1);
        if matches!(record, Record::Exposure(_) | Record::Submission(_) | Record::ListItem(_)) {
            self.touched.forget();
        }
        if !matches!(record, Record::GrantTransition(r) if r.to == GrantState::Suspended) {
            self.looking = Looking::default();
        }
        self.level_marked = self.level_marked.max(record.level());
        self.take_effect_later(index, record, at);
        macro_rules! keep {
            ($map:ident, $r:expr) => {
                self.$map.insert($r.id.clone(), Known { index, at, record: $r.clone() })
            };
        }
        match record {
            Record::Organization(r) => {
                self.keeper.get_or_insert_with(|| r.id.clone());
                drop(keep!(organizations, r));
            }
            Record::Person(r) => {
                let before = keep!(persons, r).map(|old| old.record.status);
                self.note_departure(r, before, at);
                self.look_at_interests_of(&r.id, at);
            }
            Record::Principal(r) => drop(keep!(principals, r)),
            Record::Credential(r) => {
                if let Some(old) = keep!(credentials, r) {
                    remove(&mut self.credentials_of, &account(&old.record), &r.id);
                }
                self.credentials_of.entry(account(r)).or_default().insert(r.id.clone());
            }
            Record::CredentialLinked(r) => {
                drop(keep!(logins, r));
                self.logins_of.insert(login_account(r), r.id.clone());
            }
            Record::CredentialRevoked(r) => self.logins_of.retain(|_, id| *id != r.id),
            Record::Provider(r) => drop(keep!(providers, r)),
            Record::Model(r) => drop(keep!(models, r)),
            Record::Issuer(r) => {
                let old = keep!(issuers, r).and_then(|old| old.record.sub_industry);
                if old != r.sub_industry {
                    self.change_industry(&r.id, old.as_ref().map(Line::as_str), r.sub_industry.as_ref().map(Line::as_str));
                    self.look_at_every_trade_in(&r.id, at);
                }
            }
            Record::List(r) => {
                drop(keep!(lists, r));
                self.look_at_trades_on_list(&r.id, at);
                self.look_at_interests_against(&r.id, at);
            }
            Record::Policy(r) => {
                self.policies.push(Known { index, at, record: r.clone() });
                self.await_feeds(r, index, at);
            }
            Record::Exposure(r) => {
                if let Some(old) = keep!(exposures, r) {
                    remove(&mut self.exposures_from, &old.record.from, &r.id);
                }
                self.exposures_from.entry(r.from.clone()).or_default().insert(r.id.clone());
                self.look_at_trades_behind(index, at);
            }
            Record::Submission(r) => {
                drop(keep!(submissions, r));
                self.look_at_trades_of_everybody(&r.id, at);
                self.await_closing(at, |grant| grant.request.submission == r.id);
                for grant in self.active_on.get(&r.id).into_iter().flatten() {
                    self.timers.insert((r.window.closes_at(), Timer::Expire(*grant)));
                }
            }
            Record::Agreement(r) => {
                if let Some(old) = keep!(agreements, r) {
                    remove(&mut self.agreements_of, &old.record.person, &r.id);
                }
                self.agreements_of.entry(r.person.clone()).or_default().insert(r.id.clone());
            }
            Record::Recusal(r) => {
                if let Some(old) = keep!(recusals, r) {
                    remove(&mut self.recusals_of, &old.record.person, &r.id);
                }
                self.recusals_of.entry(r.person.clone()).or_default().insert(r.id.clone());
            }
            Record::ListItem(r) => {
                if let Some(old) = keep!(items, r) {
                    remove(&mut self.items_on, &old.record.subject, &r.id);
                }
                self.items_on.entry(r.subject.clone()).or_default().insert(r.id.clone());
                self.look_at_trades_listed(&r.id, at);
                self.look_at_interests_against(&r.list, at);
            }
            Record::Identifier(r) => drop(keep!(identifiers, r)),
            Record::Holding(r) => {
                if let Some(old) = keep!(holdings, r) {
                    remove(&mut self.holdings_of, &old.record.person, &r.id);
                }
                self.holdings_of.entry(r.person.clone()).or_default().insert(r.id.clone());
                self.look_at_interest(record, at);
            }
            Record::Relationship(r) => {
                if let Some(old) = keep!(relationships, r) {
                    remove(&mut self.ties_of, &old.record.person, &r.id);
                }
                self.ties_of.entry(r.person.clone()).or_default().insert(r.id.clone());
                self.look_at_interest(record, at);
            }
            Record::Import(r) => {
                drop(keep!(imports, r));
                self.note_feed(r, index, at);
            }
            Record::MatchDecision(r) => drop(keep!(match_decisions, r)),
            Record::Filer(r) => drop(keep!(filers, r)),
            Record::DutyEvent(r) => self.apply_duty_event(Known { index, at, record: r.clone() }),
            Record::Trade(r) => {
                if let Some(old) = keep!(trades, r) {
                    remove(&mut self.trades_of, &old.record.person, &r.id);
                    if let Some(issuer) = &old.record.instrument.issuer {
                        remove(&mut self.trades_in, issuer, &r.id);
                    }
                }
                self.trades_of.entry(r.person.clone()).or_default().insert(r.id.clone());
                if let Some(issuer) = &r.instrument.issuer {
                    self.trades_in.entry(issuer.clone()).or_default().insert(r.id.clone());
                }
                self.look_at_trade(&r.id, at);
                self.look_at_interest(record, at);
            }
            Record::GrantRequest(r) => self.apply_request(index, at, actor, r),
            Record::GrantTransition(r) => self.apply_transition(at, actor, r),
            Record::AccessEvent(r) => {
                set_bit(&mut self.accesses, index.0);
                self.note_access(r, index, at);
                if let Some(a) = &r.assessment {
                    self.find_uncleared(&r.person, &r.submission, index, a, at);
                    self.find_watched(&r.person, &r.submission, index, &a.watch, at);
                }
            }
            Record::CaseOpened(c) => {
                self.no_longer_pending(c);
                self.cases.insert(index, c.clone());
                self.case_files.insert(index, CaseFile::new(at));
            }
            Record::CaseEvent(e) => self.apply_case_event(index, actor, e),
            Record::EmergencyVoucher(r) => self.apply_voucher(Known { index, at, record: r.clone() }),
            Record::EmergencyUse(r) => self.apply_use(index, at, r),
            Record::PreclearanceRequest(r) => self.apply_preclearance(index, at, actor, r),
            Record::PreclearanceDecision(d) => {
                if let Some(asked) = self.preclearances.get_mut(&d.preclearance) {
                    asked.decisions.push((index, at, d.cleared_until.clone()));
                }
            }
            Record::LegalHold(r) => {
                drop(keep!(legal_holds, r));
                self.apply_to_case(index, record);
            }
            other => {
                self.officers.take(index, other);
                self.apply_to_case(index, other);
                if let Some(id) = other.entity() {
                    self.others.insert((other.type_name(), id.to_owned()), index);
                }
            }
        }
    }
}

/// Whether `at` lies in `from..until`.
pub(crate) fn in_force(from: Micros, until: Option<Micros>, at: Micros) -> bool {
    from <= at && until.is_none_or(|until| at < until)
}

pub(crate) fn remove<K: Ord, V: Ord>(map: &mut BTreeMap<K, BTreeSet<V>>, key: &K, value: &V) {
    if let Some(set) = map.get_mut(key) {
        set.remove(value);
        if set.is_empty() {
            map.remove(key);
        }
    }
}

fn set_bit(words: &mut Vec<u64>, bit: u64) {
    let Ok(word) = usize::try_from(bit / 64) else { return };
    words.resize(words.len().max(word + 1), 0);
    if let Some(w) = words.get_mut(word) {
        *w |= 1 << (bit % 64);
    }
}
