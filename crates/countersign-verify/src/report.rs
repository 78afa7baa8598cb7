//! What a verifier says: one verdict, what was checked, what was found, and what was not checked.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::codes::Code;
use crate::source::At;

/// The `schema` field of a report.
pub const SCHEMA: &str = "countersign/verify-report/1";
/// Findings kept of one code; the rest are counted.
pub const FINDINGS_PER_CODE_MAX: u64 = 100;
/// Lines kept under *not checked*; the rest are counted.
pub const NOT_CHECKED_MAX: usize = 1_000;

/// The five verdicts, gravest first: of several findings the first of these decides (ledger-format section 10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The evidence contradicts itself.
    Tampered,
    /// Nobody trusted vouches for it.
    Untrusted,
    /// Older than something known.
    Stale,
    /// Part of what was asked could not be looked at.
    CouldNotCheck,
    /// Everything that was asked was checked and held.
    Verified,
}

impl Verdict {
    /// The process's exit code.
    pub fn exit_code(self) -> u8 {
        match self {
            Verdict::Tampered => 10,
            Verdict::Untrusted => 12,
            Verdict::Stale => 13,
            Verdict::CouldNotCheck => 11,
            Verdict::Verified => 0,
        }
    }
}

/// One thing that was checked, and how many times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Stable name, in kebab case.
    pub name: &'static str,
    /// What it means.
    pub what: &'static str,
    /// How many entries, files or signatures it was applied to.
    pub count: u64,
}

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Stable name; all are in [`crate::codes`].
    pub code: &'static str,
    /// The verdict this finding alone leads to.
    pub verdict: Verdict,
    /// Leaf index.
    pub entry: Option<u64>,
    /// Name of a content's field.
    pub field: Option<String>,
    /// Path in the ledger.
    pub file: Option<String>,
    /// Byte in that file.
    pub offset: Option<u64>,
    /// Line of a note, from 1.
    pub line: Option<u32>,
    /// In words.
    pub detail: String,
}

impl Finding {
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        let (code, verdict) = (code.name, code.verdict);
        Self { code, verdict, entry: None, field: None, file: None, offset: None, line: None, detail: detail.into() }
    }

    pub(crate) fn entry(mut self, index: u64) -> Self {
        self.entry = Some(index);
        self
    }

    pub(crate) fn field(mut self, name: &str) -> Self {
        self.field = Some(name.to_owned());
        self
    }

    pub(crate) fn file(mut self, path: &str) -> Self {
        self.file = Some(path.to_owned());
        self
    }

    pub(crate) fn at(mut self, at: At<'_>) -> Self {
        self.offset = Some(at.offset);
        self.file(at.file)
    }

    pub(crate) fn line(mut self, line: Option<usize>) -> Self {
        self.line = line.and_then(|l| u32::try_from(l).ok());
        self
    }
}

/// The whole answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The gravest of the findings' verdicts.
    pub verdict: Verdict,
    /// The verdict as an exit code.
    pub exit_code: u8,
    /// The log's name, from the checkpoint.
    pub origin: Option<String>,
    /// Entries, from the checkpoint.
    pub size: Option<u64>,
    /// Root hash in the checkpoint, hex.
    pub root: Option<String>,
    /// The pinned vkey.
    pub key: String,
    /// What was checked.
    pub checks: Vec<Check>,
    /// What is wrong, in the order it was found.
    pub findings: Vec<Finding>,
    /// Findings beyond the first hundred of their code. They count for the verdict.
    pub findings_omitted: u64,
    /// What was not checked, in words.
    pub not_checked: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = match self.verdict {
            Verdict::Tampered => "TAMPERED",
            Verdict::Untrusted => "UNTRUSTED",
            Verdict::Stale => "STALE",
            Verdict::CouldNotCheck => "COULD NOT CHECK",
            Verdict::Verified => "VERIFIED",
        };
        f.write_str(head)?;
        if let (Some(size), Some(root), Some(origin)) = (self.size, &self.root, &self.origin) {
            write!(f, "  entries 0..{}  root {root}  origin {origin}", size.saturating_sub(1))?;
        }
        writeln!(f, "\n  key  {}", self.key)?;
        for finding in &self.findings {
            writeln!(f, "  {finding}")?;
        }
        if self.findings_omitted > 0 {
            writeln!(f, "  and {} findings more", self.findings_omitted)?;
        }
        for check in self.checks.iter().filter(|c| c.count > 0) {
            writeln!(f, "  checked      {:>9}  {}", check.count, check.what)?;
        }
        for line in &self.not_checked {
            writeln!(f, "  not checked  {line}")?;
        }
        if self.verdict == Verdict::Tampered {
            writeln!(f, "  Do not restart or repair. Keep this disk.")?;
        }
        Ok(())
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(entry) = self.entry {
            write!(f, "  entry {entry}")?;
        }
        if let Some(field) = &self.field {
            write!(f, " field {field}")?;
        }
        if let Some(file) = &self.file {
            write!(f, "  {file}")?;
        }
        if let Some(offset) = self.offset {
            write!(f, " +{offset}")?;
        }
        if let Some(line) = self.line {
            write!(f, " line {line}")?;
        }
        write!(f, ": {}", self.detail)
    }
}

/// Names and meanings of the checks, in the order of the report.
const CHECKS: &[(&str, &str)] = &[
    ("signatures", "checkpoint signatures by a trusted key"),
    ("leaves", "leaves decoded and re-hashed into the tree"),
    ("chain", "links of the hash chain"),
    ("tiles", "hash tiles compared with the leaves"),
    ("key-files", "key files undamaged"),
    ("roots", "roots recomputed from the leaves and compared with a checkpoint"),
    ("records", "stored records re-hashed"),
    ("contents", "contents opened and held against their leaf"),
    ("key-events", "key events walked from the pinned key"),
    ("approvals", "approvals checked against officers' enrolled keys"),
    ("own-signatures", "signatures of those who asked, checked against their enrolled keys"),
    ("data-keys", "data keys created"),
    ("redactions", "redactions held against the stored record"),
    ("replayed", "entries replayed: who may record them, and what must follow them"),
    ("decisions", "decisions made again and compared"),
];

/// Collects what the planes find.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    findings: Vec<Finding>,
    by_code: BTreeMap<&'static str, u64>,
    worst: Option<Verdict>,
    omitted: u64,
    not_checked: Vec<String>,
    not_checked_omitted: usize,
    /// A dozen at most, and counted up several times for each leaf.
    counts: Vec<(&'static str, u64)>,
}

impl Outcome {
    pub fn find(&mut self, finding: Finding) {
        self.worst = Some(self.worst.map_or(finding.verdict, |w| w.min(finding.verdict)));
        let seen = self.by_code.entry(finding.code).or_default();
        *seen += 1;
        if *seen <= FINDINGS_PER_CODE_MAX {
            self.findings.push(finding);
        } else {
            self.omitted += 1;
        }
    }

    pub fn not_checked(&mut self, what: impl Into<String>) {
        if self.not_checked.len() < NOT_CHECKED_MAX {
            self.not_checked.push(what.into());
        } else {
            self.not_checked_omitted += 1;
        }
    }

    pub fn count(&mut self, check: &'static str) {
        self.count_many(check, 1);
    }

    pub fn count_many(&mut self, check: &'static str, n: u64) {
        match self.counts.iter_mut().find(|(name, _)| *name == check) {
            Some((_, count)) => *count += n,
            None => self.counts.push((check, n)),
        }
    }

    pub fn into_report(mut self, key: String, head: Option<(String, u64, String)>) -> Report {
        if self.not_checked_omitted > 0 {
            self.not_checked.push(format!("{} things more", self.not_checked_omitted));
        }
        let verdict = self.worst.unwrap_or(Verdict::Verified);
        let count = |name: &str| self.counts.iter().find(|(known, _)| *known == name).map_or(0, |(_, count)| *count);
        let checks = CHECKS.iter().map(|(name, what)| Check { name, what, count: count(name) }).collect();
        let (origin, size, root) = head.map_or((None, None, None), |(o, s, r)| (Some(o), Some(s), Some(r)));
        Report {
            schema: SCHEMA,
            verdict,
            exit_code: verdict.exit_code(),
            origin,
            size,
            root,
            key,
            checks,
            findings: self.findings,
            findings_omitted: self.omitted,
            not_checked: self.not_checked,
        }
    }
}
