//! Every outcome, with invented companies, and what must hold for any text at all.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use countersign_entry::ids::Date;
use countersign_match::clean::line;
use countersign_match::identifiers::{Cik, Cusip, Figi, Isin, Lei};
use countersign_match::strip::Stripped;
use countersign_match::{
    Catalogue, DatedTicker, Decision, FormerName, How, InstrumentClass, IssuerEntry, MATCHER_VERSION, Outcome, Reason, Why, match_asset,
};
use proptest::prelude::*;

fn date(text: &str) -> Date {
    Date::new(text).unwrap()
}

fn listed(id: &str, name: &str, symbols: &[&str]) -> IssuerEntry {
    let tickers = symbols.iter().map(|s| DatedTicker { symbol: (*s).to_owned(), from: None, to: None }).collect();
    IssuerEntry { id: id.to_owned(), name: name.to_owned(), former_names: Vec::new(), tickers }
}

fn catalogue() -> Catalogue {
    let mut renamed = listed("renamed", "Brightfen Corp", &[]);
    renamed.former_names = vec![FormerName { name: "Mossgate Industries".into(), from: None, to: Some(date("2021-06-30")) }];
    renamed.tickers = vec![
        DatedTicker { symbol: "MSG".into(), from: None, to: Some(date("2021-06-30")) },
        DatedTicker { symbol: "BRFN".into(), from: Some(date("2021-07-01")), to: None },
    ];
    let mut reused = listed("reused", "Silver Shoulder Inc", &[]);
    reused.tickers = vec![DatedTicker { symbol: "MSG".into(), from: Some(date("2024-01-01")), to: None }];
    Catalogue::new(
        [
            listed("quill", "QUILLDATA SYSTEMS CORP /DE/", &["QLL", "QLL-B"]),
            listed("ink", "Inkwell & Sons, Inc.", &["INKW"]),
            listed("deer", "Deerfield & Co", &["DE"]),
            listed("three", "Three.ai, Inc.", &["AI"]),
            listed("cash", "Pathward Meadow Inc", &["CASH"]),
            listed("twin-plc", "Rio Twin plc", &["RTP"]),
            listed("twin-ltd", "Rio Twin Ltd", &["RTL"]),
            listed("trust", "Brindle Select Municipal Income Fund", &["BSMI"]),
            listed("vistra", "Vistra Lamp Corp", &["VLC"]),
            listed("vista", "Vista Lamp Corp", &["VSTL"]),
            listed("lab", "Amberlight Labs", &[]),
            renamed,
            reused,
        ]
        .into_iter(),
    )
}

fn ask(text: &str, ticker: Option<&str>) -> Outcome {
    match_asset(&catalogue(), text, ticker, None, Some(&date("2025-03-01")))
}

fn linked(outcome: &Outcome) -> Option<(&str, How)> {
    if let Decision::Linked { issuer, how, .. } = &outcome.decision { Some((issuer, *how)) } else { None }
}

fn reason(outcome: &Outcome) -> Option<Reason> {
    if let Decision::Review { reason, .. } = &outcome.decision { Some(*reason) } else { None }
}

#[test]
fn ticker_and_name_agree() {
    for (text, ticker) in [
        ("Quilldata Systems Corp. Common Stock", Some("QLL")),
        ("QUILLDATA SYS CORP CMN CLASS B", Some("QLL.B")),
        ("Quilldata Systems Corp (QLLB)", Some("--")),
        ("QLL - Quilldata Systems", None),
        ("Quilldata &amp; Systems\u{c2}\u{ae} (NYSE: QLL)", None),
        ("\u{2022}\tQuilldata Sytems Corp (qll) [ST]", None),
        ("Quilldata Systems", Some("<a href=\"https://example.org/q?s=QLL\">QLL</a>")),
        ("Brokerage acct #4- QUILLDATA SYSTEMS (symbol QLL)", None),
    ] {
        let outcome = ask(text, ticker);
        assert_eq!(linked(&outcome), Some(("quill", How::TickerAndName)), "{text}: {outcome:?}");
        assert_eq!((outcome.version, outcome.class), (MATCHER_VERSION, InstrumentClass::Equity));
    }
}

#[test]
fn names_alone() {
    assert_eq!(linked(&ask("Inkwell and Sons", None)), Some(("ink", How::NameExact)));
    assert_eq!(linked(&ask("QUILDATA SYSTEMS INC", None)), Some(("quill", How::NameFuzzy)));
    // One letter off is another company where both are companies, and where one word is all there is.
    assert_eq!(linked(&ask("Vistra Lamp", None)), Some(("vistra", How::NameExact)));
    assert_eq!(reason(&ask("Brightfern Inc", None)), Some(Reason::Weak));
    // The legal form tells twins apart, or nothing does.
    assert_eq!(linked(&ask("RIO TWIN PLC SPON ADR", None)), Some(("twin-plc", How::NameExact)));
    assert_eq!(reason(&ask("Rio Twin", None)), Some(Reason::Ambiguous));
    // A listed company's namesake with an unlisted form.
    assert_eq!(reason(&ask("Inkwell & Sons LLC", None)), Some(Reason::Weak));
    assert_eq!(ask("Zyxwv Unheard Of", None).decision, Decision::Unmatched);
}

#[test]
fn tickers_that_disagree_are_never_linked() {
    assert_eq!(reason(&ask("Quilldata Systems Corp", Some("INKW"))), Some(Reason::TickerNameDisagree));
    assert_eq!(reason(&ask("Somebody Else Corp", Some("QLL"))), Some(Reason::TickerNameDisagree));
    assert_eq!(reason(&ask("Quilldata Systems Corp", Some("QQXZ"))), Some(Reason::TickerUnknown));
    assert_eq!(reason(&ask("Smallco, Inc. Something (DE)", None)), Some(Reason::NotATicker));
    assert_eq!(reason(&ask("Crate (AI)", None)), Some(Reason::NotATicker));
    assert_eq!(ask("U.S. bank #77 account (CASH)", None).decision, Decision::NotASecurity(InstrumentClass::Cash));
    assert_eq!(reason(&ask("Quilldata (Exchanged) <br> Inkwell (Received)", Some("QLL<br>INKW"))), Some(Reason::Ambiguous));
    let Decision::Review { candidates, .. } = ask("Quilldata Systems Corp", Some("INKW")).decision else { panic!() };
    assert_eq!(candidates[0].issuer, "quill");
    assert!(candidates.iter().any(|c| c.issuer == "ink" && c.why == Why::Ticker));
}

#[test]
fn tickers_and_names_count_on_their_dates() {
    let on = |text, ticker, day: Option<&str>| match_asset(&catalogue(), text, Some(ticker), None, day.map(date).as_ref());
    assert_eq!(linked(&on("Mossgate Industries", "MSG", Some("2020-05-05"))), Some(("renamed", How::TickerAndName)));
    assert_eq!(linked(&on("Mossgate Industries", "BRFN", Some("2022-05-05"))), Some(("renamed", How::TickerAndName)));
    assert_eq!(reason(&on("Mossgate Industries", "MSG", Some("2022-05-05"))), Some(Reason::TickerUnknown));
    assert_eq!(reason(&on("Mossgate Industries", "MSG", Some("2024-05-05"))), Some(Reason::TickerNameDisagree));
    assert_eq!(linked(&on("Silver Shoulder", "MSG", Some("2024-05-05"))), Some(("reused", How::TickerAndName)));
    // Without a date both owned it, and the name tells which.
    assert_eq!(linked(&on("Silver Shoulder", "MSG", None)), Some(("reused", How::TickerAndName)));
    // Without a ticker a former name links on its dates only.
    let bare = |day: &str| match_asset(&catalogue(), "Mossgate Industries", None, None, Some(&date(day)));
    assert_eq!(linked(&bare("2020-05-05")), Some(("renamed", How::NameExact)));
    assert_eq!(reason(&bare("2025-05-05")), Some(Reason::Weak));
}

#[test]
fn funds_are_never_linked() {
    for (text, ticker) in [
        ("Quilldata Systems Growth Fund Class R6 Shares", Some("QLL")),
        ("Brindle Select Municipal Income Fund", Some("BSMI")),
        ("iShares Quilldata Systems ETF", None),
        ("Some Strategy Nobody Names", Some("ABCDX")),
        ("Quilldata Systems Corp 401(k) Plan", Some("QLL")),
        ("Direxion Daily Semiconductor Bull 3X Shares", None),
    ] {
        assert_eq!(ask(text, ticker).decision, Decision::Fund, "{text}");
    }
}

#[test]
fn what_is_on_an_issuer_counts_as_it() {
    use InstrumentClass as C;
    for (text, class) in [
        ("GraniteShares 2x Long QLL Daily ETF", C::SingleStockProduct),
        ("T-Rex 2X Inverse Quilldata Systems Daily Target ETF (QLLZ)", C::SingleStockProduct),
        ("CALL (QLL) QUILLDATA SYSTEMS JUL 18 25 $155 (100 SHS)", C::Option),
        ("Quilldata Systems Corp, open position for written put option, $95 strike", C::Option),
        ("QUILLDATA SYSTEMS CORP SR NT 3.824% 01/20/2028", C::CorporateBond),
        ("Quilldata Systems Corp (Bond)", C::CorporateBond),
    ] {
        let outcome = ask(text, None);
        assert_eq!((linked(&outcome), outcome.class), (Some(("quill", How::Underlying)), class), "{text}: {outcome:?}");
    }
    assert_eq!(reason(&ask("Quilldata Systems Corp 3.8% Notes due 2079", Some("INKW"))), Some(Reason::TickerNameDisagree));
    assert_eq!(reason(&ask("GraniteShares 2x Long QLL Daily ETF", Some("INKW"))), Some(Reason::TickerNameDisagree));
    assert_eq!(reason(&ask("GraniteShares 2x Long ZZQ Daily ETF", None)), Some(Reason::Weak));
    assert_eq!(reason(&ask("Call Quildata Systems Jul 18 25 $5", None)), Some(Reason::Weak));
    let note = ask("QB Contingent Autocall on QLL 9% due 9/5/27", None);
    assert!(matches!(&note.decision, Decision::Review { candidates, .. } if candidates[0].issuer == "quill"), "{note:?}");
}

#[test]
fn private_stakes_are_linked_to_unlisted_issuers_only() {
    let stake = ask("Amberlight Labs, PBC (Series F Membership)", None);
    assert_eq!((linked(&stake), stake.class), (Some(("lab", How::NameExact)), InstrumentClass::PrivateStake));
    // What stands in brackets is somebody's ticker: a person looks.
    let claimed = ask("Amberlight Labs, PBC (Series F Membership) (AI)", None);
    assert_eq!(reason(&claimed), Some(Reason::NotATicker), "{claimed:?}");
    assert!(matches!(ask("Quilldata Systems Corp Series A Preferred SPV", None).decision, Decision::Private { .. }));
    let vehicle = ask("Hilltop SPV IV (Amberlight Labs) LLC", None);
    assert!(matches!(&vehicle.decision, Decision::Private { .. }), "{vehicle:?}");
    assert!(matches!(ask("Tinyco Inc. SAFE", None).decision, Decision::Private { name, .. } if name == "Tinyco Inc."));
}

#[test]
fn the_bare_name_of_an_unlisted_issuer_is_a_private_stake() {
    for text in ["Amberlight Labs", "Amberlight Labs, PBC", "Amberlight Labs Series F SPV", "Amberlight Labs, Inc. SAFE"] {
        let stake = ask(text, None);
        assert_eq!((linked(&stake).map(|l| l.0), stake.class), (Some("lab"), InstrumentClass::PrivateStake), "{text}: {stake:?}");
    }
    for (text, ticker) in
        [("Amberlight Labs, PBC (AMBL)", None), ("Amberlight Labs Series F SPV", Some("ZZZZ")), ("Amberlight Labs", Some("AI"))]
    {
        let unsure = ask(text, ticker);
        let Decision::Review { candidates, .. } = &unsure.decision else { panic!("{text}: {unsure:?}") };
        assert_eq!(candidates[0].issuer, "lab", "{text}");
    }
    assert_eq!(ask("Inkwell & Sons", None).class, InstrumentClass::Equity);
}

#[test]
fn identifiers_link_and_contradict() {
    let mut catalogue = catalogue();
    catalogue.identify("quill", "US0378331005", None, None);
    catalogue.identify("ink", "594918104", Some(date("2025-01-01")), None);
    catalogue.identify("nobody", "037833100", None, None);
    catalogue.identify("deer", "037833109", None, None);
    let ask = |text: &str, ticker: Option<&str>, on: &str| match_asset(&catalogue, text, ticker, None, Some(&date(on)));
    // The ISIN holds the CUSIP, so either finds the other, and a name too far off to link by itself does no harm.
    for text in ["QD Sys ordinary, Isin#Us0378331005", "QD Sys ordinary CUSIP 037833100"] {
        assert_eq!(linked(&ask(text, None, "2025-03-01")), Some(("quill", How::Identifier)), "{text}");
    }
    assert_eq!(linked(&ask("Some paper", Some("037833100"), "2025-03-01")), Some(("quill", How::Identifier)));
    assert_eq!(ask("Quilldata Systems Corp CUSIP 037833100", Some("QLL"), "2025-03-01").issuer(), Some("quill"));
    // Its days count, a wrong check digit is no identifier, and nothing else is overruled.
    assert_eq!(linked(&ask("Some paper CUSIP 594918104", None, "2024-12-31")), None);
    assert_eq!(linked(&ask("Some paper CUSIP 594918104", None, "2025-01-01")), Some(("ink", How::Identifier)));
    for (text, ticker) in [
        ("Inkwell & Sons, Inc. CUSIP 037833100", Some("INKW")),
        ("Inkwell & Sons, Inc. CUSIP 037833100", None),
        ("Some paper CUSIP 037833100", Some("INKW")),
        ("Some paper CUSIP 037833100 and CUSIP 594918104", None),
    ] {
        let unsure = ask(text, ticker, "2025-03-01");
        assert_eq!(reason(&unsure), Some(Reason::IdentifierDisagrees), "{text}: {unsure:?}");
        let Decision::Review { candidates, .. } = &unsure.decision else { panic!() };
        assert!(candidates.iter().any(|c| c.why == Why::Identifier && c.issuer == "quill"), "{candidates:?}");
    }
    assert_eq!(linked(&ask("Vanguard Total Stock Market Index Fund CUSIP 037833100", None, "2025-03-01")), None);
    assert_eq!(linked(&ask("Call Option on paper CUSIP 037833100", None, "2025-03-01")), None);
}

#[test]
fn what_no_company_issued() {
    for (text, class) in [
        ("Quill County School District, TX, bond (Cusip 037833100)", InstrumentClass::MunicipalBond),
        ("26-week Treasury Bills", InstrumentClass::Treasury),
        ("Bitcoin (BTC)", InstrumentClass::Crypto),
        ("U.S. Bank #77 (Cash)", InstrumentClass::Cash),
        ("Rental property, Springfield", InstrumentClass::RealProperty),
    ] {
        assert_eq!(ask(text, None).decision, Decision::NotASecurity(class), "{text}");
    }
    // A company called so is none of these, if its ticker says so too.
    assert_eq!(linked(&ask("Pathward Meadow Inc", Some("CASH"))), Some(("cash", How::TickerAndName)));
}

/// Text of the kinds that break things: markup, entities, mojibake, brackets, numbers, and anything.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("<b>".to_owned()),
        Just("&amp;".to_owned()),
        Just("&lt;".to_owned()),
        Just("&#x26;".to_owned()),
        Just("amp;".to_owned()),
        Just("\u{c3}\u{a9}".to_owned()),
        Just("\u{c2}".to_owned()),
        Just("e\u{301}".to_owned()),
        Just("\u{fdfa}".to_owned()),
        Just("(".to_owned()),
        Just(")".to_owned()),
        Just(" - ".to_owned()),
        Just("#4-".to_owned()),
        Just("Inc".to_owned()),
        Just("call".to_owned()),
        Just("Series A".to_owned()),
        Just("2x".to_owned()),
        Just("autocall İ".to_owned()),
        "\\PC{0,8}",
        "[A-Za-z ]{0,12}",
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// An identifier body with its right check digit, found by trying all.
fn completed<T>(body: &str, new: impl Fn(&str) -> Option<T>) -> (String, usize) {
    let fitting: Vec<String> = (0..10).map(|d| format!("{body}{d}")).filter(|t| new(t).is_some()).collect();
    (fitting.first().cloned().unwrap_or_default(), fitting.len())
}

fn every_digit_change_is_seen(text: &str, valid: impl Fn(&str) -> bool) -> bool {
    text.char_indices().filter(|(_, c)| c.is_ascii_digit()).all(|(at, c)| {
        ('0'..='9').filter(|d| *d != c).all(|d| {
            let mut changed = text.to_owned();
            changed.replace_range(at..=at, &d.to_string());
            !valid(&changed)
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn cleaning_twice_is_cleaning_once(text in texts()) {
        let once = line(&text);
        prop_assert_eq!(line(&once), once.clone());
        prop_assert!(!once.chars().any(char::is_control));
    }

    #[test]
    fn any_text_has_an_outcome(text in texts(), ticker in prop::option::of(texts()), kind in prop::option::of("[A-Za-z ]{0,5}")) {
        let outcome = match_asset(&catalogue(), &text, ticker.as_deref(), kind.as_deref(), None);
        prop_assert_eq!(outcome.version, MATCHER_VERSION);
        prop_assert_eq!(outcome.clone(), match_asset(&catalogue(), &text, ticker.as_deref(), kind.as_deref(), None));
        let fund = matches!(outcome.class, InstrumentClass::Fund | InstrumentClass::Plan);
        prop_assert!(!fund || outcome.issuer().is_none());
    }

    #[test]
    fn a_listed_name_and_its_ticker_are_linked_in_any_dress(tail in "(Inc|Corp|PLC)?( Common Stock| CMN| - Class A| ADR)?", upper: bool) {
        let name = format!("Quilldata Systems {tail}");
        let name = if upper { name.to_uppercase() } else { name };
        prop_assert_eq!(ask(&name, Some("QLL")).issuer().map(str::to_owned), Some("quill".to_owned()), "{}", name);
    }

    #[test]
    fn stripping_leaves_a_word(name in "[A-Za-z][A-Za-z .&-]{0,30}") {
        prop_assert!(!Stripped::new(&name).tokens.is_empty() || name.split(|c: char| !c.is_alphanumeric()).all(|w| w.is_empty() || w.eq_ignore_ascii_case("and")));
    }

    #[test]
    fn check_digits_see_every_changed_digit(body in "[A-Z]{2}[0-9A-Z]{9}", cusip in "[0-9A-Z]{8}", figi in "BBG[0-9B-DF-HJ-NP-TV-Z]{8}", lei in "[0-9A-Z]{18}") {
        let (isin, many) = completed(&body, |t| Isin::new(t).ok());
        prop_assert_eq!(many, 1);
        prop_assert!(every_digit_change_is_seen(&isin, |t| Isin::new(t).is_ok()));
        let (cusip, many) = completed(&cusip, |t| Cusip::new(t).ok());
        prop_assert_eq!(many, 1);
        prop_assert!(every_digit_change_is_seen(&cusip, |t| Cusip::new(t).is_ok()));
        let (figi, many) = completed(&figi, |t| Figi::new(t).ok());
        prop_assert_eq!(many, 1);
        prop_assert!(every_digit_change_is_seen(&figi, |t| Figi::new(t).is_ok()));
        let leis: Vec<String> = (2..=98).map(|check| format!("{lei}{check:02}")).filter(|t| Lei::new(t).is_ok()).collect();
        prop_assert_eq!(leis.len(), 1);
        prop_assert!(every_digit_change_is_seen(&leis[0], |t| Lei::new(t).is_ok()));
    }

    #[test]
    fn ciks_have_one_form(number in 1_u64..=9_999_999_999) {
        let short = Cik::new(&number.to_string()).unwrap();
        prop_assert_eq!(short.as_str().len(), 10);
        prop_assert_eq!(Cik::new(short.as_str()).unwrap(), short);
    }
}
