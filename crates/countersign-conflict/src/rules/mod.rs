//! The rules. Each is one small function that looks at a [`Question`] and writes reasons on a [`Sheet`]; the worst reason on a verdict decides it.
//!
//! A rule's id, version, citation and title stand in [`RULES`]; the digest of that table is the rule set's name in every assessment. Whoever
//! changes what a rule answers raises its version.

mod access;
mod evidence;
mod lists;
mod recusal;

use countersign_entry::ids::{Hash32, LeafIndex, Line};
use countersign_entry::record::{Obligation, Outcome, Reason, Verdict};
use sha2::{Digest, Sha256};

use crate::assess::Question;

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
/// Rules whose findings are trades.
pub(crate) const ABOUT_TRADES: [&str; 3] = [TRADE_AFTER_ACCESS, TRADE_IN_RESTRICTED, TRADE_IN_WATCHED];
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
    /// The rule itself.
    pub(crate) eval: fn(&Question<'_>, &Rule, &mut Sheet),
}

/// Every rule of this rule set, in the order they run.
pub const RULES: &[Rule] = &[
    Rule {
        id: "R-EVD-1",
        version: 1,
        cite: "fail-closed principle of this rule set; 5 CFR 2635.402(b)",
        title: "What the question needs is on record: person, submission, policy, and the issuers the submission touches",
        found: "the person, the submission, a policy or what the submission touches is not on record",
        eval: evidence::missing,
    },
    Rule {
        id: "R-REC-1",
        version: 1,
        cite: "5 CFR 2635.402(c); 5 CFR 2635.502(e)",
        title: "The person is recused from the provider, an issuer the submission touches, or the submission",
        found: "recused from the provider, an issuer it touches, or the submission",
        eval: recusal::recused,
    },
    Rule {
        id: "R-INT-1",
        version: 1,
        cite: "18 U.S.C. 208(a); 5 CFR 2635.403",
        title: "The person has stated what they hold in the issuers the submission touches",
        found: "has not stated what they hold",
        eval: evidence::interests_stated,
    },
    Rule {
        id: "R-RST-1",
        version: 1,
        cite: "17 CFR 240.10b5-1(b); FINRA NTM 91-45; the list's own authority",
        title: "The provider, the submission or an issuer it touches is on a restricted list",
        found: "the provider, the submission or an issuer it touches is on a restricted list",
        eval: lists::restricted,
    },
    Rule {
        id: WATCH_LIST,
        version: 1,
        cite: "FINRA NTM 91-45",
        title: "The provider, the submission or an issuer it touches is on a watch list",
        found: "the provider, the submission or an issuer it touches is on a watch list",
        eval: lists::watched,
    },
    Rule {
        id: "R-AGR-1",
        version: 1,
        cite: "NIST SP 800-53 PS-6; the agency's policy",
        title: "The person has signed every agreement the policy asks for",
        found: "has not signed an agreement the policy asks for",
        eval: access::agreements_signed,
    },
    Rule {
        id: "R-AGR-2",
        version: 1,
        cite: "17 CFR 240.10b5-2(b)(1)",
        title: "A person bound by agreement alone has one that creates a duty of trust",
        found: "is bound by agreement alone, and none creates a duty of trust",
        eval: access::duty_of_trust,
    },
    Rule {
        id: "R-OFF-1",
        version: 1,
        cite: "EO 14409 (voluntary offer)",
        title: "The developer's offer stands",
        found: "the developer's offer is missing or withdrawn",
        eval: access::offer_stands,
    },
    Rule {
        id: "R-WIN-1",
        version: 1,
        cite: "EO 14409 (window of up to 30 days)",
        title: "The submission's window is open and work on it is not stopped",
        found: "the window is not open, work is stopped, or the grant would outlast the window",
        eval: access::window_open,
    },
    Rule {
        id: "R-STA-1",
        version: 1,
        cite: "NIST SP 800-53 PS-4",
        title: "The person still serves",
        found: "no longer serves",
        eval: access::still_serves,
    },
    Rule {
        id: SEPARATION,
        version: 1,
        cite: "NIST SP 800-53 AC-5",
        title: "Requester, approvers and subject are different people",
        found: "requester, approvers and subject are not known to be different people",
        eval: access::separate_people,
    },
    Rule {
        id: ACCESS_WITHOUT_GRANT,
        version: 1,
        cite: "NIST SP 800-53 AC-3; the terms of access",
        title: "The access happened under a grant that was active for this person, this submission and this time",
        found: "no grant was active for this person, this submission and this time",
        eval: access::under_a_grant,
    },
    Rule {
        id: "R-CLK-1",
        version: 1,
        cite: "NIST SP 800-53 AU-8",
        title: "The source's time is not ahead of the ledger's clock",
        found: "the source's time lies ahead of the ledger's clock",
        eval: access::clock_plausible,
    },
    Rule {
        id: TRADE_AFTER_ACCESS,
        version: 1,
        cite: "5 CFR 2635.703; 17 CFR 240.10b5-1(b)",
        title: "The person made no trade, from first access until public release and cleansing, in an issuer that what they saw touches",
        found: "a trade after access, in an issuer that what was seen touches",
        eval: looked_at_afterwards,
    },
    Rule {
        id: TRADE_IN_RESTRICTED,
        version: 1,
        cite: "FINRA NTM 91-45; the list's own authority",
        title: "The person, once they had access to anything, made no trade in an issuer that stood on a restricted list that day",
        found: "a trade in an issuer on a restricted list",
        eval: looked_at_afterwards,
    },
    Rule {
        id: TRADE_IN_WATCHED,
        version: 1,
        cite: "FINRA NTM 91-45",
        title: "The person, once they had access to anything, made no trade in an issuer that stood on a watch list that day",
        found: "a trade in an issuer on a watch list",
        eval: looked_at_afterwards,
    },
];

/// A trade is not asked about: it is found, when it or what stands against it becomes known (`Facts::trades_to_look_at`,
/// `Facts::lists_against`).
fn looked_at_afterwards(_: &Question<'_>, _: &Rule, _: &mut Sheet) {}

/// Digest of the rule set: SHA-256 over one line for each rule, `id TAB version TAB cite TAB title LF`.
pub fn rule_set() -> Hash32 {
    let mut h = Sha256::new();
    for rule in RULES {
        h.update(format!("{}\t{}\t{}\t{}\n", rule.id, rule.version, rule.cite, rule.title));
    }
    Hash32(h.finalize().into())
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
    fn add(&mut self, rule: &Rule, bears_on: Verdict, outcome: Outcome, evidence: Vec<LeafIndex>) {
        // Rule ids and citations are constants that a test holds to the type, so neither text is ever refused.
        let (Ok(id), Ok(cite)) = (Line::new(rule.id), Line::new(rule.cite)) else { return };
        self.reasons.push(Reason { rule: id, version: rule.version, bears_on, outcome, cite, evidence });
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
