//! Every amount, count and term the rules compare with: one place, each with its citation and the text it was read from.
//!
//! The text is the eCFR copy of January 2025 (5 CFR parts 2634, 2635, 2640, 2641). A later text is a further edition here, never a change of this
//! one, so that old answers can be made again.

use crate::day::Day;

/// The limits of one edition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Read from.
    pub source: &'static str,
    /// Securities of parties, dollars: 5 CFR 2640.202(a)(2).
    pub party_securities: u64,
    /// Securities of parties and nonparties, dollars: 5 CFR 2640.202(b)(2).
    pub all_securities_with_parties: u64,
    /// Securities of one affected issuer in a general matter, dollars: 5 CFR 2640.202(c)(1)(i)(A).
    pub one_issuer_general: u64,
    /// Securities of all affected issuers in a general matter, dollars: 5 CFR 2640.202(c)(1)(i)(B).
    pub all_issuers_general: u64,
    /// Long-term federal securities in a general matter, dollars: 5 CFR 2640.202(c)(1)(ii).
    pub federal_securities_general: u64,
    /// Funds of one sector, dollars: 5 CFR 2640.201(b)(2).
    pub sector_funds: u64,
    /// Securities of a general partner, dollars: 5 CFR 2640.202(f)(1)(ii).
    pub general_partner_securities: u64,
    /// Limited partners of a large partnership: 5 CFR 2640.202(f)(2).
    pub limited_partners: u64,
    /// A payment is covered when it exceeds this, dollars: 5 CFR 2635.503(b)(1).
    pub covered_payment_over: u64,
    /// Recusal after a covered payment, months: 5 CFR 2635.503(a).
    pub covered_payment_months: i32,
    /// Service of a former employer counts for so many months: 5 CFR 2635.502(b)(1)(iv).
    pub former_employer_months: i32,
    /// An unanswered resume counts for so many months: 5 CFR 2635.603(b)(2)(ii).
    pub unanswered_resume_months: i32,
    /// Notice of negotiations, business days: 5 CFR 2635.607(a).
    pub notice_business_days: u32,
    /// Divestiture from direction, days: 5 CFR 2635.403(d).
    pub divest_days: i64,
    /// Ethics agreement, months: 5 CFR 2634.802(b).
    pub agreement_months: i32,
    /// 18 U.S.C. 207(a)(2), months: 5 CFR 2641.202(c).
    pub official_responsibility_months: i32,
    /// 18 U.S.C. 207(c) and (f), months: 5 CFR 2641.204(d), 2641.206(c).
    pub senior_months: i32,
    /// 18 U.S.C. 207(d), months: 5 CFR 2641.205(c).
    pub very_senior_months: i32,
    /// Days a special Government employee must have served for 207(c): 5 CFR 2641.204(c)(1)(i)(B).
    pub sge_days: u64,
    /// Longest temporary duty without responsibility, days: 5 CFR 2641.202(j)(3)(i).
    pub caretaker_days: u64,
    /// Reports on entry and leaving, days: 5 CFR 2634.201(b), (e).
    pub report_days: i64,
    /// Report of a nominee after transmittal, days: 5 CFR 2634.201(c).
    pub nominee_report_days: i64,
    /// An annual report is due from whom more than so many days served: 5 CFR 2634.201(a).
    pub incumbent_over_days: u64,
    /// A transaction is reported when it exceeds this, dollars: 5 CFR 2634.309(a).
    pub transaction_over: u64,
    /// Report of a transaction after notice, days: 5 CFR 2634.201(f)(1).
    pub transaction_notice_days: i64,
    /// Report of a transaction after the trade, days: 5 CFR 2634.201(f)(1).
    pub transaction_trade_days: i64,
    /// A "large number" at a public forum is not put in figures by 5 CFR 2641.201(f)(3); the example there has so many.
    pub forum_attendance: u64,
}

/// The edition of January 2025.
pub const EDITION_2025: Limits = Limits {
    source: "eCFR copy of January 2025",
    party_securities: 15_000,
    all_securities_with_parties: 25_000,
    one_issuer_general: 25_000,
    all_issuers_general: 50_000,
    federal_securities_general: 50_000,
    sector_funds: 50_000,
    general_partner_securities: 200_000,
    limited_partners: 100,
    covered_payment_over: 10_000,
    covered_payment_months: 24,
    former_employer_months: 12,
    unanswered_resume_months: 2,
    notice_business_days: 3,
    divest_days: 90,
    agreement_months: 3,
    official_responsibility_months: 24,
    senior_months: 12,
    very_senior_months: 24,
    sge_days: 60,
    caretaker_days: 60,
    report_days: 30,
    nominee_report_days: 5,
    incumbent_over_days: 60,
    transaction_over: 1_000,
    transaction_notice_days: 30,
    transaction_trade_days: 45,
    forum_attendance: 100,
};

/// Editions, each with the first day it answers for; the first one also answers for every day before.
const EDITIONS: &[(Option<Day>, &Limits)] = &[(None, &EDITION_2025)];

/// The limits for a day.
pub fn of(day: Option<Day>) -> &'static Limits {
    let begun = |from: &Option<Day>| from.is_none_or(|from| day.is_none_or(|day| from <= day));
    EDITIONS.iter().rev().find(|(from, _)| begun(from)).map_or(&EDITION_2025, |(_, limits)| *limits)
}
