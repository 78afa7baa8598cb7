//! Formats, their limits and their faults, and spreadsheets made by hand.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::io::Write;

use countersign_entry::ids::Date;
use countersign_import::importers::{oge278t, senate_format};
use countersign_import::limits::{CELL_BYTES_MAX, COLUMNS_MAX};
use countersign_import::quarantine;
use countersign_import::table::{Format, RawRow, RowFault, TableError, read};
use proptest::prelude::*;

fn csv(text: &str) -> Vec<RawRow> {
    read(text.as_bytes(), &Format::CSV).unwrap().rows
}

#[test]
fn csv_takes_marks_line_ends_and_quoted_newlines() {
    let table = read(b"\xef\xbb\xbf a ,b,\r\n1,\"two\r\nlines\",\r\n\r\n3,\"\"\"q\"\"\",x", &Format::CSV).unwrap();
    assert_eq!(table.header, ["a", "b", "column 3"]);
    let rows: Vec<_> = table.rows.iter().map(|r| (r.number, r.cells[1].as_str(), r.raw.as_str())).collect();
    assert_eq!(rows, [(2, "two\r\nlines", "1,\"two\r\nlines\","), (5, "\"q\"", "3,\"\"\"q\"\"\",x")]);
    assert!(read(b"a;b\n1;2", &Format::Csv { delimiter: b';' }).unwrap().column("b").is_some());
}

#[test]
fn csv_faults_stay_with_their_row() {
    let rows = csv("a,b\n1\n1,2,3\n1,2\n");
    assert_eq!(rows[0].fault, Some(RowFault::CellCount { found: 1, header: 2 }));
    assert_eq!((rows[1].cells.len(), rows[1].raw.as_str()), (2, "1,2,3"));
    assert_eq!(rows[2].fault, None);
    let long = format!("a,b\n1,{}\n3,4\n", "x".repeat(CELL_BYTES_MAX + 1));
    assert_eq!(csv(&long)[0].fault, Some(RowFault::CellTooLong("b".into())));
    assert_eq!(csv(&long)[1].fault, None);
    assert_eq!(csv("a,b\n1,\"2\n3,4\n")[0].fault, Some(RowFault::UnclosedQuote));
    // An inch mark inside a last, closed row is no unclosed quote when it is doubled as CSV asks.
    assert_eq!(csv("a,b\n1,\"5\"\" pipe\"\n")[0].fault, None);
}

#[test]
fn files_that_cannot_be_read_are_refused_whole() {
    let refused = |bytes: &[u8], format: &Format| read(bytes, format).unwrap_err();
    assert_eq!(refused(b"", &Format::CSV), TableError::Empty);
    assert_eq!(refused(b"[]", &Format::Json), TableError::Empty);
    assert_eq!(refused(b"a,a\n1,2", &Format::CSV), TableError::DuplicateColumn("a".into()));
    assert_eq!(refused(b"\xff\xfea\0,\0", &Format::CSV), TableError::NotUtf8);
    assert!(matches!(refused(b"[{\"a\":1},", &Format::Json), TableError::Syntax { .. }));
    assert!(matches!(refused(b"[{\"a\":1}] x", &Format::Json), TableError::Syntax { .. }));
    let wide = vec!["c"; COLUMNS_MAX + 1].iter().enumerate().map(|(i, c)| format!("{c}{i}")).collect::<Vec<_>>().join(",");
    assert!(matches!(refused(wide.as_bytes(), &Format::CSV), TableError::TooMuch { what: "columns", .. }));
    let deep = format!("[{}{}]", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(read(deep.as_bytes(), &Format::Json).unwrap().rows[0].fault, Some(RowFault::NotAnObject), "depth is not followed");
}

#[test]
fn json_keeps_texts_and_finds_twins() {
    let table = read(b"[{\"a\": 1.50, \"b\": null}, {\"c\": \"\\u00e9\", \"a\": [1, 2]}, 5]", &Format::Json).unwrap();
    assert_eq!(table.header, ["a", "b", "c"]);
    assert_eq!(
        (table.rows[0].cells.as_slice(), table.rows[0].raw.as_str()),
        (&["1.50".to_owned(), String::new()][..], "{\"a\": 1.50, \"b\": null}")
    );
    assert_eq!(table.rows[1].cells, ["[1, 2]", "", "é"]);
    assert_eq!(table.rows[2].fault, Some(RowFault::NotAnObject));
    let twins = read(b"{\"a\":1,\"a\":2}\n{\"a\":1}}\n", &Format::Ndjson).unwrap();
    assert_eq!(twins.rows[0].fault, Some(RowFault::DuplicateKey("a".into())));
    assert!(matches!(twins.rows[1].fault, Some(RowFault::NotJson(_))));
    let nested = read(b"[{\"x\":1,\"transactions\":[{\"x\":2}]}]", &senate_format()).unwrap();
    assert_eq!(
        (nested.header.as_slice(), nested.rows[0].cells.as_slice()),
        (&["x".to_owned(), "transactions.x".into()][..], &["1".to_owned(), "2".into()][..])
    );
}

#[test]
fn formats_are_recognised() {
    for (bytes, format) in [
        (&b"\xef\xbb\xbf[{}]"[..], Format::Json),
        (b"\n {\"a\":1}", Format::Ndjson),
        (b"a,b", Format::CSV),
        (b"PK\x03\x04", Format::Xlsx { sheet: None }),
    ] {
        assert_eq!(Format::recognise(bytes), format);
    }
}

/// A workbook of one sheet with these rows of XML.
fn workbook(sheet: &str) -> Vec<u8> {
    let parts = [
        ("[Content_Types].xml", "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Default Extension=\"xml\" ContentType=\"application/xml\"/></Types>".to_owned()),
        ("_rels/.rels", "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>".to_owned()),
        ("xl/workbook.xml", "<workbook xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><sheets><sheet name=\"Part I\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>".to_owned()),
        ("xl/_rels/workbook.xml.rels", "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" Target=\"worksheets/sheet1.xml\"/><Relationship Id=\"rId2\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles\" Target=\"styles.xml\"/></Relationships>".to_owned()),
        ("xl/styles.xml", "<styleSheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><cellXfs count=\"2\"><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/></cellXfs></styleSheet>".to_owned()),
        ("xl/worksheets/sheet1.xml", format!("<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>{sheet}</sheetData></worksheet>")),
    ];
    zipped(&parts.map(|(name, text)| (name, text.into_bytes())))
}

fn zipped(parts: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn text(at: &str, text: &str) -> String {
    format!("<c r=\"{at}\" t=\"inlineStr\"><is><t>{text}</t></is></c>")
}

const XLSX: Format = Format::Xlsx { sheet: None };

#[test]
fn spreadsheets_read_like_the_same_csv() {
    let header: String = ["filer", "agency", "line_no", "description", "transaction", "value"]
        .iter()
        .zip('A'..)
        .map(|(h, c)| text(&format!("{c}1"), h))
        .collect();
    let row = |n: u32, what: &str| {
        format!(
            "<row r=\"{n}\">{}<c r=\"C{n}\"><v>{n}</v></c>{}{}{}</row>",
            text(&format!("A{n}"), "Z-1"),
            text(&format!("D{n}"), "Lantern Mills, Inc."),
            text(&format!("E{n}"), what),
            text(&format!("F{n}"), "$15,001 -\n$50,000")
        )
    };
    let sheet = format!("<row r=\"1\">{header}</row>{}{}", row(2, "Purchase, 2025-04-10"), row(7, "Sale, 1/33/2026"));
    let bytes = workbook(&sheet);
    let table = read(&bytes, &Format::recognise(&bytes)).unwrap();
    assert_eq!(table.rows.iter().map(|r| r.number).collect::<Vec<_>>(), [2, 7]);
    let imported = oge278t(&table, &Date::new("2026-06-30").unwrap()).unwrap();
    assert_eq!((imported.rows.len(), imported.quarantined[0].number), (1, 7));
    assert_eq!(imported.rows[0].value.line_no.as_deref(), Some("2"));
    assert_eq!(quarantine::read_back(&quarantine::write(&imported).unwrap()).unwrap().rows[0].cells, imported.quarantined[0].cells);
    assert_eq!(read(&bytes, &Format::Xlsx { sheet: Some("Part II".into()) }), Err(TableError::NoSheet("Part II".into())));
}

#[test]
fn spreadsheet_dates_and_errors() {
    let sheet = format!(
        "<row r=\"1\">{}{}</row><row r=\"2\"><c r=\"A2\" s=\"1\"><v>45757</v></c></row><row r=\"3\"><c r=\"B3\" t=\"e\"><v>#REF!</v></c></row><row r=\"4\">{}</row>",
        text("A1", "a"),
        text("B1", "b"),
        text("E4", "stray")
    );
    let rows = read(&workbook(&sheet), &XLSX).unwrap().rows;
    assert_eq!(rows[0].cells, ["2025-04-10"]);
    assert_eq!(rows[1].fault, Some(RowFault::SpreadsheetError("b".into())));
    assert_eq!(rows[2].fault, Some(RowFault::CellCount { found: 5, header: 2 }));
}

#[test]
fn a_workbook_that_grows_is_refused() {
    // Far corners cost nothing.
    let corners = format!("<row r=\"1\">{}</row><row r=\"1048576\">{}</row>", text("A1", "a"), text("A1048576", "z"));
    assert_eq!(read(&workbook(&corners), &XLSX).unwrap().rows[0].number, 1_048_576);
    let wide = format!("<row r=\"1\">{}{}</row>", text("A1", "a"), text("XFD1", "z"));
    assert!(matches!(read(&workbook(&wide), &XLSX), Err(TableError::TooMuch { what: "columns", .. })));
    // 600 MiB of zeros in about 600 KiB.
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for name in ["xl/a.xml", "xl/b.xml"] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        (0..300).for_each(|_| zip.write_all(&[0; 1 << 20]).unwrap());
    }
    let bomb = zip.finish().unwrap().into_inner();
    assert!(bomb.len() < 1 << 20);
    assert!(matches!(read(&bomb, &XLSX), Err(TableError::TooMuch { what: "bytes once decompressed", .. })));
    assert!(matches!(read(b"PK\x03\x04nothing", &XLSX), Err(TableError::Syntax { .. })));
    let whole = workbook("<row r=\"1\"></row>");
    for cut in [10, whole.len() / 2, whole.len() - 1] {
        assert!(read(&whole[..cut], &XLSX).is_err());
    }
    assert_eq!(read(&whole, &XLSX), Err(TableError::Empty));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever the cells hold, what the csv crate writes is read back cell by cell, with numbers that rise.
    #[test]
    fn csv_round_trip(rows in proptest::collection::vec(proptest::collection::vec("[a\",\r\n é]{0,6}", 3), 1..8)) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["h1", "h2", "h3"]).unwrap();
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let table = read(&writer.into_inner().unwrap(), &Format::CSV).unwrap();
        prop_assert_eq!(table.rows.iter().map(|r| r.cells.clone()).collect::<Vec<_>>(), rows);
        prop_assert!(table.rows.windows(2).all(|w| w[0].number < w[1].number));
    }

    #[test]
    fn no_bytes_break_a_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "[\\[\\]{}:,\"a1\n]{0,60}") {
        for body in [bytes.as_slice(), text.as_bytes()] {
            for format in [Format::CSV, Format::Json, Format::Ndjson, senate_format(), XLSX] {
                if let Ok(table) = read(body, &format) {
                    prop_assert!(table.rows.iter().all(|r| r.cells.len() <= table.header.len()));
                }
            }
        }
    }
}
