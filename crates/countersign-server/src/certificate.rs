//! What a client certificate says of its holder: the names a credential may be linked by. Whether the certificate holds, rustls has decided before.

use countersign_entry::record::CredentialKind;
use sha2::{Digest, Sha256};
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use x509_parser::der_parser::asn1_rs::{FromDer as _, Tag, Utf8String};
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::oid_registry::Oid;
use x509_parser::prelude::X509Certificate;
use x509_parser::x509::X509Name;

/// `szOID_NT_PRINCIPAL_NAME`: the user principal name of PIV certificates (FIPS 201-3 section 2.9.1; 1.3.6.1.4.1.311.20.2.3).
const UPN: &[u64] = &[1, 3, 6, 1, 4, 1, 311, 20, 2, 3];
/// Digits of an EDIPI (DoD Electronic Data Interchange Personal Identifier), the last part of a CAC's common name.
const EDIPI_DIGITS: usize = 10;

/// A name a credential is linked by: one of those a certificate has for its holder, or what stands for one elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Name {
    /// What kind of credential goes by it.
    pub kind: CredentialKind,
    /// Who gave it: the certificate's issuer, as RFC 4514 writes it.
    pub issuer: String,
    /// The name.
    pub subject: String,
}

/// Every name in a certificate, given as DER. Empty where it does not read as one.
pub fn names(der: &[u8]) -> Vec<Name> {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else { return Vec::new() };
    let issuer = rfc4514(certificate.issuer());
    let name = |kind, subject| Name { kind, issuer: issuer.clone(), subject };
    let mut names: Vec<Name> = upns(&certificate).into_iter().map(|upn| name(CredentialKind::Piv, upn)).collect();
    names.extend(edipi(&certificate).map(|number| name(CredentialKind::Cac, number)));
    names.push(name(CredentialKind::Certificate, hex::encode(Sha256::digest(der))));
    names
}

/// [`names`] of the first certificate in a PEM file; `None` where there is none.
pub fn names_in_pem(pem: &[u8]) -> Option<Vec<Name>> {
    let der = CertificateDer::from_pem_slice(pem).ok()?;
    Some(names(&der)).filter(|names| !names.is_empty())
}

fn upns(certificate: &X509Certificate<'_>) -> Vec<String> {
    let mut found = Vec::new();
    for extension in certificate.extensions() {
        let ParsedExtension::SubjectAlternativeName(names) = extension.parsed_extension() else { continue };
        for name in &names.general_names {
            if let GeneralName::OtherName(oid, value) = name {
                found.extend(upn(oid, value));
            }
        }
    }
    found
}

/// The value of an otherName is `[0] EXPLICIT`, and of this one a UTF8String.
fn upn(oid: &Oid<'_>, value: &[u8]) -> Option<String> {
    if !oid.iter()?.eq(UPN.iter().copied()) {
        return None;
    }
    let (rest, outer) = x509_parser::der_parser::asn1_rs::Any::from_der(value).ok()?;
    let inner = if outer.header.tag() == Tag(0) && outer.header.is_constructed() { outer.data } else { value };
    let (left, text) = Utf8String::from_der(inner).ok()?;
    let text = text.string();
    (rest.is_empty() && left.is_empty() && !text.is_empty()).then_some(text)
}

/// Only a whole last part of ten digits after a dot, as in `EXAMPLE.ADA.B.1234567890`, and only where there is one common name.
fn edipi(certificate: &X509Certificate<'_>) -> Option<String> {
    let mut names = certificate.subject().iter_common_name();
    let (Some(name), None) = (names.next(), names.next()) else { return None };
    let (_, number) = name.as_str().ok()?.rsplit_once('.')?;
    (number.len() == EDIPI_DIGITS && number.bytes().all(|b| b.is_ascii_digit())).then(|| number.to_owned())
}

/// The name from its most specific part on, as `openssl x509 -issuer -nameopt RFC2253` prints it.
fn rfc4514(name: &X509Name<'_>) -> String {
    let mut parts = Vec::new();
    for rdn in name.iter() {
        let values: Vec<String> = rdn
            .iter()
            .map(|attribute| {
                let registry = x509_parser::objects::oid_registry();
                let oid = attribute.attr_type();
                let kind = match x509_parser::objects::oid2abbrev(oid, registry) {
                    Ok("domainComponent") => "DC".to_owned(),
                    Ok(abbreviation) => abbreviation.to_owned(),
                    Err(_) => oid.to_id_string(),
                };
                match attribute.as_str() {
                    Ok(text) => format!("{kind}={}", escape(text)),
                    Err(_) => format!("{kind}=#{}", hex::encode(attribute.attr_value().data)),
                }
            })
            .collect();
        parts.push(values.join("+"));
    }
    parts.reverse();
    parts.join(",")
}

fn escape(text: &str) -> String {
    let last = text.chars().count().saturating_sub(1);
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.chars().enumerate() {
        let edge = (at == 0 && matches!(c, ' ' | '#')) || (at == last && c == ' ');
        match c {
            '\0' => out.push_str("\\00"),
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => out.extend(['\\', c]),
            _ if edge => out.extend(['\\', c]),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, OtherNameValue, SanType};

    fn certificate(common_name: &str, upn: Option<&str>) -> Vec<u8> {
        let mut ca = CertificateParams::default();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.distinguished_name = rcgen::DistinguishedName::new();
        ca.distinguished_name.push(DnType::CountryName, "US");
        ca.distinguished_name.push(DnType::OrganizationName, "Example, Agency");
        ca.distinguished_name.push(DnType::CommonName, "Example CA");
        let issuer = Issuer::new(ca, KeyPair::generate().unwrap());
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.subject_alt_names.extend(upn.map(|upn| SanType::OtherName((UPN.to_vec(), OtherNameValue::Utf8String(upn.to_owned())))));
        params.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap().der().to_vec()
    }

    fn subjects(der: &[u8], kind: CredentialKind) -> Vec<String> {
        names(der).into_iter().filter(|n| n.kind == kind).map(|n| n.subject).collect()
    }

    #[test]
    fn a_card_is_known_by_its_principal_name_its_number_and_its_thumbprint() {
        let der = certificate("EXAMPLE.ADA.B.1234567890", Some("1234567890117002@mil"));
        assert_eq!(subjects(&der, CredentialKind::Piv), ["1234567890117002@mil"]);
        assert_eq!(subjects(&der, CredentialKind::Cac), ["1234567890"]);
        assert_eq!(subjects(&der, CredentialKind::Certificate), [hex::encode(Sha256::digest(&der))]);
        assert!(names(&der).iter().all(|n| n.issuer == "CN=Example CA,O=Example\\, Agency,C=US"), "{:?}", names(&der));
    }

    #[test]
    fn a_number_that_is_none_names_nobody() {
        for name in ["EXAMPLE.ADA", "1234567890", "EXAMPLE.ADA.123456789", "EXAMPLE.ADA.12345678901", "EXAMPLE.ADA.123456789x", ""] {
            assert!(subjects(&certificate(name, None), CredentialKind::Cac).is_empty(), "{name}");
        }
        assert!(subjects(&certificate("x", None), CredentialKind::Piv).is_empty());
        assert!(names(b"not a certificate").is_empty());
        let mut cut = certificate("EXAMPLE.ADA.B.1234567890", Some("a@b"));
        cut.truncate(cut.len() / 2);
        assert!(names(&cut).is_empty());
    }
}
