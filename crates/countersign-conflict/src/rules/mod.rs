//! The rules. Each is one small function that looks at a [`Question`] and writes reasons on a [`Sheet`]; the worst reason on a verdict decides it.
//!
//! A rule's id, version, citation and title stand in [`RULES`]; the digest of that table is the rule set's name in every assessment. Whoever
//! changes what a rule answers raises its version.

mod access;
mod evidence;
mod interests;
mod lists;
mod prohibited;
mod recusal;

use std::collections::BTreeSet;

use countersign_entry::ids::{Hash32, LeafIndex, Line};
use countersign_entry::record::{Obligation, Outcome, PersonStatus, Reason, Verdict};
use sha2::{Digest, Sha256};

use crate::assess::Question;

use self::interests::runs_on;
pub use self::interests::{Sum, as_held, limits};
pub(crate) use self::prohibited::acquires;

/// Entries a reason about interests names at most. Where there are more, the last it names is the record of the person: everything that is on record of
/// them has to be looked at.
pub const EVIDENCE_MAX: usize = 32;
/// An interest of one's own.
pub const INTERESTS: &str = "R-208-1";
/// Rule ids that other parts of this crate look for.
pub const ACCESS_WITHOUT_GRANT: &str = "R-ACC-1";
/// Watch-list match.
pub const WATCH_LIST: &str = "R-WCH-1";
/// A trade after access.
pub const TRADE_AFTER_ACCESS: &str = "R-703-1";
/// A trade in an issuer on a restricted list.
pub const TRADE_IN_RESTRICTED: &str = "R-RST-2";
/// A trade in an issuer on a watch list.
pub const TRADE_IN_WATCHED: &str = "R-WCH-2";
/// No policy answers requests to trade.
pub const NO_PRECLEARANCE_POLICY: &str = "R-PCL-1";
/// A request about something nobody knows the issuer or the class of.
pub const INSTRUMENT_NOT_KNOWN: &str = "R-PCL-2";
/// A request about a class the policy never clears.
pub const CLASS_NEVER_CLEARED: &str = "R-PCL-3";
/// A request by somebody with access.
pub const ACCESS_BARS_TRADE: &str = "R-PCL-4";
/// A request about an issuer on a restricted list.
pub const TRADE_IN_LISTED: &str = "R-PCL-5";
/// A request for days the policy does not clear.
pub const OTHER_DAYS: &str = "R-PCL-6";
/// A request to sell what was bought lately.
pub const NOT_HELD_LONG_ENOUGH: &str = "R-PCL-7";
/// A request too many on a day.
pub const ASKED_TOO_OFTEN: &str = "R-PCL-8";
/// Requests about many instruments in a short time.
pub const PROBING: &str = "R-PCL-9";
/// A trade that does not keep to what was cleared.
pub const TRADE_NOT_CLEARED: &str = "R-PCL-10";
/// A request to trade in a way the policy forbids.
pub const TERM_FORBIDDEN: &str = "R-PCL-11";
/// Access that went ahead while nothing could be recorded.
pub const EMERGENCY: &str = "R-EMG-1";
/// A request to buy what may not be held.
pub const PURCHASE_PROHIBITED: &str = "R-PCL-12";
/// Something held, served or bought that may not be.
pub const HOLDING_PROHIBITED: &str = "R-403-1";
/// Rules whose findings are trades, or may be.
pub(crate) const ABOUT_TRADES: [&str; 5] =
    [TRADE_AFTER_ACCESS, TRADE_IN_RESTRICTED, TRADE_IN_WATCHED, TRADE_NOT_CLEARED, HOLDING_PROHIBITED];
/// Separation of duties.
pub const SEPARATION: &str = "R-SOD-1";

/// One rule.
#[derive(Clone, Copy)]
pub struct Rule {
    /// Its id.
    pub id: &'static str,
    /// Its version; raised whenever its answers may change.
    pub version: u32,
    /// Where it comes from.
    pub cite: &'static str,
    /// What it asks, in plain words.
    pub title: &'static str,
    /// What it means that it did not come out clear, in plain words.
    pub found: &'static str,
    /// The facts that would settle it.
    pub settled_by: &'static str,
    /// The rule itself.
    pub(crate) eval: fn(&Question<'_>, &Rule, &mut Sheet),
}

/// Every rule of this rule set, in the order they run.
pub const RULES: &[Rule] = &[
    Rule {
        id: "R-EVD-1",
        version: 2,
        cite: "fail-closed principle of this rule set; 5 CFR 2635.402(b)",
        title: "What the question needs is on record: person, submission, policy, and the issuers the submission touches",
        found: "the person, the submission, a policy or what the submission touches is not on record",
        settled_by: "a record of the person, the submission, the policy, or the issuers the submission touches",
        eval: evidence::missing,
    },
    Rule {
        id: "R-REC-1",
        version: 1,
        cite: "5 CFR 2635.402(c); 5 CFR 2635.502(e)",
        title: "The person is recused from the provider, an issuer the submission touches, or the submission",
        found: "recused from the provider, an issuer it touches, or the submission",
        settled_by: "the end of the recusal, or somebody confirming or correcting the edge it rests on",
        eval: recusal::recused,
    },
    Rule {
        id: "R-INT-1",
        version: 1,
        cite: "18 U.S.C. 208(a); 5 CFR 2635.403",
        title: "The person has stated what they hold in the issuers the submission touches",
        found: "has not stated what they hold",
        settled_by: "the person's signed statement of what they hold",
        eval: evidence::interests_stated,
    },
    Rule {
        id: HOLDING_PROHIBITED,
        version: 1,
        cite: "5 CFR 2635.403; the list's own authority",
        title: "What the person holds, buys or serves is on no list of what they may not hold",
        found: "holds, bought or serves what a list says may not be held",
        settled_by: "whether the authority reaches it and whoever holds it; whose it is; that it was sold, with the evidence (5 CFR 2635.403(d))",
        eval: prohibited::held,
    },
    Rule {
        id: INTERESTS,
        version: 3,
        cite: "18 U.S.C. 208(a); 5 CFR 2635.402; 5 CFR 2640.201, 2640.202, 2640.204",
        title: "What the person, spouse and minor children hold, or bought and have not told of since, and whom the person serves, is no interest in the developer or in what the submission touches beyond what is exempt",
        found: "an interest in the developer, or in what the submission touches, that no exemption is known to reach",
        settled_by: "the exact value of what is held, or a sum within the exemption; what it is and whose; what is left of what was bought; a waiver (18 U.S.C. 208(b)), a recusal, or that it was sold",
        eval: interests::own_interests,
    },
    Rule {
        id: "R-604-1",
        version: 1,
        cite: "5 CFR 2635.604, 2635.605",
        title: "The person seeks no employment with the developer or with what the submission touches",
        found: "seeks employment with the developer, or with what the submission touches",
        settled_by: "the end of the search, a recusal, or a waiver (18 U.S.C. 208(b))",
        eval: interests::seeks,
    },
    Rule {
        id: "R-502-1",
        version: 1,
        cite: "5 CFR 2635.502(a), (b)(1)",
        title: "Nobody with whom the person has a covered relationship, and nobody of the household, is or holds a part of the developer",
        found: "a covered relationship with the developer, or an interest of the household in it",
        settled_by: "whether a reasonable person would question the person's impartiality; an authorization (5 CFR 2635.502(d))",
        eval: interests::covered_relationships,
    },
    Rule {
        id: "R-503-1",
        version: 1,
        cite: "5 CFR 2635.503",
        title: "The developer made the person no covered payment within two years",
        found: "a covered payment from the developer within two years",
        settled_by: "the day it was received, or the agency's waiver (5 CFR 2635.503(c))",
        eval: interests::paid_by_party,
    },
    Rule {
        id: "R-RST-1",
        version: 1,
        cite: "17 CFR 240.10b5-1(b); FINRA NTM 91-45; the list's own authority",
        title: "The provider, the submission or an issuer it touches is on a restricted list",
        found: "the provider, the submission or an issuer it touches is on a restricted list",
        settled_by: "the authority the list bars trading under, and somebody confirming the edge it rests on",
        eval: lists::restricted,
    },
    Rule {
        id: WATCH_LIST,
        version: 1,
        cite: "FINRA NTM 91-45",
        title: "The provider, the submission or an issuer it touches is on a watch list",
        found: "the provider, the submission or an issuer it touches is on a watch list",
        settled_by: "what the ethics office finds when it looks",
        eval: lists::watched,
    },
    Rule {
        id: "R-AGR-1",
        version: 1,
        cite: "NIST SP 800-53 PS-6; the agency's policy",
        title: "The person has signed every agreement the policy asks for",
        found: "has not signed an agreement the policy asks for",
        settled_by: "the signed agreement",
        eval: access::agreements_signed,
    },
    Rule {
        id: "R-AGR-2",
        version: 1,
        cite: "17 CFR 240.10b5-2(b)(1)",
        title: "A person bound by agreement alone has one that creates a duty of trust",
        found: "is bound by agreement alone, and none creates a duty of trust",
        settled_by: "an agreement that creates a duty of trust, signed",
        eval: access::duty_of_trust,
    },
    Rule {
        id: "R-OFF-1",
        version: 1,
        cite: "EO 14409 (voluntary offer)",
        title: "The developer's offer stands",
        found: "the developer's offer is missing or withdrawn",
        settled_by: "the developer's offer",
        eval: access::offer_stands,
    },
    Rule {
        id: "R-WIN-1",
        version: 1,
        cite: "EO 14409 (window of up to 30 days)",
        title: "The submission's window is open and work on it is not stopped",
        found: "the window is not open, work is stopped, or the grant would outlast the window",
        settled_by: "an open window that lasts as long as the grant, and work that goes on",
        eval: access::window_open,
    },
    Rule {
        id: "R-MOD-1",
        version: 1,
        cite: "EO 14409 (voluntary offer)",
        title: "Work on the submission's model is not stopped as a whole",
        found: "all work on the model is stopped",
        settled_by: "a record of the model that lifts the stop",
        eval: access::model_goes_on,
    },
    Rule {
        id: "R-FED-1",
        version: 1,
        cite: "fail-closed principle of this rule set; the agency's policy",
        title: "Every feed the policy names was read, and is not older than the policy lets it be",
        found: "a feed the policy names is missing or too old",
        settled_by: "an import of the feed",
        eval: access::feeds_fresh,
    },
    Rule {
        id: "R-STA-1",
        version: 1,
        cite: "NIST SP 800-53 PS-4",
        title: "The person still serves",
        found: "no longer serves",
        settled_by: "the person's status",
        eval: access::still_serves,
    },
    Rule {
        id: SEPARATION,
        version: 1,
        cite: "NIST SP 800-53 AC-5",
        title: "Requester, approvers and subject are different people",
        found: "requester, approvers and subject are not known to be different people",
        settled_by: "who stands behind each account",
        eval: access::separate_people,
    },
    Rule {
        id: ACCESS_WITHOUT_GRANT,
        version: 1,
        cite: "NIST SP 800-53 AC-3; the terms of access",
        title: "The access happened under a grant that was active for this person, this submission and this time",
        found: "no grant was active for this person, this submission and this time",
        settled_by: "the grant the access happened under, or what the source says of the person and the time",
        eval: access::under_a_grant,
    },
    Rule {
        id: "R-CLK-1",
        version: 1,
        cite: "NIST SP 800-53 AU-8",
        title: "The source's time is not ahead of the ledger's clock",
        found: "the source's time lies ahead of the ledger's clock",
        settled_by: "the time of the access by a clock that is right",
        eval: access::clock_plausible,
    },
    Rule {
        id: TRADE_AFTER_ACCESS,
        version: 1,
        cite: "5 CFR 2635.703; 17 CFR 240.10b5-1(b)",
        title: "The person made no trade, from first access until public release and cleansing, in an issuer that what they saw touches",
        found: "a trade after access, in an issuer that what was seen touches",
        settled_by: "who decided on the trade and when; whether a plan, an instruction or an order from before the access stands behind it; whether the edge is right",
        eval: not_of_access,
    },
    Rule {
        id: TRADE_IN_RESTRICTED,
        version: 1,
        cite: "FINRA NTM 91-45; the list's own authority",
        title: "The person, once they had access to anything, made no trade in an issuer that stood on a restricted list that day",
        found: "a trade in an issuer on a restricted list",
        settled_by: "the authority the list bars trading under; who decided on the trade and when",
        eval: not_of_access,
    },
    Rule {
        id: TRADE_IN_WATCHED,
        version: 1,
        cite: "FINRA NTM 91-45",
        title: "The person, once they had access to anything, made no trade in an issuer that stood on a watch list that day",
        found: "a trade in an issuer on a watch list",
        settled_by: "what the ethics office finds when it looks",
        eval: not_of_access,
    },
    Rule {
        id: NO_PRECLEARANCE_POLICY,
        version: 1,
        cite: "fail-closed principle of this rule set",
        title: "A policy that answers requests to trade is in force",
        found: "no policy that answers requests to trade is in force",
        settled_by: "a policy that answers requests to trade",
        eval: not_of_access,
    },
    Rule {
        id: INSTRUMENT_NOT_KNOWN,
        version: 1,
        cite: "fail-closed principle of this rule set",
        title: "What is to be traded, and whose it is, is on record",
        found: "the issuer or the kind of what is to be traded is not on record",
        settled_by: "the issuer and the kind of what is to be traded",
        eval: not_of_access,
    },
    Rule {
        id: CLASS_NEVER_CLEARED,
        version: 1,
        cite: "the agency's pre-clearance policy",
        title: "What is to be traded is of no class that the policy never clears",
        found: "the policy never clears this class",
        settled_by: "a decision of the ethics office",
        eval: not_of_access,
    },
    Rule {
        id: TERM_FORBIDDEN,
        version: 1,
        cite: "the agency's pre-clearance policy, and the authority it names",
        title: "The trade is made in no way that the policy forbids: short, on margin, in an initial offering",
        found: "the policy forbids to trade in this way",
        settled_by: "a waiver of the rule the policy names",
        eval: not_of_access,
    },
    Rule {
        id: ACCESS_BARS_TRADE,
        version: 1,
        cite: "5 CFR 2635.703; 17 CFR 240.10b5-1(b); the agency's pre-clearance policy",
        title: "The person has, and had, no access that bars the trade to anything not yet public and cleansed",
        found: "has access, or had, to what is not yet public and cleansed",
        settled_by: "public release and cleansing of what was seen, or a decision of the ethics office",
        eval: not_of_access,
    },
    Rule {
        id: TRADE_IN_LISTED,
        version: 1,
        cite: "FINRA NTM 91-45; the list's own authority",
        title: "The issuer is on no restricted list",
        found: "the issuer is on a restricted list",
        settled_by: "the end of the listing, or the authority the list bars trading under",
        eval: not_of_access,
    },
    Rule {
        id: PURCHASE_PROHIBITED,
        version: 1,
        cite: "5 CFR 2635.403; the list's own authority",
        title: "What is to be bought is on no list of what the person may not hold",
        found: "a list says that the person may not hold it",
        settled_by: "whether the authority reaches it and whoever is to hold it",
        eval: not_of_access,
    },
    Rule {
        id: OTHER_DAYS,
        version: 1,
        cite: "the agency's pre-clearance policy",
        title: "The days asked for lie after the notice the policy asks for and within the days it clears",
        found: "the days asked for are not days the policy clears",
        settled_by: "days within those the policy clears",
        eval: not_of_access,
    },
    Rule {
        id: NOT_HELD_LONG_ENOUGH,
        version: 1,
        cite: "the agency's pre-clearance policy",
        title: "What is to be sold was held as long as the policy asks",
        found: "what is to be sold was bought lately",
        settled_by: "the day and, where the policy counts it, the price of the purchase",
        eval: not_of_access,
    },
    Rule {
        id: ASKED_TOO_OFTEN,
        version: 1,
        cite: "the agency's pre-clearance policy",
        title: "The person made fewer requests that day than the policy takes",
        found: "as many requests that day as the policy takes",
        settled_by: "another day, or a decision of the ethics office",
        eval: not_of_access,
    },
    Rule {
        id: PROBING,
        version: 1,
        cite: "the agency's pre-clearance policy",
        title: "The person asked about few instruments lately",
        found: "asked about many instruments in a short time",
        settled_by: "why the person asked",
        eval: not_of_access,
    },
    Rule {
        id: TRADE_NOT_CLEARED,
        version: 1,
        cite: "the agency's pre-clearance policy",
        title: "A trade that needs a clearance keeps to one, by instrument, side, account, number, value and day",
        found: "a trade without a clearance, beyond it, or on another day",
        settled_by: "the clearance the trade was made under, and the number, value and account of the trade",
        eval: not_of_access,
    },
    Rule {
        id: EMERGENCY,
        version: 1,
        cite: "NIST SP 800-53 AC-3(2), AU-5",
        title: "No access went ahead without a record, under a voucher",
        found: "access went ahead under a voucher while nothing could be recorded",
        settled_by: "why it could not wait, and the accesses as the gateway kept them",
        eval: not_of_access,
    },
];

/// Not a question about access. A trade made is found when it, or what stands against it, becomes known (`Facts::trades_to_look_at`,
/// `Facts::lists_against`, `Facts::execution`); a trade to be made is asked about (`assess_trade`).
fn not_of_access(_: &Question<'_>, _: &Rule, _: &mut Sheet) {}

/// Digest of the rule set: SHA-256 over one line for each rule, `id TAB version TAB cite TAB title LF`, then one for each edition of the law's numbers,
/// `edition TAB digest LF`. So a decision, which the ledger signs, names the very numbers it compared with.
pub fn rule_set() -> Hash32 {
    let mut h = Sha256::new();
    for rule in RULES {
        h.update(format!("{}\t{}\t{}\t{}\n", rule.id, rule.version, rule.cite, rule.title));
    }
    for edition in countersign_law::limits::editions() {
        h.update(format!("{}\t{}\n", edition.edition, edition.digest));
    }
    Hash32(h.finalize().into())
}

/// What kind of text a rule rests on: `statute`, `regulation`, `order`, `agreement`, `policy`, `practice`, or `own principle` of this rule set.
pub fn authority(rule: &Rule) -> &'static str {
    let kinds = [
        ("U.S.C.", "statute"),
        ("CFR", "regulation"),
        ("EO 14409", "order"),
        ("own authority", "list's own"),
        ("terms of access", "agreement"),
        ("policy", "policy"),
        ("NTM", "practice"),
        ("NIST", "practice"),
    ];
    kinds.iter().find(|(sign, _)| rule.cite.contains(sign)).map_or("own principle", |(_, kind)| kind)
}

/// The rule with this id.
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|r| r.id == id)
}

/// What the rules wrote down.
#[derive(Default)]
pub struct Sheet {
    pub(crate) reasons: Vec<Reason>,
    pub(crate) watch: Vec<LeafIndex>,
    pub(crate) obligations: Vec<Obligation>,
}

impl Sheet {
    pub(crate) fn add(&mut self, rule: &Rule, bears_on: Verdict, outcome: Outcome, evidence: Vec<LeafIndex>) {
        // Rule ids and citations are constants that a test holds to the type, so neither text is ever refused.
        let (Ok(id), Ok(cite)) = (Line::new(rule.id), Line::new(rule.cite)) else { return };
        self.reasons.push(Reason { rule: id, version: rule.version, bears_on, outcome, cite, evidence });
    }

    /// What bars bars whoever the law binds; others are bound by what they agreed to, and the ethics office says what that is.
    fn tell(&mut self, q: &Question<'_>, rule: &Rule, bears_on: Verdict, barred: Vec<LeafIndex>, unclear: Vec<LeafIndex>) {
        let by_law = q.person.is_some_and(|p| bound(p.record.status));
        for (outcome, evidence) in [(if by_law { Outcome::Block } else { Outcome::Refer }, barred), (Outcome::Refer, unclear)] {
            if !evidence.is_empty() {
                self.add(rule, bears_on, outcome, at_most(evidence, q));
            }
        }
    }

    fn oblige(&mut self, obligation: Obligation) {
        if !self.obligations.contains(&obligation) {
            self.obligations.push(obligation);
        }
    }

    /// The worst outcome on a verdict.
    pub(crate) fn worst(&self, verdict: Verdict) -> Outcome {
        self.reasons.iter().filter(|r| r.bears_on == verdict).map(|r| r.outcome).max().unwrap_or(Outcome::Clear)
    }
}

/// Whether the statutes and 5 CFR part 2635 bind somebody: neither enlisted members nor those bound by agreement alone.
pub(crate) fn bound(status: PersonStatus) -> bool {
    !status.bound_by_agreement_only() && status != PersonStatus::Enlisted
}

/// Each entry once, and as many as a reason names.
fn at_most(mut evidence: Vec<LeafIndex>, q: &Question<'_>) -> Vec<LeafIndex> {
    let mut seen = BTreeSet::new();
    evidence.retain(|entry| seen.insert(*entry));
    if evidence.len() > EVIDENCE_MAX {
        evidence.truncate(EVIDENCE_MAX - 1);
        evidence.extend(q.person.map(|p| p.index));
    }
    evidence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_can_be_written_down() {
        for rule in RULES {
            assert!(Line::new(rule.id).is_ok() && Line::new(rule.cite).is_ok() && rule.version > 0 && !rule.title.contains(['\t', '\n']));
            assert_eq!(RULES.iter().filter(|r| r.id == rule.id).count(), 1, "{}", rule.id);
            assert!(!rule.cite.contains("(u)"), "nothing unconfirmed is printed as law: {}", rule.id);
        }
    }
}
