//! Bugs that the simulation is to find. Each is one line where it is planted.

/// Does something if this bug is planted, or chooses between two values. In a build without
/// the feature only the value for everybody else is left of it.
#[cfg(feature = "planted")]
macro_rules! planted {
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
    ($bug:ident => $effect:expr) => {};
    ($bug:ident ? $planted:expr => $value:expr) => {
        $value
    };
}

/// All but the last of several.
#[cfg(feature = "planted")]
pub(crate) fn all_but_one<T>(all: impl Iterator<Item = T> + Clone) -> impl Iterator<Item = T> {
    let count = all.clone().count();
    all.take(if count > 1 { count - 1 } else { count })
}
