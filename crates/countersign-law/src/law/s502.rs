//! Would impartiality be questioned, and can the agency authorize it all the same? (5 CFR 2635.502)

use std::borrow::Cow;

use super::classify::Class;
use super::stakes::{Stake, Touch, who};
use super::{Ask, Case, Sheet, named};
use crate::answer::{Flag, Kind, Outcome, Point};
use crate::rules::{AUTHORIZE, CATCH_ALL, COVERED, FORMER_EMPLOYER, PARTIES_ONLY};
use crate::scenario::{Asset, Holder, MatterKind, Paper, PaperKind, PartInMatter, Stage, Standing, Status, Tie, TieRole, same_name};

/// How a tie stands under 502.
enum Reach {
    /// Covered relationship with a party or who represents one: questioned.
    Questioned(String),
    /// Covered, and the circumstances do not raise a question.
    NotQuestioned(String),
    /// A human must weigh it.
    Open(Ask),
    /// Nothing in it for 502.
    Outside,
}

/// Whether a tie ended more than a year ago (502(b)(1)(iv)).
fn long_over(case: &Case<'_>, t: &Tie) -> bool {
    t.ended_on.is_some_and(|end| case.s.as_of.is_some_and(|day| day >= end.plus_months(case.limits.former_employer_months)))
}

fn over(case: &Case<'_>, t: &Tie) -> bool {
    t.ended_on.is_some_and(|end| case.s.as_of.is_none_or(|day| end <= day))
}

/// Covered relationships, 502(b)(1). `None`: not one of them, whatever else it may be.
fn covered(case: &Case<'_>, t: &Tie) -> bool {
    use Holder::{AdultChild, Child, CloseRelative, HouseholdMember, MinorChild, Own, Parent, Sibling, Spouse};
    use TieRole::{
        ActiveParticipant, AgentAttorneyConsultantContractor, BusinessDealing, Customer, DirectorOrTrustee, Employee, IsThatPerson,
        MemberOrDonor, Officer,
    };
    let leads = matches!(t.role, Some(Officer | DirectorOrTrustee | TieRole::GeneralPartner));
    let serves = leads || matches!(t.role, Some(Employee | AgentAttorneyConsultantContractor));
    match (t.who, t.role) {
        (_, Some(MemberOrDonor | Customer) | None) | (None, _) => false,
        (Some(Own), _) if serves => !long_over(case, t),
        (Some(Own), Some(BusinessDealing | ActiveParticipant)) => !over(case, t),
        (Some(Own), _) => false,
        (Some(Spouse | Parent | Child | AdultChild | MinorChild), _) if serves => !over(case, t),
        (Some(Spouse | Parent | Child | AdultChild | MinorChild | Sibling | CloseRelative | HouseholdMember), Some(IsThatPerson)) => true,
        (Some(Holder::GeneralPartner), Some(IsThatPerson | BusinessDealing)) => true,
        _ => false,
    }
}

/// Whether somebody stands where 502(a)(2) looks: a party, or who represents one. A first-tier subcontractor counts (502(b) example 4).
fn at_the_table(standing: Standing) -> bool {
    standing.is_party() || matches!(standing, Standing::RepresentsParty | Standing::Subcontractor)
}

fn reach(case: &Case<'_>, t: &Tie) -> Reach {
    let standing = case.s.standing(&t.with);
    let whose = t.who.map_or("somebody", who);
    let name = named(&t.with);
    if t.with.trim().is_empty() || t.who.is_none() {
        return Reach::Open(Ask::new(format!("Who has the tie with {name}, and is it a party?"), "`who`, `with`"));
    }
    match standing {
        Some(Standing::NotConcerned) => return Reach::Outside,
        None if covered(case, t) => {
            return Reach::Open(Ask::new(format!("Is {name} a party to the matter, or does it represent one?"), "`matter.concerns`"));
        }
        None => {
            return match catch_all(case, t, whose, name) {
                Reach::Outside => Reach::Outside,
                _ => Reach::Open(Ask::new(format!("Is {name} a party to the matter, or does it represent one?"), "`matter.concerns`")),
            };
        }
        Some(s) if !at_the_table(s) && !near(s) => return Reach::Outside,
        Some(_) => {}
    }
    let at_table = standing.is_some_and(at_the_table);
    match (covered(case, t), at_table) {
        (true, true) => weigh(t, whose, name),
        // Paid for work under it, and it is the relative who does that work: as good as at the table.
        (true, false) if standing == Some(Standing::PaidForWorkUnderIt) && works_on_it(t) => weigh(t, whose, name),
        (true, false) => Reach::Open(Ask::new(
            format!(
                "Would a reasonable person question impartiality, since {whose} has a covered relationship with {name}, which is close to a party?"
            ),
            "a determination by the agency designee under 5 CFR 2635.502(c)",
        )),
        (false, _) => catch_all(case, t, whose, name),
    }
}

/// Standings near a party: for the designee to weigh.
fn near(s: Standing) -> bool {
    use Standing::*;
    matches!(s, ParentOfParty | SubsidiaryOfParty | AffiliateOfParty | PaidForWorkUnderIt | SupplierOfParty)
}

fn works_on_it(t: &Tie) -> bool {
    matches!(t.part_in_matter, Some(PartInMatter::LeadsOrSigns | PartInMatter::WorksOnIt))
}

fn weigh(t: &Tie, whose: &str, name: &str) -> Reach {
    if t.who == Some(Holder::Own) || t.role == Some(TieRole::IsThatPerson) {
        return Reach::Questioned(format!(
            "{whose} has, or had within the last year, such a relationship with {name}, which is at the table"
        ));
    }
    match (t.part_in_matter, t.role) {
        (Some(PartInMatter::LeadsOrSigns | PartInMatter::WorksOnIt), _) => {
            Reach::Questioned(format!("{whose} works for {name}, and on this very matter"))
        }
        (Some(PartInMatter::WorksElsewhere), Some(TieRole::Employee)) => {
            Reach::NotQuestioned(format!("{whose} works for {name}, on something else"))
        }
        (Some(PartInMatter::WorksElsewhere), _) => Reach::Questioned(format!("{whose} serves {name} in a leading position")),
        (None, _) => Reach::Open(Ask::new(
            format!("Does {whose}, who serves {name}, work on this matter, and would a reasonable person question impartiality?"),
            "`part_in_matter`, or a determination by the agency designee",
        )),
    }
}

fn catch_all(case: &Case<'_>, t: &Tie, whose: &str, name: &str) -> Reach {
    let own_past = t.who == Some(Holder::Own) && long_over(case, t);
    match (t.who, t.role, t.part_in_matter) {
        (_, Some(TieRole::MemberOrDonor | TieRole::Customer), _) => Reach::Outside,
        _ if own_past => Reach::Outside,
        (
            Some(Holder::Friend | Holder::Sibling | Holder::CloseRelative | Holder::Other | Holder::HouseholdMember),
            _,
            Some(PartInMatter::LeadsOrSigns),
        ) => Reach::Questioned(format!("{whose} leads or presents the matter for {name}")),
        (Some(Holder::Friend), Some(TieRole::IsThatPerson), _) => Reach::Questioned(format!("{whose} is a party")),
        _ => Reach::Open(Ask::new(
            format!("Would a reasonable person question impartiality, given that {whose} has to do with {name}?"),
            "a determination by the agency designee under 5 CFR 2635.502(c)",
        )),
    }
}

/// Ties as stated, and those that lie in an interest: pay or a contract of a relative is service with whoever pays it.
fn ties<'a>(case: &Case<'a>) -> Vec<(String, Cow<'a, Tie>)> {
    let stated = case.s.ties.iter().enumerate().map(|(n, t)| (format!("ties[{n}]"), Cow::Borrowed(t)));
    let paid = case.s.interests.iter().enumerate().filter_map(|(n, i)| {
        let role = match i.asset? {
            Asset::Salary | Asset::BonusOrProfitShare => TieRole::Employee,
            Asset::ContractOrSubcontract if i.holder != Some(Holder::Own) => TieRole::AgentAttorneyConsultantContractor,
            Asset::ContractOrSubcontract => TieRole::BusinessDealing,
            _ => return None,
        };
        let told = case.s.ties.iter().any(|t| t.who == i.holder && same_name(&t.with, &i.issuer));
        let tie = Tie { who: i.holder, with: i.issuer.clone(), role: Some(role), ended_on: i.divested_on, ..Tie::default() };
        (!told).then(|| (format!("interests[{n}]"), Cow::Owned(tie)))
    });
    stated.chain(paid).collect()
}

pub(crate) fn impartiality(case: &Case<'_>, sheet: &mut Sheet) {
    let s = case.s;
    let Some(matter) = &s.matter else {
        if case.asks(Point::Impartiality) || case.asks(Point::Authorization) {
            let ask = Ask::new("In which matter would the person act, and who are its parties?", "`matter`");
            sheet.refer(Kind::Impartiality, Point::Impartiality, PARTIES_ONLY, &ask);
        }
        return;
    };
    let asked = case.asks(Point::Impartiality);
    let ties = ties(case);
    if s.person.status == Some(Status::Former) || (ties.is_empty() && !asked) {
        return;
    }
    match Class::of(matter) {
        Class::General | Class::NotParticular => {
            let because = "no specific parties are involved, so ties to those it affects do not engage 5 CFR 2635.502";
            sheet.find(Kind::Impartiality, Outcome::MayParticipate, Point::Impartiality, PARTIES_ONLY, because).fact("matter").fact("ties");
        }
        Class::Unknown => {
            sheet.refer(Kind::Impartiality, Point::Impartiality, PARTIES_ONLY, &super::classify::ask());
        }
        Class::Parties if ties.is_empty() => {
            let ask = Ask::new("With whom do the person and those close to the person have ties?", "`ties`");
            sheet.refer(Kind::Impartiality, Point::Impartiality, PARTIES_ONLY, &ask);
        }
        Class::Parties => each_tie(case, &ties, sheet),
    }
}

fn each_tie(case: &Case<'_>, ties: &[(String, Cow<'_, Tie>)], sheet: &mut Sheet) {
    let mut outside = true;
    for (place, t) in ties {
        let rule = if !covered(case, t) {
            CATCH_ALL
        } else if over(case, t) {
            FORMER_EMPLOYER
        } else {
            COVERED
        };
        // Whoever meets an exemption is authorized by it as to the same tie (2635.501(b)(3)).
        let exempt = sheet.findings.iter().any(|(kind, f)| {
            *kind == Kind::Exemption && f.outcome == Outcome::Exempt && !f.flags.contains(&Flag::Conditional) && f.facts.contains(place)
        });
        match reach(case, t) {
            Reach::Questioned(_) | Reach::Open(_) if exempt => {
                let because = "an exemption under 5 CFR part 2640 is met for this tie, and authorizes what 5 CFR 2635.502 would restrict";
                let found = sheet.find(Kind::Impartiality, Outcome::MayParticipate, Point::Impartiality, AUTHORIZE, because);
                found.fact(place.clone()).flag(Flag::Authorized);
            }
            Reach::Questioned(why) => questioned(case, t, rule, why, place, sheet),
            Reach::NotQuestioned(why) => {
                sheet.find(Kind::Impartiality, Outcome::ImpartialityNotQuestioned, Point::Impartiality, rule, why).fact(place.clone());
            }
            Reach::Open(ask) => {
                sheet.refer(Kind::Impartiality, Point::Impartiality, rule, &ask).fact(place.clone());
            }
            Reach::Outside => continue,
        }
        outside = false;
    }
    if outside {
        let because = "none of the ties stated is a covered relationship with a party or who represents one";
        sheet.find(Kind::Impartiality, Outcome::ImpartialityNotQuestioned, Point::Impartiality, COVERED, because).fact("ties");
    }
}

fn questioned(case: &Case<'_>, t: &Tie, rule: crate::rules::Rule, why: String, place: &str, sheet: &mut Sheet) {
    if let Some((outcome, flag)) = decided(case) {
        sheet
            .find(Kind::Impartiality, outcome, Point::Impartiality, AUTHORIZE, "the agency designee has decided it in writing")
            .fact("papers")
            .flag(flag);
        return;
    }
    let until = t.ended_on.filter(|_| t.who == Some(Holder::Own)).map(|end| end.plus_months(case.limits.former_employer_months));
    sheet
        .find(Kind::Impartiality, Outcome::ImpartialityQuestioned, Point::Impartiality, rule, why)
        .fact(place)
        .until(until)
        .flag(Flag::AuthorizationPossible);
    sheet.oblige("the person", "take no part until the agency designee has decided", None, "5 CFR 2635.502(a), (e)");
}

/// What the agency designee decided, where a paper says so.
fn decided(case: &Case<'_>) -> Option<(Outcome, Flag)> {
    let by_designee = |p: &&Paper| p.by_the_right_official == Some(true);
    case.s.papers.iter().filter(by_designee).find_map(|p| match p.kind {
        Some(PaperKind::Authorization502d) => Some((Outcome::MayParticipate, Flag::Authorized)),
        Some(PaperKind::Determination502cNotQuestioned) => Some((Outcome::ImpartialityNotQuestioned, Flag::Authorized)),
        _ => None,
    })
}

/// Whether 18 U.S.C. 208 leaves it to 502: specific parties, and a tie or an interest in somebody at or near the table.
pub(crate) fn to_be_followed(case: &Case<'_>, class: Class, stakes: &[Stake<'_>], exempt: &[String]) -> bool {
    if class != Class::Parties {
        return false;
    }
    let engaged = |t| matches!(reach(case, t), Reach::Questioned(_) | Reach::NotQuestioned(_) | Reach::Open(_));
    let by_tie = case.s.ties.iter().enumerate().any(|(n, t)| !exempt.contains(&format!("ties[{n}]")) && engaged(t));
    let by_pay = stakes.iter().any(|stake| {
        matches!(stake.touch, Touch::No(..))
            && matches!(stake.asset, Asset::Salary | Asset::BonusOrProfitShare | Asset::BenefitPlan | Asset::ContractOrSubcontract)
            && stake.standing.is_none_or(|s| at_the_table(s) || near(s))
            && !matches!(stake.touch, Touch::No(rule, _) if rule == crate::rules::DIVESTED)
    });
    // A relative's or household member's stake does not count under 208, and may count here.
    let by_relative = case.s.interests.iter().any(|i| {
        i.holder.is_some_and(|h| !super::stakes::imputed(h) && !matches!(h, Holder::Other))
            && case.s.standing(&i.issuer).is_some_and(at_the_table)
    });
    by_tie || by_pay || by_relative
}

/// 502(d).
pub(crate) fn authorization(case: &Case<'_>, sheet: &mut Sheet) {
    let Some(matter) = &case.s.matter else { return };
    if case.s.person.status == Some(Status::Former) || (Class::of(matter) != Class::Parties && !case.asks(Point::Authorization)) {
        return;
    }
    if sheet.has(Kind::Participation, Outcome::Disqualified) {
        let because = "18 U.S.C. 208 bars participation; only a waiver under that statute can lift it";
        let found = sheet.find(Kind::Authorization, Outcome::AuthorizationBarred, Point::Authorization, AUTHORIZE, because);
        found.flag(Flag::WaiverPossible);
        return;
    }
    let engaged = sheet.has(Kind::Impartiality, Outcome::ImpartialityQuestioned) || sheet.has(Kind::Impartiality, Outcome::Refer);
    if !engaged {
        return;
    }
    let open = |f: &crate::answer::Finding| f.outcome == Outcome::Refer && f.point != Point::Impartiality;
    if matter.kind.is_none() || sheet.findings.iter().any(|(k, f)| *k == Kind::Participation && open(f)) {
        let ask = Ask::new(
            "What kind of matter is it, and does 18 U.S.C. 208 bar the person from it?",
            "`matter.kind`, and the questions on participation",
        );
        sheet.refer(Kind::Authorization, Point::Authorization, AUTHORIZE, &ask);
        return;
    }
    weigh_authorization(case, matter, sheet);
}

fn weigh_authorization(case: &Case<'_>, matter: &crate::scenario::Matter, sheet: &mut Sheet) {
    use MatterKind::*;
    let sensitive = matches!(matter.kind, Some(Investigation | EnforcementOrProsecution | Lawsuit));
    let needed =
        matter.nobody_else_can == Some(true) && (matter.reviewed_above == Some(true) || matter.stage == Some(Stage::NearlyComplete));
    let (outcome, because) = match sensitive && !needed {
        true => {
            (Outcome::AuthorizationDoubtful, "the matter is a sensitive one, and nothing shows that the Government needs this person in it")
        }
        false => (
            Outcome::AuthorizationPossible,
            "the agency designee may find that the Government's interest in the participation outweighs the concern",
        ),
    };
    let found = sheet.find(Kind::Authorization, outcome, Point::Authorization, AUTHORIZE, because).fact("matter.kind");
    found.flag_if(needed, Flag::Conditional);
    if case.s.papers.iter().any(|p| p.kind == Some(PaperKind::Authorization502d)) {
        sheet.oblige("the person", "may not recuse on the same facts after the authorization", None, "5 CFR 2635.502(d)(2)");
    }
}
