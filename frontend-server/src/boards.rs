//! What is shown to whoever looks at the lobby and at the numbers: put together when a node
//! has said it, and turned into text once, by the first who looks, for all of them. Pure.

use std::{
    sync::{Arc, OnceLock},
    time::Instant,
};

use hangraft_proto::socket;
use serde_json::value::RawValue;

use crate::{deck::Deck, message::Text, upstream::Live};

/// The open seeks at one moment.
#[derive(Debug)]
pub(crate) struct Seeks {
    said: socket::Lobby,
    made_at: Instant,
    text: OnceLock<Text>,
}

/// The numbers at one moment, and the last hour.
#[derive(Debug)]
pub(crate) struct Numbers {
    numbers: Box<RawValue>,
    hour: Option<Hour>,
    plain: OnceLock<Text>,
    whole: OnceLock<Text>,
}

/// The last hour, as a node said it.
#[derive(Clone, Debug)]
struct Hour {
    /// Which it is, of all that were ever said; from 1.
    number: u64,
    minutes: Arc<RawValue>,
}

/// Something that is shown to who looks at it.
#[derive(Clone, Debug)]
pub(crate) enum Shown {
    Deck(Arc<Deck>),
    Lobby(Arc<Seeks>),
    Live(Arc<Numbers>),
}

impl Seeks {
    /// What it says of ages is meant from `now` on.
    pub(crate) fn new(said: socket::Lobby, now: Instant) -> Self {
        Self { said, made_at: now, text: OnceLock::new() }
    }

    /// As it is pushed when it is new.
    pub(crate) fn text(&self) -> Text {
        self.text.get_or_init(|| self.said.text().into()).clone()
    }

    /// As it is pushed to who looks only now: the seeks are older by then.
    pub(crate) fn text_at(&self, now: Instant) -> Text {
        let age_ms = now.saturating_duration_since(self.made_at).as_millis() as u64;
        if age_ms == 0 {
            return self.text();
        }
        let mut said = self.said.clone();
        for seek in &mut said.seeks {
            seek.age_ms = seek.age_ms.saturating_add(age_ms);
        }
        said.text().into()
    }
}

impl Numbers {
    /// What a node says, after what was said before. An hour that is not said again still is
    /// the last one.
    pub(crate) fn new(said: Live, before: Option<&Numbers>) -> Self {
        let known = before.and_then(|before| before.hour.clone());
        let number = known.as_ref().map_or(0, |hour| hour.number) + 1;
        let new = said.minutes.map(|minutes| Hour { number, minutes: minutes.into() });
        let (plain, whole) = Default::default();
        Self { numbers: said.numbers, hour: new.or(known), plain, whole }
    }

    /// Which hour it holds; 0 for none.
    pub(crate) fn hour(&self) -> u64 {
        self.hour.as_ref().map_or(0, |hour| hour.number)
    }

    /// As it is pushed to who has seen this hour: without it, unless it is another one.
    pub(crate) fn text(&self, seen: u64) -> Text {
        let numbers = &*self.numbers;
        let write = |minutes| socket::Live { numbers, minutes }.text().into();
        match &self.hour {
            Some(hour) if hour.number != seen => {
                self.whole.get_or_init(|| write(Some(&*hour.minutes))).clone()
            }
            _ => self.plain.get_or_init(|| write(None)).clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::value::to_raw_value;

    use super::*;

    fn live(online: u64, minutes: Option<u64>) -> Live {
        let raw = |value: serde_json::Value| to_raw_value(&value).unwrap();
        let minutes = minutes.map(|moves| raw(serde_json::json!([[moves, 0]])));
        Live { numbers: raw(serde_json::json!({ "online": online })), minutes }
    }

    /// The last hour is shown to who has not seen it, and once to everybody when it is
    /// another one; the text is the same for all.
    #[test]
    fn the_last_hour_is_shown_when_it_is_new() {
        let first = Numbers::new(live(1, Some(7)), None);
        let whole = r#"{"push":"live","numbers":{"online":1},"minutes":[[7,0]]}"#;
        assert_eq!((first.text(0).as_str(), first.hour()), (whole, 1));
        let second = Numbers::new(live(2, None), Some(&first));
        let plain = r#"{"push":"live","numbers":{"online":2}}"#;
        assert_eq!(second.text(1).as_str(), plain);
        assert!(second.text(0).as_str().contains("minutes"), "somebody has just come");
        assert_eq!(second.text(1).into_bytes().as_ptr(), second.text(1).into_bytes().as_ptr());
        let third = Numbers::new(live(3, Some(9)), Some(&second));
        assert!(third.text(second.hour()).as_str().contains("[[9,0]]"));
        let empty = Numbers::new(live(4, None), None);
        assert!(!empty.text(0).as_str().contains("minutes"));
    }

    /// Who looks later is shown how old the seeks are by then.
    #[test]
    fn seeks_grow_older() {
        let seek = r#"{"offer":"o7","player":"p0000000000000001","name":"Ann","game":"nim","options":{},"clock":0,"rated":true,"rating":1500,"provisional":true,"age_ms":200}"#;
        let said: socket::Lobby =
            serde_json::from_str(&format!(r#"{{"seeks":[{seek}],"total":1}}"#)).unwrap();
        let now = Instant::now();
        let seeks = Seeks::new(said, now);
        assert_eq!(seeks.text_at(now), seeks.text());
        let later = seeks.text_at(now + Duration::from_secs(3));
        assert!(later.as_str().contains(r#""age_ms":3200"#), "{}", later.as_str());
        assert!(seeks.text().as_str().contains(r#""age_ms":200"#));
    }
}
