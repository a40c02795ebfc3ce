//! How numbers that name somebody or something look in JSON.

use std::fmt::Display;

use serde::Serializer;

/// Serializes something the way it prints.
pub(crate) fn as_text<T: Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}

/// Serializes something the way it prints, or null.
pub(crate) fn as_text_or_null<T: Display, S: Serializer>(
    value: &Option<T>,
    to: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => as_text(value, to),
        None => to.serialize_none(),
    }
}
