//! The one function that decides.

use countersign_entry::ids::Date;

use crate::MATCHER_VERSION;
use crate::catalogue::{At, Catalogue};
use crate::class::{InstrumentClass, Reading, classify};
use crate::clean::{Cleaned, Mark, clean};
use crate::outcome::{CANDIDATES_MAX, Candidate, Decision, How, Outcome, Reason, Why};
use crate::product::{Underlying, of_bond, of_note, of_option, of_product};
use crate::similar::{CANDIDATE_MIN, Measured, begins_alike};
use crate::strip::Stripped;
use crate::ticker::{Ticker, TickerCell};
use crate::words::{NOT_TICKERS, WEAK};

/// What an asset's text means.
///
/// `ticker` is the ticker cell as filed, if the file has one; a ticker in the text counts where the cell is empty. `asset_type` is the filer's
/// (a House code or the Senate's words). `on` is the trade's or the report's date: tickers and former names count on their dates; without it
/// they count whenever they held.
pub fn match_asset(catalogue: &Catalogue, text: &str, ticker: Option<&str>, asset_type: Option<&str>, on: Option<&Date>) -> Outcome {
    let cleaned = clean(text);
    let cell = cell(&cleaned, ticker);
    let stripped = stripped(catalogue, &cleaned.name, on);
    let reading = classify(&cleaned, asset_type);
    let asked = Asked { catalogue, cleaned: &cleaned, name: stripped.clone(), cell: &cell, on };
    let (class, decision) = asked.decide(reading);
    // What stands in the ticker's place is labelled by standing there.
    let identified = catalogue.identified(&format!("{text} CUSIP {}", ticker.unwrap_or_default()), on);
    let decision = asked.hold_to(&identified, class, decision);
    let ticker = if let TickerCell::One(t) = &cell { Some(t.as_str().to_owned()) } else { None };
    Outcome { class, text: cleaned.text, stripped: stripped.text(), ticker, version: MATCHER_VERSION, decision }
}

/// The name stripped; with what stands in brackets, where only so it is somebody's.
fn stripped(catalogue: &Catalogue, name: &str, on: Option<&Date>) -> Stripped {
    let without = Stripped::new(name);
    let with = Stripped::with_brackets(name);
    let known = |s: &Stripped| !catalogue.exact(s, on).1.is_empty();
    if with != without && !known(&without) && known(&with) { with } else { without }
}

/// The ticker cell, or what the text says in its place. A symbol in brackets may be anything; two that differ are two.
fn cell(cleaned: &Cleaned, given: Option<&str>) -> TickerCell {
    let given = given.map_or(TickerCell::None, TickerCell::read);
    if given != TickerCell::None {
        return given;
    }
    let mut symbols: Vec<Ticker> = Vec::new();
    for mark in &cleaned.marks {
        if let Mark::Symbol(s) | Mark::NamedSymbol(s) = mark
            && let Some(ticker) = Ticker::new(s)
            && !symbols.contains(&ticker)
        {
            symbols.push(ticker);
        }
    }
    match symbols.len() {
        0 => TickerCell::None,
        1 => symbols.pop().map_or(TickerCell::None, TickerCell::One),
        _ => TickerCell::Several(symbols),
    }
}

/// Identifiers can be mistyped too; their check digits let one in a hundred through.
const IDENTIFIER_SCORE: u16 = 980;

/// A text under question.
struct Asked<'a> {
    catalogue: &'a Catalogue,
    cleaned: &'a Cleaned,
    name: Stripped,
    cell: &'a TickerCell,
    on: Option<&'a Date>,
}

impl Asked<'_> {
    fn decide(&self, reading: Reading) -> (InstrumentClass, Decision) {
        use InstrumentClass as C;
        let legs = self.cleaned.text.to_ascii_lowercase();
        if legs.contains("(exchanged)") && legs.contains("(received)") {
            return (reading.class, self.review(Reason::Ambiguous));
        }
        if !reading.firm && reading.class != C::Equity && self.exactly_listed(reading.class) {
            return (C::Equity, self.equity());
        }
        match reading.class {
            C::Treasury | C::CorporateBond | C::MunicipalBond if self.fund_symbol() => (C::Fund, Decision::Fund),
            C::Equity => self.share(),
            C::Fund | C::Plan => (reading.class, Decision::Fund),
            C::SingleStockProduct => self.product(),
            C::Option => (C::Option, self.option()),
            C::CorporateBond | C::MunicipalBond => self.bond(reading.class),
            C::StructuredNote => (C::StructuredNote, self.note()),
            C::Treasury | C::Crypto | C::Cash | C::RealProperty => (reading.class, Decision::NotASecurity(reading.class)),
            C::PrivateStake => (C::PrivateStake, self.private()),
        }
    }

    /// Whether the ticker's owner has exactly the name written; without a ticker, whether a listed issuer has.
    fn exactly_listed(&self, class: InstrumentClass) -> bool {
        let (_, exact) = self.catalogue.exact(&self.name, self.on);
        match self.cell {
            TickerCell::One(ticker) => self.catalogue.owners(ticker, self.on).iter().any(|owner| exact.iter().any(|n| n.at() == *owner)),
            // Without a ticker a bare name may still be a bank account or a coin; it is no fund, though, and no land.
            TickerCell::None => {
                matches!(class, InstrumentClass::Fund | InstrumentClass::RealProperty)
                    && exact.iter().any(|n| self.catalogue.listed(n.at()))
            }
            _ => false,
        }
    }

    /// A note is never linked: the bank owes it, and the share it pays by is another's. A person sees who that may be.
    fn note(&self) -> Decision {
        let none = TickerCell::None;
        let name = of_note(&self.cleaned.name);
        let on = self.about(name.as_deref().unwrap_or(&self.cleaned.name), &none);
        let symbol = name.as_deref().and_then(Ticker::new);
        let mut candidates = Vec::new();
        for owner in symbol.map(|t| self.catalogue.owners(&t, self.on)).unwrap_or_default() {
            on.push(&mut candidates, owner, Why::Ticker);
        }
        on.fill(&mut candidates);
        Decision::Review { candidates, reason: Reason::Weak }
    }

    fn share(&self) -> (InstrumentClass, Decision) {
        if self.fund_symbol() {
            return (InstrumentClass::Fund, Decision::Fund);
        }
        let decision = self.equity();
        // Without a ticker, exactly the name of a company that has none: what can be had of it is a private stake.
        let unlisted = |id: &String| {
            self.catalogue.exact_ever(&self.name).iter().any(|at| self.catalogue.id(*at) == *id && !self.catalogue.listed(*at))
        };
        let class = match &decision {
            Decision::Linked { issuer, .. } if *self.cell == TickerCell::None && unlisted(issuer) => InstrumentClass::PrivateStake,
            _ => InstrumentClass::Equity,
        };
        (class, decision)
    }

    /// What an ISIN or a CUSIP in the text does to a decision: it links what nothing else did, and sends to review what it contradicts. One of a
    /// product, an option or a note names that and not what it is on, so those are left as they are, and so is what is no company's.
    fn hold_to(&self, identified: &[At], class: InstrumentClass, decision: Decision) -> Decision {
        use InstrumentClass as C;
        let of_issuer = matches!(class, C::Equity | C::CorporateBond | C::PrivateStake);
        let settled = matches!(decision, Decision::Fund | Decision::NotASecurity(_)) || crate::class::says_fund(&self.cleaned.name);
        match (identified, &decision) {
            ([], _) => decision,
            _ if !of_issuer || settled => decision,
            ([at], Decision::Linked { issuer, .. }) if self.catalogue.id(*at) == *issuer => decision,
            ([at], other) if !matches!(other, Decision::Linked { .. }) && !self.named_otherwise(*at) => {
                Decision::Linked { issuer: self.catalogue.id(*at), score: IDENTIFIER_SCORE, how: How::Identifier }
            }
            _ => {
                let mut candidates = Vec::new();
                for at in identified {
                    self.push_scored(&mut candidates, *at, IDENTIFIER_SCORE, Why::Identifier);
                }
                self.fill(&mut candidates);
                Decision::Review { candidates, reason: Reason::IdentifierDisagrees }
            }
        }
    }

    /// Whether ticker or name is exactly another issuer's.
    fn named_otherwise(&self, at: At) -> bool {
        let others = |owners: Vec<At>| !owners.is_empty() && !owners.contains(&at);
        let ticker = matches!(self.cell, TickerCell::One(t) if others(self.catalogue.owners(t, self.on)));
        ticker || matches!(self.cell, TickerCell::Several(_)) || others(self.catalogue.exact_ever(&self.name))
    }

    /// A mutual fund's symbol that nobody in the catalogue has.
    fn fund_symbol(&self) -> bool {
        matches!(self.cell, TickerCell::One(t) if t.is_mutual_fund() && self.catalogue.owners(t, None).is_empty())
    }

    fn equity(&self) -> Decision {
        match self.cell {
            TickerCell::One(ticker) => self.by_ticker(ticker),
            TickerCell::Several(tickers) => self.several(tickers),
            TickerCell::None | TickerCell::Unreadable(_) => self.by_name(),
        }
    }

    fn by_ticker(&self, ticker: &Ticker) -> Decision {
        let owners = self.catalogue.owners(ticker, self.on);
        if owners.is_empty() {
            let elsewhen = !self.catalogue.owners(ticker, None).is_empty();
            let noise = !elsewhen && NOT_TICKERS.contains(&ticker.as_str());
            return self.review(if noise { Reason::NotATicker } else { Reason::TickerUnknown });
        }
        let agreeing: Vec<(At, u16)> = owners.iter().filter_map(|owner| Some((*owner, self.agreement(*owner)?))).collect();
        match agreeing.as_slice() {
            [(at, _)] if self.catalogue.is_fund(*at) => Decision::Fund,
            [(at, score)] => Decision::Linked { issuer: self.catalogue.id(*at), score: *score, how: How::TickerAndName },
            [] if NOT_TICKERS.contains(&ticker.as_str()) => self.review(Reason::NotATicker),
            [] => self.review(Reason::TickerNameDisagree),
            _ => self.review(Reason::Ambiguous),
        }
    }

    /// How well the name written agrees with the names of a ticker's owner. Nothing agrees that is exactly another issuer's name.
    fn agreement(&self, owner: At) -> Option<u16> {
        let exact = self.catalogue.exact_ever(&self.name);
        if exact.contains(&owner) {
            return Some(1000);
        }
        if !exact.is_empty() || self.name.tokens.is_empty() {
            return None;
        }
        self.catalogue.names_of(owner).filter_map(|theirs| self.nearness(theirs)).max()
    }

    /// How near one name of the ticker's owner comes: close, or beginning alike with two words or one that is nobody else's.
    fn nearness(&self, theirs: &Stripped) -> Option<u16> {
        let measured = Measured::of(&self.name, theirs);
        let own = |s: &Stripped| s.tokens.first().is_some_and(|w| self.catalogue.distinctive(w));
        let telling = telling_words(&self.name).min(telling_words(theirs)) >= 2 || (own(&self.name) && own(theirs));
        (measured.close() || (telling && begins_alike(&self.name, theirs))).then(|| measured.score())
    }

    fn several(&self, tickers: &[Ticker]) -> Decision {
        let mut candidates: Vec<Candidate> = Vec::new();
        for owner in tickers.iter().flat_map(|t| self.catalogue.owners(t, self.on)) {
            self.push(&mut candidates, owner, Why::Ticker);
        }
        self.fill(&mut candidates);
        Decision::Review { candidates, reason: Reason::Ambiguous }
    }

    fn by_name(&self) -> Decision {
        let (score, exact) = self.catalogue.exact(&self.name, self.on);
        let mut issuers: Vec<At> = exact.iter().map(|n| n.at()).collect();
        issuers.sort_unstable();
        issuers.dedup();
        if issuers.len() > 1 && self.name.form.is_some() {
            // Two names that differ in their legal form alone: the form written tells which.
            issuers.retain(|at| exact.iter().any(|n| n.at() == *at && n.form() == self.name.form));
            if issuers.len() != 1 {
                return self.review(Reason::Ambiguous);
            }
        }
        match issuers.as_slice() {
            [at] if self.catalogue.is_fund(*at) => return Decision::Fund,
            [at] if self.name.unlisted_form && !exact.iter().any(|n| n.unlisted_form()) && self.catalogue.listed(*at) => {
                return self.review(Reason::Weak);
            }
            [at] if self.is_somebodys_symbol(*at) => return self.weak(),
            // Equal only without "group" and "holdings": one word and another legal form is another company.
            [_] if score < 990
                && telling_words(&self.name) < 2
                && self.name.form.is_some()
                && exact.iter().all(|n| n.form() != self.name.form) =>
            {
                return self.weak();
            }
            [at] => return Decision::Linked { issuer: self.catalogue.id(*at), score, how: How::NameExact },
            [] => {}
            _ => return self.review(Reason::Ambiguous),
        }
        if telling_words(&self.name) < 2 {
            // One word, a letter off, is more often another company than a misspelt one.
            return self.weak();
        }
        let near = self.catalogue.near(&self.name, self.on);
        let close: Vec<_> = near
            .iter()
            .filter(|n| n.measured.close() && n.on_date && self.catalogue.listed(n.at) && self.catalogue.may_be_misspelt(&self.name, n.at))
            .collect();
        match close.as_slice() {
            [one] if self.catalogue.is_fund(one.at) => Decision::Fund,
            [one] if !self.name.unlisted_form || one.unlisted_form => {
                Decision::Linked { issuer: self.catalogue.id(one.at), score: one.measured.score(), how: How::NameFuzzy }
            }
            [] | [_] => self.weak(),
            _ => self.review(Reason::Ambiguous),
        }
    }

    /// Whether the whole text is a symbol in capitals that another issuer trades under.
    fn is_somebodys_symbol(&self, at: At) -> bool {
        let text = &self.cleaned.name;
        let capitals = text.len() <= 5 && text.bytes().all(|b| b.is_ascii_uppercase());
        capitals && Ticker::new(text).is_some_and(|t| self.catalogue.owners(&t, self.on).iter().any(|owner| *owner != at))
    }

    /// Review where anything comes near, unmatched where nothing does. A text that is only a ticker comes near its owner.
    fn weak(&self) -> Decision {
        let mut candidates = Vec::new();
        if let Some(owner) = Ticker::new(&self.cleaned.name).map(|t| self.catalogue.owners(&t, self.on)).unwrap_or_default().first() {
            self.push(&mut candidates, *owner, Why::Ticker);
        }
        self.fill(&mut candidates);
        if candidates.is_empty() { Decision::Unmatched } else { Decision::Review { candidates, reason: Reason::Weak } }
    }

    fn review(&self, reason: Reason) -> Decision {
        let mut candidates = Vec::new();
        if let TickerCell::One(ticker) = self.cell {
            for owner in self.catalogue.owners(ticker, self.on) {
                self.push(&mut candidates, owner, Why::Ticker);
            }
        }
        self.fill(&mut candidates);
        Decision::Review { candidates, reason }
    }

    /// Adds what the name brings up, and puts the best first.
    fn fill(&self, candidates: &mut Vec<Candidate>) {
        let (score, exact) = self.catalogue.exact(&self.name, self.on);
        for name in exact {
            self.push_scored(candidates, name.at(), score, Why::NameExact);
        }
        for at in self.catalogue.exact_ever(&self.name) {
            self.push_scored(candidates, at, 950, Why::FormerName);
        }
        for near in self.catalogue.near(&self.name, self.on).into_iter().filter(|n| n.measured.jaro_winkler >= CANDIDATE_MIN) {
            self.push_scored(candidates, near.at, near.measured.score(), Why::NameNear);
        }
        candidates.sort_by(|a, b| b.score.cmp(&a.score).then_with(|| a.issuer.cmp(&b.issuer)));
        candidates.truncate(CANDIDATES_MAX);
    }

    fn push(&self, candidates: &mut Vec<Candidate>, at: At, why: Why) {
        let score = self.catalogue.names_of(at).map(|n| Measured::of(&self.name, n).score()).max().unwrap_or(0);
        self.push_scored(candidates, at, score, why);
    }

    fn push_scored(&self, candidates: &mut Vec<Candidate>, at: At, score: u16, why: Why) {
        let issuer = self.catalogue.id(at);
        if !candidates.iter().any(|c| c.issuer == issuer) {
            candidates.push(Candidate { issuer, score, why });
        }
    }

    /// The same question about another name and ticker.
    fn about<'b>(&'b self, name: &str, cell: &'b TickerCell) -> Asked<'b> {
        Asked { catalogue: self.catalogue, cleaned: self.cleaned, name: Stripped::new(name), cell, on: self.on }
    }

    /// A single-share product counts as its underlying. The maker names it, so name or ticker alone is enough, if one issuer alone fits.
    fn product(&self) -> (InstrumentClass, Decision) {
        let (name, symbol) = match of_product(self.cleaned) {
            Underlying::Basket => return (InstrumentClass::Fund, Decision::Fund),
            Underlying::Name(name, symbol) => (name, symbol),
        };
        let none = TickerCell::None;
        let on = self.about(&name, &none);
        let (_, exact) = self.catalogue.exact(&on.name, self.on);
        let mut owners: Vec<At> = exact.iter().map(|n| n.at()).collect();
        owners.extend(symbol.and_then(|s| Ticker::new(&s)).map(|t| self.catalogue.owners(&t, self.on)).unwrap_or_default());
        owners.retain(|at| self.catalogue.listed(*at));
        owners.sort_unstable();
        owners.dedup();
        let class = InstrumentClass::SingleStockProduct;
        match owners.as_slice() {
            [at] if self.catalogue.is_fund(*at) => (InstrumentClass::Fund, Decision::Fund),
            [at] if self.claimed_by_another(*at) => (class, self.review(Reason::TickerNameDisagree)),
            [at] => (class, Decision::Linked { issuer: self.catalogue.id(*at), score: 1000, how: How::Underlying }),
            [] => (class, Decision::Review { candidates: on.candidates(), reason: Reason::Weak }),
            _ => (class, Decision::Review { candidates: on.candidates(), reason: Reason::Ambiguous }),
        }
    }

    /// Whether the ticker is a listed company's that is not `at`; a product's own ticker is nobody's, or its fund's.
    fn claimed_by_another(&self, at: At) -> bool {
        let TickerCell::One(ticker) = self.cell else { return matches!(self.cell, TickerCell::Several(_)) };
        let owners = self.catalogue.owners(ticker, self.on);
        !owners.contains(&at) && owners.iter().any(|owner| !self.catalogue.is_fund(*owner))
    }

    fn candidates(&self) -> Vec<Candidate> {
        let mut candidates = Vec::new();
        self.fill(&mut candidates);
        candidates
    }

    /// An option counts as its underlying where ticker and name agree, or the name alone is exact.
    fn option(&self) -> Decision {
        let (name, symbol) = of_option(&self.cleaned.text);
        if crate::class::says_fund(&name) {
            return Decision::Fund;
        }
        let inner = symbol.and_then(|s| Ticker::new(&s)).map_or(TickerCell::None, TickerCell::One);
        let cell = if matches!(self.cell, TickerCell::None) { &inner } else { self.cell };
        underlying(self.about(&name, cell).equity_or_weak())
    }

    /// A company's bond counts as the company's where its exact name stands before the terms.
    fn bond(&self, class: InstrumentClass) -> (InstrumentClass, Decision) {
        let on = self.about(&of_bond(&self.cleaned.name), self.cell);
        let decision = underlying(on.equity_or_weak());
        match (class, &decision) {
            (_, Decision::Linked { .. }) => (InstrumentClass::CorporateBond, decision),
            (InstrumentClass::CorporateBond, _) => (class, decision),
            _ => (class, Decision::NotASecurity(class)),
        }
    }

    fn equity_or_weak(&self) -> Decision {
        if self.name.tokens.is_empty() { self.review(Reason::Weak) } else { self.equity() }
    }

    /// A stake in a company that is not listed is linked to an unlisted issuer of exactly its name, and to nothing else.
    fn private(&self) -> Decision {
        let name = private_name(&self.cleaned.name);
        let stripped = Stripped::new(&name);
        let unlisted = |at: &At| !self.catalogue.listed(*at);
        let (score, exact) = self.catalogue.exact(&stripped, self.on);
        let mut issuers: Vec<At> = exact.iter().map(|n| n.at()).filter(unlisted).collect();
        issuers.sort_unstable();
        issuers.dedup();
        // A stake that is not traded has no ticker: whatever stands in the place of one makes it doubtful.
        let claimed = *self.cell != TickerCell::None;
        match issuers.as_slice() {
            [at] if !claimed => return Decision::Linked { issuer: self.catalogue.id(*at), score, how: How::NameExact },
            [at] => {
                let candidates = vec![Candidate { issuer: self.catalogue.id(*at), score, why: Why::NameExact }];
                return Decision::Review { candidates, reason: Reason::NotATicker };
            }
            _ => {}
        }
        let none = TickerCell::None;
        let mut candidates = self.about(&name, &none).candidates();
        let ids: Vec<String> = self.catalogue.unlisted_in(&self.name);
        candidates.retain(|c| ids.contains(&c.issuer));
        for issuer in ids {
            if !candidates.iter().any(|c| c.issuer == issuer) {
                candidates.push(Candidate { issuer, score: 500, why: Why::NameNear });
            }
        }
        candidates.truncate(CANDIDATES_MAX);
        Decision::Private { name, candidates }
    }
}

/// Words of a name beside those that come and go.
fn telling_words(name: &Stripped) -> usize {
    name.tokens.iter().filter(|t| !WEAK.contains(&t.as_str())).count()
}

/// A link to what something is on is a link of that kind; a near name is not enough for one.
fn underlying(decision: Decision) -> Decision {
    match decision {
        Decision::Linked { issuer, score, how: How::NameFuzzy } => {
            Decision::Review { candidates: vec![Candidate { issuer, score, why: Why::NameNear }], reason: Reason::Weak }
        }
        Decision::Linked { issuer, score, .. } => Decision::Linked { issuer, score, how: How::Underlying },
        other => other,
    }
}

/// The name before the words that say how the stake is held.
fn private_name(name: &str) -> String {
    const MARKS: &[&str] = &[
        "series",
        "safe",
        "spv",
        "membership",
        "seed",
        "preferred",
        "class",
        "common",
        "units",
        "shares",
        "convertible",
        "llc",
        "interest",
        "stake",
    ];
    let mut kept = Vec::new();
    for word in name.split(' ') {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        if !kept.is_empty() && MARKS.contains(&bare.as_str()) {
            break;
        }
        kept.push(word);
    }
    kept.join(" ").trim_end_matches([',', '-', ' ', '(']).to_owned()
}
