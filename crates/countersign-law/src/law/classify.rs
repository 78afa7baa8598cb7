//! Particular matter or not, and with parties or general (5 CFR 2635.402(b)(3), 2640.102(l) and (m), 2640.103(a)(1), 2641.201(h)).

use super::{Ask, Case, Sheet};
use crate::answer::{Kind, Outcome, Point};
use crate::rules::CLASSIFY;
use crate::scenario::{Addressed, Matter, MatterKind};

/// What a matter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// A particular matter involving specific parties.
    Parties,
    /// A particular matter of general applicability.
    General,
    /// Not a particular matter.
    NotParticular,
    /// The facts do not say.
    Unknown,
}

impl Class {
    pub(crate) fn of(matter: &Matter) -> Self {
        match matter.kind {
            Some(MatterKind::SocialOrCharity) => Self::NotParticular,
            Some(kind) if is_proceeding(kind) => Self::Parties,
            // A paper of another kind: whom it addresses decides. One that names its parties involves them, whatever it is called.
            _ => match matter.addresses {
                Some(Addressed::NamedPersons) => Self::Parties,
                Some(Addressed::OneClass) => Self::General,
                Some(_) => Self::NotParticular,
                None if matter.names_a_party() => Self::Parties,
                // The posts of an office that is reorganized are a discrete class by themselves (2640.203(d) examples 7, 8 and 10).
                None if matter.kind == Some(MatterKind::Reorganization) => Self::General,
                None => Self::Unknown,
            },
        }
    }

    /// "Involves deliberation focused on specific persons or a discrete and identifiable class".
    pub(crate) fn is_particular(self) -> bool {
        matches!(self, Self::Parties | Self::General)
    }
}

/// Kinds that by themselves are about the rights of identified parties, or a transaction between them (2640.102(l)).
fn is_proceeding(kind: MatterKind) -> bool {
    use MatterKind::*;
    matches!(
        kind,
        Contract
            | Procurement
            | Grant
            | SubsidyOrLoan
            | License
            | Lease
            | ProductApplication
            | RequestForRuling
            | RequestForMeeting
            | RoutineFiling
            | MergerReview
            | ReserveBankCredit
            | Audit
            | InspectionOrTest
            | Study
            | Investigation
            | EnforcementOrProsecution
            | Lawsuit
            | PrivateLawsuit
            | Hearing
            | ComplaintOrClaim
            | Hiring
            | PersonnelAction
            | ActionOnOneProperty
            | BilateralAgreement
            | PrivateReliefBill
    )
}

/// What to ask where the class is not known.
pub(crate) fn ask() -> Ask {
    Ask::new(
        "Whom does the matter name or address: persons by name, one industry or class, or everybody?",
        "`matter.kind` and `matter.addresses`, from the text of the measure",
    )
}

pub(crate) fn classify(case: &Case<'_>, sheet: &mut Sheet) {
    let Some(matter) = &case.s.matter else {
        if case.asks(Point::ParticularMatter) {
            sheet.refer(Kind::Classification, Point::ParticularMatter, CLASSIFY, &ask());
        }
        return;
    };
    let (outcome, because) = match Class::of(matter) {
        Class::Parties => (Outcome::ParticularMatterYes, "it is a proceeding or transaction about identified persons, firms or places"),
        Class::General => (Outcome::ParticularMatterYes, "it is focused on one discrete and identifiable class"),
        Class::NotParticular => (Outcome::ParticularMatterNo, "it is directed to a large and diverse group, or to nobody outside"),
        Class::Unknown => {
            sheet.refer(Kind::Classification, Point::ParticularMatter, CLASSIFY, &ask());
            return;
        }
    };
    sheet.find(Kind::Classification, outcome, Point::ParticularMatter, CLASSIFY, because).fact("matter.kind").fact("matter.addresses");
}
