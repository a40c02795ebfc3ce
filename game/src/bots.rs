//! The bots that live in the lobby: who they are. How they play is a matter of each game's
//! rules: `suggest` in `rules/contract.rs`.
//!
//! A bot is a player whose id is [reserved](PlayerId::is_reserved), so that no guest ever
//! has it: the last of the range is the first in the list below.

use crate::rules::Strength;
use hangraft_ids::PlayerId;

/// A bot, whatever table it plays at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bot {
    /// What it plays.
    pub game: &'static str,
    /// How well.
    pub strength: Strength,
    /// Under which name.
    pub name: &'static str,
}

/// Every bot. New ones are added at the end: the place is what makes its id.
const BOTS: &[Bot] = &[
    bot("tic-tac-toe", Strength::Easy, "Barnacle"),
    bot("tic-tac-toe", Strength::Medium, "Bosun"),
    bot("tic-tac-toe", Strength::Hard, "Admiral"),
    bot("hangman", Strength::Easy, "Driftwood"),
    bot("hangman", Strength::Medium, "Lookout"),
    bot("hangman", Strength::Hard, "Kraken"),
];

/// Every bot there is, with its id.
pub fn all() -> impl Iterator<Item = (PlayerId, Bot)> {
    (0..).map(id).zip(BOTS.iter().copied())
}

/// The bot that a player is; none for people.
pub fn find(player: PlayerId) -> Option<Bot> {
    let place = usize::try_from(u64::MAX - player.0).ok()?;
    BOTS.get(place).copied()
}

/// The bot that plays a game so well; none if the game has no bots.
pub fn of(game: &str, strength: Strength) -> Option<PlayerId> {
    let wanted = |(_, bot): &(PlayerId, Bot)| bot.game == game && bot.strength == strength;
    all().find(wanted).map(|(player, _)| player)
}

const fn bot(game: &'static str, strength: Strength, name: &'static str) -> Bot {
    Bot { game, strength, name }
}

fn id(place: u64) -> PlayerId {
    PlayerId(u64::MAX - place)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::command::Edition;
    use crate::rules::games;
    use crate::text;

    #[test]
    fn every_bot_is_found_by_its_id_and_by_what_it_plays() {
        let ids: BTreeSet<PlayerId> = all().map(|(player, _)| player).collect();
        assert_eq!((ids.len(), all().count()), (BOTS.len(), BOTS.len()));
        for (player, bot) in all() {
            assert!(player.is_reserved() && games().contains(&bot.game), "{bot:?}");
            assert_eq!((find(player), of(bot.game, bot.strength)), (Some(bot), Some(player)));
            assert_eq!(text::name(bot.name, Edition::Second).as_deref(), Ok(bot.name));
        }
        for nobody in [0, 1, u64::MAX / 2, u64::MAX - BOTS.len() as u64] {
            assert_eq!(find(PlayerId(nobody)), None, "{nobody}");
        }
    }

    #[test]
    fn the_two_games_have_three_bots_each() {
        for (game, bots) in [("tic-tac-toe", 3), ("hangman", 3), ("nim", 0), ("chess", 0)] {
            let found = Strength::ALL.into_iter().filter_map(|strength| of(game, strength));
            assert_eq!(found.count(), bots, "{game}");
        }
    }
}
