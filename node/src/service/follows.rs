//! The players that one stream follows, and how far each has been told.
//!
//! Notices are numbered per player without holes and kept in the lobby, so a stream keeps
//! nothing of them but the number of the last that it has sent.
//!
//! A frontend that comes from another node may know a newer number than this replica does.
//! Either the replica is behind, or that number was of a mailbox that is no more. The replica
//! catches up with what is committed before it says that something is lost.

use super::convert;
use crate::replica::handle::Replica;
use hangraft_game::{NoticeNumber, PlayerId, Told};
use hangraft_proto::v1::{Follow, Told as WireTold};
use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use tokio::task::JoinSet;

/// Players that one stream may follow, as many as a frontend may have. Who asks for more is
/// told nothing of those: they are noted in the log, and counted.
const FOLLOWS_MAX: usize = 100_000;

/// What one stream follows. Dropped, it asks no more.
#[derive(Default)]
pub(crate) struct Follows {
    players: BTreeMap<PlayerId, Followed>,
    /// Of whom this replica may be behind.
    unsure: BTreeSet<PlayerId>,
    /// Those for whom it is catching up now.
    asked: BTreeSet<PlayerId>,
    /// The one task that catches up.
    asking: JoinSet<bool>,
}

struct Followed {
    /// The last that was sent; none before this replica has said which is the newest.
    sent: Option<NoticeNumber>,
    /// What is to be answered, even if there is nothing to tell.
    ask: Option<u64>,
    /// This replica has all that was committed when the player was asked for.
    sure: bool,
}

/// What follows from a look into a mailbox.
#[derive(Debug, PartialEq)]
pub(crate) enum Said {
    Told(WireTold),
    /// There is nothing new, and nothing to answer.
    Nothing,
    /// This replica may be behind.
    Unsure,
}

impl Follows {
    /// Notes that a player is to be followed, from where the asker is; false if there is no
    /// room for another one.
    pub(crate) fn begin(&mut self, follow: &Follow) -> bool {
        let player = PlayerId(follow.player);
        if self.players.len() >= FOLLOWS_MAX && !self.players.contains_key(&player) {
            metrics::counter!("hangraft_follows_refused_total").increment(1);
            tracing::debug!(most = FOLLOWS_MAX, "a stream follows too many players");
            return false;
        }
        // What was asked before says nothing of this.
        self.end(player);
        let (sent, ask) = (follow.since.map(NoticeNumber), Some(follow.ask));
        self.players.insert(player, Followed { sent, ask, sure: false });
        true
    }

    pub(crate) fn end(&mut self, player: PlayerId) {
        self.players.remove(&player);
        self.unsure.remove(&player);
        self.asked.remove(&player);
    }

    /// Where to go on with a player; none if nobody follows them.
    pub(crate) fn since(&self, player: PlayerId) -> Option<Option<NoticeNumber>> {
        Some(self.players.get(&player)?.sent)
    }

    /// What is to be sent of what [`Self::since`] has led to.
    pub(crate) fn take(&mut self, player: PlayerId, told: Told) -> Said {
        let Some(followed) = self.players.get_mut(&player) else { return Said::Nothing };
        if !followed.sure && followed.sent.is_some_and(|sent| sent > told.newest) {
            self.unsure.insert(player);
            return Said::Unsure;
        }
        self.unsure.remove(&player);
        // What this replica has shown once, it does not forget because it is behind.
        (followed.sure, followed.sent) = (true, Some(told.newest));
        let ask = followed.ask.take();
        if told.notices.is_empty() && !told.resync && ask.is_none() {
            return Said::Nothing;
        }
        Said::Told(convert::told(player, told, ask.unwrap_or(0)))
    }

    /// Catches up with what is committed, beside the stream, if there is a reason to.
    pub(crate) fn make_sure(&mut self, replica: &Replica) {
        if self.unsure.is_empty() || !self.asking.is_empty() {
            return;
        }
        self.asked = std::mem::take(&mut self.unsure);
        let replica = replica.clone();
        self.asking.spawn(async move { replica.linearizable().await.is_ok() });
    }

    /// Waits until that has ended, well or not.
    pub(crate) async fn caught_up(&mut self) -> bool {
        match self.asking.join_next().await {
            Some(ended) => ended.unwrap_or(false),
            None => pending().await,
        }
    }

    /// Whom to look at now. If it has not caught up, it is to try again.
    pub(crate) fn on_caught_up(&mut self, caught_up: bool) -> BTreeSet<PlayerId> {
        let asked = std::mem::take(&mut self.asked);
        if !caught_up {
            self.unsure.extend(asked);
            return BTreeSet::new();
        }
        for player in &asked {
            if let Some(followed) = self.players.get_mut(player) {
                followed.sure = true;
            }
        }
        asked
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hangraft_game::{Notice, OfferId};

    const ANN: PlayerId = PlayerId(7);

    /// A mailbox as a replica has it, with notices up to this number.
    fn mailbox(newest: u64) -> impl Fn(Option<NoticeNumber>) -> Told {
        move |since| {
            let newest = NoticeNumber(newest);
            let Some(since) = since else { return Told { newest, ..Told::default() } };
            let resync = since > newest;
            let after = if resync { 0 } else { since.0 };
            let notice = |number| {
                let offer = OfferId(number);
                (NoticeNumber(number), Notice::Unchallenged { offer })
            };
            Told { notices: (after + 1..=newest.0).map(notice).collect(), newest, resync }
        }
    }

    /// What a stream hears when it looks into the mailbox.
    fn look(follows: &mut Follows, mailbox: impl Fn(Option<NoticeNumber>) -> Told) -> Said {
        let since = follows.since(ANN).expect("followed");
        follows.take(ANN, mailbox(since))
    }

    /// Numbers, whether some are lost, and which ask is answered.
    fn heard(said: &Said) -> Option<(Vec<u64>, bool, u64)> {
        let Said::Told(told) = said else { return None };
        let numbers = told.notices.iter().map(|notice| notice.number).collect();
        Some((numbers, told.resync, told.ask))
    }

    fn follow(since: Option<u64>, ask: u64) -> Follow {
        Follow { player: ANN.0, since, ask }
    }

    /// The first answer comes at once and says so, even if it is empty. Then each notice
    /// comes once and in order, and being woken for nothing says nothing.
    #[test]
    fn each_notice_is_told_once_and_in_order() {
        let mut follows = Follows::default();
        assert!(follows.begin(&follow(Some(2), 5)));
        assert_eq!(heard(&look(&mut follows, mailbox(4))), Some((vec![3, 4], false, 5)));
        assert_eq!(look(&mut follows, mailbox(4)), Said::Nothing);
        assert_eq!(heard(&look(&mut follows, mailbox(6))), Some((vec![5, 6], false, 0)));
        // Who only wants what comes is told where that begins.
        assert!(follows.begin(&follow(None, 6)));
        assert_eq!(heard(&look(&mut follows, mailbox(6))), Some((vec![], false, 6)));
        assert_eq!(heard(&look(&mut follows, mailbox(7))), Some((vec![7], false, 0)));
        follows.end(ANN);
        assert_eq!(follows.since(ANN), None);
        assert_eq!(follows.take(ANN, Told::default()), Said::Nothing);
    }

    /// A replica that is behind does not tell old notices as if newer ones were lost. It
    /// says so only when it knows; and a newer ask is answered by what is known then.
    #[test]
    fn nothing_is_called_lost_by_a_replica_that_is_behind() {
        let mut follows = Follows::default();
        assert!(follows.begin(&follow(Some(9), 1)));
        assert_eq!(look(&mut follows, mailbox(4)), Said::Unsure);
        // What is on its way arrives, and is not told again.
        assert_eq!(look(&mut follows, mailbox(8)), Said::Unsure);
        assert_eq!(heard(&look(&mut follows, mailbox(10))), Some((vec![10], false, 1)));
        // Another one has caught up, and there is no such number.
        assert!(follows.begin(&follow(Some(20), 2)));
        assert_eq!(look(&mut follows, mailbox(10)), Said::Unsure);
        assert_eq!(follows.unsure, [ANN].into());
        assert!(follows.on_caught_up(true).is_empty(), "it was not asked for this one");
        follows.asked = std::mem::take(&mut follows.unsure);
        assert!(follows.on_caught_up(false).is_empty());
        assert_eq!(follows.unsure, [ANN].into(), "it tries again");
        follows.asked = std::mem::take(&mut follows.unsure);
        assert_eq!(follows.on_caught_up(true), [ANN].into());
        let (numbers, resync, ask) = heard(&look(&mut follows, mailbox(10))).expect("an answer");
        assert_eq!((numbers.len(), resync, ask), (10, true, 2));
        assert_eq!(look(&mut follows, mailbox(10)), Said::Nothing);
    }
}
