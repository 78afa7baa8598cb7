//! Exemptions for pay, jobs, programmes, partners and representatives (5 CFR 2640.202(f), 2640.203).

use super::classify::Class;
use super::exempt::Shield;
use super::stakes::Stake;
use super::{Ask, Case, named};
use crate::amount::{Amount, grouped};
use crate::rules::{
    ADVISERS_JOB, CAMPUS, CENSUS, FEDERAL_PAY, LEAVE, LOYALTY, MEDICAL, MUTUAL, OFFICIAL_BOARD, PARTNERS, REPRESENTATIVE, RESERVE_BANK,
};
use crate::scenario::{
    Addressed, Asset, Holder, IfDecided, Interest, MatterKind, Organization, Seat, Standing, Status, Step, Tie, TieRole,
};
use crate::three::Three;

const OWN_PAY: &str = "the exemption reaches the institution's interests, not the person's own pay or tenure";

/// 2640.203(m).
pub(super) fn board(stake: &Stake<'_>) -> Option<Shield> {
    let tie = stake.tie()?;
    let board = matches!(tie.role, Some(TieRole::Officer | TieRole::DirectorOrTrustee));
    (board && tie.official_capacity == Some(true))
        .then(|| Shield::exempt(OFFICIAL_BOARD, "the person serves the nonprofit solely in an official capacity"))
}

/// 2640.202(f).
pub(super) fn partner(case: &Case<'_>, stake: &Stake<'_>) -> Shield {
    let limits = case.limits;
    let p = stake.interest().and_then(|i| i.partnership.clone()).unwrap_or_default();
    let limited = p.person_is_limited_partner == Some(true) || stake.tie().is_some_and(|t| t.role == Some(TieRole::LimitedPartner));
    if limited {
        return match p.limited_partners.or_else(|| partners_listed(case)) {
            Some(n) if n >= limits.limited_partners => {
                let line = format!("{n} limited partners, at least {}", limits.limited_partners);
                Shield::Exempt(PARTNERS, "the person is one of many limited partners".into(), vec![line])
            }
            Some(n) => Shield::lost(PARTNERS, format!("only {n} limited partners; {} are needed", limits.limited_partners)),
            None => Shield::open(PARTNERS, "How many limited partners has the partnership?", "`partnership.limited_partners`"),
        };
    }
    let Some(i) = stake.interest() else { return partner_in_person(case) };
    if matches!(stake.asset, Asset::FederalPayOrBenefits | Asset::SocialSecurityOrVeteransBenefits) {
        return federal_pay(case, stake, i);
    }
    let unrelated = Three::from(p.interest_has_to_do_with_it).not();
    let traded = if matches!(stake.asset, Asset::MunicipalBond | Asset::TreasuryBond) { Three::Yes } else { i.publicly_traded.into() };
    if !stake.asset.is_security() || unrelated == Three::No || traded == Three::No {
        return Shield::lost(PARTNERS, "it is not a publicly traded security, or has to do with the partnership");
    }
    let value = i.value.unwrap_or(Amount::UNKNOWN);
    let limit = limits.general_partner_securities;
    Shield::when(
        PARTNERS,
        unrelated.and(traded).and(value.within(limit)),
        &format!("{value}, not above ${}, and unrelated to the partnership", grouped(limit)),
        &format!("{value}, above ${}", grouped(limit)),
        Ask::new(
            "Has the general partner's security to do with the partnership, is it publicly traded, and what is it worth?",
            format!("`partnership.interest_has_to_do_with_it`, `publicly_traded` and a value of at most ${}", grouped(limit)),
        ),
    )
}

fn partners_listed(case: &Case<'_>) -> Option<u64> {
    case.s.interests.iter().find_map(|i| i.partnership.as_ref().and_then(|p| p.limited_partners))
}

/// A general partner who is up for a post or for pay is affected, and no exemption lets the person recommend it (2640.203(d)(2)).
fn partner_in_person(case: &Case<'_>) -> Shield {
    let pay = case.s.matter.as_ref().is_some_and(|m| matches!(m.kind, Some(MatterKind::PersonnelAction | MatterKind::Hiring)));
    if pay {
        return Shield::lost(
            FEDERAL_PAY,
            "the exemption for federal pay does not reach determinations or recommendations on a partner's own pay",
        );
    }
    Shield::None
}

/// 2640.203(d).
pub(super) fn federal_pay(case: &Case<'_>, stake: &Stake<'_>, i: &Interest) -> Shield {
    use Step::*;
    if i.if_decided == Some(IfDecided::NewOutsidePosition) {
        return Shield::lost(FEDERAL_PAY, "the interest is a position outside the Government, not federal pay");
    }
    let steps = &case.s.steps;
    let own = stake.holder == Holder::Own;
    let reached = |step: &Step| {
        let determines = matches!(step, Decides | Presides | WithholdsActionOnPurpose);
        determines || (!own && step.of_substance() && *step != ApprovesUnderPriorDelegation)
    };
    // One of a few who are named is affected individually, as much as one alone (203(d)(1)).
    let named = case.s.matter.as_ref().is_some_and(|m| m.addresses == Some(Addressed::NamedPersons));
    let alone = match i.about_this_holder_alone {
        Some(false) if named => Three::Yes,
        Some(alone) => Three::from(alone),
        None if !own
            && case.s.matter.as_ref().is_some_and(|m| matches!(m.kind, Some(MatterKind::PersonnelAction | MatterKind::Hiring))) =>
        {
            Three::Yes
        }
        None => Three::Unknown,
    };
    let acts = if steps.is_empty() { Three::Unknown } else { steps.iter().any(reached).into() };
    let (yes, no) = match own {
        true => (
            "no determination that singles out the person's own pay or benefits",
            "it is a determination that singles out the person's own pay or benefits",
        ),
        false => (
            "nothing that singles out the pay or benefits of somebody whose interests count",
            "it is a determination, request or recommendation that singles out the pay of somebody whose interests count",
        ),
    };
    Shield::when(
        FEDERAL_PAY,
        alone.and(acts).not(),
        yes,
        no,
        Ask::new(
            "Does the person make a determination on this holder's own pay, or on that of a group?",
            "`about_this_holder_alone`, and what the person does in `steps`",
        ),
    )
}

/// 2640.203(e).
pub(super) fn loyalty(i: &Interest) -> Shield {
    if i.open_to_public == Some(false) {
        return Shield::lost(LOYALTY, "the programme is not open to the public");
    }
    Shield::exempt(LOYALTY, "it is only membership of a programme open to everybody")
}

/// 2640.203(f).
pub(super) fn mutual(i: &Interest) -> Shield {
    match i.if_decided {
        Some(IfDecided::AbilityToPayImpaired) => Shield::lost(MUTUAL, "the matter would impair the insurer's ability to pay claims"),
        Some(_) => Shield::exempt(MUTUAL, "a policyholder's interest, and the insurer's ability to pay is not in question"),
        None => Shield::open(MUTUAL, "Would the matter impair the insurer's ability to pay claims or cash values?", "`if_decided`"),
    }
}

fn general(class: Class) -> Three {
    match class {
        Class::General => Three::Yes,
        Class::Unknown => Three::Unknown,
        _ => Three::No,
    }
}

fn on_advisory_committee(case: &Case<'_>) -> Three {
    let committee = case.s.person.committee.as_ref();
    Three::from(case.s.person.status == Some(Status::Sge)).and(Three::from(committee.and_then(|c| c.federal_advisory_committee_act)))
}

/// Whether the person sits on an FDA committee as a nonvoting representative.
pub(super) fn represents(case: &Case<'_>) -> bool {
    let committee = case.s.person.committee.as_ref();
    committee.is_some_and(|c| {
        let seat = matches!(c.seat, Some(Seat::NonvotingIndustryRepresentative | Seat::NonvotingConsumerRepresentative));
        seat && c.food_and_drug_administration == Some(true)
    })
}

/// 2640.203(j).
pub(super) fn representative(case: &Case<'_>, stake: &Stake<'_>) -> Option<Shield> {
    let committee = case.s.person.committee.as_ref()?;
    let seat = committee.seat?;
    if committee.food_and_drug_administration != Some(true) || seat == Seat::Member || seat == Seat::GroupRepresentative {
        return None;
    }
    let industry = seat == Seat::NonvotingIndustryRepresentative;
    let of_industry =
        matches!(stake.standing, Some(Standing::MemberOfClass | Standing::CompetitorOfParty | Standing::MakerOfOnlyRivalProduct));
    Some(match (industry, of_industry) {
        (true, true) => Shield::exempt(REPRESENTATIVE, "an interest in the class the nonvoting member represents"),
        (true, false) => return None,
        // Stock is not an interest consumers share; whether a limit in dollars holds is for the sums.
        (false, _) => return None,
    })
}

/// 2640.203(b), (c), (g), (i)(1), (j), (l): the job itself.
pub(super) fn job(case: &Case<'_>, class: Class, stake: &Stake<'_>) -> Shield {
    let tie =
        stake.tie().or_else(|| case.s.ties.iter().find(|t| t.who == Some(Holder::Own) && crate::scenario::same_name(&t.with, stake.name)));
    let org = tie.and_then(|t| t.organization.clone()).unwrap_or_default();
    if !matches!(stake.holder, Holder::Organization | Holder::Own | Holder::ProspectiveEmployer) {
        return Shield::None;
    }
    let own_pay = stake.asset != Asset::OrganizationsOwnAffairs;
    if own_pay && org.person_on_leave == Some(true) {
        return Shield::lost(LEAVE, OWN_PAY);
    }
    if let Some(shield) = representative(case, stake).or_else(|| campus(&org)).or_else(|| leave(class, stake, tie, &org)) {
        return shield;
    }
    if let Some(shield) = census(case, &org).or_else(|| hospital(case, &org)) {
        return shield;
    }
    adviser(case, class, stake, tie)
}

fn campus(org: &Organization) -> Option<Shield> {
    let other = org.other_campus?;
    Some(Shield::when(
        CAMPUS,
        Three::from(other).and(Three::from(org.duties_for_several_campuses).not()),
        "it concerns another campus, and the position has no duties for several campuses",
        "it concerns the person's own campus, or the position has duties for the whole system",
        Ask::new("Has the person duties for more than one campus?", "`organization.duties_for_several_campuses`"),
    ))
}

/// What the papers say a decision does, of the interest itself or of the tie behind it.
fn effect(stake: &Stake<'_>, tie: Option<&Tie>) -> Option<IfDecided> {
    stake.interest().and_then(|i| i.if_decided).or_else(|| tie.and_then(|t| t.if_decided))
}

fn leave(class: Class, stake: &Stake<'_>, tie: Option<&Tie>, org: &Organization) -> Option<Shield> {
    if org.person_on_leave != Some(true) || org.higher_education != Some(true) {
        return None;
    }
    if effect(stake, tie) == Some(IfDecided::HoldersPayOrJobChanges) {
        return Some(Shield::lost(LEAVE, OWN_PAY));
    }
    let as_class = match stake.standing {
        Some(Standing::SingledOutInClass) => Three::No,
        Some(Standing::MemberOfClass) => Three::Yes,
        _ => Three::Unknown,
    };
    Some(Shield::when(
        LEAVE,
        general(class).and(as_class),
        "a general matter that reaches the university only as one of a class",
        "not a general matter, or it reaches the university in a way of its own",
        Ask::new(format!("Does the measure reach {} in a way of its own?", named(stake.name)), "its standing in `matter.concerns`"),
    ))
}

fn census(case: &Case<'_>, org: &Organization) -> Option<Shield> {
    let matter = case.s.matter.as_ref()?;
    (matter.kind == Some(MatterKind::Census) && org.non_federal_government == Some(true))
        .then(|| Shield::exempt(CENSUS, "a local government's interest in the decennial census"))
}

fn hospital(case: &Case<'_>, org: &Organization) -> Option<Shield> {
    let committee = case.s.person.committee.as_ref()?;
    let here =
        on_advisory_committee(case).and(committee.medical_product.into()) == Three::Yes && org.hospital_buying_for_patients == Some(true);
    here.then(|| Shield::exempt(MEDICAL, "the hospital's only interest is to buy the product for its patients"))
}

/// 2640.203(h): rates and matters of broad applicability; credit to a sound institution; credit to one in a hazardous condition, where the interest
/// is in somebody else than it and its group.
pub(super) fn reserve_bank(case: &Case<'_>, class: Class, stake: &Stake<'_>) -> Option<Shield> {
    if case.s.person.federal_reserve_bank_director != Some(true) {
        return None;
    }
    let matter = case.s.matter.as_ref()?;
    let broad = matches!(matter.kind, Some(MatterKind::Rates | MatterKind::Rulemaking | MatterKind::Legislation | MatterKind::Policy));
    if broad && class != Class::Parties {
        return Some(Shield::exempt(
            RESERVE_BANK,
            "rates or a matter of broad applicability before directors of a Reserve Bank (203(h)(1), (2))",
        ));
    }
    if matter.kind != Some(MatterKind::ReserveBankCredit) {
        return None;
    }
    let inside = stake
        .standing
        .is_none_or(|s| s.is_party() || matches!(s, Standing::ParentOfParty | Standing::SubsidiaryOfParty | Standing::AffiliateOfParty));
    Some(match (matter.hazardous_financial_condition, inside) {
        (Some(false), _) => {
            Shield::exempt(RESERVE_BANK, "credit to an institution that is not in a hazardous financial condition (203(h)(3))")
        }
        (Some(true), false) => Shield::exempt(
            RESERVE_BANK,
            "the interest is in somebody else than the institution in a hazardous condition and its group (203(h)(4))",
        ),
        (Some(true), true) => Shield::lost(
            RESERVE_BANK,
            "the institution is in a hazardous financial condition, and the interest is in it or its group (203(h)(4))",
        ),
        (None, false) => {
            Shield::exempt(RESERVE_BANK, "the interest is in somebody else than the institution and its group (203(h)(3), (4))")
        }
        (None, true) => Shield::open(
            RESERVE_BANK,
            "Has the President of the Reserve Bank found the institution to be in a hazardous financial condition?",
            "`matter.hazardous_financial_condition`",
        ),
    })
}

fn adviser(case: &Case<'_>, class: Class, stake: &Stake<'_>, tie: Option<&Tie>) -> Shield {
    if case.s.person.status != Some(Status::Sge) || case.s.person.committee.is_none() {
        return Shield::None;
    }
    let singled = stake.standing == Some(Standing::SingledOutInClass) || effect(stake, tie) == Some(IfDecided::HoldersPayOrJobChanges);
    if class == Class::Parties || singled {
        return Shield::lost(ADVISERS_JOB, "not a matter of general applicability, or it reaches the employer in a way of its own");
    }
    Shield::when(
        ADVISERS_JOB,
        on_advisory_committee(case).and(general(class)),
        "a general matter that reaches an adviser's employer only as one of a class",
        "the exemption reaches advisers on federal advisory committees in general matters only",
        Ask::new("Is the committee one under the Federal Advisory Committee Act?", "`person.committee.federal_advisory_committee_act`"),
    )
}
