//! From an asset's text to its issuer: what somebody decided, else what the matcher says of it.

use std::collections::BTreeMap;

use countersign_conflict::Facts;
use countersign_entry::ids::{Date, IssuerId, Line, RawText};
use countersign_entry::record::{Identifier, IdentifierScheme, Instrument, InstrumentClass, Issuer, Linking, MatchDecision};
use countersign_match::{
    Catalogue, DatedTicker, Decision, FormerName, InstrumentClass as Matched, IssuerEntry, Outcome, Reason, Why, match_asset,
};

/// The issuers and decisions of a ledger, ready to be asked.
pub struct Linker {
    catalogue: Catalogue,
    decisions: BTreeMap<Named, MatchDecision>,
    /// One text stands on many rows.
    asked: BTreeMap<(Named, Option<String>, Date), Linked>,
}

/// Tickers that have days, by issuer.
type Dated<'f> = BTreeMap<&'f IssuerId, Vec<&'f Identifier>>;

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
    /// Of the issuers, identifiers and decisions as they stand.
    pub fn new(facts: &Facts) -> Self {
        let mut dated = Dated::new();
        for i in facts.identifiers().map(|k| &k.record).filter(|i| i.scheme == IdentifierScheme::Ticker) {
            dated.entry(&i.issuer).or_default().push(i);
        }
        let mut catalogue = Catalogue::new(facts.issuers().map(|known| entry(&known.record, &dated)));
        let securities = facts.identifiers().map(|k| &k.record);
        for i in securities.filter(|i| matches!(i.scheme, IdentifierScheme::Isin | IdentifierScheme::Cusip)) {
            catalogue.identify(i.issuer.as_str(), i.value.as_str(), i.valid_from.clone(), i.valid_to.clone());
        }
        let mut known: Vec<_> = facts.match_decisions().collect();
        known.sort_by_key(|k| k.index);
        let decisions = known.into_iter().map(|k| (named(&k.record.text, k.record.identifier.as_ref()), k.record.clone())).collect();
        Self { catalogue, decisions, asked: BTreeMap::new() }
    }

    /// The instrument a row tells of, names and tickers held to the day `on`. `asset_type` is the filer's own word.
    pub fn instrument(&mut self, text: RawText, identifier: Option<Line>, asset_type: Option<Line>, on: &Date) -> Instrument {
        let (class, linking) = (InstrumentClass::Unknown, Linking::InReview);
        let mut instrument = Instrument { class, text, identifier, asset_type, issuer: None, linking, sector: None };
        let linked = match self.decisions.get(&named(&instrument.text, instrument.identifier.as_ref())) {
            Some(d) => Linked { class: d.class, issuer: d.issuer.clone(), linking: Linking::Decided },
            None => self.ask(&instrument, on),
        };
        (instrument.class, instrument.issuer, instrument.linking) = (linked.class, linked.issuer, linked.linking);
        instrument
    }

    fn ask(&mut self, instrument: &Instrument, on: &Date) -> Linked {
        let name = named(&instrument.text, instrument.identifier.as_ref());
        let key = (name, instrument.asset_type.as_ref().map(ToString::to_string), on.clone());
        if let Some(linked) = self.asked.get(&key) {
            return linked.clone();
        }
        let found = linked(&self.outcome(instrument, on));
        self.asked.insert(key, found.clone());
        found
    }

    /// What the matcher says of a text on a day, whatever was decided.
    pub fn outcome(&self, instrument: &Instrument, on: &Date) -> Outcome {
        let (identifier, asset_type) = (instrument.identifier.as_ref(), instrument.asset_type.as_ref());
        match_asset(&self.catalogue, instrument.text.as_str(), identifier.map(Line::as_str), asset_type.map(Line::as_str), Some(on))
    }
}

/// Why a person has to look, in words.
pub fn why_review(decision: &Decision) -> &'static str {
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
            Reason::IdentifierDisagrees => "an ISIN or CUSIP in it is another's",
        },
    }
}

/// What brought a candidate up, in a word.
pub fn why_candidate(why: Why) -> &'static str {
    match why {
        Why::Ticker => "ticker",
        Why::Identifier => "identifier",
        Why::NameExact => "name_exact",
        Why::FormerName => "former_name",
        Why::NameNear => "name_near",
    }
}

/// A text and its identifier, to be compared.
pub fn named(text: &RawText, identifier: Option<&Line>) -> Named {
    (text.to_string(), identifier.map(ToString::to_string))
}

/// The record's word for what the matcher found.
pub fn class_of(outcome: &Outcome) -> InstrumentClass {
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

/// An issuer with its tickers: an identifier record gives the days, a ticker of the issuer's own record that no such record tells of has none.
fn entry(issuer: &Issuer, dated: &Dated<'_>) -> IssuerEntry {
    let dated = dated.get(&issuer.id).map(Vec::as_slice).unwrap_or_default();
    let told = |symbol: &str| dated.iter().any(|i| i.value.as_str() == symbol);
    let undated = issuer.tickers.iter().filter(|t| !told(t.as_str()));
    let undated = undated.map(|t| DatedTicker { symbol: t.to_string(), from: None, to: None });
    let dated = dated.iter().map(|i| DatedTicker { symbol: i.value.to_string(), from: i.valid_from.clone(), to: i.valid_to.clone() });
    let tickers = undated.chain(dated).collect();
    let former_names = issuer.former_names.iter().map(|f| FormerName { name: f.name.to_string(), from: f.from.clone(), to: f.to.clone() });
    IssuerEntry { id: issuer.id.to_string(), name: issuer.name.to_string(), former_names: former_names.collect(), tickers }
}
