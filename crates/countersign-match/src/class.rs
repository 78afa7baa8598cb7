//! What kind of thing a text names, by its wording and by the filer's own asset type.

use crate::clean::{Cleaned, Mark};
use crate::strip::tokens;
use crate::words::{
    CASH_PHRASES, COINS, FAMILIES, FUND, FUND_PHRASES, GOVERNMENT, LEVERAGE, MUNICIPAL, PLAN_PHRASES, PRIVATE_PHRASES, PROPERTY, STRATEGY,
};

/// Kinds of asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InstrumentClass {
    /// A share, a depositary receipt, a unit of a listed partnership: also what nothing speaks against.
    Equity,
    /// A diversified fund, trust or annuity.
    Fund,
    /// A retirement, savings or education plan, or an account named without what it holds.
    Plan,
    /// A leveraged, inverse or income product on one share.
    SingleStockProduct,
    /// A call, a put, an employee's option.
    Option,
    /// Debt of a company.
    CorporateBond,
    /// Debt of a state, county, city, district or authority.
    MunicipalBond,
    /// Debt of the United States and of its agencies.
    Treasury,
    /// A bank's note that pays by somebody else's share.
    StructuredNote,
    /// A coin or token.
    Crypto,
    /// Money, a bank account, a certificate of deposit.
    Cash,
    /// Land and buildings.
    RealProperty,
    /// A share of a company that is not traded, direct or through a vehicle.
    PrivateStake,
}

impl InstrumentClass {
    /// The word for it in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equity => "equity",
            Self::Fund => "fund",
            Self::Plan => "plan",
            Self::SingleStockProduct => "single-stock-product",
            Self::Option => "option",
            Self::CorporateBond => "corporate-bond",
            Self::MunicipalBond => "municipal-bond",
            Self::Treasury => "treasury",
            Self::StructuredNote => "structured-note",
            Self::Crypto => "crypto",
            Self::Cash => "cash",
            Self::RealProperty => "real-property",
            Self::PrivateStake => "private-stake",
        }
    }
}

/// A class, and whether a ticker whose owner has exactly the name written overrules it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) class: InstrumentClass,
    pub(crate) firm: bool,
}

/// Reads the class of a text. `asset_type` is the filer's: a House code (`ST`, `OP`) or the Senate's words.
pub(crate) fn classify(cleaned: &Cleaned, asset_type: Option<&str>) -> Reading {
    use InstrumentClass as C;
    let words = Words::new(cleaned);
    let firm = |class| Reading { class, firm: true };
    let soft = |class| Reading { class, firm: false };
    let given = asset_type
        .map(str::to_owned)
        .or_else(|| cleaned.marks.iter().find_map(|m| if let Mark::AssetType(code) = m { Some(code.clone()) } else { None }));
    match given.as_deref().and_then(by_type) {
        Some(C::CorporateBond) => return firm(words.bond_kind()),
        Some(C::Fund) if words.leveraged() => return firm(C::SingleStockProduct),
        Some(class) => return firm(class),
        None => {}
    }
    if words.phrase(&["autocall", "autocallable", "contingent coupon", "market linked", "structured note", "structured notes"]) {
        return firm(C::StructuredNote);
    }
    if words.option() {
        return firm(C::Option);
    }
    if words.coupon() {
        return firm(words.bond_kind());
    }
    if words.leveraged() {
        return firm(C::SingleStockProduct);
    }
    if words.says_fund() {
        return firm(C::Fund);
    }
    if words.plan() {
        return firm(C::Plan);
    }
    if words.phrase(&[
        "membership",
        "membership interest",
        "llc interest",
        "spv",
        "special purpose vehicle",
        "simple agreement",
        "carried interest",
        "capital commitment",
    ]) || words.safe()
    {
        return firm(C::PrivateStake);
    }
    if words.bond() {
        return firm(words.bond_kind());
    }
    if words.coin() {
        return soft(C::Crypto);
    }
    if words.cash() {
        return soft(C::Cash);
    }
    if words.phrase(PROPERTY) {
        return soft(C::RealProperty);
    }
    let said_listed = given.as_deref().is_some_and(|t| matches!(t.trim().to_ascii_lowercase().as_str(), "st" | "stock"));
    if words.private() && !said_listed {
        return soft(C::PrivateStake);
    }
    if words.family_and_strategy() {
        return soft(C::Fund);
    }
    soft(C::Equity)
}

/// Whether a name says fund on its own.
pub(crate) fn says_fund(name: &str) -> bool {
    Words::new(&crate::clean::clean(name)).says_fund()
}

/// A name's words without "common stock" and legal forms at its end, which say nothing of a strategy.
fn short_name(name: &str) -> String {
    const ENDS: &[&str] = &[
        "common",
        "stock",
        "cmn",
        "inc",
        "corp",
        "corporation",
        "co",
        "company",
        "ltd",
        "limited",
        "plc",
        "adr",
        "ordinary",
        "shares",
        "class",
        "cl",
        "a",
        "b",
        "c",
        "new",
        "public",
        "llc",
        "lp",
        "com",
    ];
    let mut words = tokens(name);
    while words.len() > 1 && words.last().is_some_and(|w| ENDS.contains(&w.as_str())) {
        words.pop();
    }
    words.join(" ")
}

/// A text as words, for asking.
struct Words {
    /// Of the name.
    name: String,
    /// Of the whole cell.
    all: String,
    /// Of the name, without legal forms and share classes, as filed.
    bare: String,
    raw: String,
    marks: Vec<Mark>,
}

impl Words {
    fn new(cleaned: &Cleaned) -> Self {
        let spaced = |text: &str| format!(" {} ", tokens(text).join(" "));
        let short = short_name(&cleaned.name);
        let words_in_brackets: String =
            cleaned.marks.iter().filter_map(|m| if let Mark::Words(w) = m { Some(w.as_str()) } else { None }).collect::<Vec<_>>().join(" ");
        Self {
            name: spaced(&format!("{} {words_in_brackets}", cleaned.name)),
            all: spaced(&cleaned.text),
            bare: short,
            raw: cleaned.text.clone(),
            marks: cleaned.marks.clone(),
        }
    }

    fn has(&self, words: &[&str]) -> bool {
        self.name.split(' ').any(|t| words.contains(&t))
    }

    fn phrase(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|p| self.name.contains(&format!(" {p} ")))
    }

    fn first(&self) -> &str {
        self.name.split_whitespace().next().unwrap_or_default()
    }

    fn last(&self) -> &str {
        self.name.split_whitespace().next_back().unwrap_or_default()
    }

    fn symbol(&self, symbols: &[&str]) -> bool {
        self.marks.iter().any(|m| matches!(m, Mark::Symbol(s) if symbols.contains(&s.to_ascii_uppercase().as_str())))
    }

    fn option(&self) -> bool {
        let side = [" call ", " calls ", " put ", " puts "].iter().any(|s| self.all.contains(s));
        let terms = [" strike ", " exp ", " expires ", " expiration ", " expiry ", " expiring ", " option ", " options "]
            .iter()
            .any(|s| self.all.contains(s));
        let covered = self.all.contains(" covered call");
        let leads = matches!(self.first(), "call" | "calls" | "put" | "puts") && self.raw.bytes().any(|b| b.is_ascii_digit());
        let typed = self.all.contains(" option type ") || self.all.contains(" stock option");
        leads || typed || (side && terms && !covered) || self.raw.split(' ').any(crate::product::is_option_code)
    }

    /// A rate and a date, or the words for them: debt, whatever else is said.
    fn coupon(&self) -> bool {
        let dated = self
            .raw
            .split([' ', ','])
            .any(|w| w.len() >= 5 && w.matches('/').count() == 2 && w.bytes().all(|b| b.is_ascii_digit() || b == b'/'));
        let rate = self.raw.contains('%');
        let worded = [" coupon ", " matures ", " cpn ", " cusip "].iter().any(|w| self.all.contains(w));
        let due = self.all.contains(" due ") && self.raw.bytes().any(|b| b.is_ascii_digit());
        let preferred = self.has(&["preferred", "pfd", "pref", "perpetual"]);
        !preferred && ((rate && dated) || worded || due)
    }

    fn bond(&self) -> bool {
        self.has(&["bond", "bonds", "note", "notes", "nt", "nts", "debenture", "debentures", "deb", "mtn", "bd", "bds", "tbill", "tbills"])
            || self.phrase(&["loan receivable", "term loan"])
            || (self.phrase(GOVERNMENT) && !self.phrase(&["treasury wine"]))
    }

    fn bond_kind(&self) -> InstrumentClass {
        let says = |list: &[&str]| list.iter().any(|p| self.all.contains(&format!(" {p} ")));
        if says(GOVERNMENT) {
            InstrumentClass::Treasury
        } else if says(MUNICIPAL) {
            InstrumentClass::MunicipalBond
        } else {
            InstrumentClass::CorporateBond
        }
    }

    fn leveraged(&self) -> bool {
        const WITH: &[&str] = &[
            "daily",
            "etf",
            "etp",
            "etn",
            "product",
            "target",
            "weeklypay",
            "proshares",
            "direxion",
            "tradr",
            "yieldmax",
            "strategy",
            "leverage",
            "yieldboost",
        ];
        const MAKERS: &[&str] =
            &["harvest", "roundhill", "rex", "kurv", "purpose", "evolve", "ninepoint", "yieldmax", "graniteshares", "csop", "chinaamc"];
        let any = |list: &[&str]| self.all.split(' ').any(|t| list.contains(&t));
        let long_short = any(&["long", "short"]) && any(&["daily"]);
        // "Ultra" is a leveraged product of one maker, and a short duration with every other.
        let ultra = any(&["ultra", "ultrashort"]) && any(&["proshares"]);
        (any(LEVERAGE) || long_short || ultra) && any(WITH) || (MAKERS.contains(&self.first()) && any(&["etf", "etp", "product"]))
    }

    fn says_fund(&self) -> bool {
        // "Class R6", "Institutional Class", "Admiral Shares".
        const CLASSES: &[&str] =
            &["r6", "r5", "r4", "r3", "r2", "r1", "f1", "f2", "f3", "529", "529a", "529c", "i", "k", "z", "y", "n", "adv"];
        let class = CLASSES.iter().any(|c| self.name.contains(&format!(" class {c} ")) || self.name.contains(&format!(" cl {c} ")));
        let kind = ["institutional", "instl", "admiral", "investor", "advisor", "inst"]
            .iter()
            .any(|k| ["class", "shares", "cl", "shs", "shrs"].iter().any(|s| self.name.contains(&format!(" {k} {s} "))));
        self.has(FUND)
            || self.phrase(FUND_PHRASES)
            || class
            || kind
            || (self.first() == "vanguard" && self.name.split_whitespace().count() > 1)
    }

    fn plan(&self) -> bool {
        let own_shares = self.phrase(&["restricted stock", "common stock", "stock units"]);
        (self.phrase(PLAN_PHRASES) && !own_shares) || self.has(&["ira", "401k", "403b"])
    }

    /// "SAFE" in capitals where not all is: a simple agreement for future equity.
    fn safe(&self) -> bool {
        let shouted = !self.raw.bytes().any(|b| b.is_ascii_lowercase());
        let word = self.raw.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).skip(1).any(|w| w == "SAFE");
        word && !shouted
    }

    fn coin(&self) -> bool {
        const PLACES: &[&str] = &[
            "coinbase",
            "gemini",
            "kraken",
            "binance",
            "wallet",
            "robinhood",
            "crypto",
            "cryptocurrency",
            "coin",
            "coins",
            "token",
            "tokens",
        ];
        let bare = self.name.split_whitespace().filter(|t| !PLACES.contains(t)).collect::<Vec<_>>().join(" ");
        let twice = self.name.split_whitespace().collect::<Vec<_>>();
        let named = COINS.contains(&bare.as_str())
            || twice.split_first().is_some_and(|(first, rest)| {
                COINS.contains(first) && rest.iter().all(|t| COINS.contains(t) || PLACES.contains(t) || t.len() == 3)
            });
        named || self.has(&["cryptocurrency", "cryptocurrencies"]) || self.all.trim().ends_with(" crypto")
    }

    fn cash(&self) -> bool {
        let numbered = self.name.split_whitespace().any(|t| t == "bank") && self.raw.contains('#');
        let banked = self.has(&["bank", "banking", "credit", "trust", "savings"]) && self.symbol(&["CD", "CDS", "CASH"]);
        matches!(self.last(), "cash" | "cd" | "cds")
            || self.phrase(CASH_PHRASES)
            || numbered
            || banked
            || (self.symbol(&["CASH"]) && self.has(&["account", "brokerage", "us"]))
            || self.name.trim() == "us bank"
    }

    fn private(&self) -> bool {
        let words: Vec<&str> = self.name.split_whitespace().collect();
        let lettered = words
            .iter()
            .zip(words.iter().skip(1))
            .any(|(a, b)| *a == "series" && b.len() <= 2 && b.starts_with(|c: char| ('a'..='h').contains(&c)));
        let units = self.phrase(&["common units", "common unit"]);
        (self.phrase(PRIVATE_PHRASES) && !units)
            || (lettered && !self.has(&["common", "cumulative", "cum", "adr", "cmn", "perpetual", "depositary"]))
    }

    fn family_and_strategy(&self) -> bool {
        let rest = FAMILIES.iter().filter_map(|f| self.bare.strip_prefix(f)?.strip_prefix(' ')).min_by_key(|rest| rest.len());
        let strategies = |text: &str| text.split_whitespace().filter(|t| STRATEGY.contains(t)).count();
        rest.is_some_and(|rest| strategies(rest) >= 1) || strategies(&self.name) >= 3
    }
}

/// The House's asset type codes and the Senate's words, where they decide.
fn by_type(asset_type: &str) -> Option<InstrumentClass> {
    use InstrumentClass as C;
    let lower = asset_type.trim().trim_matches(['[', ']']).to_lowercase();
    Some(match lower.as_str() {
        "op" | "stock option" | "option" | "options" => C::Option,
        "cs" | "corporate bond" => C::CorporateBond,
        "municipal security" | "municipal bond" => C::MunicipalBond,
        "gs" | "treasury" => C::Treasury,
        "mf" | "ef" | "et" | "he" | "hn" | "va" | "vi" | "fn" | "wu" | "ma" | "mutual fund" | "etf" => C::Fund,
        "4k" | "5c" | "5f" | "5p" | "db" | "pe" | "ir" | "ih" => C::Plan,
        "ct" | "cryptocurrency" => C::Crypto,
        "ba" | "bank deposit" => C::Cash,
        "rp" | "fa" | "mo" | "real estate" => C::RealProperty,
        "ps" | "oi" | "non-public stock" => C::PrivateStake,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(text: &str) -> InstrumentClass {
        classify(&crate::clean::clean(text), None).class
    }

    #[test]
    fn every_class_has_its_wording() {
        use InstrumentClass as C;
        for (text, expected) in [
            ("Quill Corp. Common Stock (QLL)", C::Equity),
            ("Quill Ultra-Short Income ETF (QLST)", C::Fund),
            ("Quill Bear Workshop Inc", C::Equity),
            ("American Vanguard Corp", C::Equity),
            ("Quill Small-Cap Growth Fund Class R6 Shares", C::Fund),
            ("Quill Select International Institutional Class (QLLIX)", C::Fund),
            ("Vanguard Something", C::Fund),
            ("FIDELITY SELECT QUILLS (FQLLX)", C::Fund),
            ("iShares Quill Trust", C::Fund),
            ("SPDR Quill Units", C::Fund),
            ("Quill & Ink LLP 401(k) Plan", C::Plan),
            ("Roth IRA", C::Plan),
            ("Direxion Daily QLL Bull 2X Shares", C::SingleStockProduct),
            ("GraniteShares 2x Long QLL Daily ETF", C::SingleStockProduct),
            ("T-Rex 2X Inverse Quill Daily Target ETF", C::SingleStockProduct),
            ("YieldMax QLL Option Income Strategy ETF", C::SingleStockProduct),
            ("CALL (QLL) QUILL CORP JUL 18 25 $155 (100 SHS)", C::Option),
            ("Quill Corp, open position for written put option, $95 strike", C::Option),
            ("QLL250117C00120000", C::Option),
            ("QUILL CORP SR NT 3.824% 01/20/2028", C::CorporateBond),
            ("Quill Inc (Bond)", C::CorporateBond),
            ("Quill County School District, TX, bond (Cusip 037833100)", C::MunicipalBond),
            ("26-week Treasury Bills", C::Treasury),
            ("QB Contingent Autocall on Quill 9% due 9/5/27", C::StructuredNote),
            ("Bitcoin (BTC) - Kraken", C::Crypto),
            ("ADA (Crypto)", C::Crypto),
            ("U.S. bank #77 (cash)", C::Cash),
            ("Quill Bank (CD)", C::Cash),
            ("Undeveloped land, 40 acres, Quill Valley", C::RealProperty),
            ("Quill Labs, PBC (Series F Membership)", C::PrivateStake),
            ("Quill Technologies, Inc. SAFE", C::PrivateStake),
            ("Quill SPV II LLC", C::PrivateStake),
            ("Quill Inc. Series A-2 Preferred Shares", C::PrivateStake),
            ("Quill Discovery Inc. Series A Common Stock (QLD)", C::Equity),
        ] {
            assert_eq!(class(text), expected, "{text}");
        }
    }

    #[test]
    fn the_filers_asset_type_decides() {
        let typed = |text: &str, t| classify(&crate::clean::clean(text), Some(t)).class;
        assert_eq!(typed("Quill Corp", "OP"), InstrumentClass::Option);
        assert_eq!(typed("Quill Corp", "Stock"), InstrumentClass::Equity);
        assert_eq!(typed("Quill Corp", "Corporate Bond"), InstrumentClass::CorporateBond);
        assert_eq!(class("Quill Corp [PS]"), InstrumentClass::PrivateStake);
    }
}
