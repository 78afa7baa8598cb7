//! Staff of investment advisers who see what clients will trade: reports of holdings and transactions, and approval before offerings
//! (17 CFR 275.204A-1).

use super::{Ask, Case, Sheet};
use crate::answer::{Kind, Outcome, Point};
use crate::day::Day;
use crate::rules::ACCESS_PERSONS;
use crate::scenario::{AccessPerson, Asset, Offering, PersonalTrade, Side};
use crate::three::Three;

const KIND: Kind = Kind::Trading;
const CITE: &str = ACCESS_PERSONS.cite;

/// Whether the person is an access person (e)(1).
fn access(p: &AccessPerson) -> Three {
    Three::from(p.sees_clients_trades)
        .or(p.sees_recommendations.into())
        .or(Three::from(p.director_officer_or_partner).and(p.advice_is_primary_business.into()))
}

/// Whether the rule asks nothing of the person, and why.
fn outside(p: &AccessPerson) -> Option<&'static str> {
    match (access(p), p.sole_with_records) {
        (Three::No, _) => Some("the person sees nothing of what clients trade or are told, and so is no access person (275.204A-1(e)(1))"),
        (_, Some(true)) => Some("the only access person, who keeps records of all of it, reports to nobody (275.204A-1(d))"),
        _ => None,
    }
}

/// (b)(1): the reports of holdings.
pub(crate) fn holdings(case: &Case<'_>, sheet: &mut Sheet) {
    let Some(p) = &case.s.access_person else { return };
    if let Some(because) = outside(p) {
        sheet.find(KIND, Outcome::NoViolation, Point::HoldingsReports, ACCESS_PERSONS, because).fact("access_person");
        return;
    }
    let (Three::Yes, Some(since)) = (access(p), p.since) else {
        let ask = Ask::new(
            "What does the person get to see of clients' trades and of recommendations, and since when?",
            "`sees_clients_trades`, `sees_recommendations`, `since`",
        );
        sheet.refer(KIND, Point::HoldingsReports, ACCESS_PERSONS, &ask).fact("access_person");
        return;
    };
    first(case, p, since, sheet);
    yearly(case, p, since, sheet);
}

/// Writes down how a report that was due came out.
fn told(outcome: Outcome, because: &str, line: String, by: Option<Day>, sheet: &mut Sheet) {
    sheet.find(KIND, outcome, Point::HoldingsReports, ACCESS_PERSONS, because).fact("access_person").sum(line).until(by);
}

fn first(case: &Case<'_>, p: &AccessPerson, since: Day, sheet: &mut Sheet) {
    let l = case.limits;
    let due = since.plus_days(l.access_person_report_days);
    let oldest = since.plus_days(-l.holdings_current_days);
    let line = format!("since {since}: due {due}, of {oldest} or later");
    match p.holdings_reports.first().map(|r| (r.submitted_on, r.current_as_of)) {
        Some((Some(on), _)) if on > due => {
            told(
                Outcome::Violation,
                "the first report of holdings is later than ten days after access began (b)(1)(ii)(A)",
                line,
                None,
                sheet,
            );
        }
        Some((_, Some(of))) if of < oldest => {
            told(
                Outcome::Violation,
                "the first report of holdings is older than forty-five days before access began (b)(1)(ii)(A)",
                line,
                None,
                sheet,
            );
        }
        Some((Some(_), Some(_))) => told(Outcome::NoViolation, "the first report of holdings is in time and current", line, None, sheet),
        None if case.s.as_of.is_some_and(|day| day <= due) => {
            told(Outcome::NoViolation, "the first report of holdings is not due yet", line, Some(due), sheet);
            sheet.oblige("the person", "report all holdings to the adviser", Some(due), CITE);
        }
        _ => {
            let ask = Ask::new("When was the first report of holdings made, and of which day is it?", "`access_person.holdings_reports`");
            sheet.refer(KIND, Point::HoldingsReports, ACCESS_PERSONS, &ask).fact("access_person").sum(line);
        }
    }
}

/// Once in each twelve months, on a day the adviser selects: whatever day that is, two years without a report miss one, and a year misses none.
fn yearly(case: &Case<'_>, p: &AccessPerson, since: Day, sheet: &mut Sheet) {
    let months = case.limits.holdings_report_months;
    let (old, days): (Vec<_>, Vec<_>) = (
        p.holdings_reports.iter().skip(1).filter_map(|r| r.submitted_on.zip(r.current_as_of)).collect(),
        p.holdings_reports.iter().filter_map(|r| r.submitted_on).chain(case.s.as_of).collect(),
    );
    for (on, of) in old {
        if of < on.plus_days(-case.limits.holdings_current_days) {
            let line = format!("submitted {on}, of {of}");
            told(
                Outcome::Violation,
                "a report of holdings is more than forty-five days old when submitted (b)(1)(ii)(B)",
                line,
                None,
                sheet,
            );
        }
    }
    let mut last = since;
    for day in days {
        let line = format!("from {last} to {day}");
        if day >= last.plus_months(months.saturating_mul(2)) {
            told(Outcome::Violation, "no report of holdings in a period of twelve months (b)(1)(ii)(B)", line, None, sheet);
        } else if day > last.plus_months(months) {
            let ask = Ask::new("Which day of the year did the adviser select for the reports of holdings?", "the adviser's code of ethics");
            sheet.refer(KIND, Point::HoldingsReports, ACCESS_PERSONS, &ask).fact("access_person").sum(line);
        }
        last = day;
    }
}

/// (b)(2), (b)(3) and (c): one trade.
pub(crate) fn trade(case: &Case<'_>, t: &PersonalTrade, place: String, sheet: &mut Sheet) {
    if let Some(because) = case.s.access_person.as_ref().and_then(outside) {
        sheet.find(KIND, Outcome::NoViolation, Point::PersonalTrade, ACCESS_PERSONS, because).fact(place);
        return;
    }
    let mut settled = true;
    for step in [approval(t), report(case, t, sheet)] {
        match step {
            Step::Right => {}
            Step::Wrong(because, line) => {
                sheet.find(KIND, Outcome::Violation, Point::PersonalTrade, ACCESS_PERSONS, because).fact(&place).sums(line.iter());
                settled = false;
            }
            Step::Open(ask) => {
                sheet.refer(KIND, Point::PersonalTrade, ACCESS_PERSONS, &ask).fact(&place);
                settled = false;
            }
        }
    }
    if settled {
        let because = "approved before, where approval is needed, and reported in time, or not due yet, where a report is";
        sheet.find(KIND, Outcome::NoViolation, Point::PersonalTrade, ACCESS_PERSONS, because).fact(place);
    }
}

enum Step {
    Right,
    Wrong(&'static str, Option<String>),
    Open(Ask),
}

/// (c): nothing is bought in an initial public or limited offering before the adviser approves.
fn approval(t: &PersonalTrade) -> Step {
    let wrong = || Step::Wrong("bought in an initial public or limited offering without the adviser's approval before (c)", None);
    match (t.side, t.offering) {
        (Some(Side::Sale | Side::ShortSale), _) | (_, Some(Offering::Neither)) => Step::Right,
        (_, None) | (None, _) => Step::Open(Ask::new(
            "Was it bought, and in an initial public or a limited offering?",
            "`trades[].side` and `trades[].offering`",
        )),
        (Some(Side::Purchase), Some(_)) => match (t.made_without_clearance, t.cleared_on.zip(t.on)) {
            (Some(true), _) => wrong(),
            (_, Some((cleared, on))) if cleared > on => wrong(),
            (_, Some(_)) => Step::Right,
            _ => Step::Open(Ask::new(
                "On what day did the adviser approve it, and when was it made?",
                "`trades[].cleared_on`, `trades[].on`",
            )),
        },
    }
}

/// What need not be reported (b)(3), (e)(10).
fn unreported(t: &PersonalTrade) -> Three {
    use Asset::*;
    let none = match t.asset {
        Some(TreasuryBond | TreasuryBillOrSavingsBond) => Three::Yes,
        // Open-end funds are reported where the adviser's group stands behind them.
        Some(MutualFund | UnitTrust) => Three::from(t.fund_of_the_adviser).not(),
        Some(_) => Three::No,
        None => Three::Unknown,
    };
    none.or(Three::from(t.account_without_influence == Some(true))).or(Three::from(t.automatic_plan == Some(true)))
}

fn report(case: &Case<'_>, t: &PersonalTrade, sheet: &mut Sheet) -> Step {
    if unreported(t) == Three::Yes {
        return Step::Right;
    }
    let open = || Step::Open(Ask::new("What was traded, when, and on what day was it reported?", "`trades[].asset`, `on`, `reported_on`"));
    let Some(on) = t.on.filter(|_| unreported(t) == Three::No) else { return open() };
    let due = on.quarter_end().plus_days(case.limits.quarter_report_days);
    let in_time = |day: Option<Day>| day.is_some_and(|day| day <= due);
    match (t.reported_on, case.s.as_of) {
        _ if in_time(t.reported_on) || in_time(t.statement_received_on) => Step::Right,
        (Some(reported), _) => Step::Wrong(
            "reported later than thirty days after the end of the quarter (b)(2)(ii)",
            Some(format!("made {on}, due {due}; reported {reported}")),
        ),
        (None, Some(today)) if today <= due => {
            sheet.oblige("the person", "report the quarter's transactions to the adviser", Some(due), CITE);
            Step::Right
        }
        (None, _) => open(),
    }
}
