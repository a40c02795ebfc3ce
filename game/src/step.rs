//! Steps: what brings a view of a room to that of the next version.
//!
//! A view is a JSON object. A step holds its top-level fields that differ, each as it is in
//! the newer view. Two views are compared value by value, and only what differs is rendered.

use std::ops::Range;

use serde::Serialize;

/// The top-level fields by which a view differs from that of the version before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ViewStep {
    json: Vec<u8>,
    set: Vec<(&'static str, Range<usize>)>,
    unset: Vec<&'static str>,
}

impl ViewStep {
    /// All values as JSON, one behind the other.
    pub fn json(&self) -> &[u8] {
        &self.json
    }

    /// The fields that are new or have another value, and where in [`ViewStep::json`] it is.
    pub fn set(&self) -> &[(&'static str, Range<usize>)] {
        &self.set
    }

    /// The fields that are not there any more.
    pub fn unset(&self) -> &[&'static str] {
        &self.unset
    }

    /// Compares a field that is always there.
    pub(crate) fn field<T: Serialize + PartialEq>(
        &mut self,
        name: &'static str,
        before: &T,
        now: &T,
    ) {
        if now != before {
            self.put(name, now);
        }
    }

    /// Compares a field that is left out of a view when there is nothing to say.
    pub(crate) fn optional<T: Serialize + PartialEq>(
        &mut self,
        name: &'static str,
        before: &Option<T>,
        now: &Option<T>,
    ) {
        match now {
            None if before.is_some() => self.unset.push(name),
            Some(value) if now != before => self.put(name, value),
            None | Some(_) => {}
        }
    }

    fn put(&mut self, name: &'static str, value: &impl Serialize) {
        let start = self.json.len();
        serde_json::to_writer(&mut self.json, value).expect("a view has a JSON form");
        self.set.push((name, start..self.json.len()));
    }
}

/// A view, or a part of one, whose top-level fields can be compared.
pub(crate) trait Fields {
    /// Notes which of them differ from those of the version before.
    fn compare(&self, before: &Self, step: &mut ViewStep);
}

/// Makes [`Fields`] of a view: names all of its fields, or the compiler says which are
/// missing. One that serde leaves out when it is none stands behind `optional`.
macro_rules! fields {
    ($view:ident: $($field:ident),* $(,)?; optional: $($optional:ident),* $(,)?) => {
        impl $crate::step::Fields for $view<'_> {
            fn compare(&self, before: &Self, step: &mut $crate::step::ViewStep) {
                let Self { $($field,)* $($optional,)* } = self;
                $(step.field(stringify!($field), &before.$field, $field);)*
                $(step.optional(stringify!($optional), &before.$optional, $optional);)*
            }
        }
    };
}

pub(crate) use fields;
