//! What a node tells of itself in one life, in words: pure. Only what matters to whoever
//! follows the day: the log's progress alone, for example, does not.

use hangraft_proto::v1::happening::{Gossip, Log, Role, Told, What};
use std::collections::BTreeMap;

/// What a node tells in its own words, and is told here as well. The rest is seen otherwise.
const OWN_WORDS: [&str; 5] = ["setting", "intent", "refusal", "drift", "disk"];

/// What is known of a node that runs.
#[derive(Default)]
pub(crate) struct News {
    role: Option<Role>,
    log: Option<Log>,
    /// How others are, by gossip.
    others: BTreeMap<u64, String>,
}

impl News {
    /// What a node tells, as far as it is worth a line. `me` is its id.
    pub(crate) fn hear(&mut self, me: u64, what: &What) -> Option<String> {
        match what {
            What::Role(role) => {
                let before = self.role.replace(role.clone());
                role_in_words(me, before.as_ref(), role)
            }
            What::Log(log) => {
                let before = self.log.replace(log.clone());
                log_in_words(before.as_ref(), log)
            }
            What::Gossip(gossip) => self.gossip_in_words(gossip),
            What::Told(Told { kind, text }) if OWN_WORDS.contains(&kind.as_str()) => {
                Some(format!("says: {text}"))
            }
            _ => None,
        }
    }

    /// Who was alive, and still is, is no news.
    fn gossip_in_words(&mut self, gossip: &Gossip) -> Option<String> {
        let Gossip { about, state, incarnation } = gossip;
        let before = self.others.insert(*about, state.clone());
        let before = before.as_deref().unwrap_or("alive");
        match state.as_str() {
            _ if before == state => None,
            "suspect" => Some(format!("suspects n{about} by gossip")),
            "down" => Some(format!("takes n{about} for down by gossip")),
            _ => Some(format!("hears that n{about} is alive, in incarnation {incarnation}")),
        }
    }
}

fn role_in_words(me: u64, before: Option<&Role>, now: &Role) -> Option<String> {
    let term = now.term;
    let Some(before) = before else {
        let leader = now.leader.filter(|leader| *leader != me);
        let follows = leader.map_or_else(String::new, |leader| format!(", and follows n{leader}"));
        return Some(format!("begins as {} in term {term}{follows}", now.role));
    };
    let led = before.role == "leader" && now.role != "leader";
    let stops = if led { format!("leads term {} no more, ", before.term) } else { String::new() };
    let same_term = before.term == term;
    let (same_role, same_leader) = (before.role == now.role, before.leader == now.leader);
    let voted = now.voted.filter(|voted| *voted != me);
    let voted = voted.filter(|_| !same_term || before.voted != now.voted);
    match (now.role.as_str(), now.leader, voted) {
        (_, _, _) if same_role && same_term && same_leader && voted.is_none() => None,
        ("shutdown", _, _) => Some(format!("{stops}takes no part any more")),
        ("leader", _, _) if same_role && same_term => None,
        ("leader", _, _) => Some(format!("leads term {term}")),
        ("candidate", _, _) if same_role && same_term => None,
        ("candidate", _, _) => Some(format!("{stops}asks for votes in term {term}")),
        (_, Some(leader), _) if !(same_term && same_leader) => {
            Some(format!("{stops}follows n{leader} in term {term}"))
        }
        (_, None, Some(voted)) => Some(format!("{stops}votes for n{voted} in term {term}")),
        (_, None, None) if !(same_term && same_leader) || led => {
            Some(format!("{stops}knows no leader in term {term}"))
        }
        (role, _, _) => (!same_role).then(|| format!("{stops}is a {role} in term {term}")),
    }
}

/// Where it begins, and what becomes of snapshots.
fn log_in_words(before: Option<&Log>, now: &Log) -> Option<String> {
    let at = |index: Option<u64>| index.map_or("nothing".to_owned(), |index| index.to_string());
    let Some(before) = before else {
        if now.last.is_none() {
            return Some("has an empty log".into());
        }
        let (last, applied) = (at(now.last), at(now.applied));
        return Some(format!(
            "has a log up to {last}, applied {applied}, and a snapshot up to {}",
            at(now.snapshot)
        ));
    };
    let (snapshot, purged) = (before.snapshot != now.snapshot, before.purged != now.purged);
    let purge =
        if purged { format!("its log begins after {}", at(now.purged)) } else { String::new() };
    match (snapshot, purged) {
        (false, false) => None,
        (true, false) => Some(format!("has a snapshot up to {}", at(now.snapshot))),
        (false, true) => Some(purge),
        (true, true) => Some(format!("has a snapshot up to {}; {purge}", at(now.snapshot))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(term: u64, role: &str, leader: Option<u64>, voted: Option<u64>) -> What {
        What::Role(Role { term, role: role.into(), leader, voted })
    }

    /// An election as the one who wins it tells it, and as who loses leadership does.
    #[test]
    fn an_election_is_told_in_words() {
        let tell = |me: u64, roles: &[What]| {
            let mut news = News::default();
            roles.iter().filter_map(|what| news.hear(me, what)).collect::<Vec<_>>()
        };
        let won = [
            role(6, "follower", Some(1), Some(1)),
            role(6, "follower", None, Some(1)),
            role(7, "candidate", None, Some(2)),
            role(7, "leader", Some(2), Some(2)),
        ];
        let told = [
            "begins as follower in term 6, and follows n1",
            "knows no leader in term 6",
            "asks for votes in term 7",
            "leads term 7",
        ];
        assert_eq!(tell(2, &won), told);
        let lost = [
            role(6, "leader", Some(1), Some(1)),
            role(7, "follower", None, Some(2)),
            role(7, "follower", Some(2), Some(2)),
        ];
        let told = [
            "begins as leader in term 6",
            "leads term 6 no more, votes for n2 in term 7",
            "follows n2 in term 7",
        ];
        assert_eq!(tell(1, &lost), told);
    }
}
