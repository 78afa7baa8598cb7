//! One entry's content with some of its fields: what is left out stands as its commitment, so that the content's hash still computes and every field
//! that is shown proves (ledger-format section 4).

use countersign_entry::content::{COMMON, Content};

use crate::open::{Ledger, OpenError, damaged};
use crate::stored::content_of;

impl Ledger {
    /// The canonical bytes of an entry's content with the four common fields and those that `shown` picks; all others are erased in it.
    ///
    /// # Errors
    /// The index is not committed, or the entry does not open.
    pub fn disclosed(&self, index: u64, shown: impl Fn(&str) -> bool) -> Result<Vec<u8>, OpenError> {
        // Opened once as every reader does, which holds the record against its leaf.
        self.entry(index)?;
        let sealed = self.store.read(index)?.sealed;
        let bytes = content_of(index, &sealed, &self.keys, &self.state.origin_hash)?;
        let mut content = Content::decode(&bytes).map_err(|e| damaged(index, e))?;
        let hidden = |key: &&str| !COMMON.contains(key) && !shown(key);
        let keys: Vec<String> = content.fields().iter().map(|(key, _)| key.as_str()).filter(hidden).map(str::to_owned).collect();
        for key in keys {
            if let Some(left) = content.erase(&key).map_err(|e| damaged(index, e))? {
                content = left;
            }
        }
        Ok(content.encode().map_err(|e| damaged(index, e))?.bytes)
    }
}
