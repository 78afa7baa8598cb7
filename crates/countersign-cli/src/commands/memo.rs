//! `explain`: one case, request, access or trade, told as a memo that somebody can check entry by entry and sign.

use clap::Args;
use countersign_conflict::{Facts, rules};
use countersign_entry::ids::{LeafIndex, SubmissionId};
use countersign_entry::record::{Assessment, CaseOpened, Decision, Outcome, PreclearanceRequest, Record, Role};
use countersign_entry::time::Micros;
use countersign_ledger::query::{View, describe};
use countersign_ledger::{OpenError, unless_erased};
use serde_json::json;

use super::query::AsOfArgs;
use super::{DONE, query};
use crate::args::LedgerArgs;
use crate::explain::{NO_ADVICE, caveat, decided_for, erased_line, evidence, explain, label, neutral_text};
use crate::failure::{Exit, Failure};
use crate::finding;
use crate::output::{Out, shown};
use crate::session::Session;
use crate::words::{name, word_of};

/// What to explain.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// The entry of a case, a grant request or move, an access, a request to trade, or a trade.
    #[arg(value_name = "ENTRY")]
    entry: u64,
    #[command(flatten)]
    as_of: AsOfArgs,
}

/// Headings, each with its lines.
type Sections = Vec<(&'static str, Vec<String>)>;

pub(crate) fn run(args: &ExplainArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let mut session = Session::for_questions(&args.ledger)?;
    let view = query::view(&session, args.as_of.as_of)?;
    if args.entry >= view.size() {
        return Err(Failure::NotFound(format!("entry {} is not recorded as of size {}", args.entry, view.size())));
    }
    let (_, meta, record) = session.ledger.entry(args.entry)?;
    let case = matches!(record, Record::CaseOpened(_));
    if case {
        session.actor.must_have(&[Role::EthicsOfficer, Role::InspectorGeneral], || ALONE.into())?;
    }
    let may_see_why = session.actor.eyes.see_why_in(view.facts(), &record) || (case && session.actor.has(Role::InspectorGeneral));
    if !may_see_why {
        return neutral(&session, view.facts(), &record, out);
    }
    let at = Micros::new(meta.at).map_err(|e| Failure::Bug(e.to_string()))?;
    let memo = Memo { session: &session, view: &view, entry: LeafIndex(args.entry), at };
    let sections = memo.sections(&record)?;
    let answer = view.answer(Vec::<()>::new());
    let header = [
        ("about", format!("entry {}, {}: {}", args.entry, record.type_name(), describe(&record))),
        ("recorded", format!("{at}, by {}", meta.actor)),
        ("facts", format!("as of entry {}, recorded {}", answer.as_of.saturating_sub(1), answer.at)),
        ("root", answer.root.to_string()),
        ("complete", answer.incomplete.clone().map_or_else(|| "yes".to_owned(), |why| format!("NO: {why}"))),
    ];
    let newest = LeafIndex(answer.as_of.saturating_sub(1));
    // That nothing was found is said of a clearance, and of nothing else.
    let cleared = record.assessment().is_some_and(|a| a.decision == Decision::Cleared);
    let last = if cleared { caveat(newest) } else { format!("Made from the facts recorded as of entry {newest}. {NO_ADVICE}") };
    let read = session.record_read("explain", &args.entry.to_string(), 1, answer.as_of)?;
    query::tell_unrecorded(&read);
    if out.is_json() {
        let told: Vec<_> = sections.iter().map(|(heading, lines)| json!({ "heading": heading, "lines": lines })).collect();
        let header: serde_json::Map<_, _> = header.into_iter().map(|(k, v)| (k.to_owned(), v.into())).collect();
        let fields = json!({ "entry": args.entry, "header": header, "sections": told, "caveat": last, "read_entry": read.ok() });
        return out.object("explain", fields).map(|()| DONE);
    }
    out.line("MEMORANDUM\n")?;
    for (what, text) in header {
        out.line(format_args!("{what:<10} {text}"))?;
    }
    for ((heading, lines), number) in sections.iter().zip(1..) {
        out.line(format_args!("\n{number}. {heading}"))?;
        lines.iter().try_for_each(|line| out.line(format_args!("   {line}")))?;
    }
    out.line(format_args!("\n{last}"))?;
    Ok(DONE)
}

const ALONE: &str = "why something was found or decided is for the ethics role (ethics_officer) alone";

/// What somebody is told who may not see why.
fn neutral(session: &Session, facts: &Facts, record: &Record, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let own = facts.principal(&session.actor.id).and_then(|p| p.record.person.as_ref());
    let text = match record {
        Record::GrantRequest(_) => neutral_text(record),
        Record::PreclearanceRequest(r) if own == Some(&r.person) => neutral_text(record),
        _ => return Err(Failure::Denied(ALONE.into())),
    };
    if out.is_json() {
        out.object("explain", json!({ "text": text }))?
    } else {
        out.line(text)?
    }
    Ok(DONE)
}

/// An entry, and what was known.
struct Memo<'a> {
    session: &'a Session,
    view: &'a View<'a>,
    entry: LeafIndex,
    at: Micros,
}

impl Memo<'_> {
    fn facts(&self) -> &Facts {
        self.view.facts()
    }

    fn sections(&self, record: &Record) -> Result<Sections, Failure> {
        match record {
            Record::CaseOpened(case) => self.case(case),
            Record::PreclearanceRequest(r) => self.preclearance(r),
            Record::Trade(_) => self.trade(self.entry, None),
            _ => match record.assessment() {
                Some(assessment) => Ok(self.decision(assessment, decided_for(record, self.at))),
                None => Err(Failure::NotFound(format!(
                    "entry {} is a {}: a case, a request, an access or a trade can be explained",
                    self.entry,
                    record.type_name()
                ))),
            },
        }
    }

    /// A case: what was found, the finding told to the end, and what was done about it.
    fn case(&self, case: &CaseOpened) -> Result<Sections, Failure> {
        let about = case.submission.as_ref().map_or_else(|| "no submission".to_owned(), |s| format!("submission {s}"));
        let mut found = vec![
            format!("{}, person {}, {about}", name(self.facts(), &case.person), case.person),
            format!("found: {}", rules::rule(case.rule.as_str()).map_or("a rule this version does not have", |rule| rule.found)),
            format!("{} version {} asks: {}", case.rule, case.version, label(case.rule.as_str())),
            format!("authority: {}", case.cite),
            format!("rule set of this program: {}", rules::rule_set()),
            self.facts().policy(self.at).map_or_else(|| "no policy was in force".to_owned(), |p| evidence(p.index, &self.session.ledger)),
            format!("found in {}", evidence(case.finding, &self.session.ledger)),
        ];
        if let Some(rule) = rules::rule(case.rule.as_str()).filter(|rule| rule.version != case.version) {
            found.push(format!("the rule now has version {}; the case was opened under version {}", rule.version, case.version));
        }
        let mut sections: Sections = vec![("What was found", found)];
        sections.push(("What it rests on", case.evidence.iter().map(|e| evidence(*e, &self.session.ledger)).collect()));
        let finding = unless_erased(self.session.ledger.entry(case.finding.0))?;
        sections.extend(match finding {
            Some((_, _, Record::Trade(_))) => self.trade(case.finding, case.submission.as_ref())?,
            Some((_, meta, finding)) => {
                let at = Micros::new(meta.at).map_err(|e| Failure::Bug(e.to_string()))?;
                finding.assessment().map(|a| self.decision(a, decided_for(&finding, at))).unwrap_or_default()
            }
            None => Sections::new(),
        });
        let settled = rules::rule(case.rule.as_str()).map_or("a rule this version does not have", |rule| rule.settled_by);
        sections.push(("Where the case stands", self.open_in_case(case, settled)));
        sections.push(("What was done", self.steps()?));
        Ok(sections)
    }

    fn open_in_case(&self, case: &CaseOpened, settled: &str) -> Vec<String> {
        let file = self.facts().case_file(self.entry);
        let state = file.map(|f| word_of(&f.state)).unwrap_or_default();
        let ending = file.and_then(|f| f.disposition).map(|d| format!(", as {}", word_of(&d).replace('_', " "))).unwrap_or_default();
        let holds = file.map_or(0, |f| f.holds.len());
        let held = if holds == 0 { String::new() } else { format!("; under {holds} legal hold(s)") };
        vec![format!("the case is {state}{ending}{held}"), format!("{} is settled by {settled}", case.rule)]
    }

    fn steps(&self) -> Result<Vec<String>, Failure> {
        let entries = self.facts().case_file(self.entry).map(|f| f.entries.clone()).unwrap_or_default();
        let mut lines = vec![format!("{} opened, entry {}", self.at, self.entry)];
        for entry in entries {
            let (meta, record) = match self.session.ledger.entry(entry.0) {
                Err(OpenError::Shut { erased: Some(at), .. }) => {
                    lines.push(erased_line(entry, at));
                    continue;
                }
                opened => opened.map(|(_, meta, record)| (meta, record))?,
            };
            let at = Micros::new(meta.at).map_err(|e| Failure::Bug(e.to_string()))?;
            let said = if let Record::CaseEvent(e) = &record { format!(": {}", shown(e.text.as_str())) } else { String::new() };
            lines.push(format!("{at} {} by {}, entry {entry}{said}", describe(&record), meta.actor));
        }
        Ok(lines)
    }

    /// What was decided, rule by rule, and what would settle what is left open.
    fn decision(&self, a: &Assessment, at: Micros) -> Sections {
        let policy = a.policy.map_or_else(|| "no policy was in force".to_owned(), |p| evidence(p, &self.session.ledger));
        let by = vec![format!("rule set {}", a.rule_set), policy];
        let mut sections: Sections = vec![("Decided by", by), ("What the rules say", explain(a, at, &self.session.ledger))];
        let mut open: Vec<String> = a
            .reasons
            .iter()
            .filter(|r| r.outcome == Outcome::Refer)
            .filter_map(|r| {
                rules::rule(r.rule.as_str()).map(|rule| format!("{} on {}: {}", rule.id, word_of(&r.bears_on), rule.settled_by))
            })
            .collect();
        open.dedup();
        if open.is_empty() {
            open.push(match a.decision {
                Decision::Cleared => "nothing among the facts recorded".to_owned(),
                _ => "nothing: a rule stands against it".to_owned(),
            });
        }
        sections.push(("What is open, and what would settle it", open));
        sections
    }

    fn preclearance(&self, r: &PreclearanceRequest) -> Result<Sections, Failure> {
        let until =
            r.cleared_until.as_ref().map_or_else(|| "not cleared by the rules".to_owned(), |d| format!("cleared by the rules until {d}"));
        let units = r.quantity.map_or_else(|| "any number of units".to_owned(), |n| format!("at most {n} units"));
        let mut asked = vec![
            format!("{}, person {}, account: {}", name(self.facts(), &r.person), r.person, word_of(&r.relation).replace('_', " ")),
            format!(
                "{} of {:?} ({}), {units}, {}",
                word_of(&r.kind),
                shown(r.instrument.text.as_str()),
                word_of(&r.instrument.class),
                finding::amount(r.value)
            ),
            format!("on days from {} to {}: {until}", r.from, r.until),
        ];
        if let Some(known) = self.facts().preclearance(self.entry) {
            for (entry, at, day) in &known.decisions {
                let what = day.as_ref().map_or_else(|| "not cleared".to_owned(), |d| format!("cleared until {d}"));
                asked.push(format!("the ethics office, {at}: {what}, entry {entry}"));
            }
        }
        let mut sections: Sections = vec![("What was asked", asked)];
        sections.extend(r.assessment.as_ref().map(|a| self.decision(a, self.at)).unwrap_or_default());
        let under = finding::trades_under(self.facts(), self.entry);
        sections.push(("Trades made under it", if under.is_empty() { vec!["none on record".into()] } else { under }));
        Ok(sections)
    }

    /// A trade: held against what its owner had seen (all of it, or what a case is about), against lists, and against what was cleared.
    fn trade(&self, entry: LeafIndex, about: Option<&SubmissionId>) -> Result<Sections, Failure> {
        let facts = self.facts();
        let Some(trade) = facts.trades().find(|k| k.index == entry) else {
            return Ok(vec![("The trade", vec![format!("entry {entry} is not the newest record of the trade: another took its place")])]);
        };
        let mut sections: Sections = Vec::new();
        let seen = facts.people_with_access().filter(|(person, _)| **person == trade.record.person).map(|(_, submission)| submission);
        for submission in seen.filter(|submission| about.is_none_or(|about| about == *submission)) {
            for found in facts.trades_to_look_at(&trade.record.person, submission).filter(|f| f.trade.index == entry) {
                sections.push(("Against what was seen", finding::told(&found, facts, &self.session.ledger)?));
            }
        }
        let listed: Vec<String> =
            facts.lists_against(trade).map(|l| format!("{}, which stood that day", evidence(l.item.index, &self.session.ledger))).collect();
        if !listed.is_empty() {
            sections.push(("Against lists", listed));
        }
        sections.push(("Against what was cleared", finding::executed(facts, trade)));
        if sections.len() == 1 {
            sections.insert(
                0,
                ("The trade", vec![evidence(entry, &self.session.ledger), "nothing its owner had access to touches its issuer".into()]),
            );
        }
        Ok(sections)
    }
}
