//! Any valid value of every record type, for property tests.

use ciborium::Value;
use countersign_entry::ids::{
    Date, Hash32, IssuerId, LeafIndex, Line, ModelId, OrganizationId, PersonId, PrincipalId, ProviderId, RawText, RecordId, Reference,
    SubmissionId, Token,
};
use countersign_entry::limits::{LINE_BYTES_MAX, MICROS_MAX, RAW_TEXT_BYTES_MAX, WINDOW_DAYS_MAX};
use countersign_entry::record::*;
use countersign_entry::time::{DAY, Micros, Window};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use serde_bytes::ByteBuf;

/// A record of any type.
pub fn record() -> impl Strategy<Value = Record> {
    select(TYPE_NAMES).prop_flat_map(record_of)
}

/// A record of the type with this name; padding for a name no type has.
pub fn record_of(type_name: &str) -> BoxedStrategy<Record> {
    match type_name {
        "genesis" | "datakey.created" | "datakey.destroyed" | "redaction" | "key.rotated" | "key.revoked" | "key.attested"
        | "key.loss.declared" | "officer.enrolled" | "officer.revoked" => control(type_name),
        "organization" | "person" | "principal" | "credential" | "credential.linked" | "credential.revoked" | "provider" | "model"
        | "issuer" | "exposure" => directory(type_name),
        "submission" => submission().prop_map(Record::from).boxed(),
        "agreement" | "recusal" | "list" | "list.item" => ethics(type_name),
        "grant.request" | "grant.transition" | "access.event" | "read" => access(type_name),
        "case.opened" | "case.event" => cases(type_name),
        "preclearance.request" | "preclearance.decision" => preclearance(type_name),
        "filer" | "duty.event" => duties(type_name),
        "policy" => policy().prop_map(Record::from).boxed(),
        "holding" | "trade" | "relationship" | "import" | "match.decision" => interest(type_name),
        "identifier" | "authority" | "designation" | "roster.entry" | "selection" | "vulnerability" | "referral" | "legal.hold"
        | "emergency.voucher" | "emergency.use" | "correction" => process(type_name),
        _ => Just(Record::Padding).boxed(),
    }
}

// A struct has more fields than a tuple of strategies may have members, so the fields become pairs inside pairs.
macro_rules! nested {
    () => { Just(()) };
    ($first:expr $(, $rest:expr)*) => { ($first, nested!($($rest),*)) };
}
macro_rules! unnested {
    () => { () };
    ($first:ident $(, $rest:ident)*) => { ($first, unnested!($($rest),*)) };
}
macro_rules! any_of {
    ($type:ident { $($field:ident: $strategy:expr),* $(,)? }) => {
        nested!($($strategy),*).prop_map(|unnested!($($field),*)| $type { $($field),* })
    };
}
macro_rules! boxed {
    ($type:ident { $($field:ident: $strategy:expr),* $(,)? }) => {
        any_of!($type { $($field: $strategy),* }).prop_map(Record::from).boxed()
    };
}
macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident: $type:ident = $pattern:literal;)*) => {
        $($(#[$doc])* pub fn $name() -> impl Strategy<Value = $type> {
            $pattern.prop_filter_map("a text of the type", |text| $type::new(text).ok())
        })*
    };
}

texts! {
    /// A person's id.
    person_id: PersonId = "P-[A-Za-z0-9]{4,32}";
    /// A principal's id.
    principal_id: PrincipalId = "pr-[A-Za-z0-9]{4,32}";
    /// A submission's id.
    submission_id: SubmissionId = "S-[A-Za-z0-9]{4,32}";
    /// An organization's id.
    organization_id: OrganizationId = "[A-Za-z0-9][A-Za-z0-9._-]{0,95}";
    /// A provider's id.
    provider_id: ProviderId = "[A-Za-z0-9][A-Za-z0-9._-]{0,95}";
    /// An issuer's id.
    issuer_id: IssuerId = "[A-Za-z0-9][A-Za-z0-9._-]{0,95}";
    /// A model's id.
    model_id: ModelId = "[A-Za-z0-9][A-Za-z0-9._/-]{0,95}";
    /// Another record's id.
    record_id: RecordId = "[A-Za-z0-9][A-Za-z0-9._-]{0,95}";
    /// A reference.
    reference: Reference = "R-[A-Za-z0-9]{4,32}";
    /// A word of a vocabulary.
    token: Token = "[a-z0-9._-]{1,32}";
    /// A short line in any script.
    short_line: Line = "\\PC{1,24}";
}

/// A line of text: any script, and the longest there is.
pub fn line() -> impl Strategy<Value = Line> {
    let longest = "a".repeat(LINE_BYTES_MAX);
    let odd = [longest.as_str(), " ", "\u{7530}\u{4e2d} \u{1f512}", "e\u{301}", "\"quoted\\\" <b>"].map(str::to_owned);
    prop_oneof![8 => short_line(), 1 => select(odd.to_vec()).prop_filter_map("a line", |text| Line::new(text).ok())]
}

/// Text of a source: line breaks, tabs, controls and direction marks among it, and the longest there is.
pub fn raw_text() -> impl Strategy<Value = RawText> {
    let longest = "\u{1f4c8}".repeat(RAW_TEXT_BYTES_MAX / 4);
    let odd = [longest.as_str(), "NVIDIA\tCorp\r\n(NVDA)", "\u{202e}corp\u{202c}", "\u{1b}[31mred", "\u{2028}", "=1+1"].map(str::to_owned);
    let any = prop_oneof![4 => "[^\\x00]{1,24}", 4 => "\\PC{1,24}", 1 => select(odd.to_vec())];
    any.prop_filter_map("a text of a source", |text| RawText::new(text).ok())
}

/// A time, its ends included.
pub fn micros() -> impl Strategy<Value = Micros> {
    prop_oneof![Just(0), Just(MICROS_MAX), 1_700_000_000_000_000..1_900_000_000_000_000u64, 0..=MICROS_MAX]
        .prop_filter_map("a time", |t| Micros::new(t).ok())
}

/// A calendar date.
pub fn date() -> impl Strategy<Value = Date> {
    micros().prop_map(Date::of)
}

/// A window of one microsecond to 30 days.
pub fn window() -> impl Strategy<Value = Window> {
    (micros(), prop_oneof![Just(1), Just(WINDOW_DAYS_MAX * DAY), 1..=WINDOW_DAYS_MAX * DAY])
        .prop_filter_map("a window that fits before the last time", |(opens, length)| Window::new(opens, opens.plus(length)).ok())
}

/// A hash.
pub fn hash() -> impl Strategy<Value = Hash32> {
    any::<[u8; 32]>().prop_map(Hash32)
}

/// Where a record stands.
pub fn leaf_index() -> impl Strategy<Value = LeafIndex> {
    prop_oneof![0..100u64, any::<u64>()].prop_map(LeafIndex)
}

/// Anything an access event's `detail` may hold, in the order canonical CBOR gives it.
pub fn detail() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::Text),
        vec(any::<u8>(), 0..12).prop_map(Value::Bytes),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let keys = prop_oneof![3 => "[a-z]{0,6}".prop_map(Value::Text), 1 => any::<i64>().prop_map(Value::from)];
        prop_oneof![vec(inner.clone(), 0..4).prop_map(Value::Array), vec((keys, inner), 0..4).prop_map(canonical_map)]
    })
}

/// An assessment with any values, whether or not a rule gives them.
pub fn assessment() -> impl Strategy<Value = Assessment> {
    any_of!(Assessment {
        rule_set: hash(),
        policy: of(leaf_index()),
        participate: outcome(),
        hold: outcome(),
        trade: outcome(),
        decision: select(vec![Decision::Cleared, Decision::Referred, Decision::Denied]),
        reasons: vec(reason(), 0..4),
        watch: vec(leaf_index(), 0..3),
        obligations: vec(obligation(), 0..3),
    })
}

/// A policy its constructor takes.
pub fn policy() -> impl Strategy<Value = Policy> {
    let strict = |e: Effects| Effects { participate: e.participate.max(Effect::Refer), ..e };
    let deny = |e: Effects| Effects { participate: Effect::Deny, ..e };
    any_of!(Policy {
        id: record_id(),
        version: any::<u32>(),
        effective_from: micros(),
        approvals_required: 1..=8u32,
        agreements_required: vec(agreement_kind(), 0..4),
        on_refer: effects().prop_map(strict),
        on_block: effects().prop_map(deny),
        on_block_without_participation: effect(),
        case_cadence_seconds: 60..=604_800u64,
        case_tier_max: tier(),
        clock_skew_seconds: 0..=86_400u64,
        feeds: vec((line(), 3_600..=31_536_000u64).prop_map(|(importer, max_age_seconds)| Feed { importer, max_age_seconds }), 0..3),
        preclearance: of(preclearance_policy()),
        signatures_required: vec(signed_type(), 0..3),
        routine_uses: vec(routine_use(), 0..3),
        supersedes: of(leaf_index()),
    })
}

fn routine_use() -> impl Strategy<Value = RoutineUse> {
    any_of!(RoutineUse { filers_of: organization_id(), seen_by: organization_id(), authority: line() })
}

fn signed_type() -> impl Strategy<Value = SignedType> {
    use SignedType as S;
    select(vec![S::GrantRequest, S::GrantTransition, S::List, S::ListItem, S::ListApproval, S::Policy])
}

fn preclearance_policy() -> impl Strategy<Value = PreclearancePolicy> {
    let forbidden = (trade_term(), line()).prop_map(|(term, authority)| ForbiddenTerm { term, authority });
    let classes = (vec(instrument_class(), 0..4), vec(instrument_class(), 0..4), vec(forbidden, 0..3));
    let numbers = (0..=366u32, 1..=30u32, 0..=120u32, 1..=1_000u32, 2..=1_000u32, 1..=366u32);
    let rules = (
        select(vec![PreclearanceScope::PeopleWithAccess, PreclearanceScope::Everybody]),
        select(vec![AccessBar::Everything, AccessBar::Touched]),
    );
    (line(), rules, classes, numbers).prop_map(
        |(basis, (required_of, access_bars), (always_cleared, never_cleared, forbidden_terms), numbers)| {
            let (notice_days, execute_business_days, hold_months, daily_quota, probing_instruments, probing_days) = numbers;
            PreclearancePolicy {
                basis,
                required_of,
                access_bars,
                always_cleared,
                never_cleared,
                forbidden_terms,
                notice_days,
                execute_business_days,
                hold_months,
                daily_quota,
                probing_instruments,
                probing_days,
            }
        },
    )
}

/// A submission.
pub fn submission() -> impl Strategy<Value = Submission> {
    let offer = any_of!(Offer { offered_at: micros(), terms_hash: hash(), purpose: line(), revoked_at: of(micros()) });
    let marking = any_of!(Marking { level: marking_level(), categories: vec(line(), 0..3), dissemination: vec(line(), 0..3) });
    let ends =
        vec![WindowEndEvent::TrustedPartnerRelease, WindowEndEvent::PublicRelease, WindowEndEvent::Withdrawal, WindowEndEvent::Lapse];
    any_of!(Submission {
        id: submission_id(),
        provider: provider_id(),
        model: of(model_id()),
        downstream: vec(line(), 0..3),
        title: line(),
        authority: line(),
        offer: of(offer),
        designation: of(line()),
        window: window(),
        window_end_event: select(ends),
        public_release_at: of(micros()),
        cleansed_at: of(micros()),
        status: select(vec![SubmissionStatus::Open, SubmissionStatus::Suspended, SubmissionStatus::Closed]),
        marking: marking,
        information_owner: owner(),
        confidentiality_basis: line(),
        supersedes: of(leaf_index()),
    })
}

fn control(type_name: &str) -> BoxedStrategy<Record> {
    let approvers = || vec(principal_id(), 0..4);
    let bytes = || vec(any::<u8>(), 0..80);
    match type_name {
        "genesis" => boxed!(Genesis { origin: line(), format: any::<u32>(), keys: vec(line(), 0..3) }),
        "datakey.created" => boxed!(DataKeyCreated { key_id: any::<u32>(), check: hash() }),
        "datakey.destroyed" => {
            boxed!(DataKeyDestroyed { key_id: any::<u32>(), authority: line(), approvers: approvers(), approvals: approvals() })
        }
        "redaction" => boxed!(Redaction {
            target: leaf_index(),
            fields: vec("[a-z_]{1,20}", 0..4),
            key_id: any::<u32>(),
            authority: line(),
            approvers: approvers(),
            resealed_hash: hash(),
            approvals: approvals(),
        }),
        "key.rotated" => boxed!(KeyRotated {
            old: line(),
            new: line(),
            old_signature: bytes(),
            new_signature: bytes(),
            both_until: any::<u64>(),
            reason: line(),
            // Null and none are one thing in the encoding.
            attestation: of(detail().prop_filter("not null", |v| !v.is_null())),
            approvers: approvers(),
            approvals: approvals(),
        }),
        "key.revoked" => boxed!(KeyRevoked {
            vkey: line(),
            last_size: any::<u64>(),
            by: line(),
            signature: bytes(),
            reason: line(),
            approvers: approvers(),
            approvals: approvals(),
        }),
        "key.attested" => boxed!(KeyAttested { vkey: line(), attestation: detail(), transcript: of(hash()) }),
        "key.loss.declared" => {
            boxed!(KeyLossDeclared { first: any::<u64>(), head: bytes(), reason: line(), approvers: approvers(), approvals: approvals() })
        }
        "officer.enrolled" => boxed!(OfficerEnrolled {
            principal: principal_id(),
            key: bytes(),
            reason: line(),
            approvers: approvers(),
            approvals: approvals()
        }),
        _ => boxed!(OfficerRevoked {
            principal: principal_id(),
            key: bytes(),
            reason: line(),
            approvers: approvers(),
            approvals: approvals()
        }),
    }
}

fn tier() -> impl Strategy<Value = Tier> {
    select(vec![Tier::One, Tier::Two, Tier::Three])
}

fn directory(type_name: &str) -> BoxedStrategy<Record> {
    use OrganizationKind as O;
    use Relation as R;
    let node = || {
        prop_oneof![
            provider_id().prop_map(Node::Provider),
            submission_id().prop_map(Node::Submission),
            model_id().prop_map(Node::Model),
            issuer_id().prop_map(Node::Issuer),
            record_id().prop_map(Node::Host)
        ]
    };
    let relations =
        vec![R::Is, R::OwnedBy, R::EquityHeldBy, R::ServedBy, R::OperatedBy, R::Supplier, R::Customer, R::Competitor, R::Downstream];
    let bases = vec![Basis::PublicFiling, Basis::Press, Basis::Computed, Basis::NameMatch, Basis::Officer, Basis::Developer];
    match type_name {
        "organization" => boxed!(Organization {
            id: organization_id(),
            name: line(),
            kind: select(vec![O::Agency, O::Component, O::Developer, O::Partner, O::Contractor, O::Ffrdc]),
            parent: of(organization_id()),
            ethics_office: of(line()),
            supersedes: of(leaf_index()),
        }),
        "person" => boxed!(Person {
            id: person_id(),
            name: line(),
            status: status(),
            organization: organization_id(),
            supersedes: of(leaf_index())
        }),
        "principal" => boxed!(Principal {
            id: principal_id(),
            person: of(person_id()),
            roles: vec(role(), 0..4),
            os_user: of(line()),
            disabled: any::<bool>(),
            supersedes: of(leaf_index()),
        }),
        "credential" => boxed!(Credential {
            id: record_id(),
            person: person_id(),
            kind: credential_kind(),
            issuer: line(),
            subject: line(),
            valid_from: of(date()),
            valid_to: of(date()),
            provenance: of(provenance()),
            supersedes: of(leaf_index()),
        }),
        "credential.linked" => boxed!(CredentialLinked {
            id: record_id(),
            principal: principal_id(),
            kind: credential_kind(),
            issuer: line(),
            subject: line(),
            secret_hash: of(hash()),
            valid_to: of(date()),
            evidence: line(),
            approver: principal_id(),
        }),
        "credential.revoked" => boxed!(CredentialRevoked { id: record_id(), reason: line() }),
        "provider" => boxed!(Provider { id: provider_id(), name: line(), supersedes: of(leaf_index()) }),
        "model" => boxed!(Model {
            id: model_id(),
            provider: provider_id(),
            name: line(),
            family: of(line()),
            released_on: of(date()),
            open_weights: of(any::<bool>()),
            stopped: of(any::<bool>()),
            supersedes: of(leaf_index()),
        }),
        "issuer" => boxed!(Issuer {
            id: issuer_id(),
            name: line(),
            cik: of(line()),
            tickers: vec(line(), 0..3),
            former_names: vec(any_of!(FormerName { name: line(), from: of(date()), to: of(date()) }), 0..3),
            sub_industry: of(line()),
            supersedes: of(leaf_index()),
        }),
        _ => boxed!(Exposure {
            id: record_id(),
            from: node(),
            relation: select(relations),
            to: node(),
            tier: tier(),
            valid_from: of(date()),
            valid_to: of(date()),
            basis: select(bases),
            confirmed: any::<bool>(),
            evidence: of(line()),
            supersedes: of(leaf_index()),
        }),
    }
}

fn ethics(type_name: &str) -> BoxedStrategy<Record> {
    match type_name {
        "agreement" => boxed!(Agreement {
            id: record_id(),
            person: person_id(),
            kind: agreement_kind(),
            submission: of(submission_id()),
            version: line(),
            document_hash: hash(),
            signed_at: micros(),
            expires_at: of(micros()),
            supersedes: of(leaf_index()),
        }),
        "recusal" => boxed!(Recusal {
            id: record_id(),
            person: person_id(),
            scope: scope(),
            from: micros(),
            until: of(micros()),
            ground: line(),
            screening_contact: of(line()),
            supersedes: of(leaf_index()),
        }),
        "list" => boxed!(List {
            id: record_id(),
            kind: select(vec![ListKind::Restricted, ListKind::Watch, ListKind::ProhibitedHolding]),
            name: line(),
            authority: of(line()),
            binds: of(prop_oneof![organization_id().prop_map(Bound::Organization), person_id().prop_map(Bound::Person)]),
            supersedes: of(leaf_index()),
            approvals: approvals(),
        }),
        _ => boxed!(ListItem {
            id: record_id(),
            list: record_id(),
            subject: scope(),
            from: micros(),
            until: of(micros()),
            reason: line(),
            supersedes: of(leaf_index()),
            approvals: approvals(),
        }),
    }
}

fn approvals() -> impl Strategy<Value = Vec<ByteBuf>> {
    vec(vec(any::<u8>(), 0..80).prop_map(ByteBuf::from), 0..3)
}

fn access(type_name: &str) -> BoxedStrategy<Record> {
    match type_name {
        "grant.request" => boxed!(GrantRequest {
            person: person_id(),
            submission: submission_id(),
            duty: line(),
            needs_participation: any::<bool>(),
            expires_at: micros(),
            reference: of(reference()),
            assessment: of(assessment()),
            result: of(grant_state()),
        }),
        "grant.transition" => boxed!(GrantTransition {
            grant: leaf_index(),
            to: grant_state(),
            cause: of(leaf_index()),
            reason: of(line()),
            assessment: of(assessment()),
            result: of(grant_state()),
        }),
        "access.event" => boxed!(AccessEvent {
            person: person_id(),
            submission: submission_id(),
            grant: of(leaf_index()),
            action: token(),
            occurred_at: micros(),
            artefact: of(line()),
            result: of(select(vec![AccessResult::Success, AccessResult::Refused, AccessResult::Error])),
            source: of(line()),
            source_id: of(line()),
            session: of(line()),
            marking: of(marking_level()),
            information_owner: of(owner()),
            detail: detail(),
            assessment: of(assessment()),
            supersedes: of(leaf_index()),
        }),
        _ => boxed!(Read { question: token(), subject: line(), rows: any::<u64>(), as_of: any::<u64>(), inquiry: of(line()) }),
    }
}

fn cases(type_name: &str) -> BoxedStrategy<Record> {
    use Disposition::*;
    match type_name {
        "case.opened" => boxed!(CaseOpened {
            rule: line(),
            version: any::<u32>(),
            cite: line(),
            finding: leaf_index(),
            person: person_id(),
            submission: of(submission_id()),
            evidence: vec(leaf_index(), 0..6),
        }),
        _ => boxed!(CaseEvent {
            case: leaf_index(),
            step: select(vec![CaseStep::Note, CaseStep::Dispose, CaseStep::Approve, CaseStep::Reopen]),
            disposition: of(select(vec![FalseMatch, NoViolation, LawfulBasis, Corrected, Violation, Referred])),
            text: line(),
            evidence: vec(leaf_index(), 0..6),
            document_hash: of(hash()),
        }),
    }
}

fn preclearance(type_name: &str) -> BoxedStrategy<Record> {
    match type_name {
        "preclearance.request" => boxed!(PreclearanceRequest {
            person: person_id(),
            relation: holder_relation(),
            instrument: instrument(),
            kind: trade_kind(),
            quantity: of(any::<u64>()),
            terms: vec(trade_term(), 0..3),
            value: band(),
            from: date(),
            until: date(),
            reference: of(reference()),
            assessment: of(assessment()),
            cleared_until: of(date()),
        }),
        _ => boxed!(PreclearanceDecision { preclearance: leaf_index(), cleared_until: of(date()), reason: line() }),
    }
}

fn duties(type_name: &str) -> BoxedStrategy<Record> {
    use DutyKind::*;
    match type_name {
        "filer" => boxed!(Filer {
            id: record_id(),
            person: person_id(),
            report: select(vec![Report::Public, Report::Confidential]),
            from: date(),
            until: of(date()),
            supersedes: of(leaf_index()),
        }),
        _ => boxed!(DutyEvent {
            person: person_id(),
            duty: select(vec![NewEntrant, Annual, Termination, Transactions, Review, NegotiationNotice, Divestiture, EthicsAgreement]),
            since: date(),
            step: select(vec![DutyStep::Imposed, DutyStep::Reminded, DutyStep::Extended, DutyStep::Met]),
            on: date(),
            until: of(date()),
            document_hash: of(hash()),
            text: of(line()),
        }),
    }
}

fn trade_term() -> impl Strategy<Value = TradeTerm> {
    select(vec![TradeTerm::ShortSale, TradeTerm::OnMargin, TradeTerm::InitialOffering])
}

fn trade_kind() -> impl Strategy<Value = TradeKind> {
    select(vec![TradeKind::Purchase, TradeKind::Sale, TradeKind::PartialSale, TradeKind::Exchange, TradeKind::Unknown])
}

fn interest(type_name: &str) -> BoxedStrategy<Record> {
    match type_name {
        "holding" => boxed!(Holding {
            id: record_id(),
            person: person_id(),
            relation: holder_relation(),
            instrument: instrument(),
            value: band(),
            as_of: date(),
            provenance: of(provenance()),
            supersedes: of(leaf_index()),
        }),
        "trade" => boxed!(Trade {
            id: record_id(),
            person: person_id(),
            relation: holder_relation(),
            instrument: instrument(),
            kind: trade_kind(),
            traded_on: date(),
            notified_on: of(date()),
            filed_on: of(date()),
            value: band(),
            quantity: of(any::<u64>()),
            provenance: of(provenance()),
            supersedes: of(leaf_index()),
        }),
        "relationship" => boxed!(Relationship {
            id: record_id(),
            person: person_id(),
            kind: relationship_kind(),
            relation: holder_relation(),
            issuer: of(issuer_id()),
            organization: of(organization_id()),
            from: of(date()),
            until: of(date()),
            provenance: of(provenance()),
            supersedes: of(leaf_index()),
        }),
        "import" => boxed!(Import {
            id: record_id(),
            importer: line(),
            file_hash: hash(),
            rows: any::<u64>(),
            recorded: any::<u64>(),
            repeated: any::<u64>(),
            quarantined: any::<u64>(),
        }),
        _ => boxed!(MatchDecision {
            id: record_id(),
            text: raw_text(),
            identifier: of(line()),
            issuer: of(issuer_id()),
            class: instrument_class(),
            reason: line(),
            supersedes: of(leaf_index()),
        }),
    }
}

fn process(type_name: &str) -> BoxedStrategy<Record> {
    use IdentifierScheme as I;
    match type_name {
        "identifier" => boxed!(Identifier {
            id: record_id(),
            issuer: issuer_id(),
            scheme: select(vec![I::Cik, I::Lei, I::Figi, I::Isin, I::Cusip, I::Ticker]),
            value: line(),
            valid_from: of(date()),
            valid_to: of(date()),
            supersedes: of(leaf_index()),
        }),
        "authority" => boxed!(Authority {
            id: record_id(),
            title: line(),
            section: of(line()),
            text_hash: of(hash()),
            from: date(),
            supersedes: of(leaf_index()),
        }),
        "designation" => boxed!(Designation {
            id: record_id(),
            submission: submission_id(),
            reference: line(),
            decided_by: line(),
            decided_at: micros(),
            marking: marking_level(),
            supersedes: of(leaf_index()),
        }),
        "roster.entry" => boxed!(RosterEntry {
            id: record_id(),
            organization: organization_id(),
            person: person_id(),
            contact: any::<bool>(),
            from: micros(),
            until: of(micros()),
            supersedes: of(leaf_index()),
        }),
        "selection" => boxed!(Selection {
            id: record_id(),
            organization: organization_id(),
            submission: submission_id(),
            government_hash: hash(),
            developer_hash: hash(),
            signed_at: micros(),
            supersedes: of(leaf_index()),
        }),
        "vulnerability" => boxed!(Vulnerability {
            id: record_id(),
            reference: line(),
            vendor: of(issuer_id()),
            affected: vec(issuer_id(), 0..4),
            embargo_until: of(micros()),
            embargo_event: of(line()),
            coordinator: of(line()),
            public_at: of(micros()),
            supersedes: of(leaf_index()),
        }),
        "referral" => boxed!(Referral {
            id: record_id(),
            case: leaf_index(),
            to: line(),
            form: of(line()),
            document_hash: hash(),
            referred_at: micros(),
            supersedes: of(leaf_index()),
        }),
        "legal.hold" => boxed!(LegalHold {
            id: record_id(),
            scope: hold_scope(),
            authority: line(),
            from: micros(),
            until: of(micros()),
            supersedes: of(leaf_index()),
        }),
        "emergency.voucher" => boxed!(EmergencyVoucher {
            grant: leaf_index(),
            expires_at: micros(),
            reason: line(),
            approvers: vec(principal_id(), 0..4),
            approvals: approvals(),
        }),
        "emergency.use" => boxed!(EmergencyUse {
            voucher: leaf_index(),
            used_at: micros(),
            reason: line(),
            approvers: vec(principal_id(), 0..4),
            approvals: approvals(),
        }),
        _ => boxed!(Correction { target: leaf_index(), reason: line() }),
    }
}

/// A band with both ends, one, or none.
pub fn band() -> impl Strategy<Value = Band> {
    let end = || of(prop_oneof![Just(0), Just(u64::MAX), 1..60_000_000u64, any::<u64>()]);
    (end(), end()).prop_filter_map("a band in order", |(a, b)| match (a, b) {
        (Some(a), Some(b)) => Band::new(Some(a.min(b)), Some(a.max(b))).ok(),
        open => Band::new(open.0, open.1).ok(),
    })
}

fn instrument() -> impl Strategy<Value = Instrument> {
    any_of!(Instrument {
        class: instrument_class(),
        text: raw_text(),
        identifier: of(line()),
        asset_type: of(line()),
        issuer: of(issuer_id()),
        linking: select(vec![Linking::Matched, Linking::Decided, Linking::InReview, Linking::NotLinked]),
        sector: of(line()),
    })
}

fn provenance() -> impl Strategy<Value = Provenance> {
    any_of!(Provenance { importer: line(), file_hash: hash(), row: any::<u64>(), raw: raw_text() })
}

fn hold_scope() -> impl Strategy<Value = HoldScope> {
    // The format's bound: a position of at most 19 digits.
    let entry = prop_oneof![Just(0), Just(9_999_999_999_999_999_999), 0..10_000_000_000_000_000_000u64];
    prop_oneof![
        person_id().prop_map(HoldScope::Person),
        submission_id().prop_map(HoldScope::Submission),
        entry.prop_map(|n| HoldScope::Case(LeafIndex(n)))
    ]
}

fn holder_relation() -> impl Strategy<Value = HolderRelation> {
    use HolderRelation as H;
    select(vec![
        H::Own,
        H::Spouse,
        H::Joint,
        H::MinorChild,
        H::DependentChild,
        H::AdultChild,
        H::Parent,
        H::Sibling,
        H::Household,
        H::GeneralPartner,
        H::Organization,
        H::ProspectiveEmployer,
        H::ManagedAccount,
        H::Nominee,
        H::Unknown,
    ])
}

fn instrument_class() -> impl Strategy<Value = InstrumentClass> {
    use InstrumentClass as C;
    select(vec![
        C::Equity,
        C::Option,
        C::Future,
        C::Bond,
        C::Municipal,
        C::Treasury,
        C::DiversifiedFund,
        C::SectorFund,
        C::SingleStockProduct,
        C::Plan,
        C::PrivateStake,
        C::Crypto,
        C::EventContract,
        C::RealProperty,
        C::Cash,
        C::Liability,
        C::Other,
        C::Unknown,
    ])
}

fn credential_kind() -> impl Strategy<Value = CredentialKind> {
    use CredentialKind as K;
    select(vec![K::Piv, K::Cac, K::Oidc, K::Scim, K::GatewayUser, K::ApiKey, K::Certificate, K::OsUser])
}

fn relationship_kind() -> impl Strategy<Value = RelationshipKind> {
    use RelationshipKind as K;
    select(vec![K::Serves, K::Served, K::Seeking, K::Business, K::ActiveIn, K::CoveredPayment])
}

fn reason() -> impl Strategy<Value = Reason> {
    any_of!(Reason {
        rule: line(),
        version: any::<u32>(),
        bears_on: select(vec![Verdict::Participate, Verdict::Hold, Verdict::Trade, Verdict::Access]),
        outcome: outcome(),
        cite: line(),
        evidence: vec(leaf_index(), 0..4),
    })
}

fn obligation() -> impl Strategy<Value = Obligation> {
    use ObligationKind as K;
    any_of!(Obligation {
        who: select(vec![ObligedParty::Subject, ObligedParty::AccessOfficer, ObligedParty::EthicsOffice]),
        what: select(vec![K::NoTrading, K::SignAgreement, K::StateInterests, K::KeepRecusal, K::DecideReferral, K::Divest]),
        due: of(micros()),
    })
}

fn scope() -> impl Strategy<Value = RecusalScope> {
    prop_oneof![
        provider_id().prop_map(RecusalScope::Provider),
        issuer_id().prop_map(RecusalScope::Issuer),
        submission_id().prop_map(RecusalScope::Submission)
    ]
}

fn effects() -> impl Strategy<Value = Effects> {
    any_of!(Effects { participate: effect(), hold: effect(), trade: effect() })
}

fn effect() -> impl Strategy<Value = Effect> {
    select(vec![Effect::Allow, Effect::Refer, Effect::Deny])
}

fn outcome() -> impl Strategy<Value = Outcome> {
    select(vec![Outcome::Clear, Outcome::Refer, Outcome::Block])
}

fn agreement_kind() -> impl Strategy<Value = AgreementKind> {
    select(vec![
        AgreementKind::AccessTerms,
        AgreementKind::DutyNotice,
        AgreementKind::NoInterestCertification,
        AgreementKind::Waiver208,
        AgreementKind::Authorization502,
        AgreementKind::DestructionCertificate,
    ])
}

fn marking_level() -> impl Strategy<Value = MarkingLevel> {
    use MarkingLevel as M;
    select(vec![M::Unclassified, M::Cui, M::Confidential, M::Secret, M::TopSecret])
}

fn owner() -> impl Strategy<Value = InformationOwner> {
    select(vec![InformationOwner::Developer, InformationOwner::Agency, InformationOwner::Joint])
}

fn status() -> impl Strategy<Value = PersonStatus> {
    use PersonStatus as P;
    select(vec![
        P::Officer,
        P::Enlisted,
        P::Civilian,
        P::Sge,
        P::PresidentialAppointee,
        P::IpaDetailee,
        P::Contractor,
        P::Ffrdc,
        P::Partner,
        P::Former,
    ])
}

fn role() -> impl Strategy<Value = Role> {
    use Role as R;
    select(vec![
        R::Operator,
        R::AccessOfficer,
        R::Approver,
        R::EthicsOfficer,
        R::InspectorGeneral,
        R::Gateway,
        R::Sequencer,
        R::CoveredPerson,
        R::Provisioner,
    ])
}

fn grant_state() -> impl Strategy<Value = GrantState> {
    use GrantState::*;
    select(vec![
        Draft,
        Submitted,
        Checking,
        Clear,
        Undetermined,
        InfoRequested,
        Conflict,
        EthicsReview,
        Recused,
        Waived,
        Authorized502,
        Divesting,
        Denied,
        Agreement,
        Approved,
        Active,
        Suspended,
        Expired,
        Revoked,
        Departed,
        CoolingOff,
        Closed,
    ])
}

/// Sorted as the encoding sorts, one pair for each key: what a decoder gives back.
fn canonical_map(pairs: Vec<(Value, Value)>) -> Value {
    let mut keyed: Vec<(Vec<u8>, (Value, Value))> =
        pairs.into_iter().filter_map(|pair| Some((countersign_entry::cbor::encode(&pair.0).ok()?, pair))).collect();
    keyed.sort_by(|a, b| a.0.cmp(&b.0));
    keyed.dedup_by(|a, b| a.0 == b.0);
    Value::Map(keyed.into_iter().map(|(_, pair)| pair).collect())
}
