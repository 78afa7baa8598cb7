//! Elements that lie in the contact itself: communication or appearance, intent, to whom, for whom (5 CFR 2641.201(d) to (g)).

use super::{Ask, Case};
use crate::rules::{BEHALF, CONTACT, INTENT, Rule, TO_EMPLOYEE};
use crate::scenario::{Act, Behalf, Form, Named, Presence, Purpose, Recipient, RecipientKind};
use crate::three::Three;

/// One element of a bar.
#[derive(Debug, Clone)]
pub(crate) struct Element {
    pub(crate) rule: Rule,
    pub(crate) met: Three,
    pub(crate) because: String,
    pub(crate) ask: Ask,
}

impl Element {
    pub(crate) fn new(rule: Rule, met: Three, because: impl Into<String>, ask: Ask) -> Self {
        Self { rule, met, because: because.into(), ask }
    }
}

/// 201(d).
pub(crate) fn contact(act: &Act) -> Element {
    use Form::*;
    let (met, because) = match (act.form, act.named) {
        (Some(SpeaksInPerson | Telephones | WritesOrSigns | TestifiesUnderOath | SpeaksPublicly | Publishes), _) => {
            (Three::Yes, "information is imparted, and meant to be attributed to the person")
        }
        (Some(PresentSilently), _) => (Three::Yes, "to be present is an appearance, even without a word"),
        (Some(ThroughGoBetweenAsSource), _) => {
            (Three::Yes, "what a go-between passes on in the person's name is the person's communication")
        }
        (Some(PreparesForOthers), Some(Named::ThePerson | Named::ThePersonsFirm)) => {
            (Three::Yes, "the paper is meant to be attributed to the person")
        }
        (Some(PreparesForOthers), Some(Named::PersonAsInvestigator | Named::NotThePerson)) => {
            (Three::No, "another submits it, and it is not meant to be attributed to the person")
        }
        (Some(BehindTheScenes), _) => (Three::No, "help behind the scenes is neither a communication nor an appearance"),
        (Some(PreparesForOthers), None) | (None, _) => (Three::Unknown, ""),
    };
    Element::new(
        CONTACT,
        met,
        because,
        Ask::new("How does the person come into contact with the Government, and in whose name?", "`form`, `named`"),
    )
}

/// What one purpose says of intent (201(e)(1) and (2)).
fn intent_of(purpose: Purpose, disputed: Option<bool>) -> Three {
    use Purpose::*;
    match purpose {
        AsksForAction
        | AsksForSpeed
        | ArguesOrComplains
        | Represents
        | PresentsOptions
        | SuppliesDataForApplication
        | Negotiates
        | AsksToContactOthers
        | InvitesForClients
        | CostOrBusinessTerms
        | ExpertTestimony => Three::Yes,
        FactsInOrdinaryCourse | DeliversWhatIsDue => disputed.unwrap_or(false).into(),
        AsksStatusOrPublicPaper
        | AnswersDuringSiteVisit
        | TaxPreparer
        | InvestigatorsAssurance
        | SecForm
        | Social
        | PrivateFavorFromFriend
        | ListensOnly => Three::No,
        ScienceOrTechnology | StatesFacts | FactTestimony => match disputed {
            Some(disputed) => disputed.into(),
            None => Three::Unknown,
        },
    }
}

/// 201(e)(4).
fn presence(seen: &[Presence]) -> Three {
    use Presence::*;
    let strong = seen.iter().any(|p| matches!(p, FormalAppearance | MayCommit));
    let weight =
        seen.iter().filter(|p| matches!(p, IntroducedAsRepresentative | PaidForBeingThere | ReferredTo | BeforeFormerSubordinates)).count();
    let plain = seen.iter().any(|p| matches!(p, SitsWithThePublic | TakesNotesOnly));
    match (strong, weight, plain) {
        (true, ..) => Three::Yes,
        (_, 0, true) => Three::No,
        (_, 0 | 1, _) => Three::Unknown,
        _ => Three::Yes,
    }
}

/// 201(e).
pub(crate) fn intent(act: &Act) -> Element {
    let silent = act.form == Some(Form::PresentSilently);
    let stated = act.purpose.iter().map(|p| intent_of(*p, act.disputed)).reduce(Three::or);
    let met = match (silent, stated) {
        (true, Some(Three::Yes)) => Three::Yes,
        (true, _) => presence(&act.presence),
        (false, Some(met)) => met,
        (false, None) => Three::Unknown,
    };
    let because = match (met, silent) {
        (Three::Yes, true) => "the person's presence is prominent, paid or in authority, and so meant to influence",
        (Three::No, true) => "the person is inconspicuous, and nothing ties the person to those who argue",
        (Three::Yes, false) => "it seeks discretionary action, or bears on something that is or may be disputed",
        _ => "it is a routine request, a statement of fact, a filing or a social contact without an effort to seek action",
    };
    let ask = match silent {
        true => Ask::new("How is the person introduced, paid and placed, and do others refer to the person's views?", "`presence`"),
        false => Ask::new("What is the contact for, and is the point in dispute or may it be?", "`purpose`, `disputed`"),
    };
    Element::new(INTENT, met, because, ask)
}

/// Whether a public talk or publication is outside the bar (201(f)(3)).
pub(crate) fn public_commentary(case: &Case<'_>, act: &Act) -> Option<Three> {
    let speaks = match act.form? {
        Form::Publishes => return Some(Three::Yes),
        Form::SpeaksPublicly => act.forum.clone().unwrap_or_default(),
        _ => return None,
    };
    let large = speaks.attendance.map_or(Three::Unknown, |n| if n >= case.limits.forum_attendance { Three::Yes } else { Three::Unknown });
    let mixed = match speaks.attendance.zip(speaks.government_attendance) {
        Some((all, government)) if government.saturating_mul(2) <= all => Three::Yes,
        Some((all, government)) if government >= all => Three::No,
        _ => Three::Unknown,
    };
    Some(Three::from(speaks.government_sponsors).not().and(large).and(mixed))
}

fn addressed(r: &Recipient, act: &Act) -> Three {
    use RecipientKind::*;
    match r.who {
        Some(AgencyEmployee | PresidentOrVicePresident) => Three::from(r.as_official.unwrap_or(true)),
        Some(Congress | PrivateBody | StateOrLocalOfficial) => Three::No,
        Some(ContractorStaffBesideAgency) if act.form == Some(Form::ThroughGoBetweenAsSource) => Three::Yes,
        Some(Public) if matches!(act.form, Some(Form::SpeaksPublicly | Form::Publishes)) => Three::No,
        Some(ContractorStaffBesideAgency | Public) | None => Three::Unknown,
    }
}

/// 201(f).
pub(crate) fn to_employee(case: &Case<'_>, act: &Act) -> Element {
    let ask = Ask::new("To or before whom, and is that person addressed as an official?", "`before`");
    if let Some(outside) = public_commentary(case, act) {
        let because = match outside {
            Three::Yes => {
                "public commentary at a large gathering that the Government does not sponsor, or in print, is not a contact with an employee"
            }
            _ => "the gathering is sponsored by the Government, small, or mostly attended by its employees",
        };
        let ask =
            Ask::new("Who sponsors the gathering, how many attend, and how many of them are employees of the United States?", "`forum`");
        return Element::new(TO_EMPLOYEE, outside.not(), because, ask);
    }
    let met = act.before.iter().map(|r| addressed(r, act)).reduce(Three::or).unwrap_or(Three::Unknown);
    let because = match met {
        Three::Yes => "it is directed to, and received by, an employee of the United States as such",
        _ => "those addressed are not employees of the United States, or not addressed as such",
    };
    Element::new(TO_EMPLOYEE, met, because, ask)
}

/// 201(g).
pub(crate) fn on_behalf(act: &Act) -> Element {
    let for_others = !act.client.trim().is_empty() || act.purpose.contains(&Purpose::InvitesForClients);
    let (met, because) = match act.on_behalf_of {
        // The graver of two facts that contradict each other.
        Some(Behalf::Own) if for_others => (Three::Yes, "it is done for clients, or for somebody named"),
        Some(Behalf::Own) => (Three::No, "the person acts for herself or himself"),
        Some(Behalf::OwnViewsAtAgencysRequest | Behalf::NoOne) => (Three::No, "nobody else directs or controls what is said"),
        Some(_) => (Three::Yes, "it is done with another's consent and subject to some degree of control by that other"),
        None if !act.client.trim().is_empty() => (Three::Yes, "it is done for somebody named"),
        None => (Three::Unknown, ""),
    };
    Element::new(BEHALF, met, because, Ask::new("For whom does the person act, and with whose consent and direction?", "`on_behalf_of`"))
}

/// 204(i): is official action sought?
pub(crate) fn official_action(act: &Act) -> Three {
    use Purpose::*;
    let of = |purpose: &Purpose| match purpose {
        PrivateFavorFromFriend | Social | ListensOnly | AsksStatusOrPublicPaper | TaxPreparer | SecForm | InvestigatorsAssurance => {
            Three::No
        }
        FactsInOrdinaryCourse | AnswersDuringSiteVisit | DeliversWhatIsDue => act.disputed.unwrap_or(false).into(),
        _ => Three::Yes,
    };
    act.purpose.iter().map(of).reduce(Three::or).unwrap_or(Three::Unknown)
}
