//! The key files: what opens them, what does not, and that no changed byte of them goes unnoticed.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use countersign_log::vkey::VKey;
use countersign_sign::datakeys::{self, DataKeyInfo, DataKeys, DataKeysError};
use countersign_sign::keyfile::{DataKeysFile, FileFault, Hex, KeyFile, SigningKeyFile, check_file};
use countersign_sign::passphrase::{Passphrase, PassphraseError, generate_passphrase_file};
use countersign_sign::software::{KeyFileError, SoftwareSigner};
use countersign_sign::unlock::Unlock;
use countersign_sign::{RandomError, SignError, Signer, os_random};

const ORIGIN: &str = "ledger.agency.example/software";

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn signer(&self, unlock: &mut Unlock) -> SoftwareSigner {
        SoftwareSigner::create(&self.path("signing.json"), ORIGIN, unlock, &mut os_random).unwrap()
    }

    fn data_keys(&self, unlock: &mut Unlock) -> DataKeys {
        DataKeys::create(&self.path("data-keys.json"), ORIGIN, unlock, &mut os_random).unwrap()
    }
}

fn unlock(passphrase: &str) -> Unlock {
    Unlock::new(Passphrase::new(passphrase).unwrap())
}

/// Randomness that counts up from `seed`: the same each time.
fn seeded(mut seed: u8) -> impl FnMut(&mut [u8]) -> Result<(), RandomError> {
    move |bytes| {
        bytes.fill(seed);
        seed = seed.wrapping_add(1);
        Ok(())
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Every bit of a file flipped, every byte of it cut off, and one added, must be noticed by `check`.
fn assert_every_change_is_noticed(whole: &[u8], check: impl Fn(&[u8]) -> bool) {
    assert!(check(whole));
    for bit in 0..whole.len() * 8 {
        let mut bytes = whole.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(!check(&bytes), "bit {} of byte {} ({:?})", bit % 8, bit / 8, whole[bit / 8] as char);
    }
    (0..whole.len()).for_each(|len| assert!(!check(&whole[..len]), "cut to {len} bytes"));
    for extra in [b'\n', b' ', b'x', 0] {
        assert!(!check(&[whole, &[extra]].concat()));
        assert!(!check(&[&[extra], whole].concat()));
    }
}

#[test]
fn a_key_signs_and_opens_again() {
    let place = Place::new();
    let mut signer = place.signer(&mut unlock("correct horse"));
    let signature = signer.sign(b"a checkpoint\n").unwrap();
    signer.vkey().public_key().verify(b"a checkpoint\n", &signature).unwrap();
    signer.vkey().public_key().verify(b"another\n", &signature).unwrap_err();
    assert!(matches!(signer.sign(b""), Err(SignError::Refused(_))));
    assert_eq!(signer.vkey().name(), ORIGIN);
    let mut again = SoftwareSigner::open(&place.path("signing.json"), ORIGIN, &mut unlock("correct horse")).unwrap();
    assert_eq!(again.sign(b"a checkpoint\n").unwrap(), signature);
    assert_eq!(again.vkey(), signer.vkey());
    assert_eq!(mode(&place.path("signing.json")), 0o600);
    let exists = SoftwareSigner::create(&place.path("signing.json"), ORIGIN, &mut unlock("x"), &mut os_random);
    assert!(matches!(exists, Err(KeyFileError::AlreadyExists(_))));
    let missing = SoftwareSigner::open(&place.path("nothing"), ORIGIN, &mut unlock("x"));
    assert!(matches!(missing, Err(KeyFileError::Missing(_))));
}

/// The public key of a known seed (RFC 8032, section 7.1, test 1).
#[test]
fn a_seed_gives_its_public_key() {
    let seed: [u8; 32] = hex::decode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").unwrap().try_into().unwrap();
    let mut calls = 0;
    let mut random = |bytes: &mut [u8]| {
        calls += 1;
        if calls == 1 {
            bytes.copy_from_slice(&seed)
        } else {
            bytes.fill(calls)
        }
        Ok(())
    };
    let place = Place::new();
    let signer = SoftwareSigner::create(&place.path("k"), ORIGIN, &mut unlock("x"), &mut random).unwrap();
    let public = hex::decode("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a").unwrap();
    assert_eq!(*signer.vkey(), VKey::new(ORIGIN, &public).unwrap());
    let text = fs::read_to_string(place.path("k")).unwrap();
    assert!(!text.contains(&hex::encode(seed)) && text.contains(&signer.vkey().to_string()));
}

#[test]
fn a_wrong_passphrase_is_called_that() {
    let place = Place::new();
    let mut right = unlock("right");
    place.signer(&mut right);
    place.data_keys(&mut right);
    let signer = SoftwareSigner::open(&place.path("signing.json"), ORIGIN, &mut unlock("wrong"));
    assert!(matches!(signer, Err(KeyFileError::WrongPassphrase(_))));
    let keys = DataKeys::open(&place.path("data-keys.json"), ORIGIN, &mut unlock("wrong"));
    assert!(matches!(keys, Err(KeyFileError::WrongPassphrase(_))), "with no key in it, too");
}

#[test]
fn only_throw_away_ledgers_have_software_keys() {
    let place = Place::new();
    let mut right = unlock("right");
    place.signer(&mut right);
    place.data_keys(&mut right);
    for origin in ["ledger.agency.example/access", "ledger.agency.example/software/", "software", "a/software "] {
        let refused = |error| matches!(error, Some(KeyFileError::HardwareKeyNeeded { .. }));
        assert!(refused(SoftwareSigner::create(&place.path("new"), origin, &mut right, &mut os_random).err()));
        assert!(refused(SoftwareSigner::open(&place.path("signing.json"), origin, &mut right).err()));
        assert!(refused(DataKeys::open(&place.path("data-keys.json"), origin, &mut right).err()));
        let created = DataKeys::create(&place.path("new"), origin, &mut right, &mut os_random);
        assert!(matches!(created, Err(DataKeysError::File(KeyFileError::HardwareKeyNeeded { .. }))));
    }
    assert!(!place.path("new").exists());
    let other = SoftwareSigner::open(&place.path("signing.json"), "other.example/software", &mut right);
    assert!(matches!(other, Err(KeyFileError::OtherOrigin { .. })));
    let unnamed = SoftwareSigner::create(&place.path("new"), "a b/software", &mut right, &mut os_random);
    assert!(matches!(unnamed, Err(KeyFileError::Origin { .. })));
}

#[test]
fn every_change_to_a_key_file_is_noticed_without_the_passphrase() {
    let place = Place::new();
    let mut right = unlock("right");
    place.signer(&mut right);
    let mut keys = place.data_keys(&mut right);
    keys.create_pool(2, &mut os_random).unwrap();
    for name in ["signing.json", "data-keys.json"] {
        assert_every_change_is_noticed(&fs::read(place.path(name)).unwrap(), |bytes| check_file(bytes).is_ok());
    }
    assert!(matches!(check_file(&fs::read(place.path("signing.json")).unwrap()), Ok(KeyFile::Signing(_))));
    assert!(matches!(check_file(&fs::read(place.path("data-keys.json")).unwrap()), Ok(KeyFile::DataKeys(_))));
    fs::write(place.path("signing.json"), b"{}").unwrap();
    assert!(matches!(SoftwareSigner::open(&place.path("signing.json"), ORIGIN, &mut right), Err(KeyFileError::Damaged { .. })));
}

/// Somebody changes a value and makes the check right again: the passphrase does not open it then.
#[test]
fn a_forged_file_does_not_open() {
    let place = Place::new();
    let mut right = unlock("right");
    place.signer(&mut right);
    place.data_keys(&mut right).create_pool(3, &mut os_random).unwrap();
    let path = place.path("signing.json");
    let file = SigningKeyFile::parse(&fs::read(&path).unwrap()).unwrap();
    let other_key = VKey::new(ORIGIN, &hex::decode("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a").unwrap()).unwrap();
    fs::write(&path, SigningKeyFile { vkey: other_key.to_string(), ..file.clone() }.render().unwrap()).unwrap();
    assert!(matches!(SoftwareSigner::open(&path, ORIGIN, &mut right), Err(KeyFileError::WrongPassphrase(_))));

    let path = place.path("data-keys.json");
    let whole = DataKeysFile::parse(&fs::read(&path).unwrap()).unwrap();
    let mut dropped = whole.clone();
    dropped.keys.pop();
    let later = DataKeysFile { next_key_id: 9, ..whole.clone() };
    for forged in [dropped, later] {
        fs::write(&path, forged.render().unwrap()).unwrap();
        assert!(matches!(DataKeys::open(&path, ORIGIN, &mut right), Err(KeyFileError::WrongPassphrase(_))));
    }

    let costs = |change: &dyn Fn(&mut SigningKeyFile)| {
        let mut changed = file.clone();
        change(&mut changed);
        matches!(check_file(changed.render().unwrap().as_bytes()), Err(FileFault::Invalid(_)))
    };
    assert!(costs(&|file| file.kdf.memory_kib = 8) && costs(&|file| file.kdf.memory_kib = u32::MAX));
    assert!(costs(&|file| file.kdf.passes = 0) && costs(&|file| file.kdf.passes = u32::MAX) && costs(&|file| file.kdf.lanes = 5));
    assert!(costs(&|file| file.kdf.name = "argon2i".into()) && costs(&|file| file.origin = "x/software".into()));
    let ids = |ids: [u32; 2], next_key_id: u32| {
        let mut changed = DataKeysFile { next_key_id, ..whole.clone() };
        changed.keys.truncate(2);
        changed.keys.iter_mut().zip(ids).for_each(|(key, id)| key.key_id = id);
        check_file(changed.render().unwrap().as_bytes()).is_ok()
    };
    assert!(ids([1, 2], 3) && ids([2, 7], 8));
    assert!(!ids([0, 1], 3) && !ids([2, 1], 3) && !ids([1, 1], 3) && !ids([1, 2], 2));
}

#[test]
fn both_files_open_for_one_derivation() {
    let place = Place::new();
    let mut creating = unlock("right");
    place.signer(&mut creating);
    place.data_keys(&mut creating);
    assert_eq!(creating.runs_count(), 1);
    let mut opening = unlock("right");
    SoftwareSigner::open(&place.path("signing.json"), ORIGIN, &mut opening).unwrap();
    DataKeys::open(&place.path("data-keys.json"), ORIGIN, &mut opening).unwrap();
    assert_eq!(opening.runs_count(), 1);
    // A file with another salt costs another run, and opens.
    SoftwareSigner::create(&place.path("other"), ORIGIN, &mut unlock("right"), &mut os_random).unwrap();
    SoftwareSigner::open(&place.path("other"), ORIGIN, &mut opening).unwrap();
    DataKeys::open(&place.path("data-keys.json"), ORIGIN, &mut opening).unwrap();
    assert_eq!(opening.runs_count(), 3);
}

#[test]
fn data_keys_are_kept_and_no_id_comes_twice() {
    let place = Place::new();
    let mut right = unlock("right");
    let mut keys = place.data_keys(&mut right);
    let path = place.path("data-keys.json");
    let pool = keys.create_pool(3, &mut os_random).unwrap();
    assert_eq!(pool.iter().map(|info| info.key_id).collect::<Vec<_>>(), [1, 2, 3]);
    pool.iter().for_each(|info| assert_eq!(info.check, datakeys::check(info.key_id, keys.key(info.key_id).unwrap())));
    assert_ne!(keys.key(1), keys.key(2));
    assert_eq!((keys.ids_above(0).collect::<Vec<_>>(), keys.ids_above(2).next(), keys.ids_above(3).next()), (vec![1, 2, 3], Some(3), None));
    let text = fs::read_to_string(&path).unwrap();
    assert!(keys.export().values().all(|key| !text.contains(key.as_str())));
    assert_eq!((mode(&path), keys.export().len()), (0o600, 3));

    let mut again = DataKeys::open(&path, ORIGIN, &mut right).unwrap();
    assert_eq!(again.export(), keys.export());
    again.destroy(&[3], &mut os_random).unwrap();
    assert!(matches!(again.destroy(&[3], &mut os_random), Err(DataKeysError::Unknown(3))));
    assert_eq!((again.key(3), again.key(0)), (None, None));
    drop(again);
    let mut again = DataKeys::open(&path, ORIGIN, &mut right).unwrap();
    let info: Vec<DataKeyInfo> = again.create_pool(1, &mut os_random).unwrap();
    assert_eq!((info[0].key_id, again.count(), again.key(3)), (4, 3, None), "an id is never used twice");
    assert!(matches!(again.create_pool(1_500_000, &mut os_random), Err(DataKeysError::TooMany)));
    assert!(matches!(again.create_pool(u32::MAX, &mut os_random), Err(DataKeysError::TooMany)));
}

/// By hand: SHA-256 of the label, the key id in four bytes, and the key.
#[test]
fn the_check_is_the_formats() {
    use sha2::{Digest, Sha256};
    let by_hand = Sha256::digest([b"countersign v1 data key".as_slice(), &[0, 0, 1, 2], &[7; 32]].concat());
    assert_eq!(datakeys::check(0x102, &[7; 32]), <[u8; 32]>::from(by_hand));
}

#[test]
fn a_change_that_is_not_kept_did_not_happen() {
    let place = Place::new();
    let mut right = unlock("right");
    let mut keys = place.data_keys(&mut right);
    keys.create_pool(1, &mut os_random).unwrap();
    // No file can be made where a directory stands.
    fs::create_dir(place.path("data-keys.json.tmp")).unwrap();
    assert!(matches!(keys.create_pool(1, &mut os_random), Err(DataKeysError::File(KeyFileError::Io { .. }))));
    assert_eq!(keys.count(), 1);
    fs::remove_dir(place.path("data-keys.json.tmp")).unwrap();
    assert!(matches!(keys.create_pool(1, &mut os_random), Err(DataKeysError::Poisoned)));
    let mut again = DataKeys::open(&place.path("data-keys.json"), ORIGIN, &mut right).unwrap();
    assert_eq!((again.count(), again.create_pool(1, &mut os_random).unwrap()[0].key_id), (1, 2));
}

#[test]
fn the_same_randomness_gives_the_same_files() {
    let [one, two] = [Place::new(), Place::new()].map(|place| {
        let (mut right, mut random) = (unlock("right"), seeded(1));
        SoftwareSigner::create(&place.path("s"), ORIGIN, &mut right, &mut random).unwrap();
        let mut keys = DataKeys::create(&place.path("d"), ORIGIN, &mut right, &mut random).unwrap();
        keys.create_pool(2, &mut random).unwrap();
        (fs::read(place.path("s")).unwrap(), fs::read(place.path("d")).unwrap())
    });
    assert_eq!(one, two);
}

#[test]
fn a_generated_passphrase_notices_changes() {
    let place = Place::new();
    let path = place.path("passphrase");
    let made = generate_passphrase_file(&path, &mut os_random).unwrap();
    assert_eq!(mode(&path), 0o600);
    assert!(matches!(generate_passphrase_file(&path, &mut os_random), Err(PassphraseError::File { .. })));
    let whole = fs::read(&path).unwrap();
    assert!(whole.starts_with(b"countersign-passphrase-1 "));
    for bit in 0..whole.len() * 8 {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(matches!(Passphrase::from_bytes(&bytes), Err(PassphraseError::Damaged)), "bit {} of byte {}", bit % 8, bit / 8);
    }
    let cut = whole.len() - 1;
    (25..cut).for_each(|len| assert!(matches!(Passphrase::from_bytes(&whole[..len]), Err(PassphraseError::Damaged)), "cut to {len}"));
    // The file and the value that was returned open the same things, with the newline or without.
    SoftwareSigner::create(&place.path("k"), ORIGIN, &mut Unlock::new(made), &mut os_random).unwrap();
    for passphrase in [Passphrase::from_file(&path).unwrap(), Passphrase::from_bytes(&whole[..cut]).unwrap()] {
        SoftwareSigner::open(&place.path("k"), ORIGIN, &mut Unlock::new(passphrase)).unwrap();
    }
}

#[test]
fn any_other_text_is_a_passphrase() {
    assert!(Passphrase::from_bytes("Größe und Maß\n".as_bytes()).is_ok());
    assert!(matches!(Passphrase::from_bytes(b"\n"), Err(PassphraseError::Empty)));
    assert!(matches!(Passphrase::from_bytes(b""), Err(PassphraseError::Empty)));
    assert!(matches!(Passphrase::from_bytes(b"\xff"), Err(PassphraseError::NotText)));
    assert!(matches!(Passphrase::from_bytes(&[b'x'; 4097]), Err(PassphraseError::TooLong)));
    assert!(matches!(Passphrase::from_file(Path::new("/nonexistent")), Err(PassphraseError::File { .. })));
}

#[test]
fn nothing_prints_a_secret() {
    let place = Place::new();
    let text = "a very secret passphrase";
    let mut right = unlock(text);
    let signer = place.signer(&mut right);
    let mut keys = place.data_keys(&mut right);
    keys.create_pool(2, &mut seeded(0xab)).unwrap();
    let printed = format!("{signer:?} {keys:?} {right:?} {:?} {:#?}", Passphrase::new(text).unwrap(), keys);
    for secret in [text, "abababab", "acacacac", "171, 171", "172, 172"] {
        assert!(!printed.contains(secret), "{printed}");
    }
    assert!(printed.contains(ORIGIN) && printed.contains("2 keys"));
    let file: SigningKeyFile = SigningKeyFile::parse(&fs::read(place.path("signing.json")).unwrap()).unwrap();
    assert_eq!(format!("{:?}", Hex([1, 0xff])), "01ff");
    assert!(!format!("{file:?}").contains(text));
}
