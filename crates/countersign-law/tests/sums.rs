//! The exemptions that are limits in dollars, against the slow oracle.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "../../../tests/spec/sums.rs"]
mod spec;

use countersign_law::amount::Amount;
use countersign_law::{
    Addressed, Asset, Concentration, Concerned, Fund, Holder, IfDecided, Interest, Matter, MatterKind, Scenario, Standing, Status, Step,
    Verdict, assess,
};
use proptest::prelude::*;
use spec::Held;

/// A scenario in which each thing is held by one of the three whose holdings are summed.
fn scenario(matter: spec::Matter, bands: &[(Held, u64, u64)], holders: &[usize]) -> Scenario {
    let mut s = Scenario { steps: vec![Step::Evaluates], ..Scenario::default() };
    s.person.status = Some(Status::Employee);
    let concerned = |name: String, stands_as| Concerned { name, stands_as };
    let mut concerns = vec![concerned("P".into(), Standing::Offeror), concerned("R".into(), Standing::MakerOfOnlyRivalProduct)];
    concerns.extend((0..4).map(|n| concerned(format!("C{n}"), Standing::MemberOfClass)));
    s.matter = Some(match matter {
        spec::Matter::Parties => Matter { kind: Some(MatterKind::Procurement), concerns, ..Matter::default() },
        spec::Matter::General => {
            Matter { kind: Some(MatterKind::Rulemaking), addresses: Some(Addressed::OneClass), concerns, ..Matter::default() }
        }
    });
    s.interests = bands.iter().zip(holders).map(|((held, low, high), holder)| interest(matter, *held, *low, *high, *holder)).collect();
    s
}

fn interest(matter: spec::Matter, held: Held, low: u64, high: u64, holder: usize) -> Interest {
    let affected = if matter == spec::Matter::Parties { "P" } else { "C0" };
    let fund = |n: u8| Fund {
        prospectus_concentrates_in: Some(Concentration::Industry),
        sector: format!("sector {n}"),
        holding: affected.into(),
        holding_is_in_that_sector: Some(true),
        ..Fund::default()
    };
    let (asset, issuer, fund) = match held {
        Held::Party => (Asset::Stock, "P".to_owned(), None),
        Held::Nonparty => (Asset::Stock, "R".to_owned(), None),
        Held::OfClass(n) => (Asset::Stock, format!("C{n}"), None),
        Held::Federal => (Asset::TreasuryBond, "United States".to_owned(), None),
        Held::Sector(n) => (Asset::MutualFund, format!("fund {n}"), Some(fund(n))),
    };
    Interest {
        holder: Some([Holder::Own, Holder::Spouse, Holder::MinorChild][holder]),
        asset: Some(asset),
        issuer,
        publicly_traded: Some(true),
        value: Amount::between(low, Some(high)),
        if_decided: (held == Held::Federal).then_some(IfDecided::ValueChanges),
        fund,
        ..Interest::default()
    }
}

fn bands(kinds: Vec<Held>) -> impl Strategy<Value = Vec<(Held, u64, u64)>> {
    let one =
        (prop::sample::select(kinds), prop::sample::select(vec![0u64, 1_001, 9_999, 15_000, 15_001, 24_000, 25_001, 49_000]), 0u64..14_000);
    prop::collection::vec(one.prop_map(|(held, low, more)| (held, low, low + more)), 1..5)
}

fn check(matter: spec::Matter, bands: &[(Held, u64, u64)], holders: &[usize]) -> Result<(), TestCaseError> {
    let s = scenario(matter, bands, holders);
    let got = match assess(&s).verdicts.participate {
        Verdict::Yes => Some(true),
        Verdict::No => Some(false),
        Verdict::Undetermined => None,
    };
    prop_assert_eq!(got, spec::over_every_end_point(matter, bands), "{}", serde_json::to_string(&s).unwrap());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn with_parties(bands in bands(vec![Held::Party, Held::Nonparty]), holders in prop::collection::vec(0usize..3, 5)) {
        check(spec::Matter::Parties, &bands, &holders)?;
    }

    #[test]
    fn in_general_matters(bands in bands(vec![Held::OfClass(0), Held::OfClass(1), Held::OfClass(2), Held::OfClass(3)]), holders in prop::collection::vec(0usize..3, 5)) {
        check(spec::Matter::General, &bands, &holders)?;
    }

    #[test]
    fn federal_securities_in_general_matters(bands in bands(vec![Held::Federal, Held::OfClass(1)]), holders in prop::collection::vec(0usize..3, 5)) {
        check(spec::Matter::General, &bands, &holders)?;
    }

    /// One sector: of two, whether they are the same is a question where they exceed the limit together.
    #[test]
    fn funds_of_one_sector(bands in bands(vec![Held::Sector(1)]), holders in prop::collection::vec(0usize..3, 5), general in any::<bool>()) {
        check(if general { spec::Matter::General } else { spec::Matter::Parties }, &bands, &holders)?;
    }
}
