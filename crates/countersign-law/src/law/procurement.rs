//! Procurement integrity: contacts about jobs with bidders, and the year without their pay (41 U.S.C. 2103, 2104).

use super::post_status::former_official;
use super::seeking::is_employment;
use super::{Ask, Case, Sheet, named};
use crate::amount::grouped;
use crate::answer::{Kind, Outcome, Point};
use crate::rules::{CONTRACTOR_PAY, PROCUREMENT_CONTACT};
use crate::scenario::{Compensation, JobContact, JobEventKind, JobRole, MatterKind, Procurement, Standing, same_name};
use crate::three::Three;

pub(crate) fn procurement(case: &Case<'_>, sheet: &mut Sheet) {
    for (n, c) in case.s.job_contacts.iter().enumerate() {
        if is_employment(c) != Some(false) && contacted(c) {
            contact(case, n, c, sheet);
        }
    }
    for (n, c) in case.s.compensation.iter().enumerate() {
        pay(case, n, c, sheet);
    }
    if case.asks(Point::Compensation) && case.s.compensation.is_empty() {
        let ask = Ask::new("From which contractor is pay taken, when, and as what?", "`compensation` and `procurements`");
        sheet.refer(Kind::PostEmployment, Point::Compensation, CONTRACTOR_PAY, &ask);
    }
}

/// Whether either side has spoken of a job.
fn contacted(c: &JobContact) -> bool {
    use JobEventKind::*;
    c.events.iter().any(|e| {
        !matches!(e.what, AskedForForm | PostedProfile | ProfileViewed | InformationalTalk | AgentKeptEmployerSecret | PersonIntendsTo)
    })
}

/// The procurement in which somebody bids, as `procurements` or the matter tells, and whether it exceeds the threshold.
fn bids_in<'a>(case: &Case<'a>, name: &str) -> Option<(Option<&'a Procurement>, Three)> {
    let limit = case.limits.simplified_acquisition;
    let listed = case.s.procurements.iter().find(|p| p.bidders.iter().any(|b| same_name(b, name)));
    if let Some(p) = listed {
        return Some((Some(p), p.value.map_or(Three::Unknown, |v| v.within(limit).not())));
    }
    let matter = case.s.matter.as_ref()?;
    let bids = matter.kind == Some(MatterKind::Procurement) && matter.standing(name) == Some(Standing::Offeror);
    let works = case.s.steps.is_empty() || case.s.steps.iter().any(|s| s.of_substance());
    (bids && works).then(|| (None, matter.above_simplified_acquisition_threshold.into()))
}

/// 2103(a): reports to two, and rejection or disqualification.
fn contact(case: &Case<'_>, n: usize, c: &JobContact, sheet: &mut Sheet) {
    let Some((procurement, above)) = bids_in(case, &c.with) else { return };
    let (place, kind, name) = (format!("job_contacts[{n}]"), Kind::Seeking, named(&c.with));
    match above {
        Three::No => {
            let because = "the contract does not exceed the simplified acquisition threshold, so 41 U.S.C. 2103 asks for no report";
            sheet.find(kind, Outcome::NoticeNotRequired, Point::Notice, PROCUREMENT_CONTACT, because).fact(place);
        }
        Three::Unknown => {
            let ask = Ask::new(
                format!("Is the contract for which {name} bids above ${}?", grouped(case.limits.simplified_acquisition)),
                "`procurements[].value`, or `matter.above_simplified_acquisition_threshold`",
            );
            sheet.refer(kind, Point::Notice, PROCUREMENT_CONTACT, &ask).fact(place);
        }
        Three::Yes => {
            reports(c, &place, sheet);
            disqualified(procurement, c, &place, sheet);
        }
    }
}

fn reports(c: &JobContact, place: &str, sheet: &mut Sheet) {
    let ethics = c.reported_to_ethics_on.or(c.notice_filed_on);
    let (outcome, because) = match (c.reported_to_supervisor_on, ethics) {
        (Some(_), Some(_)) => {
            (Outcome::NoticeSatisfied, "the contact was reported in writing to the supervisor and to the ethics official")
        }
        _ => {
            let what = format!(
                "report the contact by {} in writing to the supervisor and to the designated agency ethics official, promptly",
                named(&c.with)
            );
            sheet.oblige("the person", what, None, PROCUREMENT_CONTACT.cite);
            (
                Outcome::NoticeRequired,
                "an official in a procurement above the threshold must report a bidder's contact about a job, in writing, to the supervisor and the ethics official",
            )
        }
    };
    sheet.oblige("the agency", "keep the report for two years or longer", None, "41 U.S.C. 2103(b)");
    sheet.find(Kind::Seeking, outcome, Point::Notice, PROCUREMENT_CONTACT, because).fact(place);
}

fn disqualified(procurement: Option<&Procurement>, c: &JobContact, place: &str, sheet: &mut Sheet) {
    use JobEventKind::*;
    let answer = c.events.iter().rev().find(|e| !matches!(e.what, EmployerAcknowledged | DidNotReply));
    let rejected = answer.is_some_and(|e| matches!(e.what, RepliedNo | RepliedThanksNotInterested | PersonWithdrew));
    let resumed = procurement.is_some_and(|p| p.resumption_authorized == Some(true));
    let (outcome, because) = match () {
        () if rejected => (Outcome::MayParticipate, "the person rejected the possibility of a job with the bidder"),
        () if resumed => (Outcome::MayParticipate, "the agency has authorized the person in writing to take part again"),
        () => (
            Outcome::Disqualified,
            "an official who does not reject a bidder's job must take no part in the procurement until the agency authorizes it again, which it may do \
             when the bidder has left it or talks have ended without agreement",
        ),
    };
    sheet.find(Kind::Seeking, outcome, Point::Participation, PROCUREMENT_CONTACT, because).fact(place);
}

/// 2104(a): one year from the post or decision.
fn pay(case: &Case<'_>, n: usize, c: &Compensation, sheet: &mut Sheet) {
    let (kind, place, name) = (Kind::PostEmployment, format!("compensation[{n}]"), named(&c.from));
    let all: Vec<&Procurement> = case.s.procurements.iter().filter(|p| same_name(&p.awarded_to, &c.from)).collect();
    if c.from_unrelated_division == Some(true) {
        let because =
            "it comes from a division or affiliate that makes nothing the same as or similar to what the contract was for (2104(b))";
        sheet.find(kind, Outcome::Permitted, Point::Compensation, CONTRACTOR_PAY, because).fact(place);
        return;
    }
    if matches!(c.role, Some(JobRole::TeachingSpeakingWriting | JobRole::PlainVolunteer | JobRole::FederalPosition)) {
        let because = "it is not pay as an employee, officer, director or consultant of the contractor";
        sheet.find(kind, Outcome::Permitted, Point::Compensation, CONTRACTOR_PAY, because).fact(place);
        return;
    }
    if all.is_empty() {
        let ask = Ask::new(
            format!("What part had the person in contracts of {name}, when, and of what value?"),
            "`procurements` with `awarded_to`",
        );
        sheet.refer(kind, Point::Compensation, CONTRACTOR_PAY, &ask).fact(place);
        return;
    }
    let verdicts: Vec<(Three, Option<crate::day::Day>, String)> = all.iter().map(|p| barred(case, c, p)).collect();
    match verdicts.iter().map(|(is, ..)| *is).fold(Three::No, Three::or) {
        Three::Yes => {
            let (_, until, line) = verdicts
                .into_iter()
                .filter(|(is, ..)| *is == Three::Yes)
                .max_by_key(|(_, until, _)| *until)
                .unwrap_or((Three::Yes, None, String::new()));
            let because = format!("for one year a former official may take no pay from {name}, to which the listed post or decision led");
            sheet.find(kind, Outcome::Prohibited, Point::Compensation, CONTRACTOR_PAY, because).fact(place).sum(line).until(until);
        }
        Three::No => {
            let because = format!(
                "none of the listed posts or decisions, none above ${}, or the year is over",
                grouped(case.limits.contractor_pay_over)
            );
            let found = sheet.find(kind, Outcome::Permitted, Point::Compensation, CONTRACTOR_PAY, because).fact(place);
            found.sums(verdicts.iter().map(|(.., line)| line));
        }
        Three::Unknown => {
            let ask = Ask::new(
                format!(
                    "Which post or decision had the person in it, was it above ${}, and when did that end?",
                    grouped(case.limits.contractor_pay_over)
                ),
                "`procurements[].roles`, `value` and `last_on`",
            );
            sheet.refer(kind, Point::Compensation, CONTRACTOR_PAY, &ask).fact(place);
        }
    }
}

/// Whether one procurement bars the pay, until when, and the sum of it.
fn barred(case: &Case<'_>, c: &Compensation, p: &Procurement) -> (Three, Option<crate::day::Day>, String) {
    let limit = case.limits.contractor_pay_over;
    let listed = if p.roles.is_empty() { Three::Unknown } else { p.roles.iter().any(|r| r.is_listed()).into() };
    let over = p.value.map_or(Three::Unknown, |v| v.within(limit).not());
    let until = p.last_on.map(|day| day.plus_months(case.limits.contractor_pay_months));
    let in_time = until.zip(c.on.or(case.s.as_of)).map(|(until, day)| day < until);
    let former = former_official(case);
    let value = p.value.map_or_else(|| "of unknown value".to_owned(), |v| v.to_string());
    let clock = until.map_or_else(String::new, |until| format!("; one year runs until {until}"));
    (listed.and(over).and(in_time.into()).and(former), until, format!("{}: {value} against ${}{clock}", named(&p.name), grouped(limit)))
}
