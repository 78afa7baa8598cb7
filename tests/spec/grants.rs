//! The slow, obvious oracle of what comes after access: for each grant, from the list of entries alone, where it must stand once everything due by
//! a time is recorded. It keeps no timer and shares no code with what does.

use countersign_entry::ids::{Date, LeafIndex};
use countersign_entry::record::*;
use countersign_testing::scene::Entry;

/// Where a grant must stand at a time: `None` where nothing is said here of it (access is not over, or was never open).
pub fn after_access(entries: &[Entry], grant: LeafIndex, now: u64) -> Option<GrantState> {
    let Record::GrantRequest(request) = &entries.iter().find(|e| e.index == grant.0)?.record else { return None };
    let moves = || {
        entries.iter().filter_map(move |e| match &e.record {
            Record::GrantTransition(t) if t.grant == grant => Some((e.index, t.result?)),
            _ => None,
        })
    };
    let opened = moves().any(|(_, to)| to == GrantState::Active);
    let ended = moves().find(|(_, to)| matches!(to, GrantState::Expired | GrantState::Revoked | GrantState::Departed))?;
    if !opened {
        return None;
    }
    // Walked hour by hour it would come to the same: the clocks of each state of the entries, from the ending on.
    let mut closed = false;
    for n in 0..=entries.len() {
        let known = &entries[..n];
        if !known.iter().any(|e| e.index == ended.0) {
            continue;
        }
        let until = entries.get(n).map_or(now, |next| next.meta.at.saturating_sub(1).min(now));
        closed |= over(known, &request.submission, &request.person).is_some_and(|over| over <= until);
    }
    Some(if closed { GrantState::Closed } else { GrantState::CoolingOff })
}

/// When release, cleansing and, for whoever left and was bound by 18 U.S.C. 207, two years are over.
fn over(entries: &[Entry], submission: &countersign_entry::ids::SubmissionId, person: &countersign_entry::ids::PersonId) -> Option<u64> {
    let submission = entries.iter().rev().find_map(|e| match &e.record {
        Record::Submission(s) if s.id == *submission => Some(s),
        _ => None,
    })?;
    let (released, cleansed) = (submission.public_release_at?.value(), submission.cleansed_at?.value());
    let mut over = released.max(cleansed);
    let mut left: Option<(u64, PersonStatus)> = None;
    let mut status = None;
    for e in entries {
        let Record::Person(p) = &e.record else { continue };
        if p.id != *person {
            continue;
        }
        match (status, p.status) {
            (Some(before), PersonStatus::Former) if before != PersonStatus::Former => left = Some((e.meta.at, before)),
            (_, PersonStatus::Former) => {}
            _ => left = None,
        }
        status = Some(p.status);
    }
    if let Some((at, before)) = left
        && ![PersonStatus::Contractor, PersonStatus::Ffrdc, PersonStatus::Partner, PersonStatus::Enlisted].contains(&before)
    {
        let day = Date::of(countersign_entry::time::Micros::EPOCH.plus(at));
        let years: u64 = day.as_str()[..4].parse::<u64>().ok()? + 2;
        let same = Date::new(format!("{years}{}", &day.as_str()[4..])).or_else(|_| Date::new(format!("{years}-02-28"))).ok()?;
        over = over.max(same.start()?.value());
    }
    Some(over)
}
