//! What seeking employment means for taking part, and for notices (5 CFR 2635.602, 604 to 607).

use super::classify::Class;
use super::seeking::{Stage, arrangement_by_leave, is_employment, stage};
use super::{Ask, Case, Sheet, named};
use crate::answer::{Flag, Kind, Outcome, Point};
use crate::rules::{AFTER_TALKS, ARRANGEMENT, NEGOTIATE_BAR, NOTIFY, RECUSAL_STATEMENT, SEEK_AUTHORIZE, SEEK_BAR};
use crate::scenario::{JobContact, JobEventKind, PaperKind, Standing, Status};
use crate::three::Three;

/// Whether the matter affects a possible employer, by how it stands to the matter.
fn affects(case: &Case<'_>, name: &str) -> Three {
    let Some(matter) = &case.s.matter else { return Three::No };
    match matter.standing(name) {
        Some(Standing::NotConcerned | Standing::CompetitorOfParty) => Three::No,
        Some(s) if s.is_party() || s.in_class() => match Class::of(matter) {
            Class::Unknown => Three::Unknown,
            class => class.is_particular().into(),
        },
        Some(Standing::RepresentsParty | Standing::Subcontractor | Standing::MakerOfOnlyRivalProduct | Standing::PaidForWorkUnderIt) => {
            Three::Yes
        }
        _ if Class::of(matter) == Class::NotParticular => Three::No,
        Some(_) | None => Three::Unknown,
    }
}

pub(crate) fn bars(case: &Case<'_>, sheet: &mut Sheet) {
    if case.s.person.status == Some(Status::Former) {
        return;
    }
    for (n, c) in case.s.job_contacts.iter().enumerate() {
        if is_employment(c) == Some(false) {
            continue;
        }
        let at = stage(c, case.s.as_of, case.limits.unanswered_resume_months);
        let place = format!("job_contacts[{n}]");
        part(case, c, at, &place, sheet);
        notices(case, c, at, &place, sheet);
    }
    by_leave(case, sheet);
}

fn part(case: &Case<'_>, c: &JobContact, at: Stage, place: &str, sheet: &mut Sheet) {
    let intends = c.events.iter().any(|e| e.what == JobEventKind::PersonIntendsTo);
    match at {
        Stage::None if !intends => {}
        Stage::Ended => after_talks(case, c, place, sheet),
        _ => match affects(case, &c.with) {
            Three::No => {
                let because = format!("no particular matter before the person affects {}", named(&c.with));
                sheet.find(Kind::Seeking, Outcome::MayParticipate, Point::Participation, SEEK_BAR, because).fact(place);
            }
            Three::Unknown => {
                let ask = Ask::new(format!("How does the matter concern {}?", named(&c.with)), "an entry for it in `matter.concerns`");
                sheet.refer(Kind::Seeking, Point::Participation, SEEK_BAR, &ask).fact(place);
            }
            Three::Yes => barred(case, at, place, sheet),
        },
    }
}

fn barred(case: &Case<'_>, at: Stage, place: &str, sheet: &mut Sheet) {
    let class = case.s.matter.as_ref().map_or(Class::Unknown, Class::of);
    let kind = Kind::Seeking;
    if at == Stage::Sent && class == Class::General {
        let because =
            "only an unsolicited resume or proposal is out, nothing shows interest, and the matter has no specific parties (604(a)(2))";
        sheet.find(kind, Outcome::MayParticipate, Point::Participation, SEEK_BAR, because).fact(place).flag(Flag::Conditional);
        return;
    }
    let (rule, flag, because) = match at {
        Stage::Agreed => {
            (ARRANGEMENT, Flag::WaiverPossible, "there is an arrangement about future employment with somebody the matter affects")
        }
        Stage::Negotiating => {
            (NEGOTIATE_BAR, Flag::WaiverPossible, "the person negotiates with somebody the matter affects; only a waiver lifts it")
        }
        Stage::None => {
            (SEEK_BAR, Flag::AuthorizationPossible, "before seeking employment with somebody the matter affects, the person should recuse")
        }
        _ => (SEEK_AUTHORIZE, Flag::AuthorizationPossible, "the person seeks employment with somebody the matter affects"),
    };
    if let Some(papers) = lifted(case, flag) {
        sheet
            .find(kind, Outcome::MayParticipate, Point::Participation, rule, "a waiver or authorization in writing lifts it")
            .fact("papers")
            .flag(papers);
        return;
    }
    sheet.find(kind, Outcome::Disqualified, Point::Participation, rule, because).fact(place).fact("matter").flag(flag);
    if flag == Flag::AuthorizationPossible && class == Class::Parties {
        let because = "the agency designee may authorize it in writing, since the person seeks but does not negotiate";
        sheet.find(Kind::Authorization, Outcome::AuthorizationPossible, Point::Authorization, SEEK_AUTHORIZE, because).fact(place);
    }
    let own = case.s.person.assigns_own_work == Some(true);
    let tell = match own {
        true => "keep the matter away from yourself; tell those who work on it, where they would otherwise ask",
        false => "tell whoever assigned the matter, so that it can be reassigned",
    };
    sheet.oblige("the person", tell, case.s.as_of, "5 CFR 2635.604(b)");
}

fn lifted(case: &Case<'_>, needed: Flag) -> Option<Flag> {
    let good = |kinds: &[PaperKind]| {
        case.s.papers.iter().any(|p| {
            p.kind.is_some_and(|k| kinds.contains(&k))
                && p.written == Some(true)
                && p.by_the_right_official == Some(true)
                && p.before_acting == Some(true)
        })
    };
    if good(&[PaperKind::Waiver208b1, PaperKind::Waiver208b3]) {
        return Some(Flag::Waived);
    }
    (needed == Flag::AuthorizationPossible && good(&[PaperKind::Authorization502d])).then_some(Flag::Authorized)
}

/// 606(b).
fn after_talks(case: &Case<'_>, c: &JobContact, place: &str, sheet: &mut Sheet) {
    match affects(case, &c.with) {
        Three::Yes => {
            let because =
                format!("talks with {} have ended; the agency designee may find that the recusal has to go on for a time", named(&c.with));
            sheet.find(Kind::Seeking, Outcome::RecusalMayContinue, Point::Participation, AFTER_TALKS, because).fact(place);
        }
        Three::Unknown => {
            let ask = Ask::new(format!("How does the matter concern {}?", named(&c.with)), "an entry for it in `matter.concerns`");
            sheet.refer(Kind::Seeking, Point::Participation, AFTER_TALKS, &ask).fact(place);
        }
        Three::No => {}
    }
}

/// 606(a): leave of absence with a right to return.
fn by_leave(case: &Case<'_>, sheet: &mut Sheet) {
    for (n, t) in case.s.ties.iter().enumerate() {
        let promised = t.organization.as_ref().is_some_and(|o| o.return_agreed == Some(true));
        if !promised || !arrangement_by_leave(case, &t.with) {
            continue;
        }
        let place = format!("ties[{n}]");
        let because =
            format!("leave of absence with an agreement to return is an arrangement with {} for the whole of the service", named(&t.with));
        match case.s.matter.as_ref().map(|_| affects(case, &t.with)) {
            None | Some(Three::Yes) => {
                sheet
                    .find(Kind::Seeking, Outcome::Disqualified, Point::Participation, ARRANGEMENT, because)
                    .fact(place)
                    .flag(Flag::WaiverPossible);
            }
            Some(Three::No) => {
                sheet
                    .find(Kind::Seeking, Outcome::MayParticipate, Point::Participation, ARRANGEMENT, "the matter does not affect it")
                    .fact(place);
            }
            Some(Three::Unknown) => {
                let ask = Ask::new(format!("How does the matter concern {}?", named(&t.with)), "an entry for it in `matter.concerns`");
                sheet.refer(Kind::Seeking, Point::Participation, ARRANGEMENT, &ask).fact(place);
            }
        }
    }
}

/// 602(a)(2) and 607.
fn notices(case: &Case<'_>, c: &JobContact, at: Stage, place: &str, sheet: &mut Sheet) {
    use JobEventKind::*;
    let talks = c.events.iter().find(|e| matches!(e.what, BothDiscussedTheJob | Offered | Agreed));
    let set_up = c.events.iter().any(|e| matches!(e.what, MeetingSet));
    let began = talks.and_then(|e| e.on);
    let filer = case.s.person.public_filer;
    let kind = Kind::Seeking;
    let affected = affects(case, &c.with);
    if c.notice_filed_on.is_some() && (talks.is_some() || set_up) && filer != Some(false) {
        satisfied(case, c, began, place, sheet);
    } else if talks.is_some() && filer == Some(true) {
        let by = began.map(|on| on.plus_business_days(case.limits.notice_business_days));
        let because = "a public filer who negotiates, or agrees, must notify an ethics official in writing within three business days";
        let found = sheet.find(kind, Outcome::NoticeRequired, Point::Notice, NOTIFY, because).fact(place).until(by);
        if let (Some(on), Some(by)) = (began, by) {
            found.sum(format!("begun {on}, plus {} business days: {by}", case.limits.notice_business_days));
        }
        sheet.oblige(
            "the person",
            format!("file a signed notice naming {} and the day talks began", named(&c.with)),
            by,
            "5 CFR 2635.607(a)",
        );
    } else if talks.is_some() && filer.is_none() {
        let ask = Ask::new("Does the person file a public report (OGE 278e)?", "`person.public_filer`");
        sheet.refer(kind, Point::Notice, NOTIFY, &ask).fact(place);
    } else if c.events.is_empty() {
        let ask = Ask::new(format!("What passed between the person and {}, and when?", named(&c.with)), "`events`");
        sheet.refer(kind, Point::Notice, NOTIFY, &ask).fact(place);
    } else if affected == Three::No || (affected == Three::Yes && at < Stage::Sent) {
        let because = "nobody need be told: no public filer negotiates, and no matter calls for a recusal that must be made known";
        sheet.find(kind, Outcome::NoticeNotRequired, Point::Notice, NOTIFY, because).fact(place);
    }
    if at >= Stage::Sent {
        recusal_statement(case, c, affected, talks.is_some(), place, sheet);
    }
}

fn satisfied(case: &Case<'_>, c: &JobContact, began: Option<crate::day::Day>, place: &str, sheet: &mut Sheet) {
    let by = began.map(|on| on.plus_business_days(case.limits.notice_business_days));
    let late = by.zip(c.notice_filed_on).is_some_and(|(by, filed)| filed > by);
    let (outcome, because) = match late {
        true => (Outcome::NoticeRequired, "the notice came later than three business days after talks began"),
        false => (Outcome::NoticeSatisfied, "notice was filed in time; it may be filed before talks begin, and need not be filed again"),
    };
    sheet.find(Kind::Seeking, outcome, Point::Notice, NOTIFY, because).fact(place).until(by);
}

fn recusal_statement(case: &Case<'_>, c: &JobContact, affected: Three, talks: bool, place: &str, sheet: &mut Sheet) {
    let prudent = case.s.person.assigns_own_work == Some(true);
    let none = |because: &str, sheet: &mut Sheet| {
        let found = sheet.find(Kind::Seeking, Outcome::RecusalStatementNotRequired, Point::RecusalStatement, RECUSAL_STATEMENT, because);
        found.fact(place).flag_if(prudent || talks, Flag::WrittenRecusalPrudent);
    };
    match (case.s.person.public_filer, affected) {
        (Some(true), Three::No) => {
            none("there is no conflict or appearance of one with that employer now; filing in advance is encouraged", sheet)
        }
        (Some(true), Three::Yes) if talks && c.recusal_filed_on.is_none() => {
            sheet.oblige(
                "the person",
                format!("file a notification of recusal from matters of {}", named(&c.with)),
                None,
                "5 CFR 2635.607(b)",
            );
        }
        (Some(false), _) => none("one who is no public filer need not file a written recusal, unless directed to", sheet),
        _ => {}
    }
}
