//! A timeline in little room: a table for each kind of line, and every text once.
//!
//! Two minutes of messages are some megabytes as JSON lines, most of it the names of fields.
//! `unpack.js` makes the lines again, in their order.
//!
//! A cell that is missing is 0, and what misses at a row's end is left out. What a column
//! holds is one of
//!
//! * `time`: how long after the row before, in microseconds
//! * `after`: how long after the row's own time, plus 1
//! * `number`: the number, plus 1
//! * `flag`: 1 is false, 2 is true
//! * `text`: the place in the list of texts, plus 1
//! * `texts`: a list of such places
//! * `json`: the value itself

use crate::timeline::Line;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};

/// Lines of a room that are kept of what a read showed: the last ones. How many came before
/// is told as `earlier`.
const LINES_KEPT: usize = 3;

/// Fields that hold a time behind the line's own.
const AFTER: &[&str] = &["received", "returned"];

/// The lines of one kind.
struct Table {
    kind: String,
    rows: Vec<Map<String, Value>>,
}

/// All texts, each once, and the place of each.
#[derive(Default)]
struct Texts {
    places: HashMap<String, usize>,
    list: Vec<String>,
}

impl Texts {
    /// The place of a text, counted from 1.
    fn place(&mut self, text: &str) -> Value {
        if let Some(place) = self.places.get(text) {
            return json!(place);
        }
        self.list.push(text.into());
        self.places.insert(text.into(), self.list.len());
        json!(self.list.len())
    }
}

/// The whole timeline as one JSON value.
pub fn pack(lines: &[Line]) -> Value {
    let mut tables: Vec<Table> = Vec::new();
    let mut order = String::new();
    for line in lines {
        let Ok(Value::Object(mut row)) = serde_json::to_value(line) else { continue };
        let Some(Value::String(kind)) = row.remove("kind") else { continue };
        shorten(&mut row);
        let known = tables.iter().position(|table| table.kind == kind);
        let place = known.unwrap_or(tables.len());
        if known.is_none() {
            tables.push(Table { kind, rows: Vec::new() });
        }
        tables[place].rows.push(row);
        let letter = u8::try_from(place).expect("there are few kinds");
        order.push(char::from(b'a' + letter));
    }
    let mut texts = Texts::default();
    let tables: Vec<_> = tables.iter().map(|table| packed(table, &mut texts)).collect();
    json!({ "order": order, "texts": texts.list, "tables": tables })
}

/// A room's lines, only the last of them.
fn shorten(row: &mut Map<String, Value>) {
    let Some(Value::Array(lines)) = row.get_mut("lines") else { return };
    let earlier = lines.len().saturating_sub(LINES_KEPT);
    if earlier > 0 {
        lines.drain(..earlier);
        row.insert("earlier".into(), json!(earlier));
    }
}

fn packed(table: &Table, texts: &mut Texts) -> Value {
    let columns = columns(table);
    let mut before = 0;
    let mut rows = Vec::new();
    for row in &table.rows {
        let at = time(row.get("at"));
        let mut cells: Vec<_> = columns
            .iter()
            .map(|(name, holds)| match *holds {
                "time" => json!(at - before),
                holds => row.get(name).map_or(json!(0), |value| cell(value, holds, at, texts)),
            })
            .collect();
        before = at;
        while cells.last() == Some(&json!(0)) {
            cells.pop();
        }
        rows.push(cells);
    }
    json!({ "kind": table.kind, "columns": columns, "rows": rows })
}

/// The names of a table's columns and what each holds: those that most rows have come first.
fn columns(table: &Table) -> Vec<(String, &'static str)> {
    let mut held: BTreeMap<&str, usize> = BTreeMap::new();
    for name in table.rows.iter().flat_map(Map::keys) {
        *held.entry(name).or_default() += 1;
    }
    let mut names: Vec<_> = held.into_iter().collect();
    names.sort_by_key(|(name, count)| (*name != "at", usize::MAX - count));
    names.into_iter().map(|(name, _)| (name.into(), holds(table, name))).collect()
}

/// What a column holds, by all that is in it.
fn holds(table: &Table, name: &str) -> &'static str {
    if name == "at" {
        return "time";
    }
    let values = || table.rows.iter().filter_map(|row| row.get(name));
    let late = |row: &Map<_, _>| row.get(name).is_none_or(|v| time(Some(v)) >= time(row.get("at")));
    if AFTER.contains(&name) && table.rows.iter().all(late) {
        return "after";
    }
    let texts =
        |value: &Value| value.as_array().is_some_and(|list| list.iter().all(Value::is_string));
    match () {
        () if values().all(Value::is_string) => "text",
        () if values().all(Value::is_u64) => "number",
        () if values().all(Value::is_boolean) => "flag",
        () if values().all(texts) => "texts",
        () => "json",
    }
}

fn cell(value: &Value, holds: &str, at: i64, texts: &mut Texts) -> Value {
    match (holds, value) {
        ("after", _) => json!(time(Some(value)) - at + 1),
        ("number", _) => json!(value.as_u64().unwrap_or_default().saturating_add(1)),
        ("flag", _) => json!(1 + u8::from(*value == Value::Bool(true))),
        ("text", Value::String(text)) => texts.place(text),
        ("texts", Value::Array(list)) => {
            list.iter().filter_map(Value::as_str).map(|text| texts.place(text)).collect()
        }
        _ => value.clone(),
    }
}

fn time(value: Option<&Value>) -> i64 {
    value.and_then(Value::as_i64).unwrap_or_default()
}
