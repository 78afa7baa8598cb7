//! Section 9: what officers sign with their own keys. The ledger of the bases is none of the throw-away kind, so its keys change by signature alone.

use ciborium::Value;
use countersign_entry::content::Content;
use countersign_entry::cose::Sign1;
use countersign_entry::leaf::Kind;
use countersign_entry::record::Record;
use countersign_log::vkey::PublicKey;
use ed25519_dalek::SigningKey;

use super::{Base, Vector};
use crate::forge::{Forge, Plan, signing, texts};
use crate::officers::{public, sign};

/// Who approves.
pub(super) const APPROVERS: [&str; 2] = ["pr-aaaa0001", "pr-aaaa0002"];
/// Entries that [`enroll`] adds.
pub(super) const ENROLLED: usize = 2;

/// Enrols a key for each approver, on the operator's word: nobody is there to sign yet.
pub(super) fn enroll(forge: &mut Forge) {
    for who in APPROVERS {
        forge.push(enrolment(who, &signing(who)));
    }
}

/// The plan with a signature of each approver over it, as the next entry. A plan that is no record of its type has nothing to sign and stays as it is.
pub(super) fn approved(forge: &Forge, plan: Plan) -> Plan {
    let request = request(forge, &plan);
    match canonical(&forge.origin, &plan, &request) {
        Some(bytes) => with_approvals(plan, &APPROVERS.map(|who| sign(&signing(who), &bytes))),
        None => plan,
    }
}

pub(super) fn vectors(rotated: &Base) -> Vec<Vector> {
    // The rotation is as good as the base's, at the same place; what is signed, and by whom, is not.
    let mut before = rotated.forge.cut(7 + ENROLLED);
    let plan = super::keys::rotation_plan(&before);
    let index = before.parts.len();
    let (request, origin) = (request(&before, &plan), before.origin.clone());
    let [one, two] = APPROVERS.map(signing);
    let bytes = canonical(&origin, &plan, &request).unwrap();
    let case = |name: &str, wrong: &str, code: &str, forge: &Forge, plan: Plan| {
        let mut forge = forge.clone();
        forge.push(plan);
        super::keys::rotated_further(rotated, forge, name, wrong, code).entry(index)
    };
    let signed_by = |keys: [&SigningKey; 2], bytes: &[u8]| with_approvals(plan.clone(), &keys.map(|key| sign(key, bytes)));
    let good = signed_by([&one, &two], &bytes);
    let elsewhere = canonical("ledger.example/another", &plan, &request).unwrap();
    let another = canonical(&origin, &plan, "forged-0").unwrap();
    let by_another = canonical(&origin, &Plan { actor: "pr-00000009".into(), ..plan.clone() }, &request).unwrap();
    let mut out = vec![
        case("approvals-missing", "The approvers of the rotation did not sign.", "approval-missing", &before, plan.clone()),
        case(
            "approvals-one-of-two",
            "One of the two approvers signed.",
            "approval-missing",
            &before,
            with_approvals(plan.clone(), &[sign(&one, &bytes)]),
        ),
        case(
            "approvals-other-request",
            "The approvers signed another request.",
            "officer-signature",
            &before,
            signed_by([&one, &two], &another),
        ),
        case(
            "approvals-other-origin",
            "The approvers signed the same for another log.",
            "officer-signature",
            &before,
            signed_by([&one, &two], &elsewhere),
        ),
        case(
            "approvals-other-actor",
            "The approvers signed the same for another who asks.",
            "officer-signature",
            &before,
            signed_by([&one, &two], &by_another),
        ),
        case(
            "approvals-changed",
            "The reason was changed after the approvers signed.",
            "officer-signature",
            &before,
            good.clone().with("reason", "monthly".into()),
        ),
        case(
            "approvals-swapped",
            "The approvals stand in the other order.",
            "officer-signature-key",
            &before,
            signed_by([&two, &one], &bytes),
        ),
        case("approvals-same-twice", "One approver signed for both.", "officer-signature-key", &before, signed_by([&one, &one], &bytes)),
        case(
            "approvals-stranger",
            "A key that was never enrolled signed.",
            "officer-signature-key",
            &before,
            signed_by([&one, &signing("stranger")], &bytes),
        ),
        case("approvals-not-cose", "An approval is text in a byte string.", "officer-signature", &before, {
            with_approvals(plan.clone(), &[sign(&one, &bytes), b"approved".to_vec()])
        }),
        case("approvals-attached", "An approval carries the request.", "officer-signature", &before, {
            let attached = Sign1 { payload: Some(bytes.clone()), ..Sign1::decode(&sign(&two, &bytes)).unwrap() };
            with_approvals(plan.clone(), &[sign(&one, &bytes), attached.encode()])
        }),
    ];
    out.extend(enrolments(rotated, &before));
    out.extend(own(rotated, &before));
    let revocation = Plan::new(
        Kind::KeyEvent,
        "officer.revoked",
        [
            ("principal", APPROVERS[1].into()),
            ("key", Value::Bytes(public(&two))),
            ("reason", "card lost".into()),
            ("approvers", texts(&APPROVERS)),
        ],
    );
    let revocation = approved(&before, revocation);
    before.push(revocation);
    let plan = super::keys::rotation_plan(&before);
    let plan = approved(&before, plan);
    out.push(
        super::keys::rotated_further(
            rotated,
            {
                let mut forge = before.clone();
                forge.push(plan);
                forge
            },
            "approvals-revoked",
            "An approver signed with a key that was revoked.",
            "officer-signature-key",
        )
        .entry(index + 1),
    );
    out
}

/// Whoever asks signs for an access.
fn own(rotated: &Base, before: &Forge) -> Vec<Vector> {
    let access = super::redactions::access();
    let access = Plan { actor: APPROVERS[0].into(), ..access };
    let case = |name: &str, wrong: &str, code: &str, signed: Value| {
        let mut forge = before.clone();
        forge.push(access.clone().with("signed", signed));
        rotated.forged(name, wrong, code, &forge).entry(before.parts.len())
    };
    let request = request(before, &access);
    let signed = |key: &str, request: &str| Value::Bytes(sign(&signing(key), &canonical(&before.origin, &access, request).unwrap()));
    vec![
        case("signed-other-request", "Whoever asks signed another request.", "officer-signature", signed(APPROVERS[0], "forged-0")),
        case("signed-by-another", "Another officer signed for whoever asks.", "officer-signature-key", signed(APPROVERS[1], &request)),
        case("signed-text", "The signature of whoever asks is text.", "content-common", "approved".into()).field("signed"),
    ]
}

/// A third key, where two approvers have some.
fn enrolments(rotated: &Base, before: &Forge) -> Vec<Vector> {
    let third = enrolment("pr-aaaa0003", &signing("pr-aaaa0003"));
    let case = |name: &str, wrong: &str, code: &str, plan: Plan| {
        let mut forge = before.clone();
        forge.push(plan);
        rotated.forged(name, wrong, code, &forge).entry(before.parts.len())
    };
    let again = enrolment("pr-aaaa0003", &signing(APPROVERS[0]));
    let mut identity = PublicKey::from_spki(&public(&signing("pr-aaaa0003"))).unwrap().to_spki();
    identity[12..].fill(0);
    identity[12] = 1;
    let with_key = |key: Vec<u8>| approved(before, third.clone().with("key", Value::Bytes(key)));
    let stranger = Plan { type_name: "officer.revoked".into(), ..third.clone() };
    vec![
        case("enrolment-unsigned", "A third officer is enrolled on the operator's word.", "approval-missing", third.clone()),
        case("enrolment-of-anothers-key", "A key that is one officer's is enrolled for another.", "officer-key", approved(before, again)),
        case("enrolment-small-order", "The key of an enrolled officer is of small order.", "officer-key", with_key(identity)),
        case("enrolment-no-key", "The key of an enrolled officer is no SubjectPublicKeyInfo.", "officer-key", with_key(vec![0x30; 44])),
        case("officer-revoked-stranger", "A key is revoked that was never enrolled.", "officer-key", approved(before, stranger)),
    ]
}

fn enrolment(who: &str, key: &SigningKey) -> Plan {
    let fields =
        [("principal", who.into()), ("key", Value::Bytes(public(key))), ("reason", "hired".into()), ("approvers", texts(&APPROVERS))];
    Plan::new(Kind::KeyEvent, "officer.enrolled", fields)
}

/// What [`Forge::push`] will name the request.
fn request(forge: &Forge, plan: &Plan) -> String {
    plan.request.clone().unwrap_or_else(|| format!("forged-{}", forge.parts.len()))
}

fn canonical(origin: &str, plan: &Plan, request: &str) -> Option<Vec<u8>> {
    let mut fields = plan.fields.clone();
    fields.extend([
        ("type".to_owned(), plan.type_name.as_str().into()),
        ("at".to_owned(), 0.into()),
        ("actor".to_owned(), plan.actor.as_str().into()),
        ("request".to_owned(), request.into()),
    ]);
    let record = Record::from_content(&Content::new(fields, || [0; 16])).ok()?;
    record.canonical_request(origin, &plan.actor, request).ok()
}

fn with_approvals(plan: Plan, approvals: &[Vec<u8>]) -> Plan {
    plan.with("approvals", Value::Array(approvals.iter().cloned().map(Value::Bytes).collect()))
}
