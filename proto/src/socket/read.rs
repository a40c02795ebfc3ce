//! How a frontend reads what a client says. Any text is either a [`ClientMessage`] or a
//! [`BadFrame`] that says what is wrong.

use std::{borrow::Cow, fmt};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::limits::REQUEST_ID_BYTES_MAX;
use super::request::{Action, Request, RequestId, object};

/// A frame that is what it should be.
#[derive(Clone, Debug)]
pub struct ClientMessage<'a> {
    /// What the client calls its request.
    pub id: Option<RequestId<'a>>,
    /// What it asks for.
    pub request: Request<'a>,
}

/// A frame that is not.
#[derive(Clone, Copy, Debug)]
pub struct BadFrame<'a> {
    /// The request's id, where it could be read.
    pub id: Option<RequestId<'a>>,
    /// What is wrong.
    pub why: WhyBad,
}

/// What is wrong with a frame, in words for its sender. Nothing of what was sent is
/// repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyBad {
    /// It is no frame at all.
    Shape,
    /// Its id cannot be one.
    Id,
    /// Nobody can do that.
    Action,
    /// What is said with the action does not belong to it: a field is missing, twice there
    /// or of a wrong type.
    Fields(Action),
    /// What is said with the action is no object.
    NoObject(Action),
}

/// A frame before it is known what it asks for.
#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(borrow, default)]
    id: Option<RequestId<'a>>,
    #[serde(borrow)]
    action: Cow<'a, str>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct IdOnly<'a> {
    #[serde(borrow, default)]
    id: Option<RequestId<'a>>,
}

impl<'a> ClientMessage<'a> {
    /// Understands one text frame.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(frame: &'a str) -> Result<Self, BadFrame<'a>> {
        let Ok(Frame { id, action, data }) = object::<Frame<'_>>(frame) else {
            let id = object::<IdOnly<'_>>(frame).ok().and_then(|only| only.id);
            return Err(BadFrame { id: id.filter(is_good), why: WhyBad::Shape });
        };
        if id.as_ref().is_some_and(|id| !is_good(id)) {
            return Err(BadFrame { id: None, why: WhyBad::Id });
        }
        let data = data.map_or("{}", RawValue::get);
        match request(&action, data) {
            Ok(request) => Ok(Self { id, request }),
            Err(why) => Err(BadFrame { id, why }),
        }
    }
}

fn request<'a>(action: &str, data: &'a str) -> Result<Request<'a>, WhyBad> {
    let action = Action::named(action).ok_or(WhyBad::Action)?;
    Request::read(action, data).map_err(|err| match err.classify() {
        serde_json::error::Category::Data => WhyBad::Fields(action),
        _ => WhyBad::NoObject(action),
    })
}

/// Whether an id may be echoed: a number or a string, and not too long.
fn is_good(id: &RequestId<'_>) -> bool {
    let json = id.0.get();
    let kind = json.as_bytes().first();
    let plain = kind.is_some_and(|c| matches!(c, b'"' | b'-' | b'0'..=b'9'));
    plain && json.len() <= REQUEST_ID_BYTES_MAX
}

impl fmt::Display for WhyBad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape => {
                write!(f, r#"a frame is a JSON object like {{"id":1,"action":"ping","data":{{}}}}"#)
            }
            Self::Id => write!(
                f,
                "an id is a number or a string of at most {REQUEST_ID_BYTES_MAX} characters"
            ),
            Self::Action => {
                let names: Vec<_> = Action::ALL.iter().map(|action| action.as_str()).collect();
                write!(f, "there is no such action; there are {}", names.join(", "))
            }
            Self::Fields(action) => write!(
                f,
                "{action}: data does not fit: a field is missing, twice there or of a wrong type"
            ),
            Self::NoObject(action) => {
                write!(f, "{action}: data does not fit: it is no JSON object")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nothing of a frame is copied, unless something in it is escaped.
    #[test]
    fn reading_borrows_from_the_frame() {
        let frame = r#"{"id":7,"action":"hello","data":{"name":"Ann","token":"a\u0062c"}}"#;
        let message = ClientMessage::read(frame).unwrap();
        let Request::Hello(hello) = message.request else { panic!("{frame}") };
        assert!(matches!(hello.name, Some(Cow::Borrowed("Ann"))));
        assert!(matches!(hello.token, Some(Cow::Owned(token)) if token == "abc"));
        let frame = r#"{"action":"say","data":{"room":"k3v7","text":"hi"}}"#;
        let message = ClientMessage::read(frame).unwrap();
        let Request::Say(said) = message.request else { panic!("{frame}") };
        assert!(matches!((said.room, said.text), (Cow::Borrowed("k3v7"), Cow::Borrowed("hi"))));
    }

    /// Each action has its place in the list, and is found by its name.
    #[test]
    fn every_action_is_in_its_place() {
        for (place, action) in Action::ALL.iter().enumerate() {
            assert_eq!((*action as usize, Action::named(action.as_str())), (place, Some(*action)));
        }
        assert_eq!(Action::named("dance"), None);
    }
}
