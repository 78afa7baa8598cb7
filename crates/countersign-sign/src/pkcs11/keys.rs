//! What is done with keys in a token.

use std::fmt;

use countersign_log::{ecdsa, ed25519};
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::connection::{Connection, Fault, Wanted, words};
use super::{Place, TokenError, Wrapped};
use crate::os_random;

/// `1.3.101.112`, the curve of Ed25519, in DER.
const ED25519_OID: [u8; 5] = [0x06, 0x03, 0x2b, 0x65, 0x70];
/// `1.2.840.10045.3.1.7`, P-256, in DER.
const P256_OID: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// Bytes of an AES-256 key.
const AES_BYTES: u64 = 32;
const TAG_BITS: u64 = 128;
/// What a new key signs first, to see that it does. No note has a text without a newline, so this is a signature over nothing.
const FIRST_MESSAGE: &[u8] = b"countersign v1 first signature of a new key";

/// What a signing key signs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// Ed25519, note signature type `01`.
    Ed25519,
    /// ECDSA over P-256 and SHA-256, note signature type `02`.
    P256,
}

/// A kind of key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Signs; the private half.
    Signing,
    /// Wraps other keys.
    Wrapping,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Signing => "signing",
            Self::Wrapping => "wrapping",
        })
    }
}

/// Who made token and module, by their own account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenIdentity {
    /// The token's maker.
    pub manufacturer: String,
    /// Its model.
    pub model: String,
    /// Its serial number.
    pub serial: String,
    /// Its firmware's version.
    pub firmware: String,
    /// Its hardware's version.
    pub hardware: String,
    /// The module's maker, description and version.
    pub library: String,
}

/// What a token says of a key. `None`: it does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyAttributes {
    /// Its kind.
    pub class: Class,
    /// Its label.
    pub label: String,
    /// It cannot be read in the clear.
    pub sensitive: Option<bool>,
    /// It never could be.
    pub always_sensitive: Option<bool>,
    /// It can be wrapped and taken out.
    pub extractable: Option<bool>,
    /// It never could be.
    pub never_extractable: Option<bool>,
    /// It was made in the token.
    pub local: Option<bool>,
    /// What made it.
    pub mechanism: Option<String>,
    /// It asks for the PIN with every signature.
    pub always_authenticate: Option<bool>,
}

impl Class {
    fn object(self) -> ObjectClass {
        match self {
            Self::Signing => ObjectClass::PRIVATE_KEY,
            Self::Wrapping => ObjectClass::SECRET_KEY,
        }
    }
}

impl Connection {
    pub(crate) fn identity(&mut self, place: &Place) -> Result<TokenIdentity, Fault> {
        let slot = self.slot(place)?;
        let library = self.library()?;
        let (token, info) = (library.get_token_info(slot)?, library.get_library_info()?);
        Ok(TokenIdentity {
            manufacturer: token.manufacturer_id().to_owned(),
            model: token.model().to_owned(),
            serial: token.serial_number().to_owned(),
            firmware: token.firmware_version().to_string(),
            hardware: token.hardware_version().to_string(),
            library: format!("{}, {}, {}", info.manufacturer_id(), info.library_description(), info.library_version()),
        })
    }

    pub(crate) fn list(&mut self, place: &Place) -> Result<Vec<KeyAttributes>, Fault> {
        let session = self.session(place)?;
        let mut keys = Vec::new();
        for class in [Class::Signing, Class::Wrapping] {
            for handle in session.find_objects(&[Attribute::Token(true), Attribute::Class(class.object())])? {
                keys.push(attributes(session, class, handle)?);
            }
        }
        Ok(keys)
    }

    pub(crate) fn attributes(&mut self, place: &Place, class: Class, label: &str) -> Result<KeyAttributes, Fault> {
        let (session, handle) = self.key(place, &Wanted { class, label: label.to_owned(), pinned: None })?;
        attributes(session, class, handle)
    }

    pub(crate) fn public_key(&mut self, place: &Place, label: &str) -> Result<(Algorithm, Vec<u8>), Fault> {
        self.find(place, &Wanted { class: Class::Signing, label: label.to_owned(), pinned: None })?;
        let session = self.session(place)?;
        public_half(session, place, label)
    }

    /// Looks a key up: exactly one, and the pinned one.
    pub(crate) fn find(&mut self, place: &Place, wanted: &Wanted) -> Result<ObjectHandle, Fault> {
        let session = self.session(place)?;
        let found = session.find_objects(&template(wanted.class.object(), &wanted.label))?;
        let [handle] = found.as_slice() else {
            let (token, label) = (place.token.clone(), wanted.label.clone());
            return Err(Fault::Perhaps(TokenError::Keys { token, label, class: wanted.class, count: found.len() }));
        };
        if let Some(pinned) = &wanted.pinned
            && public_half(session, place, &wanted.label)?.1 != *pinned
        {
            return Err(Fault::Perhaps(TokenError::OtherKey { token: place.token.clone(), label: wanted.label.clone() }));
        }
        Ok(*handle)
    }

    pub(crate) fn make_signing_key(&mut self, place: &Place, label: &str, algorithm: Algorithm) -> Result<Vec<u8>, TokenError> {
        let id = self.prepare_making(place, label)?;
        let (mechanism, curve) = match algorithm {
            Algorithm::Ed25519 => (Mechanism::EccEdwardsKeyPairGen, ED25519_OID.to_vec()),
            Algorithm::P256 => (Mechanism::EccKeyPairGen, P256_OID.to_vec()),
        };
        let name = || [Attribute::Label(label.as_bytes().to_vec()), Attribute::Id(id.clone())];
        let public = [Attribute::Token(true), Attribute::Private(false), Attribute::Verify(true), Attribute::EcParams(curve)];
        let public: Vec<_> = public.into_iter().chain(name()).collect();
        let private: Vec<_> = secret().into_iter().chain([Attribute::Sign(true)]).chain(name()).collect();
        let half = |what: String| TokenError::Half { label: label.to_owned(), what };
        let session = self.climb(place, &mut |c| c.changing_session(place))?;
        self.progress().at("making a key");
        // Tried once: a second try after a lost answer would make a second key.
        let (_, handle) = session.generate_key_pair(&mechanism, &public, &private).map_err(|e| match e {
            e if says_no(&e) => TokenError::Unfit(words(&e)),
            e => half(words(&e)),
        })?;
        let (_, key) = public_half(&session, place, label).map_err(|f| half(f.to_string()))?;
        let signature = sign(&session, handle, algorithm, FIRST_MESSAGE).map_err(|f| half(f.to_string()))?;
        if verify(algorithm, &key, FIRST_MESSAGE, &signature) { Ok(key) } else { Err(half("its first signature does not hold".into())) }
    }

    pub(crate) fn make_wrapping_key(&mut self, place: &Place, label: &str) -> Result<(), TokenError> {
        let id = self.prepare_making(place, label)?;
        let own = [
            Attribute::KeyType(KeyType::AES),
            Attribute::ValueLen(AES_BYTES.into()),
            Attribute::Encrypt(true),
            Attribute::Decrypt(true),
            Attribute::Label(label.as_bytes().to_vec()),
            Attribute::Id(id),
        ];
        let template: Vec<_> = secret().into_iter().chain(own).collect();
        let session = self.climb(place, &mut |c| c.changing_session(place))?;
        self.progress().at("making a key");
        let made = session.generate_key(&Mechanism::AesKeyGen, &template);
        made.map(drop).map_err(|e| match e {
            e if says_no(&e) => TokenError::Unfit(words(&e)),
            e => TokenError::Half { label: label.to_owned(), what: words(&e) },
        })
    }

    /// Logged in, and the label is free among keys of every kind. Gives an id for the new key.
    fn prepare_making(&mut self, place: &Place, label: &str) -> Result<Vec<u8>, TokenError> {
        self.climb(place, &mut |c| {
            let session = c.session(place)?;
            for class in [ObjectClass::PRIVATE_KEY, ObjectClass::PUBLIC_KEY, ObjectClass::SECRET_KEY] {
                if !session.find_objects(&template(class, label))?.is_empty() {
                    return Err(Fault::Final(TokenError::Exists { token: place.token.clone(), label: label.to_owned() }));
                }
            }
            Ok(())
        })?;
        let mut id = [0; 16];
        os_random(&mut id).map_err(|e| TokenError::Away(e.to_string()))?;
        Ok(id.to_vec())
    }

    pub(crate) fn destroy(&mut self, place: &Place, class: Class, label: &str) -> Result<(), TokenError> {
        let session = self.climb(place, &mut |c| {
            c.find(place, &Wanted { class, label: label.to_owned(), pinned: None })?;
            c.changing_session(place)
        })?;
        let away = |e| TokenError::Away(words(&e));
        let halves = if class == Class::Signing { vec![class.object(), ObjectClass::PUBLIC_KEY] } else { vec![class.object()] };
        for half in halves {
            for handle in session.find_objects(&template(half, label)).map_err(away)? {
                session.destroy_object(handle).map_err(away)?;
            }
        }
        // Handles of what is gone must not be used again.
        drop(session);
        self.forget(place);
        Ok(())
    }

    /// A signature that was checked, as it stands in a note.
    pub(crate) fn sign(&mut self, place: &Place, wanted: &Wanted, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, Fault> {
        let (session, handle) = self.key(place, wanted)?;
        let signature = sign(session, handle, algorithm, message)?;
        let good = wanted.pinned.as_deref().is_some_and(|key| verify(algorithm, key, message, &signature));
        if good { Ok(signature) } else { Err(Fault::Garbage("the token's signature does not hold under the pinned key")) }
    }

    pub(crate) fn wrap(&mut self, place: &Place, label: &str, associated: &[u8], key: &Zeroizing<[u8; 32]>) -> Result<Wrapped, Fault> {
        let mut nonce = [0; 12];
        os_random(&mut nonce).map_err(|e| Fault::Final(TokenError::Away(e.to_string())))?;
        let (session, handle) = self.key(place, &Wanted { class: Class::Wrapping, label: label.to_owned(), pinned: None })?;
        // A module in FIPS mode writes its own nonce over ours.
        let params = GcmParams::new(&mut nonce, associated, TAG_BITS.into())?;
        let sealed = session.encrypt(&Mechanism::AesGcm(params), handle, &**key)?;
        let sealed = sealed
            .try_into()
            .map_err(|_| Fault::Final(TokenError::Unfit("CKM_AES_GCM gives another length than ciphertext and tag".into())))?;
        Ok(Wrapped { nonce, sealed })
    }

    pub(crate) fn unwrap(
        &mut self,
        place: &Place,
        label: &str,
        associated: &[u8],
        wrapped: &Wrapped,
    ) -> Result<Zeroizing<[u8; 32]>, Fault> {
        let (session, handle) = self.key(place, &Wanted { class: Class::Wrapping, label: label.to_owned(), pinned: None })?;
        let mut nonce = wrapped.nonce;
        let params = GcmParams::new(&mut nonce, associated, TAG_BITS.into())?;
        let plain = Zeroizing::new(session.decrypt(&Mechanism::AesGcm(params), handle, &wrapped.sealed)?);
        let key: &[u8; 32] = plain.as_slice().try_into().map_err(|_| Fault::Garbage("the token opened a key of another length"))?;
        Ok(Zeroizing::new(*key))
    }
}

/// The token understood and does not do this: nothing was made.
fn says_no(e: &cryptoki::error::Error) -> bool {
    use cryptoki::error::{Error, RvError};
    let Error::Pkcs11(code, _) = e else { return matches!(e, Error::NullFunctionPointer) };
    matches!(
        code,
        RvError::MechanismInvalid
            | RvError::MechanismParamInvalid
            | RvError::CurveNotSupported
            | RvError::DomainParamsInvalid
            | RvError::FunctionNotSupported
            | RvError::AttributeTypeInvalid
            | RvError::AttributeValueInvalid
            | RvError::AttributeReadOnly
            | RvError::TemplateIncomplete
            | RvError::TemplateInconsistent
            | RvError::TokenWriteProtected
            | RvError::SessionReadOnly
            | RvError::KeySizeRange
    )
}

/// What every key that must stay in the token has.
fn secret() -> [Attribute; 4] {
    [Attribute::Token(true), Attribute::Private(true), Attribute::Sensitive(true), Attribute::Extractable(false)]
}

fn template(class: ObjectClass, label: &str) -> [Attribute; 3] {
    [Attribute::Token(true), Attribute::Class(class), Attribute::Label(label.as_bytes().to_vec())]
}

fn sign(session: &Session, key: ObjectHandle, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, Fault> {
    match algorithm {
        Algorithm::Ed25519 => {
            let mechanism = Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Ed25519));
            Ok(session.sign(&mechanism, key, message)?)
        }
        Algorithm::P256 => {
            let raw = session.sign(&Mechanism::Ecdsa, key, &Sha256::digest(message))?;
            ecdsa::to_strict_der(&raw).ok_or(Fault::Garbage("the token's signature is not one of ECDSA"))
        }
    }
}

fn verify(algorithm: Algorithm, key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    match algorithm {
        Algorithm::Ed25519 => ed25519::PublicKey::from_bytes(key).is_ok_and(|key| key.verify(message, signature).is_ok()),
        Algorithm::P256 => ecdsa::PublicKey::from_spki(key).is_ok_and(|key| key.verify(message, signature).is_ok()),
    }
}

/// The public half beside a private key: exactly one, and sound.
fn public_half(session: &Session, place: &Place, label: &str) -> Result<(Algorithm, Vec<u8>), Fault> {
    let found = session.find_objects(&template(ObjectClass::PUBLIC_KEY, label))?;
    let [handle] = found.as_slice() else {
        let (token, label) = (place.token.clone(), label.to_owned());
        return Err(Fault::Perhaps(TokenError::Keys { token, label, class: Class::Signing, count: found.len() }));
    };
    let unfit = |what: &str| Fault::Perhaps(TokenError::Unfit(format!("its public key {label:?} {what}")));
    let mut curve = Vec::new();
    let mut point = Vec::new();
    for attribute in session.get_attributes(*handle, &[AttributeType::EcParams, AttributeType::EcPoint])? {
        match attribute {
            Attribute::EcParams(bytes) => curve = bytes,
            Attribute::EcPoint(bytes) => point = bytes,
            _ => {}
        }
    }
    if curve == P256_OID {
        let key = ecdsa::PublicKey::from_point(bare_point(&point, ecdsa::POINT_BYTES)).map_err(|e| unfit(&e.to_string()))?;
        return Ok((Algorithm::P256, key.as_bytes().to_vec()));
    }
    // The name as a PrintableString is the other way PKCS#11 has for this curve.
    if curve == ED25519_OID || curve.ends_with(b"edwards25519") {
        let key = ed25519::PublicKey::from_bytes(bare_point(&point, ed25519::KEY_BYTES)).map_err(|e| unfit(&e.to_string()))?;
        return Ok((Algorithm::Ed25519, key.as_bytes().to_vec()));
    }
    Err(unfit("is of another curve than Ed25519 and P-256"))
}

/// The point without the OCTET STRING that some tokens put around it.
fn bare_point(bytes: &[u8], len: usize) -> &[u8] {
    match bytes {
        [0x04, inner_len, inner @ ..] if usize::from(*inner_len) == len && inner.len() == len => inner,
        _ => bytes,
    }
}

fn attributes(session: &Session, class: Class, handle: ObjectHandle) -> Result<KeyAttributes, Fault> {
    use AttributeType as A;
    let mut key = KeyAttributes {
        class,
        label: String::new(),
        sensitive: None,
        always_sensitive: None,
        extractable: None,
        never_extractable: None,
        local: None,
        mechanism: None,
        always_authenticate: None,
    };
    let own = [A::Label, A::Sensitive, A::AlwaysSensitive, A::Extractable, A::NeverExtractable, A::Local, A::KeyGenMechanism];
    let wanted = own.into_iter().chain([A::AlwaysAuthenticate].into_iter().filter(|_| class == Class::Signing));
    for wanted in wanted {
        // One by one: a value this wrapper cannot name must not hide the others.
        for attribute in session.get_attributes(handle, &[wanted]).unwrap_or_default() {
            match attribute {
                Attribute::Label(label) => key.label = String::from_utf8_lossy(&label).into_owned(),
                Attribute::Sensitive(is) => key.sensitive = Some(is),
                Attribute::AlwaysSensitive(is) => key.always_sensitive = Some(is),
                Attribute::Extractable(is) => key.extractable = Some(is),
                Attribute::NeverExtractable(is) => key.never_extractable = Some(is),
                Attribute::Local(is) => key.local = Some(is),
                Attribute::AlwaysAuthenticate(is) => key.always_authenticate = Some(is),
                Attribute::KeyGenMechanism(mechanism) => key.mechanism = Some(mechanism_name(mechanism)),
                _ => {}
            }
        }
    }
    Ok(key)
}

fn mechanism_name(mechanism: MechanismType) -> String {
    mechanism.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_comes_bare_or_in_an_octet_string() {
        let bare: Vec<u8> = (0..32).collect();
        let wrapped = [&[0x04, 32], bare.as_slice()].concat();
        assert_eq!(bare_point(&wrapped, 32), bare);
        assert_eq!(bare_point(&bare, 32), bare);
        // A bare P-256 point begins with 04 too, and is no octet string of its own length.
        let point = [&[0x04], [7u8; 64].as_slice()].concat();
        assert_eq!(bare_point(&point, 65), point);
        assert_eq!(bare_point(&[&[0x04, 65], point.as_slice()].concat(), 65), point);
    }
}
