//! The map of messages: everything that browsers, frontends, nodes and operators say to each
//! other, with who says it, who listens, and what it means.
//!
//! This is the one place where all of it is listed. `scripts/event-graph` draws `docs/events.svg`
//! and writes `docs/events.md` from it. Tests compare it with what there is: with the socket's
//! actions and pushes, with the `.proto` files, with what is asked of a leader, and with foca's
//! datagrams. So a message that is not here fails a test, and so does one that is gone.
//!
//! Not here: the answers to what is asked, and the codes of refusals. An answer goes back on
//! the way that the question came.

use Place::{AnyNode, Browser, Followers, Frontend, Leader, Operator, OtherNodes};
use Wire::{Action, Ask, Cluster, Command, Datagram, Downlink, Game, Notice, Push, Raft, Uplink};

/// Who says something, or listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The page, or any other client of a frontend's socket.
    Browser,
    /// A frontend server.
    Frontend,
    /// The node that leads.
    Leader,
    /// The nodes that follow it.
    Followers,
    /// A node, whichever it is.
    AnyNode,
    /// One or several others than that.
    OtherNodes,
    /// Somebody with the cluster's key: the command line, a check, a lab.
    Operator,
}

/// How something is said: what carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// An action of the socket; see [`crate::socket::Action`].
    Action,
    /// A push of the socket; see [`crate::socket::Push`].
    Push,
    /// A kind of the push `notice`.
    Notice,
    /// The action of a `Command`, many of which travel in one `Uplink`.
    Command,
    /// A field of `Uplink`.
    Uplink,
    /// A field of `Downlink`.
    Downlink,
    /// A call of the service `Game`.
    Game,
    /// A call of the service `Cluster`.
    Cluster,
    /// A call of the service `Raft`.
    Raft,
    /// What a call of `Raft.Ask` asks of the leader.
    Ask,
    /// A datagram of gossip.
    Datagram,
}

/// What the bytes travel on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Medium {
    /// A frontend's socket: JSON in the text frames of a WebSocket.
    Socket,
    /// The stream between a frontend and a node, of gRPC's.
    Stream,
    /// A call of gRPC's.
    Call,
    /// UDP.
    Datagram,
}

/// One hop of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// How it is said.
    pub wire: Wire,
    /// Who says it.
    pub from: Place,
    /// Who listens.
    pub to: Place,
}

/// Something that is said.
#[derive(Clone, Copy, Debug)]
pub struct Message {
    /// What the wire calls it.
    pub name: &'static str,
    /// From whom to whom: several when it is passed on under the same name.
    pub ways: &'static [Way],
    /// What it means, in one short sentence.
    pub means: &'static str,
}

/// Messages that are for the same.
#[derive(Clone, Copy, Debug)]
pub struct Chapter {
    /// What they are for.
    pub title: &'static str,
    /// What there is to know of all of them, in one short sentence.
    pub about: &'static str,
    /// The messages.
    pub messages: &'static [Message],
}

impl Wire {
    /// What it travels on.
    pub const fn medium(self) -> Medium {
        match self {
            Action | Push | Notice => Medium::Socket,
            Command | Uplink | Downlink => Medium::Stream,
            Game | Cluster | Raft | Ask => Medium::Call,
            Datagram => Medium::Datagram,
        }
    }

    /// Whether it is answered: otherwise nobody waits.
    pub const fn is_answered(self) -> bool {
        matches!(self, Action | Command | Game | Cluster | Raft | Ask)
    }

    /// What a reader looks for to find it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Action => "action",
            Push => "push",
            Notice => "notice",
            Command => "Command",
            Uplink => "Uplink",
            Downlink => "Downlink",
            Game => "Game",
            Cluster => "Cluster",
            Raft => "Raft",
            Ask => "Raft.Ask",
            Datagram => "gossip",
        }
    }
}

impl Message {
    /// Whether it is ever said so.
    pub fn is_on(&self, wire: Wire) -> bool {
        self.ways.iter().any(|way| way.wire == wire)
    }
}

impl Place {
    /// In a word or two.
    pub const fn as_str(self) -> &'static str {
        match self {
            Browser => "browser",
            Frontend => "frontend",
            Leader => "leader",
            Followers => "followers",
            AnyNode => "any node",
            OtherNodes => "other nodes",
            Operator => "operator",
        }
    }
}

/// Declares by whom, to whom and how messages are said, hop by hop.
macro_rules! ways {
    ($($(#[$doc:meta])* $ways:ident: $($wire:ident, $from:ident => $to:ident);+,)*) => {
        $(
            $(#[$doc])*
            const fn $ways(name: &'static str, means: &'static str) -> Message {
                let ways = &[$(Way { wire: $wire, from: $from, to: $to }),+];
                Message { name, ways, means }
            }
        )*
    };
}

ways! {
    /// Asked on the socket; the frontend sees to it.
    asked: Action, Browser => Frontend,
    /// Asked on the socket, and brought to the leader as a command.
    wish: Action, Browser => Frontend; Command, Frontend => Leader,
    pushed: Push, Frontend => Browser,
    /// A kind of the push `notice`.
    notice: Notice, Frontend => Browser,
    /// A command that no socket has asked for, or not by that name.
    command: Command, Frontend => Leader,
    written: Uplink, Frontend => Leader,
    answered: Downlink, Leader => Frontend,
    uplink: Uplink, Frontend => AnyNode,
    downlink: Downlink, AnyNode => Frontend,
    call: Game, Frontend => AnyNode,
    read: Game, Operator => AnyNode,
    forwarded: Game, Followers => Leader,
    lead: Raft, Leader => Followers,
    follow: Raft, Followers => Leader,
    /// Brought by `Raft.Ask`.
    of_leader: Ask, Followers => Leader,
    peer: Raft, AnyNode => OtherNodes,
    colleague: Cluster, AnyNode => OtherNodes,
    gossip: Datagram, AnyNode => OtherNodes,
    operate: Cluster, Operator => AnyNode,
}

/// Everything that is said.
pub const MAP: &[Chapter] = &[
    Chapter {
        title: "Being there",
        about: "Who is online, and whether the cluster can be reached.",
        messages: &[
            asked("hello", "Says who one is; a guest gets a name and a token."),
            asked("ping", "Asks whether the frontend is there."),
            pushed("cluster", "The way to the cluster was lost or found."),
            pushed("bye", "Why the frontend closes this socket, or that it soon will."),
            command("presence", "Who is where at a frontend; renews the frontend's lease."),
            call("Link", "Opens the stream that carries every Uplink and Downlink."),
            downlink("standing", "Where the node stands: who leads, who is there."),
        ],
    },
    Chapter {
        title: "Matching",
        about: "Pairs are made when a seek is committed. Notices are numbered and come in order.",
        messages: &[
            wish("seek", "Wants to play with whoever suits; after a while with a bot."),
            wish("challenge", "Asks a certain player for a game, or whoever has the link."),
            wish("accept", "Takes an open seek, or accepts a challenge."),
            wish("decline", "Who was challenged does not want to play."),
            wish("withdraw", "Takes one's offer back."),
            asked("notices", "Wants to be told what concerns this player, from a number on."),
            asked("lobby", "Looks at the open seeks from now on, or not any more."),
            asked("offer", "What does this offer say? For who has its link."),
            pushed("notice", "Something this player is told, wherever they are looking."),
            pushed("lobby", "The open seeks, newest first."),
            notice("matched", "There is a game: in this room, in this seat, against them."),
            notice("unmatched", "An offer has ended without a game, and why."),
            notice("challenged", "Somebody asks for a game."),
            notice("unchallenged", "They do not ask any more."),
            notice("turn", "It is one's turn in a room that one does not look at."),
            notice("rematch", "The other wants another round."),
            notice("over", "A game that one did not look at is over."),
            uplink("follows", "Tell this stream the notices of that player, after a number."),
            uplink("unfollows", "Do not tell them any more."),
            uplink("glance", "What this stream looks at: the open seeks, the numbers."),
            downlink("told", "What a player was told, in order and without a hole."),
            downlink("seeks", "The open seeks, at most four times a second."),
            call("Look", "Looks up an offer, a ladder, a card, or what was said last."),
        ],
    },
    Chapter {
        title: "Playing",
        about: "What changes the lobby is an entry of the leader's log, and has one effect.",
        messages: &[
            wish("open", "Opens a room; who opens it is its host."),
            wish("sit", "Takes a seat."),
            wish("stand", "Leaves it."),
            wish("play", "Makes a move."),
            wish("again", "Agrees to another round."),
            asked("rematch", "The same, with sides swapped; told to the leader as `again`."),
            wish("resign", "Gives up the round of a match."),
            wish("draw", "Offers a draw, or agrees to the other's, or declines it."),
            wish("claim", "Ends a match whose other player has been gone for long."),
            wish("say", "Says a line of chat."),
            wish("remove", "The host takes somebody from the table for good."),
            wish("lock", "The host lets nobody new sit down, or somebody again."),
            wish("publish", "The host lets strangers find the room, or nobody any more."),
            written("commands", "All commands that have gathered, in one message."),
            answered("answers", "What became of each: accepted, or refused with a code."),
        ],
    },
    Chapter {
        title: "Watching",
        about: "Rooms are seen through any node, each version once and in order.",
        messages: &[
            asked("rooms", "Asks for a list of rooms."),
            asked("watch", "Looks at a room from now on, or from a version that was seen."),
            asked("unwatch", "Does not look at it any more."),
            asked("history", "What was said last in a room? For who hears of it in steps."),
            pushed("view", "A room at its next version, as this player may see it."),
            pushed("step", "What has changed in a room, for who has asked for steps."),
            call("Rooms", "Lists rooms, live ones or archived ones."),
            uplink("watches", "Subscribes to a room for those players, after a version."),
            uplink("unwatches", "Ends that."),
            downlink("updates", "A room at a version, or a step to it: for all, and for some."),
            downlink("watch_refused", "There is no such room, or no place to watch it."),
            call("Look", "Looks up an offer, a ladder, a card, or what was said last."),
        ],
    },
    Chapter {
        title: "Numbers",
        about: "Pushed to who looks, at most four times a second; and the nodes, below deck.",
        messages: &[
            asked("live", "Looks at the numbers from now on, or not any more."),
            asked("ladder", "Who is best at a game, of all time or this week?"),
            asked("card", "What is there to know of a player: ratings, games, streaks?"),
            asked("deck", "Looks at the nodes from now on, or not any more."),
            pushed("live", "Players, games, moves, wins; and the last hour by minutes."),
            pushed("deck", "Who leads in which term, who votes, who is heard."),
            call("Look", "Looks up an offer, a ladder, a card, or what was said last."),
            uplink("glance", "What this stream looks at: the open seeks, the numbers."),
            downlink("live", "The numbers, as JSON that is the same for all."),
        ],
    },
    Chapter {
        title: "Agreeing",
        about: "Raft: stored by a majority first, answered after. Sealed with the cluster's key.",
        messages: &[
            lead("Append", "Entries for the log, and how far it is committed; a pipeline."),
            lead("Heartbeat", "Shows that the leader is there."),
            lead("Snapshot", "The whole state in chunks, to a log that is too far behind."),
            lead("TransferLeader", "Stand for election now: the leader hands over."),
            follow("ReadIndex", "Asks how far a linearizable read must wait (section 6.4)."),
            forwarded("Link", "A follower forwards commands, on a stream of its own."),
            peer("PreVote", "Would you vote for me? Asked before a term is begun."),
            peer("Vote", "Asks for a vote in a new term."),
            peer("Remember", "What each has promised, as others remember it."),
            peer("Hash", "Asks for the lobby's hash at an index: replicas compare."),
            peer("Archive", "Asks for a page of archived games."),
        ],
    },
    Chapter {
        title: "Belonging",
        about: "Who is there, by SWIM over UDP, and who may be. Gossip suggests, Raft decides.",
        messages: &[
            follow("Ask", "Brings the leader a wish that only it can fulfil."),
            of_leader("Admit", "Let this node in."),
            of_leader("Set", "Change what the whole cluster shares."),
            of_leader("Leave", "Let this member leave, if the rest can do without it."),
            of_leader("Stay", "It stays after all."),
            of_leader("HandOver", "Hand leadership to this voter, or to whoever is closest."),
            peer("Admit", "A node without an id asks to be admitted, by any member."),
            peer("Introduce", "Who are you, and do you know me? Before the first election."),
            peer("Meet", "Who are you, and do you take my word? Finds copied folders."),
            colleague("Report", "How do you stand?"),
            gossip("Announce", "I am new here: who is there?"),
            gossip("Feed", "Those are there."),
            gossip("Ping", "Are you there? (SWIM, section 4.1)"),
            gossip("Ack", "Yes."),
            gossip("PingReq", "Ping another for me: it did not answer."),
            gossip("IndirectPing", "Are you there? Somebody asks through me."),
            gossip("IndirectAck", "Yes, tell them."),
            gossip("ForwardedAck", "It did answer me."),
            gossip("Gossip", "News of members: alive, suspect, down (section 4.2)."),
            gossip("Broadcast", "How I am: a member's card, passed on."),
            gossip("TurnUndead", "You are held for dead; come back renewed."),
        ],
    },
    Chapter {
        title: "Operating",
        about: "With a token made from the cluster's key: the command line, checks, the lab.",
        messages: &[
            operate("Status", "The whole cluster as this node sees it."),
            operate("Report", "This node alone."),
            operate("Events", "What happens in the cluster, past and to come, in sentences."),
            operate("Observe", "Everything that happens in this node, for a timeline."),
            operate("Set", "Sets what the whole cluster shares."),
            operate("TransferLeader", "Moves leadership."),
            operate("Join", "Lets an empty node join a cluster."),
            operate("Leave", "Lets this node leave its cluster."),
            operate("Backup", "Everything that was acknowledged before, in chunks."),
            operate("Inject", "Makes the node's surroundings worse."),
            operate("Faults", "What is wrong with them now."),
            operate("Heal", "Makes them good again."),
            read("Read", "One room, as fresh as is asked for."),
        ],
    },
];
