//! A view field by field: what steps are taken by, and whole views are put together from.
//!
//! Values stay the JSON that they are. Names of fields are plain words.

use std::{borrow::Cow, fmt, str, sync::Arc};

use bytes::Bytes;
use serde::{
    Deserialize,
    de::{Deserializer, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::upstream::Step;

/// The field with what was said last. Who is told in steps hears lines as events, and asks for
/// those of before.
const CHAT: &str = "chat";

/// What a node has sent as a view is no JSON object, or a value of a step is no text.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a view is no JSON object")]
pub(crate) struct NotAView;

/// The fields of a view, in the order of the last whole one, with new ones behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fields(Vec<(Arc<str>, Bytes)>);

/// The fields of an object as they stand in its text.
struct Read<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl Fields {
    /// Takes a whole view apart.
    pub(super) fn of(view: &[u8]) -> Result<Self, NotAView> {
        let Read(read) = serde_json::from_slice(view).map_err(|_| NotAView)?;
        // Copied: what came from the node is one piece with much else that came with it.
        let copy = |value: &RawValue| Bytes::copy_from_slice(value.get().as_bytes());
        Ok(Self(read.into_iter().map(|(name, value)| (name.into(), copy(value))).collect()))
    }

    /// The view that a step leads to from this one.
    pub(super) fn after(&self, step: &Step) -> Result<Self, NotAView> {
        let mut fields = self.clone();
        fields.0.retain(|(name, _)| !step.unset.contains(name));
        for (name, value) in &step.set {
            str::from_utf8(value).map_err(|_| NotAView)?;
            match fields.0.iter_mut().find(|(known, _)| known == name) {
                Some((_, known)) => *known = value.clone(),
                None => fields.0.push((name.clone(), value.clone())),
            }
        }
        Ok(fields)
    }

    /// The step that leads from this view to another.
    pub(super) fn step_to(&self, after: &Self) -> Step {
        let is_same = |(name, value): &(Arc<str>, Bytes)| self.value(name) == Some(value);
        let is_gone = |name: &Arc<str>| after.value(name).is_none();
        Step {
            set: after.0.iter().filter(|field| !is_same(field)).cloned().collect(),
            unset: self
                .0
                .iter()
                .map(|(name, _)| name)
                .filter(|name| is_gone(name))
                .cloned()
                .collect(),
        }
    }

    /// The whole view as JSON.
    pub(super) fn view(&self) -> String {
        object(self.0.iter())
    }

    /// The whole view for who is told in steps.
    pub(super) fn view_without_chat(&self) -> String {
        object(self.0.iter().filter(|(name, _)| &**name != CHAT))
    }

    fn value(&self, name: &str) -> Option<&Bytes> {
        self.0.iter().find(|(known, _)| &**known == name).map(|(_, value)| value)
    }
}

/// What a client is told of a step: the fields as an object, and names as an array.
pub(super) fn told(step: &Step) -> (String, String) {
    let set = || step.set.iter().filter(|(name, _)| &**name != CHAT);
    let set =
        planted!(StepDropsAField ? object(crate::planted::all_but_one(set())) => object(set()));
    let names = step.unset.iter().filter(|name| &***name != CHAT);
    let names: Vec<String> = names.map(|name| format!("\"{name}\"")).collect();
    (set, format!("[{}]", names.join(",")))
}

fn object<'a>(fields: impl Iterator<Item = &'a (Arc<str>, Bytes)>) -> String {
    let mut text = vec![b'{'];
    for (name, value) in fields {
        if text.len() > 1 {
            text.push(b',');
        }
        text.push(b'"');
        text.extend_from_slice(name.as_bytes());
        text.extend_from_slice(b"\":");
        text.extend_from_slice(value);
    }
    text.push(b'}');
    String::from_utf8(text).expect("values were looked at when they came")
}

impl<'de> Deserialize<'de> for Read<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Read<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut read = Vec::new();
                while let Some(field) = map.next_entry()? {
                    read.push(field);
                }
                Ok(Read(read))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(view: &str) -> Fields {
        Fields::of(view.as_bytes()).expect("an object")
    }

    /// What is put together is what was taken apart, letter for letter.
    #[test]
    fn a_view_is_taken_apart_and_put_together() {
        for view in ["{}", r#"{"a":1}"#, r#"{"state":"won","chat":[{"text":"\"é\""}],"how":null}"#]
        {
            assert_eq!(fields(view).view(), view);
        }
        let chatty = fields(r#"{"chat":[],"b":2}"#);
        assert_eq!(chatty.view_without_chat(), r#"{"b":2}"#);
        for broken in ["", "[1]", "{", "null", "{\"a\":}"] {
            assert_eq!(Fields::of(broken.as_bytes()), Err(NotAView), "{broken}");
        }
    }

    /// The step between two views leads from one to the other, and tells nothing of chat.
    #[test]
    fn a_step_leads_from_one_view_to_the_next() {
        let before = fields(r#"{"lives":4,"how":"left","chat":[1],"round":1}"#);
        let after = fields(r#"{"lives":3,"chat":[1,2],"round":1,"line":[0,1,2]}"#);
        let step = before.step_to(&after);
        let taken = before.after(&step).expect("values are text");
        assert_eq!(taken.view(), after.view());
        let (set, unset) = told(&step);
        assert_eq!((&*set, &*unset), (r#"{"lives":3,"line":[0,1,2]}"#, r#"["how"]"#));
        assert_eq!(before.step_to(&before), Step::default());
        let broken = Step { set: vec![("a".into(), Bytes::from_static(b"\xff"))], unset: vec![] };
        assert_eq!(before.after(&broken), Err(NotAView));
    }
}
