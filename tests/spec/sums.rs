//! The slow, obvious oracle of the limits in dollars (5 CFR 2640.201(b)(2), 2640.202(a) to (c)): every combination of the end points of the bands, each
//! held against the text. What holds for all of them is exempt, what holds for none is not, and everything else has to be asked.

/// How an issuer stands to the matter, or what the thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// Securities of a party.
    Party,
    /// Securities of somebody else the matter affects.
    Nonparty,
    /// Securities of one of the class a general matter reaches, by number.
    OfClass(u8),
    /// Long-term federal securities.
    Federal,
    /// Funds of a sector, by number, with an affected holding.
    Sector(u8),
}

/// Which matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matter {
    /// With specific parties.
    Parties,
    /// Of general applicability.
    General,
}

/// Whether everything held is exempt at these values.
pub fn exempt(matter: Matter, held: &[(Held, u64)]) -> bool {
    let sum = |of: &dyn Fn(Held) -> bool| held.iter().filter(|(h, _)| of(*h)).map(|(_, v)| v).sum::<u64>();
    let sectors = (0..=u8::MAX).all(|n| sum(&|h| h == Held::Sector(n)) <= 50_000);
    match matter {
        Matter::Parties => {
            let parties = sum(&|h| h == Held::Party);
            let all = sum(&|h| matches!(h, Held::Party | Held::Nonparty));
            let nonparties = held.iter().any(|(h, _)| *h == Held::Nonparty);
            sectors && parties <= 15_000 && (!nonparties || all <= 25_000)
        }
        Matter::General => {
            let each = (0..=u8::MAX).all(|n| sum(&|h| h == Held::OfClass(n)) <= 25_000);
            let total = sum(&|h| matches!(h, Held::OfClass(_))) <= 50_000;
            sectors && each && total && sum(&|h| h == Held::Federal) <= 50_000
        }
    }
}

/// All, none, or it has to be asked.
pub fn over_every_end_point(matter: Matter, bands: &[(Held, u64, u64)]) -> Option<bool> {
    let corner = |bits: u32| -> Vec<(Held, u64)> {
        bands.iter().enumerate().map(|(n, (held, low, high))| (*held, if bits >> n & 1 == 1 { *high } else { *low })).collect()
    };
    let found: Vec<bool> = (0..1u32 << bands.len()).map(|bits| exempt(matter, &corner(bits))).collect();
    match (found.iter().all(|x| *x), found.iter().any(|x| *x)) {
        (true, _) => Some(true),
        (_, false) => Some(false),
        _ => None,
    }
}
