//! Commands as they are printed.

use std::fmt;

use super::entry::Command;

/// Prints what is asked, but neither moves nor chat: a move may hold a secret,
/// and what people say to each other is theirs.
impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Command::Open { game, options } => {
                f.debug_struct("Open").field("game", game).field("options", options).finish()
            }
            Command::Sit { room, name } => {
                f.debug_struct("Sit").field("room", room).field("name", name).finish()
            }
            Command::Stand { room } => f.debug_struct("Stand").field("room", room).finish(),
            Command::Play { room, .. } => {
                f.debug_struct("Play").field("room", room).finish_non_exhaustive()
            }
            Command::Again { room } => f.debug_struct("Again").field("room", room).finish(),
            Command::Say { room, name, .. } => f
                .debug_struct("Say")
                .field("room", room)
                .field("name", name)
                .finish_non_exhaustive(),
            Command::Presence { frontend, sequence, whole, arrived, departed } => f
                .debug_struct("Presence")
                .field("frontend", frontend)
                .field("sequence", sequence)
                .field("whole", whole)
                .field("arrived", &arrived.len())
                .field("departed", &departed.len())
                .finish(),
            Command::Host { game, options, public } => f
                .debug_struct("Host")
                .field("game", game)
                .field("options", options)
                .field("public", public)
                .finish(),
            Command::Join { room, name, .. } => {
                f.debug_struct("Join").field("room", room).field("name", name).finish()
            }
            Command::Remove { room, player } => {
                f.debug_struct("Remove").field("room", room).field("player", player).finish()
            }
            Command::Lock { room, locked } => {
                f.debug_struct("Lock").field("room", room).field("locked", locked).finish()
            }
            Command::Publish { room, public } => {
                f.debug_struct("Publish").field("room", room).field("public", public).finish()
            }
            Command::Here { frontend, sequence, whole, came, went } => f
                .debug_struct("Here")
                .field("frontend", frontend)
                .field("sequence", sequence)
                .field("whole", whole)
                .field("came", &came.len())
                .field("went", &went.len())
                .finish(),
            about_matches => print_about_matches(about_matches, f),
        }
    }
}

fn print_about_matches(command: &Command, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match command {
        Command::Seek { wanted, name, within, bot_after_ms, .. } => f
            .debug_struct("Seek")
            .field("wanted", wanted)
            .field("name", name)
            .field("within", within)
            .field("bot_after_ms", bot_after_ms)
            .finish(),
        Command::Challenge { to, wanted, name, .. } => f
            .debug_struct("Challenge")
            .field("to", to)
            .field("wanted", wanted)
            .field("name", name)
            .finish(),
        Command::Accept { offer, name, .. } => {
            f.debug_struct("Accept").field("offer", offer).field("name", name).finish()
        }
        Command::Decline { offer } => f.debug_struct("Decline").field("offer", offer).finish(),
        Command::Withdraw { offer } => f.debug_struct("Withdraw").field("offer", offer).finish(),
        Command::Resign { room } => f.debug_struct("Resign").field("room", room).finish(),
        Command::Draw { room, agreed } => {
            f.debug_struct("Draw").field("room", room).field("agreed", agreed).finish()
        }
        Command::Claim { room, win } => {
            f.debug_struct("Claim").field("room", room).field("win", win).finish()
        }
        // All others are printed above.
        _ => f.write_str("Command"),
    }
}
