//! Lines again from what [`pack`](super::pack()) made of them, as it stands in a page.
//!
//! Of what a read showed of a room's lines only the last were packed. Where others are
//! missing, what it showed is not known any more: half of it would look like lost lines.

use crate::timeline::Line;
use serde_json::{Map, Value, json};

/// What stands before and behind the timeline in a page.
const BEFORE: &str = "<script type=\"application/json\" id=\"timeline\">";
const BEHIND: &str = "</script>";

/// The packed timeline in a page that stands alone; none when it is no such page.
pub fn packed_in(page: &str) -> Option<Value> {
    let (_, rest) = page.split_once(BEFORE)?;
    let (packed, _) = rest.split_once(BEHIND)?;
    serde_json::from_str(packed).ok()
}

/// The lines, in their order; none when something else is packed there. Lines of a kind that
/// is not known are left out.
pub fn unpack(packed: &Value) -> Option<Vec<Line>> {
    let texts = packed["texts"].as_array()?;
    let tables: Option<Vec<Table<'_>>> =
        packed["tables"].as_array()?.iter().map(Table::of).collect();
    let mut tables = tables?;
    let mut lines = Vec::new();
    for letter in packed["order"].as_str()?.bytes() {
        let table = tables.get_mut(usize::from(letter.checked_sub(b'a')?))?;
        let row = table.next(texts)?;
        lines.extend(serde_json::from_value::<Line>(row).ok());
    }
    Some(lines)
}

/// Lines of one kind, of which some have been read.
struct Table<'a> {
    kind: &'a Value,
    columns: Vec<(&'a str, &'a str)>,
    rows: std::slice::Iter<'a, Value>,
    /// When the last of them was.
    at: i64,
}

impl<'a> Table<'a> {
    fn of(table: &'a Value) -> Option<Self> {
        let columns = table["columns"].as_array()?.iter();
        let columns: Option<_> =
            columns.map(|column| Some((column[0].as_str()?, column[1].as_str()?))).collect();
        let rows = table["rows"].as_array()?.iter();
        Some(Self { kind: &table["kind"], columns: columns?, rows, at: 0 })
    }

    /// The next of its lines, as JSON.
    fn next(&mut self, texts: &[Value]) -> Option<Value> {
        let cells = self.rows.next()?.as_array()?;
        let mut row = Map::new();
        row.insert("kind".into(), self.kind.clone());
        for (place, (name, holds)) in self.columns.iter().enumerate() {
            let cell = cells.get(place);
            if *holds == "time" {
                self.at += cell.and_then(Value::as_i64).unwrap_or_default();
            }
            if let Some(value) = value(cell, holds, self.at, texts) {
                row.insert((*name).to_owned(), value);
            }
        }
        if row.contains_key("earlier") {
            row.remove("lines");
        }
        Some(Value::Object(row))
    }
}

/// What a cell holds; none for nothing.
fn value(cell: Option<&Value>, holds: &str, at: i64, texts: &[Value]) -> Option<Value> {
    let text = |place: &Value| texts.get(usize::try_from(place.as_u64()?).ok()?.checked_sub(1)?);
    if holds == "time" {
        return Some(json!(at));
    }
    let cell = cell.filter(|cell| **cell != json!(0))?;
    match holds {
        "after" => Some(json!(at + cell.as_i64()? - 1)),
        "number" => Some(json!(cell.as_u64()? - 1)),
        "flag" => Some(json!(cell.as_u64()? == 2)),
        "text" => text(cell).cloned(),
        "texts" => cell.as_array()?.iter().map(|place| text(place).cloned()).collect(),
        _ => Some(cell.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::viewer::{html, pack};

    const LINES: &str = include_str!("../../ui-check/timeline.jsonl");

    /// What stands in a page is the timeline that it was made of.
    #[test]
    fn a_page_gives_its_timeline_back() {
        let lines: Vec<Line> =
            LINES.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let page = html(&lines);
        let packed = packed_in(&page).expect("it is there");
        let again = unpack(&packed).expect("it is a timeline");
        assert_eq!(again.len(), lines.len());
        assert_eq!(pack(&again)["order"], packed["order"]);
        let same = lines.iter().zip(&again).filter(|(one, other)| one == other).count();
        let reads = lines.iter().filter(|line| matches!(line, Line::Call(_))).count();
        assert!(same + reads >= lines.len(), "only what reads showed may be less");
    }

    /// A read that showed many lines is a read of which nobody knows what it showed, and not
    /// one that showed few.
    #[test]
    fn half_of_what_a_read_showed_is_not_taken_for_all() {
        for (count, known) in [(2, true), (9, false)] {
            let lines: Vec<String> = (0..count).map(|n| format!("c0x{n}")).collect();
            let read = json!({
                "kind": "call", "at": 5, "returned": 9, "client": 1, "by": "n1", "room": "abc",
                "asked": "read", "level": "linearizable", "outcome": "ok", "version": 4,
                "lines": lines,
            });
            let read: Line = serde_json::from_value(read).unwrap();
            let again = unpack(&pack(std::slice::from_ref(&read))).unwrap();
            assert_eq!(again.len(), 1);
            assert_eq!(again[0] == read, known, "{again:?}");
            let told = serde_json::to_value(&again[0]).unwrap();
            assert_eq!(told["lines"].is_array(), known);
        }
    }

    #[test]
    fn what_is_no_page_gives_nothing() {
        assert_eq!(packed_in("<html></html>"), None);
        assert_eq!(packed_in(&format!("{BEFORE}not JSON{BEHIND}")), None);
        for wrong in [
            json!(null),
            json!({ "order": "a", "texts": [], "tables": [] }),
            json!({ "order": "A", "texts": [], "tables": [] }),
            json!({ "order": "aa", "texts": [], "tables": [{ "kind": "x", "columns": [], "rows": [[]] }] }),
            json!({ "order": "a", "texts": [], "tables": [{ "kind": "x", "columns": [1], "rows": [[]] }] }),
        ] {
            assert_eq!(unpack(&wrong), None, "{wrong}");
        }
    }
}
