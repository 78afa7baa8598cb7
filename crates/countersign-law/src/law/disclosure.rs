//! Financial disclosure: who files, by when; certificates of divestiture (5 CFR part 2634).

use super::{Ask, Case, Sheet};
use crate::answer::{Flag, Kind, Outcome, Point};
use crate::day::Day;
use crate::rules::{CERTIFICATE, CONFIDENTIAL, REPORT, Rule, TRANSACTION};
use crate::scenario::{
    Asset, CertificateRequest, Filing, FilingDuty, Holder, PositionLevel, Reinvestment, Status, Step, Supervision, Transaction,
};
use crate::three::Three;

pub(crate) fn disclosure(case: &Case<'_>, sheet: &mut Sheet) {
    match &case.s.filing {
        Some(filing) => {
            reports(case, filing, sheet);
            late_fee(case, filing, sheet);
        }
        None if case.asks(Point::Report) => {
            let ask = Ask::new("What position does the person hold, since when, and what are its duties?", "`filing`");
            sheet.refer(Kind::Disclosure, Point::Report, REPORT, &ask);
        }
        None => {}
    }
    if case.s.certificates.is_empty() && case.asks(Point::Certificate) {
        let ask = Ask::new("What is to be sold, who requires it, and has it been sold already?", "`certificates`");
        sheet.refer(Kind::Disclosure, Point::Certificate, CERTIFICATE, &ask);
    }
    for (n, c) in case.s.certificates.iter().enumerate() {
        certificate(case, n, c, sheet);
    }
}

/// 2634.704: a public report more than 30 days late costs a fee, unless it is waived.
fn late_fee(case: &Case<'_>, f: &Filing, sheet: &mut Sheet) {
    let due = sheet.findings.iter().filter(|(k, x)| *k == Kind::Disclosure && x.rule == REPORT.id).filter_map(|(_, x)| x.until).min();
    let limits = case.limits;
    if let Some((due, filed)) = due.zip(f.filed_on)
        && filed > due.plus_days(limits.late_fee_after_days)
    {
        let what = format!("pay the late filing fee of ${}, unless it is waived: due {due}, filed {filed}", limits.late_fee);
        sheet.oblige("the person", what, None, "5 CFR 2634.704");
    }
}

fn say(sheet: &mut Sheet, outcome: Outcome, rule: Rule, because: impl Into<String>, by: Option<Day>) {
    sheet.find(Kind::Disclosure, outcome, Point::Report, rule, because).fact("filing").until(by);
}

fn reports(case: &Case<'_>, f: &Filing, sheet: &mut Sheet) {
    use PositionLevel::*;
    if let Some(t) = &f.transaction {
        transaction(case, t, sheet);
    }
    if f.candidate_since.is_some() || case.s.person.status == Some(Status::Candidate) {
        return candidate(case, f, sheet);
    }
    match f.position {
        Some(SenateNominee) => nominee(case, f, sheet),
        Some(UniformedOrForeignServiceNominee) => {
            say(
                sheet,
                Outcome::FileNotRequired,
                REPORT,
                "nominees for officer of the uniformed services or the Foreign Service file no nominee report",
                None,
            );
        }
        Some(SeniorOrEquivalent | ActingInSenior) => public(case, f, sheet),
        Some(ScheduleC) if f.policy_making != Some(false) => public(case, f, sheet),
        Some(ScheduleC | Gs15OrBelow | Sge | IndependentContractor) => confidential(f, sheet),
        None if f.transaction.is_some() => {}
        None => {
            let ask = Ask::new("What kind of position is it, and how is it paid?", "`filing.position`");
            sheet.refer(Kind::Disclosure, Point::Report, REPORT, &ask);
        }
    }
}

fn extended(f: &Filing, day: Day) -> Day {
    day.plus_days(i64::try_from(f.extension_days.unwrap_or(0).min(90)).unwrap_or(0))
}

fn candidate(case: &Case<'_>, f: &Filing, sheet: &mut Sheet) {
    let Some(since) = f.candidate_since else {
        let ask = Ask::new("On what day did the person become a candidate?", "`filing.candidate_since`");
        sheet.refer(Kind::Disclosure, Point::Report, REPORT, &ask);
        return;
    };
    let may = Day::new(since.year(), 5, 15).unwrap_or(since);
    let by = extended(f, may.max(since.plus_days(case.limits.report_days)));
    let because = format!("a candidate files within 30 days of becoming one, or by 15 May of that year, whichever is later: by {by}");
    say(sheet, Outcome::ReportBy, REPORT, because, Some(by));
}

fn nominee(case: &Case<'_>, f: &Filing, sheet: &mut Sheet) {
    let by = f.nominated_on.map(|on| extended(f, on.plus_days(case.limits.nominee_report_days)));
    say(sheet, Outcome::ReportBy, REPORT, "a nominee files within five days of the transmittal to the Senate", by);
}

/// Days in the position in the calendar year of entry or leaving, as far as the days given tell: so far, and if it is held to the end of the year.
fn days_in_year(case: &Case<'_>, f: &Filing) -> Option<u64> {
    if f.days_in_year.is_some() {
        return f.days_in_year;
    }
    let from = f.assumed_on?;
    let last = Day::new(from.year(), 12, 31)?;
    let served = |to: Day| u64::try_from(to.min(last).days_since(from) + 1).ok();
    let over = |n: &u64| *n > case.limits.incumbent_over_days;
    match (f.left_on, case.s.as_of.filter(|day| day.year() == from.year())) {
        (Some(left), _) => served(left),
        // The year still runs: what is served so far may be enough, and the whole year may be too little; else nobody knows yet.
        (None, Some(today)) => served(today).filter(over).or_else(|| served(last).filter(|n| !over(n))),
        (None, None) => served(last),
    }
}

fn public(case: &Case<'_>, f: &Filing, sheet: &mut Sheet) {
    let limits = case.limits;
    let other = f.other_filer_position_within_30_days == Some(true);
    let days = days_in_year(case, f);
    // A detail or acting post that ends leaves the person in the service: what it was long enough for stays due, and the report on leaving with it.
    if let Some(left) = f.left_on.filter(|_| f.position == Some(PositionLevel::ActingInSenior)) {
        if days.is_some_and(|n| n > limits.incumbent_over_days) && !other {
            let by = extended(f, left.plus_days(limits.report_days));
            sheet.oblige("the person", "file a termination report for the acting or detailed post", Some(by), "5 CFR 2634.201(e)");
        }
        return entry(case, f, days, other, sheet);
    }
    if let Some(left) = f.left_on {
        if other {
            say(
                sheet,
                Outcome::FileNotRequired,
                REPORT,
                "another position of public filers follows within 30 days, so no termination report is due",
                None,
            );
        } else {
            let by = extended(f, left.plus_days(limits.report_days));
            let because = format!(
                "a termination report is due on the thirtieth day after leaving on {left}: by {by}; no incumbent report after that"
            );
            say(sheet, Outcome::ReportBy, REPORT, because, Some(by));
            sheet.oblige("the person", "file the termination report", Some(by), "5 CFR 2634.201(e)");
        }
        return;
    }
    if f.position == Some(PositionLevel::ActingInSenior) || f.assumed_on.is_some() || days.is_some() {
        entry(case, f, days, other, sheet);
        return;
    }
    let because = "an incumbent public filer files by 15 May for the year before";
    let by = case.s.as_of.and_then(|day| Day::new(day.year(), 5, 15));
    say(sheet, Outcome::FileRequired, REPORT, because, by);
}

fn entry(case: &Case<'_>, f: &Filing, days: Option<u64>, other: bool, sheet: &mut Sheet) {
    let limits = case.limits;
    let long = days.map_or(Three::Unknown, |n| Three::from(n > limits.incumbent_over_days));
    let year = f.assumed_on.or(case.s.as_of).map(Day::year);
    let may = year.and_then(|y| Day::new(y + 1, 5, 15));
    let sum = |n: u64| format!("{n} days in the year, against more than {}", limits.incumbent_over_days);
    let acting = f.position == Some(PositionLevel::ActingInSenior);
    match long {
        Three::Yes | Three::Unknown if other || f.filed_as_nominee == Some(true) => {
            say(
                sheet,
                Outcome::FileNotRequired,
                REPORT,
                "no new entrant report: a report was filed for another position or as a nominee",
                None,
            );
        }
        Three::Yes => {
            let because = "more than 60 days in the calendar year: an incumbent report by 15 May of the next, and a new entrant report the first time";
            sheet
                .find(Kind::Disclosure, Outcome::FileRequired, Point::Report, REPORT, because)
                .fact("filing")
                .until(may)
                .sums(days.map(sum).iter());
        }
        Three::No => {
            let because = "not more than 60 days in the calendar year: no incumbent report for that year";
            sheet
                .find(Kind::Disclosure, Outcome::FileNotRequired, Point::Report, REPORT, because)
                .fact("filing")
                .sums(days.map(sum).iter());
        }
        Three::Unknown => {
            let ask = Ask::new("How many days of the calendar year does the person serve in the position?", "`filing.days_in_year`");
            sheet.refer(Kind::Disclosure, Point::Report, REPORT, &ask);
        }
    }
    if !acting && !other && f.filed_as_nominee != Some(true) {
        let by = f.assumed_on.map(|on| extended(f, on.plus_days(limits.report_days)));
        sheet.oblige("the person", "file a new entrant report", by, "5 CFR 2634.201(b)");
    }
}

/// 2634.904.
fn confidential(f: &Filing, sheet: &mut Sheet) {
    use FilingDuty::*;
    let (outcome, because): (Option<Outcome>, &str) = match f.position {
        _ if f.alternative_procedure_approved == Some(true) => (
            Some(Outcome::FileNotRequired),
            "an alternative procedure that OGE approved in writing takes the place of the report (2634.905)",
        ),
        _ if f.agency_excludes == Some(true) => {
            (Some(Outcome::FileNotRequired), "the agency has excluded the position, since a conflict is remote")
        }
        Some(PositionLevel::IndependentContractor) => (Some(Outcome::FileNotRequired), "an independent contractor is no employee"),
        _ if f.duties.contains(&SupportOnly) && f.duties.len() == 1 => {
            (Some(Outcome::FileNotRequired), "support work without a part in the decisions makes a conflict remote")
        }
        Some(PositionLevel::Sge) if f.duties.contains(&AdvisesOnPolicy) => {
            (Some(Outcome::FileRequired), "special Government employees who advise on policy or sit on advisory committees file")
        }
        _ if f.agency_requires == Some(true) => (Some(Outcome::FileRequired), "the agency has decided that the position must file"),
        _ => by_duties(f),
    };
    match outcome {
        Some(outcome) => say(sheet, outcome, CONFIDENTIAL, because, None),
        None => {
            let ask = Ask::new(
                "What are the duties, does the person decide or use significant judgment in them, and how closely is the work reviewed?",
                "`filing.duties`, `filing.steps`, `filing.supervision`",
            );
            sheet.refer(Kind::Disclosure, Point::Report, CONFIDENTIAL, &ask);
        }
    }
}

fn by_duties(f: &Filing) -> (Option<Outcome>, &'static str) {
    use FilingDuty::*;
    let listed = f
        .duties
        .iter()
        .any(|d| matches!(d, Contracting | GrantsOrLicenses | RegulatingOrAuditing | InvestigatingOrProsecuting | OtherEconomicEffect));
    let substance = f.steps.is_empty() || f.steps.iter().any(|s: &Step| s.of_substance());
    match (listed, substance, f.supervision) {
        (true, true, Some(Supervision::LargelyIndependent)) => {
            (Some(Outcome::FileRequired), "significant judgment, without substantial supervision, in one of the listed functions")
        }
        (true, _, Some(Supervision::ReviewedBeforeDecision)) => (
            Some(Outcome::FileNotRequired),
            "the work is under substantial supervision and review; not required unless the agency decides so under 2634.904(a)(1)(ii)",
        ),
        (true, false, _) => (Some(Outcome::FileNotRequired), "the person has no part of substance in these functions"),
        (true, true, None) => (None, ""),
        (false, ..) if f.duties.is_empty() => (None, ""),
        (false, ..) => (Some(Outcome::FileNotRequired), "the duties are none of those listed"),
    }
}

/// 2634.201(f), 2634.309.
fn transaction(case: &Case<'_>, t: &Transaction, sheet: &mut Sheet) {
    use Asset::*;
    let exempt =
        matches!(t.asset, Some(MutualFund | UnitTrust | TreasuryBond | TreasuryBillOrSavingsBond | ThriftSavingsPlan | RealProperty));
    let over = t.value.map_or(Three::Unknown, |v| v.within(case.limits.transaction_over).not());
    if exempt || over == Three::No {
        return say(sheet, Outcome::FileNotRequired, TRANSACTION, "not above $1,000, or of a kind that is not reported", None);
    }
    if t.asset.is_none() {
        let ask = Ask::new("What was traded, and for how much?", "`filing.transaction`");
        sheet.refer(Kind::Disclosure, Point::Report, TRANSACTION, &ask);
        return;
    }
    let told = t.told_on.map(|d| d.plus_days(case.limits.transaction_notice_days));
    let traded = t.on.map(|d| d.plus_days(case.limits.transaction_trade_days));
    let by = told.into_iter().chain(traded).min();
    let because = "a purchase, sale or exchange over $1,000 is reported 30 days after notice, and no later than 45 days after the trade";
    let found = sheet.find(Kind::Disclosure, Outcome::ReportBy, Point::Report, TRANSACTION, because).fact("filing.transaction").until(by);
    // What it was worth is not stated: it is reported unless that shows it need not be.
    let found = found.flag_if(over == Three::Unknown, Flag::Conditional);
    let found = found.sums(told.map(|d| format!("told plus 30 days: {d}")).iter());
    found.sums(traded.map(|d| format!("traded plus 45 days: {d}")).iter());
    sheet.oblige("the person", "file a periodic transaction report (OGE 278-T)", by, "5 CFR 2634.201(f)(1)");
}

/// 2634.1002 to 1005.
fn certificate(_: &Case<'_>, n: usize, c: &CertificateRequest, sheet: &mut Sheet) {
    let place = format!("certificates[{n}]");
    let own = matches!(c.holder, None | Some(Holder::Own | Holder::Spouse | Holder::MinorChild | Holder::Child));
    let denied = [
        (c.already_sold == Some(true), "none can be issued for what has been sold already"),
        (c.capital_gain == Some(false), "only capital gains are eligible, not ordinary income"),
        (c.divestiture_required == Some(false), "nothing requires the sale"),
        (c.second_after_partial_sale == Some(true), "no further certificate after a sale down to the exempt amount"),
        (c.eligible_person == Some(false), "the person is not eligible"),
        (c.in_tax_deferred_account == Some(true), "it can be exchanged or rolled over without a gain being taxed (2634.1007(a), (b))"),
        (c.acquired_against_prohibition == Some(true), "it was acquired when that was forbidden (2634.1007(d))"),
        (c.divests_all_conflicting == Some(false), "not everything that presents the conflict is to be sold (2634.1007(c))"),
        (c.reinvestment == Some(Reinvestment::Else), "the proceeds are not put in permitted property"),
        (!own, "it belongs to somebody who is not eligible"),
    ];
    if let Some((_, because)) = denied.iter().find(|(is, _)| *is) {
        sheet.find(Kind::Disclosure, Outcome::CertificateDenied, Point::Certificate, CERTIFICATE, *because).fact(place);
    } else if c.divestiture_required == Some(true) && c.already_sold == Some(false) && c.capital_gain == Some(true) {
        let because = "divestiture is required, it is not sold yet, and a capital gain would come of it";
        sheet.find(Kind::Disclosure, Outcome::CertificatePossible, Point::Certificate, CERTIFICATE, because).fact(place);
    } else if c.divestiture_required == Some(true) && c.already_sold.is_none() && c.capital_gain == Some(true) {
        let because = "divestiture is required and a capital gain would come of it; provided that it has not been sold yet";
        let found = sheet.find(Kind::Disclosure, Outcome::CertificatePossible, Point::Certificate, CERTIFICATE, because);
        found.fact(place).flag(Flag::Conditional);
    } else {
        let open = [
            (c.divestiture_required.is_none(), "Does anybody require it to be divested?"),
            (c.already_sold.is_none(), "Has it been sold?"),
            (c.capital_gain.is_none(), "Would the gain be a capital gain?"),
        ];
        let questions: Vec<&str> = open.iter().filter(|(open, _)| *open).map(|(_, q)| *q).collect();
        let ask = Ask::new(questions.join(" "), "`divestiture_required`, `already_sold`, `capital_gain`");
        sheet.refer(Kind::Disclosure, Point::Certificate, CERTIFICATE, &ask).fact(place);
    }
}
