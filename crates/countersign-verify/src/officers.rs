//! What officers signed with their own keys, held against the keys that key events enrolled for them (ledger-format section 9). The rules are
//! `countersign-conflict`'s; all they need stands in the public plane.

use countersign_conflict::officers::{By, Officers, SignatureFault, approvals, seconds};
use countersign_entry::content::Meta;
use countersign_entry::ids::{LeafIndex, PrincipalId};
use countersign_entry::record::Record;

use crate::codes::{self, Code};
use crate::report::{Finding, Outcome};

/// Officers' keys over time, and how many approvals were signed.
#[derive(Default)]
pub(crate) struct Signed {
    officers: Officers,
    /// Entries whose approvers did not sign.
    asserted: u64,
    /// Signed entries of which fields were redacted.
    redacted: u64,
}

impl Signed {
    /// A record that was read, of any kind.
    pub fn step(&mut self, index: u64, meta: &Meta, record: &Record, out: &mut Outcome) {
        let approvals = approvals(record);
        if approvals.is_none() && seconds(record).is_empty() && meta.signed.is_none() {
            return self.officers.take(LeafIndex(index), record);
        }
        // An actor who is none could have asked for nothing; nobody approved that.
        let checked = PrincipalId::new(meta.actor.clone()).map_err(|_| SignatureFault::ApprovalsMissing).and_then(|actor| {
            let by = By { actor: &actor, request: &meta.request, signed: meta.signed.as_deref(), redacted: meta.erased };
            self.officers.check(by, record)
        });
        let given = approvals.map_or(0, |(_, approvals)| approvals.len()) + seconds(record).len();
        match checked {
            Ok(_) if meta.erased => self.redacted += u64::from(meta.signed.is_some()),
            Ok(held) => {
                out.count_many("approvals", given as u64);
                out.count_many("own-signatures", (held - given.min(held)) as u64);
                self.asserted += u64::from(approvals.is_some() && given == 0);
            }
            Err(fault) => out.find(finding(&fault).entry(index)),
        }
        self.officers.take(LeafIndex(index), record);
    }

    pub fn finish(&self, out: &mut Outcome) {
        if self.redacted > 0 {
            out.not_checked(format!("signatures over {} requests of which fields were redacted since", self.redacted));
        }
        if self.asserted > 0 {
            out.not_checked(format!(
                "who approved {} entries: approvals asserted by the operator, not signed by the approvers",
                self.asserted
            ));
        }
    }
}

fn finding(fault: &SignatureFault) -> Finding {
    let (code, field): (Code, &str) = match fault {
        SignatureFault::ApprovalsMissing | SignatureFault::Count { .. } | SignatureFault::Alone => (codes::APPROVAL_MISSING, "approvals"),
        SignatureFault::Unsigned(_) => (codes::APPROVAL_MISSING, "signed"),
        SignatureFault::Form(_) | SignatureFault::Wrong(_) => (codes::OFFICER_SIGNATURE, ""),
        SignatureFault::Key(_) | SignatureFault::Second => (codes::OFFICER_SIGNATURE_KEY, ""),
        SignatureFault::Unsound(_) | SignatureFault::Enrolled(_) | SignatureFault::NotEnrolled(_) => (codes::OFFICER_KEY, "key"),
    };
    let finding = Finding::new(code, fault.to_string());
    if field.is_empty() { finding } else { finding.field(field) }
}
