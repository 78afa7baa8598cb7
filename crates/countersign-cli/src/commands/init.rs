//! `init`: the one command that makes a ledger.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use countersign_entry::ids::{IdError, Line, PersonId, PrincipalId};
use countersign_entry::record::{KeyAttested, Record};
use countersign_ledger::{Clock as _, Directory, InToken, Ledger, Opening, Request, SystemClock};
use countersign_sign::pkcs11::Token;
use serde_json::json;

use super::DONE;
use super::token::{Said, TokenArgs, named};
use crate::actor::{login_name, os_user};
use crate::defaults::{self, Founder};
use crate::failure::{Exit, Failure};
use crate::output::{Out, say};
use crate::session::{opening, random_key};
use crate::words::new_id;

/// How a ledger is made.
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// Directory to make; it must not exist.
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// The log's name, such as `agency.example/access/software`. A name that ends in `/software` keeps its keys in files.
    #[arg(long)]
    origin: String,
    /// Where the head register is; best on another file system. Without it: in DIR.
    #[arg(long, value_name = "PATH")]
    register: Option<PathBuf>,
    /// File that holds the passphrase of keys in files. Without it, and without systemd's credential, one is made up and left in DIR/keys/passphrase.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Where the signing key is: in a file, for an origin that ends in `/software`, or in a token, made by `key init` before.
    #[arg(long, value_enum, default_value_t = SignerName::Software)]
    signer: SignerName,
    #[command(flatten)]
    token: TokenArgs,
    /// The label of the signing key in the token.
    #[arg(long, value_name = "LABEL")]
    key: Option<String>,
    /// Your name, for the directory. Without it: your login name.
    #[arg(long)]
    name: Option<Line>,
}

/// Where a signing key can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SignerName {
    Software,
    Pkcs11,
}

pub(crate) fn run(args: &InitArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let invalid = |e: IdError| Failure::Invalid(e.to_string());
    let founder = Founder {
        principal: PrincipalId::new(new_id("pr-", None)?).map_err(invalid)?,
        person: PersonId::new(new_id("P-", None)?).map_err(invalid)?,
        name: args.name.clone().map_or_else(|| Line::new(login_name()), Ok).map_err(invalid)?,
        os_user: Line::new(os_user()).map_err(invalid)?,
    };
    let sequencer = PrincipalId::new(new_id("pr-", None)?).map_err(invalid)?;
    let register = register(args.register.as_deref())?;
    let records = defaults::records(SystemClock.now(), &founder, &sequencer).map_err(invalid)?;
    let opening = opening(args.passphrase_file.as_deref(), args.token.pin_file.as_deref());
    let made_up = args.signer == SignerName::Software && opening.passphrase_file.is_none();
    let ledger = match args.signer {
        SignerName::Software => {
            if args.key.is_some() || args.token.module.is_some() || args.token.token.is_some() {
                return Err(Failure::Usage("--key, --module and --token go with --signer pkcs11".into()));
            }
            Directory::create(&args.dir, &args.origin, &register, opening, &founder.principal, &sequencer, records)?
        }
        SignerName::Pkcs11 => in_token(args, &register, opening, &founder.principal, &sequencer, records)?,
    };
    if made_up {
        let file = args.dir.join("keys/passphrase");
        say(format_args!("a passphrase was made up and left in {}: whoever has this directory has its keys", file.display()));
    }
    if out.is_json() {
        let fields = json!({
            "dir": args.dir, "origin": ledger.origin(), "vkey": ledger.vkey().to_string(), "size": ledger.size(),
            "root": ledger.root().to_string(), "person": founder.person, "principal": founder.principal, "register": register,
        });
        out.object("init", fields)?;
        return Ok(DONE);
    }
    out.line(format_args!("made {} ({} entries)", args.dir.display(), ledger.size()))?;
    out.line(format_args!("origin     {}", ledger.origin()))?;
    out.line(format_args!("vkey       {}", ledger.vkey()))?;
    out.line(format_args!("person     {} {}", founder.person, founder.name))?;
    out.line(format_args!("principal  {} ({}; operator, access_officer, ethics_officer)", founder.principal, founder.os_user))?;
    out.line("Keep the vkey where the ledger is not: it is what everybody checks this ledger against.")?;
    Ok(DONE)
}

/// Makes the ledger under a key that is in a token, and records what the token says of it.
fn in_token(
    args: &InitArgs,
    register: &Path,
    opening: Opening,
    founder: &PrincipalId,
    sequencer: &PrincipalId,
    records: Vec<Record>,
) -> Result<Ledger, Failure> {
    let label = args.key.as_deref().ok_or_else(|| Failure::Usage("--key names the signing key in the token".into()))?;
    let place = args.token.place()?;
    let token = Token::at(place.clone());
    let (algorithm, key) = token.public_key(label)?;
    let vkey = named(&args.origin, algorithm, &key)?;
    let said = Said::of(&token, label)?;
    let key = InToken { place: &place, label, vkey: &vkey };
    let mut ledger = Directory::create_in_token(&args.dir, key, register, opening, founder, sequencer, records)?;
    let line = Line::new(vkey.to_string()).map_err(|e| Failure::Bug(e.to_string()))?;
    let record = KeyAttested { vkey: line, attestation: said.value(), transcript: None };
    let request = Request { actor: founder.clone(), key: random_key()?, record: record.into(), signed: None };
    ledger.append(request)?;
    Ok(ledger)
}

/// The register's path as the configuration holds it. It is read back from any working directory, and holds no character that its quotes
/// would need an escape for.
fn register(given: Option<&Path>) -> Result<PathBuf, Failure> {
    let Some(given) = given else { return Ok(PathBuf::from("register/head")) };
    let path = std::path::absolute(given).map_err(Failure::file(given))?;
    let plain = |text: &str| !text.chars().any(|c| c == '"' || c == '\\' || c.is_control());
    match path.to_str() {
        Some(text) if plain(text) => Ok(path),
        _ => Err(Failure::Invalid(format!(
            "--register {}: a path without quotes, backslashes and control characters is needed",
            path.display()
        ))),
    }
}
