//! How words are read: without a copy where there can be none, and without a complaint
//! when a newer program says one that is not known here.

use std::{borrow::Cow, fmt::Display, str::FromStr};

use serde::{Deserialize, Deserializer, Serializer, de::Error};

/// Borrows unless something in the text is escaped.
#[derive(Deserialize)]
struct Word<'a>(#[serde(borrow)] Cow<'a, str>);

/// Borrows a word that may be missing. Serde does not do so by itself inside an option.
pub(super) fn optional<'de: 'a, 'a, D>(deserializer: D) -> Result<Option<Cow<'a, str>>, D::Error>
where
    D: Deserializer<'de>,
{
    Ok(Option::<Word<'a>>::deserialize(deserializer)?.map(|Word(word)| word))
}

/// Reads a word of a closed list. What is not in it becomes `unknown`.
pub(super) fn listed<'de, T, D>(deserializer: D, unknown: T) -> Result<T, D::Error>
where
    T: FromStr,
    D: Deserializer<'de>,
{
    let Word(word) = Word::deserialize(deserializer)?;
    Ok(word.parse().unwrap_or(unknown))
}

/// Reads something from how it is spelled.
pub(super) fn spelled<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: FromStr,
    D: Deserializer<'de>,
{
    let Word(word) = Word::deserialize(deserializer)?;
    word.parse().map_err(|_| D::Error::custom("it is not spelled so"))
}

/// Writes something as it is spelled.
pub(super) fn spell<S: Serializer>(what: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(what)
}

/// Reads something that may be missing from how it is spelled.
pub(super) fn spelled_some<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: FromStr,
    D: Deserializer<'de>,
{
    let Some(word) = optional(deserializer)? else { return Ok(None) };
    word.parse().map(Some).map_err(|_| D::Error::custom("it is not spelled so"))
}

/// Writes something as it is spelled, or nothing.
pub(super) fn spell_some<S: Serializer>(
    what: &Option<impl Display>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match what {
        Some(what) => serializer.collect_str(what),
        None => serializer.serialize_none(),
    }
}
