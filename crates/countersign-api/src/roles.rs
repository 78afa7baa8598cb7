//! Who may do what over the interface: one table, `schemas/roles.csv`, reviewed line by line. What it does not allow is refused.

use std::collections::HashMap;

use countersign_entry::record::Role;
use serde::Deserialize as _;
use serde::de::value::StrDeserializer;

const TABLE: &str = include_str!("../../../schemas/roles.csv");

/// How much somebody sees of what a route answers, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum View {
    /// The public plane: leaves, tiles, checkpoints. Says nothing about people, models or issuers.
    Public,
    /// May send, and sees no more than what came of it.
    Append,
    /// What is recorded of oneself.
    Own,
    /// Recusals in one's own organization: whose, and from what; never why.
    Scope,
    /// What touches submissions of one's own organization: who of which organization, what and when.
    Offer,
    /// Everything the role may know of, without reasons.
    Neutral,
    /// With rules, citations, evidence, cases and watch lists.
    Full,
}

impl View {
    fn parse(word: &str) -> Result<Option<Self>, String> {
        Ok(Some(match word {
            "-" => return Ok(None),
            "public" => Self::Public,
            "append" => Self::Append,
            "own" => Self::Own,
            "scope" => Self::Scope,
            "offer" => Self::Offer,
            "neutral" => Self::Neutral,
            "full" => Self::Full,
            other => return Err(format!("{other:?} is no view")),
        }))
    }
}

/// A line of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// GET, POST, PATCH, PUT.
    pub method: String,
    /// The route's template, such as `/api/v1/grants/{id}`.
    pub route: String,
    /// Whether who asked becomes an entry.
    pub recorded: bool,
    /// Whether what it answers may hold what a watch list says; then the ethics officer alone sees that.
    pub watch: bool,
    views: Vec<Option<View>>,
}

/// The table.
#[derive(Debug)]
pub struct Roles {
    columns: Vec<Option<Role>>,
    rows: Vec<Row>,
    /// Where the rows of a route stand: each request asks.
    places: HashMap<String, Vec<usize>>,
}

/// Columns before the roles': method, route, read recorded, holds watch-list reasons.
const FIXED: usize = 4;

impl Roles {
    /// The table this program was built with.
    ///
    /// # Errors
    /// It does not read; a test holds that it does.
    pub fn built_in() -> Result<Self, String> {
        Self::parse(TABLE)
    }

    /// Reads a table. The last column is `anonymous`; each other is a role.
    ///
    /// # Errors
    /// Says which line is wrong: a role or a view that does not exist, a line too short or too long, a route twice, reasons for others than the
    /// ethics officer.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let header: Vec<&str> = lines.next().ok_or("the table is empty")?.split(',').collect();
        let columns = header.iter().skip(FIXED).map(|name| column(name)).collect::<Result<Vec<_>, _>>()?;
        if columns.last() != Some(&None) || columns.iter().filter(|c| c.is_none()).count() != 1 {
            return Err("the last column, and no other, is anonymous".into());
        }
        let mut table = Self { columns, rows: Vec::new(), places: HashMap::new() };
        for line in lines {
            let row = table.row(line).map_err(|e| format!("{line}: {e}"))?;
            if table.find(&row.method, &row.route).is_some() {
                return Err(format!("{} {} stands twice", row.method, row.route));
            }
            table.places.entry(row.route.clone()).or_default().push(table.rows.len());
            table.rows.push(row);
        }
        Ok(table)
    }

    fn row(&self, line: &str) -> Result<Row, String> {
        let cells: Vec<&str> = line.split(',').collect();
        let [method, route, recorded, watch] = cells.get(..FIXED).and_then(|c| <[&str; FIXED]>::try_from(c).ok()).ok_or("too short")?;
        let views = cells.iter().skip(FIXED).map(|word| View::parse(word)).collect::<Result<Vec<_>, _>>()?;
        if views.len() != self.columns.len() {
            return Err(format!("{} views for {} roles", views.len(), self.columns.len()));
        }
        let yes = |cell: &str| match cell {
            "yes" => Ok(true),
            "no" => Ok(false),
            other => Err(format!("{other:?} is neither yes nor no")),
        };
        let row = Row { method: method.into(), route: route.into(), recorded: yes(recorded)?, watch: yes(watch)?, views };
        for (role, view) in self.columns.iter().zip(&row.views) {
            if *view == Some(View::Full) && *role != Some(Role::EthicsOfficer) {
                return Err("reasons are for the ethics officer alone".into());
            }
            if role.is_none() && view.is_some_and(|v| v != View::Public) {
                return Err("whoever is not known sees the public plane alone".into());
            }
        }
        Ok(row)
    }

    /// The rows.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The row of a route.
    pub fn find(&self, method: &str, route: &str) -> Option<&Row> {
        self.places.get(route)?.iter().filter_map(|place| self.rows.get(*place)).find(|row| row.method == method)
    }

    /// What somebody with these roles, or nobody known, sees on a route: the most any of the roles gives; none where it is refused, as everything is
    /// that has no row, and every role that has no column.
    pub fn view(&self, row: &Row, roles: Option<&[Role]>) -> Option<View> {
        self.views(row, roles).max()
    }

    /// Whether one of the roles shows somebody what is recorded of themselves, whatever others show them.
    pub fn shows_own(&self, row: &Row, roles: &[Role]) -> bool {
        self.views(row, Some(roles)).any(|view| view == View::Own)
    }

    /// Whether what somebody with these roles sees on a route rests on one of them alone: without it they see it in another view, or not at all.
    pub fn rests_on(&self, row: &Row, roles: &[Role], role: Role) -> bool {
        let others = || roles.iter().copied().filter(|other| *other != role).collect::<Vec<_>>();
        roles.contains(&role) && self.view(row, Some(&others())) != self.view(row, Some(roles))
    }

    fn views<'a>(&'a self, row: &'a Row, roles: Option<&'a [Role]>) -> impl Iterator<Item = View> + 'a {
        let held = move |column: &Option<Role>| match (column, roles) {
            (Some(role), Some(roles)) => roles.contains(role),
            // Whoever is known sees what anybody sees.
            (None, _) => true,
            (Some(_), None) => false,
        };
        self.columns.iter().zip(&row.views).filter(move |(column, _)| held(column)).filter_map(|(_, view)| *view)
    }
}

fn column(name: &str) -> Result<Option<Role>, String> {
    if name == "anonymous" {
        return Ok(None);
    }
    let word: StrDeserializer<'_, serde::de::value::Error> = serde::de::IntoDeserializer::into_deserializer(name);
    Role::deserialize(word).map(Some).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "method,route,recorded,watch,ethics_officer,operator,anonymous\n";

    #[test]
    fn what_has_no_row_or_no_column_is_refused() {
        let table = Roles::parse(&format!("{HEAD}GET,/a,no,no,full,-,-\nGET,/p,no,no,-,neutral,public\n")).unwrap();
        let view = |route: &str, roles: Option<&[Role]>| table.find("GET", route).and_then(|row| table.view(row, roles));
        assert_eq!(view("/a", Some(&[Role::EthicsOfficer])), Some(View::Full));
        assert_eq!(view("/a", Some(&[Role::Operator, Role::Gateway])), None);
        assert_eq!(view("/a", Some(&[Role::Sequencer])), None);
        assert_eq!(view("/a", None), None);
        assert_eq!(view("/p", None), Some(View::Public));
        assert_eq!(view("/p", Some(&[Role::EthicsOfficer, Role::Operator])), Some(View::Neutral));
        assert_eq!(view("/b", Some(&[Role::EthicsOfficer])), None);
        assert!(table.find("POST", "/a").is_none());
    }

    #[test]
    fn what_rests_on_a_role_is_seen_otherwise_without_it() {
        let table = Roles::parse("method,route,recorded,watch,ethics_officer,inspector_general,operator,anonymous\nGET,/a,yes,no,full,neutral,neutral,-\nGET,/b,yes,no,-,neutral,own,-\nGET,/p,no,no,-,public,-,public\n").unwrap();
        let rests = |route: &str, roles: &[Role]| table.rests_on(table.find("GET", route).unwrap(), roles, Role::InspectorGeneral);
        let (ethics, inspector, operator) = (Role::EthicsOfficer, Role::InspectorGeneral, Role::Operator);
        assert!(rests("/a", &[inspector]) && rests("/b", &[inspector, ethics]) && rests("/b", &[operator, inspector]));
        assert!(!rests("/a", &[inspector, ethics]) && !rests("/a", &[operator, inspector]), "another role shows as much");
        assert!(!rests("/a", &[ethics]) && !rests("/p", &[inspector]), "nobody needs it");
    }

    #[test]
    fn a_table_that_gives_too_much_does_not_read() {
        for bad in [
            "GET,/a,no,no,full,full,-",
            "GET,/a,no,no,full,-,own",
            "GET,/a,no,no,full,-",
            "GET,/a,no,maybe,full,-,-",
            "GET,/a,no,no,most,-,-",
        ] {
            assert!(Roles::parse(&format!("{HEAD}{bad}\n")).is_err(), "{bad}");
        }
        assert!(Roles::parse(&format!("{HEAD}GET,/a,no,no,-,-,-\nGET,/a,no,no,-,-,-\n")).is_err());
        assert!(Roles::parse("method,route,recorded,watch,king,anonymous\n").is_err());
    }

    #[test]
    fn the_sequencer_is_no_column() {
        let table = Roles::built_in().unwrap();
        assert!(!table.columns.contains(&Some(Role::Sequencer)) && !table.rows.is_empty());
    }
}
