//! Questions as of any entry: what is asked later about an earlier size gets the answer that was given then; and the insider list against a slow
//! reading of every entry.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stderr, reason = "a panic is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use countersign_entry::ids::{LeafIndex, PersonId, RequestKey, SubmissionId};
use countersign_entry::record::*;
use countersign_entry::time::{DAY, Micros};
use countersign_ledger::query::{AsOf, Page, Standing, View, ViewError};
use countersign_ledger::{Access, Ledger, Notice, Request};
use countersign_testing::history::{self, ISSUERS, Op, PEOPLE, SUBMISSIONS, What};
use countersign_testing::ledger::{World, verified};
use countersign_testing::scene::{
    self, APPROVER, APPROVER_2, ETHICS, GATEWAY, OFFICER, OPERATOR, SEQUENCER, move_to, request, superseding, text,
};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

/// What histories of the rules leave out: interests, process, attempts that failed and accesses that were wrongly told. Entries and days are
/// counted round.
#[derive(Debug, Clone)]
enum Step {
    Op(Op),
    Trade { id: u8, who: &'static str, issuer: Option<&'static str>, days: i64 },
    Holding { id: u8, who: &'static str, issuer: Option<&'static str> },
    Relationship { who: &'static str },
    Roster { who: &'static str },
    Hold { who: &'static str },
    Refused { who: &'static str },
    Corrected { which: usize, who: &'static str },
    Wrong { entry: u64 },
    Read { who: &'static str },
}

fn step() -> impl Strategy<Value = Step> {
    let who = || select(PEOPLE.to_vec());
    let issuer = || of(select(ISSUERS.to_vec()));
    prop_oneof![
        12 => history::history(1).prop_map(|mut ops| Step::Op(ops.remove(0))),
        3 => (0..3u8, who(), issuer(), -3..3i64).prop_map(|(id, who, issuer, days)| Step::Trade { id, who, issuer, days }),
        1 => (0..3u8, who(), issuer()).prop_map(|(id, who, issuer)| Step::Holding { id, who, issuer }),
        1 => who().prop_map(|who| Step::Relationship { who }),
        1 => who().prop_map(|who| Step::Roster { who }),
        1 => who().prop_map(|who| Step::Hold { who }),
        1 => who().prop_map(|who| Step::Refused { who }),
        2 => (any::<usize>(), who()).prop_map(|(which, who)| Step::Corrected { which, who }),
        1 => any::<u64>().prop_map(|entry| Step::Wrong { entry }),
        1 => who().prop_map(|who| Step::Read { who }),
    ]
}

/// A ledger with the furniture of every history, recorded by those who may.
fn furnished() -> (World, Ledger) {
    let entries = history::beginning().entries().to_vec();
    let by_operator = entries.iter().take_while(|e| e.meta.actor == OPERATOR).count();
    let (first, rest) = entries.split_at(by_operator);
    let (world, mut ledger) = World::start_with(&text(OPERATOR), &text(SEQUENCER), first.iter().map(|e| e.record.clone()).collect());
    for entry in rest {
        assert!(ask(&mut ledger, &entry.meta.actor, entry.record.clone()), "{:?}", entry.record);
    }
    (world, ledger)
}

/// Asks for a record; whether it was recorded.
fn ask(ledger: &mut Ledger, actor: &str, record: impl Into<Record>) -> bool {
    let key = RequestKey::new(format!("k-{}", ledger.size())).unwrap();
    ledger.append(Request { actor: text(actor), key, record: record.into(), signed: None }).is_ok()
}

fn play(world: &World, ledger: &mut Ledger, step: &Step) {
    world.clock.advance(if let Step::Op(op) = step { op.after } else { 1_000_000 });
    let now = ledger.now();
    let day = |days: i64| {
        let at = i64::try_from(now.value()).unwrap() + days * i64::try_from(DAY).unwrap();
        countersign_entry::ids::Date::of(Micros::new(at.unsigned_abs()).unwrap())
    };
    let (actor, record): (&str, Record) = match step {
        Step::Op(Op { what: What::WholeGrant { who, submission, needs }, .. }) => return whole_grant(ledger, who, submission, *needs),
        Step::Op(op) => (op.actor, history::asked(ledger.facts(), now, &op.what)),
        Step::Trade { id, who, issuer, days } => (ETHICS, scene::trade(&format!("t-{id}"), who, *issuer, day(*days).as_str()).into()),
        Step::Holding { id, who, issuer } => (ETHICS, scene::holding(&format!("h-{id}"), who, *issuer, day(0).as_str()).into()),
        Step::Relationship { who } => (
            ETHICS,
            Relationship {
                id: text("tie"),
                person: text(who),
                kind: RelationshipKind::Serves,
                relation: HolderRelation::Own,
                issuer: Some(text(ISSUERS[0])),
                organization: None,
                from: None,
                until: None,
                provenance: None,
                supersedes: None,
            }
            .into(),
        ),
        Step::Roster { who } => (
            OPERATOR,
            RosterEntry {
                id: text("seat"),
                organization: text("agency"),
                person: text(who),
                contact: false,
                from: now,
                until: None,
                supersedes: None,
            }
            .into(),
        ),
        Step::Hold { who } => {
            let scope = ledger.facts().cases().next().map_or(HoldScope::Person(text(who)), |(case, _)| HoldScope::Case(case));
            (ETHICS, LegalHold { id: text("hold"), scope, authority: text("inquiry"), from: now, until: None, supersedes: None }.into())
        }
        Step::Refused { who } => (GATEWAY, AccessEvent { result: Some(AccessResult::Refused), ..scene::access(who, None, now) }.into()),
        Step::Corrected { which, who } => {
            let accesses: Vec<_> = (0..ledger.size()).map(LeafIndex).filter(|i| ledger.facts().is_access(*i)).collect();
            let Some(earlier) = accesses.get(which % accesses.len().max(1)) else { return };
            (GATEWAY, AccessEvent { supersedes: Some(*earlier), ..scene::access(who, None, now) }.into())
        }
        Step::Wrong { entry } => (ETHICS, Correction { target: LeafIndex(entry % ledger.size()), reason: text("wrong") }.into()),
        Step::Read { who } => {
            (ETHICS, Read { question: text("person"), subject: text(who), rows: 0, as_of: ledger.size(), inquiry: None }.into())
        }
    };
    let record = if let Record::AccessEvent(_) = record { record } else { superseding(ledger.facts(), record) };
    ask(ledger, actor, record);
}

fn whole_grant(ledger: &mut Ledger, who: &str, submission: &str, needs: bool) {
    let asked = GrantRequest { submission: text(submission), needs_participation: needs, ..request(who, ledger.now().plus(3 * DAY)) };
    let index = LeafIndex(ledger.size());
    ask(ledger, OFFICER, asked);
    for (actor, to) in [(APPROVER, GrantState::Approved), (APPROVER_2, GrantState::Approved), (OFFICER, GrantState::Active)] {
        ask(ledger, actor, move_to(index, to));
    }
}

/// Every question about everything there is to ask about.
fn answers(view: &View<'_>) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    for issuer in ISSUERS {
        let (from, until) = (Micros::EPOCH, Micros::EPOCH.plus(u64::MAX));
        writeln!(out, "{:?}", view.who_touched_issuer(&text(issuer), from, until, Page::ALL).unwrap()).unwrap();
    }
    for person in PEOPLE.iter().chain(&["P-nobody"]) {
        writeln!(out, "{:?}", view.person_timeline(&text(person), Page::ALL).unwrap()).unwrap();
        writeln!(out, "{:?}", view.changed(view.size() / 2, None, Some(&text(person)), Page::ALL).unwrap()).unwrap();
    }
    for submission in SUBMISSIONS {
        writeln!(out, "{:?}", view.submission_timeline(&text(submission), Page::ALL).unwrap()).unwrap();
        writeln!(out, "{:?}", view.people_of_submission(&text(submission), Page::ALL).unwrap()).unwrap();
        writeln!(out, "{:?}", view.insiders(&text(submission), Page::ALL).unwrap()).unwrap();
    }
    for (person, submission) in view.facts().people_with_access() {
        writeln!(out, "{:?}", view.facts().trades_to_look_at(person, submission).collect::<Vec<_>>()).unwrap();
    }
    writeln!(out, "{:?}", view.changed(view.size() / 2, None, None, Page::ALL).unwrap()).unwrap();
    writeln!(out, "{:?}", view.changed(0, Some("access.event"), None, Page::ALL).unwrap()).unwrap();
    out
}

/// What an insider list must say of each person, read from every entry one after another: accesses that happened, first, last, and whether a grant
/// was ever open.
fn slow_insiders(ledger: &Ledger, submission: &SubmissionId) -> BTreeMap<PersonId, (u64, Option<Micros>, Option<Micros>, bool)> {
    let records: Vec<Record> = (0..ledger.size()).map(|i| ledger.entry(i).unwrap().2).collect();
    let corrected: BTreeSet<LeafIndex> =
        records.iter().filter(|r| matches!(r, Record::AccessEvent(_))).filter_map(Record::supersedes).collect();
    let mut people: BTreeMap<PersonId, (u64, Option<Micros>, Option<Micros>, bool)> = BTreeMap::new();
    for (record, index) in records.iter().zip(0u64..) {
        match record {
            Record::AccessEvent(e) if e.submission == *submission && e.result != Some(AccessResult::Refused) => {
                let row = people.entry(e.person.clone()).or_default();
                if !corrected.contains(&LeafIndex(index)) {
                    row.0 += 1;
                    row.1 = Some(row.1.map_or(e.occurred_at, |t| t.min(e.occurred_at)));
                    row.2 = Some(row.2.map_or(e.occurred_at, |t| t.max(e.occurred_at)));
                }
            }
            Record::GrantTransition(t) if t.result == Some(GrantState::Active) => {
                let Record::GrantRequest(r) = &records[usize::try_from(t.grant.0).unwrap()] else { panic!("{t:?}") };
                if r.submission == *submission {
                    people.entry(r.person.clone()).or_default().3 = true;
                }
            }
            _ => {}
        }
    }
    people
}

fn same_insiders(ledger: &Ledger) {
    for submission in SUBMISSIONS {
        let slow = slow_insiders(ledger, &text(submission));
        let list = ledger.view().insiders(&text(submission), Page::ALL).unwrap().unwrap();
        let rows = list.people.rows.iter().map(|r| {
            let granted = matches!(r.standing, Standing::Accessed | Standing::NeverAccessed);
            assert_eq!(granted, r.grant.is_some());
            assert_eq!(r.accesses == 0, matches!(r.standing, Standing::NeverAccessed | Standing::Corrected) || r.obtained_at.is_none());
            (r.person.clone(), (r.accesses, r.obtained_at, r.last_access_at, granted))
        });
        assert_eq!(rows.collect::<BTreeMap<_, _>>(), slow);
    }
}

/// Files of the index and the snapshot.
fn kept_files(dir: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { out.extend(kept_files(&path)) } else { out.push(path) }
    }
    out.sort();
    out.retain(|p| !p.ends_with("data.keys"));
    out
}

/// What can happen to a file that nobody promised to keep.
fn harm(path: &Path, how: u8, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    let at = at % bytes.len().max(1);
    match how % 4 {
        0 => return fs::remove_file(path).unwrap(),
        1 => bytes.truncate(at),
        2 => bytes.iter_mut().skip(at).take(1).for_each(|b| *b ^= 1 << (how % 8)),
        _ => bytes.iter_mut().skip(at).take(64).for_each(|b| *b = 0),
    }
    fs::write(path, bytes).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]
    #[test]
    fn whatever_happens_to_index_and_snapshot_the_answers_stay(
        steps in vec(step(), 20..60), restarts in vec(0..60usize, 0..4), harms in vec((any::<u8>(), any::<usize>(), any::<usize>()), 1..8)
    ) {
        let (mut world, ledger) = furnished();
        drop(ledger);
        // Snapshots every few entries, some of which are kept for questions as of then.
        world.kept = Some((16, 2));
        let mut ledger = world.open(Access::Write).unwrap();
        let mut then = (0, answers(&ledger.view()));
        for (n, step) in steps.iter().enumerate() {
            play(&world, &mut ledger, step);
            if n == steps.len() / 2 {
                then = (ledger.size(), answers(&ledger.view()));
            }
            if restarts.contains(&n) {
                drop(ledger);
                ledger = world.open(Access::Write).unwrap();
            }
        }
        let standing = ledger.standing();
        prop_assert_eq!((standing.indexed + standing.index_lag, standing.index_trouble), (ledger.size(), None));
        let asked = answers(&ledger.view());
        let repeat = |ledger: &mut Ledger| {
            let (_, meta, record) = ledger.entry(12).unwrap();
            let request = Request { actor: text(&meta.actor), key: text(&meta.request), record, signed: None };
            ledger.append(request).map(|r| (r.index, r.repeated, r.tlog_proof().unwrap()))
        };
        drop(ledger);

        // As it was left: taken up, nothing made anew.
        world.told.lock().unwrap().clear();
        let mut ledger = world.open(Access::Write).unwrap();
        let told = world.told.lock().unwrap().join("\n");
        prop_assert_eq!(told, "");
        prop_assert!(ledger.standing().indexed >= 32 && ledger.standing().index_lag < 16);
        prop_assert!(ledger.standing().snapshot_size >= ledger.size() - 2);
        prop_assert_eq!(&answers(&ledger.view()), &asked);
        let receipt = repeat(&mut ledger).unwrap();
        prop_assert!(receipt.0 == 12 && receipt.1);
        let as_of_then = |ledger: &Ledger| answers(&ledger.view_as_of(AsOf::Size(then.0), &mut |_| {}).unwrap());
        prop_assert_eq!(&as_of_then(&ledger), &then.1);
        drop(ledger);

        for (how, which, at) in harms {
            let files = kept_files(&world.beside_path());
            harm(&files[which % files.len()], how, at);
            let mut ledger = world.open(Access::Write).unwrap();
            prop_assert_eq!((ledger.read_only(), ledger.standing().index_trouble), (None, None));
            prop_assert_eq!(&answers(&ledger.view()), &asked);
            prop_assert_eq!(&as_of_then(&ledger), &then.1);
            prop_assert_eq!(&repeat(&mut ledger).unwrap(), &receipt);
        }
        // Without any of it, and by a reader, who has none.
        fs::remove_dir_all(world.beside_path().join("index")).unwrap();
        let reader = world.open(Access::Read).unwrap();
        prop_assert_eq!(&answers(&reader.view()), &asked);
        verified(&reader);
    }
}

/// An index or snapshot of another ledger, or of another past of this one, is not taken for this one's.
#[test]
fn what_another_ledger_kept_is_not_taken_up() {
    let made = || {
        let (mut world, ledger) = furnished();
        drop(ledger);
        world.kept = Some((16, 24));
        drop(world.open(Access::Write).unwrap());
        world
    };
    let (mut one, other) = (made(), made());
    for file in kept_files(&other.beside_path()) {
        let to = one.beside_path().join(file.strip_prefix(other.beside_path()).unwrap());
        fs::copy(&file, to).unwrap();
    }
    let ledger = one.open(Access::Write).unwrap();
    let told = one.told.lock().unwrap().join("\n");
    assert!(told.contains("the snapshot is not used: it does not authenticate") && told.contains("the index is made anew"), "{told}");
    drop(ledger);
    let kept = one.kept.take();
    let asked = answers(&one.open(Access::Read).unwrap().view());
    one.kept = kept;
    assert_eq!(answers(&one.open(Access::Write).unwrap().view()), asked);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn an_answer_as_of_an_entry_is_the_answer_that_was_given_then(steps in vec(step(), 1..40)) {
        let (mut world, mut ledger) = furnished();
        let mut given = BTreeMap::new();
        for step in &steps {
            play(&world, &mut ledger, step);
            let view = ledger.view();
            given.insert(view.size(), (answers(&view), ledger.root(), view.at()));
        }
        same_insiders(&ledger);
        drop(ledger);
        for kept in [None, Some((16, 2))] {
            world.kept = kept;
            // With somewhere to keep them, a replay of everything leaves snapshots behind, which a reader goes on from.
            drop(world.open(Access::Write).unwrap());
            let ledger = world.open(Access::Read).unwrap();
            for (size, (answers_then, root, at)) in &given {
                let mut told = 0;
                let mut hear = |notice: Notice<'_>| {
                    if let Notice::Doing { done, of, .. } = notice {
                        told = u64::from(of == *size) * done;
                    }
                };
                let view = ledger.view_as_of(AsOf::Size(*size), &mut hear).unwrap();
                prop_assert!(told == *size || *size == ledger.size());
                prop_assert_eq!(&answers(&view), answers_then);
                prop_assert_eq!(view.answer(Vec::<()>::new()).root, *root);
                prop_assert_eq!(ledger.size_as_of(AsOf::Time(*at)).unwrap(), *size);
            }
            verified(&ledger);
        }
    }
}

#[test]
fn as_of_nothing_and_of_what_is_not_there_yet() {
    let (_world, ledger) = furnished();
    let nothing = ledger.view_as_of(AsOf::Size(0), &mut |_| ()).unwrap();
    assert!(nothing.facts().persons().next().is_none() && nothing.changed(0, None, None, Page::ALL).unwrap().rows.is_empty());
    assert_eq!(ledger.size_as_of(AsOf::Time(Micros::EPOCH)).unwrap(), 0);
    assert_eq!(ledger.size_as_of(AsOf::Time(Micros::EPOCH.plus(u64::MAX))).unwrap(), ledger.size());
    let size = ledger.size();
    assert!(
        matches!(ledger.view_as_of(AsOf::Size(size + 1), &mut |_| ()), Err(ViewError::Beyond { asked, size: s }) if asked == size + 1 && s == size)
    );
}
