//! Data keys over time: created once, used only between creation and destruction, and given keys held against their check.

use std::collections::BTreeMap;

use countersign_entry::content::SIGNED;
use countersign_entry::seal::DataKey;

use crate::codes;
use crate::fields::{FieldFault, Fields};
use crate::report::{Finding, Outcome};

struct State {
    key: Given,
    destroyed_at: Option<u64>,
    /// Records were opened under it.
    used: bool,
}

enum Given {
    /// Passed its check.
    Good(DataKey),
    /// Was not given.
    Not,
    /// Was given and is another key.
    Wrong,
}

#[derive(Default)]
struct Unopened {
    count: u64,
    first: u64,
    last: u64,
}

/// The data keys of one log.
pub(crate) struct DataKeys<'o> {
    given: Option<&'o BTreeMap<u32, [u8; 32]>>,
    states: BTreeMap<u32, State>,
    unopened: BTreeMap<u32, Unopened>,
}

impl<'o> DataKeys<'o> {
    pub fn new(given: Option<&'o BTreeMap<u32, [u8; 32]>>) -> Self {
        Self { given, states: BTreeMap::new(), unopened: BTreeMap::new() }
    }

    pub fn created(&mut self, index: u64, fields: &Fields<'_>, out: &mut Outcome) -> Result<(), FieldFault> {
        fields.only(&["key_id", "check"], &[])?;
        let (key_id, check) = (fields.key_id("key_id")?, fields.hash("check")?);
        out.count("data-keys");
        if key_id == 0 || self.states.contains_key(&key_id) {
            let why = if key_id == 0 { "0 is not a key" } else { "this key_id exists already" };
            out.find(Finding::new(codes::DATAKEY_ID, format!("key_id {key_id}: {why}")).entry(index).field("key_id"));
            return Ok(());
        }
        let key = match self.given.and_then(|g| g.get(&key_id)) {
            None => Given::Not,
            Some(bytes) => {
                let key = DataKey::new(*bytes);
                if key.check(key_id) == check { Given::Good(key) } else { Given::Wrong }
            }
        };
        if matches!(key, Given::Wrong) {
            out.find(Finding::new(codes::KEY_CHECK, format!("the key given for key_id {key_id} fails its check")).entry(index));
        }
        self.states.insert(key_id, State { key, destroyed_at: None, used: false });
        Ok(())
    }

    /// Whether records were opened under it before: somebody kept a copy, and knows more than the ledger that went on.
    pub fn destroyed(&mut self, index: u64, fields: &Fields<'_>, out: &mut Outcome) -> Result<bool, FieldFault> {
        fields.only(&["key_id", "authority", "approvers"], &["approvals", SIGNED])?;
        fields.text("authority")?;
        fields.texts("approvers")?;
        let key_id = fields.key_id("key_id")?;
        if self.usable(index, key_id, "key_id", out)
            && let Some(state) = self.states.get_mut(&key_id)
        {
            state.destroyed_at = Some(index);
            return Ok(state.used);
        }
        Ok(false)
    }

    /// Whether the entry at `index` may use, or destroy, this key. Reports it if not.
    pub fn usable(&mut self, index: u64, key_id: u32, field: &str, out: &mut Outcome) -> bool {
        let finding = match self.states.get(&key_id) {
            None => Finding::new(codes::DATAKEY_UNKNOWN, format!("no earlier entry creates key_id {key_id}")),
            Some(State { destroyed_at: Some(at), .. }) => {
                Finding::new(codes::DATAKEY_DESTROYED, format!("key_id {key_id} was destroyed by entry {at}"))
            }
            Some(_) => return true,
        };
        out.find(finding.entry(index).field(field));
        false
    }

    /// The key, if it was given and passed its check. Otherwise the record counts as not opened.
    pub fn open(&mut self, index: u64, key_id: u32) -> Option<&DataKey> {
        match self.states.get_mut(&key_id) {
            Some(State { key: Given::Good(key), used, .. }) => {
                *used = true;
                Some(key)
            }
            _ => {
                let unopened = self.unopened.entry(key_id).or_insert(Unopened { count: 0, first: index, last: index });
                unopened.count += 1;
                unopened.last = index;
                None
            }
        }
    }

    /// Whether this key was given and passed its check.
    pub fn opens(&self, key_id: u32) -> bool {
        matches!(self.states.get(&key_id), Some(State { key: Given::Good(_), .. }))
    }

    /// Whether records stayed shut.
    pub fn any_unopened(&self) -> bool {
        !self.unopened.is_empty()
    }

    /// Lists, key by key, what was not opened; an asked-for record that stays shut for want of its key is *could not check*.
    pub fn finish(&self, out: &mut Outcome) {
        for (key_id, u) in &self.unopened {
            let Unopened { count, first, last } = u;
            let state = self.states.get(key_id);
            if let Some(at) = state.and_then(|s| s.destroyed_at) {
                out.not_checked(format!(
                    "contents under key_id {key_id}: {count} records from entry {first} to {last}, erased under #{at}"
                ));
                continue;
            }
            let given = self.given.is_some_and(|g| g.contains_key(key_id));
            let why = match state {
                Some(State { key: Given::Wrong, .. }) => "the key given fails its check",
                _ if given => "the key given was created by no entry before them",
                _ => "no key given",
            };
            out.not_checked(format!("contents under key_id {key_id}: {count} records from entry {first} to {last}, {why}"));
            if self.given.is_some() && !given {
                out.find(Finding::new(codes::KEYS_MISSING, format!("key_id {key_id}: {count} records were not opened")).entry(*first));
            }
        }
        let unknown = self.given.into_iter().flat_map(|g| g.keys()).filter(|k| !self.states.contains_key(k));
        for key_id in unknown {
            out.not_checked(format!("the key given for key_id {key_id}: this log creates no such key"));
        }
    }
}
