//! Who may link a credential to a principal, and for whom it stands afterwards.
#![allow(clippy::unwrap_used, clippy::panic)]

use countersign_conflict::Refusal;
use countersign_entry::ids::{Date, Hash32};
use countersign_entry::record::{CredentialKind, CredentialLinked, CredentialRevoked, Principal, Record};
use countersign_testing::scene::{APPROVER, APPROVER_2, GATEWAY, OFFICER, OPERATOR, Scene, text};

fn linked(id: &str, principal: &str, kind: CredentialKind, subject: &str, approver: &str) -> CredentialLinked {
    CredentialLinked {
        id: text(id),
        principal: text(principal),
        kind,
        issuer: text("CN=Example CA"),
        subject: text(subject),
        secret_hash: (kind == CredentialKind::ApiKey).then_some(Hash32([7; 32])),
        valid_to: None,
        evidence: text("seen in person"),
        approver: text(approver),
    }
}

fn day(text: &str) -> Date {
    Date::new(text).unwrap()
}

#[test]
fn a_credential_stands_for_one_principal_until_it_is_revoked() {
    let mut scene = Scene::new();
    let card = linked("c-1", OFFICER, CredentialKind::Piv, "officer@agency.example", APPROVER);
    scene.must(OPERATOR, CredentialLinked { valid_to: Some(day("2026-07-01")), ..card.clone() });
    let stands = |scene: &Scene, on: &str| {
        let facts = scene.facts();
        let found = facts.principal_of_login(CredentialKind::Piv, "CN=Example CA", "officer@agency.example", &day(on));
        found.map(|(_, p)| p.record.id.to_string())
    };
    assert_eq!(stands(&scene, "2026-07-01").as_deref(), Some(OFFICER));
    assert_eq!(stands(&scene, "2026-07-02"), None, "past its last day");
    let again = CredentialLinked { id: text("c-2"), principal: text(GATEWAY), ..card.clone() };
    assert!(matches!(scene.record(OPERATOR, again.clone()), Err(Refusal::Invalid(_))), "one credential, one principal");
    scene.must(OPERATOR, CredentialRevoked { id: text("c-1"), reason: text("card lost") });
    assert_eq!(stands(&scene, "2026-06-02"), None);
    assert!(matches!(scene.record(OPERATOR, card), Err(Refusal::Exists { .. })), "an id is used once");
    scene.must(OPERATOR, again);
    assert_eq!(stands(&scene, "2026-06-02").as_deref(), Some(GATEWAY));
}

#[test]
fn a_disabled_principal_has_no_credentials() {
    let mut scene = Scene::new();
    scene.must(OPERATOR, linked("c-1", OFFICER, CredentialKind::Cac, "1234567890", APPROVER));
    let known = scene.facts().principal(&text(OFFICER)).unwrap().clone();
    scene.must(OPERATOR, Principal { disabled: true, supersedes: Some(known.index), ..known.record });
    assert!(scene.facts().principal_of_login(CredentialKind::Cac, "CN=Example CA", "1234567890", &day("2026-06-02")).is_none());
}

#[test]
fn three_people_stand_behind_a_link() {
    let mut scene = Scene::new();
    let refused = |scene: &mut Scene, actor: &str, link: CredentialLinked| scene.record(actor, Record::from(link)).unwrap_err();
    let card = |approver| linked("c-1", APPROVER, CredentialKind::Piv, "a@agency.example", approver);
    assert!(matches!(refused(&mut scene, OFFICER, card(APPROVER_2)), Refusal::Role { .. }));
    assert!(matches!(refused(&mut scene, OPERATOR, card(APPROVER)), Refusal::Invalid(_)), "its own approver");
    assert!(matches!(refused(&mut scene, OPERATOR, card(OFFICER)), Refusal::Invalid(_)), "no approver");
    assert!(matches!(
        refused(&mut scene, OPERATOR, linked("c-1", "pr-nobody", CredentialKind::Piv, "x", APPROVER)),
        Refusal::Unknown { .. }
    ));
    let wrong = linked("c-1", OFFICER, CredentialKind::OsUser, "uid:0", APPROVER);
    assert!(
        matches!(refused(&mut scene, OPERATOR, wrong), Refusal::Invalid(_)),
        "an operating system's user is no credential of the network"
    );
    scene.must(OPERATOR, card(APPROVER_2));
}

#[test]
fn a_key_of_an_interface_is_a_gateways_alone() {
    let mut scene = Scene::new();
    let key = |principal| linked("key-1", principal, CredentialKind::ApiKey, "key-1", APPROVER);
    assert!(matches!(scene.record(OPERATOR, key(OFFICER)), Err(Refusal::Invalid(_))));
    let bare = CredentialLinked { secret_hash: None, ..key(GATEWAY) };
    assert!(matches!(scene.record(OPERATOR, bare), Err(Refusal::Invalid(_))));
    scene.must(OPERATOR, key(GATEWAY));
}
