//! The table of rules.

use sha2::{Digest, Sha256};

/// One rule: what it is called, where it stands, and what it asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Its id, after the rule table of the domain notes.
    pub id: &'static str,
    /// Where it stands.
    pub cite: &'static str,
    /// What it asks, in plain words.
    pub title: &'static str,
    /// Its version; raised whenever its answers may change.
    pub version: u32,
}

impl Rule {
    /// What kind of text it rests on: `statute`, `regulation`, or `agreement` where people bind themselves.
    pub fn authority(&self) -> &'static str {
        match () {
            () if self.cite.contains("U.S.C.") || self.cite.contains("STOCK Act") => "statute",
            () if self.cite.contains("CFR") || self.cite.contains("Regulation (EU)") => "regulation",
            () => "agreement",
        }
    }
}

/// Digest of the rules: SHA-256 over one line for each, `id TAB version TAB cite TAB title LF`.
pub fn rule_set() -> String {
    let mut h = Sha256::new();
    for rule in RULES {
        h.update(format!("{}\t{}\t{}\t{}\n", rule.id, rule.version, rule.cite, rule.title));
    }
    hex::encode(h.finalize())
}

macro_rules! rules {
    ($($name:ident = $id:literal $(v $version:literal)?, $cite:literal, $title:literal;)*) => {
        $(#[doc = $title] pub(crate) const $name: Rule = Rule { id: $id, cite: $cite, title: $title, version: 1 $(- 1 + $version)? };)*
        /// Every rule.
        pub const RULES: &[Rule] = &[$($name),*];
    };
}

rules! {
    CLASSIFY = "R-208-2" v 2, "5 CFR 2635.402(b)(3); 2640.102(l), (m); 2640.103(a)(1)", "Is it a particular matter, and with parties?";
    STATUS = "R-STA-2", "18 U.S.C. 208(a); 5 CFR 2635.102(h), 2640.102(b)", "Do these rules bind the person?";
    STEPS = "R-208-3", "5 CFR 2635.402(b)(4); 2640.103(a)(2)", "Is the participation personal and substantial?";
    INTEREST = "R-208-1" v 3, "18 U.S.C. 208(a); 5 CFR 2635.402; 2640.103", "Does the matter affect an interest of the person or one imputed to the person?";
    NONPARTY = "R-208-4", "5 CFR 2635.402(b)(1) note 2", "Does it affect a nonparty bound up with a party?";
    COMPETITOR = "R-208-5" v 2, "5 CFR 2635.402(b)(1)", "Does it affect a competitor?";
    DIVESTED = "R-208-6", "5 CFR 2635.402(e)", "Was the interest divested?";
    WAIVER = "R-208-W", "18 U.S.C. 208(b)(1), (3); 5 CFR 2640.301, 2640.302", "Is there a waiver that holds?";
    FUND = "R-2640-D", "5 CFR 2640.102(a), (q); 2640.201(a)", "Is the fund diversified?";
    SECTOR_OUT = "R-2640-S1", "5 CFR 2640.201(b)(1)", "Is the holding outside the fund's sector?";
    SECTOR_SUM = "R-2640-S2", "5 CFR 2640.201(b)(2)", "Do funds of the sector come to no more than the limit?";
    PLAN = "R-2640-B", "5 CFR 2640.201(c)", "Is it an exempt benefit plan?";
    FUND_GENERAL = "R-2640-F", "5 CFR 2640.201(d)", "Is it a general matter about the fund itself?";
    PARTY_SUM = "R-2640-P" v 2, "5 CFR 2640.202(a)", "Do securities of parties come to no more than the limit?";
    NONPARTY_SUM = "R-2640-N" v 2, "5 CFR 2640.202(b)", "Do all affected securities come to no more than the limit?";
    GENERAL_SUM = "R-2640-G" v 2, "5 CFR 2640.202(c)", "Do securities affected by a general matter keep within both limits?";
    FEDERAL_SHORT = "R-2640-T", "5 CFR 2640.202(d)", "Is it a Treasury bill or savings bond?";
    TAX_EXEMPT = "R-2640-E" v 2, "5 CFR 2640.202(e)", "Is it only an investment of a tax-exempt organization?";
    PARTNERS = "R-2640-GP", "5 CFR 2640.202(f)", "Is it a general partner's, and unrelated or remote?";
    HIRING = "R-2640-HA", "5 CFR 2640.203(a)", "Is it a hiring decision about an issuer's employee?";
    LEAVE = "R-2640-HB" v 2, "5 CFR 2640.203(b)", "Is it a general matter and the person on leave from a university?";
    CAMPUS = "R-2640-HC", "5 CFR 2640.203(c)", "Does it concern another campus?";
    FEDERAL_PAY = "R-2640-HD" v 2, "5 CFR 2640.203(d)", "Is it only federal pay or benefits?";
    LOYALTY = "R-2640-HE", "5 CFR 2640.203(e)", "Is it only a loyalty programme open to all?";
    MUTUAL = "R-2640-HF", "5 CFR 2640.203(f)", "Is it only a policy with a mutual insurer?";
    ADVISERS_JOB = "R-2640-HG", "5 CFR 2640.203(g)", "Is it only the job of an adviser, in a general matter?";
    ADVISER_STOCK = "R-2640-HGS", "5 CFR 2640.203(g)", "Is it stock of an adviser's employer, which the exemption for the job does not reach?";
    RESERVE_BANK = "R-2640-HH", "5 CFR 2640.203(h)", "Is it a matter for directors of a Reserve Bank?";
    MEDICAL = "R-2640-HI", "5 CFR 2640.203(i)", "Is it only use or purchase of the medical product?";
    REPRESENTATIVE = "R-2640-HJ", "5 CFR 2640.203(j)", "Is it an interest of the class a nonvoting member represents?";
    POWER = "R-2640-HK", "5 CFR 2640.203(k)", "Is it only use of electric power?";
    CENSUS = "R-2640-HL", "5 CFR 2640.203(l)", "Is it only a local government's in the census?";
    OFFICIAL_BOARD = "R-2640-HM", "5 CFR 2640.203(m)", "Does the person serve the nonprofit in an official capacity?";
    FORBIDDEN = "R-2640-X" v 2, "5 CFR 2640.204", "Is the interest held against a prohibition?";
    NOT_A_SECURITY = "R-2640-Z", "5 CFR 2640.102(p), (r); 2640.202", "Is it a publicly traded security at all?";
    HOLD = "R-403-1", "5 CFR 2635.403(a), (b)", "May the agency forbid holding it, or have it sold?";
    HOLD_SERVICE = "R-403-3", "5 CFR 2635.403(c)(2)", "May the agency have the person resign from it?";
    AGREEMENT = "R-403-2", "5 CFR 2634.802(b), 2634.804", "Is an ethics agreement to be kept?";
    PARTIES_ONLY = "R-502-1", "5 CFR 2635.502(a)", "Are there specific parties, with whom there is a tie?";
    COVERED = "R-502-2" v 2, "5 CFR 2635.502(b)(1)", "Is there a covered relationship with a party or who represents one?";
    CATCH_ALL = "R-502-6" v 2, "5 CFR 2635.502(a)(3)", "Do other circumstances raise a question?";
    FORMER_EMPLOYER = "R-502-3", "5 CFR 2635.502(b)(1)(iv), (e)", "Was a party served within the last year?";
    AUTHORIZE = "R-502-4" v 2, "5 CFR 2635.502(d)", "Can the agency designee authorize it?";
    PAYMENT = "R-503-1", "5 CFR 2635.503(b)", "Is the payment a covered payment?";
    PAYMENT_BAR = "R-503", "5 CFR 2635.503(a)", "Is the payer a party within two years of payment?";
    EMPLOYMENT = "R-603-1", "5 CFR 2635.603(a)", "Is it employment?";
    SEEKING = "R-604-2" v 2, "5 CFR 2635.603(b)", "Is the person seeking employment?";
    INTERMEDIARY = "R-603-2", "5 CFR 2635.603(c)", "Has an intermediary named the employer?";
    SEEK_BAR = "R-604-1", "5 CFR 2635.604(a)", "Does the matter affect somebody with whom the person seeks employment?";
    NEGOTIATE_BAR = "R-605-1", "5 CFR 2635.605(a)", "Does the matter affect somebody with whom the person negotiates?";
    SEEK_AUTHORIZE = "R-605-2", "5 CFR 2635.605(b)", "Can it be authorized while the person seeks without negotiating?";
    ARRANGEMENT = "R-606", "5 CFR 2635.606(a)", "Is there an arrangement about future employment?";
    AFTER_TALKS = "R-606-2", "5 CFR 2635.606(b)", "May recusal go on after talks have ended?";
    NOTIFY = "R-607" v 2, "5 CFR 2635.602(a)(2), 2635.607(a); STOCK Act s. 17", "Must notice of the talks be given?";
    RECUSAL_STATEMENT = "R-607-2", "5 CFR 2635.604(c), 2635.607(b)", "Must the recusal be filed in writing?";
    OFFICE = "R-702" v 2, "5 CFR 2635.702", "Is the office used for private gain or endorsement?";
    INFORMATION = "R-703-1", "5 CFR 2635.703", "Is nonpublic information used for a private interest?";
    SECURITIES = "R-10B-1", "17 CFR 240.10b5-1, 240.10b5-2", "Is a security traded while aware of material nonpublic information?";
    COMMODITIES = "R-CEA-1", "7 U.S.C. 6c(a)(3), (4)", "Is a commodity, swap or event contract traded on it?";
    RESTRICTED = "R-RST-1", "the list's own authority", "Does a restricted list with an authority name it?";
    CONTACT = "R-207-10", "5 CFR 2641.201(d)", "Is it a communication or an appearance?";
    INTENT = "R-207-11", "5 CFR 2641.201(e)", "Is it made with intent to influence?";
    TO_EMPLOYEE = "R-207-12", "5 CFR 2641.201(f)", "Is it to or before an employee of the United States?";
    BEHALF = "R-207-13" v 2, "5 CFR 2641.201(g)", "Is it on behalf of another?";
    SPECIFIC_PARTIES = "R-207-8", "5 CFR 2641.201(h)(1)-(4)", "Did the matter involve specific parties then, and does it now?";
    SAME_MATTER = "R-207-14", "5 CFR 2641.201(h)(5)", "Is it the same particular matter?";
    PARTICIPATED = "R-207-15", "5 CFR 2641.201(i)", "Did the person participate personally and substantially?";
    US_INTEREST = "R-207-16", "5 CFR 2641.201(j)", "Is the United States a party or directly and substantially interested?";
    PERMANENT = "R-207-1", "18 U.S.C. 207(a)(1); 5 CFR 2641.201", "Does the permanent bar apply?";
    RESPONSIBILITY = "R-207-17", "5 CFR 2641.202(j)", "Was the matter under the person's official responsibility?";
    TWO_YEARS = "R-207-2" v 2, "18 U.S.C. 207(a)(2); 5 CFR 2641.202", "Does the two-year bar apply?";
    TRADE_TREATY = "R-207-3", "18 U.S.C. 207(b); 5 CFR 2641.203", "Does the bar on trade and treaty negotiations apply?";
    SENIOR = "R-207-4" v 2, "18 U.S.C. 207(c); 5 CFR 2641.204", "Does the bar on senior employees apply?";
    SENIOR_STATUS = "R-207-18" v 2, "5 CFR 2641.104; 2641.204(c)", "Is the person a former, a former senior or a former very senior employee?";
    SENIOR_PERIOD = "R-207-19", "5 CFR 2641.204(d), (g); 2641.205(c)", "When does the bar begin and end, and as to whom?";
    FORMER_AGENCY = "R-207-20" v 2, "5 CFR 2641.204(g); 2641.302", "Is it the former agency?";
    OFFICIAL_ACTION = "R-207-21", "5 CFR 2641.204(i)", "Is official action sought?";
    VERY_SENIOR = "R-207-5" v 2, "18 U.S.C. 207(d); 5 CFR 2641.205", "Does the bar on very senior employees apply?";
    FOREIGN = "R-207-6", "18 U.S.C. 207(f); 5 CFR 2641.206", "Is a foreign government represented, aided or advised?";
    EXCEPTION = "R-207-7" v 3, "5 CFR 2641.301", "Does an exception or waiver apply?";
    REPORT = "R-FIL-1" v 3, "5 CFR 2634.201, 2634.202", "Is a public report due, and when?";
    TRANSACTION = "R-STK-2" v 2, "5 CFR 2634.201(f), 2634.309", "Is a report of the transaction due?";
    CONFIDENTIAL = "R-FIL-2", "5 CFR 2634.904", "Is a confidential report required?";
    BIRTHRIGHT = "R-208-B", "18 U.S.C. 208(b)(4); 5 CFR 2635.402(d)", "Is it only an Indian birthright, and its tribe, allotment or fund no party?";
    FAR_CLAUSE = "R-FAR-1", "48 CFR 52.203-16", "Does the contract's clause on personal conflicts bar the task?";
    AGREED = "R-AGR-3", "the agreement the person signed", "What did the person promise?";
    PROCUREMENT_CONTACT = "R-PIA-1", "41 U.S.C. 2103", "Must a bidder's contact about a job be reported, and the procurement be left?";
    CONTRACTOR_PAY = "R-PIA-2", "41 U.S.C. 2104", "May a former official take pay from the contractor?";
    PROCUREMENT_INFO = "R-PIA-3", "41 U.S.C. 2102", "Is bid, proposal or source selection information given or got before award?";
    PLAN_DEFENCE = "R-10B-2", "17 CFR 240.10b5-1(c)", "Was the trade made under a plan from before the person knew?";
    TRUST = "R-10B-3", "17 CFR 240.10b5-2(b)", "Is there a duty of trust or confidence?";
    DECEPTION = "R-CEA-2", "7 U.S.C. 9(1); 17 CFR 180.1", "Is a commodity, swap or event contract traded on information taken in breach of a duty?";
    SELECTIVE = "R-FD-1", "17 CFR 243.100-243.103", "Did an issuer tell some and not all?";
    STAFF_TRADES = "R-MKT-5" v 2, "5 CFR 4401.102", "Does a personal trade keep to the trading rule?";
    ACCESS_PERSONS = "R-MKT-7", "17 CFR 275.204A-1", "Do an adviser's staff report holdings and trades in time, and ask before offerings?";
    WALL = "R-MKT-8", "Regulation (EU) No 596/2014, article 11; or the agreement or policy that requires it", "Was inside information told across a wall in the right steps?";
    TWO_YEAR_PERIOD = "R-207-22", "18 U.S.C. 207(a)(2); 5 CFR 2641.202(b), (c)", "When does the two-year bar begin and end?";
    CERTIFICATE = "R-CD-1" v 2, "5 CFR 2634.1002-2634.1005", "Can a certificate of divestiture be issued?";
}

/// The rule with this id.
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|r| r.id == id)
}
