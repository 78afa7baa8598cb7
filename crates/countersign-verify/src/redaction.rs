//! Redactions against what is stored (ledger-format section 5). A rewritten record comes before the redaction that explains it, so records
//! that do not match their leaf wait here until the end.

use std::collections::{BTreeMap, BTreeSet};

use countersign_entry::content::{COMMON, Meta, SIGNED};

use crate::codes;
use crate::fields::{FieldFault, Fields};
use crate::report::{Finding, Outcome};
use crate::source::At;

/// Rewritten records kept track of, about 200 bytes each.
const TARGETS_MAX: usize = 500_000;

/// A stored record of kind 1 that does not hash to its leaf's `sealed_hash`.
pub(crate) struct Rewritten {
    pub sealed_hash: [u8; 32],
    pub stored_hash: [u8; 32],
    pub key_id: Option<u32>,
    pub file: String,
    pub offset: u64,
    /// What the record says, where it opened: its actor and the names of its erased fields.
    pub opened: Option<(String, BTreeSet<String>)>,
}

struct Order {
    index: u64,
    fields: BTreeSet<String>,
    approvers: BTreeSet<String>,
    key_id: u32,
    resealed_hash: [u8; 32],
}

/// All redactions and all rewritten records.
#[derive(Default)]
pub(crate) struct Redactions {
    orders: BTreeMap<u64, Vec<Order>>,
    rewritten: BTreeMap<u64, Rewritten>,
    /// Indexes of the entries that are not of kind 1, ascending.
    not_kind_1: Vec<u64>,
}

impl Redactions {
    pub fn not_kind_1(&mut self, index: u64) {
        self.not_kind_1.push(index);
    }

    pub fn rewritten(&mut self, index: u64, record: Rewritten, out: &mut Outcome) {
        if self.rewritten.len() < TARGETS_MAX {
            self.rewritten.insert(index, record);
        } else {
            out.find(Finding::new(codes::TOO_MANY, codes::TOO_MANY.meaning).entry(index).file(&record.file));
        }
    }

    /// A redaction at `index`; gives the data key it writes under.
    pub fn order(&mut self, index: u64, meta: &Meta, fields: &Fields<'_>, out: &mut Outcome) -> Result<u32, FieldFault> {
        fields.only(&["target", "fields", "key_id", "authority", "approvers", "resealed_hash"], &["approvals", SIGNED])?;
        fields.text("authority")?;
        let target = fields.uint("target")?;
        let names: Vec<&str> = fields.texts("fields")?;
        let approvers: BTreeSet<String> = fields.texts("approvers")?.into_iter().map(str::to_owned).collect();
        let (key_id, resealed_hash) = (fields.key_id("key_id")?, fields.hash("resealed_hash")?);
        out.count("redactions");
        let mut find = |code, field: &str, detail: String| out.find(Finding::new(code, detail).entry(index).field(field));
        if target >= index || self.not_kind_1.binary_search(&target).is_ok() {
            find(codes::REDACTION_TARGET, "target", format!("entry {target} is not an earlier entry of kind 1"));
            return Ok(key_id);
        }
        if approvers.len() < 2 || approvers.contains(&meta.actor) {
            find(codes::REDACTION_APPROVERS, "approvers", "two or more different approvers are needed, none of them the actor".to_owned());
        }
        let orders = self.orders.entry(target).or_default();
        let mut erased = BTreeSet::new();
        for name in names {
            let again = orders.iter().any(|o| o.fields.contains(name)) || !erased.insert(name.to_owned());
            if again || COMMON.contains(&name) || name == SIGNED {
                let why = if again { "is erased already" } else { "can never be erased" };
                find(codes::REDACTION_FIELD, "fields", format!("{name:?} of entry {target} {why}"));
            }
        }
        orders.push(Order { index, fields: erased, approvers, key_id, resealed_hash });
        Ok(key_id)
    }

    /// Holds every rewritten record against the redactions of its entry, and the other way round.
    pub fn finish(self, out: &mut Outcome) {
        for (index, record) in &self.rewritten {
            match self.orders.get(index) {
                Some(orders) => record.hold(*index, orders, out),
                None => {
                    let detail = format!(
                        "the stored record hashes to {}, the leaf states {}",
                        hex::encode(record.stored_hash),
                        hex::encode(record.sealed_hash)
                    );
                    out.find(record.finding(codes::SEALED_HASH, *index, detail));
                }
            }
        }
        for (target, orders) in &self.orders {
            if !self.rewritten.contains_key(target) {
                let by = orders.last().map_or(0, |o| o.index);
                let detail = format!("redacted by entry {by}, and no rewritten record is stored");
                out.find(Finding::new(codes::REDACTION_NOT_DONE, detail).entry(*target));
            }
        }
    }
}

impl Rewritten {
    fn hold(&self, index: u64, orders: &[Order], out: &mut Outcome) {
        let Some(newest) = orders.last() else { return };
        if self.stored_hash != newest.resealed_hash {
            let detail = format!(
                "the stored record hashes to {}, redaction {} states {}",
                hex::encode(self.stored_hash),
                newest.index,
                hex::encode(newest.resealed_hash)
            );
            out.find(self.finding(codes::REDACTION_HASH, index, detail));
        }
        for order in orders {
            if order.resealed_hash == self.sealed_hash {
                let detail = format!("resealed_hash equals sealed_hash of entry {index}: nothing was rewritten");
                out.find(Finding::new(codes::REDACTION_HASH, detail).entry(order.index).field("resealed_hash"));
            }
            if self.key_id.is_some_and(|key_id| key_id != order.key_id) {
                let detail = format!("key_id {} is not that of entry {index}", order.key_id);
                out.find(Finding::new(codes::REDACTION_KEY, detail).entry(order.index).field("key_id"));
            }
        }
        self.hold_content(index, orders, out);
    }

    fn hold_content(&self, index: u64, orders: &[Order], out: &mut Outcome) {
        let Some((actor, erased)) = &self.opened else { return };
        for order in orders.iter().filter(|o| o.approvers.contains(actor)) {
            let detail = format!("the actor of entry {index} approves its redaction");
            out.find(Finding::new(codes::REDACTION_APPROVERS, detail).entry(order.index).field("approvers"));
        }
        let redacted: BTreeSet<&String> = orders.iter().flat_map(|o| &o.fields).collect();
        for name in redacted.iter().filter(|name| !erased.contains(**name)) {
            out.find(self.finding(codes::REDACTION_ERASED, index, "redacted and not erased".to_owned()).field(name));
        }
        for name in erased.iter().filter(|name| !redacted.contains(name)) {
            out.find(self.finding(codes::REDACTION_ERASED, index, "erased and not redacted".to_owned()).field(name));
        }
    }

    fn finding(&self, code: codes::Code, index: u64, detail: String) -> Finding {
        Finding::new(code, detail).entry(index).at(At { file: &self.file, offset: self.offset })
    }
}
