//! The slow, obvious oracle of exposures: edges tried over and over until nothing new is reached. It keeps no index and shares no code with what
//! follows them.

use countersign_entry::ids::{Date, IssuerId};
use countersign_entry::record::*;

/// One way to an issuer: the issuer, the farthest tier on the way, whether every edge on it is confirmed.
pub type Way = (IssuerId, u8, bool);

/// Whether edges of a day lead from the developer of a matter to an issuer, each of them saying that one is the other; and whether by confirmed ones.
#[allow(dead_code, reason = "not every test that has this oracle asks who is a party")]
pub fn party(edges: &[&Exposure], matter: &Submission, day: &Date, issuer: &IssuerId) -> Option<bool> {
    let same: Vec<&Exposure> = edges.iter().copied().filter(|e| e.relation == Relation::Is).collect();
    let found: Vec<bool> = ways(&same, matter, day).into_iter().filter(|(id, ..)| id == issuer).map(|(_, _, sure)| sure).collect();
    if found.is_empty() { None } else { Some(found.contains(&true)) }
}

/// Every way, in no order, that edges of a day lead from a submission to an issuer in at most four steps.
pub fn ways(edges: &[&Exposure], matter: &Submission, day: &Date) -> Vec<Way> {
    // A place reached, with the tier and certainty of the way, and whether the way goes on from there.
    let mut reached: Vec<(String, u8, bool)> =
        vec![(format!("provider:{}", matter.provider), 1, true), (format!("submission:{}", matter.id), 1, true)];
    reached.extend(matter.model.iter().map(|m| (format!("model:{m}"), 1, true)));
    let mut out = Vec::new();
    for _ in 0..4 {
        let mut next = Vec::new();
        for (place, tier, sure) in &reached {
            for edge in edges {
                let begun = edge.valid_from.as_ref().is_none_or(|d| d.as_str() <= day.as_str());
                let over = edge.valid_to.as_ref().is_some_and(|d| d.as_str() < day.as_str());
                if edge.from.to_string() != *place || !begun || over {
                    continue;
                }
                let here = (edge.to.to_string(), (*tier).max(edge.tier.into()), *sure && edge.confirmed);
                if let Node::Issuer(id) = &edge.to {
                    out.push((id.clone(), here.1, here.2));
                }
                let same_company = edge.relation == Relation::Is || edge.relation == Relation::OwnedBy;
                if edge.to.to_string().starts_with("host:") || same_company {
                    next.push(here);
                }
            }
        }
        reached = next;
    }
    out
}
