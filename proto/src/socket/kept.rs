//! A view as a client keeps it that has asked for steps.

use hangraft_ids::Version;
use serde_json::{Map, Value};

use super::push::{Step, View};

/// The newest view of a room, whole or put together from steps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KeptView {
    version: Version,
    fields: Map<String, Value>,
}

impl KeptView {
    /// Which version it is of; 0 before anything was shown.
    pub fn version(&self) -> Version {
        self.version
    }

    /// What is to be seen: a JSON object. Empty before anything was shown.
    pub fn fields(&self) -> &Map<String, Value> {
        &self.fields
    }

    /// Takes a whole view.
    ///
    /// # Errors
    /// When it is no JSON object; nothing has changed then.
    pub fn show(&mut self, view: &View<'_>) -> serde_json::Result<()> {
        self.fields = serde_json::from_str(view.view)?;
        self.version = view.version;
        Ok(())
    }

    /// Takes a step. Says whether it begins where this view is: one that does not changes
    /// nothing, and the whole view has to be asked for.
    ///
    /// # Errors
    /// When it is not of the contract; nothing has changed then.
    pub fn take(&mut self, step: &Step<'_>) -> serde_json::Result<bool> {
        if self.version.next() != step.version {
            return Ok(false);
        }
        let set: Map<String, Value> = serde_json::from_str(step.set)?;
        let unset: Vec<String> = serde_json::from_str(step.unset)?;
        self.fields.retain(|name, _| !unset.contains(name));
        self.fields.extend(set);
        self.version = step.version;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A step sets some fields, takes others away and leaves the rest; one that is out of
    /// order is not taken.
    #[test]
    fn a_view_is_kept_by_its_steps() {
        let mut kept = KeptView::default();
        let (room, resync, closed) = ("k3v7".into(), true, false);
        let whole = r#"{"state":"playing","lives":4,"how":"resigned"}"#;
        let view = View { room, version: Version(7), view: whole, events: "[]", resync, closed };
        kept.show(&view).expect("it is an object");
        let step = |version, set, unset| Step {
            room: "k3v7".into(),
            version: Version(version),
            set,
            unset,
            events: "[]",
            closed,
        };
        assert!(kept.take(&step(8, r#"{"lives":3,"turn":1}"#, r#"["how"]"#)).expect("a step"));
        let wanted = json!({"state": "playing", "lives": 3, "turn": 1});
        assert_eq!(Value::from(kept.fields().clone()), wanted);
        for odd in [8, 10] {
            assert!(!kept.take(&step(odd, r#"{"lives":0}"#, "[]")).expect("a step"));
        }
        assert!(kept.take(&step(9, "[]", "[]")).is_err());
        assert_eq!((kept.version(), &kept.fields()["lives"]), (Version(8), &json!(3)));
    }
}
