//! A small furnished world, recorded exactly as a sequencer must: at each new time first what is due, then the decision, then what follows from it.

use core::fmt::Debug;
use core::str::FromStr;

use ciborium::Value;
use countersign_conflict::officers::By;
use countersign_conflict::replay::{Replay, ReplayFinding};
use countersign_conflict::{Facts, Refusal};
use countersign_entry::content::Meta;
use countersign_entry::ids::{Date, Hash32, LeafIndex};
use countersign_entry::record::*;
use countersign_entry::time::{DAY, Micros, Window};

/// When a scene begins: 2026-06-01T09:00:00Z. The furnished submission's window opened at midnight.
pub const START: &str = "2026-06-01T09:00:00Z";
/// One second, in microseconds.
pub const SECOND: u64 = 1_000_000;
/// One hour, in microseconds.
pub const HOUR: u64 = 3_600 * SECOND;

/// Keeps directory and policy.
pub const OPERATOR: &str = "pr-operator";
/// Requests and activates; [`OFFICER_PERSON`] stands behind it.
pub const OFFICER: &str = "pr-officer";
/// The first approver; a person stands behind it.
pub const APPROVER: &str = "pr-approver1";
/// The second approver; another person stands behind it.
pub const APPROVER_2: &str = "pr-approver2";
/// Keeps lists, recusals and agreements.
pub const ETHICS: &str = "pr-ethics";
/// Tells of accesses.
pub const GATEWAY: &str = "pr-gateway";
/// The ledger's own timers.
pub const SEQUENCER: &str = "pr-sequencer";
/// No such account.
pub const STRANGER: &str = "pr-stranger";

/// The civilian most tests are about, with every agreement signed.
pub const SUBJECT: &str = "P-subject";
/// Another civilian, with every agreement signed.
pub const OTHER: &str = "P-other";
/// The person behind [`OFFICER`].
pub const OFFICER_PERSON: &str = "P-officer";
/// The person behind [`APPROVER`].
pub const APPROVER_PERSON: &str = "P-approver1";
/// The person behind [`APPROVER_2`].
pub const APPROVER_2_PERSON: &str = "P-approver2";

/// The developer of [`SUBMISSION`]; confirmed to be [`LAB_ISSUER`].
pub const LAB: &str = "lab";
/// The issuer [`LAB`] is.
pub const LAB_ISSUER: &str = "cik-0000000001";
/// An issuer that holds equity in [`LAB`], as nobody has confirmed.
pub const INVESTOR: &str = "cik-0000000002";
/// An issuer nothing touches.
pub const FAR_ISSUER: &str = "cik-0000000003";
/// The submission most tests are about.
pub const SUBMISSION: &str = "S-0001";
/// A restricted list with an authority.
pub const RESTRICTED: &str = "restricted";
/// A restricted list nobody gave an authority.
pub const GREY: &str = "grey";
/// A watch list.
pub const WATCH: &str = "watch";

/// One recorded entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its position.
    pub index: u64,
    /// The four common fields.
    pub meta: Meta,
    /// What it says.
    pub record: Record,
}

/// Facts, the entries they come from, and a clock.
#[derive(Debug, Clone)]
pub struct Scene {
    facts: Facts,
    entries: Vec<Entry>,
    now: Micros,
    requests: u64,
}

impl Scene {
    /// Nothing recorded yet.
    pub fn empty() -> Self {
        Self { facts: Facts::default(), entries: Vec::new(), now: text(START), requests: 0 }
    }

    /// Policy, directory, accounts, exposures, lists, one submission with an open window, agreements signed.
    pub fn new() -> Self {
        let mut scene = Self::empty();
        for record in furniture() {
            scene.must(OPERATOR, record);
        }
        for person in [SUBJECT, OTHER, OFFICER_PERSON, APPROVER_PERSON, APPROVER_2_PERSON] {
            for kind in [AgreementKind::AccessTerms, AgreementKind::DutyNotice, AgreementKind::NoInterestCertification] {
                scene.must(ETHICS, agreement(person, kind));
            }
        }
        for list in lists() {
            scene.must(ETHICS, list);
        }
        scene
    }

    /// What is known now.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Everything recorded, in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The clock.
    pub fn now(&self) -> Micros {
        self.now
    }

    /// Moves the clock on; records nothing.
    pub fn advance(&mut self, micros: u64) -> &mut Self {
        self.now = self.now.plus(micros);
        self
    }

    /// Moves the clock to a time; records nothing.
    pub fn go_to(&mut self, at: Micros) -> &mut Self {
        self.now = self.now.max(at);
        self
    }

    /// The time the next entry gets: the clock's, and past every entry's.
    pub fn next_at(&self) -> Micros {
        self.entries.last().map_or(self.now, |last| self.now.max(Micros::EPOCH.plus(last.meta.at).plus(1)))
    }

    /// Records what is due, and says when the next entry would be recorded.
    pub fn settle(&mut self) -> Micros {
        loop {
            let at = self.next_at();
            let Some(record) = self.facts.due(at) else { return at };
            let request = format!("timer-{}", self.entries.len());
            self.push(at, SEQUENCER, request, record);
        }
    }

    /// Asks for a record as an account: what is due is recorded first, then the decision, then what follows from it.
    pub fn record(&mut self, actor: &str, record: impl Into<Record>) -> Result<LeafIndex, Refusal> {
        let at = self.settle();
        let request = format!("req-{}", self.requests + 1);
        let decided = self.facts.decide(By { actor: &text(actor), request: &request, signed: None, redacted: false }, at, record.into())?;
        self.requests += 1;
        let index = self.push(at, actor, request.clone(), decided.clone());
        let follow = self.facts.consequences(index, at, &decided);
        for (record, n) in follow.into_iter().zip(1..) {
            self.push(self.next_at(), actor, format!("{request}/{n}"), record);
        }
        Ok(index)
    }

    /// As [`Scene::record`], where a refusal is a failed test.
    pub fn must(&mut self, actor: &str, record: impl Into<Record>) -> LeafIndex {
        let record = record.into();
        let what = record.type_name();
        self.record(actor, record).unwrap_or_else(|refusal| panic!("{what} refused: {refusal}"))
    }

    /// As [`Scene::must`], in the place of the newest record of its type and id.
    pub fn supersede(&mut self, actor: &str, record: impl Into<Record>) -> LeafIndex {
        let record = self.superseding(record);
        self.must(actor, record)
    }

    /// As [`superseding`], over what is known here.
    pub fn superseding(&self, record: impl Into<Record>) -> Record {
        superseding(&self.facts, record)
    }

    /// Takes a record in as it is, decided or not: what a ledger's writer could do who does not keep to the rules.
    pub fn force(&mut self, actor: &str, record: impl Into<Record>) -> LeafIndex {
        let at = self.settle();
        self.requests += 1;
        self.push(at, actor, format!("req-{}", self.requests), record.into())
    }

    /// Requests access to [`SUBMISSION`] for a person as [`OFFICER`].
    pub fn request(&mut self, person: &str) -> LeafIndex {
        let request = request(person, self.now.plus(7 * DAY));
        self.must(OFFICER, request)
    }

    /// Requests access and has both approvers approve.
    pub fn approved_grant(&mut self, person: &str) -> LeafIndex {
        let grant = self.request(person);
        self.must(APPROVER, move_to(grant, GrantState::Approved));
        self.must(APPROVER_2, move_to(grant, GrantState::Approved));
        grant
    }

    /// An approved grant, activated.
    pub fn active_grant(&mut self, person: &str) -> LeafIndex {
        let grant = self.approved_grant(person);
        self.must(OFFICER, move_to(grant, GrantState::Active));
        grant
    }

    /// Where a grant stands.
    pub fn state(&self, grant: LeafIndex) -> GrantState {
        self.facts.grant(grant).expect("the grant is recorded").state
    }

    /// The record at an index.
    pub fn at(&self, index: LeafIndex) -> &Record {
        &self.entries[usize::try_from(index.0).expect("an index of this scene")].record
    }

    /// The assessment an entry carries.
    pub fn assessed(&self, index: LeafIndex) -> &Assessment {
        self.at(index).assessment().expect("the entry carries an assessment")
    }

    /// Every decision again.
    pub fn replay(&self) -> Vec<(u64, ReplayFinding)> {
        replay(&self.entries)
    }

    fn push(&mut self, at: Micros, actor: &str, request: String, record: Record) -> LeafIndex {
        let index = LeafIndex(self.entries.len() as u64);
        self.facts.apply(index, at, &text(actor), &record);
        let (kind, actor) = (record.type_name().to_owned(), actor.to_owned());
        self.entries.push(Entry {
            index: index.0,
            meta: Meta { kind, at: at.value(), actor, request, signed: None, erased: false },
            record,
        });
        index
    }
}

impl Default for Scene {
    fn default() -> Self {
        Self::new()
    }
}

/// The record with `supersedes` naming the newest of its type and id, where there is one.
pub fn superseding(facts: &Facts, record: impl Into<Record>) -> Record {
    let mut record = record.into();
    let newest = facts.current(&record);
    if let Some(slot) = supersedes(&mut record) {
        *slot = newest;
    }
    record
}

/// Replays entries, in the order given; what is owed at the end stands under the index past the last.
pub fn replay(entries: &[Entry]) -> Vec<(u64, ReplayFinding)> {
    let mut replay = Replay::new();
    let mut out = Vec::new();
    for entry in entries {
        out.extend(replay.step(entry.index, &entry.meta, &entry.record).into_iter().map(|f| (entry.index, f)));
    }
    out.extend(replay.finish().into_iter().map(|f| (entries.last().map_or(0, |e| e.index + 1), f)));
    out
}

/// A text as the type a test needs.
pub fn text<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().unwrap_or_else(|e| panic!("{text:?}: {e:?}"))
}

/// The policy of [`Scene::new`]: two approvals, every agreement, referrals refer, blocks deny, no participation needed allows, cases each hour,
/// five minutes of skew. What a person holds or may trade does not bar access.
pub fn policy() -> Policy {
    Policy {
        id: text("policy"),
        version: 1,
        effective_from: text("2026-01-01"),
        approvals_required: 2,
        agreements_required: vec![AgreementKind::AccessTerms, AgreementKind::DutyNotice],
        on_refer: Effects { participate: Effect::Refer, hold: Effect::Refer, trade: Effect::Allow },
        on_block: Effects { participate: Effect::Deny, hold: Effect::Deny, trade: Effect::Allow },
        on_block_without_participation: Effect::Allow,
        case_cadence_seconds: 3_600,
        case_tier_max: Tier::Three,
        clock_skew_seconds: 300,
        feeds: vec![],
        preclearance: None,
        signatures_required: vec![],
        routine_uses: vec![],
        supersedes: None,
    }
}

/// A civilian of the agency.
pub fn person(id: &str) -> Person {
    Person { id: text(id), name: text("Somebody"), status: PersonStatus::Civilian, organization: text("agency"), supersedes: None }
}

/// An account.
pub fn principal(id: &str, person: Option<&str>, role: Role) -> Principal {
    Principal { id: text(id), person: person.map(text), roles: vec![role], os_user: None, disabled: false, supersedes: None }
}

/// [`SUBMISSION`]: offered in May, its window all of June but the last moment.
pub fn submission() -> Submission {
    let offer = Offer { offered_at: text("2026-05-20"), terms_hash: Hash32([7; 32]), purpose: text("Evaluation"), revoked_at: None };
    Submission {
        id: text(SUBMISSION),
        provider: text(LAB),
        model: None,
        downstream: vec![],
        title: text("Secured matter 1"),
        authority: text("EO 14409 sec. 3"),
        offer: Some(offer),
        designation: None,
        window: Window::new(text("2026-06-01"), text("2026-07-01")).expect("thirty days"),
        window_end_event: WindowEndEvent::TrustedPartnerRelease,
        public_release_at: None,
        cleansed_at: None,
        status: SubmissionStatus::Open,
        marking: Marking { level: MarkingLevel::Cui, categories: vec![], dissemination: vec![] },
        information_owner: InformationOwner::Developer,
        confidentiality_basis: text("Terms of the offer"),
        supersedes: None,
    }
}

/// A confirmed edge from [`LAB`] to an issuer.
pub fn exposure(id: &str, to: &str) -> Exposure {
    Exposure {
        id: text(id),
        from: Node::Provider(text(LAB)),
        relation: Relation::Is,
        to: Node::Issuer(text(to)),
        tier: Tier::One,
        valid_from: None,
        valid_to: None,
        basis: Basis::PublicFiling,
        confirmed: true,
        evidence: None,
        supersedes: None,
    }
}

/// An agreement over everything, signed in May, without an end. Its id is the person's and the kind's.
pub fn agreement(person: &str, kind: AgreementKind) -> Agreement {
    Agreement {
        id: agreement_id(person, kind),
        person: text(person),
        kind,
        submission: None,
        version: text("1"),
        document_hash: Hash32([3; 32]),
        signed_at: text("2026-05-25"),
        expires_at: None,
        supersedes: None,
    }
}

/// The id [`agreement`] gives.
pub fn agreement_id(person: &str, kind: AgreementKind) -> countersign_entry::ids::RecordId {
    text(&format!("{person}.{kind:?}"))
}

/// A recusal since the day before the scene begins.
pub fn recusal(id: &str, person: &str, scope: &str) -> Recusal {
    Recusal {
        id: text(id),
        person: text(person),
        scope: text(scope),
        from: text("2026-05-31"),
        until: None,
        ground: text("Stated by the person"),
        screening_contact: None,
        supersedes: None,
    }
}

/// A list item since the day before the scene begins.
pub fn item(id: &str, list: &str, subject: &str) -> ListItem {
    ListItem {
        id: text(id),
        list: text(list),
        subject: text(subject),
        from: text("2026-05-31"),
        until: None,
        reason: text("Listed"),
        supersedes: None,
        approvals: vec![],
    }
}

/// A list; `authority` where it has one.
pub fn list(id: &str, kind: ListKind, authority: Option<&str>) -> List {
    List { id: text(id), kind, name: text("A list"), authority: authority.map(text), binds: None, supersedes: None, approvals: vec![] }
}

/// A list of what those may not hold whom it binds: `organization:ID` or `person:ID`.
pub fn prohibited(id: &str, binds: &str) -> List {
    List { binds: Some(text(binds)), ..list(id, ListKind::ProhibitedHolding, Some("5 CFR 9999.101 (invented)")) }
}

/// A request for access to [`SUBMISSION`] with participation.
pub fn request(person: &str, expires_at: Micros) -> GrantRequest {
    GrantRequest {
        person: text(person),
        submission: text(SUBMISSION),
        duty: text("Evaluate cyber capability"),
        needs_participation: true,
        expires_at,
        reference: None,
        assessment: None,
        result: None,
    }
}

/// A request to move a grant.
pub fn move_to(grant: LeafIndex, to: GrantState) -> GrantTransition {
    GrantTransition { grant, to, cause: None, reason: None, assessment: None, result: None }
}

/// An access to [`SUBMISSION`].
pub fn access(person: &str, grant: Option<LeafIndex>, occurred_at: Micros) -> AccessEvent {
    AccessEvent {
        person: text(person),
        submission: text(SUBMISSION),
        grant,
        action: text("query"),
        occurred_at,
        artefact: None,
        result: Some(AccessResult::Success),
        source: None,
        source_id: None,
        session: None,
        marking: None,
        information_owner: None,
        detail: Value::Null,
        assessment: None,
        supersedes: None,
    }
}

/// A listed share of an issuer, or a share nobody has linked to one.
pub fn share(issuer: Option<&str>) -> Instrument {
    let linking = if issuer.is_some() { Linking::Matched } else { Linking::InReview };
    Instrument {
        class: InstrumentClass::Equity,
        text: text("A Corp. Common Stock"),
        identifier: None,
        asset_type: None,
        issuer: issuer.map(text),
        linking,
        sector: None,
    }
}

/// A person's own purchase on a day, entered by hand.
pub fn trade(id: &str, person: &str, issuer: Option<&str>, traded_on: &str) -> Trade {
    Trade {
        id: text(id),
        person: text(person),
        relation: HolderRelation::Own,
        instrument: share(issuer),
        kind: TradeKind::Purchase,
        traded_on: day(traded_on),
        notified_on: None,
        filed_on: None,
        value: Band::new(Some(1_001), Some(15_000)).expect("in order"),
        quantity: None,
        provenance: None,
        supersedes: None,
    }
}

/// A person's own holding on a day, entered by hand.
pub fn holding(id: &str, person: &str, issuer: Option<&str>, as_of: &str) -> Holding {
    Holding {
        id: text(id),
        person: text(person),
        relation: HolderRelation::Own,
        instrument: share(issuer),
        value: Band::new(Some(1_001), Some(15_000)).expect("in order"),
        as_of: day(as_of),
        provenance: None,
        supersedes: None,
    }
}

/// Answers requests to trade: asked of people with access, who are cleared for nothing but diversified funds and Treasuries; five business days, half
/// a year of holding, three requests a day, and five instruments in ten days are looked into.
pub fn preclearance_policy() -> PreclearancePolicy {
    PreclearancePolicy {
        basis: text("Agency order 1"),
        required_of: PreclearanceScope::PeopleWithAccess,
        access_bars: AccessBar::Everything,
        always_cleared: vec![InstrumentClass::DiversifiedFund, InstrumentClass::Treasury],
        never_cleared: vec![InstrumentClass::Option, InstrumentClass::EventContract],
        forbidden_terms: vec![ForbiddenTerm { term: TradeTerm::ShortSale, authority: text("Agency order 1") }],
        notice_days: 0,
        execute_business_days: 5,
        hold_months: 6,
        daily_quota: 3,
        probing_instruments: 5,
        probing_days: 10,
    }
}

/// A person asks to buy shares for themselves, a hundred for at most $5,000, on any day of a range.
pub fn asks(person: &str, issuer: Option<&str>, from: &str, until: &str) -> PreclearanceRequest {
    PreclearanceRequest {
        person: text(person),
        relation: HolderRelation::Own,
        instrument: share(issuer),
        kind: TradeKind::Purchase,
        quantity: Some(100),
        terms: vec![],
        value: Band::new(None, Some(5_000)).expect("in order"),
        from: day(from),
        until: day(until),
        reference: None,
        assessment: None,
        cleared_until: None,
    }
}

/// The day a text names.
pub fn day(text: &str) -> Date {
    Date::new(text).unwrap_or_else(|e| panic!("{text:?}: {e:?}"))
}

fn furniture() -> Vec<Record> {
    let accounts: [(&str, Option<&str>, Role); 7] = [
        (SEQUENCER, None, Role::Sequencer),
        (GATEWAY, None, Role::Gateway),
        (ETHICS, None, Role::EthicsOfficer),
        (OFFICER, Some(OFFICER_PERSON), Role::AccessOfficer),
        (APPROVER, Some(APPROVER_PERSON), Role::Approver),
        (APPROVER_2, Some(APPROVER_2_PERSON), Role::Approver),
        (OPERATOR, None, Role::Operator),
    ];
    let agency = Organization {
        id: text("agency"),
        name: text("Agency"),
        kind: OrganizationKind::Agency,
        parent: None,
        ethics_office: None,
        supersedes: None,
    };
    let mut out: Vec<Record> = vec![agency.into(), policy().into()];
    out.extend([SUBJECT, OTHER, OFFICER_PERSON, APPROVER_PERSON, APPROVER_2_PERSON].map(|id| person(id).into()));
    out.extend(accounts.map(|(id, person, role)| principal(id, person, role).into()));
    out.push(Provider { id: text(LAB), name: text("A lab"), supersedes: None }.into());
    let issuers = [(LAB_ISSUER, vec![text("LAB")]), (INVESTOR, vec![text("INV")]), (FAR_ISSUER, vec![])];
    out.extend(issuers.map(|(id, tickers)| Record::from(Issuer { tickers, ..issuer(id) })));
    out.push(exposure("ex-lab", LAB_ISSUER).into());
    out.push(
        Exposure { relation: Relation::EquityHeldBy, basis: Basis::Press, confirmed: false, ..exposure("ex-investor", INVESTOR) }.into(),
    );
    out.push(submission().into());
    out
}

fn issuer(id: &str) -> Issuer {
    Issuer { id: text(id), name: text("An issuer"), cik: None, tickers: vec![], former_names: vec![], sub_industry: None, supersedes: None }
}

fn lists() -> [List; 3] {
    [
        list(RESTRICTED, ListKind::Restricted, Some("Agency supplemental regulation")),
        list(GREY, ListKind::Restricted, None),
        list(WATCH, ListKind::Watch, None),
    ]
}

fn supersedes(record: &mut Record) -> Option<&mut Option<LeafIndex>> {
    macro_rules! of {
        ($($kind:ident)*) => { match record { $(Record::$kind(r) => Some(&mut r.supersedes),)* _ => None } };
    }
    of! {
        Organization Person Principal Provider Model Issuer Exposure Submission Agreement
        Recusal List ListItem Policy Identifier Holding Trade Filer Credential
        Relationship MatchDecision Authority Designation RosterEntry Selection Vulnerability Referral LegalHold
    }
}
