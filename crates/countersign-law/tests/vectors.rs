//! Every shipped scenario against the outcome that the regulation's own text states for it.
//!
//! `open` are those of the cases the rules were written with. `printed` are the other examples printed in the same parts: they are the honest
//! measure of whether the rules are the rules. The table goes to standard output; `cargo test -p countersign-law --test vectors -- --nocapture`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout, reason = "tests")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use countersign_law::{Answer, Kind, Outcome, Scenario, assess};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    kind: Kind,
    outcome: Outcome,
    #[serde(default)]
    flags: Vec<countersign_law::Flag>,
    cite: String,
    /// The scenario states everything the text does, and the rules still differ: why, argued from the text.
    #[serde(default)]
    argued: String,
    /// Outcomes the text bears as well, where a translation leaves open what decides or the example states several elements.
    #[serde(default)]
    or: Vec<Outcome>,
    /// The question a referral must put, where the text itself leaves it to a human: words it contains.
    #[serde(default)]
    asks_for: String,
}

#[derive(Default)]
struct Tally {
    agree: usize,
    also_found: usize,
    refer_rightly: usize,
    refer_otherwise: usize,
    disagree: usize,
    wrongly_cleared: usize,
}

fn vectors() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/assess")
}

fn expected(set: &str) -> BTreeMap<String, Expected> {
    let path = vectors().join(format!("{set}.expected.json"));
    serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn scenario(set: &str, id: &str) -> Scenario {
    let path = vectors().join(set).join(format!("{id}.json"));
    Scenario::from_json(&std::fs::read_to_string(&path).unwrap()).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Outcomes that let somebody go on.
fn clears(outcome: Outcome) -> bool {
    use Outcome::*;
    matches!(
        outcome,
        MayParticipate
            | Exempt
            | ImpartialityNotQuestioned
            | SeekingNo
            | NoViolation
            | Permitted
            | ParticularMatterNo
            | NoticeNotRequired
            | RecusalStatementNotRequired
            | FileNotRequired
            | StatusNo
            | ElementNotMet
            | SameMatterNo
            | AuthorizationPossible
            | NoticeSatisfied
    )
}

/// How an answer compares, with a line to print where it is not plain agreement.
fn compare(id: &str, e: &Expected, answer: &Answer, t: &mut Tally) -> Option<String> {
    let Some(of) = answer.of(e.kind) else {
        t.disagree += 1;
        return Some(format!("{id}: {:?} not answered; expected {:?}", e.kind, e.outcome));
    };
    if e.or.contains(&of.outcome) {
        *(if of.outcome == Outcome::Refer { &mut t.refer_rightly } else { &mut t.agree }) += 1;
        return None;
    }
    if of.outcome == e.outcome {
        t.agree += 1;
        let first = of.findings.iter().filter(|f| f.outcome == e.outcome);
        let found: Vec<_> = first.flat_map(|f| f.flags.iter()).collect();
        let missing: Vec<_> = e.flags.iter().filter(|f| !found.contains(f)).collect();
        return (!missing.is_empty()).then(|| format!("{id}: agrees, without the flags {missing:?}"));
    }
    let told = format!("{id}: {:?}, expected {:?}; {} {}", of.outcome, e.outcome, of.findings[0].because, e.argued);
    if of.outcome == Outcome::Refer {
        let question = of.findings[0].question.clone().unwrap_or_default();
        let right = !e.asks_for.is_empty() && question.contains(&e.asks_for);
        *(if right { &mut t.refer_rightly } else { &mut t.refer_otherwise }) += 1;
        return Some(format!("{id}: refers ({question}), expected {:?}", e.outcome));
    }
    if of.findings.iter().any(|f| f.outcome == e.outcome) {
        t.also_found += 1;
    } else {
        t.disagree += 1;
        t.wrongly_cleared += usize::from(clears(of.outcome) && !clears(e.outcome));
    }
    Some(told)
}

/// The share that agrees or refers rightly, in percent, and how many were wrongly cleared.
fn score(set: &str, with_asks: bool) -> (f64, usize) {
    let expected = expected(set);
    let mut by_kind: BTreeMap<Kind, Tally> = BTreeMap::new();
    for (id, e) in &expected {
        assert!(!e.cite.is_empty(), "{id}");
        let mut facts = scenario(set, id);
        if !with_asks {
            facts.asks.clear();
        }
        let answer = assess(&facts);
        if let Some(line) = compare(id, e, &answer, by_kind.entry(e.kind).or_default()) {
            println!("  {line}");
        }
    }
    println!("{set}: {:<18} agree  also  refer+  refer-  disagree  wrongly cleared", "kind");
    let mut all = Tally::default();
    for (kind, t) in &by_kind {
        let name = serde_json::to_value(kind).unwrap();
        println!(
            "{set}: {:<18} {:>5} {:>5} {:>7} {:>7} {:>9} {:>16}",
            name.as_str().unwrap(),
            t.agree,
            t.also_found,
            t.refer_rightly,
            t.refer_otherwise,
            t.disagree,
            t.wrongly_cleared
        );
        all.agree += t.agree;
        all.also_found += t.also_found;
        all.refer_rightly += t.refer_rightly;
        all.refer_otherwise += t.refer_otherwise;
        all.disagree += t.disagree;
        all.wrongly_cleared += t.wrongly_cleared;
    }
    let n = expected.len();
    let shipped = std::fs::read_dir(vectors().join(set)).unwrap().count();
    assert_eq!(shipped, n, "every shipped scenario of {set} has an outcome");
    let good = 100.0 * (all.agree + all.refer_rightly) as f64 / n as f64;
    let referred = all.refer_rightly + all.refer_otherwise;
    println!(
        "{set}: {n} cases, {} agree, {} found but not first, {referred} referred ({} rightly), {} disagree, {} wrongly cleared: {good:.1} %",
        all.agree, all.also_found, all.refer_rightly, all.disagree, all.wrongly_cleared
    );
    (good, all.wrongly_cleared)
}

#[test]
fn the_open_cases() {
    let (good, wrongly_cleared) = score("open", true);
    assert!(good >= 95.0 && wrongly_cleared == 0, "{good:.1} %, {wrongly_cleared} wrongly cleared");
}

#[test]
fn the_other_printed_examples() {
    let (good, wrongly_cleared) = score("printed", true);
    assert!(good >= 95.0 && wrongly_cleared == 0, "{good:.1} %, {wrongly_cleared} wrongly cleared");
}

/// The open cases again, translated a second time from their facts, without the first translation at hand (what it states of contacts after service had
/// been seen in a table), and nearly all without saying which point is at issue. On the first run 86 of 88 came out as the text says; one rule was mended after that.
#[test]
fn a_second_translation_of_the_open_cases() {
    let (good, wrongly_cleared) = score("second", true);
    assert!(good >= 97.0 && wrongly_cleared == 0, "{good:.1} %, {wrongly_cleared} wrongly cleared");
}

/// The other printed examples again, translated a second time from the text alone, without the first translation at hand. On the first run 176 of
/// 192 came out as the text says, 9 had that finding but not first, 2 referred, 5 differed, and one of those cleared what the text bars. Six rules were
/// mended after that, and 8 translations that had asked another point than the text decides or left a stated fact out; one has been taken out since its text has no act.
#[test]
fn a_second_translation_of_the_other_printed_examples() {
    let (good, wrongly_cleared) = score("again", true);
    assert!(good >= 95.0 && wrongly_cleared == 0, "{good:.1} %, {wrongly_cleared} wrongly cleared");
}

/// The printed examples a third time, and many of them a fourth, by somebody who had seen neither the rules nor the translations before. On the first run
/// 514 of 542 came out as the text says, 13 referred what the text decides, 15 differed, and eight of those cleared what the text bars; so did some with a
/// fact left out. About fifteen rules were mended after that, with one field and four descriptions of the schema. Two translations were taken out, since
/// they state something else than the text: a private letter for an endorsement, and one of two pays for their sum.
#[test]
fn a_third_translation_of_the_printed_examples() {
    let (good, wrongly_cleared) = score("third", true);
    assert!(good >= 95.0 && wrongly_cleared == 0, "{good:.1} %, {wrongly_cleared} wrongly cleared");
}

/// Without the points at issue an answer has to put first what decides, by itself.
#[test]
fn without_the_points_asked_for_nothing_is_wrongly_cleared() {
    for set in ["open", "printed", "again"] {
        let (good, wrongly_cleared) = score(set, false);
        assert!(good >= 90.0 && wrongly_cleared == 0, "{set}: {good:.1} %, {wrongly_cleared} wrongly cleared");
    }
}

/// The schema that people write against is the one the types read by. `UPDATE=1` writes it anew.
#[test]
fn the_schemas_are_those_of_the_types() {
    let written = [
        ("scenario", countersign_law::schema(), "A scenario for `countersign assess`"),
        ("assessment", countersign_law::answer_schema(), "What `countersign assess --json` answers"),
        ("law-policy", countersign_law::limits::schema(), "An edition of the numbers the rules compare with"),
    ];
    for (file, schema, title) in written {
        one_schema(file, serde_json::to_value(schema).unwrap(), title);
    }
}

fn one_schema(file: &str, mut schema: serde_json::Value, title: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../schemas/{file}.schema.json"));
    schema["title"] = title.into();
    let text = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert!(std::fs::read_to_string(&path).unwrap_or_default() == text, "schemas/{file}.schema.json is not that of the types");
    if file == "assessment" {
        return;
    }
    let open =
        schema["$defs"].as_object().into_iter().flatten().filter(|(_, d)| d["type"] == "object" && d["additionalProperties"] != false);
    assert_eq!(open.map(|(name, _)| name.as_str()).collect::<Vec<_>>(), Vec::<&str>::new(), "every object refuses fields it does not know");
}

#[test]
fn what_is_not_of_the_schema_is_refused_with_its_place() {
    let refused = |text: &str| Scenario::from_json(text).unwrap_err().to_string();
    assert!(refused(r#"{"id": "x", "same_matter": true}"#).contains("unknown field `same_matter`"));
    let nested = refused("{\"matter\": {\"kind\": \"contract\",\n \"parties\": []}}");
    assert!(nested.contains("unknown field `parties`") && nested.contains("line 2"), "{nested}");
    assert!(refused(r#"{"interests": [{"value": {"at_least": 5, "at_most": 3}}]}"#).contains("more than"));
    assert!(refused(r#"{"interests": [{"id": "H-1"}, {"id": "H-1"}]}"#).contains("H-1"));
    assert!(refused(r#"{"as_of": "2026-02-30"}"#).contains("YYYY-MM-DD"));
    let unknown = refused(r#"{"interests": [{"asset": "shares"}]}"#);
    assert!(unknown.contains("unknown variant `shares`") && unknown.contains("interests[0].asset"), "{unknown}");
}

/// The examples in the guide are scenarios, and say what the guide says of them.
#[test]
fn the_guide_tells_the_truth() {
    let guide = std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../schemas/scenario.md")).unwrap();
    let mut checked = 0;
    for block in guide.split("```json\n").skip(1) {
        let (text, after) = block.split_once("```").unwrap();
        let answer = assess(&Scenario::from_json(text).unwrap());
        let told = after.lines().find(|l| l.starts_with("Answer:")).expect("an answer after each example");
        for wanted in told.split('`').skip(1).step_by(2) {
            let Some((kind, outcome)) = wanted.split_once(' ') else { continue };
            let kind: Kind = serde_json::from_value(kind.into()).unwrap();
            let outcome: Outcome = serde_json::from_value(outcome.into()).unwrap();
            assert_eq!(answer.of(kind).map(|a| a.outcome), Some(outcome), "{}", answer.scenario);
            checked += 1;
        }
    }
    assert!(checked >= 3);
}

/// Every place of a JSON text that a fact can be left out of: fields of objects that hold a plain value, and lists within something stated.
fn left_out(facts: &serde_json::Value) -> Vec<(String, serde_json::Value)> {
    fn walk(at: &serde_json::Value, path: &str, paths: &mut Vec<(String, String)>) {
        match at {
            serde_json::Value::Object(fields) => {
                for (name, value) in fields {
                    if !value.is_object() && (!value.is_array() || !path.is_empty()) {
                        paths.push((path.to_owned(), name.clone()));
                    }
                    walk(value, &format!("{path}/{name}"), paths);
                }
            }
            serde_json::Value::Array(items) => items.iter().enumerate().for_each(|(n, item)| walk(item, &format!("{path}/{n}"), paths)),
            _ => {}
        }
    }
    let mut paths = Vec::new();
    walk(facts, "", &mut paths);
    let without = |(parent, name): &(String, String)| {
        let mut rest = facts.clone();
        rest.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
        (format!("{parent}/{name}"), rest)
    };
    paths.iter().map(without).collect()
}

/// Whoever leaves a fact out of a case that ends badly never gets it cleared, unless on a condition that the finding names.
#[test]
fn a_fact_left_out_never_clears() {
    let (mut tried, mut cleared) = (0, Vec::new());
    for set in ["open", "printed", "again", "third"] {
        for (id, e) in expected(set).iter().filter(|(_, e)| !clears(e.outcome) && !e.or.iter().any(|o| clears(*o))) {
            let whole = serde_json::from_str(&std::fs::read_to_string(vectors().join(set).join(format!("{id}.json"))).unwrap()).unwrap();
            for (path, rest) in left_out(&whole) {
                // Without the effect on the person's own pay it is the first half of the example, and exempt.
                if set == "again" && id == "2640.203-b-1b" && path.ends_with("/if_decided") {
                    continue;
                }
                // The same example; one that without the outside position is the example before it, exempt; one whose field itself says that a group is meant.
                let other = [("247-2640.203-b-ex1b", "/if_decided"), ("549-v203d8", "/if_decided"), ("264-2640.203-d-ex10", "/addresses")];
                if set == "third" && other.iter().any(|(of, field)| id == of && path.ends_with(field)) {
                    continue;
                }
                // Nothing stated of a prohibition is the usual case of every report; a post without an end is held still, as the schema says.
                if path.ends_with("/held_against") || (path.ends_with("/to") && e.outcome == Outcome::StatusYes) {
                    continue;
                }
                let Ok(s) = Scenario::from_json(&rest.to_string()) else { continue };
                tried += 1;
                if let Some(of) = assess(&s).of(e.kind)
                    && clears(of.outcome)
                    && !of.findings[0].flags.contains(&countersign_law::Flag::Conditional)
                {
                    cleared.push(format!("{id} without {path}: {:?}: {}", of.outcome, of.findings[0].because));
                }
            }
        }
    }
    assert!(tried > 1_000, "{tried}");
    assert!(cleared.is_empty(), "{} of {tried}:\n{}", cleared.len(), cleared.join("\n"));
}
