//! The rules, one file for each part of the law. Each function looks at a [`Case`] and writes what it finds on a [`Sheet`].

pub(crate) mod adviser;
pub(crate) mod classify;
pub(crate) mod contract;
pub(crate) mod disclosure;
pub(crate) mod exempt;
pub(crate) mod exempt_misc;
pub(crate) mod exempt_sums;
pub(crate) mod fd;
pub(crate) mod hold;
pub(crate) mod information;
pub(crate) mod misuse;
pub(crate) mod plan;
pub(crate) mod post;
pub(crate) mod post_bars;
pub(crate) mod post_contact;
pub(crate) mod post_except;
pub(crate) mod post_matter;
pub(crate) mod post_status;
pub(crate) mod procurement;
pub(crate) mod s208;
pub(crate) mod s502;
pub(crate) mod s503;
pub(crate) mod seeking;
pub(crate) mod seeking_bar;
pub(crate) mod stakes;
pub(crate) mod trading;
pub(crate) mod wall;

use crate::answer::{Finding, Flag, Kind, Obligation, Outcome, Point};
use crate::day::Day;
use crate::limits::Limits;
use crate::rules::Rule;
use crate::scenario::Scenario;

/// A scenario with the limits of its day.
pub(crate) struct Case<'a> {
    pub(crate) s: &'a Scenario,
    pub(crate) limits: &'a Limits,
}

impl Case<'_> {
    pub(crate) fn asks(&self, point: Point) -> bool {
        self.s.asks.contains(&point)
    }
}

/// What the rules wrote down.
#[derive(Default)]
pub(crate) struct Sheet {
    pub(crate) findings: Vec<(Kind, Finding)>,
    pub(crate) obligations: Vec<Obligation>,
}

impl Sheet {
    /// Writes a finding down; what goes with it can be added to what comes back.
    pub(crate) fn find(&mut self, kind: Kind, outcome: Outcome, point: Point, rule: Rule, because: impl Into<String>) -> Written<'_> {
        self.findings.push((
            kind,
            Finding {
                outcome,
                point,
                rule: rule.id,
                cite: rule.cite,
                because: because.into(),
                facts: Vec::new(),
                arithmetic: Vec::new(),
                flags: Vec::new(),
                until: None,
                question: None,
                settled_by: None,
            },
        ));
        Written(self.findings.last_mut().map(|(_, f)| f))
    }

    /// Puts a question to a human.
    pub(crate) fn refer(&mut self, kind: Kind, point: Point, rule: Rule, ask: &Ask) -> Written<'_> {
        let written = self.find(kind, Outcome::Refer, point, rule, "the facts do not settle it");
        if let Written(Some(f)) = written {
            f.question = Some(ask.question.clone());
            f.settled_by = Some(ask.settled_by.clone());
            return Written(Some(f));
        }
        Written(None)
    }

    pub(crate) fn oblige(&mut self, who: &'static str, what: impl Into<String>, by: Option<Day>, cite: &'static str) {
        self.obligations.push(Obligation { who, what: what.into(), by, cite });
    }

    /// Whether an outcome of a kind stands on it.
    pub(crate) fn has(&self, kind: Kind, outcome: Outcome) -> bool {
        self.findings.iter().any(|(k, f)| *k == kind && f.outcome == outcome)
    }

    /// Whether anything of a kind stands on it.
    pub(crate) fn engages(&self, kind: Kind) -> bool {
        self.findings.iter().any(|(k, _)| *k == kind)
    }
}

/// A finding just written down.
pub(crate) struct Written<'a>(Option<&'a mut Finding>);

impl Written<'_> {
    fn with(self, change: impl FnOnce(&mut Finding)) -> Self {
        let Self(Some(finding)) = self else { return self };
        change(finding);
        Self(Some(finding))
    }

    pub(crate) fn fact(self, place: impl Into<String>) -> Self {
        self.with(|f| f.facts.push(place.into()))
    }

    pub(crate) fn facts<'p>(self, places: impl IntoIterator<Item = &'p String>) -> Self {
        self.with(|f| f.facts.extend(places.into_iter().cloned()))
    }

    pub(crate) fn sum(self, line: impl Into<String>) -> Self {
        self.with(|f| f.arithmetic.push(line.into()))
    }

    pub(crate) fn sums<'p>(self, lines: impl IntoIterator<Item = &'p String>) -> Self {
        self.with(|f| f.arithmetic.extend(lines.into_iter().cloned()))
    }

    pub(crate) fn flag(self, flag: Flag) -> Self {
        self.with(|f| f.flags.push(flag))
    }

    pub(crate) fn flag_if(self, condition: bool, flag: Flag) -> Self {
        if condition { self.flag(flag) } else { self }
    }

    pub(crate) fn until(self, day: Option<Day>) -> Self {
        self.with(|f| f.until = day)
    }
}

/// A question to a human, and the fact that would settle it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) question: String,
    pub(crate) settled_by: String,
}

impl Ask {
    pub(crate) fn new(question: impl Into<String>, settled_by: impl Into<String>) -> Self {
        Self { question: question.into(), settled_by: settled_by.into() }
    }
}

/// A name for a sentence; something unnamed reads as such.
pub(crate) fn named(name: &str) -> &str {
    if name.trim().is_empty() { "an unnamed body" } else { name }
}
