//! Going on after a loss: entries that were acknowledged are gone, the newest backup ends before them, and somebody answers for it.
//!
//! One commit holds a rotation and the declaration. The key that signed what is lost signs nothing beyond the size that was restored, so that
//! no size ever has two heads under one key that is believed for it; whoever kept a head of the lost past sees that it is not this one's.

use countersign_entry::ids::{Line, PrincipalId, RequestKey};
use countersign_entry::record::{KeyLossDeclared, Record};
use countersign_log::checkpoint::Checkpoint;
use countersign_log::note::Note;
use countersign_log::vkey::VKey;
use countersign_sign::Signer;
use countersign_store::Head;

use crate::commit::{AppendError, Asking, Request};
use crate::durable::{Decided, Placed};
use crate::open::{Ledger, Mode};
use crate::receipt::Receipt;
use crate::rotate::{Rotation, Signatures};

/// What is declared lost, and who answers for it.
#[derive(Debug, Clone)]
pub struct Loss {
    /// The newest head that anybody is known to have, as a signed note.
    pub head: Vec<u8>,
    /// Why.
    pub reason: Line,
    /// Who approved.
    pub approvers: Vec<PrincipalId>,
    /// Their signatures over the two requests of [`Ledger::loss_requests`], in that order.
    pub signatures: [Signatures; 2],
}

impl Ledger {
    /// The head this ledger ended at before it lost its end; none where nothing is missing, or where more than that is wrong with it.
    pub fn missing_until(&self) -> Option<&Head> {
        self.behind.as_ref()
    }

    /// Declares the entries after the last one lost, and goes on under `new`. Returns the receipt of the declaration.
    ///
    /// # Errors
    /// Nothing is missing; the head is not one this ledger's key signed, or the register knows a newer one; or as [`AppendError`] says.
    pub fn declare_loss(&mut self, actor: &PrincipalId, key: RequestKey, new: Box<dyn Signer>, loss: Loss) -> Result<Receipt, AppendError> {
        let malformed = AppendError::Malformed;
        let known = self.behind.clone().ok_or_else(|| malformed("nothing is known to be missing from this ledger".into()))?;
        let head = self.lost_head(&known, &loss.head).map_err(malformed)?;
        // Said first: if we stop after this, the ledger is behind by more, and stays shut.
        self.register.advance(&head).map_err(|e| AppendError::Unavailable(e.to_string()))?;
        self.behind = Some(head.clone());
        let [(key, _), (second, declared)] = self.loss_requests(new.vkey(), key, &loss)?;
        let [rotated, declaration] = &loss.signatures;
        let (signed, signed_too) = (rotated.signed.clone(), declaration.signed.clone());
        let rotated = self.rotation(new, &self.following(&loss))?;
        let requests = vec![
            Request { actor: actor.clone(), key, record: rotated.into(), signed },
            Request { actor: actor.clone(), key: second, record: declared, signed: signed_too },
        ];
        let decided = self.decide_shut(requests)?;
        self.register.give_up(&head);
        self.behind = None;
        self.finish(decided).pop().unwrap_or(Err(AppendError::Busy))
    }

    /// What is asked when what is missing is to be declared lost: that `new` follows the key that signed it, and the declaration, each under its
    /// idempotency key, for approvers to sign.
    ///
    /// # Errors
    /// No key signs any more, or the idempotency key is too long.
    pub fn loss_requests(&self, new: &VKey, key: RequestKey, loss: &Loss) -> Result<[(RequestKey, Record); 2], AppendError> {
        let second = RequestKey::new(format!("{key}-loss")).map_err(|e| AppendError::Malformed(e.to_string()))?;
        let [_, declaration] = &loss.signatures;
        let declared = KeyLossDeclared {
            first: self.size(),
            head: loss.head.clone(),
            reason: loss.reason.clone(),
            approvers: loss.approvers.clone(),
            approvals: declaration.approvals(),
        };
        Ok([(key, self.rotation_request(new, &self.following(loss))?.into()), (second, declared.into())])
    }

    fn following(&self, loss: &Loss) -> Rotation {
        let [rotation, _] = &loss.signatures;
        Rotation {
            both_until: self.size(),
            reason: loss.reason.clone(),
            approvers: loss.approvers.clone(),
            attestation: None,
            signatures: rotation.clone(),
        }
    }

    /// Decides requests of a ledger that takes none. Whatever is refused leaves it shut: it must never go on from an old past by itself.
    fn decide_shut(&mut self, requests: Vec<Request>) -> Result<Decided, AppendError> {
        let shut = std::mem::replace(&mut self.mode, Mode::Writable);
        let refused = match self.decide(requests.into_iter().map(Asking::from).collect()) {
            // Both or neither: a rotation by itself would end one key and account for nothing.
            Ok(decided) if decided.placed.iter().all(|p| matches!(p, Placed::Draft { .. })) => return Ok(decided),
            Ok(decided) => {
                let refused = decided.placed.into_iter().find_map(|p| if let Placed::Failed(e) = p { Some(e) } else { None });
                let refused =
                    refused.unwrap_or_else(|| AppendError::Malformed("the idempotency key was used before: use a new one".into()));
                if decided.made.drafts.is_empty() { refused } else { self.fail(refused) }
            }
            Err(answers) => answers.into_iter().find_map(Result::err).unwrap_or(AppendError::Busy),
        };
        if matches!(self.mode, Mode::Writable) {
            self.mode = shut;
        }
        Err(refused)
    }

    /// The head to declare lost: one of this ledger's keys signed it, and the register knows none that is newer.
    fn lost_head(&self, known: &Head, note: &[u8]) -> Result<Head, String> {
        let parsed = Note::parse(note).map_err(|e| format!("the newest known head: {e}"))?;
        let size = Checkpoint::parse(parsed.text()).map_err(|e| format!("the newest known head: {e}"))?.size.0;
        if size < known.size {
            return Err(format!("the head register knows a newer head, of size {}: give that one", known.size));
        }
        self.state.keys.verify(note).map_err(|e| format!("the newest known head: {e}"))?;
        Ok(Head { size, note: note.to_vec() })
    }
}
