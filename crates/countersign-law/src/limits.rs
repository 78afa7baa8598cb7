//! Every amount, count and term the rules compare with, as dated data: one file for each edition under `policy/`, each number with its citation here.
//!
//! A later text is a further edition, never a change of an old one, so that old answers can be made again. An answer names the edition it was
//! made under by the digest of the edition's bytes.

use std::sync::OnceLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::day::Day;

/// One edition of the numbers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Edition {
    /// Its name: year and month of the text.
    pub edition: String,
    /// The first day it answers for; the earliest edition also answers for every day before.
    #[serde(default)]
    pub from: Option<Day>,
    /// The text it was read from.
    pub source: String,
    /// The numbers.
    pub limits: Limits,
    /// SHA-256 of its bytes, in hex. Not stated in a file.
    #[serde(skip_deserializing, default)]
    pub digest: String,
}

/// The limits of one edition.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
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
    /// Simplified acquisition threshold, dollars: 41 U.S.C. 134; 48 CFR 2.101.
    pub simplified_acquisition: u64,
    /// A contract, decision or claim counts when it exceeds this, dollars: 41 U.S.C. 2104(a).
    pub contractor_pay_over: u64,
    /// A former official takes no pay from the contractor for so many months: 41 U.S.C. 2104(a).
    pub contractor_pay_months: i32,
    /// Cooling-off of a trading plan, days: 17 CFR 240.10b5-1(c)(1)(ii)(B)(2).
    pub cooling_off_days: i64,
    /// The same for directors and officers, at least so many days: 17 CFR 240.10b5-1(c)(1)(ii)(B)(1).
    pub cooling_off_insider_days: i64,
    /// And at most so many days: 17 CFR 240.10b5-1(c)(1)(ii)(B)(1).
    pub cooling_off_insider_most_days: i64,
    /// Business days after the results are reported: 17 CFR 240.10b5-1(c)(1)(ii)(B)(1).
    pub cooling_off_business_days: u32,
    /// Business days to make a cleared trade, and to report one: 5 CFR 4401.102(d)(1), (f)(2).
    pub execute_business_days: u32,
    /// A security is held for so many months: 5 CFR 4401.102(e)(1).
    pub hold_months: i32,
    /// Shares of a sector fund are held for so many days: 5 CFR 4401.102(e)(3).
    pub hold_sector_fund_days: i64,
    /// 18 U.S.C. 207(b), months: 5 CFR 2641.203(c).
    pub trade_treaty_months: i32,
    /// Fee for a public report filed late, dollars: 5 CFR 2634.704(a).
    pub late_fee: u64,
    /// Days after which it is owed: 5 CFR 2634.704(a).
    pub late_fee_after_days: i64,
    /// First report of an adviser's access person, days: 17 CFR 275.204A-1(b)(1)(ii)(A).
    pub access_person_report_days: i64,
    /// Holdings in such reports are at most so many days old: 17 CFR 275.204A-1(b)(1)(ii).
    pub holdings_current_days: i64,
    /// A report of holdings is made once in so many months: 17 CFR 275.204A-1(b)(1)(ii)(B).
    pub holdings_report_months: i32,
    /// Report of a quarter's transactions after its end, days: 17 CFR 275.204A-1(b)(2)(ii).
    pub quarter_report_days: i64,
}

/// Why bytes are not an edition.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// Not JSON, or not of `schemas/law-policy.schema.json`.
    #[error("not an edition of the numbers: {0}; schemas/law-policy.schema.json says what one holds")]
    Json(#[from] serde_json::Error),
    /// A number that cannot be right.
    #[error("{0} is zero or negative, which no text says")]
    Number(String),
}

impl Edition {
    /// Reads an edition.
    ///
    /// # Errors
    /// Bytes that are not JSON of the schema, or a number below 1.
    pub fn from_json(bytes: &[u8]) -> Result<Self, PolicyError> {
        let mut edition: Self = serde_json::from_slice(bytes)?;
        let numbers = serde_json::to_value(&edition.limits)?;
        let wrong = numbers.as_object().into_iter().flatten().find(|(_, n)| n.as_i64().is_none_or(|n| n < 1));
        if let Some((name, _)) = wrong {
            return Err(PolicyError::Number(name.clone()));
        }
        edition.digest = hex::encode(Sha256::digest(bytes));
        Ok(edition)
    }
}

/// The JSON Schema of an edition.
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(Edition)
}

/// The editions that are built in, oldest first.
const BUILT_IN: [&[u8]; 2] = [include_bytes!("../policy/2025-01.json"), include_bytes!("../policy/2025-10.json")];

/// Every built-in edition, oldest first. One that cannot be read is not there; a test holds all of them to be.
pub fn editions() -> &'static [Edition] {
    static EDITIONS: OnceLock<Vec<Edition>> = OnceLock::new();
    EDITIONS.get_or_init(|| BUILT_IN.iter().filter_map(|bytes| Edition::from_json(bytes).ok()).collect())
}

/// The built-in edition for a day: the newest that has begun; without a day the newest of all.
pub fn of(day: Option<Day>) -> Option<&'static Edition> {
    let begun = |e: &&Edition| e.from.is_none_or(|from| day.is_none_or(|day| from <= day));
    editions().iter().rev().find(begun).or(editions().first())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_edition_can_be_read_and_begins_later_than_the_one_before() {
        assert_eq!(editions().len(), BUILT_IN.len());
        assert!(editions().windows(2).all(|w| matches!(w, [a, b] if a.from < b.from && a.digest != b.digest)));
        let day = |text: &str| serde_json::from_value::<Day>(text.into()).ok();
        assert_eq!(of(day("2025-09-30")).map(|e| e.limits.simplified_acquisition), Some(250_000));
        assert_eq!(of(day("2025-10-01")).map(|e| e.limits.simplified_acquisition), Some(350_000));
        assert_eq!(of(day("1999-01-01")).map(|e| e.edition.as_str()), Some("2025-01"));
    }

    #[test]
    fn what_is_no_edition_is_refused() {
        let text = String::from_utf8_lossy(BUILT_IN[0]).into_owned();
        assert!(Edition::from_json(text.replace("\"party_securities\": 15000", "\"party_securities\": 0").as_bytes()).is_err());
        assert!(Edition::from_json(text.replace("\"sge_days\"", "\"sge_dayz\"").as_bytes()).is_err());
        assert!(Edition::from_json(b"{}").is_err());
    }
}
