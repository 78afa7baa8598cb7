//! What holds in every history: nothing unknown clears, facts against somebody never help them, and a watch list shows nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use core::mem::{Discriminant, discriminant};

use countersign_conflict::{Ask, Facts, Refusal, assess};
use countersign_entry::ids::{LeafIndex, PersonId, PrincipalId, SubmissionId};
use countersign_entry::record::*;
use countersign_entry::time::{DAY, Micros};
use countersign_testing::history::{self, BOUND, FORBIDDEN_ISSUERS, Op, PEOPLE, SCOPES, SUBMISSIONS, What};
use countersign_testing::scene::*;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// One question and its answer, under a name that is the same in two worlds.
type Answers = Vec<(String, Assessment)>;

fn answers(facts: &Facts, at: Micros) -> Answers {
    let mut out = Vec::new();
    let (officer, approver): (PrincipalId, PrincipalId) = (text(OFFICER), text(APPROVER));
    for (person, submission) in PEOPLE.iter().flat_map(|p| SUBMISSIONS.iter().map(move |s| (*p, *s))) {
        let (person_id, submission_id): (PersonId, SubmissionId) = (text(person), text(submission));
        let mut ask = |name: String, ask: Ask<'_>| {
            out.push((format!("{person} {submission} {name}"), assess(facts, at, &person_id, &submission_id, ask).into_record()))
        };
        for needs in [true, false] {
            let request = Ask::Request { requester: &officer, needs_participation: needs, expires_at: at.plus(HOUR) };
            ask(format!("request {needs}"), request);
        }
        ask("access without a grant".into(), Ask::Access { grant: None, occurred_at: at });
        for (index, grant) in facts.grants() {
            ask(format!("access {index}"), Ask::Access { grant: Some(index), occurred_at: at });
            if (&grant.request.person, &grant.request.submission) == (&person_id, &submission_id) {
                ask(format!("approve {index}"), Ask::Approve { grant, approver: &approver });
                ask(format!("activate {index}"), Ask::Activate { grant, officer: &officer });
                ask(format!("recheck {index}"), Ask::Recheck { grant });
            }
        }
    }
    out
}

fn never_better(before: &Answers, after: &Answers) -> Result<(), TestCaseError> {
    prop_assert_eq!(before.len(), after.len());
    for ((name, was), (_, is)) in before.iter().zip(after) {
        let (w, i) = ([was.participate, was.hold, was.trade], [is.participate, is.hold, is.trade]);
        prop_assert!(w.iter().zip(&i).all(|(w, i)| w <= i), "{}: {:?} became {:?}", name, w, i);
        prop_assert!(was.decision <= is.decision, "{}: {:?} became {:?}", name, was.decision, is.decision);
    }
    Ok(())
}

/// The facts with one more entry.
fn with(scene: &Scene, facts: &Facts, record: impl Into<Record>) -> Facts {
    let mut more = facts.clone();
    more.apply(LeafIndex(facts.size()), scene.next_at(), &text(ETHICS), &record.into());
    more
}

fn played(ops: &[Op]) -> Scene {
    let mut scene = history::beginning();
    history::play(&mut scene, ops);
    scene
}

/// What a requester, an approver or anybody else but the ethics role may know of a decision.
#[derive(Debug, Clone, PartialEq)]
struct Seen {
    verdicts: [Outcome; 3],
    decision: Decision,
    reasons: Vec<(String, Verdict, Outcome)>,
    obligations: Vec<Obligation>,
}

/// What somebody without the ethics role learns from asking.
type Learned = Result<Option<Seen>, Discriminant<Refusal>>;

fn seen(scene: &Scene, outcome: Result<LeafIndex, Refusal>) -> Learned {
    let index = outcome.map_err(|refusal| discriminant(&refusal))?;
    Ok(scene.at(index).assessment().map(|a| Seen {
        verdicts: [a.participate, a.hold, a.trade],
        decision: a.decision,
        reasons: a.reasons.iter().map(|r| (r.rule.to_string(), r.bears_on, r.outcome)).collect(),
        obligations: a.obligations.clone(),
    }))
}

/// Plays a history whose watch lists stay watch lists, with or without what is put on them.
fn surveyed(ops: &[Op], watching: bool) -> Vec<(Option<Learned>, Vec<GrantState>)> {
    let mut scene = history::beginning();
    let mut out = Vec::new();
    for op in ops {
        // What is due is recorded a second before each op, so that a case more or less does not move the op itself.
        scene.advance(op.after.max(SECOND));
        scene.settle();
        scene.advance(SECOND);
        let on_watch = matches!(op.what, What::Item { list: WATCH, .. });
        let outcome = (watching || !on_watch).then(|| history::step(&mut scene, &Op { after: 0, ..op.clone() }));
        let outcome = outcome.filter(|_| !on_watch).map(|o| seen(&scene, o));
        out.push((outcome, scene.facts().grants().map(|(_, g)| g.state).collect()));
    }
    out
}

/// Lists keep their kind, and items of the watch list have ids of their own.
fn apart(mut ops: Vec<Op>) -> Vec<Op> {
    ops.retain(|op| !matches!(op.what, What::List { id, kind, .. } if (id == WATCH) != (kind == ListKind::Watch)));
    for op in &mut ops {
        if let What::Item { id, list: WATCH, .. } = &mut op.what {
            *id += 100;
        }
    }
    ops
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_not_known_is_never_cleared(ops in history::history(20), later in 0..48 * HOUR, needs in any::<bool>()) {
        let scene = played(&ops);
        let at = scene.next_at().plus(later);
        let officer: PrincipalId = text(OFFICER);
        let ask = || Ask::Request { requester: &officer, needs_participation: needs, expires_at: at.plus(1) };
        let empty = Facts::default();
        let known = (text::<PersonId>(SUBJECT), text::<SubmissionId>(SUBMISSION));
        let unknown = (text::<PersonId>("P-nobody"), text::<SubmissionId>("S-nothing"));
        for (facts, person, submission) in [(&empty, &known.0, &known.1), (scene.facts(), &unknown.0, &known.1), (scene.facts(), &known.0, &unknown.1)] {
            for ask in [ask(), Ask::Access { grant: None, occurred_at: at }] {
                let a = assess(facts, at, person, submission, ask).into_record();
                prop_assert!(a.decision != Decision::Cleared, "{:?}", a);
                prop_assert!(a.participate > Outcome::Clear && a.hold > Outcome::Clear && a.trade > Outcome::Clear, "{:?}", a);
            }
        }
    }

    #[test]
    fn a_recusal_never_helps(ops in history::history(20), who in select(PEOPLE.to_vec()), scope in select(SCOPES.to_vec())) {
        let scene = played(&ops);
        let more = with(&scene, scene.facts(), recusal("rc-more", who, scope));
        never_better(&answers(scene.facts(), scene.next_at()), &answers(&more, scene.next_at()))?;
    }

    #[test]
    fn a_restricted_item_never_helps(ops in history::history(20), scope in select(SCOPES.to_vec()), authority in any::<bool>()) {
        let scene = played(&ops);
        let listed = with(&scene, scene.facts(), list("more", ListKind::Restricted, authority.then_some("A statute")));
        let more = with(&scene, &listed, item("it-more", "more", scope));
        never_better(&answers(scene.facts(), scene.next_at()), &answers(&more, scene.next_at()))?;
    }

    #[test]
    fn a_prohibited_holding_never_helps(ops in history::history(20), issuer in select(FORBIDDEN_ISSUERS.to_vec()), binds in select(BOUND.to_vec())) {
        let scene = played(&ops);
        let listed = with(&scene, scene.facts(), prohibited("more", binds));
        let more = with(&scene, &listed, item("it-more", "more", issuer));
        never_better(&answers(scene.facts(), scene.next_at()), &answers(&more, scene.next_at()))?;
    }

    #[test]
    fn ending_an_agreement_never_helps(ops in history::history(20), pick in any::<Index>()) {
        let scene = played(&ops);
        let signed: Vec<&Agreement> = scene.facts().agreements().map(|k| &k.record).collect();
        let ended = Agreement { expires_at: Some(text("2026-05-01")), ..(*pick.get(&signed)).clone() };
        let more = with(&scene, scene.facts(), ended);
        never_better(&answers(scene.facts(), scene.next_at()), &answers(&more, scene.next_at()))?;
    }

    #[test]
    fn a_watch_list_item_changes_no_answer(ops in history::history(20), scope in select(SCOPES.to_vec())) {
        let scene = played(&ops);
        let listed = with(&scene, scene.facts(), list("more", ListKind::Watch, Some("A statute")));
        let more = with(&scene, &listed, item("it-more", "more", scope));
        let (before, mut after) = (answers(scene.facts(), scene.next_at()), answers(&more, scene.next_at()));
        for ((_, was), (_, is)) in before.iter().zip(&mut after) {
            is.watch.clone_from(&was.watch);
        }
        prop_assert_eq!(before, after);
        prop_assert!(more.consequences(LeafIndex(listed.size()), scene.next_at(), &item("it-more", "more", scope).into()).is_empty());
    }

    #[test]
    fn a_watch_list_changes_nothing_anybody_sees(ops in history::history(30).prop_map(apart)) {
        let (watched, unwatched) = (surveyed(&ops, true), surveyed(&ops, false));
        for (i, (w, u)) in watched.iter().zip(&unwatched).enumerate() {
            prop_assert_eq!(w, u, "op {} {:?}", i, ops[i]);
        }
    }

    #[test]
    fn no_grant_stays_active_that_would_not_be_cleared_now(ops in history::history(6), later in 0..3 * DAY, needs in any::<bool>()) {
        let granted = |submission| Op { after: 0, actor: OFFICER, what: What::WholeGrant { who: SUBJECT, submission, needs } };
        let mut scene = played(&[&[granted(SUBMISSION), granted(history::SUBMISSION_2)], &ops[..]].concat());
        scene.advance(later);
        let at = scene.settle();
        for (index, grant) in scene.facts().grants().filter(|(_, g)| g.state == GrantState::Active) {
            let now = assess(scene.facts(), at, &grant.request.person, &grant.request.submission, Ask::Recheck { grant }).into_record();
            prop_assert_eq!(now.decision, Decision::Cleared, "grant {:?}: {:?}", index, now);
            prop_assert!([now.participate, now.hold, now.trade].iter().zip(&grant.basis).all(|(now, then)| now <= then), "grant {:?}: {:?}", index, now);
        }
    }

    #[test]
    fn a_suspension_names_what_caused_it(ops in history::history(40)) {
        let scene = played(&ops);
        for entry in scene.entries() {
            let Record::GrantTransition(t) = &entry.record else { continue };
            let (Some(cause), GrantState::Suspended) = (t.cause, t.to) else { continue };
            let Record::GrantRequest(grant) = scene.at(t.grant) else { panic!("a grant is a request") };
            match scene.at(cause) {
                Record::Recusal(r) => prop_assert_eq!(&r.person, &grant.person),
                Record::Holding(r) => prop_assert_eq!(&r.person, &grant.person),
                Record::Trade(r) => prop_assert_eq!(&r.person, &grant.person),
                Record::Relationship(r) => prop_assert_eq!(&r.person, &grant.person),
                Record::Person(r) => prop_assert_eq!(&r.id, &grant.person),
                Record::Submission(r) => prop_assert_eq!(&r.id, &grant.submission),
                Record::ListItem(r) => prop_assert!(!matches!(only_kind(&scene, &r.list), Some(ListKind::Watch)), "{:?}", r),
                Record::Model(r) => {
                    let model = scene.entries().iter().rev().find_map(|e| match &e.record {
                        Record::Submission(s) if s.id == grant.submission => Some(s.model.clone()),
                        _ => None,
                    });
                    prop_assert_eq!(model.flatten(), Some(r.id.clone()));
                }
                Record::Principal(r) => prop_assert_eq!(Some(&r.id), scene.facts().grant(t.grant).map(|g| &g.requester)),
                Record::Policy(_) => {}
                Record::Agreement(_) | Record::List(_) | Record::Exposure(_) | Record::Import(_) => {}
                other => prop_assert!(false, "a grant suspended by {}", other.type_name()),
            }
        }
    }
}

/// The kind a list has had all along, where it has had only one.
fn only_kind(scene: &Scene, id: &countersign_entry::ids::RecordId) -> Option<ListKind> {
    let mut kinds = scene.entries().iter().filter_map(|e| match &e.record {
        Record::List(l) if l.id == *id => Some(l.kind),
        _ => None,
    });
    let first = kinds.next()?;
    kinds.all(|k| k == first).then_some(first)
}
