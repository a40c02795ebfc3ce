//! What players do: how often they write, and how it is written down. Plain code.

use clap::ValueEnum;
use hangraft_lab::history::What;

use crate::play::way::Act;

/// What players do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Workload {
    /// They sit down, guess letters, talk, and begin again.
    #[default]
    Rooms,
    /// They write a room's last line and read it: a register.
    Register,
    /// They add lines to a room and read all of them: a list.
    Append,
}

impl Workload {
    /// Of a hundred calls in a room so many write, and so many read linearizably; the rest
    /// reads what the client knows of at least.
    pub(crate) fn shares(self) -> [u32; 2] {
        match self {
            Self::Rooms => [65, 20],
            Self::Register => [40, 50],
            Self::Append => [50, 40],
        }
    }

    /// Lines in one room. A room shows the last twenty; all of them are to be seen, except
    /// where only the last one counts.
    pub(crate) fn lines_max(self) -> u32 {
        match self {
            Self::Rooms | Self::Append => 18,
            Self::Register => 60,
        }
    }

    /// How an act is written down.
    pub(crate) fn what(self, act: &Act) -> What {
        let write = |action: &str, line: Option<String>, detail: String, may| What::Write {
            action: action.into(),
            line,
            detail,
            may_change_nothing: may,
        };
        match act {
            Act::Open { .. } => write("open", None, String::new(), false),
            Act::Sit => write("sit", None, String::new(), true),
            Act::Again => write("again", None, String::new(), true),
            Act::Play(letter) => write("play", None, letter.to_string(), false),
            Act::Say(line) if self == Self::Register => {
                write("set", Some(line.clone()), line.clone(), false)
            }
            Act::Say(line) => write("say", Some(line.clone()), line.clone(), false),
        }
    }
}
