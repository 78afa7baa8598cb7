//! Backups, restores and declared losses through the real program.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::fs;
use std::process::Command;

use support::Scene;

/// A ledger with two approvers, and the vkey everybody pins.
fn scene() -> (Scene, String, [String; 2]) {
    let s = Scene::new();
    s.add(&["org", "add", "DIR", "--id", "nist", "--name", "NIST", "--kind", "agency"]);
    let approver = |name: &str| {
        let person = s.add(&["person", "add", "DIR", "--name", name, "--status", "civilian", "--organization", "nist"]);
        s.add(&["principal", "add", "DIR", "--person", &person, "--role", "approver"])
    };
    let approvers = [approver("Cy Approver"), approver("Di Approver")];
    let vkey = s.vkey();
    (s, vkey, approvers)
}

fn of(s: &Scene, name: &str) -> String {
    s.path(name).to_str().unwrap().to_owned()
}

#[test]
fn a_backup_is_checked_restored_and_what_it_lacks_declared_lost() {
    let (s, vkey, approvers) = scene();
    let (backup, again, passphrase) = (of(&s, "backup"), of(&s, "again"), of(&s, "led/keys/passphrase"));
    let made = s.json(&["backup", "create", "DIR", &backup]);
    let size = made["size"].as_u64().unwrap();
    assert_eq!((size, made["passphrase_left_out"].as_bool()), (s.size(), Some(true)));
    // Anybody can check the files without this program.
    let sums = Command::new("sha256sum").args(["--quiet", "-c", "manifest.sha256"]).current_dir(&backup).status().unwrap();
    assert!(sums.success());
    let keys = s.write("keys.json", s.run(&["export-keys", "DIR"]).exits(0).out);
    let checked = s.json(&["backup", "verify", &backup, "--vkey", &vkey, "--keys", &keys]);
    assert_eq!((checked["whole"].as_bool(), checked["report"]["verdict"].as_str()), (Some(true), Some("verified")), "{checked}");
    s.run(&["backup", "create", "DIR", &backup]).exits(5);
    s.run(&["status", &backup]).exits(3);

    // Acknowledged after the backup, and then lost with the disk. The head register is what is left of it.
    s.add(&["org", "add", "DIR", "--id", "later", "--name", "Later", "--kind", "agency"]);
    let newest = s.size();
    fs::copy(s.path("led/register/head"), s.path("newest")).unwrap();
    let head = of(&s, "newest");
    let told = s.run(&["restore", &again, "--from", &backup, "--head", &head, "--passphrase-file", &passphrase]).exits(10);
    assert!(told.out.contains(&format!("entries {size} to {} are missing", newest - 1)), "{}", told.out);
    let add = ["org", "add", &again, "--id", "fork", "--name", "Fork", "--kind", "agency", "--passphrase-file", &passphrase];
    s.run(&add).exits(10);
    let declare = |approvers: &[&String]| {
        let mut args =
            vec!["restore", &again, "--declare-loss", "--head", &head, "--reason", "the disk burnt", "--passphrase-file", &passphrase];
        approvers.iter().for_each(|approver| args.extend(["--approver", approver.as_str()]));
        s.run(&args)
    };
    declare(&[&approvers[0]]).exits(5);
    declare(&[&approvers[0], &approvers[0]]).exits(5);
    let done = declare(&[&approvers[0], &approvers[1]]).exits(0);
    assert!(done.out.contains(&format!("entries from {size} on are declared lost")), "{}", done.out);
    declare(&[&approvers[0], &approvers[1]]).exits(5);
    s.run(&add).exits(0);
    let verified = s.run(&["verify", &again, "--vkey", &vkey]).exits(0);
    assert!(verified.out.contains("declared lost by entry") && verified.out.contains("the disk burnt"), "{}", verified.out);
    let parts = s.json(&["migrate", "status", &again]);
    assert_eq!(parts["current"], true, "{parts}");
}

#[test]
fn a_damaged_backup_is_refused_and_named() {
    let (s, vkey, _) = scene();
    let backup = of(&s, "backup");
    s.run(&["backup", "create", "DIR", &backup]).exits(0);
    let path = s.path("backup/segments/0000000000000000.seg");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let told = s.run(&["backup", "verify", &backup, "--vkey", &vkey]);
    assert!(told.code >= 10 && told.out.contains("damaged  segments/0000000000000000.seg"), "{} {}", told.code, told.out);
    s.run(&["restore", &of(&s, "target"), "--from", &backup]).exits(10);
    s.run(&["status", &of(&s, "target")]).exits(3);
    s.run(&["backup", "verify", &of(&s, "nothing"), "--vkey", &vkey]).exits(3);
    s.run(&["restore", &of(&s, "target2")]).exits(2);
}

#[test]
fn parts_of_other_versions_are_told_and_left_alone() {
    let (s, ..) = scene();
    let told = s.run(&["migrate", "up", "DIR"]).exits(0);
    assert!(told.out.contains("nothing to carry forward"), "{}", told.out);
    let path = s.path("led/keys/data.keys");
    let newer = fs::read_to_string(&path).unwrap().replace("countersign data keys 1", "countersign data keys 9");
    fs::write(&path, &newer).unwrap();
    assert_eq!(s.json(&["migrate", "status", "DIR"])["current"], false);
    let refused = s.run(&["migrate", "up", "DIR"]).exits(5);
    assert!(refused.err.contains("Nothing was changed"), "{}", refused.err);
    assert_eq!(fs::read_to_string(&path).unwrap(), newer);
}

/// Data keys end when what they seal has been kept long enough, and not because somebody asks.
#[test]
fn a_data_key_is_not_destroyed_before_its_time() {
    let (s, vkey, approvers) = scene();
    let listed = s.json(&["key", "compartments", "DIR"]);
    let names: Vec<&str> = listed["compartments"].as_array().unwrap().iter().map(|row| row["compartment"].as_str().unwrap()).collect();
    assert!(
        names.iter().all(|name| name.starts_with("directory ")) && names.len() > 1,
        "what is about one person has a key of its own: {listed}"
    );
    let directory = names[0];
    let erase = |compartment: &str| {
        let [one, two] = [approvers[0].as_str(), approvers[1].as_str()];
        s.run(&["key", "erase", "DIR", compartment, "--authority", "retention schedule", "--approver", one, "--approver", two]).exits(5)
    };
    let size = s.size();
    assert!(erase(directory).err.contains("it is not erased"));
    assert!(erase("submission:S-1 2020").err.contains("there is no compartment"));
    assert_eq!(s.size(), size);
    s.run(&["verify", "DIR", "--vkey", &vkey]).exits(0);
}
