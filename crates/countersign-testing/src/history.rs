//! Random histories of a [`Scene`]: what officers, gateways and strangers might ask for, in any order, sensible or not. Most requests of a history
//! are recorded, some are refused; both are part of it.

use countersign_conflict::{Facts, Refusal};
use countersign_entry::ids::{Date, LeafIndex};
use countersign_entry::record::*;
use countersign_entry::time::{DAY, Micros, Window};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

use crate::scene::*;

/// The second developer of a history; nothing touches an issuer through it until an op says so.
pub const LAB_2: &str = "lab2";
/// The submission of [`LAB_2`].
pub const SUBMISSION_2: &str = "S-0002";
/// The model of [`SUBMISSION_2`].
pub const MODEL_2: &str = "lab2/model";
/// The feed that policies of a history may ask for.
pub const FEED: &str = "house-ptr";
/// People ops are about.
pub const PEOPLE: [&str; 4] = [SUBJECT, OTHER, OFFICER_PERSON, APPROVER_PERSON];
/// Submissions ops are about.
pub const SUBMISSIONS: [&str; 2] = [SUBMISSION, SUBMISSION_2];
/// Accounts that ask for grants and moves.
pub const ACCOUNTS: [&str; 7] = [OFFICER, APPROVER, APPROVER_2, ETHICS, GATEWAY, SEQUENCER, STRANGER];
/// Issuers, lists and scopes ops name.
pub const ISSUERS: [&str; 3] = [LAB_ISSUER, INVESTOR, FAR_ISSUER];
/// Lists items stand on.
pub const LISTS: [&str; 4] = [RESTRICTED, GREY, WATCH, FORBIDDEN];
/// What those may not hold whom it binds.
pub const FORBIDDEN: &str = "forbidden";
/// What it names.
pub const FORBIDDEN_ISSUERS: [&str; 3] = ["issuer:cik-0000000001", "issuer:cik-0000000002", "issuer:cik-0000000003"];
/// Whom it binds, from time to time.
pub const BOUND: [&str; 4] = ["organization:agency", "organization:agency", "organization:lab", "person:P-subject"];
/// Edges ops record or replace.
pub const EDGES: [&str; 5] = ["ex-lab", "ex-lab2", "ex-more", "ex-host", "ex-owner"];
/// Where edges start.
pub const EDGE_STARTS: [&str; 5] = ["provider:lab", "submission:S-0002", "host:cloud", "issuer:cik-0000000001", "provider:lab2"];
/// Where edges end.
pub const EDGE_ENDS: [&str; 4] = ["issuer:cik-0000000001", "issuer:cik-0000000002", "issuer:cik-0000000003", "host:cloud"];
/// How they lead there.
pub const EDGE_RELATIONS: [Relation; 4] = [Relation::Is, Relation::OwnedBy, Relation::EquityHeldBy, Relation::ServedBy];
/// What recusals and items name.
pub const SCOPES: [&str; 6] =
    ["provider:lab", "provider:lab2", "submission:S-0001", "submission:S-0002", "issuer:cik-0000000001", "issuer:cik-0000000002"];

/// One thing asked for, `after` so many microseconds.
#[derive(Debug, Clone)]
pub struct Op {
    /// Since the op before.
    pub after: u64,
    /// Who asks.
    pub actor: &'static str,
    /// For what.
    pub what: What,
}

/// What is asked for. Times are offsets in microseconds from when it is asked for; grants are numbered in the order of their requests.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "fields are those of the records")]
pub enum What {
    /// A person's status.
    Person { who: &'static str, status: PersonStatus },
    /// The person behind an account, and whether it may act.
    Account { id: &'static str, person: Option<&'static str>, disabled: bool },
    /// An exposure edge; days from today.
    Edge { id: usize, from: &'static str, relation: Relation, to: &'static str, confirmed: bool, from_day: Option<i8>, to_day: Option<i8> },
    /// An agreement signed, or signed anew.
    Agreement { who: &'static str, kind: AgreementKind, submission: Option<&'static str>, signed: i64, ends: Option<i64> },
    /// A recusal.
    Recusal { id: usize, who: &'static str, scope: &'static str, from: i64, until: Option<i64> },
    /// A list's kind and authority.
    List { id: &'static str, kind: ListKind, authority: bool, binds: Option<&'static str> },
    /// An item of a list.
    Item { id: usize, list: &'static str, subject: &'static str, from: i64, until: Option<i64> },
    /// A submission's status, offer and window.
    Submission {
        id: &'static str,
        status: SubmissionStatus,
        revoked: Option<i64>,
        closes: i64,
        cleansed: Option<i64>,
        released: Option<i64>,
    },
    /// Whether all work on the model of [`SUBMISSION_2`] is stopped.
    Model { stopped: Option<bool> },
    /// An import of the feed that policies may ask for.
    Feed,
    /// Other parameters.
    Policy {
        approvals: u32,
        on_refer: [Effect; 3],
        on_block: [Effect; 3],
        without: Effect,
        notice: bool,
        effective: i64,
        feed: Option<u64>,
    },
    /// A grant.
    Request { who: &'static str, submission: &'static str, needs: bool, ends: i64 },
    /// Something held; the day is in days from now.
    Holding {
        id: usize,
        who: &'static str,
        relation: HolderRelation,
        class: InstrumentClass,
        issuer: Option<&'static str>,
        value: (Option<u64>, Option<u64>),
        day: i8,
    },
    /// Something traded; the day is in days from now.
    Trade {
        id: usize,
        who: &'static str,
        relation: HolderRelation,
        class: InstrumentClass,
        issuer: Option<&'static str>,
        kind: TradeKind,
        day: i8,
    },
    /// A tie, to an issuer or to the developer's organization; days from now.
    Tie {
        id: usize,
        who: &'static str,
        kind: RelationshipKind,
        relation: HolderRelation,
        issuer: Option<&'static str>,
        from_day: Option<i16>,
        to_day: Option<i16>,
    },
    /// A waiver or an authorization.
    Paper { who: &'static str, kind: AgreementKind, ends: Option<i64> },
    /// A grant's move.
    Move { grant: usize, to: GrantState },
    /// An access.
    Access { who: &'static str, submission: &'static str, grant: Option<usize>, happened: i64 },
    /// Request, two approvals and activation, one after another.
    WholeGrant { who: &'static str, submission: &'static str, needs: bool },
}

/// Up to `ops_max` ops.
pub fn history(ops_max: usize) -> impl Strategy<Value = Vec<Op>> {
    vec(op(), 1..=ops_max)
}

/// The scene every history begins with.
pub fn beginning() -> Scene {
    let mut scene = Scene::new();
    scene.must(OPERATOR, Provider { id: text(LAB_2), name: text("Another lab"), supersedes: None });
    scene.must(OPERATOR, Exposure { from: Node::Provider(text(LAB_2)), ..exposure("ex-lab2", FAR_ISSUER) });
    let (id, kind) = (text(LAB), OrganizationKind::Developer);
    scene.must(OPERATOR, Organization { id, name: text("A lab"), kind, parent: None, ethics_office: None, supersedes: None });
    scene.must(OPERATOR, model(None));
    scene.must(ETHICS, prohibited(FORBIDDEN, BOUND[0]));
    scene.must(OPERATOR, Submission { id: text(SUBMISSION_2), provider: text(LAB_2), model: Some(text(MODEL_2)), ..submission() });
    scene
}

/// The model of [`SUBMISSION_2`].
pub fn model(stopped: Option<bool>) -> Model {
    Model {
        id: text(MODEL_2),
        provider: text(LAB_2),
        name: text("A model"),
        family: None,
        released_on: None,
        open_weights: None,
        stopped,
        supersedes: None,
    }
}

/// Plays ops one after another; gives for each what came of its last request.
pub fn play(scene: &mut Scene, ops: &[Op]) -> Vec<Result<LeafIndex, Refusal>> {
    ops.iter().map(|op| step(scene, op)).collect()
}

/// Plays one op.
pub fn step(scene: &mut Scene, op: &Op) -> Result<LeafIndex, Refusal> {
    scene.advance(op.after);
    if let What::WholeGrant { who, submission, needs } = op.what {
        let ends = scene.now().plus(3 * DAY);
        let grant =
            scene.record(OFFICER, GrantRequest { submission: text(submission), needs_participation: needs, ..request(who, ends) })?;
        for (account, to) in [(APPROVER, GrantState::Approved), (APPROVER_2, GrantState::Approved)] {
            scene.record(account, move_to(grant, to)).map(drop).unwrap_or_default();
        }
        return scene.record(OFFICER, move_to(grant, GrantState::Active));
    }
    let record = scene.superseding(asked(scene.facts(), scene.now(), &op.what));
    scene.record(op.actor, record)
}

/// The record an op asks for, as it would be asked for `now`, where this much is known.
pub fn asked(facts: &Facts, now: Micros, what: &What) -> Record {
    let at = |offset: i64| shifted(now, offset);
    match what.clone() {
        What::Person { who, status } => Person { status, ..person(who) }.into(),
        What::Account { id, person, disabled } => {
            let roles = facts.principal(&text(id)).map(|p| p.record.roles.clone()).unwrap_or_default();
            Principal { id: text(id), person: person.map(text), roles, os_user: None, disabled, supersedes: None }.into()
        }
        What::Edge { id, from, relation, to, confirmed, from_day, to_day } => {
            let day = |offset: i8| Date::of(at(i64::from(offset) * DAY as i64));
            Exposure {
                from: text(from),
                relation,
                to: text(to),
                confirmed,
                valid_from: from_day.map(day),
                valid_to: to_day.map(day),
                ..exposure(EDGES[id], LAB_ISSUER)
            }
            .into()
        }
        What::Agreement { who, kind, submission, signed, ends } => {
            Agreement { submission: submission.map(text), signed_at: at(signed), expires_at: ends.map(at), ..agreement(who, kind) }.into()
        }
        What::Recusal { id, who, scope, from, until } => {
            Recusal { from: at(from), until: until.map(at), ..recusal(&format!("rc-{id}"), who, scope) }.into()
        }
        What::List { id, kind, authority, binds } => {
            List { binds: binds.map(text), ..list(id, kind, authority.then_some("Agency policy 7")) }.into()
        }
        What::Item { id, list, subject, from, until } => {
            ListItem { from: at(from), until: until.map(at), ..item(&format!("it-{id}"), list, subject) }.into()
        }
        What::Holding { id, who, relation, class, issuer, value: (lo, hi), day } => {
            // Two funds of one sector, two of another, and two of one nobody recorded.
            let sector = [None, Some("semiconductors"), Some("health care")][id % 3].filter(|_| class == InstrumentClass::SectorFund);
            let instrument = Instrument { class, sector: sector.map(text), ..share(issuer) };
            let as_of = Date::of(at(i64::from(day) * DAY as i64));
            let value = Band::new(lo, hi).unwrap_or(Band::UNKNOWN);
            Holding { relation, instrument, as_of, value, ..holding(&format!("ho-{id}"), who, None, "2026-01-01") }.into()
        }
        What::Trade { id, who, relation, class, issuer, kind, day } => {
            let traded_on = Date::of(at(i64::from(day) * DAY as i64));
            let instrument = Instrument { class, ..share(issuer) };
            Trade { relation, instrument, kind, traded_on, ..trade(&format!("tr-{id}"), who, None, "2026-01-01") }.into()
        }
        What::Tie { id, who, kind, relation, issuer, from_day, to_day } => {
            let day = |offset: i16| Date::of(at(i64::from(offset) * DAY as i64));
            let organization = issuer.is_none().then(|| text(LAB));
            let (from, until) = (from_day.map(day), to_day.map(day));
            let (id, issuer) = (text(&format!("ti-{id}")), issuer.map(text));
            Relationship { id, person: text(who), kind, relation, issuer, organization, from, until, provenance: None, supersedes: None }
                .into()
        }
        What::Paper { who, kind, ends } => Agreement { signed_at: now, expires_at: ends.map(at), ..agreement(who, kind) }.into(),
        What::Model { stopped } => model(stopped).into(),
        What::Feed => {
            let id = text(&format!("im-{}", facts.size()));
            let (importer, file_hash) = (text(&format!("{FEED}/1")), countersign_entry::ids::Hash32([7; 32]));
            Import { id, importer, file_hash, rows: 0, recorded: 0, repeated: 0, quarantined: 0 }.into()
        }
        What::Submission { id, status, revoked, closes, cleansed, released } => {
            let base = facts.submission(&text(id)).map_or_else(submission, |known| known.record.clone());
            let window = Window::new(base.window.opens_at(), at(closes)).unwrap_or(base.window);
            let offer = base.offer.map(|o| Offer { revoked_at: revoked.map(at), ..o });
            Submission { status, offer, window, cleansed_at: cleansed.map(at), public_release_at: released.map(at), ..base }.into()
        }
        What::Policy { approvals, on_refer, on_block, without, notice, effective, feed } => {
            let effects = |[participate, hold, trade]: [Effect; 3]| Effects { participate, hold, trade };
            let mut agreements_required = vec![AgreementKind::AccessTerms];
            agreements_required.extend(notice.then_some(AgreementKind::DutyNotice));
            Policy {
                approvals_required: approvals,
                agreements_required,
                effective_from: at(effective),
                on_refer: effects(on_refer),
                on_block: effects(on_block),
                on_block_without_participation: without,
                feeds: feed.map(|max_age_seconds| Feed { importer: text(FEED), max_age_seconds }).into_iter().collect(),
                ..policy()
            }
            .into()
        }
        What::Request { who, submission, needs, ends } => {
            GrantRequest { submission: text(submission), needs_participation: needs, ..request(who, at(ends)) }.into()
        }
        What::Move { grant, to } => move_to(nth_grant(facts, grant), to).into(),
        What::Access { who, submission, grant, happened } => {
            AccessEvent { submission: text(submission), ..access(who, grant.map(|n| nth_grant(facts, n)), at(happened)) }.into()
        }
        What::WholeGrant { .. } => Record::Padding,
    }
}

/// The grant with this number, counted round; one that does not exist where there is none.
fn nth_grant(facts: &Facts, n: usize) -> LeafIndex {
    let count = facts.grants().count();
    if count == 0 { LeafIndex(999_999) } else { facts.grants().nth(n % count).map_or(LeafIndex(999_999), |(index, _)| index) }
}

fn shifted(now: Micros, offset: i64) -> Micros {
    let at = i64::try_from(now.value()).unwrap_or(i64::MAX).saturating_add(offset).max(0);
    Micros::EPOCH.plus(at.unsigned_abs())
}

fn op() -> impl Strategy<Value = Op> {
    let after = select(vec![0, 1, SECOND, 17 * SECOND, HOUR / 2, HOUR, 5 * HOUR, DAY, 3 * DAY]);
    // One in ten is asked for by anybody, whether or not the table of roles lets them.
    let anybody = of_one_in_ten(select(ACCOUNTS.to_vec()));
    (after, what(), anybody).prop_map(|(after, what, anybody)| Op { after, actor: anybody.unwrap_or_else(|| usual_actor(&what)), what })
}

fn of_one_in_ten<S: Strategy<Value = &'static str>>(strategy: S) -> impl Strategy<Value = Option<&'static str>> {
    proptest::option::weighted(0.1, strategy)
}

fn usual_actor(what: &What) -> &'static str {
    match what {
        What::Person { .. }
        | What::Account { .. }
        | What::Edge { .. }
        | What::Submission { .. }
        | What::Policy { .. }
        | What::Model { .. }
        | What::Feed => OPERATOR,
        What::Agreement { .. }
        | What::Recusal { .. }
        | What::List { .. }
        | What::Item { .. }
        | What::Holding { .. }
        | What::Trade { .. }
        | What::Tie { .. }
        | What::Paper { .. } => ETHICS,
        What::Request { .. } | What::WholeGrant { .. } => OFFICER,
        What::Access { .. } => GATEWAY,
        What::Move { grant, to } => match to {
            GrantState::Approved if grant % 2 == 0 => APPROVER,
            GrantState::Approved => APPROVER_2,
            GrantState::Active | GrantState::Revoked | GrantState::Departed => OFFICER,
            _ => ETHICS,
        },
    }
}

fn what() -> impl Strategy<Value = What> {
    prop_oneof![
        4 => grant_ops(),
        2 => people_ops(),
        3 => ethics_ops(),
        3 => interest_ops(),
        2 => matter_ops(),
    ]
}

fn grant_ops() -> impl Strategy<Value = What> {
    use GrantState as G;
    let moves = vec![
        G::Approved,
        G::Approved,
        G::Active,
        G::Active,
        G::Suspended,
        G::Revoked,
        G::Departed,
        G::InfoRequested,
        G::EthicsReview,
        G::Denied,
        G::Recused,
    ];
    prop_oneof![
        3 => (who(), submission_id(), any::<bool>()).prop_map(|(who, submission, needs)| What::WholeGrant { who, submission, needs }),
        2 => (who(), submission_id(), any::<bool>(), ahead()).prop_map(|(who, submission, needs, ends)| What::Request { who, submission, needs, ends }),
        4 => (0..8usize, select(moves)).prop_map(|(grant, to)| What::Move { grant, to }),
        3 => (prop_oneof![9 => who(), 1 => Just("P-nobody")], submission_id(), of(0..8usize), around())
            .prop_map(|(who, submission, grant, happened)| What::Access { who, submission, grant, happened }),
    ]
}

fn people_ops() -> impl Strategy<Value = What> {
    use PersonStatus as P;
    let status = select(vec![P::Civilian, P::Civilian, P::Contractor, P::Former]);
    let kind = select(vec![AgreementKind::AccessTerms, AgreementKind::DutyNotice, AgreementKind::NoInterestCertification]);
    prop_oneof![
        1 => (who(), status).prop_map(|(who, status)| What::Person { who, status }),
        1 => (select(vec![OFFICER, APPROVER, APPROVER_2]), proptest::option::weighted(0.8, who()), proptest::bool::weighted(0.1))
            .prop_map(|(id, person, disabled)| What::Account { id, person, disabled }),
        3 => (who(), kind, of(submission_id()), around(), of(ahead()))
            .prop_map(|(who, kind, submission, signed, ends)| What::Agreement { who, kind, submission, signed, ends }),
    ]
}

fn ethics_ops() -> impl Strategy<Value = What> {
    let kind = |id: &'static str| match id {
        WATCH => ListKind::Watch,
        FORBIDDEN => ListKind::ProhibitedHolding,
        _ => ListKind::Restricted,
    };
    prop_oneof![
        4 => (0..3usize, who(), select(SCOPES.to_vec()), around(), of(ahead()))
            .prop_map(|(id, who, scope, from, until)| What::Recusal { id, who, scope, from, until }),
        4 => (0..4usize, select(LISTS.to_vec()), select(SCOPES.to_vec()), around(), of(ahead()))
            .prop_map(|(id, list, subject, from, until)| What::Item { id, list, subject, from, until }),
        1 => (select(LISTS.to_vec()), any::<bool>(), select(BOUND.to_vec())).prop_map(move |(id, authority, bound)| {
            What::List { id, kind: kind(id), authority: authority || id == FORBIDDEN, binds: (id == FORBIDDEN).then_some(bound) }
        }),
        1 => (select(LISTS.to_vec()), select(vec![ListKind::Restricted, ListKind::Watch]), any::<bool>())
            .prop_map(|(id, kind, authority)| What::List { id, kind, authority, binds: None }),
        3 => (0..4usize, select(FORBIDDEN_ISSUERS.to_vec()), around(), of(ahead()))
            .prop_map(|(id, subject, from, until)| What::Item { id, list: FORBIDDEN, subject, from, until }),
    ]
}

fn interest_ops() -> impl Strategy<Value = What> {
    use {HolderRelation as H, InstrumentClass as C, RelationshipKind as K};
    let relation =
        || select(vec![H::Own, H::Own, H::Own, H::Spouse, H::MinorChild, H::DependentChild, H::Household, H::Parent, H::Unknown]);
    let class =
        select(vec![C::Equity, C::Equity, C::Equity, C::Bond, C::Option, C::PrivateStake, C::SectorFund, C::DiversifiedFund, C::Unknown]);
    let value = select(vec![
        (Some(0), Some(0)),
        (Some(1_001), Some(15_000)),
        (Some(5_000), Some(5_000)),
        (Some(15_000), Some(15_000)),
        (Some(10_001), Some(10_001)),
        (Some(15_001), Some(50_000)),
        (Some(50_001), None),
        (None, None),
    ]);
    let kind = select(vec![K::Serves, K::Served, K::Seeking, K::Business, K::ActiveIn, K::CoveredPayment]);
    let issuer = || proptest::option::weighted(0.8, select(ISSUERS.to_vec()));
    let papers = select(vec![AgreementKind::Waiver208, AgreementKind::Authorization502]);
    let traded = select(vec![
        TradeKind::Purchase,
        TradeKind::Purchase,
        TradeKind::Sale,
        TradeKind::PartialSale,
        TradeKind::Exchange,
        TradeKind::Unknown,
    ]);
    prop_oneof![
        2 => ((0..4usize, who(), relation(), class.clone()), (issuer(), traded, -2..=1i8))
            .prop_map(|((id, who, relation, class), (issuer, kind, day))| What::Trade { id, who, relation, class, issuer, kind, day }),
        4 => ((0..6usize, who(), relation(), class), (issuer(), value, -1..=0i8))
            .prop_map(|((id, who, relation, class), (issuer, value, day))| What::Holding { id, who, relation, class, issuer, value, day }),
        3 => ((0..3usize, who(), kind, relation()), (issuer(), of(select(vec![-800i16, -700, -3, 0, 2])), of(select(vec![-400i16, -300, -1, 0, 1]))))
            .prop_map(|((id, who, kind, relation), (issuer, from_day, to_day))| What::Tie { id, who, kind, relation, issuer, from_day, to_day }),
        1 => (who(), papers, of(ahead())).prop_map(|(who, kind, ends)| What::Paper { who, kind, ends }),
    ]
}

fn matter_ops() -> impl Strategy<Value = What> {
    use Effect::{Allow, Deny, Refer};
    use SubmissionStatus as S;
    let any_effect = || select(vec![Allow, Refer, Deny]);
    let effects = |first: Vec<Effect>| (select(first), any_effect(), any_effect()).prop_map(|(a, b, c)| [a, b, c]);
    prop_oneof![
        3 => (
            (0..EDGES.len(), select(EDGE_STARTS.to_vec()), select(EDGE_RELATIONS.to_vec()), select(EDGE_ENDS.to_vec())),
            any::<bool>(), of(-2..3i8), of(-2..3i8)
        )
            .prop_map(|((id, from, relation, to), confirmed, from_day, to_day)| What::Edge { id, from, relation, to, confirmed, from_day, to_day }),
        2 => (
            submission_id(), select(vec![S::Open, S::Open, S::Suspended]), proptest::option::weighted(0.2, around()), ahead(),
            proptest::option::weighted(0.3, around()), proptest::option::weighted(0.3, around())
        )
            .prop_map(|(id, status, revoked, closes, cleansed, released)| What::Submission { id, status, revoked, closes, cleansed, released }),
        2 => (
            (1..3u32, effects(vec![Refer, Deny]), effects(vec![Deny]), any_effect(), any::<bool>(), select(vec![-1, 0, 1, HOUR as i64, DAY as i64])),
            proptest::option::weighted(0.3, select(vec![3_600u64, 86_400, 259_200]))
        )
            .prop_map(|((approvals, on_refer, on_block, without, notice, effective), feed)| What::Policy { approvals, on_refer, on_block, without, notice, effective, feed }),
        1 => of(any::<bool>()).prop_map(|stopped| What::Model { stopped }),
        1 => Just(What::Feed),
    ]
}

fn who() -> impl Strategy<Value = &'static str> {
    prop_oneof![3 => Just(SUBJECT), 2 => select(PEOPLE.to_vec())]
}

fn submission_id() -> impl Strategy<Value = &'static str> {
    prop_oneof![3 => Just(SUBMISSION), 1 => Just(SUBMISSION_2)]
}

/// Before, at, or after now.
fn around() -> impl Strategy<Value = i64> {
    const H: i64 = HOUR as i64;
    select(vec![-48 * H, -H, -1, 0, 1, H, 24 * H, 60 * H])
}

/// Mostly after now.
fn ahead() -> impl Strategy<Value = i64> {
    const H: i64 = HOUR as i64;
    select(vec![0, 1, H, 24 * H, 48 * H, 120 * H, 240 * H])
}
