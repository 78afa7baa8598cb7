//! The bars of 18 U.S.C. 207, each put together from its elements.

use super::post_contact::{Element, official_action};
use super::post_except::{Exception, Lifts};
use super::post_matter::{parties_now, parties_then, personal, responsibility, same, substantial, united_states};
use super::post_status::{Bar, High, high_posts_unknown, of_former_agency};
use super::{Ask, Case};
use crate::day::Day;
use crate::rules::{FOREIGN, PERMANENT, Rule, SAME_MATTER, SENIOR, TRADE_TREATY, TWO_YEARS, VERY_SENIOR};
use crate::scenario::{Act, Behalf, MatterKind, PastWork, Recipient, RecipientKind, Stage};
use crate::three::Three;

/// What became of one bar.
pub(crate) struct Verdict {
    pub(crate) rule: Rule,
    pub(crate) applies: Three,
    pub(crate) because: String,
    pub(crate) ask: Option<Ask>,
    pub(crate) until: Option<Day>,
    /// Nothing at all is stated of what it rests on.
    pub(crate) unstated: bool,
    /// Some of those addressed are outside it.
    pub(crate) mixed: bool,
}

impl Verdict {
    fn new(rule: Rule, applies: Three, because: impl Into<String>) -> Self {
        Self { rule, applies, because: because.into(), ask: None, until: None, unstated: false, mixed: false }
    }

    fn unstated(rule: Rule, because: &str, ask: Ask) -> Self {
        Self { unstated: true, ask: Some(ask), ..Self::new(rule, Three::Unknown, because) }
    }
}

/// The day of an act.
pub(crate) fn day_of(case: &Case<'_>, act: &Act) -> Option<Day> {
    act.on.or(case.s.as_of)
}

/// All elements together: the first that is not met, else the first that is open.
fn together(rule: Rule, elements: &[Element]) -> Verdict {
    if let Some(no) = elements.iter().find(|e| e.met == Three::No) {
        return Verdict::new(rule, Three::No, format!("{} ({})", no.because, no.rule.cite));
    }
    if let Some(open) = elements.iter().find(|e| e.met == Three::Unknown) {
        let mut verdict = Verdict::new(rule, Three::Unknown, "an element is open");
        verdict.ask = Some(open.ask.clone());
        return verdict;
    }
    let because: Vec<&str> = elements.iter().map(|e| e.because.as_str()).collect();
    Verdict::new(rule, Three::Yes, because.join("; "))
}

/// The gravest of several.
fn gravest(verdicts: Vec<Verdict>) -> Option<Verdict> {
    let weight = |v: &Verdict| match v.applies {
        Three::Yes => 2,
        Three::Unknown => 1,
        Three::No => 0,
    };
    verdicts.into_iter().max_by_key(weight)
}

fn lifted(rule: Rule, exception: Option<&Exception>, by: impl Fn(Lifts) -> bool) -> Option<Verdict> {
    exception.filter(|e| by(e.lifts)).map(|e| Verdict::new(rule, Three::No, e.because))
}

/// 207(a)(1).
pub(crate) fn permanent(case: &Case<'_>, contact: &[Element], exception: Option<&Exception>) -> Verdict {
    if let Some(no) = lifted(PERMANENT, exception, |l| matches!(l, Lifts::All | Lifts::AllButForeign)) {
        return no;
    }
    let mut verdicts = Vec::new();
    for work in &case.s.past_work {
        let (is, because) = same(case, work);
        let ask =
            Ask::new("Is this the same particular matter as the one the person worked on?", "`past_work.now` and `past_work.changes`");
        let mut elements = vec![parties_then(work), parties_now(case, Some(work)), Element::new(SAME_MATTER, is.three(), because, ask)];
        elements.extend([personal(work), substantial(work), united_states(case, Some(work))]);
        elements.extend(contact.iter().cloned());
        verdicts.push(together(PERMANENT, &elements));
    }
    if let Some(verdict) = gravest(verdicts) {
        return verdict;
    }
    let now = parties_now(case, None);
    let mut elements: Vec<Element> = contact.to_vec();
    if now.met != Three::Unknown {
        elements.push(now);
    }
    elements.push(united_states(case, None));
    match together(PERMANENT, &elements) {
        no if no.applies == Three::No => no,
        // Posts are stated and no work in the matter: this bar is not what the facts are about.
        open if open.applies == Three::Unknown && !case.s.posts.is_empty() => Verdict { unstated: true, ..open },
        open if open.applies == Three::Unknown => open,
        yes => Verdict::unstated(
            PERMANENT,
            &yes.because,
            Ask::new("Did the person participate personally and substantially in this matter as an employee?", "`past_work`"),
        ),
    }
}

/// 207(a)(2).
pub(crate) fn two_years(case: &Case<'_>, act: &Act, contact: &[Element], exception: Option<&Exception>) -> Verdict {
    let all_but_foreign = |l| matches!(l, Lifts::All | Lifts::AllButForeign | Lifts::AllButPermanent);
    if let Some(no) = lifted(TWO_YEARS, exception, all_but_foreign) {
        return no;
    }
    let left = case.s.posts.last().and_then(|p| p.to);
    let until = left.map(|to| to.plus_months(case.limits.official_responsibility_months));
    if until.zip(day_of(case, act)).is_some_and(|(until, day)| day >= until) {
        return Verdict::new(TWO_YEARS, Three::No, "more than two years have passed since Government service ended");
    }
    let with = |w: &crate::scenario::PastWork| {
        let (is, because) = same(case, w);
        let ask = Ask::new("Is this the matter that was pending then?", "`past_work.now`");
        let pending = Element::new(
            TWO_YEARS,
            w.pending_in_last_year.into(),
            "it was pending there within the last year of service",
            Ask::new(
                "Was it pending under the person's responsibility within the last year of service?",
                "`past_work.pending_in_last_year`",
            ),
        );
        let mut elements = vec![
            parties_then(w),
            parties_now(case, Some(w)),
            Element::new(SAME_MATTER, is.three(), because, ask),
            responsibility(case, w),
            pending,
        ];
        elements.push(united_states(case, Some(w)));
        elements.extend(contact.iter().cloned());
        Verdict { until, ..together(TWO_YEARS, &elements) }
    };
    let told = |w: &&PastWork| !w.authority.is_empty() || w.acting_days.is_some() || w.pending_in_last_year == Some(true);
    let stated: Vec<_> = case.s.past_work.iter().filter(told).map(with).collect();
    gravest(stated).unwrap_or_else(|| {
        let ask =
            Ask::new("Was the matter under the person's official responsibility in the last year of service?", "`past_work.authority`");
        Verdict::unstated(TWO_YEARS, "nothing is stated of official responsibility", ask)
    })
}

/// 207(c) and (d).
pub(crate) fn high(case: &Case<'_>, act: &Act, bars: &[Bar<'_>], contact: &[Element], exception: Option<&Exception>) -> Verdict {
    let rule = if bars.iter().any(|b| b.high == High::VerySenior) { VERY_SENIOR } else { SENIOR };
    if bars.is_empty() {
        let stated = !case.s.posts.is_empty();
        if let Some(no) = lifted(SENIOR, exception, |_| true).filter(|_| stated) {
            return no;
        }
        if stated && high_posts_unknown(case) {
            return height_unknown();
        }
        let ask = Ask::new("Did the person leave a senior or very senior post within the last year or two?", "`posts`");
        return match stated {
            true => Verdict::new(SENIOR, Three::No, "no senior or very senior post was left"),
            false => Verdict::unstated(SENIOR, "nothing is stated of posts", ask),
        };
    }
    if let Some(no) = lifted(rule, exception, |_| true) {
        return no;
    }
    let verdicts = bars.iter().map(|bar| one_high(case, act, bar, contact)).collect();
    match gravest(verdicts) {
        Some(found) if found.applies != Three::No || !high_posts_unknown(case) => found,
        None if !high_posts_unknown(case) => Verdict::new(rule, Three::No, ""),
        _ => height_unknown(),
    }
}

/// A post was left of which nobody said how high it was.
fn height_unknown() -> Verdict {
    let ask = Ask::new(
        "How was the post paid: at or above 86.5 percent of the basic pay for level II of the Executive Schedule, or by rank?",
        "`posts.rank`, `posts.pay_less_threshold`",
    );
    Verdict { ask: Some(ask), ..Verdict::new(SENIOR, Three::Unknown, "how the post was paid is not stated") }
}

fn one_high(case: &Case<'_>, act: &Act, bar: &Bar<'_>, contact: &[Element]) -> Verdict {
    let rule = if bar.high == High::Senior { SENIOR } else { VERY_SENIOR };
    if bar.until.zip(day_of(case, act)).is_some_and(|(until, day)| day >= until) {
        return Verdict::new(rule, Three::No, "its time has run out");
    }
    let reached: Vec<Three> = act.before.iter().map(|r| reaches(bar, r)).collect();
    let who = reached.iter().copied().reduce(Three::or).unwrap_or(Three::Unknown);
    let action = Element::new(
        crate::rules::OFFICIAL_ACTION,
        official_action(act),
        match official_action(act) {
            Three::Yes => "it is meant to induce an official to decide or act as such",
            _ => "no official action is sought",
        },
        Ask::new("Is the contact meant to induce an official decision or act?", "`purpose`"),
    );
    let agency = Element::new(
        crate::rules::FORMER_AGENCY,
        who,
        match who {
            Three::Yes => "somebody addressed is of the former agency, or of the officials this bar covers",
            _ => "nobody addressed is of the former agency, or of the officials this bar covers",
        },
        Ask::new("Of which agency, and of which designated component, is the official?", "`before.agency`, `before.designated_component`"),
    );
    // Intent has its own test here: whether official action is sought.
    let mut elements: Vec<Element> =
        contact.iter().filter(|e| e.rule != crate::rules::INTENT && e.rule != crate::rules::TO_EMPLOYEE).cloned().collect();
    if let Some(public) = contact.iter().find(|e| e.rule == crate::rules::TO_EMPLOYEE && e.met == Three::No && act.before.is_empty()) {
        elements.push(public.clone());
    }
    elements.extend([agency, action]);
    Verdict { until: bar.until, mixed: reached.contains(&Three::Yes) && reached.contains(&Three::No), ..together(rule, &elements) }
}

/// Whether a bar reaches somebody addressed.
fn reaches(bar: &Bar<'_>, r: &Recipient) -> Three {
    let agency = of_former_agency(bar, r);
    if bar.high == High::Senior || matches!(r.who, Some(RecipientKind::Congress)) {
        return agency;
    }
    if r.who == Some(RecipientKind::PresidentOrVicePresident) {
        return Three::No;
    }
    let listed = Three::from(r.holds_listed_position).or(r.passes_on_to_listed_official.unwrap_or(false).into());
    agency.or(listed)
}

/// 207(f).
pub(crate) fn foreign(case: &Case<'_>, act: &Act, bars: &[Bar<'_>], exception: Option<&Exception>) -> Verdict {
    if act.foreign_government != Some(true) || bars.is_empty() {
        return Verdict::new(FOREIGN, Three::No, "no foreign government or party is helped by a former senior employee");
    }
    if let Some(no) = lifted(FOREIGN, exception, |l| l == Lifts::All) {
        return no;
    }
    let until = bars.iter().filter_map(|b| b.post.to).max().map(|to| to.plus_months(case.limits.senior_months));
    if until.zip(day_of(case, act)).is_some_and(|(until, day)| day >= until) {
        return Verdict::new(FOREIGN, Three::No, "more than a year has passed since the senior post was left");
    }
    Verdict {
        until,
        ..Verdict::new(FOREIGN, Three::Yes, "a former senior employee represents, aids or advises a foreign government or party")
    }
}

/// 207(b): representing, aiding or advising anybody else on a trade or treaty negotiation that goes on, with records exempt from disclosure.
pub(crate) fn treaty(case: &Case<'_>, act: &Act, exception: Option<&Exception>) -> Verdict {
    let negotiation = |w: &&PastWork| matches!(w.matter.kind, Some(MatterKind::BilateralAgreement | MatterKind::MultilateralAgreement));
    let Some(work) = case.s.past_work.iter().find(negotiation) else {
        return Verdict::new(TRADE_TREATY, Three::No, "no trade or treaty negotiation is at issue");
    };
    if let Some(no) = lifted(TRADE_TREATY, exception, |l| l == Lifts::All) {
        return no;
    }
    let left = case.s.posts.last().and_then(|p| p.to);
    let until = left.map(|to| to.plus_months(case.limits.trade_treaty_months));
    let over = until.zip(day_of(case, act)).is_some_and(|(until, day)| day >= until);
    let closed = case.s.matter.as_ref().and_then(|m| m.stage) == Some(Stage::Closed);
    if over || closed || act.on_behalf_of == Some(Behalf::Own) {
        return Verdict::new(TRADE_TREATY, Three::No, "the year is over, the negotiation has ended, or nobody else is helped");
    }
    let ask = Ask::new(
        "Does it rest on agency records that the person had access to and that were designated as exempt from disclosure?",
        "`uses_exempt_agency_records`",
    );
    match act.uses_exempt_agency_records {
        None => Verdict::unstated(TRADE_TREATY, "nothing is stated of exempt agency records", ask),
        Some(false) => Verdict::new(TRADE_TREATY, Three::No, "no exempt agency records are used"),
        Some(true) => {
            let elements = [personal(work), substantial(work)];
            Verdict { until, ..together(TRADE_TREATY, &elements) }
        }
    }
}
