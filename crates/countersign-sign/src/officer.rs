//! The key that an officer signs requests with: in a token such as a PIV card, or, for those who have none, in a file. It is the officer's own; nothing
//! of the ledger's is signed with it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use countersign_log::ecdsa;
use countersign_log::vkey::{PublicKey, VKey, VKeyError};
use ed25519_dalek::Signer as _;
use ed25519_dalek::pkcs8::DecodePrivateKey as _;
use p256::elliptic_curve::sec1::ToSec1Point as _;
use pkcs8::{EncryptedPrivateKeyInfoRef, SecretDocument};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::files::{read_bounded, write_new};
use crate::passphrase::Passphrase;
use crate::pkcs11::{Algorithm, Class, Token, TokenError, TokenSigner};
use crate::{Random, RandomError, SignError, Signer as _};

/// Longest key file read.
const KEY_FILE_BYTES_MAX: usize = 16 * 1024;
/// Bits that let others than the owner read or write.
const OTHERS: u32 = 0o077;
/// What a signer's key is called where nobody looks: an officer's key has no name but its id.
const NAME: &str = "officer";

/// Why there is no key, or no signature by it.
#[derive(Debug, Error)]
pub enum OfficerKeyError {
    /// The file.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Neither a passphrase nor the file's rights keep the key to its owner.
    #[error("{0} is not encrypted and open to others than its owner: chmod 600, or encrypt it (openssl pkcs8 -topk8)")]
    Open(PathBuf),
    /// Not a key of a kind that is taken, as PKCS#8.
    #[error("{0} holds no Ed25519 or P-256 key as PKCS#8 in PEM; `openssl pkcs8 -topk8` makes that of other forms")]
    Form(PathBuf),
    /// Encrypted, and no passphrase was given.
    #[error("{0} is encrypted: name the file of its passphrase")]
    Encrypted(PathBuf),
    /// Encrypted under another passphrase, or in a way that is not taken (PBES2 with AES is).
    #[error("{0} does not open with this passphrase")]
    WrongPassphrase(PathBuf),
    /// The token.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// A token's key that is not sound.
    #[error("the key in the token: {0}")]
    Unsound(#[from] VKeyError),
    /// The token's key asks for the PIN with every signature, between the two calls that the wrapper of PKCS#11 makes as one.
    #[error(
        "the key {0:?} asks for the PIN with every signature (CKA_ALWAYS_AUTHENTICATE, as a PIV card's 9C does), which this program cannot give it: \
             use a key that asks once (9A), or one in a file"
    )]
    AsksEachTime(String),
    /// The token did not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// What came back is no signature of this key.
    #[error("what the key gave is no signature by it: {0}")]
    NoSignature(#[from] countersign_log::vkey::SignatureError),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
}

enum Key {
    Ed25519(ed25519_dalek::SigningKey),
    P256(p256::ecdsa::SigningKey),
    Token(TokenSigner),
}

/// An officer's private key, or the way to it.
pub struct OfficerKey {
    key: Key,
    public: PublicKey,
}

impl OfficerKey {
    /// Reads a key file: PKCS#8 in PEM, encrypted (PBES2) or for its owner alone.
    ///
    /// # Errors
    /// As [`OfficerKeyError`] says.
    pub fn from_file(path: &Path, passphrase: Option<&Passphrase>) -> Result<Self, OfficerKeyError> {
        let failed = |source| OfficerKeyError::File { path: path.to_owned(), source };
        let form = || OfficerKeyError::Form(path.to_owned());
        let bytes = Zeroizing::new(read_bounded(path, KEY_FILE_BYTES_MAX).map_err(failed)?);
        let text = std::str::from_utf8(&bytes).map_err(|_| form())?;
        let (label, document) = SecretDocument::from_pem(text).map_err(|_| form())?;
        let document = match (label, passphrase) {
            ("ENCRYPTED PRIVATE KEY", None) => return Err(OfficerKeyError::Encrypted(path.to_owned())),
            ("ENCRYPTED PRIVATE KEY", Some(passphrase)) => {
                let sealed = EncryptedPrivateKeyInfoRef::try_from(document.as_bytes()).map_err(|_| form())?;
                sealed.decrypt(passphrase.as_bytes()).map_err(|_| OfficerKeyError::WrongPassphrase(path.to_owned()))?
            }
            ("PRIVATE KEY", _) if path.metadata().map_err(failed)?.permissions().mode() & OTHERS != 0 => {
                return Err(OfficerKeyError::Open(path.to_owned()));
            }
            ("PRIVATE KEY", _) => document,
            _ => return Err(form()),
        };
        if let Ok(key) = ed25519_dalek::SigningKey::from_pkcs8_der(document.as_bytes()) {
            return Self::ed25519(key).map_err(|_| form());
        }
        let key = p256::SecretKey::from_pkcs8_der(document.as_bytes()).map_err(|_| form())?;
        let point = key.public_key().to_sec1_point(false);
        let public = PublicKey::Ecdsa(ecdsa::PublicKey::from_point(point.as_bytes()).map_err(|_| form())?);
        Ok(Self { key: Key::P256(key.into()), public })
    }

    /// The signing key of this label in a token.
    ///
    /// # Errors
    /// As [`OfficerKeyError`] says.
    pub fn in_token(token: Token, label: &str) -> Result<Self, OfficerKeyError> {
        let (algorithm, key) = token.public_key(label)?;
        if token.attributes(Class::Signing, label)?.always_authenticate == Some(true) {
            return Err(OfficerKeyError::AsksEachTime(label.to_owned()));
        }
        let vkey = match algorithm {
            Algorithm::Ed25519 => VKey::new(NAME, &key)?,
            Algorithm::P256 => VKey::ecdsa(NAME, &key)?,
        };
        let public = vkey.public_key().clone();
        Ok(Self { key: Key::Token(TokenSigner::new(token, label, vkey)), public })
    }

    /// Makes an Ed25519 key and writes it to a new file, for its owner alone.
    ///
    /// # Errors
    /// No randomness, or the file.
    pub fn make(path: &Path, random: Random<'_>) -> Result<Self, OfficerKeyError> {
        let mut seed = Zeroizing::new([0; 32]);
        random(&mut *seed)?;
        let document = Zeroizing::new([PKCS8_START.as_slice(), seed.as_slice()].concat());
        let body = Zeroizing::new(countersign_log::encoding::base64(&document));
        let text = Zeroizing::new(format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", *body));
        write_new(path, text.as_bytes()).map_err(|source| OfficerKeyError::File { path: path.to_owned(), source })?;
        Self::ed25519(ed25519_dalek::SigningKey::from_bytes(&seed)).map_err(|_| OfficerKeyError::Form(path.to_owned()))
    }

    fn ed25519(key: ed25519_dalek::SigningKey) -> Result<Self, countersign_log::ed25519::KeyError> {
        let public = countersign_log::ed25519::PublicKey::from_bytes(key.verifying_key().as_bytes())?;
        Ok(Self { key: Key::Ed25519(key), public: PublicKey::Ed25519(public) })
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// Signs these bytes, in the form of COSE: 64 bytes, of ECDSA `r ‖ s` with the lower S. Checked before anybody gets it.
    ///
    /// # Errors
    /// The token is away, or gave something else than a signature.
    pub fn sign(&mut self, message: &[u8]) -> Result<Vec<u8>, OfficerKeyError> {
        let signature = match &mut self.key {
            Key::Ed25519(key) => key.sign(message).to_bytes().to_vec(),
            Key::P256(key) => {
                let signature: p256::ecdsa::Signature = p256::ecdsa::signature::Signer::sign(key, message);
                signature.normalize_s().to_bytes().to_vec()
            }
            Key::Token(signer) => match (&self.public, signer.sign(message)?) {
                (PublicKey::Ed25519(_), signature) => signature,
                (PublicKey::Ecdsa(_), der) => ecdsa::to_fixed(&der).unwrap_or_default(),
            },
        };
        self.public.verify_fixed(message, &signature)?;
        Ok(signature)
    }
}

/// PKCS#8 of an Ed25519 key (RFC 8410 section 7), up to the seed.
const PKCS8_START: [u8; 16] = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

#[cfg(test)]
#[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
mod tests {
    use super::*;
    use std::fs;

    /// Runs openssl in a directory; false where there is none.
    fn openssl(dir: &Path, args: &str) -> bool {
        let ran = std::process::Command::new("openssl").args(args.split(' ')).current_dir(dir).output();
        ran.is_ok_and(|ran| ran.status.success())
    }

    #[test]
    fn a_key_made_here_is_read_and_signs() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key.pem");
        let mut made = OfficerKey::make(&path, &mut crate::os_random).unwrap();
        let mut read = OfficerKey::from_file(&path, None).unwrap();
        assert_eq!(made.public_key(), read.public_key());
        assert_eq!(made.sign(b"text").unwrap(), read.sign(b"text").unwrap());
        assert!(matches!(OfficerKey::make(&path, &mut crate::os_random), Err(OfficerKeyError::File { .. })));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(OfficerKey::from_file(&path, None), Err(OfficerKeyError::Open(_))));
    }

    #[test]
    fn keys_of_openssl_are_read_and_others_named() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        let path = |name: &str| dir.join(name);
        if !openssl(dir, "version") {
            return eprintln!("SKIPPED keys_of_openssl_are_read_and_others_named: openssl is not installed");
        }
        assert!(openssl(dir, "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out p256"));
        assert!(openssl(dir, "genpkey -algorithm ED25519 -out ed"));
        assert!(openssl(dir, "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out rsa"));
        assert!(openssl(dir, "ecparam -name prime256v1 -genkey -noout -out sec1"));
        assert!(openssl(dir, "pkcs8 -topk8 -in p256 -passout pass:correct -out sealed"));
        let owner = |name: &str| fs::set_permissions(path(name), fs::Permissions::from_mode(0o600)).unwrap();
        ["p256", "ed", "rsa", "sec1"].into_iter().for_each(owner);
        for name in ["p256", "ed"] {
            let mut key = OfficerKey::from_file(&path(name), None).unwrap();
            let signature = key.sign(b"text").unwrap();
            assert_eq!(key.public_key().verify_fixed(b"text", &signature), Ok(()), "{name}");
        }
        for name in ["rsa", "sec1"] {
            assert!(matches!(OfficerKey::from_file(&path(name), None), Err(OfficerKeyError::Form(_))), "{name}");
        }
        // Encrypted, it may lie open.
        fs::set_permissions(path("sealed"), fs::Permissions::from_mode(0o644)).unwrap();
        let (right, wrong) = (Passphrase::new("correct").unwrap(), Passphrase::new("wrong").unwrap());
        let opened = OfficerKey::from_file(&path("sealed"), Some(&right)).unwrap();
        assert_eq!(opened.public_key(), OfficerKey::from_file(&path("p256"), None).unwrap().public_key());
        assert!(matches!(OfficerKey::from_file(&path("sealed"), None), Err(OfficerKeyError::Encrypted(_))));
        assert!(matches!(OfficerKey::from_file(&path("sealed"), Some(&wrong)), Err(OfficerKeyError::WrongPassphrase(_))));
    }
}
