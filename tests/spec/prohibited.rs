//! The slow, obvious oracle of what may not be held: 5 CFR 2635.403 read again over the whole list of entries.

use countersign_entry::record::*;

use super::{Book, within};
use countersign_entry::time::Micros;

pub struct Forbidden<'a> {
    pub book: &'a Book<'a>,
    pub who: &'a Person,
    /// The time of recording, at which lists are looked at.
    pub at: Micros,
    /// The day of the access in question.
    pub then: &'a str,
}

impl Forbidden<'_> {
    /// What stands against holding what is held.
    pub fn against(&self) -> Vec<Outcome> {
        if self.who.status == PersonStatus::Former {
            return vec![];
        }
        let mut out = Vec::new();
        for held in self.book.newest(|r| if let Record::Holding(r) = r { Some((r.id.to_string(), r)) } else { None }) {
            if held.person == self.who.id && held.value.hi() != Some(0) {
                out.extend(self.of(held).map(|sure| self.bars(sure)));
            }
        }
        for tie in self.book.newest(|r| if let Record::Relationship(r) = r { Some((r.id.to_string(), r)) } else { None }) {
            let own_service = tie.person == self.who.id && tie.kind == RelationshipKind::Serves && tie.relation == HolderRelation::Own;
            let begun = tie.from.as_ref().is_none_or(|d| d.as_str() <= self.then);
            let over = tie.until.as_ref().is_some_and(|d| d.as_str() < self.then);
            let named = tie.issuer.as_ref().is_some_and(|i| self.lists().any(|list| self.names(list, i.as_str())));
            if own_service && begun && !over && named {
                out.push(self.bars(true));
            }
        }
        out
    }

    /// Whether a holding may not be held, for certain or perhaps.
    pub fn of(&self, held: &Holding) -> Option<bool> {
        use HolderRelation as H;
        let (mut certain, mut perhaps) = (false, false);
        for list in self.lists() {
            let determination = list.binds.as_ref().unwrap().to_string().starts_with("person:");
            let its_own = match held.relation {
                H::Own | H::Joint | H::ManagedAccount | H::Nominee => Some(true),
                H::Spouse | H::MinorChild if determination => Some(true),
                H::Spouse | H::MinorChild | H::DependentChild | H::Unknown => Some(false),
                _ => None,
            };
            let Some(its_own) = its_own else { continue };
            match &held.instrument.issuer {
                Some(issuer) if self.names(list, issuer.as_str()) => {
                    let debt = held.instrument.class == InstrumentClass::Liability;
                    if its_own && !debt { certain = true } else { perhaps = true }
                }
                None if held.instrument.linking == Linking::InReview => perhaps = true,
                _ => {}
            }
        }
        (certain || perhaps).then_some(certain)
    }

    fn bars(&self, sure: bool) -> Outcome {
        use PersonStatus::{Contractor, Enlisted, Ffrdc, Partner};
        if sure && ![Contractor, Ffrdc, Partner, Enlisted].contains(&self.who.status) { Outcome::Block } else { Outcome::Refer }
    }

    /// Lists of prohibited holdings that bind this person: by name, or somewhere up from where they serve.
    fn lists(&self) -> impl Iterator<Item = &List> {
        let mut above = vec![format!("person:{}", self.who.id)];
        let organizations = self.book.newest(|r| if let Record::Organization(r) = r { Some((r.id.to_string(), r)) } else { None });
        let mut next = Some(self.who.organization.clone());
        while let Some(id) = next {
            if above.contains(&format!("organization:{id}")) {
                break;
            }
            above.push(format!("organization:{id}"));
            next = organizations.iter().find(|o| o.id == id).and_then(|o| o.parent.clone());
        }
        let lists = self.book.newest(|r| if let Record::List(r) = r { Some((r.id.to_string(), r)) } else { None });
        let of_kind = lists.into_iter().filter(|l| l.kind == ListKind::ProhibitedHolding);
        of_kind.filter(move |l| l.binds.as_ref().is_some_and(|b| above.contains(&b.to_string())))
    }

    /// Whether a list names an issuer now.
    fn names(&self, list: &List, issuer: &str) -> bool {
        let items = self.book.newest(|r| if let Record::ListItem(r) = r { Some((r.id.to_string(), r)) } else { None });
        items
            .into_iter()
            .any(|i| i.list == list.id && i.subject.to_string() == format!("issuer:{issuer}") && within(i.from, i.until, self.at))
    }
}
