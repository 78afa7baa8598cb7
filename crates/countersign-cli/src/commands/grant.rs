//! `grant`: requests for access and what becomes of them. A grant is named by the entry of its request.

use clap::{Args, Subcommand};
use countersign_conflict::Grant;
use countersign_entry::ids::{LeafIndex, Line, PersonId, SubmissionId};
use countersign_entry::record::{Assessment, Decision, GrantRequest, GrantState, GrantTransition, Record};
use countersign_entry::time::Micros;
use countersign_ledger::Receipt;
use countersign_ledger::query::Page;
use serde_json::{Value, json};

use super::DONE;
use crate::actor::Actor;
use crate::args::{LedgerArgs, WriteArgs};
use crate::explain::{explain, explain_json, neutral_text_after};
use crate::failure::{Exit, Failure};
use crate::output::{Out, cells};
use crate::session::{Session, recorded, recorded_line};
use crate::words::{name, state_for, word};

/// Requests for access, and what becomes of them.
#[derive(Debug, Subcommand)]
pub(crate) enum GrantCommand {
    /// Ask for access for a person.
    Request(RequestArgs),
    /// Approve a cleared request.
    Approve(MoveArgs),
    /// Open access.
    Activate(MoveArgs),
    /// Stop access for now.
    Suspend(MoveArgs),
    /// Take access back for good.
    Revoke(MoveArgs),
    /// Decide a request that was not cleared; for the ethics role.
    Decide(DecideArgs),
    /// List grants.
    List(ListArgs),
    /// Show one grant and its history.
    Show(ShowArgs),
}

/// Who is to have access to what.
#[derive(Debug, Args)]
pub(crate) struct RequestArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// Who is to have access.
    #[arg(long)]
    person: PersonId,
    /// To what.
    #[arg(long)]
    submission: SubmissionId,
    /// The duty it is for.
    #[arg(long)]
    duty: Line,
    /// The duty needs access alone, no part in the matter. Without this, it is taken to need participation, which is judged more strictly.
    #[arg(long)]
    without_participation: bool,
    /// When the grant ends. Without it: when the submission's window closes.
    #[arg(long)]
    expires_at: Option<Micros>,
    #[command(flatten)]
    told: ToldArgs,
    #[command(flatten)]
    write: WriteArgs,
}

/// Which grant to move.
#[derive(Debug, Args)]
pub(crate) struct MoveArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// The grant: the entry of its request.
    #[arg(value_name = "GRANT")]
    grant: u64,
    /// Why, in words.
    #[arg(long)]
    reason: Option<Line>,
    #[command(flatten)]
    told: ToldArgs,
    #[command(flatten)]
    write: WriteArgs,
}

/// How a request that was not cleared is decided.
#[derive(Debug, Args)]
pub(crate) struct DecideArgs {
    #[command(flatten)]
    to_move: MoveArgs,
    /// info_requested, ethics_review, denied, recused (access without participation) or departed.
    #[arg(long, value_parser = word::<GrantState>)]
    to: GrantState,
}

/// How much to tell.
#[derive(Debug, Args)]
pub(crate) struct ToldArgs {
    /// Say which rules, citations and entries decided; for the ethics role. Exit code then 20 for a conflict, 21 where a human must decide.
    #[arg(long)]
    pub(super) explain: bool,
}

/// Which grants.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// Of this person alone.
    #[arg(long)]
    person: Option<PersonId>,
    /// To this submission alone.
    #[arg(long)]
    submission: Option<SubmissionId>,
}

/// Which grant.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// The grant: the entry of its request.
    #[arg(value_name = "GRANT")]
    grant: u64,
    #[command(flatten)]
    told: ToldArgs,
}

pub(crate) fn run(command: &GrantCommand, out: &mut Out<'_>) -> Result<Exit, Failure> {
    match command {
        GrantCommand::Request(args) => request(args, out),
        GrantCommand::Approve(args) => go(args, "approve", GrantState::Approved, out),
        GrantCommand::Activate(args) => go(args, "activate", GrantState::Active, out),
        GrantCommand::Suspend(args) => go(args, "suspend", GrantState::Suspended, out),
        GrantCommand::Revoke(args) => go(args, "revoke", GrantState::Revoked, out),
        GrantCommand::Decide(args) => go(&args.to_move, "decide", args.to, out),
        GrantCommand::List(args) => list(args, out),
        GrantCommand::Show(args) => show(args, out),
    }
}

fn request(args: &RequestArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let mut session = Session::to_write(&args.ledger)?;
    args.told.check(&session.actor)?;
    let window = session.ledger.facts().submission(&args.submission).map(|s| s.record.window.closes_at());
    let unknown = || Failure::NotFound(format!("submission {} is not recorded", args.submission));
    let record = GrantRequest {
        person: args.person.clone(),
        submission: args.submission.clone(),
        duty: args.duty.clone(),
        needs_participation: !args.without_participation,
        expires_at: args.expires_at.or(window).ok_or_else(unknown)?,
        reference: None,
        assessment: None,
        result: None,
    };
    let receipt = session.record(&args.write, record.into())?;
    tell(&session, "request", LeafIndex(receipt.index), &receipt, &args.told, out)
}

fn go(args: &MoveArgs, verb: &str, to: GrantState, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let mut session = Session::to_write(&args.ledger)?;
    args.told.check(&session.actor)?;
    let grant = LeafIndex(args.grant);
    let record = GrantTransition { grant, to, cause: None, reason: args.reason.clone(), assessment: None, result: None };
    let receipt = session.record(&args.write, record.into())?;
    tell(&session, verb, grant, &receipt, &args.told, out)
}

impl ToldArgs {
    /// Before anything is recorded: whoever may not see why is told so, not given less than asked for.
    pub(super) fn check(&self, actor: &Actor) -> Result<(), Failure> {
        if self.explain { actor.must_be_ethics("--explain") } else { Ok(()) }
    }

    pub(super) fn exit(&self, assessment: Option<&Assessment>) -> Exit {
        match assessment.map(|a| a.decision) {
            None | Some(Decision::Cleared) => DONE,
            Some(_) if !self.explain => Exit::Denied,
            Some(Decision::Referred) => Exit::NeedsReview,
            Some(Decision::Denied) => Exit::Conflict,
        }
    }
}

fn tell(session: &Session, verb: &str, grant: LeafIndex, receipt: &Receipt, told: &ToldArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let facts = session.ledger.facts();
    let text = neutral_text_after(&receipt.record, facts);
    let assessment = receipt.record.assessment();
    let explains = told.explain && session.actor.eyes.see_why_in(facts, &receipt.record);
    let explained = assessment.filter(|_| explains);
    if out.is_json() {
        let mut fields = recorded(receipt)?;
        let known = facts.grant(grant);
        if let Value::Object(fields) = &mut fields {
            fields.insert("grant".into(), grant.0.into());
            fields.insert("text".into(), text.into());
            fields.insert("cleared".into(), assessment.map(|a| a.decision == Decision::Cleared).into());
            fields.insert("reference".into(), known.and_then(|g| g.request.reference.as_ref()).map(|r| r.as_str()).into());
            fields.insert("state".into(), known.map(|g| state_for(explains, g.state)).into());
            if let Some(a) = explained {
                fields.insert("assessment".into(), explain_json(a));
            }
        }
        out.object(&format!("grant-{verb}"), fields)?;
    } else {
        out.line(text)?;
        for line in explained.into_iter().flat_map(|a| explain(a, receipt.at, &session.ledger)) {
            out.line(format_args!("  {line}"))?;
        }
        if verb == "request" && assessment.is_some_and(|a| a.decision == Decision::Cleared) {
            out.line(format_args!("grant {grant}"))?;
        }
        out.line(recorded_line(receipt)?)?;
    }
    Ok(told.exit(assessment))
}

const COLUMNS: &[&str] = &["grant", "reference", "name", "person", "submission", "state", "approvals", "expires_at"];

fn list(args: &ListArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let session = Session::to_read(&args.ledger)?;
    let wanted = |g: &Grant| {
        args.person.as_ref().is_none_or(|p| *p == g.request.person) && args.submission.as_ref().is_none_or(|s| *s == g.request.submission)
    };
    let grants = session.ledger.facts().grants().filter(|(_, g)| wanted(g));
    let rows: Vec<Value> = grants.map(|(index, g)| row(&session, index, g)).collect();
    if out.is_json() {
        out.object("grant-list", json!({ "rows": rows, "as_of": session.ledger.size(), "complete": true }))?;
    } else {
        out.table(COLUMNS, &cells(&rows, COLUMNS))?;
    }
    Ok(DONE)
}

fn row(session: &Session, index: LeafIndex, g: &Grant) -> Value {
    json!({
        "grant": index,
        "reference": g.request.reference,
        "name": name(session.ledger.facts(), &g.request.person),
        "person": g.request.person,
        "submission": g.request.submission,
        "state": state_for(session.actor.eyes.see_why_of(session.ledger.facts(), &g.request.person), g.state),
        "approvals": g.approvers.len(),
        "expires_at": g.request.expires_at.to_string(),
    })
}

fn show(args: &ShowArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let session = Session::to_read(&args.ledger)?;
    args.told.check(&session.actor)?;
    let index = LeafIndex(args.grant);
    let grant = session.ledger.facts().grant(index).ok_or_else(|| Failure::NotFound(format!("grant {index} is not recorded")))?;
    let history = history(&session, index, grant)?;
    let mut fields = row(&session, index, grant);
    if let Value::Object(fields) = &mut fields {
        fields.insert("duty".into(), grant.request.duty.as_str().into());
        fields.insert("needs_participation".into(), grant.request.needs_participation.into());
        fields.insert("requester".into(), grant.requester.as_str().into());
        fields.insert("approvers".into(), json!(grant.approvers));
        fields.insert("history".into(), history.iter().map(|(row, _)| row.clone()).collect());
    }
    let newest = history.iter().rev().find_map(|(_, decided)| decided.as_ref()).filter(|_| args.told.explain);
    if out.is_json() {
        if let (Some((a, _)), Value::Object(fields)) = (newest, &mut fields) {
            fields.insert("assessment".into(), explain_json(a));
        }
        out.object("grant-show", fields)?;
        return Ok(DONE);
    }
    let columns = COLUMNS.iter().chain(&["duty", "needs_participation", "requester", "approvers"]);
    for column in columns {
        let cell = cells(std::slice::from_ref(&fields), &[column]).concat().concat();
        out.line(format_args!("{column:<21} {cell}"))?;
    }
    out.line("")?;
    let columns = ["entry", "recorded_at", "actor", "what", "state", "reason"];
    let rows: Vec<Value> = history.iter().map(|(row, _)| row.clone()).collect();
    out.table(&columns, &cells(&rows, &columns))?;
    for line in newest.into_iter().flat_map(|(a, at)| explain(a, *at, &session.ledger)) {
        out.line(format_args!("  {line}"))?;
    }
    Ok(DONE)
}

/// An entry of a grant as a row, with what was decided and when.
type Moved = (Value, Option<(Assessment, Micros)>);

/// Every entry of a grant, its request first.
fn history(session: &Session, index: LeafIndex, grant: &Grant) -> Result<Vec<Moved>, Failure> {
    let ethics = session.actor.eyes.see_why_of(session.ledger.facts(), &grant.request.person);
    let mut rows = Vec::new();
    for line in session.ledger.view().person_timeline(&grant.request.person, Page::ALL)?.rows {
        let (_, meta, record) = session.ledger.entry(line.entry.0)?;
        let (what, state, reason) = match &record {
            Record::GrantRequest(r) if line.entry == index => ("requested".to_owned(), r.result, None),
            // Why a grant was moved may say what others than the ethics role must not know.
            Record::GrantTransition(t) if t.grant == index => {
                (format!("to {}", state_for(ethics, t.to)), t.result, t.reason.as_ref().filter(|_| ethics))
            }
            _ => continue,
        };
        let cause = match &record {
            Record::GrantTransition(t) if ethics => t.cause,
            _ => None,
        };
        let row = json!({
            "entry": line.entry, "recorded_at": line.recorded_at.to_string(), "actor": meta.actor, "what": what,
            "state": state.map(|s| state_for(ethics, s)), "reason": reason, "cause": cause,
        });
        rows.push((row, record.assessment().map(|a| (a.clone(), line.recorded_at))));
    }
    Ok(rows)
}
