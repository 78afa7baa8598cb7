//! Cells on their way out: a spreadsheet program runs a cell that starts like a formula (CWE-1236).

use std::borrow::Cow;

/// A cell as a spreadsheet program may see it: one that starts with `=`, `+`, `-`, `@`, tab or carriage return gets an apostrophe in front.
/// One that starts so after apostrophes of its own gets another, so that [`undefuse`] gives back exactly what went in.
pub fn defuse(cell: &str) -> Cow<'_, str> {
    if is_live(cell) { Cow::Owned(format!("'{cell}")) } else { Cow::Borrowed(cell) }
}

/// The cell [`defuse`] was given.
pub fn undefuse(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| is_live(rest)).unwrap_or(cell)
}

/// Rows as CSV, every cell of them defused.
///
/// # Errors
/// A row of another length than the heads.
pub fn table(heads: &[&str], rows: &[Vec<String>]) -> std::io::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(heads)?;
    for row in rows {
        writer.write_record(row.iter().map(|cell| defuse(cell).into_owned()))?;
    }
    let bytes = writer.into_inner().map_err(csv::IntoInnerError::into_error)?;
    String::from_utf8(bytes).map_err(std::io::Error::other)
}

fn is_live(cell: &str) -> bool {
    cell.trim_start_matches('\'').starts_with(['=', '+', '-', '@', '\t', '\r'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn formulas_are_defused_and_others_left() {
        for live in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "--"] {
            assert_eq!(defuse(live), format!("'{live}"));
        }
        for dead in ["", "1", "O'Brien", "'quoted'", "a=b"] {
            assert_eq!(defuse(dead), dead);
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_live_goes_out(cell in "['=+@\t\r a-]{0,6}") {
            let out = defuse(&cell);
            prop_assert_eq!(undefuse(&out), cell.as_str());
            prop_assert!(!out.starts_with(['=', '+', '-', '@', '\t', '\r']));
        }
    }
}
