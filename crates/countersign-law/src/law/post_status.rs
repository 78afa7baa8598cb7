//! Former, senior and very senior employees; when bars begin and end, and as to which agencies (5 CFR 2641.104, 2641.204, 2641.205, 2641.302).

use super::{Ask, Case, Sheet, named};
use crate::answer::{Kind, Outcome, Point};
use crate::day::Day;
use crate::rules::{SENIOR_PERIOD, SENIOR_STATUS, TWO_YEAR_PERIOD};
use crate::scenario::{Post, Rank, Recipient, RecipientKind, Status, same_name};
use crate::three::Three;

/// Which of the two bars for high posts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum High {
    /// 18 U.S.C. 207(c).
    Senior,
    /// 18 U.S.C. 207(d).
    VerySenior,
}

/// A bar that a high post left behind.
pub(crate) struct Bar<'a> {
    pub(crate) high: High,
    pub(crate) post: &'a Post,
    /// Posts whose agencies it covers.
    pub(crate) posts: Vec<&'a Post>,
    pub(crate) until: Option<Day>,
}

/// Whether a post is a senior one (2641.104, 2641.204(c)).
pub(crate) fn senior(case: &Case<'_>, p: &Post) -> Three {
    let paid = p.pay_less_threshold.map(|less| Three::from(less >= 0));
    let by_rank = match p.rank {
        Some(Rank::FlagOfficer | Rank::ExecutiveSchedule) => Three::Yes,
        Some(Rank::AtThreshold) => paid.unwrap_or(Three::Yes),
        Some(Rank::Unpaid | Rank::LevelOneOrWhiteHouseTop) => Three::No,
        Some(Rank::BelowThreshold) => paid.unwrap_or(Three::No),
        Some(Rank::IpaDetail) => paid
            .unwrap_or(Three::Unknown)
            .and(Three::from(p.direct_federal_supplement).or(p.post_ordinarily_at_threshold.into()).or(p.reimbursed_at_threshold.into())),
        None => paid.unwrap_or(Three::Unknown),
    };
    let enough_days = match p.sge_days_in_last_year {
        Some(days) => Three::from(days >= case.limits.sge_days),
        None => Three::Yes,
    };
    by_rank.and(enough_days)
}

fn very_senior(p: &Post) -> bool {
    p.rank == Some(Rank::LevelOneOrWhiteHouseTop)
}

/// Whether the next post followed without a break. A weekend is none.
fn unbroken(p: &Post, next: Option<&Post>) -> bool {
    let Some(next) = next else { return false };
    match (p.to, next.from, p.continues_in_other_post) {
        (_, _, Some(stated)) => stated,
        (Some(to), Some(from), None) => from.days_since(to) <= 4,
        _ => true,
    }
}

/// Whether a post was left of which nobody said how high it was.
pub(crate) fn high_posts_unknown(case: &Case<'_>) -> bool {
    let left = |p: &Post| p.to.is_some() || case.s.person.status == Some(Status::Former);
    case.s.posts.iter().any(|p| left(p) && !very_senior(p) && senior(case, p) == Three::Unknown)
}

/// Bars that high posts have left behind.
pub(crate) fn bars<'a>(case: &Case<'a>) -> Vec<Bar<'a>> {
    let posts = &case.s.posts;
    let mut found = Vec::new();
    for (n, p) in posts.iter().enumerate() {
        let next = posts.get(n + 1);
        let high = match () {
            () if very_senior(p) => High::VerySenior,
            () if senior(case, p) == Three::Yes => High::Senior,
            () => continue,
        };
        let goes_on = unbroken(p, next) && next.is_some_and(|next| same_height(case, high, next));
        let held = p.to.is_none() && next.is_none() && !matches!(case.s.person.status, Some(Status::Former) | None);
        if goes_on || held {
            continue;
        }
        let months = if high == High::Senior { case.limits.senior_months } else { case.limits.very_senior_months };
        found.push(Bar { high, post: p, posts: covered(case, n, high), until: p.to.map(|to| to.plus_months(months)) });
    }
    found
}

fn same_height(case: &Case<'_>, high: High, next: &Post) -> bool {
    match high {
        High::Senior => senior(case, next) == Three::Yes,
        High::VerySenior => very_senior(next),
    }
}

/// Posts of the same unbroken service within the year before (204(g)(2)(i)); for very senior employees only very senior posts (205(f)).
fn covered<'a>(case: &Case<'a>, n: usize, high: High) -> Vec<&'a Post> {
    let posts = &case.s.posts;
    let Some(last) = posts.get(n) else { return Vec::new() };
    let year_before = last.to.map(|to| to.plus_months(-12));
    let mut all = vec![last];
    for i in (0..n).rev() {
        let (Some(p), next) = (posts.get(i), posts.get(i + 1)) else { break };
        let early = p.to.zip(year_before).is_some_and(|(to, start)| to < start);
        if early || !unbroken(p, next) {
            break;
        }
        if high == High::Senior || very_senior(p) {
            all.push(p);
        }
    }
    all
}

/// Whether somebody addressed belongs to the former agency (204(g), 302).
pub(crate) fn of_former_agency(bar: &Bar<'_>, r: &Recipient) -> Three {
    if matches!(
        r.who,
        Some(RecipientKind::Congress | RecipientKind::StateOrLocalOfficial | RecipientKind::PrivateBody | RecipientKind::Public)
    ) {
        return Three::No;
    }
    if r.as_official == Some(false) {
        return Three::No;
    }
    bar.posts.iter().map(|p| served_there(bar.high, p, r)).fold(Three::No, Three::or)
}

fn served_there(high: High, p: &Post, r: &Recipient) -> Three {
    if let Some(successor) = &r.successor {
        let served = same_name(&successor.of, &p.agency) || (!successor.of.is_empty() && same_name(&successor.of, &p.designated_component));
        return match (served, successor.official_moved_elsewhere, successor.functions_dispersed, successor.mission_goes_on) {
            (true, Some(true), ..) | (true, _, Some(true), _) => Three::No,
            (true, _, _, Some(true)) => Three::Yes,
            _ => Three::Unknown,
        };
    }
    if r.agency.trim().is_empty() || p.agency.trim().is_empty() {
        return Three::Unknown;
    }
    if !same_name(&p.agency, &r.agency) {
        return Three::No;
    }
    // Components are of no use to those paid under the Executive Schedule (302(b)) or very senior (205(f)).
    let separate = high == High::Senior && p.rank != Some(Rank::ExecutiveSchedule);
    Three::from(!separate || same_name(&p.designated_component, &r.designated_component))
}

/// Whether the person is a former official, for whom 41 U.S.C. 2104 speaks.
pub(crate) fn former_official(case: &Case<'_>) -> Three {
    match case.s.person.status {
        Some(Status::Former) => Three::Yes,
        Some(Status::Contractor | Status::Ffrdc | Status::Partner) if case.s.posts.iter().any(|p| p.to.is_some()) => Three::Yes,
        Some(_) if case.s.posts.last().is_some_and(|p| p.to.is_some()) => Three::Yes,
        Some(_) => Three::No,
        None => Three::Unknown,
    }
}

/// 202(b) and (c): each end of service begins two years, for what was pending under it then.
fn two_years(case: &Case<'_>, sheet: &mut Sheet) {
    let posts = &case.s.posts;
    for (n, p) in posts.iter().enumerate() {
        let (Some(to), false) = (p.to, unbroken(p, posts.get(n + 1))) else { continue };
        let until = to.plus_months(case.limits.official_responsibility_months);
        let because = format!(
            "18 U.S.C. 207(a)(2) runs two years from leaving {} on {to}, for matters pending under the person's responsibility in the last year of that service; a later \
             service and its end begin another two years for what was pending under it, and leave these as they are",
            named(&p.agency)
        );
        let found = sheet.find(Kind::PostEmployment, Outcome::Period, Point::Period, TWO_YEAR_PERIOD, because).fact(format!("posts[{n}]"));
        found.until(Some(until)).sum(format!("{to} plus {} months: {until}", case.limits.official_responsibility_months));
    }
}

pub(crate) fn status(case: &Case<'_>, sheet: &mut Sheet) {
    let s = case.s;
    let only_service = !s.posts.is_empty()
        && s.posts.iter().all(|p| matches!(p.rank, None | Some(Rank::BelowThreshold)) && p.pay_less_threshold.is_none())
        && s.acts.is_empty()
        && s.past_work.is_empty()
        && s.payments.is_empty();
    if case.asks(Point::FormerStatus) || (only_service && s.matter.is_none()) {
        former(case, sheet);
    }
    for (n, p) in s.posts.iter().enumerate() {
        if p.rank.is_none() && p.pay_less_threshold.is_none() && !case.asks(Point::SeniorStatus) {
            continue;
        }
        senior_status(case, n, p, sheet);
    }
    if s.posts.is_empty() && (case.asks(Point::SeniorStatus) || case.asks(Point::Period)) {
        let ask = Ask::new("Which posts did the person hold, from when to when, and how were they paid?", "`posts`");
        sheet.refer(Kind::PostEmployment, Point::SeniorStatus, SENIOR_STATUS, &ask);
    }
    for bar in bars(case) {
        period(case, &bar, sheet);
    }
    if case.asks(Point::Period) {
        two_years(case, sheet);
    }
}

fn former(case: &Case<'_>, sheet: &mut Sheet) {
    let s = case.s;
    let left = match s.posts.last() {
        Some(p) if p.continues_in_other_post == Some(true) => Three::No,
        Some(p) => match (p.to, s.as_of, s.person.status) {
            (Some(to), Some(day), _) => Three::from(to <= day),
            (Some(_), None, _) | (None, _, Some(Status::Former)) => Three::Yes,
            (None, ..) => Three::No,
        },
        None => match s.person.status {
            Some(Status::Former) => Three::Yes,
            Some(_) => Three::No,
            None => Three::Unknown,
        },
    };
    let (outcome, because) = match left {
        Three::Yes => (Outcome::StatusYes, "Government service has ended, and nothing follows it without a break"),
        Three::No => (Outcome::StatusNo, "Government service goes on, in this post or another, in whatever branch"),
        Three::Unknown => {
            let ask = Ask::new("Has Government service ended?", "`posts`, `person.status`");
            sheet.refer(Kind::PostEmployment, Point::FormerStatus, SENIOR_STATUS, &ask);
            return;
        }
    };
    sheet.find(Kind::PostEmployment, outcome, Point::FormerStatus, SENIOR_STATUS, because).fact("posts");
}

fn senior_status(case: &Case<'_>, n: usize, p: &Post, sheet: &mut Sheet) {
    let place = format!("posts[{n}]");
    let is = if very_senior(p) { Three::Yes } else { senior(case, p) };
    let (outcome, because) = match is {
        Three::Yes if very_senior(p) => (Outcome::StatusYes, format!("the post at {} is a very senior one", named(&p.agency))),
        Three::Yes => (Outcome::StatusYes, format!("the post at {} is a senior one, so 18 U.S.C. 207(c) follows it", named(&p.agency))),
        Three::No => (Outcome::StatusNo, format!("the post at {} is not a senior one", named(&p.agency))),
        Three::Unknown => {
            let ask = Ask::new(
                "What was the basic pay against 86.5 percent of level II, and who paid it?",
                "`pay_less_threshold` and the fields for details",
            );
            sheet.refer(Kind::PostEmployment, Point::SeniorStatus, SENIOR_STATUS, &ask).fact(place);
            return;
        }
    };
    let pay = p.pay_less_threshold.map(|less| format!("pay less 86.5 percent of level II: {less}"));
    let days = p.sge_days_in_last_year.map(|days| format!("{days} days in the last year, against {}", case.limits.sge_days));
    sheet.find(Kind::PostEmployment, outcome, Point::SeniorStatus, SENIOR_STATUS, because).fact(place).sums(pay.iter()).sums(days.iter());
}

fn period(case: &Case<'_>, bar: &Bar<'_>, sheet: &mut Sheet) {
    let (law, months) = match bar.high {
        High::Senior => ("18 U.S.C. 207(c)", case.limits.senior_months),
        High::VerySenior => ("18 U.S.C. 207(d)", case.limits.very_senior_months),
    };
    let agencies: Vec<&str> = bar.posts.iter().map(|p| named(&p.agency)).collect();
    let and_listed = if bar.high == High::VerySenior { " and every official in a listed position" } else { "" };
    let because = format!(
        "{law} runs {months} months from leaving the post at {}, whether or not Government service ended then; it covers {}{and_listed}",
        named(&bar.post.agency),
        agencies.join(" and ")
    );
    let found = sheet.find(Kind::PostEmployment, Outcome::Period, Point::Period, SENIOR_PERIOD, because).fact("posts").until(bar.until);
    if let (Some(to), Some(until)) = (bar.post.to, bar.until) {
        let found = found.sum(format!("{to} plus {months} months: {until}"));
        if let Some(day) = case.s.as_of.filter(|day| *day < until) {
            let left = (0..months).rev().find(|m| day.plus_months(*m) <= until).unwrap_or(0);
            found.sum(format!("on {day}, {left} months remain"));
        }
    }
}
