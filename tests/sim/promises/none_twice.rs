//! No move is made twice: what comes again has no other effect, a line is said once,
//! no two wishes made one version, and nobody has more rooms than they asked for.

use super::truth::Truth;
use super::{Broken, Verdict};
use crate::history::{Action, History, Outcome};
use hangraft_game::Version;
use hangraft_lab::judge::none_twice::Makers;
use std::collections::BTreeMap;

pub(super) const NAME: &str = "none_twice";

pub(super) fn at_the_end(history: &History, truth: &Truth) -> Verdict {
    if let Some((player, lane, serial)) = truth.made_twice() {
        let how = format!("{player}'s attempt {serial} in lane {lane} had an effect twice");
        return Err(Broken::new(NAME, how));
    }
    let mut makers = Makers::default();
    let mut opened: BTreeMap<_, usize> = BTreeMap::new();
    for wish in &history.wishes {
        if let Action::Say(room, text) = &wish.action {
            let times = truth.said(*room).iter().filter(|line| *line == text).count();
            if times > 1 {
                let how = format!("{:?} was said {times} times in {room}", text);
                return Err(Broken::new(NAME, how));
            }
        }
        if wish.action == Action::Open {
            *opened.entry(wish.player).or_default() += 1;
        }
        // What is so already is granted again, and changes nothing.
        if let Outcome::Accepted { room, version } = wish.outcome
            && !wish.action.may_change_nothing()
            && let Err(other) = makers.see(room, version, wish)
        {
            let Version(version) = version;
            let how = format!("{:?} and {:?} both made version {version} of {room}", other, wish);
            return Err(Broken::new(NAME, how));
        }
    }
    for (player, wished) in opened {
        let rooms = truth.opened_by(player);
        if rooms > wished {
            let how = format!("{player} asked for {wished} rooms and has {rooms}");
            return Err(Broken::new(NAME, how));
        }
    }
    Ok(())
}
