//! The table of roles: every route has a line, every line a route, and the running service does what it says, role by role.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::collections::BTreeSet;

use countersign_api::roles::Roles;
use countersign_entry::record::Role;
use countersign_server::routes;
use support::House;

#[test]
fn every_route_has_a_line_and_every_line_a_route() {
    let table = Roles::built_in().unwrap();
    let lines: BTreeSet<(String, String)> = table.rows().iter().map(|r| (r.method.clone(), r.route.clone())).collect();
    let routes: BTreeSet<(String, String)> = routes::all().listed().iter().map(|(m, r)| ((*m).to_owned(), r.clone())).collect();
    assert_eq!(routes.difference(&lines).collect::<Vec<_>>(), Vec::<&(String, String)>::new(), "routes without a line");
    assert_eq!(lines.difference(&routes).collect::<Vec<_>>(), Vec::<&(String, String)>::new(), "lines without a route");
}

#[test]
fn reasons_are_for_the_ethics_officer_and_what_a_watch_list_says_is_recorded_when_read() {
    for row in Roles::built_in().unwrap().rows().iter().filter(|r| r.watch && r.method == "GET") {
        assert!(row.recorded, "{} may tell of a watch list and nobody would know who asked", row.route);
    }
}

/// What plays each role.
const PLAYED: [(&str, Role); 10] = [
    ("officer", Role::AccessOfficer),
    ("approver1", Role::Approver),
    ("ethics", Role::EthicsOfficer),
    ("inspector", Role::InspectorGeneral),
    ("covered", Role::CoveredPerson),
    ("super1", Role::Supervisor),
    ("devel1", Role::Developer),
    ("founder", Role::Operator),
    ("gateway", Role::Gateway),
    ("sync1", Role::Provisioner),
];

#[test]
fn the_service_does_what_the_table_says() {
    let house = House::start();
    let table = Roles::built_in().unwrap();
    let clients: Vec<_> = PLAYED.iter().map(|(part, role)| (house.client(part), Some([*role]))).chain([(house.nobody(), None)]).collect();
    let mut wrong = Vec::new();
    for row in table.rows().iter().filter(|r| r.route != "/api/v1/events") {
        let path = row.route.replace("{*path}", "0/000").replace("{index}", "0").replace("{entry}", "0").replace("{id}", "none");
        for (client, roles) in &clients {
            let roles = roles.as_ref().map(|r| r.as_slice());
            // Nothing is sent that could be recorded: what comes after the table refuses it.
            let status = client.ask(&row.method, &path, &[], b"").unwrap().status;
            let refused = if roles.is_some() { status == 403 } else { status == 401 };
            if refused != table.view(row, roles).is_none() {
                wrong.push(format!("{} {} as {roles:?}: {status}", row.method, row.route));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    house.verified();
}
