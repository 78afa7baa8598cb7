//! From an asset's text to its issuer: what somebody decided, else what the matcher says of it.

use std::collections::BTreeMap;

use countersign_conflict::Facts;
use countersign_entry::ids::{Date, IssuerId, Line, RawText};
use countersign_entry::record::{Instrument, InstrumentClass, Issuer, Linking, MatchDecision};
use countersign_match::{Catalogue, DatedTicker, Decision, InstrumentClass as Matched, IssuerEntry, Outcome, Reason, Why, match_asset};

/// The issuers and decisions of a ledger, ready to be asked.
pub(super) struct Linker {
    catalogue: Catalogue,
    decisions: BTreeMap<Named, MatchDecision>,
    /// One text stands on many rows.
    asked: BTreeMap<(Named, Option<String>, Option<Date>), Linked>,
}

/// A text and the identifier written with it.
type Named = (String, Option<String>);

/// What an instrument came to.
#[derive(Debug, Clone)]
struct Linked {
    class: InstrumentClass,
    issuer: Option<IssuerId>,
    linking: Linking,
}

impl Linker {
    /// Of the issuers and decisions as they stand.
    pub(super) fn new(facts: &Facts) -> Self {
        let catalogue = Catalogue::new(facts.issuers().map(|known| entry(&known.record)));
        let mut known: Vec<_> = facts.match_decisions().collect();
        known.sort_by_key(|k| k.index);
        let decisions = known.into_iter().map(|k| (named(&k.record.text, k.record.identifier.as_ref()), k.record.clone())).collect();
        Self { catalogue, decisions, asked: BTreeMap::new() }
    }

    /// The instrument a row tells of. `asset_type` is the filer's own word, `on` the day names and tickers have to hold.
    pub(super) fn instrument(&mut self, text: RawText, identifier: Option<Line>, asset_type: Option<&str>, on: &Date) -> Instrument {
        let name = named(&text, identifier.as_ref());
        let linked = match self.decisions.get(&name) {
            Some(d) => Linked { class: d.class, issuer: d.issuer.clone(), linking: Linking::Decided },
            None => {
                let key = (name, asset_type.map(str::to_owned), Some(on.clone()));
                let catalogue = &self.catalogue;
                let ask = |((text, ticker), asset_type, on): &(Named, Option<String>, Option<Date>)| {
                    linked(&match_asset(catalogue, text, ticker.as_deref(), asset_type.as_deref(), on.as_ref()))
                };
                match self.asked.get(&key) {
                    Some(linked) => linked.clone(),
                    None => {
                        let linked = ask(&key);
                        self.asked.insert(key, linked.clone());
                        linked
                    }
                }
            }
        };
        Instrument { class: linked.class, text, identifier, issuer: linked.issuer, linking: linked.linking }
    }

    /// What the matcher says of a text today, whatever was decided.
    pub(super) fn outcome(&self, instrument: &Instrument) -> Outcome {
        match_asset(&self.catalogue, instrument.text.as_str(), instrument.identifier.as_ref().map(Line::as_str), None, None)
    }
}

/// Why a person has to look, in words.
pub(super) fn why_review(decision: &Decision) -> &'static str {
    match decision {
        Decision::Linked { .. } => "would be linked today",
        Decision::Fund | Decision::NotASecurity(_) => "no issuer by its nature today",
        Decision::Private { .. } => "a stake that is not traded",
        Decision::Unmatched => "nothing comes near",
        Decision::Review { reason, .. } => match reason {
            Reason::TickerNameDisagree => "ticker and name disagree",
            Reason::NotATicker => "what stands for a ticker is probably none",
            Reason::Ambiguous => "more than one fits",
            Reason::Weak => "something comes near, not near enough",
            Reason::TickerUnknown => "the ticker is not known",
        },
    }
}

/// What brought a candidate up, in a word.
pub(super) fn why_candidate(why: Why) -> &'static str {
    match why {
        Why::Ticker => "ticker",
        Why::NameExact => "name_exact",
        Why::FormerName => "former_name",
        Why::NameNear => "name_near",
    }
}

/// A text and its identifier, to be compared.
pub(super) fn named(text: &RawText, identifier: Option<&Line>) -> Named {
    (text.to_string(), identifier.map(ToString::to_string))
}

/// The record's word for what the matcher found.
pub(super) fn class_of(outcome: &Outcome) -> InstrumentClass {
    match outcome.class {
        Matched::Equity => InstrumentClass::Equity,
        Matched::Fund => InstrumentClass::DiversifiedFund,
        Matched::Plan => InstrumentClass::Plan,
        // Both are looked at as the share they pay by.
        Matched::SingleStockProduct | Matched::StructuredNote => InstrumentClass::SingleStockProduct,
        Matched::Option => InstrumentClass::Option,
        Matched::CorporateBond => InstrumentClass::Bond,
        Matched::MunicipalBond => InstrumentClass::Municipal,
        Matched::Treasury => InstrumentClass::Treasury,
        Matched::Crypto => InstrumentClass::Crypto,
        Matched::Cash => InstrumentClass::Cash,
        Matched::RealProperty => InstrumentClass::RealProperty,
        Matched::PrivateStake => InstrumentClass::PrivateStake,
    }
}

fn linked(outcome: &Outcome) -> Linked {
    let (issuer, linking) = match &outcome.decision {
        Decision::Linked { issuer, .. } => match IssuerId::new(issuer.clone()) {
            Ok(id) => (Some(id), Linking::Matched),
            Err(_) => (None, Linking::InReview),
        },
        Decision::Fund | Decision::NotASecurity(_) => (None, Linking::NotLinked),
        // Somebody issued it, only nobody here knows who: that is for a person, not for silence.
        Decision::Private { .. } | Decision::Review { .. } | Decision::Unmatched => (None, Linking::InReview),
    };
    Linked { class: class_of(outcome), issuer, linking }
}

fn entry(issuer: &Issuer) -> IssuerEntry {
    let tickers = issuer.tickers.iter().map(|t| DatedTicker { symbol: t.to_string(), from: None, to: None }).collect();
    IssuerEntry { id: issuer.id.to_string(), name: issuer.name.to_string(), former_names: Vec::new(), tickers }
}
