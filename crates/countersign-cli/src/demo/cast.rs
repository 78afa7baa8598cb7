//! Invented people and the agencies they serve in. No real person is meant.

use countersign_entry::record::{AgreementKind, OrganizationKind, PersonStatus, Role};

pub(super) struct Player {
    /// Short name within the demo; ids are random.
    pub(super) key: &'static str,
    pub(super) name: &'static str,
    pub(super) status: PersonStatus,
    pub(super) organization: &'static str,
    pub(super) roles: &'static [Role],
}

const fn player(key: &'static str, name: &'static str, status: PersonStatus, organization: &'static str, roles: &'static [Role]) -> Player {
    Player { key, name, status, organization, roles }
}

pub(super) const ORGANIZATIONS: &[(&str, &str, OrganizationKind, Option<&str>)] = &[
    ("commerce", "Department of Commerce", OrganizationKind::Agency, None),
    ("nist", "National Institute of Standards and Technology", OrganizationKind::Component, Some("commerce")),
    ("nsa", "National Security Agency", OrganizationKind::Agency, None),
    ("cisa", "Cybersecurity and Infrastructure Security Agency", OrganizationKind::Agency, None),
    ("treasury", "Department of the Treasury", OrganizationKind::Agency, None),
    ("halden", "Halden Range Evaluations LLC (invented contractor)", OrganizationKind::Contractor, None),
];

/// Who keeps the ledger.
pub(super) const STAFF: &[Player] = &[
    player("officer", "Imre Valdane", PersonStatus::Civilian, "nist", &[Role::AccessOfficer]),
    player("approver1", "Oriane Teskey", PersonStatus::Civilian, "nist", &[Role::Approver]),
    player("approver2", "Casimir Dorn", PersonStatus::Civilian, "commerce", &[Role::Approver]),
    player("ethics", "Philippa Rusk", PersonStatus::Civilian, "commerce", &[Role::EthicsOfficer]),
    player("inspector", "Severin Okwuosa-Blaine", PersonStatus::Civilian, "commerce", &[Role::InspectorGeneral]),
];

/// Who asks for access.
pub(super) const EVALUATORS: &[Player] = &[
    player("tamsin", "Tamsin Okoro-Vale", PersonStatus::Civilian, "nist", &[]),
    player("bertil", "Bertil Achterberg", PersonStatus::Civilian, "nist", &[]),
    player("leocadia", "Leocadia Pruitt-Ngata", PersonStatus::Civilian, "nsa", &[]),
    player("wendel", "Wendel Sarkany", PersonStatus::Officer, "nsa", &[]),
    player("junia", "Junia Marchetti-Oyelaran", PersonStatus::IpaDetailee, "cisa", &[]),
    player("osric", "Osric Bellweather", PersonStatus::Civilian, "treasury", &[]),
    player("thea", "Thea Lindqvist-Amadi", PersonStatus::Sge, "nist", &[]),
    player("dov", "Dov Castellane", PersonStatus::Contractor, "halden", &[]),
    player("quill", "Quill Hathersage", PersonStatus::Contractor, "halden", &[]),
    player("maren", "Maren Holt-Adeyemi", PersonStatus::Civilian, "nsa", &[]),
];

const TERMS: AgreementKind = AgreementKind::AccessTerms;
const INTERESTS: AgreementKind = AgreementKind::NoInterestCertification;

/// What each of them has signed.
pub(super) fn signed(key: &str) -> &'static [AgreementKind] {
    match key {
        // Has not said what she holds: nobody can tell, so it is referred.
        "junia" => &[TERMS],
        // Has signed nothing: bound by agreement alone, and there is none.
        "quill" => &[INTERESTS],
        _ => &[TERMS, INTERESTS],
    }
}
