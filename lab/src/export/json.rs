//! JSON that people can read, too: an array has one element a line.

use serde::Serialize;

/// An array of these.
pub(super) fn array<T: Serialize>(elements: &[T]) -> String {
    if elements.is_empty() {
        return "[]".to_owned();
    }
    let lines: Vec<String> = elements.iter().map(text).collect();
    format!("[\n{}\n]", lines.join(",\n"))
}

/// One element, on one line.
pub(super) fn text<T: Serialize>(element: &T) -> String {
    serde_json::to_string(element).expect("numbers, texts and lists are JSON")
}
