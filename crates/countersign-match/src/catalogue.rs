//! Issuers with their names and tickers, indexed once.

use std::collections::{BTreeMap, BTreeSet};

use countersign_entry::ids::Date;

use crate::identifiers::{self, Found};
use crate::similar::Measured;
use crate::strip::Stripped;
use crate::ticker::Ticker;

/// One issuer as the caller knows it. Entries with the same id are one issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerEntry {
    /// The caller's id, such as `cik-0001045810`.
    pub id: String,
    /// Its name today.
    pub name: String,
    /// Names it had.
    pub former_names: Vec<FormerName>,
    /// Symbols it trades or traded under. An issuer without any counts as unlisted.
    pub tickers: Vec<DatedTicker>,
}

/// A name and the dates it was borne: from the first, up to and with the last; open where not given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormerName {
    /// The name.
    pub name: String,
    /// First day.
    pub from: Option<Date>,
    /// Last day.
    pub to: Option<Date>,
}

/// A symbol and the dates it was the issuer's: from the first, up to and with the last; open where not given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatedTicker {
    /// The symbol, in any spelling [`Ticker`] takes.
    pub symbol: String,
    /// First day.
    pub from: Option<Date>,
    /// Last day.
    pub to: Option<Date>,
}

/// Issuers, indexed.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    issuers: Vec<Issuer>,
    names: Vec<Name>,
    by_id: BTreeMap<String, usize>,
    by_ticker: BTreeMap<String, Vec<Held>>,
    by_identifier: BTreeMap<String, Vec<Held>>,
    by_key: BTreeMap<String, Vec<usize>>,
    by_trigram: BTreeMap<[char; 3], Vec<u32>>,
    first_words: BTreeMap<String, BTreeSet<usize>>,
    words: BTreeSet<String>,
}

#[derive(Debug, Clone)]
struct Issuer {
    id: String,
    listed: bool,
    fund: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Name {
    issuer: usize,
    stripped: Stripped,
    trigrams: usize,
    former: bool,
    from: Option<Date>,
    to: Option<Date>,
}

#[derive(Debug, Clone)]
struct Held {
    issuer: usize,
    from: Option<Date>,
    to: Option<Date>,
}

/// An issuer's place in the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct At(usize);

/// A name that came near.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Near {
    pub(crate) at: At,
    pub(crate) measured: Measured,
    /// Whether the name was borne on the date, and is not only one the issuer once had.
    pub(crate) on_date: bool,
    pub(crate) unlisted_form: bool,
}

/// Names that share most trigrams with a text and are measured.
const MEASURED_MAX: usize = 24;

impl Catalogue {
    /// Indexes issuers. Costs about 20 microseconds a name.
    pub fn new(issuers: impl Iterator<Item = IssuerEntry>) -> Self {
        let mut catalogue = Self::default();
        for entry in issuers {
            catalogue.add(entry);
        }
        catalogue
    }

    /// How many issuers there are.
    pub fn len(&self) -> usize {
        self.issuers.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.issuers.is_empty()
    }

    /// Says that an ISIN or a CUSIP is of one of the issuers that are here, from the first day up to and with the last; open where not given. What
    /// fails its check digit, or names an issuer that is not here, is left out.
    pub fn identify(&mut self, issuer: &str, value: &str, from: Option<Date>, to: Option<Date>) {
        let Some(at) = self.by_id.get(issuer).copied() else { return };
        if let Some(key) = identifiers::find(&format!("CUSIP {value}")).first().map(Found::key) {
            self.by_identifier.entry(key).or_default().push(Held { issuer: at, from, to });
        }
    }

    /// Whose the ISINs and CUSIPs in a text are on a date; without a date, whose they ever were.
    pub(crate) fn identified(&self, text: &str, on: Option<&Date>) -> Vec<At> {
        if self.by_identifier.is_empty() {
            return Vec::new();
        }
        let held = identifiers::find(text).into_iter().filter_map(|found| self.by_identifier.get(&found.key())).flatten();
        let mut owners: Vec<At> = held.filter(|h| covers(h.from.as_ref(), h.to.as_ref(), on)).map(|h| At(h.issuer)).collect();
        owners.sort_unstable();
        owners.dedup();
        owners
    }

    fn add(&mut self, entry: IssuerEntry) {
        let fund = crate::class::says_fund(&entry.name);
        let at = *self.by_id.entry(entry.id.clone()).or_insert(self.issuers.len());
        if at == self.issuers.len() {
            self.issuers.push(Issuer { id: entry.id, listed: false, fund });
        }
        for ticker in entry.tickers {
            let Some(symbol) = Ticker::new(&ticker.symbol) else { continue };
            if let Some(issuer) = self.issuers.get_mut(at) {
                issuer.listed = true;
            }
            let held = Held { issuer: at, from: ticker.from, to: ticker.to };
            self.by_ticker.entry(symbol.as_str().to_owned()).or_default().push(held);
        }
        self.add_name(at, &entry.name, false, None, None);
        for former in entry.former_names {
            self.add_name(at, &former.name, true, former.from, former.to);
        }
    }

    fn add_name(&mut self, issuer: usize, name: &str, former: bool, from: Option<Date>, to: Option<Date>) {
        let stripped = Stripped::new(&crate::clean::line(name));
        if stripped.tokens.is_empty() || self.names.iter().rev().take(8).any(|n| n.issuer == issuer && n.stripped == stripped) {
            return;
        }
        let place = self.names.len();
        for key in stripped.keys().into_iter().filter(|k| !k.is_empty()) {
            self.by_key.entry(key).or_default().push(place);
        }
        let trigrams = trigrams(&stripped);
        for trigram in &trigrams {
            self.by_trigram.entry(*trigram).or_default().push(u32::try_from(place).unwrap_or(u32::MAX));
        }
        self.words.extend(stripped.tokens.iter().cloned());
        if let Some(first) = stripped.tokens.first() {
            self.first_words.entry(first.clone()).or_default().insert(issuer);
        }
        self.names.push(Name { issuer, stripped, trigrams: trigrams.len(), former, from, to });
    }

    pub(crate) fn id(&self, at: At) -> String {
        self.issuers.get(at.0).map(|i| i.id.clone()).unwrap_or_default()
    }

    pub(crate) fn listed(&self, at: At) -> bool {
        self.issuers.get(at.0).is_some_and(|i| i.listed)
    }

    pub(crate) fn is_fund(&self, at: At) -> bool {
        self.issuers.get(at.0).is_some_and(|i| i.fund)
    }

    /// Who trades under a symbol on a date; without a date, who ever did.
    pub(crate) fn owners(&self, ticker: &Ticker, on: Option<&Date>) -> Vec<At> {
        let exact = self.by_ticker.get(ticker.as_str());
        let held = exact.or_else(|| self.by_ticker.get(&ticker.with_class_split()?));
        let mut owners: Vec<At> =
            held.into_iter().flatten().filter(|h| covers(h.from.as_ref(), h.to.as_ref(), on)).map(|h| At(h.issuer)).collect();
        owners.sort_unstable();
        owners.dedup();
        owners
    }

    /// Issuers with exactly this stripped name on a date, by the strictest key that finds any: the score, and who.
    pub(crate) fn exact(&self, name: &Stripped, on: Option<&Date>) -> (u16, Vec<&Name>) {
        for (key, score) in name.keys().iter().zip([1000, 990, 980]) {
            let found: Vec<&Name> = self.named(key).filter(|n| n.borne(on)).collect();
            if !found.is_empty() {
                return (score, found);
            }
        }
        (0, Vec::new())
    }

    fn named(&self, key: &str) -> impl Iterator<Item = &Name> {
        self.by_key.get(key).into_iter().flatten().filter_map(|at| self.names.get(*at))
    }

    /// Issuers that have, or ever had, exactly this stripped name.
    pub(crate) fn exact_ever(&self, name: &Stripped) -> Vec<At> {
        let keys = name.keys();
        let mut found: Vec<At> = keys.iter().filter(|k| !k.is_empty()).flat_map(|k| self.named(k)).map(|n| At(n.issuer)).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The names of one issuer, today's and former.
    pub(crate) fn names_of(&self, at: At) -> impl Iterator<Item = &Stripped> {
        self.names.iter().filter(move |n| n.issuer == at.0).map(|n| &n.stripped)
    }

    /// Unlisted issuers whose whole name stands somewhere in a text.
    pub(crate) fn unlisted_in(&self, text: &Stripped) -> Vec<String> {
        let padded = |s: &Stripped| format!(" {} ", s.text());
        let text = padded(text);
        let stands = |n: &&Name| self.issuers.get(n.issuer).is_some_and(|i| !i.listed) && text.contains(&padded(&n.stripped));
        let found: BTreeSet<String> = self.names.iter().filter(stands).map(|n| self.id(n.at())).collect();
        found.into_iter().collect()
    }

    /// Whether only one issuer's name begins with this word, and the word is long enough to mean it.
    pub(crate) fn distinctive(&self, word: &str) -> bool {
        word.chars().count() >= 4 && self.first_words.get(word).is_none_or(|issuers| issuers.len() <= 1)
    }

    /// Whether a name written may be another's misspelt: a word that some issuer is called is not misspelt ("Vista" is not "Vistra").
    pub(crate) fn may_be_misspelt(&self, written: &Stripped, near: At) -> bool {
        let explained =
            |word: &String, theirs: &Stripped| theirs.tokens.iter().any(|t| t == word || (word.len() >= 3 && t.starts_with(word.as_str())));
        self.names_of(near).any(|theirs| {
            written
                .tokens
                .iter()
                .all(|word| !self.words.contains(word) || explained(word, theirs) || theirs.tokens.concat().contains(word.as_str()))
        })
    }

    /// Names that come near, nearest first, each issuer once.
    pub(crate) fn near(&self, name: &Stripped, on: Option<&Date>) -> Vec<Near> {
        let mut near: Vec<Near> = Vec::new();
        for place in self.sharing_trigrams(name) {
            let Some(n) = self.names.get(place) else { continue };
            let measured = Measured::of(name, &n.stripped);
            near.push(Near { at: At(n.issuer), measured, on_date: n.borne(on), unlisted_form: n.stripped.unlisted_form });
        }
        near.sort_by(|a, b| rank(b).cmp(&rank(a)).then(a.at.cmp(&b.at)));
        let mut seen = BTreeSet::new();
        near.retain(|n| seen.insert(n.at));
        near
    }

    /// Places of the names that share most trigrams with a name, by Dice's coefficient.
    fn sharing_trigrams(&self, name: &Stripped) -> Vec<usize> {
        let wanted = trigrams(name);
        let mut shared = vec![0_u32; self.names.len()];
        for trigram in &wanted {
            for place in self.by_trigram.get(trigram).into_iter().flatten() {
                if let Some(count) = usize::try_from(*place).ok().and_then(|p| shared.get_mut(p)) {
                    *count += 1;
                }
            }
        }
        let dice = |place: usize, count: u32| {
            let total = wanted.len() + self.names.get(place).map_or(0, |n| n.trigrams);
            2000 * u64::from(count) / u64::try_from(total.max(1)).unwrap_or(u64::MAX)
        };
        let mut ranked: Vec<(u64, usize)> =
            shared.iter().enumerate().filter(|(_, c)| **c > 0).map(|(p, c)| (dice(p, *c), p)).filter(|(d, _)| *d >= 300).collect();
        ranked.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        ranked.truncate(MEASURED_MAX);
        ranked.into_iter().map(|(_, place)| place).collect()
    }
}

impl Name {
    fn borne(&self, on: Option<&Date>) -> bool {
        !self.former || covers(self.from.as_ref(), self.to.as_ref(), on)
    }

    pub(crate) fn at(&self) -> At {
        At(self.issuer)
    }

    pub(crate) fn form(&self) -> Option<&'static str> {
        self.stripped.form
    }

    pub(crate) fn unlisted_form(&self) -> bool {
        self.stripped.unlisted_form
    }
}

fn rank(near: &Near) -> (bool, u16) {
    (near.measured.close() && near.on_date, near.measured.score())
}

/// Dates of the form `YYYY-MM-DD` order as dates do.
fn covers(from: Option<&Date>, to: Option<&Date>, on: Option<&Date>) -> bool {
    on.is_none_or(|on| from.is_none_or(|from| from <= on) && to.is_none_or(|to| on <= to))
}

fn trigrams(name: &Stripped) -> BTreeSet<[char; 3]> {
    let text = format!(" {} ", name.tokens.concat());
    let (one, two, three) = (text.chars(), text.chars().skip(1), text.chars().skip(2));
    one.zip(two).zip(three).map(|((a, b), c)| [a, b, c]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str, name: &str, ticker: &str, from: Option<&str>) -> IssuerEntry {
        let from = from.map(|d| Date::new(d).unwrap());
        let former = FormerName { name: format!("Old {name}"), from: None, to: Some(Date::new("2020-01-01").unwrap()) };
        IssuerEntry {
            id: id.into(),
            name: name.into(),
            former_names: vec![former],
            tickers: vec![DatedTicker { symbol: ticker.into(), from, to: None }],
        }
    }

    #[test]
    fn tickers_and_former_names_hold_on_their_dates() {
        let c = Catalogue::new([entry("i1", "Quill Corp", "QLL", Some("2022-01-01"))].into_iter());
        let qll = Ticker::new("qll").unwrap();
        let date = |d| Date::new(d).unwrap();
        assert_eq!(c.owners(&qll, Some(&date("2021-12-31"))), []);
        assert_eq!(c.owners(&qll, Some(&date("2022-01-01"))), [At(0)]);
        assert_eq!(c.owners(&qll, None), [At(0)]);
        let old = Stripped::new("OLD QUILL INC");
        assert_eq!(c.exact(&old, Some(&date("2019-06-01"))).1.len(), 1);
        assert_eq!(c.exact(&old, Some(&date("2020-01-02"))).1.len(), 0);
        assert_eq!(c.exact_ever(&old), [At(0)]);
    }

    #[test]
    fn entries_with_one_id_are_one_issuer() {
        let c = Catalogue::new([entry("i1", "Quill Corp", "QLL-A", None), entry("i1", "Quill Corp", "QLL-B", None)].into_iter());
        assert_eq!(c.len(), 1);
        assert_eq!(c.owners(&Ticker::new("QLLB").unwrap(), None), [At(0)]);
        assert_eq!(c.near(&Stripped::new("Quil"), None).len(), 1);
    }
}
