//! After Government service: each element the facts reach, and whether the act may be done (18 U.S.C. 207, 5 CFR part 2641).

use super::post_bars::{Verdict, foreign, high, permanent, treaty as treaty_bar, two_years};
use super::post_contact::{Element, contact, intent, official_action, on_behalf, to_employee};
use super::post_except::{Exception, Lifts, exception};
use super::post_matter::{Same, parties_now, parties_then, personal, responsibility, same, substantial, united_states};
use super::post_status::{bars, status};
use super::{Ask, Case, Sheet};
use crate::answer::{Flag, Kind, Outcome, Point};
use crate::rules::{EXCEPTION, OFFICIAL_ACTION, PERMANENT, SAME_MATTER};
use crate::scenario::{Act, Form, MatterKind, PastWork, Status};
use crate::three::Three;

const KIND: Kind = Kind::PostEmployment;

pub(crate) fn post_employment(case: &Case<'_>, sheet: &mut Sheet) {
    let s = case.s;
    status(case, sheet);
    for (n, work) in s.past_work.iter().enumerate() {
        worked(case, n, work, sheet);
    }
    for (n, act) in s.acts.iter().enumerate() {
        acted(case, n, act, sheet);
    }
    let engaged = !s.acts.is_empty() || !s.past_work.is_empty() || !s.posts.is_empty();
    if !engaged && (case.asks(Point::MayAct) || s.person.status == Some(Status::Former)) {
        let ask =
            Ask::new("What did the person do in the Government, and what does the person want to do now?", "`posts`, `past_work`, `acts`");
        sheet.refer(KIND, Point::MayAct, PERMANENT, &ask);
    }
}

fn element(case: &Case<'_>, point: Point, e: &Element, place: &str, sheet: &mut Sheet) {
    let outcome = match e.met {
        Three::Yes => Outcome::ElementMet,
        Three::No => Outcome::ElementNotMet,
        Three::Unknown => {
            if case.asks(point) {
                sheet.refer(KIND, point, e.rule, &e.ask).fact(place);
            }
            return;
        }
    };
    sheet.find(KIND, outcome, point, e.rule, e.because.clone()).fact(place);
}

fn worked(case: &Case<'_>, n: usize, work: &PastWork, sheet: &mut Sheet) {
    let place = format!("past_work[{n}]");
    element(case, Point::SpecificParties, &parties_then(work), &place, sheet);
    element(case, Point::PersonalParticipation, &personal(work), &place, sheet);
    element(case, Point::SubstantialParticipation, &substantial(work), &place, sheet);
    element(case, Point::OfficialResponsibility, &responsibility(case, work), &place, sheet);
    if work.now.is_none() && case.s.matter.is_none() && !case.asks(Point::SameMatter) {
        return;
    }
    match same(case, work) {
        (Same::Unknown, _) => {
            if case.asks(Point::SameMatter) {
                let ask =
                    Ask::new("How does the matter of now hang together with the one of then?", "`past_work.now` and `past_work.changes`");
                sheet.refer(KIND, Point::SameMatter, SAME_MATTER, &ask).fact(place);
            }
        }
        (is, because) => {
            sheet
                .find(KIND, is.outcome(), Point::SameMatter, SAME_MATTER, because)
                .fact(place)
                .flag_if(is == Same::MayBeNew, Flag::Conditional);
        }
    }
}

fn acted(case: &Case<'_>, n: usize, act: &Act, sheet: &mut Sheet) {
    let place = format!("acts[{n}]");
    let (how, why, whom, behalf) = (contact(act), intent(act), to_employee(case, act), on_behalf(act));
    element(case, Point::Contact, &how, &place, sheet);
    if act.form != Some(Form::BehindTheScenes) {
        element(case, Point::IntentToInfluence, &why, &place, sheet);
        element(case, Point::ToEmployee, &whom, &place, sheet);
    }
    element(case, Point::OnBehalf, &behalf, &place, sheet);
    element(case, Point::UnitedStatesInterest, &united_states(case, case.s.past_work.first()), "matter.united_states", sheet);
    if case.s.matter.is_some() && case.asks(Point::SpecificParties) {
        element(case, Point::SpecificParties, &parties_now(case, None), "matter", sheet);
    }
    action(case, act, &place, sheet);
    let exception = exception(case, act);
    excepted(case, exception.as_ref(), &place, sheet);
    conclude(case, act, &[how, why, whom, behalf], exception.as_ref(), &place, sheet);
}

fn action(case: &Case<'_>, act: &Act, place: &str, sheet: &mut Sheet) {
    if bars(case).is_empty() && !case.asks(Point::OfficialAction) {
        return;
    }
    let because = match official_action(act) {
        Three::Yes => "it is meant to induce an official to decide or act as such",
        _ => "no official action is sought",
    };
    let ask = Ask::new("Is the contact meant to induce an official decision or act?", "`purpose`");
    element(case, Point::OfficialAction, &Element::new(OFFICIAL_ACTION, official_action(act), because, ask), place, sheet);
}

fn excepted(case: &Case<'_>, exception: Option<&Exception>, place: &str, sheet: &mut Sheet) {
    let above = exception.is_some_and(|e| e.lifts == Lifts::High) && bars(case).is_empty() && !case.s.past_work.is_empty();
    match exception {
        Some(e) if above => {
            let because = format!("{}; it lifts the bars of 18 U.S.C. 207(c) and (d) alone, and none of them is engaged", e.because);
            sheet.find(KIND, Outcome::ElementNotMet, Point::Exception, EXCEPTION, because).fact(place);
        }
        Some(e) => {
            let because = e.if_only.map_or_else(|| e.because.to_owned(), |only| format!("{}, provided that {only}", e.because));
            sheet
                .find(KIND, Outcome::ElementMet, Point::Exception, EXCEPTION, because)
                .fact(place)
                .flag_if(e.if_only.is_some(), Flag::Conditional);
        }
        None if case.asks(Point::Exception) => {
            sheet.find(KIND, Outcome::ElementNotMet, Point::Exception, EXCEPTION, "no exception applies to it").fact(place);
        }
        None => {}
    }
}

fn conclude(case: &Case<'_>, act: &Act, contact: &[Element], exception: Option<&Exception>, place: &str, sheet: &mut Sheet) {
    let bars = bars(case);
    let all = [
        permanent(case, contact, exception),
        two_years(case, act, contact, exception),
        high(case, act, &bars, contact, exception),
        foreign(case, act, &bars, exception),
        treaty_bar(case, act, exception),
    ];
    let treaty = treaty(case);
    let mut barred = false;
    for v in all.iter().filter(|v| v.applies == Three::Yes) {
        sheet
            .find(KIND, Outcome::Prohibited, Point::MayAct, v.rule, v.because.clone())
            .fact(place)
            .until(v.until)
            .flag_if(v.mixed, Flag::MixedOutcome)
            .flag_if(treaty, Flag::Also207b207f);
        barred = true;
    }
    if barred {
        return;
    }
    let [a1, rest @ ..] = &all;
    let shared = contact.iter().find(|e| e.met == Three::No);
    match shared {
        Some(no) => permitted(act, &no.because, None, treaty, place, sheet),
        None if a1.unstated && rest.iter().all(|v| v.unstated || v.applies == Three::No) && spares_none(exception) && bars.is_empty() => {
            if_worked_on(a1, place, sheet);
        }
        None => open_or_permitted(&all, exception, treaty, place, sheet),
    }
}

/// Whether no exception lifts the permanent bar.
fn spares_none(exception: Option<&Exception>) -> bool {
    exception.is_none_or(|e| matches!(e.lifts, Lifts::AllButPermanent | Lifts::High))
}

/// Everything but the work in the Government is there: what the printed examples on single elements take as given.
fn if_worked_on(a1: &Verdict, place: &str, sheet: &mut Sheet) {
    let because =
        format!("{}; so it is barred if the person participated personally and substantially in this matter as an employee", a1.because);
    sheet.find(KIND, Outcome::Prohibited, Point::MayAct, a1.rule, because).fact(place).flag(Flag::Conditional);
    if let Some(ask) = &a1.ask {
        sheet.refer(KIND, Point::MayAct, a1.rule, ask).fact(place);
    }
}

fn open_or_permitted(all: &[Verdict], exception: Option<&Exception>, treaty: bool, place: &str, sheet: &mut Sheet) {
    let open: Vec<&Verdict> = all.iter().filter(|v| v.applies == Three::Unknown && !v.unstated).collect();
    for v in &open {
        if let Some(ask) = &v.ask {
            sheet.refer(KIND, Point::MayAct, v.rule, ask).fact(place);
        }
    }
    if !open.is_empty() {
        return;
    }
    let excluded = all.iter().filter(|v| v.applies == Three::No && !v.because.is_empty());
    let because: Vec<String> = excluded.map(|v| format!("{}: {}", v.rule.cite, v.because)).collect();
    let provided: Vec<&str> = all.iter().filter(|v| v.unstated).map(|v| v.rule.cite).chain(exception.and_then(|e| e.if_only)).collect();
    let because = match provided.is_empty() {
        true => because.join("; "),
        false => format!("{}; nothing is stated that would engage {}", because.join("; "), provided.join(" or ")),
    };
    let found = sheet.find(KIND, Outcome::Permitted, Point::MayAct, PERMANENT, because).fact(place);
    found.flag_if(!provided.is_empty(), Flag::Conditional).flag_if(treaty, Flag::Also207b207f);
}

fn permitted(act: &Act, because: &str, until: Option<crate::day::Day>, treaty: bool, place: &str, sheet: &mut Sheet) {
    let found = sheet.find(KIND, Outcome::Permitted, Point::MayAct, PERMANENT, because).fact(place).until(until);
    found.flag_if(treaty || act.foreign_government == Some(true), Flag::Also207b207f);
}

/// Whether a trade or treaty negotiation is at issue, to which 207(b) and (f) apply as well.
fn treaty(case: &Case<'_>) -> bool {
    let of = |kind: Option<MatterKind>| matches!(kind, Some(MatterKind::BilateralAgreement | MatterKind::MultilateralAgreement));
    case.s.past_work.iter().any(|w| of(w.matter.kind)) || case.s.matter.as_ref().is_some_and(|m| of(m.kind))
}
