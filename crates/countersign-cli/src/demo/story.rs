//! What happens, in order.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use countersign_entry::ids::{Date, Hash32, IssuerId, LeafIndex, Line, RawText, SubmissionId, Token};
use countersign_entry::record::*;
use countersign_entry::time::{DAY, Micros, Window};
use countersign_ledger::Receipt;
use countersign_ledger::export::{Planes, export};
use countersign_ledger::query::Page;
use countersign_log::proof::TlogProof;
use countersign_verify::{Options, Verdict as VerifyVerdict};

use super::cast::{self, EVALUATORS};
use super::stage::{Stage, record_id};
use super::{DemoError, cards, data};
use crate::explain;

const ORIGIN: &str = "demo.countersign.example/access/software";
const AMAZON: &str = "cik-0001018724";
const ALPHABET: &str = "cik-0001652044";

/// Models, the title people use here, and when the window opens: at most 30 days before the public release.
const MODELS: &[(&str, &str)] = &[
    ("google/gemini-3.5-flash", "2026-04-20T13:00:00Z"),
    ("anthropic/claude-opus-4-8", "2026-04-29T13:00:00Z"),
    ("anthropic/claude-fable-5", "2026-05-12T13:00:00Z"),
    ("anthropic/claude-sonnet-5", "2026-06-01T13:00:00Z"),
];

struct Matter {
    id: SubmissionId,
    model: String,
    closes_at: Micros,
}

pub(super) fn tell(dir: &Path, out: &mut dyn Write) -> Result<(), DemoError> {
    let began = Instant::now();
    writeln!(out, "countersign demo: a throw-away ledger in {} (software key: NOT for real use)", dir.display())?;
    writeln!(out, "People are invented. Issuers, model releases and exposures are real and public.")?;
    writeln!(out, "Windows are computed from public release dates; no model here is known to have been submitted.")?;

    let mut stage = Stage::build(dir, ORIGIN, "2026-04-15T12:00:00Z".parse()?)?;
    set_up(&mut stage, out)?;
    let matters = submissions(&mut stage, out)?;
    sign(&mut stage)?;
    let grants = requests(&mut stage, &matters, out)?;
    accesses(&mut stage, &matters, &grants, out)?;
    recusal(&mut stage, &matters, &grants, out)?;
    lists(&mut stage, &matters, out)?;
    july(&mut stage, &matters, out)?;
    questions(&stage, out)?;
    proofs(&stage, dir, out)?;
    cards::make(&mut stage, dir)?;
    ending(&stage, dir, began, out)
}

fn heading(out: &mut dyn Write, number: u32, text: &str) -> Result<(), DemoError> {
    Ok(writeln!(out, "\n{number}. {text}")?)
}

fn set_up(stage: &mut Stage, out: &mut dyn Write) -> Result<(), DemoError> {
    heading(out, 1, "The market and the people")?;
    let issuers = data::issuers()?;
    let private = data::private_issuers()?;
    let providers = data::providers()?;
    let models = data::models(&"2026-04-15".parse()?)?;
    let edges = data::exposures(&models)?;
    writeln!(
        out,
        "   {} issuers (SEC registrants), {} private companies, {} labs, {} models, {} exposures between them, {} people",
        issuers.len(),
        private.len(),
        providers.len(),
        models.len(),
        edges.len(),
        EVALUATORS.len() + 5
    )?;
    stage.record_all("founder", issuers.into_iter().chain(private).map(Record::from).collect())?;
    stage.record_all("founder", providers.into_iter().map(Record::from).collect())?;
    stage.record_all("founder", models.into_iter().map(Record::from).collect())?;
    stage.record_all("founder", edges.into_iter().map(Record::from).collect())?;
    Ok(())
}

fn submissions(stage: &mut Stage, out: &mut dyn Write) -> Result<Vec<Matter>, DemoError> {
    heading(out, 2, "Submissions: a model handed over for review, with its window")?;
    let mut matters = Vec::new();
    for (n, (model, opens)) in MODELS.iter().enumerate() {
        let release = data::release(model)?;
        let id = SubmissionId::new(format!("S-{}", n + 2601))?;
        let opens_at: Micros = opens.parse()?;
        let closes_at = release.date.start().ok_or_else(|| DemoError("a release date".into()))?;
        let record = Submission {
            id: id.clone(),
            provider: release.provider.clone(),
            model: None,
            downstream: vec![Line::new("Systems Software")?],
            title: Line::new(format!("Secured matter {}", n + 2601))?,
            authority: Line::new("EO 14409 sec. 3")?,
            offer: Some(Offer {
                offered_at: Micros::new(opens_at.value() - 3 * DAY)?,
                terms_hash: Hash32([0x51; 32]),
                purpose: Line::new("Evaluation of cyber capability")?,
                revoked_at: None,
            }),
            designation: Some(Line::new(format!("high-side reference {}", 7_100 + n))?),
            window: Window::new(opens_at, closes_at)?,
            window_end_event: WindowEndEvent::TrustedPartnerRelease,
            public_release_at: None,
            cleansed_at: None,
            status: SubmissionStatus::Open,
            marking: Marking { level: MarkingLevel::Cui, categories: vec![Line::new("PROPIN")?], dissemination: vec![] },
            information_owner: InformationOwner::Developer,
            confidentiality_basis: Line::new("Terms of access, section 4")?,
            supersedes: None,
        };
        stage.record("founder", record)?;
        let hosts = data::hosts(model, &id)?;
        let count = hosts.len();
        stage.record_all("founder", hosts.into_iter().map(Record::from).collect())?;
        writeln!(
            out,
            "   {id}  {:<16} {:<10} window {} to {}, {count} hosts",
            release.name,
            release.provider.as_str(),
            day(opens_at),
            day(closes_at)
        )?;
        matters.push(Matter { id, model: release.name, closes_at });
    }
    Ok(matters)
}

fn sign(stage: &mut Stage) -> Result<(), DemoError> {
    stage.at("2026-04-16T09:00:00Z")?;
    let signed_at = stage.ledger.now();
    let mut records: Vec<Record> = Vec::new();
    for player in EVALUATORS {
        for kind in cast::signed(player.key) {
            let name = format!("{}-{}", player.key, if *kind == AgreementKind::AccessTerms { "terms" } else { "interests" });
            let agreement = Agreement {
                id: record_id(&name)?,
                person: stage.person(player.key)?.clone(),
                kind: *kind,
                submission: None,
                version: Line::new("2026-04")?,
                document_hash: Hash32([0x52; 32]),
                signed_at,
                expires_at: None,
                supersedes: None,
            };
            records.push(agreement.into());
        }
    }
    stage.record_all("ethics", records)?;
    // Osric's wife works for the lab: he may not take part. Thea's brother does; her duty is to keep the test machines, which is no participation.
    for (key, ground) in [("osric", "spouse employed by the provider"), ("thea", "household member consults for the provider")] {
        let recusal = Recusal {
            id: record_id(&format!("recusal-{key}"))?,
            person: stage.person(key)?.clone(),
            scope: "provider:anthropic".parse()?,
            from: signed_at,
            until: None,
            ground: Line::new(ground)?,
            screening_contact: Some(Line::new("ethics office")?),
            supersedes: None,
        };
        stage.record("ethics", recusal)?;
    }
    // Maren has said what she holds, as forms have it: shares of a company that owns one lab and a part of another, worth more than is exempt.
    let shares = Instrument {
        class: InstrumentClass::Equity,
        text: RawText::new("Alphabet Inc. - Class A Common Stock (GOOGL)")?,
        identifier: Some(Line::new("GOOGL")?),
        asset_type: None,
        issuer: Some(ALPHABET.parse()?),
        linking: Linking::Matched,
        sector: None,
    };
    let holding = Holding {
        id: record_id("holding-maren")?,
        person: stage.person("maren")?.clone(),
        relation: HolderRelation::Own,
        instrument: shares,
        value: Band::new(Some(15_001), Some(50_000))?,
        as_of: Date::new("2026-04-01")?,
        provenance: None,
        supersedes: None,
    };
    stage.record("ethics", holding)?;
    Ok(())
}

/// Every evaluator asks for every submission. Returns active grants: who, matter, grant.
fn requests(stage: &mut Stage, matters: &[Matter], out: &mut dyn Write) -> Result<Vec<(&'static str, usize, u64)>, DemoError> {
    heading(out, 3, "Requests: the rules answer three questions, agency policy decides, two people approve")?;
    let mut grants = Vec::new();
    for (n, matter) in matters.iter().enumerate() {
        stage.at(MODELS.get(n).map_or("2026-06-01T13:00:00Z", |m| m.1))?;
        stage.at(&(stage.ledger.now().plus(3_600_000_000)).to_string())?;
        writeln!(out, "   {} ({}), {}", matter.id, matter.model, day(stage.ledger.now()))?;
        for player in EVALUATORS {
            let request = GrantRequest {
                person: stage.person(player.key)?.clone(),
                submission: matter.id.clone(),
                duty: Line::new(if player.key == "thea" { "Keep the test machines" } else { "Evaluate cyber capability" })?,
                needs_participation: player.key != "thea",
                expires_at: matter.closes_at,
                reference: None,
                assessment: None,
                result: None,
            };
            let receipt = stage.record("officer", request)?;
            // One submission is told person by person; the others in a line each would only repeat it.
            if n == 2 {
                tell_request(stage, player.name, &receipt, out)?;
            }
            let Some(GrantState::Clear | GrantState::Recused) = stage.state(receipt.index) else { continue };
            for (actor, to) in [("approver1", GrantState::Approved), ("approver2", GrantState::Approved), ("officer", GrantState::Active)] {
                stage.step(actor, receipt.index, to)?;
            }
            grants.push((player.key, n, receipt.index));
        }
        let active = grants.iter().filter(|g| g.1 == n).count();
        writeln!(out, "      {active} of {} cleared, approved by two people, active", EVALUATORS.len())?;
    }
    Ok(grants)
}

fn tell_request(stage: &Stage, name: &str, receipt: &Receipt, out: &mut dyn Write) -> Result<(), DemoError> {
    writeln!(out, "      {name:<26} requester sees  {}", explain::neutral_text(&receipt.record))?;
    if let Some(assessment) = receipt.record.assessment() {
        writeln!(out, "      {:<26} ethics sees     {}", "", explain::one_line(assessment, stage.ledger.facts()))?;
    }
    Ok(())
}

fn accesses(stage: &mut Stage, matters: &[Matter], grants: &[(&'static str, usize, u64)], out: &mut dyn Write) -> Result<(), DemoError> {
    heading(out, 4, "Accesses, as a model gateway reports them")?;
    let mut count = 0u64;
    let mut day_start: Micros = "2026-06-02T14:00:00Z".parse()?;
    while day_start < "2026-06-12T00:00:00Z".parse()? {
        stage.at(&day_start.to_string())?;
        let mut events: Vec<Record> = Vec::new();
        for (key, n, grant) in grants {
            let Some(matter) = matters.get(*n).filter(|m| day_start < m.closes_at) else { continue };
            for part in 0..3u64 {
                let at = Micros::new(day_start.value() - (part + 1) * 600_000_000)?;
                events.push(event(stage.person(key)?, &matter.id, Some(*grant), at, count + events.len() as u64)?.into());
            }
        }
        count += events.len() as u64;
        stage.record_all("gateway", events)?;
        day_start = day_start.plus(DAY);
    }
    writeln!(out, "   {count} accesses under active grants, 2 to 11 June")?;
    // Somebody the rules referred finds a way in. It is recorded like any other access, and it is found.
    let matter = matters.get(3).ok_or_else(|| DemoError("no fourth matter".into()))?;
    let at = Micros::new(stage.ledger.now().value() - 60_000_000)?;
    let stray = event(stage.person("junia")?, &matter.id, None, at, count)?;
    let receipt = stage.record("gateway", stray)?;
    let detail = receipt.record.assessment().map(|a| explain::one_line(a, stage.ledger.facts())).unwrap_or_default();
    writeln!(
        out,
        "   entry {}: an access by {} WITHOUT A GRANT is recorded, and found: {detail}",
        receipt.index,
        stage.name(stage.person("junia")?)
    )?;
    stage.at(&stage.ledger.now().plus(1_800_000_000).to_string())?;
    stage.ledger.tick()?;
    for (index, case) in stage.ledger.facts().cases() {
        writeln!(out, "   entry {index}: case opened at the next cadence by {} on entry {}", case.rule, case.finding)?;
    }
    Ok(())
}

fn event(
    person: &countersign_entry::ids::PersonId,
    submission: &SubmissionId,
    grant: Option<u64>,
    at: Micros,
    n: u64,
) -> Result<AccessEvent, DemoError> {
    Ok(AccessEvent {
        person: person.clone(),
        submission: submission.clone(),
        grant: grant.map(LeafIndex),
        action: Token::new(if n.is_multiple_of(3) { "query" } else { "view" })?,
        occurred_at: at,
        artefact: Some(Line::new("evaluation endpoint")?),
        result: Some(AccessResult::Success),
        source: Some(Line::new("gateway-1")?),
        source_id: Some(Line::new(format!("evt-{n:06}"))?),
        session: Some(Line::new(format!("session-{}", n / 9))?),
        marking: Some(MarkingLevel::Cui),
        information_owner: Some(InformationOwner::Developer),
        detail: ciborium::Value::Null,
        assessment: None,
        supersedes: None,
    })
}

fn recusal(stage: &mut Stage, matters: &[Matter], grants: &[(&'static str, usize, u64)], out: &mut dyn Write) -> Result<(), DemoError> {
    heading(out, 5, "A recusal suspends a grant at once, in the same commit")?;
    stage.at("2026-06-12T15:00:00Z")?;
    let person = stage.person("bertil")?.clone();
    let grant = grants.iter().find(|(key, n, _)| *key == "bertil" && *n == 3).map(|g| g.2);
    let grant = grant.ok_or_else(|| DemoError("the recused person has no grant".into()))?;
    let before = stage.state(grant);
    let recusal = Recusal {
        id: record_id("recusal-bertil")?,
        person: person.clone(),
        scope: "provider:anthropic".parse()?,
        from: stage.ledger.now(),
        until: None,
        ground: Line::new("negotiating employment with the provider (18 U.S.C. 208(a); 5 CFR 2635.604)")?,
        screening_contact: Some(Line::new("ethics office")?),
        supersedes: None,
    };
    let receipt = stage.record("ethics", recusal)?;
    writeln!(out, "   entry {}: {} is recused from everything of anthropic", receipt.index, stage.name(&person))?;
    let follow = receipt.index + 1;
    let (_, _, suspension) = stage.ledger.entry(follow)?;
    writeln!(out, "   entry {follow}: {} (it was {})", countersign_ledger::query::describe(&suspension), crate::words::word_of(&before))?;
    // The gateway has not heard of it yet.
    stage.at("2026-06-12T15:20:00Z")?;
    let matter = matters.get(3).ok_or_else(|| DemoError("no fourth matter".into()))?;
    let at = Micros::new(stage.ledger.now().value() - 60_000_000)?;
    let late = event(&person, &matter.id, Some(grant), at, 999_999)?;
    let receipt = stage.record("gateway", late)?;
    let detail = receipt.record.assessment().map(|a| explain::one_line(a, stage.ledger.facts())).unwrap_or_default();
    writeln!(out, "   entry {}: an access under the suspended grant is recorded, and found: {detail}", receipt.index)?;
    Ok(())
}

fn lists(stage: &mut Stage, matters: &[Matter], out: &mut dyn Write) -> Result<(), DemoError> {
    heading(out, 6, "Lists: a restricted list bars trading; a watch list changes nothing a requester can see")?;
    stage.at("2026-06-15T14:00:00Z")?;
    let item = |id: &str, list: &str, from: Micros| -> Result<ListItem, DemoError> {
        Ok(ListItem {
            id: record_id(id)?,
            list: record_id(list)?,
            subject: format!("issuer:{AMAZON}").parse()?,
            from,
            until: None,
            reason: Line::new("Pre-release access to a model of a lab the issuer holds equity in")?,
            supersedes: None,
            approvals: vec![],
        })
    };
    let list = |id: &str, kind, authority: Option<&str>| -> Result<List, DemoError> {
        let authority = authority.map(Line::new).transpose()?;
        Ok(List {
            id: record_id(id)?,
            kind,
            name: Line::new(format!("{id} list"))?,
            authority,
            binds: None,
            supersedes: None,
            approvals: vec![],
        })
    };
    let ask = |stage: &mut Stage| -> Result<String, DemoError> {
        let request = GrantRequest {
            person: stage.person("dov")?.clone(),
            submission: matters.get(3).map(|m| m.id.clone()).ok_or_else(|| DemoError("no fourth matter".into()))?,
            duty: Line::new("Repeat the cyber evaluation")?,
            needs_participation: true,
            expires_at: "2026-06-25T00:00:00Z".parse()?,
            reference: None,
            assessment: None,
            result: None,
        };
        Ok(explain::neutral_text(&stage.record("officer", request)?.record))
    };
    let before = ask(stage)?;
    stage.record("ethics", list("watch", ListKind::Watch, None)?)?;
    let watched = item("watch-1", "watch", stage.ledger.now())?;
    stage.record("ethics", watched)?;
    let after = ask(stage)?;
    writeln!(out, "   before the watch-list item   {before}\n   after the watch-list item    {after}")?;
    stage.at("2026-06-16T14:00:00Z")?;
    stage.record("ethics", list("restricted", ListKind::Restricted, Some("Agency policy 26-04, adopted 1 April 2026 (invented)"))?)?;
    let restricted = item("restricted-1", "restricted", stage.ledger.now())?;
    let size = stage.ledger.size();
    stage.record("ethics", restricted)?;
    writeln!(
        out,
        "   Amazon goes on the restricted list: {} active grants are suspended for a new check, in the same commit",
        stage.ledger.size() - size - 1
    )?;
    Ok(())
}

/// Two models are released, and weeks later people file what they held and traded.
fn july(stage: &mut Stage, matters: &[Matter], out: &mut dyn Write) -> Result<(), DemoError> {
    heading(out, 7, "July: holdings and trades come in, from forms as they are filled in")?;
    stage.at("2026-07-02T14:00:00Z")?;
    for (matter, (model, _)) in matters.iter().zip(MODELS) {
        super::filings::release(stage, &matter.id, &data::release(model)?)?;
    }
    stage.at("2026-07-20T14:00:00Z")?;
    super::filings::come_in(stage, out)
}

fn questions(stage: &Stage, out: &mut dyn Write) -> Result<(), DemoError> {
    heading(out, 8, "Who had access to anything touching Amazon in June?")?;
    let amazon = IssuerId::new(AMAZON)?;
    let answer = stage.ledger.view().who_touched_issuer(&amazon, "2026-06-01".parse()?, "2026-07-01".parse()?, Page::ALL)?;
    for row in &answer.rows {
        let mark = if row.uncleared > 0 { format!("  {} NOT CLEARED", row.uncleared) } else { String::new() };
        let who = stage.name(&row.person);
        writeln!(
            out,
            "   {who:<26} {}  {:>3} accesses {} to {}  tier {} ({}){mark}",
            row.submission,
            row.accesses,
            day(row.first),
            day(row.last),
            row.tier,
            crate::words::word_of(&row.relation).replace('_', " ")
        )?;
    }
    writeln!(out, "   {} rows, complete as of entry {}", answer.rows.len(), answer.as_of - 1)?;

    let person = stage.person("bertil")?;
    heading(out, 9, &format!("Everything on {} ({person}), from first entry to last", stage.name(person)))?;
    let answer = stage.ledger.view().person_timeline(person, Page::ALL)?;
    let (shown, hidden): (Vec<_>, Vec<_>) = answer.rows.iter().partition(|r| r.kind != "access.event" || r.what.contains("2026-06-12"));
    for row in &shown {
        writeln!(out, "   {:>6}  {}  {:<16} {}", row.entry.to_string(), day(row.recorded_at), row.kind, row.what)?;
    }
    writeln!(
        out,
        "   ({} routine accesses not shown) {} rows, complete as of entry {}",
        hidden.len(),
        answer.rows.len(),
        answer.as_of - 1
    )?;
    Ok(())
}

fn proofs(stage: &Stage, dir: &Path, out: &mut dyn Write) -> Result<(), DemoError> {
    heading(out, 10, "A receipt, checked without the ledger")?;
    let stray = stage.ledger.facts().cases().next().map(|(_, c)| c.finding.0).ok_or_else(|| DemoError("no case".into()))?;
    let proof = stage.ledger.proof(stray)?;
    let text = proof.tlog_proof().map_err(|e| DemoError(e.to_string()))?;
    let beside = beside(dir);
    let file = beside.join("receipts").join(format!("entry-{stray}.tlog-proof"));
    fs::create_dir_all(beside.join("receipts"))?;
    fs::write(&file, &text)?;
    fs::write(file.with_extension("leaf"), &proof.leaf)?;
    let parsed = TlogProof::parse(&fs::read(&file)?).map_err(|e| DemoError(e.to_string()))?;
    let proven = parsed.verify(&proof.leaf, stage.ledger.vkey()).map_err(|e| DemoError(e.to_string()))?;
    writeln!(out, "   {} ({} bytes)", file.display(), text.len())?;
    writeln!(
        out,
        "   PROVEN  entry {} stands in {} at size {}, root {}…",
        proven.index(),
        proven.origin(),
        proven.size(),
        &proven.root().to_string()[..16]
    )?;

    heading(out, 11, "The whole ledger, verified by somebody who trusts none of it, every decision replayed")?;
    let exported = beside.join("export");
    export(&stage.ledger, &exported, Planes::Both, &mut |_| {})?;
    let report = check(stage, &exported)?;
    writeln!(out, "{}", indent(&report.to_string()))?;
    if report.verdict != VerifyVerdict::Verified {
        return Err(DemoError("the demo's own ledger does not verify".into()));
    }

    heading(out, 12, "One byte changed in a copy")?;
    let tampered = beside.join("export-tampered");
    copy(&exported, &tampered)?;
    let bundle = tampered.join(countersign_log::tile::sealed_path(stray / 256, width(stray / 256, stage.ledger.size())));
    let mut bytes = fs::read(&bundle)?;
    let at = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1;
    }
    fs::write(&bundle, bytes)?;
    let report = check(stage, &tampered)?;
    writeln!(out, "{}", indent(&report.to_string()))?;
    if report.verdict != VerifyVerdict::Tampered {
        return Err(DemoError("a changed byte went unnoticed".into()));
    }
    Ok(())
}

fn width(bundle: u64, size: u64) -> countersign_log::tile::Width {
    let full = countersign_log::tile::Width::FULL;
    let rest = u16::try_from(size.saturating_sub(bundle * 256).min(256)).unwrap_or(256);
    countersign_log::tile::Width::new(rest).unwrap_or(full)
}

fn check(stage: &Stage, path: &Path) -> Result<countersign_verify::Report, DemoError> {
    let keys = stage.ledger.export_keys();
    let mut opened = std::collections::BTreeMap::new();
    for (id, hex_key) in &keys {
        let mut key = [0; 32];
        hex::decode_to_slice(hex_key.as_bytes(), &mut key).map_err(|e| DemoError(e.to_string()))?;
        opened.insert(*id, key);
    }
    let options = Options { keys: Some(opened), ..Options::new(stage.ledger.vkey().clone()) };
    Ok(countersign_verify::verify(&countersign_verify::files::DirSource::new(path), &options, &mut |_| {}))
}

fn ending(stage: &Stage, dir: &Path, began: Instant, out: &mut dyn Write) -> Result<(), DemoError> {
    let d = dir.display();
    let junia = stage.person("junia")?;
    writeln!(out, "\n{} entries in {:.1} s. Try next:", stage.ledger.size(), began.elapsed().as_secs_f64())?;
    writeln!(out, "   countersign status {d}")?;
    writeln!(out, "   countersign query person {d} {junia}")?;
    writeln!(out, "   countersign export-keys {d} -o keys.json")?;
    writeln!(out, "   countersign verify {d} --vkey '{}' --keys keys.json", stage.ledger.vkey())?;
    writeln!(out, "   countersign verify {}/export-tampered --vkey '{}'", beside(dir).display(), stage.ledger.vkey())?;
    cards::tell(dir, stage.ledger.now(), out)?;
    writeln!(out, "(`countersign` is `cargo run --` here.)")?;
    Ok(())
}

/// What the demo writes beside the ledger: a ledger's own directory holds nothing else.
fn beside(dir: &Path) -> std::path::PathBuf {
    let mut name = dir.file_name().unwrap_or_default().to_os_string();
    name.push("-out");
    dir.with_file_name(name)
}

fn copy(from: &Path, to: &Path) -> Result<(), DemoError> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn day(at: Micros) -> String {
    countersign_entry::ids::Date::of(at).to_string()
}

fn indent(text: &str) -> String {
    text.lines().map(|l| format!("   {l}")).collect::<Vec<_>>().join("\n")
}
