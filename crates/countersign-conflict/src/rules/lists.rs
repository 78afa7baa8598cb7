//! Restricted lists bar trading where they have an authority; watch lists change nothing anybody but the ethics role can see.

use countersign_entry::record::{ListKind, Outcome, Verdict, WATCH_ITEMS_MAX};

use super::{Rule, Sheet};
use crate::assess::Question;

pub(super) fn restricted(q: &Question<'_>, rule: &Rule, sheet: &mut Sheet) {
    q.listed(ListKind::Restricted, |item, list, touch| {
        // No authority, no prohibition (5 CFR 2635.403); an unconfirmed edge may refer, never block.
        let sure = list.record.authority.is_some() && touch.is_none_or(|t| t.confirmed);
        let mut evidence = vec![item.index, list.index];
        evidence.extend(touch.into_iter().flat_map(|t| &t.via));
        sheet.add(rule, Verdict::Trade, if sure { Outcome::Block } else { Outcome::Refer }, evidence);
    });
}

pub(super) fn watched(q: &Question<'_>, _: &Rule, sheet: &mut Sheet) {
    q.listed(ListKind::Watch, |item, _, _| sheet.watch.push(item.index));
    sheet.watch.sort_unstable();
    sheet.watch.dedup();
    // As many as an entry has room for; whoever looks into one case sees the list.
    sheet.watch.truncate(WATCH_ITEMS_MAX);
}
