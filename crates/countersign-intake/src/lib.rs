//! What a file of records would do to a ledger, and the requests that do it. The command line and the service import by the same functions.
//!
//! In scope: which sources there are and how each is read ([`source`]); the plan of an import, every row accounted for, from disclosure forms
//! ([`disclosed`]) and from records of every other kind ([`records`]); the requests it comes to, whose keys follow from what they record, so that the same
//! import made again is the same requests ([`requests`]); what it says of itself ([`report`]); from an asset's text to its issuer, held against
//! the ledger ([`linking`]).
//!
//! Not in scope: reading rows out of files and typing them (`countersign-import`), matching texts to issuers (`countersign-match`), who may record what
//! (`countersign-conflict`), recording (`countersign-ledger`), terminals and sockets.

pub mod disclosed;
pub mod linking;
pub mod plan;
pub mod records;
pub mod report;
pub mod requests;
pub mod source;

use countersign_entry::ids::{LeafIndex, PrincipalId};
use countersign_entry::record::{Record, Role};
use countersign_ledger::{AppendError, Ledger, OpenError};

/// Hears how far something is: what it is, how much is done, and of how much.
pub type Progress<'a> = &'a mut dyn FnMut(&'static str, u64, u64);

/// The ledger a file is held against, and who brings it.
#[derive(Clone, Copy)]
pub struct Asker<'a> {
    /// The ledger.
    pub ledger: &'a Ledger,
    /// Who.
    pub actor: &'a PrincipalId,
    /// In which roles.
    pub roles: &'a [Role],
}

impl Asker<'_> {
    /// Whether they see why.
    pub fn is_ethics(&self) -> bool {
        self.roles.contains(&Role::EthicsOfficer)
    }

    fn entry(&self, index: LeafIndex) -> Result<Record, IntakeError> {
        Ok(self.ledger.entry(index.0)?.2)
    }
}

/// Why there is no plan of an import.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// What was asked does not go together.
    #[error("{0}")]
    Usage(String),
    /// The file is none of its source.
    #[error("{0}")]
    File(String),
    /// The list of people does not read, or names one filer twice.
    #[error("{0}")]
    People(String),
    /// Somebody in the list of people is not recorded.
    #[error("{0}")]
    NotFound(String),
    /// The actor may not.
    #[error("{0}")]
    Denied(String),
    /// It cannot be recorded as it is.
    #[error("{0}")]
    Invalid(String),
    /// The ledger does not take it.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The ledger holds something that does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Whatever has no reason to happen.
    #[error("{0}: this is a bug, please report it")]
    Bug(String),
}
