//! Bugs that the simulation is to find. Each is one line where it is planted; what such a
//! line needs is here, or in `raft/planted.rs`.

/// Does something if this bug is planted, or chooses between two values. In a build without
/// the feature only the value for everybody else is left of it.
#[cfg(feature = "planted")]
macro_rules! planted {
    ($some:ident() => $effect:expr) => {
        if hangraft_planted::$some() {
            $effect
        }
    };
    ($bug:ident => $effect:expr) => {
        if hangraft_planted::is(hangraft_planted::Bug::$bug) {
            $effect
        }
    };
    ($bug:ident ? $planted:expr => $value:expr) => {
        if hangraft_planted::is(hangraft_planted::Bug::$bug) { $planted } else { $value }
    };
}

#[cfg(not(feature = "planted"))]
macro_rules! planted {
    ($some:ident() => $effect:expr) => {};
    ($bug:ident => $effect:expr) => {};
    ($bug:ident ? $planted:expr => $value:expr) => {
        $value
    };
}

/// The first of these that came for `whom`; each later one is forgotten.
#[cfg(feature = "planted")]
pub(crate) fn first_of<T: Clone + Send + Sync + 'static>(whom: usize, value: &T) -> T {
    use std::any::Any;
    use std::collections::BTreeMap;
    use std::sync::Mutex;
    static FIRST: Mutex<BTreeMap<usize, Box<dyn Any + Send>>> = Mutex::new(BTreeMap::new());
    let mut first = FIRST.lock().expect("never poisoned");
    let kept = first.entry(whom).or_insert_with(|| Box::new(value.clone()));
    kept.downcast_ref::<T>().unwrap_or(value).clone()
}

/// The batch with the clock of this machine instead of its leader's.
#[cfg(feature = "planted")]
pub(crate) fn by_own_clock(batch: hangraft_game::Batch) -> hangraft_game::Batch {
    let stamp = hangraft_game::Stamp { at_ms: hangraft_planted::clock_ms(), ..batch.stamp };
    hangraft_game::Batch { stamp, ..batch }
}

/// The eyes of somebody who sees what others may not, if there is anybody.
#[cfg(feature = "planted")]
pub(crate) fn who_knows(room: &hangraft_game::Room) -> hangraft_game::Audience {
    room.audience(room.insiders().first().copied())
}
