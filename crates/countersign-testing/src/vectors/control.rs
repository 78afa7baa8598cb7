//! Sections 4 and 6: genesis and the files under `control/`.

use ciborium::Value;
use countersign_log::encoding::base64;
use countersign_log::vkey::key_id;
use countersign_verify::Verdict;

use super::{Base, Vector};
use crate::forge::{Forge, note, signing, texts, vkey};

pub(super) fn vectors(base: &Base) -> Vec<Vector> {
    let mut out = vec![
        base.edited("control-differs", "A bit of control/0 is flipped.", "control-differs", |f| f.get_mut("control/0").unwrap()[40] ^= 1)
            .entry(0)
            .file("control/0"),
        base.edited("control-cut", "The last byte of control/0 is missing.", "control-differs", |f| {
            f.get_mut("control/0").unwrap().pop();
        })
        .entry(0)
        .file("control/0"),
        base.edited("control-missing", "control/0 is missing.", "file-missing", |f| drop(f.remove("control/0"))).entry(0).file("control/0"),
    ];
    out.extend(genesis(base));
    out
}

fn genesis(base: &Base) -> Vec<Vector> {
    let with = |name: &str, value: Value| {
        let mut forge = base.forge.clone();
        forge.set_field(0, name, value);
        forge
    };
    let case =
        |name: &str, wrong: &str, code: &str, forge: &Forge, field: &str| base.forged(name, wrong, code, forge).entry(0).field(field);
    let own = base.forge.vkey().to_string();
    let stranger = vkey(&base.forge.origin, &signing("stranger")).to_string();
    let mut small_order = [0; 32];
    small_order[0] = 1;
    let id = key_id(&base.forge.origin, 1, &small_order);
    let small_order = format!("{}+{id}+{}", base.forge.origin, base64(&[&[1], &small_order[..]].concat()));
    let mut without = base.forge.clone();
    without.edit_content(0, |fields| fields.retain(|(n, _)| n != "keys"));
    vec![
        case(
            "genesis-origin",
            "Genesis names another origin than the checkpoint.",
            "genesis-origin",
            &with("origin", "ledger.example/another".into()),
            "origin",
        ),
        case("genesis-format", "Genesis states format 2.", "genesis-format", &with("format", 2.into()), "format"),
        case(
            "genesis-other-key",
            "Genesis lists a key that is not the pinned one, and the pinned one signs.",
            "genesis-without-key",
            &with("keys", texts(&[&stranger])),
            "keys",
        )
        .verdict(Verdict::Untrusted),
        case("genesis-no-keys", "Genesis lists no key.", "genesis-without-key", &with("keys", texts(&[])), "keys")
            .verdict(Verdict::Untrusted),
        case(
            "genesis-unsound-key",
            "Genesis lists a key of small order beside the pinned one.",
            "genesis-keys",
            &with("keys", texts(&[&own, &small_order])),
            "keys",
        ),
        case("genesis-without-keys-field", "Genesis has no field keys.", "control-fields", &without, "keys"),
        another_log(base),
    ]
}

/// A ledger of another name, right in itself, signed with the pinned key under the pinned name.
fn another_log(base: &Base) -> Vector {
    let origin = "ledger.example/another";
    let mut forge = base.forge.clone();
    forge.origin = origin.to_owned();
    for index in 1..forge.parts.len() {
        if let Some((scheme, key_id)) = base.forge.sealed_with(index) {
            let record = forge.seal_as(index, &base.forge.opened(index), scheme, key_id, &base.keys[&key_id], origin);
            let sealed_hash = crate::forge::sha(&record);
            forge.store(index, record);
            forge.edit_leaf(index, |l| l.sealed_hash = sealed_hash);
        }
    }
    forge.relink(0);
    forge.set_field(0, "origin", origin.into());
    let signed = note(&forge.text(forge.size()), &[(&base.forge.origin, &forge.signing)]);
    base.vector(
        "checkpoint-other-origin",
        "A ledger of another origin, signed with the pinned key.",
        "wrong-origin",
        forge.export_under(signed),
        true,
    )
    .verdict(Verdict::Untrusted)
    .file("checkpoint")
    .line(1)
}
