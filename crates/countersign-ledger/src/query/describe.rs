//! What a record says, in one line.

use countersign_entry::record::{HoldScope, Instrument, Record};

/// One line that says what a record says, without reasons; for the ethics role.
pub fn describe(record: &Record) -> String {
    let word = |v: &dyn std::fmt::Debug| spaced(&format!("{v:?}"));
    match record {
        Record::Genesis(r) => format!("{} began", r.origin),
        Record::DataKeyCreated(r) => format!("data key {} exists", r.key_id),
        Record::Organization(r) => format!("{}, {} {}", r.id, word(&r.kind), r.name),
        Record::Person(r) => format!("{} at {}", word(&r.status), r.organization),
        Record::Principal(r) => format!("principal {}{}", r.id, if r.disabled { " disabled" } else { "" }),
        Record::Provider(r) => format!("{}, {}", r.id, r.name),
        Record::Model(r) => format!("{}, {} by {}", r.id, r.name, r.provider),
        Record::Issuer(r) => format!("{}, {}", r.id, r.name),
        Record::Exposure(r) => {
            let unconfirmed = if r.confirmed { "" } else { ", unconfirmed" };
            format!("{} {} {}, tier {}{unconfirmed}", r.from, word(&r.relation), r.to, u8::from(r.tier))
        }
        Record::Submission(r) => {
            format!("{} by {}, window {} to {}, {}", r.id, r.provider, r.window.opens_at(), r.window.closes_at(), word(&r.status))
        }
        Record::Agreement(r) => format!("{} signed {}", word(&r.kind), r.signed_at),
        Record::Recusal(r) => format!("recused from {} since {}{}", r.scope, r.from, until(&r.until)),
        Record::List(r) => format!("{} list {}, {}", word(&r.kind), r.id, r.name),
        Record::ListItem(r) => format!("{} on list {} since {}{}", r.subject, r.list, r.from, until(&r.until)),
        Record::GrantRequest(r) => format!("access to {} requested: {}", r.submission, r.result.map(|s| word(&s)).unwrap_or_default()),
        Record::GrantTransition(t) => {
            let cause = t.cause.map(|c| format!(" because of entry {c}")).unwrap_or_default();
            format!("grant {} {}{cause}", t.grant, t.result.map(|s| word(&s)).unwrap_or_default())
        }
        Record::AccessEvent(e) => {
            let under = e.grant.map_or("without a grant".to_owned(), |g| format!("under grant {g}"));
            let refused = if e.result == Some(countersign_entry::record::AccessResult::Refused) { ", refused" } else { "" };
            format!("{} of {} at {} {under}{refused}", e.action, e.submission, e.occurred_at)
        }
        Record::CaseOpened(c) => format!("case by {} on entry {}", c.rule, c.finding),
        Record::CaseEvent(e) => {
            let ending = e.disposition.map(|d| format!(" as {}", word(&d))).unwrap_or_default();
            format!("case {}: {}{ending}", e.case, word(&e.step))
        }
        Record::PreclearanceRequest(r) => {
            let until = r.cleared_until.as_ref().map_or_else(|| "not cleared".to_owned(), |day| format!("cleared until {day}"));
            format!("asks for a {} of {} ({}): {until}", word(&r.kind), instrument(&r.instrument), word(&r.relation))
        }
        Record::PreclearanceDecision(d) => {
            let until = d.cleared_until.as_ref().map_or_else(|| "not cleared".to_owned(), |day| format!("cleared until {day}"));
            format!("request {} {until}", d.preclearance)
        }
        Record::Filer(r) => {
            let end = r.until.as_ref().map(|d| format!(" until {d}")).unwrap_or_default();
            format!("files a {} report from {}{end}", word(&r.report), r.from)
        }
        Record::DutyEvent(e) => {
            let until = e.until.as_ref().map(|d| format!(" until {d}")).unwrap_or_default();
            format!("{} since {}: {} on {}{until}", word(&e.duty), e.since, word(&e.step), e.on)
        }
        Record::Policy(r) => format!("policy {} version {}, in force from {}", r.id, r.version, r.effective_from),
        Record::Read(r) => {
            let under = r.inquiry.as_ref().map(|number| format!(", under inquiry {number}")).unwrap_or_default();
            if r.as_of == 0 {
                format!("asked to have made: {} of {}{under}", r.question, r.subject)
            } else {
                format!("asked {} of {}: {} rows as of size {}{under}", r.question, r.subject, r.rows, r.as_of)
            }
        }
        Record::Identifier(r) => format!("{} {} of {}", word(&r.scheme), r.value, r.issuer),
        Record::Holding(r) => format!("holds {} ({}) as of {}", instrument(&r.instrument), word(&r.relation), r.as_of),
        Record::Trade(r) => format!("{} of {} ({}) on {}", word(&r.kind), instrument(&r.instrument), word(&r.relation), r.traded_on),
        Record::Relationship(r) => {
            let to = [r.issuer.as_ref().map(|i| i.as_str()), r.organization.as_ref().map(|o| o.as_str())];
            let (from, end) = (r.from.as_ref().map(|d| format!(" from {d}")), r.until.as_ref().map(|d| format!(" until {d}")));
            let to = to.into_iter().flatten().collect::<Vec<_>>().join(" and ");
            format!("{} {to}{}{}", word(&r.kind), from.unwrap_or_default(), end.unwrap_or_default())
        }
        Record::Import(r) => {
            format!("{} rows by {}: {} recorded, {} repeated, {} put aside", r.rows, r.importer, r.recorded, r.repeated, r.quarantined)
        }
        Record::MatchDecision(r) => format!("an asset text means {}", r.issuer.as_ref().map_or("no issuer", |i| i.as_str())),
        Record::Authority(r) => format!("{}, in force from {}", r.title, r.from),
        Record::Designation(r) => format!("{} designated under {} at {}", r.submission, r.reference, r.decided_at),
        Record::RosterEntry(r) => {
            let contact = if r.contact { ", contact" } else { "" };
            format!("on the roster of {}{contact} since {}{}", r.organization, r.from, until(&r.until))
        }
        Record::Selection(r) => format!("{} chosen for {}", r.organization, r.submission),
        Record::Vulnerability(r) => format!("flaw {}", r.reference),
        Record::Referral(r) => format!("case {} referred to {} at {}", r.case, r.to, r.referred_at),
        Record::LegalHold(r) => {
            let scope = match &r.scope {
                HoldScope::Person(id) => id.to_string(),
                HoldScope::Submission(id) => id.to_string(),
                HoldScope::Case(entry) => format!("case {entry}"),
            };
            format!("legal hold on {scope} since {}{}", r.from, until(&r.until))
        }
        Record::EmergencyVoucher(r) => format!("voucher for one access under grant {} until {}", r.grant, r.expires_at),
        Record::EmergencyUse(r) => format!("access under voucher {} at {}", r.voucher, r.used_at),
        Record::Correction(r) => format!("entry {} is wrong", r.target),
        other => other.type_name().to_owned(),
    }
}

/// Raw text of a filer can hold anything; the issuer it was matched to cannot.
fn instrument(i: &Instrument) -> String {
    let class = spaced(&format!("{:?}", i.class));
    let linking = spaced(&format!("{:?}", i.linking));
    match &i.issuer {
        Some(issuer) => format!("{class} of {issuer} ({linking})"),
        None => format!("{class} without an issuer ({linking})"),
    }
}

fn until(end: &Option<countersign_entry::time::Micros>) -> String {
    end.map(|u| format!(" until {u}")).unwrap_or_default()
}

/// `AccessTerms` as `access terms`.
fn spaced(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push(' ');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}
