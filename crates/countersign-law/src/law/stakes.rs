//! Interests and services that 18 U.S.C. 208 counts as the person's, and whether the matter affects them (5 CFR 2635.402(b), 2640.103).

use super::{Ask, Case, named, seeking};
use crate::rules::{COMPETITOR, DIVESTED, INTEREST, NONPARTY, Rule};
use crate::scenario::{Asset, Holder, IfDecided, Interest, PartInMatter, Standing, Tie, TieRole};

/// Whether the matter affects an interest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Touch {
    /// Directly and predictably.
    Yes(Rule, String),
    /// No, or only indirectly or speculatively.
    No(Rule, String),
    /// The facts do not say.
    Unknown(Rule, Ask),
}

/// Where a stake comes from.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    Interest(&'a Interest),
    Tie(&'a Tie),
    /// Somebody with whom the person negotiates or has an arrangement.
    Employer,
}

/// Something that is, or may be, affected.
pub(crate) struct Stake<'a> {
    pub(crate) place: String,
    pub(crate) holder: Holder,
    pub(crate) name: &'a str,
    pub(crate) asset: Asset,
    pub(crate) standing: Option<Standing>,
    pub(crate) source: Source<'a>,
    pub(crate) touch: Touch,
}

impl<'a> Stake<'a> {
    pub(crate) fn interest(&self) -> Option<&'a Interest> {
        match self.source {
            Source::Interest(i) => Some(i),
            _ => None,
        }
    }

    pub(crate) fn tie(&self) -> Option<&'a Tie> {
        match self.source {
            Source::Tie(t) => Some(t),
            _ => None,
        }
    }
}

/// All of them, in the order of the scenario.
pub(crate) fn stakes<'a>(case: &Case<'a>) -> Vec<Stake<'a>> {
    let s = case.s;
    let interests = s.interests.iter().enumerate().map(|(n, i)| of_interest(case, n, i));
    let ties = s.ties.iter().enumerate().filter_map(|(n, t)| of_tie(case, n, t));
    let employers = s.job_contacts.iter().enumerate().filter(|(_, c)| seeking::negotiating_or_agreed(c)).map(|(n, c)| {
        let standing = s.standing(&c.with);
        let touch = of_standing(&c.with, standing, "the interests of somebody with whom the person negotiates or has an arrangement count");
        let (place, holder) = (format!("job_contacts[{n}]"), Holder::ProspectiveEmployer);
        Stake { place, holder, name: &c.with, asset: Asset::OrganizationsOwnAffairs, standing, source: Source::Employer, touch }
    });
    interests.chain(ties).chain(employers).collect()
}

fn of_interest<'a>(case: &Case<'a>, n: usize, i: &'a Interest) -> Stake<'a> {
    let holding = i.fund.as_ref().map(|f| f.holding.as_str()).or_else(|| i.plan.as_ref().map(|p| p.holding.as_str()));
    let name = holding.filter(|h| !h.is_empty()).unwrap_or(&i.issuer);
    let standing = case.s.standing(name);
    let asset = i.asset.unwrap_or(Asset::Other);
    let holder = i.holder.unwrap_or(Holder::Other);
    let id = if i.id.is_empty() { format!("interests[{n}]") } else { format!("interests[{n}] ({})", i.id) };
    let touch = touched(case, i, name, standing);
    Stake { place: id, holder, name, asset, standing, source: Source::Interest(i), touch }
}

fn touched(case: &Case<'_>, i: &Interest, name: &str, standing: Option<Standing>) -> Touch {
    if let (Some(sold), as_of) = (i.divested_on, case.s.as_of)
        && as_of.is_none_or(|day| sold <= day)
    {
        return Touch::No(DIVESTED, format!("it was divested on {sold}"));
    }
    if i.known_to_person == Some(false) {
        return Touch::No(INTEREST, "the person does not know of it".into());
    }
    let Some(holder) = i.holder else {
        return Touch::Unknown(INTEREST, Ask::new(format!("Whose is the interest in {}?", named(name)), "`holder`"));
    };
    if !imputed(holder) {
        return Touch::No(INTEREST, format!("interests of {} are not imputed to the person", who(holder)));
    }
    if let Some(ask) = unstated(i, name) {
        return Touch::Unknown(INTEREST, ask);
    }
    match i.if_decided {
        Some(effect) => of_effect(effect, name),
        None => of_asset(i.asset.unwrap_or(Asset::Other), name, standing),
    }
}

/// What is held, and in whom, has to be known before anything can be said of an effect. Some things speak for themselves.
fn unstated(i: &Interest, name: &str) -> Option<Ask> {
    use Asset::*;
    let Some(asset) = i.asset else {
        return Some(Ask::new(format!("What is held in {}?", named(name)), "`asset`"));
    };
    let by_itself = matches!(
        asset,
        FederalPayOrBenefits
            | SocialSecurityOrVeteransBenefits
            | ThriftSavingsPlan
            | ElectricPower
            | MedicalUse
            | MutualFund
            | UnitTrust
            | TreasuryBond
            | TreasuryBillOrSavingsBond
            | OwnBusiness
            | FeeForThisMatter
    );
    (!by_itself && name.trim().is_empty()).then(|| Ask::new("In whom, or in what, is it held?", "`issuer`"))
}

/// The holders of 18 U.S.C. 208(a).
pub(crate) fn imputed(holder: Holder) -> bool {
    use Holder::*;
    matches!(holder, Own | Spouse | MinorChild | GeneralPartner | Organization | ProspectiveEmployer)
}

pub(crate) fn who(holder: Holder) -> &'static str {
    match holder {
        Holder::Own => "the person",
        Holder::Spouse => "the spouse",
        Holder::MinorChild => "a minor child",
        Holder::AdultChild => "an adult child",
        Holder::Child => "a child",
        Holder::Parent => "a parent",
        Holder::Sibling => "a sibling",
        Holder::CloseRelative => "a relative",
        Holder::HouseholdMember => "a member of the household",
        Holder::GeneralPartner => "a general partner",
        Holder::Organization => "an organization served",
        Holder::ProspectiveEmployer => "a prospective employer",
        Holder::Friend => "a friend",
        Holder::Other => "somebody else",
    }
}

fn of_effect(effect: IfDecided, name: &str) -> Touch {
    use IfDecided::*;
    let name = named(name);
    match effect {
        IssuerGainsOrPays => Touch::Yes(INTEREST, format!("{name} gains or pays by the decision")),
        HoldersPayOrJobChanges => Touch::Yes(INTEREST, "the decision changes the holder's pay or job".into()),
        ValueChanges => Touch::Yes(INTEREST, format!("the decision changes the value of what is held in {name}")),
        AbilityToPayImpaired => Touch::Yes(INTEREST, format!("the decision impairs what {name} is able to pay")),
        NewOutsidePosition => Touch::Yes(INTEREST, "the decision brings the holder a position outside the Government".into()),
        OnlyIfOtherEventsFollow => Touch::No(INTEREST, "an effect would hang on other events that do not depend on the matter".into()),
        OnlyThroughTheEconomy => Touch::No(INTEREST, "an effect would come only through the economy at large".into()),
        NothingChanges => Touch::No(INTEREST, "the papers show no change for the holder, whichever way it is decided".into()),
    }
}

fn of_asset(asset: Asset, name: &str, standing: Option<Standing>) -> Touch {
    use Asset::*;
    match asset {
        IndianBirthright if standing == Some(Standing::NotConcerned) => not_concerned(name),
        IndianBirthright => Touch::Yes(INTEREST, "the matter bears on what the holder has by birthright".into()),
        FeeForThisMatter => Touch::Yes(INTEREST, "the fee is for this very matter".into()),
        FederalPayOrBenefits | SocialSecurityOrVeteransBenefits | ElectricPower => {
            Touch::Yes(INTEREST, "the matter bears on what the holder gets or pays".into())
        }
        ContractOrSubcontract if standing == Some(Standing::Subcontractor) => {
            Touch::Yes(INTEREST, format!("{} is paid for work under it", named(name)))
        }
        LoanOwed => match standing {
            Some(Standing::NotConcerned) => not_concerned(name),
            _ => Touch::No(INTEREST, "a fixed obligation to repay does not change with the matter".into()),
        },
        Salary | BonusOrProfitShare => of_pay(name, standing),
        BenefitPlan
        | StateOrLocalPension
        | ThriftSavingsPlan
        | RealProperty
        | OwnBusiness
        | MedicalUse
        | MutualInsurancePolicy
        | LoanMade
        | CorporateBond
        | MunicipalBond
        | TreasuryBond
        | Other => match standing {
            Some(Standing::NotConcerned) => not_concerned(name),
            Some(s) if s.is_party() && matches!(asset, OwnBusiness | CorporateBond) => of_standing(name, standing, ""),
            Some(Standing::CompetitorOfParty) if asset == OwnBusiness => of_standing(name, standing, ""),
            Some(Standing::PropertyNearby) => Touch::Unknown(
                INTEREST,
                Ask::new(format!("Would the decision raise or lower the value of {}?", named(name)), "`if_decided` of the property"),
            ),
            _ => Touch::Unknown(
                INTEREST,
                Ask::new(format!("Would a decision change what is held in {}, or what it is able to pay?", named(name)), "`if_decided`"),
            ),
        },
        _ => of_standing(name, standing, ""),
    }
}

fn not_concerned(name: &str) -> Touch {
    Touch::No(INTEREST, format!("the matter does not concern {}", named(name)))
}

fn of_pay(name: &str, standing: Option<Standing>) -> Touch {
    match standing {
        Some(Standing::NotConcerned) => not_concerned(name),
        _ => Touch::Unknown(
            INTEREST,
            Ask::new(format!("Would a decision change the holder's pay from {} or whether the job goes on?", named(name)), "`if_decided`"),
        ),
    }
}

/// What the matter does to somebody whose gain and loss count, by how that somebody stands to it.
fn of_standing(name: &str, standing: Option<Standing>, why: &str) -> Touch {
    use Standing::*;
    let plus = |text: String| if why.is_empty() { text } else { format!("{text}; {why}") };
    let name = named(name);
    match standing {
        None => Touch::Unknown(INTEREST, Ask::new(format!("How does the matter concern {name}?"), "an entry for it in `matter.concerns`")),
        Some(NotConcerned) => not_concerned(name),
        Some(Offeror | Contractor | Applicant | GranteeOrLicensee | Target | ComplainantOrPlaintiff | Party) => {
            Touch::Yes(INTEREST, plus(format!("{name} is a party")))
        }
        Some(MemberOfClass | SingledOutInClass) => Touch::Yes(INTEREST, plus(format!("{name} is of the class the matter addresses"))),
        Some(MakerOfOnlyRivalProduct) => {
            Touch::Yes(COMPETITOR, plus(format!("{name} makes the product that the one under decision would displace")))
        }
        Some(PaidForWorkUnderIt) => Touch::Yes(INTEREST, plus(format!("{name} is paid for work under it"))),
        Some(CompetitorOfParty) => {
            Touch::No(COMPETITOR, format!("{name} only competes with a party in business at large; any effect is indirect and speculative"))
        }
        Some(Subcontractor | ParentOfParty | SubsidiaryOfParty | AffiliateOfParty) => Touch::Unknown(
            NONPARTY,
            Ask::new(
                format!("Does the decision have a direct and predictable effect on {name}, which is bound up with a party?"),
                "`if_decided`",
            ),
        ),
        Some(
            RepresentsParty | SupplierOfParty | OtherBusinessWithParty | InsurerOrInvestorOfParty | EmployerOfApplicant | PropertyNearby,
        ) => Touch::Unknown(INTEREST, Ask::new(format!("Would a decision change what {name} earns, pays or is worth?"), "`if_decided`")),
    }
}

fn works_on_it(t: &Tie) -> bool {
    matches!(t.part_in_matter, Some(PartInMatter::LeadsOrSigns | PartInMatter::WorksOnIt))
}

/// Services that count: the person's own, now, make the organization's interests the person's; a spouse's is an interest in pay.
fn of_tie<'a>(case: &Case<'a>, n: usize, t: &'a Tie) -> Option<Stake<'a>> {
    use TieRole::*;
    let over = t.ended_on.is_some_and(|end| case.s.as_of.is_none_or(|day| end <= day));
    if over || t.sought == Some(true) {
        return None;
    }
    let standing = case.s.standing(&t.with);
    let place = format!("ties[{n}]");
    let close = matches!(t.who, None | Some(Holder::Own | Holder::Spouse | Holder::MinorChild | Holder::GeneralPartner));
    if close && (t.who.is_none() || t.role.is_none()) && standing != Some(Standing::NotConcerned) {
        let ask = Ask::new(format!("Who has the tie with {}, and what is it?", named(&t.with)), "`who`, `role`");
        let (holder, touch) = (t.who.unwrap_or(Holder::Other), Touch::Unknown(INTEREST, ask));
        return Some(Stake { place, holder, name: &t.with, asset: Asset::Other, standing, source: Source::Tie(t), touch });
    }
    let (holder, asset, touch) = match (t.who?, t.role?) {
        (Holder::Own, Employee | Officer | DirectorOrTrustee | GeneralPartner) => {
            let only_investor = t.organization.as_ref().is_some_and(|o| o.only_investor_in_issuer == Some(true));
            let touch = match t.if_decided {
                Some(effect) => of_effect(effect, &t.with),
                None if only_investor && standing == Some(Standing::InsurerOrInvestorOfParty) => {
                    Touch::No(INTEREST, format!("{} is affected only in what it has invested, which is stated by itself", named(&t.with)))
                }
                None => of_standing(&t.with, standing, "the person serves it, and its interests count as the person's"),
            };
            (Holder::Organization, Asset::OrganizationsOwnAffairs, touch)
        }
        (
            Holder::Spouse | Holder::MinorChild,
            Employee | Officer | DirectorOrTrustee | GeneralPartner | AgentAttorneyConsultantContractor,
        ) => {
            let touch = match t.if_decided {
                Some(effect) => of_effect(effect, &t.with),
                None if t.paid == Some(false) => Touch::No(INTEREST, "the service is not paid".into()),
                None if t.role == Some(AgentAttorneyConsultantContractor) && works_on_it(t) && standing != Some(Standing::NotConcerned) => {
                    Touch::Yes(INTEREST, format!("{} is paid for work on this very matter", who(t.who?)))
                }
                None => of_pay(&t.with, standing),
            };
            (t.who?, Asset::Salary, touch)
        }
        (Holder::GeneralPartner, IsThatPerson | GeneralPartner) => {
            let touch = match t.if_decided {
                Some(effect) => of_effect(effect, &t.with),
                None => of_standing(&t.with, standing, "a general partner's interests count as the person's"),
            };
            (Holder::GeneralPartner, Asset::Other, touch)
        }
        (Holder::Spouse | Holder::MinorChild, IsThatPerson) => {
            (t.who?, Asset::Other, t.if_decided.map_or_else(|| of_standing(&t.with, standing, ""), |e| of_effect(e, &t.with)))
        }
        (Holder::Own, LimitedPartner) => (
            Holder::GeneralPartner,
            Asset::Other,
            of_standing(&t.with, standing, "it is the general partner of a partnership in which the person is a limited partner"),
        ),
        _ => return None,
    };
    Some(Stake { place, holder, name: &t.with, asset, standing, source: Source::Tie(t), touch })
}
