//! Section 10, replay: a ledger under a policy, and outcomes that the rules do not give, under good hashes and signatures.
//!
//! The story is recorded by the same decisions as a sequencer's ([`Scene`]); a forger then changes one record and writes the ledger anew.

use std::collections::BTreeMap;

use countersign_entry::ids::{Hash32, LeafIndex};
use countersign_entry::leaf::Kind;
use countersign_entry::record::*;
use countersign_entry::seal::{DataKey, Scheme};
use countersign_entry::time::DAY;
use countersign_verify::Verdict;

use super::{Base, Vector};
use crate::forge::{Forge, data_key, sha, signing, vkey};
use crate::ledger;
use crate::scene::{Entry, Scene, text};

const ORIGIN: &str = "ledger.example/ruled";
const MINUTE: u64 = 60_000_000;

/// The base ledger as records, with names for the entries that vectors change.
pub(super) struct Story {
    entries: Vec<Entry>,
    labels: BTreeMap<&'static str, usize>,
}

pub(super) fn base() -> Base {
    let forge = Story::tell().forge();
    let files = forge.export();
    Base::made("ruled", forge, files)
}

pub(super) fn vectors(base: &Base) -> Vec<Vector> {
    let mut out = decisions(base);
    out.extend(approvals(base));
    out.extend(follow_ups(base));
    out.extend(rights(base));
    out
}

/// Records by a scene, and remembers where.
struct Teller {
    scene: Scene,
    labels: BTreeMap<&'static str, usize>,
}

impl Teller {
    fn put(&mut self, label: &'static str, actor: &str, record: impl Into<Record>) -> LeafIndex {
        self.scene.advance(1_500_000);
        let index = self.scene.must(&format!("pr-{actor}"), record);
        self.labels.insert(label, usize::try_from(index.0).unwrap());
        index
    }
}

impl Story {
    /// Two people: `ada1` is granted access, uses it, and is recused; `bob1` is recused from the start and denied.
    pub(super) fn tell() -> Self {
        let mut t = Teller { scene: Scene::empty(), labels: BTreeMap::new() };
        furnish(&mut t);
        let now = t.scene.now();
        let submission = text("S-0001");
        let end = now.plus(5 * DAY);
        t.put(
            "watch-list",
            "ethics",
            List {
                id: text("watch"),
                kind: ListKind::Watch,
                name: text("Watch list"),
                authority: None,
                binds: None,
                supersedes: None,
                approvals: vec![],
            },
        );
        let item = |supersedes| ListItem {
            id: text("item-1"),
            list: text("watch"),
            subject: text("provider:lab"),
            from: now,
            until: None,
            reason: text("Open matter"),
            supersedes,
            approvals: vec![],
        };
        let first_item = t.put("watch-item", "ethics", item(None));
        t.put("recusal-bob", "ethics", recusal("rec-bob", "bob1", now));
        t.put("denied", "deputy", ledger::grant_request("bob1", &submission, end));
        let grant = t.put("grant", "deputy", ledger::grant_request("ada1", &submission, end));
        t.put("approval-1", "approver1", ledger::transition(grant.0, GrantState::Approved));
        t.put("approval-2", "approver2", ledger::transition(grant.0, GrantState::Approved));
        t.put("activation", "officer", ledger::transition(grant.0, GrantState::Active));
        let seen = t.scene.now();
        t.put("access", "gateway", ledger::access("ada1", &submission, Some(grant.0), seen));
        t.put("stray", "gateway", ledger::access("ada1", &submission, None, seen));
        t.put("read-0", "ethics", read());
        t.put("recusal-ada", "ethics", recusal("rec-ada", "ada1", seen));
        t.put("read-1", "ethics", read());
        t.scene.advance(16 * MINUTE);
        t.put("read-2", "ethics", read());
        t.put("item-again", "ethics", item(Some(first_item)));
        t.put("read-3", "ethics", read());
        Self { entries: t.scene.entries().to_vec(), labels: t.labels }
    }

    pub(super) fn label(&self, label: &str) -> usize {
        self.labels[label]
    }

    /// Forgets what comes after, so that one change does not touch later decisions.
    pub(super) fn cut(&mut self, size: usize) {
        self.entries.truncate(size);
    }

    /// Writes it down as a ledger.
    pub(super) fn forge(&self) -> Forge {
        let keys = [1, 2].map(|id| (id, data_key(id))).into();
        let mut forge = Forge::new(ORIGIN, signing("ruled"), keys, self.entries[0].meta.at);
        for (index, entry) in self.entries.iter().enumerate() {
            let mut n = 0u32;
            let salt = || {
                n += 1;
                sha(format!("{index} {n}").as_bytes())[..16].try_into().unwrap()
            };
            let meta = &entry.meta;
            let content = entry.record.content(meta.at, &meta.actor, &meta.request, meta.signed.as_deref(), salt).unwrap();
            let sealed = match &entry.record {
                Record::AccessEvent(_) => Some((Scheme::AesGcm, 2)),
                other => (other.kind() == Kind::Entry).then_some((Scheme::XChaCha, 1)),
            };
            forge.push_content(entry.record.kind(), &content, meta.at, sealed);
        }
        forge
    }

    fn assessment(&mut self, index: usize) -> &mut Assessment {
        match &mut self.entries[index].record {
            Record::GrantRequest(r) => r.assessment.as_mut(),
            Record::GrantTransition(r) => r.assessment.as_mut(),
            Record::AccessEvent(r) => r.assessment.as_mut(),
            _ => None,
        }
        .unwrap()
    }

    fn transition(&mut self, index: usize) -> &mut GrantTransition {
        match &mut self.entries[index].record {
            Record::GrantTransition(r) => r,
            other => panic!("{} is no move of a grant", other.type_name()),
        }
    }

    fn request(&mut self, index: usize) -> &mut GrantRequest {
        match &mut self.entries[index].record {
            Record::GrantRequest(r) => r,
            other => panic!("{} is no request", other.type_name()),
        }
    }
}

fn furnish(t: &mut Teller) {
    let key = |id: u32| DataKeyCreated { key_id: id, check: Hash32(DataKey::new(data_key(id)).check(id)) };
    let vkey = vkey(ORIGIN, &signing("ruled")).to_string();
    t.put("genesis", "founder", Genesis { origin: text(ORIGIN), format: 1, keys: vec![text(&vkey)] });
    t.put("key-1", "founder", key(1));
    t.put("key-2", "founder", key(2));
    for record in ledger::cast() {
        t.put("cast", "founder", record);
    }
    let deputy = Person {
        id: ledger::person("deputy"),
        name: text("deputy"),
        status: PersonStatus::Civilian,
        organization: text("agency"),
        supersedes: None,
    };
    t.put("deputy-person", "founder", deputy);
    let account = |who: &str, roles| Principal {
        id: ledger::principal(who),
        person: Some(ledger::person(who)),
        roles,
        os_user: None,
        disabled: false,
        supersedes: None,
    };
    t.put("deputy", "founder", account("deputy", vec![Role::AccessOfficer, Role::Approver]));
    t.put("ada", "founder", account("ada1", vec![Role::AccessOfficer]));
    t.put("provider", "founder", Provider { id: text("lab"), name: text("Lab"), supersedes: None });
    let issuer = Issuer {
        id: text("cik-0000000001"),
        name: text("Parent Corp"),
        cik: None,
        tickers: vec![],
        former_names: vec![],
        sub_industry: None,
        supersedes: None,
    };
    t.put("issuer", "founder", issuer);
    t.put("exposure", "founder", ledger::exposure("x-1", Node::Provider(text("lab")), &text("cik-0000000001"), true));
    let now = t.scene.now();
    t.put("submission", "founder", ledger::submission_record(&text("S-0001"), &text("lab"), now));
    for who in ["ada1", "bob1"] {
        for (kind, name) in [(AgreementKind::AccessTerms, "terms"), (AgreementKind::NoInterestCertification, "interests")] {
            t.put("agreement", "officer", ledger::agreement(&format!("{who}-{name}"), who, kind, now));
        }
    }
}

fn recusal(id: &str, person: &str, from: countersign_entry::time::Micros) -> Recusal {
    Recusal {
        id: text(id),
        person: ledger::person(person),
        scope: text("submission:S-0001"),
        from,
        until: None,
        ground: text("Stated by the person"),
        screening_contact: None,
        supersedes: None,
    }
}

fn read() -> Read {
    Read { question: text("submission"), subject: text("S-0001"), rows: 1, as_of: 1, inquiry: None }
}

/// The story up to and with the entry of this label, changed there.
fn changed(base: &Base, name: &str, wrong: &str, code: &str, label: &str, change: impl FnOnce(&mut Story, usize)) -> Vector {
    let mut story = Story::tell();
    let index = story.label(label);
    story.cut(index + 1);
    change(&mut story, index);
    base.forged(name, wrong, code, &story.forge()).entry(index).cut_from(index + 1)
}

fn decisions(base: &Base) -> Vec<Vector> {
    let case = |name: &str, wrong: &str, code: &str, label: &str, change: &dyn Fn(&mut Story, usize)| {
        changed(base, name, wrong, code, label, change)
    };
    vec![
        case("decision-flipped", "A request that the rules deny is recorded as cleared.", "replay-decision-differs", "denied", &|s, i| {
            s.assessment(i).decision = Decision::Cleared;
        }),
        case(
            "verdict-changed",
            "The verdict on participation of a recused person is recorded as clear.",
            "replay-verdict-differs",
            "denied",
            &|s, i| {
                s.assessment(i).participate = Outcome::Clear;
            },
        ),
        case(
            "outcome-clear",
            "The request of a recused person is recorded as clear throughout.",
            "replay-verdict-differs",
            "denied",
            &|s, i| {
                let a = s.assessment(i);
                (a.participate, a.decision) = (Outcome::Clear, Decision::Cleared);
                a.reasons.clear();
                s.request(i).result = Some(GrantState::Clear);
            },
        ),
        case("reason-dropped", "The reason for a denial is left out.", "replay-reasons-differ", "denied", &|s, i| {
            drop(s.assessment(i).reasons.pop())
        }),
        case(
            "reason-evidence",
            "A reason cites another entry than the recusal it rests on.",
            "replay-reasons-differ",
            "denied",
            &|s, i| {
                s.assessment(i).reasons[0].evidence[0] = LeafIndex(1);
            },
        ),
        case("reason-version", "A reason cites another version of its rule.", "replay-reasons-differ", "denied", &|s, i| {
            s.assessment(i).reasons[0].version += 1;
        }),
        case("result-changed", "A denied request is recorded as leaving the grant clear.", "replay-outcome-differs", "denied", &|s, i| {
            s.request(i).result = Some(GrantState::Clear);
        }),
        case("watch-dropped", "The watch item is left out of an assessment.", "replay-assessment-differs", "grant", &|s, i| {
            s.assessment(i).watch.clear()
        }),
        case("obligation-dropped", "The duty not to trade is left out of an assessment.", "replay-assessment-differs", "grant", &|s, i| {
            s.assessment(i).obligations.clear();
        }),
        case(
            "policy-changed",
            "An assessment names another entry than the policy in force.",
            "replay-assessment-differs",
            "grant",
            &|s, i| {
                s.assessment(i).policy = Some(LeafIndex(1));
            },
        ),
        case(
            "rule-set-unknown",
            "A decision was made under a rule set that this version does not have.",
            "replay-rule-set-unknown",
            "grant",
            &|s, i| {
                s.assessment(i).rule_set = Hash32([7; 32]);
            },
        )
        .verdict(Verdict::CouldNotCheck),
        case("access-without-grant", "An access under no grant is recorded as cleared.", "replay-decision-differs", "stray", &|s, i| {
            let a = s.assessment(i);
            a.decision = Decision::Cleared;
            a.reasons.clear();
        }),
        case("assessment-missing", "An access carries no assessment.", "replay-assessment-missing", "access", &|s, i| {
            if let Record::AccessEvent(event) = &mut s.entries[i].record {
                event.assessment = None;
            }
        }),
    ]
}

fn approvals(base: &Base) -> Vec<Vector> {
    let by = |label: &str, actor: &'static str, name: &str, wrong: &str| {
        changed(base, name, wrong, "replay-decision-differs", label, |s, i| s.entries[i].meta.actor = format!("pr-{actor}"))
    };
    let one_short = {
        let mut story = Story::tell();
        let (second, activation) = (story.label("approval-2"), story.label("activation"));
        story.cut(activation + 1);
        drop_entry(&mut story, second);
        base.forged("activated-one-approval-short", "A grant is activated after one approval of two.", "replay-not-allowed", &story.forge())
            .entry(activation - 1)
            .cut_from(activation + 1)
    };
    vec![
        by("activation", "ada1", "activated-by-subject", "A grant is activated by the person who gets access."),
        by("approval-1", "deputy", "approved-by-requester", "A grant is approved by the account that requested it."),
        by("approval-2", "approver1", "approved-twice-by-one", "Both approvals are by one account."),
        changed(
            base,
            "approved-by-one",
            "The first approval of two is recorded as enough.",
            "replay-outcome-differs",
            "approval-1",
            |s, i| {
                s.transition(i).result = Some(GrantState::Approved);
            },
        ),
        one_short,
    ]
}

/// Leaves an entry out. The times stay, so what follows must not name entries behind it.
fn drop_entry(story: &mut Story, index: usize) {
    story.entries.remove(index);
    story.entries[index..].iter_mut().for_each(|e| e.index -= 1);
}

fn follow_ups(base: &Base) -> Vec<Vector> {
    let without = |name: &str, wrong: &str, code: &str, dropped: usize, until: &str| {
        let mut story = Story::tell();
        let until = story.label(until);
        story.cut(until + 1);
        drop_entry(&mut story, dropped);
        base.forged(name, wrong, code, &story.forge()).cut_from(until + 1)
    };
    let story = Story::tell();
    let (recusal, after) = (story.label("recusal-ada"), story.label("read-2"));
    let nothing_found = |name: &str, wrong: &str| {
        let mut story = Story::tell();
        let end = story.entries.len();
        let Record::CaseOpened(mut case) = story.entries[after - 1].record.clone() else { unreachable!() };
        case.finding = LeafIndex(story.label("access") as u64);
        case.evidence = vec![case.finding];
        let mut last = story.entries[end - 1].clone();
        last.meta.at += 1;
        last.index += 1;
        (last.meta.kind, last.meta.actor, last.meta.request) = ("case.opened".into(), "pr-sequencer".into(), format!("timer-{end}"));
        last.record = case.into();
        story.entries.push(last);
        base.forged(name, wrong, "replay-not-allowed", &story.forge()).entry(end)
    };
    let mut out = vec![
        without(
            "suspension-missing",
            "A recusal does not suspend the grant it touches.",
            "replay-consequence-missing",
            recusal + 1,
            "read-1",
        )
        .entry(recusal + 1),
        without("case-missing", "A finding does not become a case when its time has come.", "replay-timer-missing", after - 1, "read-2")
            .entry(after - 1),
        nothing_found("case-for-nothing", "A case is opened over an access that was cleared."),
    ];
    let suspension = |name: &str, wrong: &str, change: &dyn Fn(&mut GrantTransition)| {
        let mut story = Story::tell();
        story.cut(recusal + 2);
        change(story.transition(recusal + 1));
        base.forged(name, wrong, "replay-consequence-missing", &story.forge()).entry(recusal + 1).cut_from(recusal + 2)
    };
    out.push(suspension("suspension-other-cause", "The suspension names another cause than the recusal.", &|t| {
        t.cause = Some(LeafIndex(1))
    }));
    out.push({
        let mut story = Story::tell();
        story.cut(recusal + 1);
        base.forged(
            "suspension-cut-off",
            "The ledger ends between a recusal and the suspension that belongs to it.",
            "replay-consequence-missing",
            &story.forge(),
        )
        .cut_from(recusal + 2)
    });
    out.push({
        let mut story = Story::tell();
        story.cut(after);
        let index = after - 1;
        if let Record::CaseOpened(case) = &mut story.entries[index].record {
            case.evidence.truncate(0);
        }
        base.forged("case-evidence", "A case lists none of the entries it rests on.", "replay-timer-missing", &story.forge())
            .also(&["replay-not-allowed"])
            .entry(index)
            .cut_from(after)
    });
    out
}

fn rights(base: &Base) -> Vec<Vector> {
    let by = |label: &str, actor: &'static str, name: &str, wrong: &str| {
        changed(base, name, wrong, "replay-not-allowed", label, |s, i| s.entries[i].meta.actor = format!("pr-{actor}"))
    };
    let item = |name: &str, wrong: &str, supersedes: Option<LeafIndex>| {
        changed(base, name, wrong, "replay-not-allowed", "item-again", |s, i| {
            if let Record::ListItem(item) = &mut s.entries[i].record {
                item.supersedes = supersedes;
            }
        })
    };
    vec![
        by("watch-list", "gateway", "role-list", "A gateway records a list."),
        by("read-0", "nobody", "role-unknown", "The actor of an entry is no principal of the ledger."),
        by("approval-1", "founder", "role-approval", "The operator approves a grant."),
        by("access", "sequencer", "role-access", "The sequencer records an access."),
        item("supersedes-other", "A list item supersedes an entry that is not its newest.", Some(LeafIndex(5))),
        item("supersedes-nothing", "A list item takes the id of another without superseding it.", None),
        changed(
            base,
            "reference-unknown",
            "A list item stands on a list that is not recorded.",
            "replay-not-allowed",
            "watch-item",
            |s, i| {
                if let Record::ListItem(item) = &mut s.entries[i].record {
                    item.list = text("no-such-list");
                }
            },
        ),
        changed(
            base,
            "move-impossible",
            "An approved grant is moved to a state that no move leads to.",
            "replay-not-allowed",
            "activation",
            |s, i| {
                let t = s.transition(i);
                (t.to, t.result, t.assessment) = (GrantState::Closed, Some(GrantState::Closed), None);
            },
        ),
    ]
}
