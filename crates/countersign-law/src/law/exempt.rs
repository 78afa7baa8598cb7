//! Exemptions of 5 CFR part 2640, subpart B: which one an affected interest comes under, and whether it holds.

use super::classify::Class;
use super::exempt_misc::{board, federal_pay, job, loyalty, mutual, partner, reserve_bank};
use super::exempt_sums::{sector, securities};
use super::stakes::Stake;
use super::{Ask, Case};
use crate::rules::{
    BIRTHRIGHT, FEDERAL_SHORT, FORBIDDEN, FUND, FUND_GENERAL, HIRING, MEDICAL, NOT_A_SECURITY, PLAN, POWER, REPRESENTATIVE, Rule,
    TAX_EXEMPT,
};
use crate::scenario::{Asset, Concentration, HeldAgainst, Holder, Interest, MatterKind, PaperKind, Standing, Status, TieRole};
use crate::three::Three;

/// What an exemption does for an interest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shield {
    /// It holds.
    Exempt(Rule, String, Vec<String>),
    /// It holds on a condition the facts do not state.
    ExemptIf(Rule, String, Ask),
    /// The one that could apply does not.
    Lost(Rule, String, Vec<String>),
    /// The facts do not settle it.
    Open(Rule, Ask, Vec<String>),
    /// None could apply.
    None,
}

impl Shield {
    pub(crate) fn exempt(rule: Rule, why: impl Into<String>) -> Self {
        Self::Exempt(rule, why.into(), Vec::new())
    }

    pub(crate) fn lost(rule: Rule, why: impl Into<String>) -> Self {
        Self::Lost(rule, why.into(), Vec::new())
    }

    pub(crate) fn open(rule: Rule, question: impl Into<String>, settled_by: impl Into<String>) -> Self {
        Self::Open(rule, Ask::new(question, settled_by), Vec::new())
    }

    /// One that holds if a condition does.
    pub(crate) fn when(rule: Rule, condition: Three, yes: &str, no: &str, ask: Ask) -> Self {
        match condition {
            Three::Yes => Self::exempt(rule, yes),
            Three::No => Self::lost(rule, no),
            Three::Unknown => Self::Open(rule, ask, Vec::new()),
        }
    }
}

/// What the exemptions do for one stake.
pub(crate) fn shield(case: &Case<'_>, class: Class, stake: &Stake<'_>, all: &[Stake<'_>]) -> Shield {
    if held_against_a_prohibition(case, stake) {
        return Shield::lost(
            FORBIDDEN,
            "it is held against a statute, a supplemental regulation or a determination, so no exemption applies",
        );
    }
    if case.s.papers.iter().any(|p| p.kind.is_none()) {
        return Shield::open(FORBIDDEN, "What does the paper say: does it forbid to hold this?", "`papers.kind`");
    }
    if let Some(bank) = reserve_bank(case, class, stake) {
        return bank;
    }
    if stake.holder == Holder::GeneralPartner {
        return partner(case, stake);
    }
    if let Some(board) = board(stake) {
        return board;
    }
    match stake.interest() {
        Some(i) if i.asset.is_none() => Shield::open(NOT_A_SECURITY, format!("What is held in {}?", super::named(stake.name)), "`asset`"),
        Some(i) => by_asset(case, class, stake, i, all),
        None => job(case, class, stake),
    }
}

/// 2640.204.
fn held_against_a_prohibition(case: &Case<'_>, stake: &Stake<'_>) -> bool {
    let Some(i) = stake.interest() else { return false };
    let own = matches!(i.holder, Some(Holder::Own | Holder::Spouse | Holder::MinorChild));
    let stated =
        matches!(i.held_against, Some(HeldAgainst::Statute | HeldAgainst::SupplementalRegulation | HeldAgainst::IndividualDetermination));
    let papers = case.s.papers.iter().any(|p| {
        use PaperKind::*;
        matches!(p.kind, Some(HoldingForbiddenByStatute | HoldingForbiddenByRegulation | HoldingForbiddenByDetermination))
            && (p.covers.is_empty() || p.covers.iter().any(|c| crate::scenario::same_name(c, &i.issuer)))
    });
    own && (stated || papers)
}

fn by_asset(case: &Case<'_>, class: Class, stake: &Stake<'_>, i: &Interest, all: &[Stake<'_>]) -> Shield {
    use Asset::*;
    if let Some(hiring) = hiring(case, stake, i) {
        return hiring;
    }
    match stake.asset {
        MutualFund | UnitTrust => fund(case, class, stake, i, all),
        ThriftSavingsPlan => Shield::exempt(PLAN, "it is the Thrift Savings Plan"),
        StateOrLocalPension => state_pension(class, stake, i),
        BenefitPlan => benefit_plan(i),
        TreasuryBillOrSavingsBond => Shield::exempt(FEDERAL_SHORT, "it is a short-term Treasury security or a savings bond"),
        asset if asset.is_security() && stake.holder == Holder::Organization => tax_exempt(case, stake, i),
        asset if asset.is_security() => representative_or(case, stake, || securities(case, class, stake, all)),
        Option | Derivative => Shield::open(
            NOT_A_SECURITY,
            "May an exemption reach an option or other derivative, which the definition of security does not list?",
            "a ruling of the ethics office",
        ),
        PrivateStake | Crypto | EventContract => {
            Shield::lost(NOT_A_SECURITY, "it is not a publicly traded security, so no limit in dollars makes it exempt")
        }
        OrganizationsInvestment => tax_exempt(case, stake, i),
        IndianBirthright => birthright(stake),
        LoyaltyProgram => loyalty(i),
        MutualInsurancePolicy => mutual(i),
        FederalPayOrBenefits | SocialSecurityOrVeteransBenefits => federal_pay(case, stake, i),
        MedicalUse => medical_use(case),
        ElectricPower => power(case),
        OrganizationsOwnAffairs | Salary => job(case, class, stake),
        _ => Shield::None,
    }
}

/// 18 U.S.C. 208(b)(4): the tribe, allotment or fund must be no party.
fn birthright(stake: &Stake<'_>) -> Shield {
    if !matches!(stake.holder, Holder::Own | Holder::Spouse | Holder::MinorChild) {
        return Shield::lost(BIRTHRIGHT, "it reaches birthrights of the person, the spouse and minor children only");
    }
    match stake.standing {
        Some(s) if s.is_party() => {
            Shield::lost(BIRTHRIGHT, "the tribe, allotment or fund is a party, and then the statute does not lift the bar")
        }
        Some(_) => Shield::exempt(BIRTHRIGHT, "the interest comes by birthright alone, and the tribe, allotment or fund is no party"),
        None => Shield::open(
            BIRTHRIGHT,
            format!("Is {} a party to the matter?", super::named(stake.name)),
            "an entry for it in `matter.concerns`",
        ),
    }
}

/// 2640.201(a), (b) and (d).
fn fund(case: &Case<'_>, class: Class, stake: &Stake<'_>, i: &Interest, all: &[Stake<'_>]) -> Shield {
    let about_fund = i.fund.as_ref().is_some_and(|f| f.matter_is_about_the_fund == Some(true));
    match (about_fund, i.fund.as_ref().and_then(|f| f.prospectus_concentrates_in)) {
        (true, _) if class == Class::General => Shield::exempt(FUND_GENERAL, "it is a matter of general applicability about funds"),
        (true, _) => Shield::lost(FUND_GENERAL, "the matter is about the fund itself and not of general applicability"),
        (false, Some(Concentration::Nothing)) => {
            Shield::exempt(FUND, "the prospectus states no policy of concentrating; a diversified fund is exempt at any value")
        }
        (false, concentration) => sector(case, stake, i, concentration, all),
    }
}

/// 2640.201(c)(1)(ii) and (2).
fn state_pension(class: Class, stake: &Stake<'_>, i: &Interest) -> Shield {
    let plan = i.plan.clone().unwrap_or_default();
    let about_sponsor = match plan.matter_is_about_sponsor {
        Some(stated) => Three::from(stated),
        None if !plan.holding.is_empty() => Three::No,
        None if stake.standing.is_some_and(|s| s.is_party() || s.in_class()) => Three::Yes,
        None => Three::Unknown,
    };
    match (about_sponsor, class) {
        (Three::No, _) => Shield::exempt(PLAN, "the matter affects only what a State or local pension plan holds"),
        (Three::Yes, Class::General) => {
            Shield::exempt(PLAN, "a general matter that affects the State or local sponsor of its employees' plan")
        }
        (Three::Yes, Class::Parties) => {
            Shield::lost(PLAN, "the sponsor is a party; the exemption reaches its plan's holdings and general matters only")
        }
        _ => Shield::open(
            PLAN,
            "Does the matter bear on the State or local sponsor, or only on what its plan holds?",
            "`plan.matter_is_about_sponsor` or `plan.holding`",
        ),
    }
}

/// 2640.201(c)(1)(iii).
fn benefit_plan(i: &Interest) -> Shield {
    let Some(p) = &i.plan else { return Shield::open(PLAN, "What kind of plan is it, and who invests for it?", "`plan`") };
    if p.matter_is_about_sponsor == Some(true) {
        return Shield::None;
    }
    let holds = Three::from(p.written_policy_of_varying)
        .and(p.independent_trustee.into())
        .and(Three::from(p.holder_picks_investments).not())
        .and(Three::from(p.profit_sharing_or_stock_bonus).not());
    // What is not stated of a plan reads as no: the plan of 2640.201(c) example 1 says nothing of single picks or profit shares.
    let usual = Three::from(p.written_policy_of_varying)
        .and(p.independent_trustee.into())
        .and(Three::from(p.holder_picks_investments.unwrap_or(false)).not())
        .and(Three::from(p.profit_sharing_or_stock_bonus.unwrap_or(false)).not());
    if holds == Three::Unknown && usual == Three::Yes {
        let ask = Ask::new("Does the holder pick single investments, or is it a profit-sharing or stock bonus plan?", "`plan`");
        return Shield::ExemptIf(PLAN, "a diversified plan with an independent trustee".into(), ask);
    }
    Shield::when(
        PLAN,
        holds,
        "a diversified plan with an independent trustee, without single picks, and no profit-sharing or stock bonus plan",
        "the plan lacks a policy of varying, an independent trustee, or lets the holder pick, or is a profit-sharing or stock bonus plan",
        Ask::new(
            "Has the plan's manager a written policy of varying investments, is the trustee independent, and does the holder pick investments?",
            "`plan`",
        ),
    )
}

/// 2640.202(e).
fn tax_exempt(case: &Case<'_>, stake: &Stake<'_>, _: &Interest) -> Shield {
    let served = case.s.ties.iter().filter(|t| t.who == Some(Holder::Own));
    let org = served.clone().find(|t| t.organization.is_some()).or_else(|| served.clone().next());
    let Some(tie) = org else {
        return Shield::open(TAX_EXEMPT, "Which organization holds it, and what is the person there?", "a tie of the person with it");
    };
    let facts = tie.organization.clone().unwrap_or_default();
    let role = match (tie.role, tie.paid) {
        (Some(TieRole::Officer | TieRole::DirectorOrTrustee), Some(true)) => Three::No,
        (Some(TieRole::Officer | TieRole::DirectorOrTrustee | TieRole::Employee), _) => Three::Yes,
        _ => Three::Unknown,
    };
    // That it holds what a party issued is the very thing exempted.
    let investor = |s| matches!(s, Standing::NotConcerned | Standing::InsurerOrInvestorOfParty);
    let only_investments: Three = case.s.standing(&tie.with).is_none_or(investor).into();
    let public = Three::from(stake.interest().and_then(|i| i.publicly_traded));
    let sure = Three::from(facts.tax_exempt).and(role).and(only_investments).and(public);
    let conditions = Three::from(facts.person_picks_investments).not().and(facts.only_investor_in_issuer.into());
    let ask = Ask::new(
        "Does the person choose the organization's investments, and has it other dealings with the issuer than those of an investor and buyer?",
        "`organization.person_picks_investments` and `organization.only_investor_in_issuer`",
    );
    match (sure, conditions) {
        (Three::No, _) | (_, Three::No) => Shield::lost(TAX_EXEMPT, "a condition for investments of tax-exempt organizations is not met"),
        (Three::Yes, Three::Yes) => Shield::exempt(TAX_EXEMPT, "the matter affects only an investment of a tax-exempt organization"),
        (Three::Yes, Three::Unknown) => Shield::ExemptIf(
            TAX_EXEMPT,
            "only an investment of a tax-exempt organization is affected; provided that the person does not choose its investments and it is only \
             an investor in, and routine buyer from, the issuer"
                .into(),
            ask,
        ),
        _ => Shield::Open(TAX_EXEMPT, ask, Vec::new()),
    }
}

/// 2640.203(a).
fn hiring(case: &Case<'_>, stake: &Stake<'_>, i: &Interest) -> Option<Shield> {
    let hiring = case.s.matter.as_ref().is_some_and(|m| m.kind == Some(MatterKind::Hiring));
    if !hiring || stake.standing != Some(Standing::EmployerOfApplicant) {
        return None;
    }
    match (stake.asset, i.publicly_traded) {
        (Asset::BenefitPlan, _) => {
            Some(Shield::exempt(HIRING, "a hiring decision, and the interest is in a plan of the applicant's employer"))
        }
        (asset, Some(true)) if asset.is_security() => {
            Some(Shield::exempt(HIRING, "a hiring decision, and the interest is in publicly traded securities of the applicant's employer"))
        }
        _ => None,
    }
}

/// 2640.203(j), else another one.
fn representative_or(case: &Case<'_>, stake: &Stake<'_>, other: impl FnOnce() -> Shield) -> Shield {
    use super::exempt_misc::{representative, represents};
    match representative(case, stake).unwrap_or_else(other) {
        Shield::Lost(_, why, lines) if represents(case) => {
            Shield::Lost(REPRESENTATIVE, format!("it is not an interest of the class the nonvoting member represents, and {why}"), lines)
        }
        shield => shield,
    }
}

/// 2640.203(i)(2).
fn medical_use(case: &Case<'_>) -> Shield {
    let committee = case.s.person.committee.clone().unwrap_or_default();
    let on = Three::from(case.s.person.status == Some(Status::Sge))
        .and(committee.federal_advisory_committee_act.into())
        .and(committee.medical_product.into());
    Shield::when(
        MEDICAL,
        on,
        "an adviser on a medical product, whose only interest is using or prescribing it",
        "only advisers on federal advisory committees about medical products come under it",
        Ask::new("Is the person an adviser on a federal advisory committee about a medical product?", "`person.committee`"),
    )
}

/// 2640.203(k).
fn power(case: &Case<'_>) -> Shield {
    let rates = case.s.matter.as_ref().is_some_and(|m| m.kind == Some(MatterKind::Rates));
    let authority = case.s.person.agency.to_ascii_lowercase();
    let ours = authority.contains("tennessee valley") || authority.split_whitespace().any(|w| w == "tva");
    Shield::when(
        POWER,
        (rates && ours).into(),
        "rates of the Tennessee Valley Authority, and the interest is use of its power",
        "it reaches rates of the Tennessee Valley Authority only",
        Ask::new("", ""),
    )
}
