//! The rules as tables, and the promise that no sequence of reports leads to an unsafe
//! step.

use super::intents::*;
use super::*;
use hangraft_ids::NodeId;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

const REPLACE_AFTER: Duration = Duration::from_secs(600);
const STABLE_FOR: Duration = Duration::from_secs(10);

fn well(id: NodeId) -> MemberHealth {
    MemberHealth {
        name: format!("n{id}"),
        answers: true,
        gossiped: true,
        silence: Duration::ZERO,
        stable: Duration::from_secs(3_600),
        lag: 0,
        set_back: false,
        unfit: None,
    }
}

/// A situation from `wanted: voters | spares | admitted`. What follows an id tells
/// of it: `*` leads, `l` leaves, `q` quiet for 3 minutes, `d` dead for 12, `f`
/// forgotten for 25, `m` mute to Raft only, `g` to gossip only, `y` stable for 3 seconds only, `b`
/// behind, `u` unfit.
fn situation(line: &str) -> Situation {
    let (wanted, rest) = line.split_once(':').unwrap();
    let mut now = Situation {
        leader: NodeId::NONE,
        settled: true,
        voters: BTreeSet::new(),
        members: BTreeMap::new(),
        admitted: BTreeSet::new(),
        leaving: BTreeSet::new(),
        policy: Policy {
            voters_wanted: wanted.parse().unwrap(),
            replace_after: REPLACE_AFTER,
            stable_for: STABLE_FOR,
        },
    };
    for (part, words) in rest.split('|').enumerate() {
        for word in words.split_whitespace() {
            let end = word.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.len());
            let (id, marks) = (NodeId(word[..end].parse().unwrap()), &word[end..]);
            if part == 2 {
                now.admitted.insert(id);
            } else {
                now.members.insert(id, well(id));
            }
            if part == 0 {
                now.voters.insert(id);
            }
            marks.chars().for_each(|mark| apply_mark(&mut now, id, mark));
        }
    }
    for member in now.members.values_mut().filter(|member| !member.silence.is_zero()) {
        (member.answers, member.gossiped) = (false, false);
    }
    now
}

fn apply_mark(now: &mut Situation, id: NodeId, mark: char) {
    let minutes = |many: u64| Duration::from_secs(60 * many);
    match (mark, now.members.get_mut(&id)) {
        ('*', _) => now.leader = id,
        ('l', _) => _ = now.leaving.insert(id),
        ('q', Some(member)) => member.silence = minutes(3),
        ('d', Some(member)) => member.silence = minutes(12),
        ('f', Some(member)) => member.silence = minutes(25),
        ('m', Some(member)) => member.answers = false,
        ('g', Some(member)) => member.gossiped = false,
        ('y', Some(member)) => member.stable = Duration::from_millis(3_200),
        ('b', Some(member)) => member.lag = 1_234,
        ('u', Some(member)) => member.unfit = Some("does not know the game nim".into()),
        _ => panic!("{mark} means nothing for {id}"),
    }
}

fn in_words(step: Option<&Step>) -> String {
    match step {
        None => "nothing".into(),
        Some(Step::AddLearner(id)) => format!("add {id}"),
        Some(Step::SetVoters(voters)) => {
            voters.iter().fold("voters".into(), |text, id| format!("{text} {id}"))
        }
        Some(Step::Remove(id)) => format!("remove {id}"),
        Some(Step::HandOver(id)) => format!("hand to {id}"),
    }
}

/// A situation, the step it calls for, and what operators are told.
#[rustfmt::skip]
const PLANS: &[(&str, &str, &[&str])] = &[
    // All is well.
    ("3: 1* 2 3", "nothing", &[]),
    ("3: 1* 2 3 | 4", "nothing", &["n4 is a spare: there are 3 of 3 wanted voters"]),
    // 1. Whoever was admitted becomes a spare, before anything else.
    ("3: 1* 2d 3l | 4 | 6 5", "add 5", &["n5 becomes a spare", "n2 silent for 12 min; no spare is ready to replace it", "n4 is a spare: there are 3 of 3 wanted voters"]),
    ("3: 1* 2 3 | | 4l", "nothing", &[]),
    // 2. Even numbers come from outside and do not last.
    ("3: 1* 2 3 4 | 5", "voters 1 2 3 4 5", &["n5 will vote"]),
    ("3: 1* 2 3 4 | 5b", "voters 1 2 3", &["n4 will no longer vote", "n5 is 1,234 entries behind"]),
    ("3: 1* 2 3d 4", "voters 1 2 4", &["n3 (silent for 12 min) will no longer vote"]),
    ("3: 1* 2 3m 4", "voters 1 2 4", &["n3 will no longer vote"]),
    ("1: 1*l 2", "hand to 2", &["n2 takes the lead, because n1 is leaving"]),
    ("3: 1* 2m 3 4m", "nothing", &["n2 does not answer, although gossip hears it", "n4 does not answer, although gossip hears it", "4 voters cannot become 3 now: only 2 of 4 voters answer"]),
    ("7: 1* 2 3 4 5 6 7 8 | 9", "voters 1 2 3 4 5 6 7", &["n8 will no longer vote", "n9 is a spare: there are 7 of 7 wanted voters"]),
    // 3. Whoever leaves is replaced, the leader last.
    ("3: 1* 2l 3 | 4", "voters 1 3 4", &["n4 will vote in place of n2 (leaving)"]),
    ("3: 1*l 2l 3 | 4 5", "voters 1 3 4", &["n4 will vote in place of n2 (leaving)", "n5 is a spare: there are 3 of 3 wanted voters"]),
    ("3: 1*l 2 3 | 4", "hand to 2", &["n2 takes the lead, because n1 is leaving", "n4 is a spare: there are 3 of 3 wanted voters"]),
    ("3: 1*l 2u 3", "hand to 3", &["n3 takes the lead, because n1 is leaving"]),
    ("3: 1*l 2b 3m", "nothing", &["n1 cannot leave now: no other voter could take over: one has to answer, fit, stay, and be at most 1,000 entries behind", "n3 does not answer, although gossip hears it"]),
    ("1: 1*l | 2", "nothing", &["n1 cannot leave now: it is the only voter", "n2 is a spare: there are 1 of 1 wanted voters"]),
    ("3: 1* 2l 3q | 4", "voters 1 3 4", &["n4 will vote in place of n2 (leaving)", "n3 silent for 3 min, is replaced after 10 min, but there is no spare"]),
    ("3: 1* 2lm 3m | 4", "nothing", &["n2 cannot leave now: only 1 of 3 voters answers", "n3 does not answer, although gossip hears it", "n4 is a spare: there are 3 of 3 wanted voters"]),
    // 4. The dead are replaced, and never merely dropped.
    ("3: 1* 2d 3 | 4", "voters 1 3 4", &["n4 will vote in place of n2 (silent for 12 min)"]),
    ("5: 1* 2d 3 4d 5 | 6", "voters 1 3 4 5 6", &["n6 will vote in place of n2 (silent for 12 min)", "n4 silent for 12 min; there is no spare to replace it: join another node"]),
    ("3: 1* 2d 3", "nothing", &["n2 silent for 12 min; there is no spare to replace it: join another node"]),
    ("3: 1* 2d 3 | 4u", "nothing", &["n2 silent for 12 min; no spare is ready to replace it", "n4 cannot vote: it does not know the game nim"]),
    ("3: 1* 2d 3m | 4", "nothing", &["n2 cannot be replaced now: only 1 of 3 voters answers", "n3 does not answer, although gossip hears it", "n4 is a spare: there are 3 of 3 wanted voters"]),
    ("3: 1* 2q 3 | 4", "nothing", &["n2 silent for 3 min, would be replaced by n4 in 7 min", "n4 is a spare: there are 3 of 3 wanted voters"]),
    ("3: 1* 2q 3", "nothing", &["n2 silent for 3 min, is replaced after 10 min, but there is no spare"]),
    ("3: 1* 2q 3 | 4y", "nothing", &["n2 silent for 3 min, is replaced after 10 min, but no spare is ready", "n4 is a spare: there are 3 of 3 wanted voters"]),
    ("3: 1* 2d 3 | 4g", "nothing", &["n2 silent for 12 min; no spare is ready to replace it", "n4 answers, but gossip does not hear it: is UDP open on its port?"]),
    // 5. The cluster grows by two.
    ("3: 1* | 2 3", "voters 1 2 3", &["n2 and n3 will vote"]),
    ("5: 1* | 2 3 4", "voters 1 2 3", &["n2 and n3 will vote", "n4 is a spare until another node joins: voters grow by two, to stay odd", "3 of 5 wanted voters; 1 more node is needed"]),
    ("5: 1* 2 3 | 4", "nothing", &["n4 is a spare until another node joins: voters grow by two, to stay odd", "3 of 5 wanted voters; 1 more node is needed"]),
    ("5: 1* 2 3", "nothing", &["3 of 5 wanted voters; 2 more nodes are needed"]),
    ("5: 1* 2 3 | 4 5y", "nothing", &["n4 votes next, together with another spare", "n5 votes in 7 s, when it has been stable for 10 s"]),
    ("5: 1* 2 3 | 4y 5b", "nothing", &["n4 is a spare until another one is ready: voters grow by two, to stay odd", "n5 is 1,234 entries behind"]),
    ("5: 1* 2m 3m | 4 5", "nothing", &["n2 does not answer, although gossip hears it", "n3 does not answer, although gossip hears it", "n4 cannot vote now: only 1 of 3 voters answers", "n5 cannot vote now: only 1 of 3 voters answers"]),
    ("5: 1* 2g 3 | 4g 5", "nothing", &["n2 answers, but gossip does not hear it: is UDP open on its port?", "n4 answers, but gossip does not hear it: is UDP open on its port?", "n5 is a spare until another one is ready: voters grow by two, to stay odd"]),
    // 6. Nobody can take over from the one that leaves: two stop voting.
    ("5: 1* 2l 3 4 5", "voters 1 3 4", &["n2 (leaving) and n5 will no longer vote", "3 of 5 wanted voters; 2 more nodes are needed"]),
    ("5: 1* 2l 3 4l 5d", "voters 1 3 5", &["n2 (leaving) and n4 (leaving) will no longer vote", "n5 silent for 12 min; there is no spare to replace it: join another node", "3 of 5 wanted voters; 2 more nodes are needed"]),
    ("5: 1* 2l 3l 4d 5d", "voters 1 3 4", &["n2 (leaving) and n5 (silent for 12 min) will no longer vote", "n4 silent for 12 min; there is no spare to replace it: join another node", "3 of 5 wanted voters; 2 more nodes are needed"]),
    ("5: 1* 2l 3m 4 5", "voters 1 4 5", &["n2 (leaving) and n3 will no longer vote", "3 of 5 wanted voters; 2 more nodes are needed"]),
    ("5: 1* 2l 3 4 5 | 6y", "nothing", &["n2 leaves when n6 is stable, to take its place", "n6 is a spare: there are 5 of 5 wanted voters"]),
    ("5: 1* 2l 3 4 5 | 6g", "voters 1 3 4", &["n2 (leaving) and n5 will no longer vote", "n6 answers, but gossip does not hear it: is UDP open on its port?", "3 of 5 wanted voters; 1 more node is needed"]),
    ("3: 1* 2 3l", "voters 1", &["n2 and n3 (leaving) will no longer vote", "1 of 3 wanted voters; 2 more nodes are needed"]),
    // 7. Fewer are wanted.
    ("3: 1* 2 3 4 5", "voters 1 2 3", &["n4 and n5 will no longer vote"]),
    ("3: 1* 2d 3m 4 5", "voters 1 4 5", &["n2 (silent for 12 min) and n3 will no longer vote"]),
    ("0: 1* 2 3 | 4 5", "nothing", &["n4 is a spare: there are 3 of 3 wanted voters", "n5 is a spare: there are 3 of 3 wanted voters"]),
    ("2: 1 2 3*", "voters 3", &["n1 and n2 will no longer vote"]),
    ("3: 1* 2m 3m 4m 5", "nothing", &["n2 does not answer, although gossip hears it", "n3 does not answer, although gossip hears it", "n4 does not answer, although gossip hears it", "5 voters cannot become 3 now: only 2 of 5 voters answer"]),
    // 8. Spares go when they leave, and when they have been silent for too long.
    ("3: 1* 2 3 | 4f 5l", "remove 5", &["n5 (leaving) is let go of", "n4 silent for 25 min, is let go of after 20 min"]),
    ("3: 1* 2 3 | 4f", "remove 4", &["n4 (silent for 25 min) is let go of"]),
    ("3: 1* 2 3 | 4d", "nothing", &["n4 silent for 12 min, is let go of after 20 min"]),
    ("3: 1* 2m 3m | 4f 5l", "nothing", &["n2 does not answer, although gossip hears it", "n3 does not answer, although gossip hears it", "n4 cannot be let go of now: only 1 of 3 voters answers", "n5 cannot leave now: only 1 of 3 voters answers"]),
];

#[test]
fn each_situation_has_its_step_and_its_sentences() {
    for (line, step, intents) in PLANS {
        let plan = next_step(&situation(line));
        assert_eq!(in_words(plan.step.as_ref()), *step, "{line}");
        assert_eq!(plan.intents, *intents, "{line}");
    }
}

/// Who asks to leave in which situation, and the refusal.
#[rustfmt::skip]
const LEAVES: &[(&str, u64, &str)] = &[
    ("3: 1* 2 3", 9, "n9 is not a member"),
    ("3: 1* 2lm 3m", 2, ""),
    ("3: 1* 2 3 | 4", 4, ""),
    ("3: 1* 2 3 | | 4", 4, ""),
    ("3: 1* 2m 3m | 4", 4, "n4 cannot leave now: only 1 of 3 voters answers"),
    ("3: 1* | 2", 1, "n1 is the only voter; stop it instead, or let another node join first"),
    ("3: 1* 2l 3l", 1, "n1 is the only voter that is not leaving; let another node join first"),
    ("3: 1*l 2 3l | 4", 2, ""),
    // Replaced by a spare, or with one voter fewer to stay odd.
    ("3: 1* 2 3 | 4", 3, ""),
    ("3: 1* 2 3", 3, ""),
    ("3: 1* 2m 3", 2, ""),
    ("3: 1* 2m 3 | 4", 3, ""),
    ("3: 1* 2m 3", 3, "n3 cannot leave now: of the other 2 voters only 1 would answer, 2 are needed, and there is no spare"),
    ("3: 1* 2d 3m", 3, "n3 cannot leave now: only 1 of 3 voters answers"),
    ("5: 1* 2 3 4 5d", 3, ""),
    ("5: 1* 2 3 4d 5d", 3, "n3 cannot leave now: of the other 4 voters only 2 would answer, 3 are needed, and there is no spare"),
    // The leader leaves when somebody can take over.
    ("3: 1* 2m 3 | 4", 1, ""),
    ("3: 1* 2b 3b", 1, "n1 leads, and no other voter could take over: one has to answer, fit, stay, and be at most 1,000 entries behind"),
    ("2: 1* 2", 1, ""),
];

#[test]
fn a_node_may_leave_when_the_others_can_go_on() {
    for (line, id, refusal) in LEAVES {
        let answer = may_leave(&situation(line), NodeId(*id));
        assert_eq!(answer.err().unwrap_or_default(), *refusal, "n{id} from {line}");
    }
}

#[test]
fn whatever_a_rule_asks_for_has_to_be_safe() {
    let now = situation("5: 1* 2 3 4m 5m | 6 7y");
    let objection = |ids: &[u64]| now.objection(&ids.iter().copied().map(NodeId).collect());
    assert_eq!(objection(&[1, 2, 6]), None);
    assert_eq!(objection(&[]).unwrap(), "n1, which leads, would not vote");
    assert_eq!(objection(&[2, 3, 6]).unwrap(), "n1, which leads, would not vote");
    assert_eq!(objection(&[1, 2]).unwrap(), "2 voters would not be an odd number");
    assert_eq!(objection(&[1, 2, 7]).unwrap(), "n7 is not ready to vote");
    assert_eq!(objection(&[1, 4, 5]).unwrap(), "only 1 of the new 3 voters would answer");
}

#[test]
fn nothing_happens_while_a_change_is_under_way_and_a_leader_without_a_vote_hands_over() {
    let mut now = situation("3: 1* 2 3d | 4 | 5");
    now.settled = false;
    let plan = next_step(&now);
    assert_eq!((plan.step, &*plan.intents[0]), (None, "a change of members is under way"));
    now.leader = NodeId(4);
    assert_eq!(next_step(&now).step, None);
    now.settled = true;
    assert_eq!(next_step(&now).step, Some(Step::HandOver(NodeId(1))));
}

#[test]
fn times_and_numbers_are_plain() {
    let words = [0, 12_001, 119_001, 180_000, 230_000, 7_200_001].map(|ms| {
        let time = Duration::from_millis(ms);
        format!("{}, {}", passed(time), ahead(time))
    });
    let plain =
        ["0 s, 0 s", "12 s, 13 s", "119 s, 2 min", "3 min, 3 min", "3 min, 4 min", "2 h, 3 h"];
    assert_eq!(words, plain);
    assert_eq!([0, 999, 1_000, 1_002_034].map(grouped), ["0", "999", "1,000", "1,002,034"]);
}

/// Something that happens between two looks.
#[derive(Clone, Debug)]
enum News {
    Heard(NodeId, MemberHealth),
    Admitted(NodeId),
    /// Whether it is asked to leave without asking whether it may.
    Leaves(NodeId, bool),
    Wanted(u8, Duration),
    Settled(bool),
    /// Another voter wins an election.
    Leads(prop::sample::Index),
    /// A hand other than ours sets the voters; the leader is among them.
    VotersSet(BTreeSet<NodeId>),
    /// The step of the plan is taken.
    Step,
}

prop_compose! {
    /// Standings at and next to every limit, more often good than bad.
    fn standing()(
        answers in prop::bool::weighted(0.7),
        gossiped in prop::bool::weighted(0.9),
        silence in prop_oneof![4 => Just(0), 1 => prop::sample::select(vec![1, 5, 599, 600, 1_199, 1_200])],
        stable in prop::sample::select(vec![0, 9_999, 10_000, 3_600_000]),
        lag in prop::sample::select(vec![0, 7, LAG_MAX, LAG_MAX + 1, u64::MAX]),
        unfit in prop::option::weighted(0.1, Just("runs another version".to_string())),
    ) -> MemberHealth {
        MemberHealth {
            name: String::new(),
            answers,
            gossiped: gossiped && silence == 0,
            silence: Duration::from_secs(silence),
            stable: Duration::from_millis(stable),
            lag,
            set_back: false,
            unfit,
        }
    }
}

fn news() -> impl Strategy<Value = News> {
    let id = || (1..12u64).prop_map(NodeId);
    let replace_after = prop::sample::select(vec![0, 1, 600, 600, 600, u64::MAX]);
    prop_oneof![
        6 => (id(), standing()).prop_map(|(id, standing)| News::Heard(id, standing)),
        3 => id().prop_map(News::Admitted),
        2 => (id(), prop::bool::weighted(0.2)).prop_map(|(id, forced)| News::Leaves(id, forced)),
        1 => (0..10u8, replace_after)
            .prop_map(|(wanted, after)| News::Wanted(wanted, Duration::from_secs(after))),
        1 => prop::bool::weighted(0.8).prop_map(News::Settled),
        1 => any::<prop::sample::Index>().prop_map(News::Leads),
        1 => prop::collection::btree_set(id(), 1..9).prop_map(News::VotersSet),
        12 => Just(News::Step),
    ]
}

fn happens(now: &mut Situation, news: News) {
    match news {
        News::Heard(id, standing) => {
            now.members.entry(id).and_modify(|known| *known = standing);
        }
        News::Admitted(id) => _ = now.admitted.insert(id),
        News::Leaves(id, forced) => {
            if forced || may_leave(now, id).is_ok() {
                now.leaving.insert(id);
            }
        }
        News::Wanted(voters_wanted, replace_after) => {
            now.policy = Policy { voters_wanted, replace_after, stable_for: STABLE_FOR };
        }
        News::Settled(settled) => now.settled = settled,
        News::Leads(which) => {
            let voters: Vec<NodeId> = now.voters.iter().copied().collect();
            now.leader = *which.get(&voters);
        }
        News::VotersSet(voters) => now.voters = with(&voters, &[now.leader]),
        News::Step => {
            if let Some(step) = next_step(now).step {
                take(now, step);
            }
        }
    }
}

fn take(now: &mut Situation, step: Step) {
    match step {
        Step::AddLearner(id) => _ = now.members.insert(id, well(id)),
        Step::SetVoters(voters) => now.voters = voters,
        Step::Remove(id) => {
            now.members.remove(&id);
            now.admitted.remove(&id);
        }
        Step::HandOver(id) => now.leader = id,
    }
}

/// What no step may ever break, told independently of the rules.
fn check(now: &Situation) -> Result<(), TestCaseError> {
    let Some(step) = next_step(now).step else { return Ok(()) };
    let has = |id: &NodeId, good: fn(&MemberHealth) -> bool| now.members.get(id).is_some_and(good);
    let answers = |id: &&NodeId| **id == now.leader || has(id, |it| it.answers);
    let quorum = |of: &BTreeSet<NodeId>| of.iter().filter(answers).count() * 2 > of.len();
    let fits = |it: &MemberHealth| it.answers && it.lag <= LAG_MAX && it.unfit.is_none();
    let steady = |it: &MemberHealth| it.gossiped && it.silence.is_zero() && it.stable >= STABLE_FOR;
    let silent = |id: &NodeId, times: u32| {
        let long = now.policy.replace_after.saturating_mul(times);
        now.members.get(id).is_some_and(|it| it.silence >= long)
    };
    let leaves = |id: &NodeId| now.leaving.contains(id);
    let voted = |id: &NodeId| now.voters.contains(id);
    let adds = matches!(step, Step::AddLearner(_));
    prop_assert!(now.settled && voted(&now.leader) && (adds || quorum(&now.voters)));
    match &step {
        Step::AddLearner(id) => {
            prop_assert!(now.admitted.contains(id) && !leaves(id));
            prop_assert!(!now.members.contains_key(id) && !voted(id));
        }
        Step::SetVoters(voters) => {
            prop_assert!(voters.contains(&now.leader) && quorum(voters), "{step:?}");
            prop_assert_eq!(voters.len() % 2, 1);
            let (new, old) = (voters - &now.voters, &now.voters - voters);
            prop_assert!(new.iter().all(|id| has(id, fits) && has(id, steady) && !leaves(id)));
            let was = now.voters.len();
            let wanted = match now.policy.voters_wanted {
                0 => was,
                wanted => usize::from(wanted.min(7)),
            };
            let why = match (new.len(), old.len()) {
                (1, 1) => was % 2 == 1 && old.iter().all(|id| leaves(id) || silent(id, 1)),
                (1, 0) => was.is_multiple_of(2) && was < 7,
                (2, 0) => voters.len() <= wanted,
                (0, 1) => was.is_multiple_of(2),
                (0, 2) => was > wanted || old.iter().any(leaves),
                _ => false,
            };
            prop_assert!(why, "{step:?}");
        }
        Step::Remove(id) => {
            prop_assert!(!voted(id) && now.members.contains_key(id));
            prop_assert!(leaves(id) || silent(id, 2));
        }
        Step::HandOver(id) => {
            prop_assert!(leaves(&now.leader) && *id != now.leader);
            prop_assert!(voted(id) && !leaves(id) && has(id, fits));
        }
    }
    Ok(())
}

/// Takes steps, without news but that spares become stable, until there are no more.
fn settle(now: &mut Situation) -> Result<(), TestCaseError> {
    now.settled = true;
    for _ in 0..50 {
        check(now)?;
        let hopefuls: Vec<NodeId> = now.hopefuls().collect();
        match next_step(now).step {
            Some(step) => take(now, step),
            None if hopefuls.len() == now.candidates().count() => return Ok(()),
            None => {
                for id in hopefuls {
                    now.members.entry(id).and_modify(|member| member.stable = STABLE_FOR);
                }
            }
        }
    }
    prop_assert!(false, "the steps go round in circles: {now:?}");
    Ok(())
}

/// Whether it is gone once nothing is left to do.
fn leaves_in_the_end(now: &Situation, id: NodeId) -> Result<bool, TestCaseError> {
    let mut then = now.clone();
    then.leaving.insert(id);
    settle(&mut then)?;
    Ok(!then.members.contains_key(&id) && !then.voters.contains(&id))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_step_is_unsafe_and_the_steps_come_to_an_end(
        size in 1..=7u64,
        wanted in prop::sample::select(vec![0, 1, 3, 5, 7]),
        many in prop::collection::vec(news(), 0..60),
    ) {
        let mut now = situation(&format!("{wanted}: 1*"));
        for id in (1..=size).map(NodeId) {
            now.voters.insert(id);
            now.members.insert(id, well(id));
        }
        for news in many {
            happens(&mut now, news);
            check(&now)?;
        }
        // A node that was told that it may leave, and no news after that.
        now.members.insert(now.leader, well(now.leader));
        for id in (1..12).map(NodeId).filter(|id| !now.leaving.contains(id)) {
            if may_leave(&now, id).is_ok() {
                prop_assert!(leaves_in_the_end(&now, id)?, "n{id} stays: {now:?}");
            }
        }
        settle(&mut now)?;
        if now.shortage().is_none() {
            let lingers = |id: &NodeId| *id != now.leader && now.leaving.contains(id);
            prop_assert!(!now.voters.iter().any(lingers));
            prop_assert!(now.voters.len() <= now.wanted());
        }
    }
}
