//! Is the person seeking employment, negotiating, or has an arrangement? (5 CFR 2635.603)

use super::{Ask, Case, Sheet, named};
use crate::answer::{Kind, Outcome, Point};
use crate::day::Day;
use crate::rules::{EMPLOYMENT, INTERMEDIARY, SEEKING};
use crate::scenario::{Holder, JobContact, JobEventKind, JobRole, TieRole, same_name};

/// How far it has come with one possible employer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Nothing that counts.
    None,
    /// Began, and ended in a refusal by either side or with time.
    Ended,
    /// An unsolicited resume or proposal is out, and nothing came back that shows interest.
    Sent,
    /// Seeking: interest on both sides, no talk of the job itself yet.
    Seeking,
    /// Negotiating.
    Negotiating,
    /// Agreed.
    Agreed,
}

/// Where things stand on a day, by what happened in order.
pub(crate) fn stage(c: &JobContact, day: Option<Day>, resume_months: i32) -> Stage {
    use JobEventKind::*;
    let (mut at, mut sent_on, mut answered) = (Stage::None, None, false);
    for event in &c.events {
        if let (Some(on), Some(day)) = (event.on, day)
            && on > day
        {
            continue;
        }
        at = match event.what {
            SentUnsolicited => {
                sent_on = event.on;
                at.max(Stage::Sent)
            }
            // To agree to meet for such talk is an answer other than a rejection (603(b)(1)(iii)).
            AgentNamedEmployer | RepliedWithInterest | RepliedLaterYes | MeetingSet => at.max(Stage::Seeking),
            EmployerInterested if at >= Stage::Sent => {
                answered = true;
                at.max(Stage::Seeking)
            }
            BothDiscussedTheJob => at.max(Stage::Negotiating),
            // An offer out of the blue is seeking once it is answered otherwise than with a no (603(b)(1)(iii)).
            Offered if at > Stage::Ended => Stage::Negotiating.max(at),
            Agreed => Stage::Agreed,
            RepliedNo | RepliedThanksNotInterested | EmployerSaidNo | PersonWithdrew if at > Stage::None => Stage::Ended,
            _ => at,
        };
    }
    let lapsed = || day.zip(sent_on).is_some_and(|(day, sent)| day >= sent.plus_months(resume_months));
    if at == Stage::Sent && !answered && lapsed() { Stage::Ended } else { at }
}

/// Whether nothing passed that begins to seek employment.
pub(crate) fn nothing_sent(c: &JobContact) -> bool {
    stage(c, None, 0) == Stage::None
}

/// Whether 18 U.S.C. 208 counts the employer's interests (negotiating, or an arrangement), whenever that was.
pub(crate) fn negotiating_or_agreed(c: &JobContact) -> bool {
    stage(c, None, 0) >= Stage::Negotiating && is_employment(c) != Some(false)
}

/// 603(a).
pub(crate) fn is_employment(c: &JobContact) -> Option<bool> {
    c.role.map(|role| !matches!(role, JobRole::PlainVolunteer | JobRole::FederalPosition))
}

pub(crate) fn seeking(case: &Case<'_>, sheet: &mut Sheet) {
    let s = case.s;
    if s.job_contacts.is_empty() && (case.asks(Point::Seeking) || case.asks(Point::Negotiating) || case.asks(Point::Employment)) {
        let ask = Ask::new("With whom, what was said or sent, by whom and when?", "`job_contacts`");
        sheet.refer(Kind::Seeking, Point::Seeking, SEEKING, &ask);
    }
    for (n, c) in s.job_contacts.iter().enumerate() {
        employment(case, n, c, sheet);
        if is_employment(c) != Some(false) && !c.events.is_empty() {
            status(case, n, c, sheet);
        }
    }
}

fn employment(case: &Case<'_>, n: usize, c: &JobContact, sheet: &mut Sheet) {
    let place = format!("job_contacts[{n}].role");
    match is_employment(c) {
        Some(true) => {
            let because = "personal services in such a role are employment, paid or not";
            sheet.find(Kind::Seeking, Outcome::ElementMet, Point::Employment, EMPLOYMENT, because).fact(place);
        }
        Some(false) => {
            let because = "it is neither non-Federal employment nor a business relationship";
            sheet.find(Kind::Seeking, Outcome::ElementNotMet, Point::Employment, EMPLOYMENT, because).fact(place);
        }
        None if case.asks(Point::Employment) => {
            let ask = Ask::new("What would the person do there?", "`role`");
            sheet.refer(Kind::Seeking, Point::Employment, EMPLOYMENT, &ask).fact(place);
        }
        None => {}
    }
}

fn status(case: &Case<'_>, n: usize, c: &JobContact, sheet: &mut Sheet) {
    let months = case.limits.unanswered_resume_months;
    let at = stage(c, case.s.as_of, months);
    let place = format!("job_contacts[{n}].events");
    let name = named(&c.with);
    let by_agent = c.events.iter().any(|e| e.what == JobEventKind::AgentNamedEmployer);
    let rule = if by_agent { INTERMEDIARY } else { SEEKING };
    let sent = c.events.iter().rev().find(|e| e.what == JobEventKind::SentUnsolicited).and_then(|e| e.on);
    match at {
        Stage::None => {
            let because = format!("nothing sent to, or answered to, {name} begins to seek employment");
            sheet.find(Kind::Seeking, Outcome::SeekingNo, Point::Seeking, rule, because).fact(place);
        }
        Stage::Ended => {
            let because = format!("the possibility was rejected, or {months} months passed after a resume without interest from {name}");
            sheet.find(Kind::Seeking, Outcome::SeekingNo, Point::Seeking, rule, because).fact(place);
        }
        Stage::Sent => {
            let because = format!(
                "an unsolicited resume or proposal to {name} counts for {months} months, unless interest is shown; an acknowledgement is none"
            );
            let until = sent.map(|on| on.plus_months(months));
            let found = sheet.find(Kind::Seeking, Outcome::SeekingYes, Point::Seeking, rule, because).fact(place).until(until);
            if let (Some(on), Some(until)) = (sent, until) {
                found.sum(format!("sent {on}, plus {months} months: {until}"));
            }
        }
        Stage::Seeking => {
            let because = match by_agent {
                true => format!("an intermediary has told the person that {name} was approached"),
                false => format!("the answer to {name} was something other than a rejection; putting talks off is not one"),
            };
            sheet.find(Kind::Seeking, Outcome::SeekingYes, Point::Seeking, rule, because).fact(place);
        }
        Stage::Negotiating | Stage::Agreed => {
            let because = format!("the person and {name} talk, or have talked, with a view to agreeing on employment");
            sheet.find(Kind::Seeking, Outcome::SeekingYes, Point::Seeking, rule, because.clone()).fact(&place);
            sheet.find(Kind::Seeking, Outcome::NegotiatingYes, Point::Negotiating, rule, because).fact(place);
        }
    }
}

/// Whether the person is to go back to, or is on leave from, somebody outside (606(a)).
pub(crate) fn arrangement_by_leave(case: &Case<'_>, name: &str) -> bool {
    case.s.ties.iter().any(|t| {
        let leave = t.organization.as_ref().is_some_and(|o| o.return_agreed == Some(true) || o.person_on_leave == Some(true));
        t.who == Some(Holder::Own) && t.role == Some(TieRole::Employee) && leave && same_name(&t.with, name)
    })
}
