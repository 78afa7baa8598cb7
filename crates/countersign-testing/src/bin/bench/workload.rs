//! The facts that are assessed against, and the access events that are recorded.

use countersign_entry::ids::{IssuerId, Line, OrganizationId, PersonId, ProviderId, RecordId, SubmissionId};
use countersign_entry::record::*;
use countersign_entry::time::{DAY, Micros};
use countersign_ledger::{Clock as _, Ledger, Request, SystemClock};
use countersign_testing::ledger::{access, agreement, exposure, grant_request, principal, submission_record, transition};

const PEOPLE: u64 = 100_000;
const ISSUERS: u64 = 10_000;
const SUBMISSIONS: u64 = 1_000;
const PROVIDERS: u64 = 50;
/// Issuers each provider touches.
const TOUCHED: u64 = 20;
/// People with an active grant, two to a submission.
const GRANTED: u64 = 2_000;

pub struct Workload {
    subjects: Vec<(PersonId, SubmissionId, u64)>,
}

impl Workload {
    /// Records the facts, in commits of several hundred.
    pub fn make(ledger: &mut Ledger) -> Self {
        let now = ledger.now();
        let mut load = Load { ledger, waiting: Vec::new(), n: 0, indexes: Vec::new() };
        for n in 0..PEOPLE {
            let (id, organization) = (PersonId::new(format!("P-p{n:06}")).unwrap(), OrganizationId::new("agency").unwrap());
            let name = line(format!("Person {n}"));
            load.put("founder", Person { id, name, status: PersonStatus::Civilian, organization, supersedes: None });
        }
        for n in 0..ISSUERS {
            let name = line(format!("Issuer {n}"));
            load.put(
                "founder",
                Issuer { id: issuer(n), name, cik: None, tickers: vec![], sub_industry: None, former_names: vec![], supersedes: None },
            );
        }
        for n in 0..PROVIDERS {
            load.put("founder", Provider { id: provider(n), name: line(format!("Provider {n}")), supersedes: None });
            for k in 0..TOUCHED {
                let edge = exposure(&format!("x-{n}-{k}"), Node::Provider(provider(n)), &issuer(n * TOUCHED + k), true);
                load.put("founder", edge);
            }
        }
        for n in 0..SUBMISSIONS {
            load.put("founder", submission_record(&submission(n), &provider(n % PROVIDERS), now));
        }
        lists(&mut load, now);
        for n in 0..GRANTED {
            for kind in [AgreementKind::AccessTerms, AgreementKind::NoInterestCertification] {
                load.put("officer", agreement(&format!("a-{n}-{kind:?}"), &format!("p{n:06}"), kind, now));
            }
        }
        load.flush();
        load.indexes.clear();
        for n in 0..GRANTED {
            load.put("officer", grant_request(&format!("p{n:06}"), &submission(n % SUBMISSIONS), now.plus(5 * DAY)));
        }
        load.flush();
        let grants = std::mem::take(&mut load.indexes);
        for (actor, to) in [("approver1", GrantState::Approved), ("approver2", GrantState::Approved), ("officer", GrantState::Active)] {
            grants.iter().for_each(|grant| load.put(actor, transition(*grant, to)));
        }
        load.flush();
        let active = ledger.facts().grants().filter(|(_, g)| g.state == GrantState::Active).count() as u64;
        assert_eq!(active, GRANTED);
        let subject = |(n, grant)| (PersonId::new(format!("P-p{n:06}")).unwrap(), submission(n % SUBMISSIONS), grant);
        Self { subjects: (0..).zip(grants).map(subject).collect() }
    }

    /// Whom and what the `n`th event is about, and its grant: all over the facts, not one after the other.
    pub fn subject(&self, n: u64) -> (&PersonId, &SubmissionId, u64) {
        let (person, submission, grant) =
            &self.subjects[usize::try_from(n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33).unwrap() % self.subjects.len()];
        (person, submission, *grant)
    }

    /// The `n`th event.
    pub fn request(&self, n: u64) -> Request {
        let (person, submission, grant) = self.subject(n);
        let event = AccessEvent { person: person.clone(), ..access("ada1", submission, Some(grant), SystemClock.now()) };
        Request { actor: principal("gateway"), key: format!("bench-{n:013}").parse().unwrap(), record: event.into(), signed: None }
    }
}

/// A restricted list and a watch list of issuers that nothing here touches, so that every assessment looks through both and finds nothing.
fn lists(load: &mut Load<'_>, now: Micros) {
    for (id, kind, count) in [("restricted", ListKind::Restricted, 200), ("watch", ListKind::Watch, 50)] {
        let list = RecordId::new(id).unwrap();
        load.put(
            "ethics",
            List {
                id: list.clone(),
                kind,
                name: line(id.to_owned()),
                authority: Some(line("a statute".into())),
                binds: None,
                supersedes: None,
                approvals: vec![],
            },
        );
        for n in 0..count {
            let subject = ListSubject::Issuer(issuer(ISSUERS - 1 - n));
            let id = RecordId::new(format!("{id}-{n}")).unwrap();
            let reason = line("it is so".into());
            load.put(
                "ethics",
                ListItem { id, list: list.clone(), subject, from: now, until: None, reason, supersedes: None, approvals: vec![] },
            );
        }
    }
}

/// Records what it is given, in commits of several hundred.
struct Load<'l> {
    ledger: &'l mut Ledger,
    waiting: Vec<Request>,
    n: u64,
    /// Of what was recorded, in order.
    indexes: Vec<u64>,
}

impl Load<'_> {
    fn put(&mut self, actor: &str, record: impl Into<Record>) {
        self.n += 1;
        self.waiting.push(Request {
            actor: principal(actor),
            key: format!("load-{}", self.n).parse().unwrap(),
            record: record.into(),
            signed: None,
        });
        if self.waiting.len() == 500 {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let receipts = self.ledger.commit(std::mem::take(&mut self.waiting));
        self.indexes.extend(receipts.into_iter().map(|receipt| receipt.unwrap().index));
    }
}

fn line(text: String) -> Line {
    Line::new(text).unwrap()
}

fn issuer(n: u64) -> IssuerId {
    IssuerId::new(format!("cik-{n:010}")).unwrap()
}

fn provider(n: u64) -> ProviderId {
    ProviderId::new(format!("lab-{n}")).unwrap()
}

fn submission(n: u64) -> SubmissionId {
    SubmissionId::new(format!("S-s{n:06}")).unwrap()
}
