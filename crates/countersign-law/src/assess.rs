//! The one function that answers: every rule runs, and what they wrote is put in order.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use crate::answer::{Answer, Finding, Flag, Kind, KindAnswer, Outcome, Point, PolicyName, Question, Verdict, Verdicts};
use crate::law::{
    Ask, Case, Sheet, adviser, classify, disclosure, fd, hold, information, misuse, post, procurement, s208, s502, s503, seeking,
    seeking_bar, trading, wall,
};
use crate::limits::{self, Edition};
use crate::rules;
use crate::scenario::{Asset, Form, HeldAgainst, Holder, PaperKind, Scenario};
use crate::three::Three;

/// What an answer says of itself where nothing stands against taking part.
pub const NOTICE_CLEAR: &str = "No conflict found in the facts stated. Not ethics advice unless an ethics official adopts it. Never permits trading on \
                                nonpublic information.";
/// What every other answer says of itself.
pub const NOTICE: &str = "No more than what the rules find in the facts stated. Not ethics advice unless an ethics official adopts it. Never permits \
                          trading on nonpublic information.";

/// Answers a scenario under the built-in numbers of its day.
pub fn assess(scenario: &Scenario) -> Answer {
    match limits::of(scenario.as_of) {
        Some(edition) => assess_under(scenario, edition),
        // No number, no answer. A test holds the built-in editions to be readable.
        None => in_order(scenario, Sheet::default(), UNDETERMINED, None),
    }
}

const UNDETERMINED: Verdicts = Verdicts { participate: Verdict::Undetermined, hold: Verdict::Undetermined, trade: Verdict::Undetermined };

/// Answers a scenario under an edition of the numbers, such as the one an old answer names.
pub fn assess_under(scenario: &Scenario, edition: &Edition) -> Answer {
    let case = Case { s: scenario, limits: &edition.limits };
    let mut sheet = Sheet::default();
    classify::classify(&case, &mut sheet);
    s208::participation(&case, &mut sheet);
    s208::recused(&case, &mut sheet);
    s208::drift(&case, &mut sheet);
    s502::impartiality(&case, &mut sheet);
    s503::payments(&case, &mut sheet);
    s502::authorization(&case, &mut sheet);
    hold::holding(&case, &mut sheet);
    seeking::seeking(&case, &mut sheet);
    seeking_bar::bars(&case, &mut sheet);
    misuse::misuse(&case, &mut sheet);
    information::information(&case, &mut sheet);
    fd::selective(&case, &mut sheet);
    trading::trades(&case, &mut sheet);
    adviser::holdings(&case, &mut sheet);
    wall::crossings(&case, &mut sheet);
    procurement::procurement(&case, &mut sheet);
    post::post_employment(&case, &mut sheet);
    disclosure::disclosure(&case, &mut sheet);
    unanswered(&case, &mut sheet);
    let verdicts = verdicts(&case, &sheet);
    in_order(scenario, sheet, verdicts, Some(edition))
}

/// A point asked for that no rule could say anything on is a question as well.
fn unanswered(case: &Case<'_>, sheet: &mut Sheet) {
    for point in &case.s.asks {
        if sheet.findings.iter().all(|(_, f)| f.point != *point) {
            let (kind, rule, fields) = home(*point);
            let ask = Ask::new(format!("What are the facts for: {}", rule.title), fields);
            sheet.refer(kind, *point, rule, &ask);
        }
    }
}

/// Where a point belongs: its kind, the rule that decides it, and the fields it rests on.
fn home(point: Point) -> (Kind, rules::Rule, &'static str) {
    use Point::*;
    match point {
        ParticularMatter => (Kind::Classification, rules::CLASSIFY, "`matter`"),
        FinancialInterest | Participation => (Kind::Participation, rules::INTEREST, "`matter`, `interests`, `ties`"),
        Exemption | FundClass => (Kind::Exemption, rules::FUND, "`matter`, `interests`"),
        Impartiality => (Kind::Impartiality, rules::COVERED, "`matter`, `ties`"),
        CoveredPayment => (Kind::Impartiality, rules::PAYMENT, "`payments`"),
        Authorization => (Kind::Authorization, rules::AUTHORIZE, "`matter`, `ties`"),
        Holding => (Kind::Holding, rules::HOLD, "`interests`, `papers`"),
        Employment => (Kind::Seeking, rules::EMPLOYMENT, "`job_contacts[].role`"),
        Seeking | Negotiating => (Kind::Seeking, rules::SEEKING, "`job_contacts`"),
        Notice => (Kind::Seeking, rules::NOTIFY, "`job_contacts`, `person.public_filer`"),
        RecusalStatement => (Kind::Seeking, rules::RECUSAL_STATEMENT, "`job_contacts`, `person.public_filer`"),
        UseOfOffice => (Kind::Misuse, rules::OFFICE, "`office_uses`"),
        UseOfInformation => (Kind::NonpublicInfo, rules::INFORMATION, "`information`"),
        Contact => (Kind::PostEmployment, rules::CONTACT, "`acts[].form`, `acts[].named`"),
        IntentToInfluence => (Kind::PostEmployment, rules::INTENT, "`acts[].purpose`, `acts[].presence`"),
        ToEmployee => (Kind::PostEmployment, rules::TO_EMPLOYEE, "`acts[].before`"),
        OnBehalf => (Kind::PostEmployment, rules::BEHALF, "`acts[].on_behalf_of`"),
        SpecificParties => (Kind::PostEmployment, rules::SPECIFIC_PARTIES, "`matter`, `past_work[].matter`"),
        SameMatter => (Kind::PostEmployment, rules::SAME_MATTER, "`past_work[].now`, `past_work[].changes`"),
        PersonalParticipation | SubstantialParticipation => (Kind::PostEmployment, rules::PARTICIPATED, "`past_work[].steps`"),
        UnitedStatesInterest => (Kind::PostEmployment, rules::US_INTEREST, "`matter.united_states`"),
        OfficialResponsibility => (Kind::PostEmployment, rules::RESPONSIBILITY, "`past_work[].authority`"),
        OfficialAction => (Kind::PostEmployment, rules::OFFICIAL_ACTION, "`acts[].purpose`"),
        Exception => (Kind::PostEmployment, rules::EXCEPTION, "`acts`"),
        FormerStatus | SeniorStatus => (Kind::PostEmployment, rules::SENIOR_STATUS, "`posts`"),
        Period => (Kind::PostEmployment, rules::SENIOR_PERIOD, "`posts`"),
        MayAct => (Kind::PostEmployment, rules::PERMANENT, "`past_work`, `posts`, `acts`"),
        Report => (Kind::Disclosure, rules::REPORT, "`filing`"),
        Compensation => (Kind::PostEmployment, rules::CONTRACTOR_PAY, "`compensation`, `procurements`"),
        SelectiveDisclosure => (Kind::NonpublicInfo, rules::SELECTIVE, "`selective_disclosures`"),
        PersonalTrade => (Kind::Trading, rules::STAFF_TRADES, "`trades`"),
        HoldingsReports => (Kind::Trading, rules::ACCESS_PERSONS, "`access_person`"),
        WallCrossing => (Kind::NonpublicInfo, rules::WALL, "`wall_crossings`"),
        Certificate => (Kind::Disclosure, rules::CERTIFICATE, "`certificates`"),
    }
}

/// The points of one kind come first where they are asked for; then the gravest.
fn in_order(scenario: &Scenario, sheet: Sheet, verdicts: Verdicts, edition: Option<&Edition>) -> Answer {
    let Sheet { findings, mut obligations } = sheet;
    let points = points(scenario, &findings);
    let asked = |f: &Finding| !points.contains(&f.point);
    let mut by_kind: Vec<(Kind, Vec<Finding>)> = Vec::new();
    for (kind, finding) in findings {
        match by_kind.iter_mut().find(|(k, _)| *k == kind) {
            Some((_, of)) => of.push(finding),
            None => by_kind.push((kind, vec![finding])),
        }
    }
    by_kind.sort_by_key(|(kind, _)| *kind);
    let mut questions = Vec::new();
    let mut answers = Vec::new();
    for (kind, mut of) in by_kind {
        of.sort_by(|a, b| (asked(a), grade(a, &points), a).cmp(&(asked(b), grade(b, &points), b)));
        of.dedup();
        questions.extend(of.iter().filter_map(|f| question(kind, f)));
        if let Some(first) = of.first() {
            answers.push(KindAnswer { kind, outcome: first.outcome, findings: of });
        }
    }
    // One fact may settle several findings, and is asked for once, under the first kind that asks.
    questions.sort();
    let mut asked: BTreeSet<(String, String)> = BTreeSet::new();
    questions.retain(|q: &Question| asked.insert((q.question.clone(), q.settled_by.clone())));
    obligations.sort();
    obligations.dedup();
    let notice = if verdicts.participate == Verdict::Yes && questions.is_empty() { NOTICE_CLEAR } else { NOTICE };
    let (name, digest) = edition.map(|e| (e.edition.clone(), e.digest.clone())).unwrap_or_default();
    let policy = PolicyName { edition: name, digest, rule_set: rule_set().to_owned() };
    Answer { scenario: scenario.id.clone(), policy, verdicts, answers, obligations, questions, notice }
}

/// Digest of the rules, computed once.
fn rule_set() -> &'static str {
    static DIGEST: OnceLock<String> = OnceLock::new();
    DIGEST.get_or_init(rules::rule_set)
}

/// The points asked for; where none is, those the facts dwell on.
fn points(s: &Scenario, findings: &[(Kind, Finding)]) -> Vec<Point> {
    if !s.asks.is_empty() {
        return s.asks.clone();
    }
    let work = &s.past_work;
    let no_bar_stated = work.is_empty() && s.posts.is_empty();
    let excepted = findings.iter().any(|(_, f)| f.point == Point::Exception && f.outcome == Outcome::ElementMet);
    let behind_the_scenes = s.acts.iter().any(|a| a.form == Some(Form::BehindTheScenes));
    match () {
        // Nothing of the contact need be asked where an exception permits it, or where there is none.
        () if excepted || (behind_the_scenes && !no_bar_stated) => vec![Point::MayAct],
        // Nothing is stated that a bar could rest on, so it is the contact itself that is asked about.
        () if !s.acts.is_empty() && no_bar_stated => vec![Point::Contact, Point::IntentToInfluence, Point::ToEmployee, Point::OnBehalf],
        () if s.acts.iter().any(|a| !a.purpose.is_empty() || !a.presence.is_empty()) => vec![Point::MayAct],
        () if !s.acts.is_empty() => vec![Point::Contact],
        () if work.iter().any(|w| !w.authority.is_empty()) => vec![Point::OfficialResponsibility],
        () if work.iter().any(|w| w.now.is_some()) => vec![Point::SameMatter],
        () if !s.compensation.is_empty() => vec![Point::Compensation],
        () if !work.is_empty() => vec![Point::SubstantialParticipation, Point::PersonalParticipation],
        () if s.posts.iter().any(|p| p.pay_less_threshold.is_some() || p.sge_days_in_last_year.is_some()) => vec![Point::SeniorStatus],
        () if unusual_job(s) => vec![Point::Employment],
        () if s.matter.is_some() && !(s.job_contacts.is_empty() && s.payments.is_empty()) => vec![Point::Participation],
        () => Vec::new(),
    }
}

/// Whether it is a role of which one may ask whether it is employment at all, and nothing was said yet that begins a search.
fn unusual_job(s: &Scenario) -> bool {
    use crate::scenario::JobRole::*;
    s.matter.is_none()
        && !s.job_contacts.is_empty()
        && s.job_contacts.iter().all(|c| {
            let unusual = matches!(c.role, Some(DirectorOrTrustee | ConsultantOrContractor | PlainVolunteer | FederalPosition));
            unusual && crate::law::seeking::nothing_sent(c)
        })
}

/// What decides a kind comes before what only bears on it: an element that is not met before those that are, taking part before its elements,
/// being told before filing a paper, and why securities have no exemption before what follows from that.
fn grade(f: &Finding, points: &[Point]) -> (u8, Outcome) {
    use Outcome::*;
    let (outcome, point) = (f.outcome, f.point);
    let elements_asked = points.len() > 1 && points.contains(&Point::Contact);
    let place = match (outcome, point) {
        (ElementNotMet, _) if elements_asked => 0,
        (ExemptionUnavailable, Point::Exemption) if LIMITS_AND_CLASSES.contains(&f.rule) => 0,
        (NoticeNotRequired | RecusalStatementNotRequired, _) | (Refer, Point::Notice) => 3,
        (ElementNotMet, Point::PersonalParticipation | Point::SubstantialParticipation) => 1,
        (ElementMet | ElementNotMet | SameMatterYes | SameMatterNo, p) if p != Point::CoveredPayment => 2,
        _ => 1,
    };
    (place, outcome)
}

/// Rules that say of securities and funds themselves that no exemption reaches them.
const LIMITS_AND_CLASSES: [&str; 8] = [
    rules::PARTY_SUM.id,
    rules::NONPARTY_SUM.id,
    rules::GENERAL_SUM.id,
    rules::SECTOR_SUM.id,
    rules::FUND.id,
    rules::NOT_A_SECURITY.id,
    rules::FORBIDDEN.id,
    rules::ADVISER_STOCK.id,
];

fn question(kind: Kind, f: &Finding) -> Option<Question> {
    Some(Question { kind, question: f.question.clone()?, settled_by: f.settled_by.clone().unwrap_or_default(), rule: f.rule })
}

fn verdicts(case: &Case<'_>, sheet: &Sheet) -> Verdicts {
    Verdicts { participate: participate(case, sheet), hold: hold_verdict(case, sheet), trade: trade(case, sheet) }
}

/// Taking part: no where a rule bars it, open where anything is asked or nothing is known, else yes.
fn participate(case: &Case<'_>, sheet: &Sheet) -> Verdict {
    let bearing = [Kind::Participation, Kind::Impartiality, Kind::Seeking];
    let of = |wanted: fn(Outcome, Point) -> bool| {
        sheet.findings.iter().any(|(k, f)| bearing.contains(k) && f.point != Point::CoveredPayment && wanted(f.outcome, f.point))
    };
    let barred = sheet
        .findings
        .iter()
        .any(|(k, f)| bearing.contains(k) && f.outcome == Outcome::Disqualified && !f.flags.contains(&Flag::Conditional));
    // Questioned impartiality, talks that ended and every question bar it until somebody has decided.
    let open = |o, p| {
        matches!(o, Outcome::Disqualified | Outcome::ImpartialityQuestioned | Outcome::Follow502 | Outcome::RecusalMayContinue)
            || (o == Outcome::Refer
                && matches!(p, Point::Participation | Point::FinancialInterest | Point::Exemption | Point::Impartiality))
    };
    let weighed = sheet.engages(Kind::Participation) || sheet.engages(Kind::Impartiality);
    let unclear_payment = sheet.findings.iter().any(|(_, f)| f.point == Point::CoveredPayment && f.outcome == Outcome::Refer);
    match () {
        () if barred => Verdict::No,
        () if case.s.matter.is_none() || case.s.person.status.is_none() || !weighed || of(open) || unclear_payment => Verdict::Undetermined,
        () => Verdict::Yes,
    }
}

/// Holding: no where a paper forbids it; yes only where each thing held is stated to be forbidden by nothing.
fn hold_verdict(case: &Case<'_>, _: &Sheet) -> Verdict {
    use PaperKind::*;
    let s = case.s;
    let own = || {
        s.interests
            .iter()
            .filter(|i| i.divested_on.is_none() && matches!(i.holder, Some(Holder::Own | Holder::Spouse | Holder::MinorChild)))
    };
    let forbidden = own().any(|i| matches!(i.held_against, Some(h) if h != HeldAgainst::Nothing))
        || s.papers.iter().any(|p| {
            let forbids = matches!(
                p.kind,
                Some(HoldingForbiddenByStatute | HoldingForbiddenByRegulation | HoldingForbiddenByDetermination | DirectionToDivest)
            );
            forbids && own().any(|i| p.covers.is_empty() || p.covers.iter().any(|c| crate::scenario::same_name(c, &i.issuer)))
        });
    let every =
        !s.interests.is_empty() && s.interests.iter().all(|i| i.held_against == Some(HeldAgainst::Nothing) || i.divested_on.is_some());
    let listed = s.papers.iter().any(|p| matches!(p.kind, Some(RestrictedList | EthicsAgreement)));
    match () {
        () if forbidden => Verdict::No,
        () if every && !listed => Verdict::Yes,
        () => Verdict::Undetermined,
    }
}

/// Trading: no where nonpublic information would be used or a restricted list names it; yes only where the public has all that is stated.
fn trade(case: &Case<'_>, sheet: &Sheet) -> Verdict {
    let s = case.s;
    let listed = s.papers.iter().any(|p| p.kind == Some(PaperKind::RestrictedList));
    let nonpublic: Vec<_> = s.information.iter().map(|u| information::nonpublic(case, u)).collect();
    let knows = nonpublic.contains(&Three::Yes);
    let settled = !nonpublic.is_empty() && nonpublic.iter().all(|n| *n == Three::No);
    let inside = wall::inside(case);
    let derivative = s.interests.iter().any(|i| i.asset == Some(Asset::EventContract) && knows);
    match () {
        () if listed || derivative || knows || inside || sheet.has(Kind::NonpublicInfo, Outcome::UseProhibited) => Verdict::No,
        () if settled => Verdict::Yes,
        () => Verdict::Undetermined,
    }
}
