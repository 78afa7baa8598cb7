//! Holds the running service to its description with schemathesis:
//!
//! `cargo run -p countersign-server --example contract -- SCHEMATHESIS [OPTION…]`
//!
//! SCHEMATHESIS is the program `schemathesis`; `cargo xtask test` brings it. Options go to it as they are. The service is a real one on loopback, over TLS,
//! with invented people; whoever asks has every role, so that nothing is left out because it is refused. Afterwards the verifier looks at all that came
//! of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a test that needs another program")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::path::Path;
use std::process::{Command, ExitCode};

use countersign_entry::record::{CredentialKind, Principal, Role};
use countersign_testing::ledger::{principal, record};
use countersign_testing::scene::text;

use support::{House, link};

const ROLES: [Role; 9] = [
    Role::AccessOfficer,
    Role::Approver,
    Role::EthicsOfficer,
    Role::InspectorGeneral,
    Role::CoveredPerson,
    Role::Supervisor,
    Role::Developer,
    Role::Operator,
    Role::Provisioner,
];
const SERIAL: u64 = 900;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let program = arguments.next().expect("the program schemathesis");
    let house = House::start_with(
        |_| {},
        |ledger| {
            let everyone = Principal {
                id: principal("everyone"),
                person: Some(text("P-ada1")),
                roles: ROLES.to_vec(),
                os_user: None,
                disabled: false,
                supersedes: None,
            };
            record(ledger, "founder", "everyone", everyone).unwrap();
            link(ledger, "everyone", CredentialKind::Piv, "CN=Example CA", "everyone@agency.example", SERIAL);
        },
    );
    let (certificate, key) = house.ca.card("everyone@agency.example", SERIAL);
    std::fs::write(house.path("everyone.pem"), certificate).unwrap();
    std::fs::write(house.path("everyone.key"), key).unwrap();
    let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas").canonicalize().unwrap();
    // What it leaves lying goes with the rest.
    let status = Command::new(std::path::absolute(program).unwrap())
        .current_dir(house.files.path())
        .arg("--config-file")
        .arg(schemas.join("schemathesis.toml"))
        .arg("run")
        .arg(schemas.join("openapi.json"))
        .args(["--url", &format!("https://localhost:{}", house.address)])
        .arg("--tls-verify")
        .arg(house.path("roots.pem"))
        .arg("--request-cert")
        .arg(house.path("everyone.pem"))
        .arg("--request-cert-key")
        .arg(house.path("everyone.key"))
        .args(arguments)
        .status()
        .expect("schemathesis starts");
    let metrics = house.operations("/metrics").text();
    let told = |name: &str| metrics.lines().find_map(|l| l.strip_prefix(name)).unwrap_or_default().trim().to_owned();
    println!(
        "handshakes that came to nothing: {}; connections refused: {}",
        told("countersign_handshakes_failed_total"),
        told("countersign_connections_refused_total")
    );
    let ledger = house.verified();
    println!("the verifier found nothing in the {} entries that came of it", ledger.size());
    if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
