//! Whose filings an ethics office works on: its own agency's, and those that a routine use lets it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use countersign_conflict::Refusal;
use countersign_entry::ids::{LeafIndex, OrganizationId, PersonId};
use countersign_entry::record::*;
use countersign_entry::time::DAY;
use countersign_testing::scene::*;

/// The ethics officer of the bureau, which is not the agency that keeps the ledger.
const BUREAU_ETHICS: &str = "pr-bureau";

fn organization(id: &str, parent: Option<&str>) -> Organization {
    Organization {
        id: text(id),
        name: text(id),
        kind: OrganizationKind::Agency,
        parent: parent.map(text),
        ethics_office: None,
        supersedes: None,
    }
}

fn serving(id: &str, organization: &str) -> Person {
    Person { organization: text(organization), ..person(id) }
}

/// With a bureau, one office of it, and the agency of somebody else.
fn scene() -> Scene {
    let mut scene = Scene::new();
    for made in [organization("bureau", None), organization("office", Some("bureau")), organization("elsewhere", None)] {
        scene.must(OPERATOR, made);
    }
    for made in [serving("P-head", "bureau"), serving("P-clerk", "office"), serving("P-yonder", "elsewhere"), serving("P-keeper", "agency")]
    {
        scene.must(OPERATOR, made);
    }
    scene.must(OPERATOR, principal(BUREAU_ETHICS, Some("P-head"), Role::EthicsOfficer));
    scene.must(OPERATOR, principal("pr-keeper", Some("P-keeper"), Role::EthicsOfficer));
    scene
}

fn refused(r: Result<LeafIndex, Refusal>) -> bool {
    match r {
        Err(Refusal::OtherAgency) => true,
        Ok(_) => false,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_ethics_office_records_and_decides_for_its_own_agency() {
    let mut scene = scene();
    let own = |n: u32, of: &str| holding(&format!("h-{n}"), of, Some(LAB_ISSUER), "2026-05-20");
    for (n, (of, theirs)) in [("P-head", true), ("P-clerk", true), ("P-yonder", false), (SUBJECT, false)].into_iter().enumerate() {
        let n = u32::try_from(n).unwrap();
        assert_eq!(refused(scene.record(BUREAU_ETHICS, own(n, of))), !theirs, "{of}");
        // Whoever serves where the ledger is kept, and an account that stands for nobody.
        assert!(!refused(scene.record("pr-keeper", own(n + 10, of))) && !refused(scene.record(ETHICS, own(n + 20, of))), "{of}");
    }
    // What was another's is not taken over by naming somebody of one's own.
    let taken = Holding { person: text("P-clerk"), ..own(13, SUBJECT) };
    let taken = scene.superseding(taken);
    assert!(refused(scene.record(BUREAU_ETHICS, taken)));

    // What more than the ethics role may record is nobody's filing.
    let mut both = principal(BUREAU_ETHICS, Some("P-head"), Role::EthicsOfficer);
    both.roles.push(Role::AccessOfficer);
    scene.must(OPERATOR, scene.superseding(both));
    assert!(!refused(scene.record(BUREAU_ETHICS, agreement("P-yonder", AgreementKind::AccessTerms))));
    assert!(refused(scene.record(BUREAU_ETHICS, recusal("rc-far", "P-yonder", &format!("provider:{LAB}")))));
    // They ask before their own trades as everybody does.
    assert!(!refused(scene.record(BUREAU_ETHICS, asks("P-head", Some(FAR_ISSUER), "2026-06-08", "2026-06-09"))));
    assert!(refused(scene.record(BUREAU_ETHICS, asks("P-yonder", Some(FAR_ISSUER), "2026-06-08", "2026-06-09"))));
    assert!(scene.replay().is_empty());
}

#[test]
fn access_is_taken_away_by_whoever_may_and_opened_by_their_own() {
    let mut scene = scene();
    // Who has signed nothing is referred.
    let grant = scene.request("P-yonder");
    assert!(refused(scene.record(BUREAU_ETHICS, move_to(grant, GrantState::EthicsReview))));
    assert!(!refused(scene.record(ETHICS, move_to(grant, GrantState::EthicsReview))));
    assert!(!refused(scene.record(BUREAU_ETHICS, move_to(grant, GrantState::Revoked))));
    assert!(scene.replay().is_empty());
}

#[test]
fn policy_names_routine_uses_and_they_hold_from_its_day() {
    let mut scene = scene();
    let bureau: OrganizationId = text("bureau");
    let far: PersonId = text("P-yonder");
    let office: OrganizationId = text("office");
    let used = RoutineUse { filers_of: text("elsewhere"), seen_by: bureau.clone(), authority: text("91 FR 1 (invented)") };
    let effective_from = scene.now().plus(DAY);
    scene.must(OPERATOR, scene.superseding(Policy { version: 2, effective_from, routine_uses: vec![used], ..policy() }));
    let sees = |scene: &Scene, of: &OrganizationId, person: &PersonId| scene.facts().in_reach(Some(of), person, scene.now());
    assert!(!sees(&scene, &bureau, &far));
    scene.advance(2 * DAY);
    assert!(sees(&scene, &bureau, &far) && sees(&scene, &office, &far));
    // It goes one way, and to nobody else's people.
    assert!(!sees(&scene, &text("elsewhere"), &text("P-clerk")) && !sees(&scene, &bureau, &text(SUBJECT)));
    assert!(!refused(scene.record(BUREAU_ETHICS, holding("h-1", "P-yonder", Some(LAB_ISSUER), "2026-05-20"))));
    // Nobody knows whose filings those of an unknown person are.
    assert!(!sees(&scene, &bureau, &text("P-nobody")));
}

#[test]
fn nobody_is_brought_into_reach_by_whoever_wants_to_see_them() {
    let mut scene = scene();
    for taken in [serving("P-yonder", "bureau"), Person { name: text("Another"), ..serving("P-yonder", "elsewhere") }] {
        assert!(refused(scene.record(BUREAU_ETHICS, scene.superseding(taken))));
    }
    let under = scene.superseding(organization("elsewhere", Some("bureau")));
    assert!(refused(scene.record(BUREAU_ETHICS, under.clone())));
    assert!(refused(scene.record(BUREAU_ETHICS, serving("P-new1", "elsewhere"))));
    for own in [serving("P-new2", "office").into(), organization("desk", Some("bureau")).into()] {
        let own: Record = own;
        assert!(!refused(scene.record(BUREAU_ETHICS, own)));
    }
    // Whoever keeps the directory says who serves where.
    scene.must(OPERATOR, under);
    assert!(scene.facts().in_reach(Some(&text("bureau")), &text("P-yonder"), scene.now()));
    assert!(scene.replay().is_empty());
}

#[test]
fn organizations_that_go_round_in_a_circle_end() {
    let mut scene = scene();
    let circle = Organization { parent: Some(text("office")), ..organization("bureau", None) };
    scene.must(OPERATOR, scene.superseding(circle));
    assert!(!scene.facts().in_reach(Some(&text("bureau")), &text(SUBJECT), scene.now()));
}
