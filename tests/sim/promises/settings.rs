//! What an operator was told is set, is set: at every node, when all is well.

use super::{Broken, Verdict};
use crate::history::Moment;

pub(super) const NAME: &str = "settings";

/// What the whole cluster shares, as one node says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Shared {
    pub(crate) voters: u32,
    pub(crate) replace_after_ms: u64,
}

/// One of the settings, and a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    Voters(u32),
    ReplaceAfter(u64),
}

/// What operators asked for, in the order they asked in.
pub(crate) struct Settings {
    first: Shared,
    asked: Vec<Asked>,
}

/// One time that somebody asked.
struct Asked {
    what: Setting,
    invoked: Moment,
    answer: Answer,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// There was none, or none that says what became of it. It may still come true.
    Unknown,
    Granted(Moment),
    Refused,
}

/// What nodes do as long as nobody says otherwise.
const REPLACE_AFTER_MS: u64 = 10 * 60 * 1_000;

impl Settings {
    /// Those of a new cluster.
    pub(super) fn of_first_members(nodes: usize) -> Self {
        let voters = u32::try_from(nodes).expect("there are few");
        let first = Shared { voters, replace_after_ms: REPLACE_AFTER_MS };
        Settings { first, asked: Vec::new() }
    }

    /// Somebody asks; the number of the question.
    pub(crate) fn ask(&mut self, what: Setting, invoked: Moment) -> usize {
        self.asked.push(Asked { what, invoked, answer: Answer::Unknown });
        self.asked.len() - 1
    }

    /// The answer was yes.
    pub(crate) fn granted(&mut self, question: usize, at: Moment) {
        self.asked[question].answer = Answer::Granted(at);
    }

    /// The answer was no, for good.
    pub(crate) fn refused(&mut self, question: usize) {
        self.asked[question].answer = Answer::Refused;
    }

    /// Whether this may be what holds now.
    pub(crate) fn may_be(&self, now: Shared) -> Verdict {
        let voters = |setting| matches!(setting, Setting::Voters(_));
        let (first, after) = (Setting::Voters(self.first.voters), self.first.replace_after_ms);
        let fits = self.may_be_last(voters, first, Setting::Voters(now.voters))
            && self.may_be_last(
                |setting| !voters(setting),
                Setting::ReplaceAfter(after),
                Setting::ReplaceAfter(now.replace_after_ms),
            );
        if fits {
            return Ok(());
        }
        Err(Broken::new(NAME, format!("{now:?} holds, which is not what operators were told")))
    }

    /// Whether a value may have been the last to be set: nothing was set after it for
    /// certain.
    fn may_be_last(&self, kind: impl Fn(Setting) -> bool, first: Setting, now: Setting) -> bool {
        let asked = || self.asked.iter().filter(|asked| kind(asked.what));
        let granted = |asked: &&Asked| matches!(asked.answer, Answer::Granted(_));
        let latest = asked().filter(granted).map(|asked| asked.invoked).max();
        let last = |asked: &Asked| match asked.answer {
            Answer::Unknown => true,
            Answer::Granted(at) => Some(at) > latest,
            Answer::Refused => false,
        };
        asked().any(|asked| asked.what == now && last(asked)) || latest.is_none() && now == first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may_be(asked: &[(u32, Moment, Answer)], voters: u32) -> bool {
        let mut settings = Settings::of_first_members(3);
        for (voters, invoked, answer) in asked {
            settings.ask(Setting::Voters(*voters), *invoked);
            settings.asked.last_mut().unwrap().answer = *answer;
        }
        let first = settings.first;
        settings.may_be(Shared { voters, ..first }).is_ok()
    }

    #[test]
    fn the_last_that_was_granted_holds() {
        use Answer::{Granted, Refused, Unknown};
        let history = [(5, 1, Granted(2)), (7, 3, Granted(6)), (3, 4, Granted(5))];
        assert!(!may_be(&history, 5) && may_be(&history, 7) && may_be(&history, 3));
        assert!(may_be(&[], 3) && !may_be(&[], 5));
        let unknown = [(5, 1, Unknown), (7, 2, Granted(3)), (9, 4, Refused)];
        assert!(may_be(&unknown, 5) && may_be(&unknown, 7));
        assert!(!may_be(&unknown, 3) && !may_be(&unknown, 9));
        assert!(may_be(&unknown[..1], 3));
    }
}
