//! Payments by a former employer (5 CFR 2635.503).

use super::classify::Class;
use super::{Ask, Case, Sheet, named};
use crate::amount::grouped;
use crate::answer::{Flag, Kind, Outcome, Point};
use crate::rules::{PAYMENT, PAYMENT_BAR};
use crate::scenario::{PaperKind, Payment, Standing};
use crate::three::Three;

/// Whether a payment is covered: over the limit, decided on after the position was known, and not under a qualifying programme.
fn is_covered(case: &Case<'_>, p: &Payment) -> Three {
    if p.on_file_as_covered_payment == Some(true) {
        return Three::Yes;
    }
    let over = p.value.map_or(Three::Unknown, |v| v.within(case.limits.covered_payment_over).not());
    over.and(p.decided_after_position_known.into()).and(qualifying(p).not())
}

/// A written plan that favors nobody who enters the Government, or a history of like payments (503(b)(2)).
fn qualifying(p: &Payment) -> Three {
    match p.under_written_plan {
        Some(true) => Three::from(p.plan_favors_government_service.unwrap_or(false)).not(),
        Some(false) => p.others_paid_alike.into(),
        None if p.others_paid_alike == Some(true) => Three::Yes,
        None => Three::Unknown,
    }
}

fn why(case: &Case<'_>, p: &Payment) -> String {
    let limit = grouped(case.limits.covered_payment_over);
    let from = named(&p.from);
    match is_covered(case, p) {
        Three::Yes => format!("{from} paid more than ${limit} outside a qualifying programme, after it knew of the Government position"),
        _ if qualifying(p) == Three::Yes => format!("{from} paid it under a qualifying programme"),
        _ => format!("{from} paid no more than ${limit}, or decided on it before it knew of the Government position"),
    }
}

pub(crate) fn payments(case: &Case<'_>, sheet: &mut Sheet) {
    let s = case.s;
    if s.payments.is_empty() && case.asks(Point::CoveredPayment) {
        let ask = Ask::new("Which payment, by whom, when, and under what plan?", "`payments`");
        sheet.refer(Kind::Impartiality, Point::CoveredPayment, PAYMENT, &ask);
    }
    for (n, p) in s.payments.iter().enumerate() {
        let place = format!("payments[{n}]");
        match is_covered(case, p) {
            Three::Unknown => {
                let ask = Ask::new(
                    format!(
                        "Was the payment by {} over ${}, decided on after the position was known, and under no written plan or custom?",
                        named(&p.from),
                        grouped(case.limits.covered_payment_over)
                    ),
                    "`value`, `decided_after_position_known`, `under_written_plan`, `others_paid_alike`",
                );
                sheet.refer(Kind::Impartiality, Point::CoveredPayment, PAYMENT, &ask).fact(place);
            }
            covered => {
                let outcome = if covered == Three::Yes { Outcome::ElementMet } else { Outcome::ElementNotMet };
                let found = sheet.find(Kind::Impartiality, outcome, Point::CoveredPayment, PAYMENT, why(case, p)).fact(&place);
                if let Some(value) = p.value {
                    found.sum(format!("{value} against ${}", grouped(case.limits.covered_payment_over)));
                }
                bar(case, p, covered, &place, sheet);
            }
        }
    }
}

/// 503(a): two years from receipt, specific parties only.
fn bar(case: &Case<'_>, p: &Payment, covered: Three, place: &str, sheet: &mut Sheet) {
    let Some(matter) = &case.s.matter else { return };
    let kind = Kind::Impartiality;
    let until = p.received_on.map(|day| day.plus_months(case.limits.covered_payment_months));
    let over = until.zip(case.s.as_of).is_some_and(|(until, day)| day >= until);
    let waived = case
        .s
        .papers
        .iter()
        .any(|w| w.kind == Some(PaperKind::Waiver503c) && w.written == Some(true) && w.by_the_right_official == Some(true));
    let standing = case.s.standing(&p.from);
    let no = |because: &str, sheet: &mut Sheet| {
        sheet.find(kind, Outcome::MayParticipate, Point::Participation, PAYMENT_BAR, because).fact(place).fact("matter");
    };
    match (covered, Class::of(matter)) {
        (Three::No, _) => {}
        (_, Class::General | Class::NotParticular) => {
            no("no parties are involved, and the bar is on matters in which the payer is or represents a party", sheet)
        }
        (_, Class::Unknown) => {
            sheet.refer(kind, Point::Participation, PAYMENT_BAR, &super::classify::ask()).fact(place);
        }
        _ if over => no("two years have passed since the payment was received", sheet),
        _ if waived => no("the head of the agency has waived it in writing", sheet),
        (_, Class::Parties) => match standing {
            Some(s) if s.is_party() || s == Standing::RepresentsParty => {
                let because = "the former employer that made the covered payment is or represents a party";
                let found = sheet.find(kind, Outcome::Disqualified, Point::Participation, PAYMENT_BAR, because).fact(place).until(until);
                let found = found.sum(clock(case, p));
                found.flag_if(after_entry(case, p), Flag::Also209);
                sheet.oblige(
                    "the person",
                    format!("take no part in matters with {} as a party", named(&p.from)),
                    until,
                    "5 CFR 2635.503(a)",
                );
            }
            Some(_) => no("the payer is neither a party nor does it represent one", sheet),
            None => {
                let ask = Ask::new(format!("Is {} a party, or does it represent one?", named(&p.from)), "`matter.concerns`");
                sheet.refer(kind, Point::Participation, PAYMENT_BAR, &ask).fact(place);
            }
        },
    }
}

/// The first day in the newest post.
fn entered(case: &Case<'_>) -> Option<crate::day::Day> {
    case.s.posts.last().and_then(|post| post.from)
}

fn after_entry(case: &Case<'_>, p: &Payment) -> bool {
    p.received_on.zip(entered(case)).is_some_and(|(received, entered)| received > entered)
}

fn clock(case: &Case<'_>, p: &Payment) -> String {
    let months = case.limits.covered_payment_months;
    match (p.received_on, entered(case)) {
        (Some(received), Some(entered)) => {
            let until = received.plus_months(months);
            let mut whole = 0;
            while entered.plus_months(whole + 1) <= until {
                whole += 1;
            }
            format!("received {received}, plus {months} months: until {until}, which is {whole} months after entry on {entered}")
        }
        (Some(received), None) => format!("received {received}, plus {months} months: until {}", received.plus_months(months)),
        _ => format!("{months} months from receipt"),
    }
}
