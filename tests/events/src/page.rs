//! The page: all that the map says, in words.

use std::fmt::Write;

use hangraft_proto::map::{Chapter, Message};

const BEGINNING: &str = "\
# Who says what to whom

All messages between browsers, frontends, nodes and operators, by what they are for. \
`proto/src/map.rs` declares them. `scripts/event-graph` draws the picture and writes this \
page from there, and tests fail when either is stale or a message is missing.

![Who says what to whom](events.svg)

Names are those on the wire. What is an *action* or a *push* travels on a frontend's socket, \
see [protocol.md](protocol.md). `Command`, `Uplink` and `Downlink` are parts of the stream \
`Game.Link`, and `Game`, `Raft` and `Cluster` are services: see `proto/proto/hangraft/v1`. \
`Raft.Ask` has a closed list of what can be asked of a leader, in `node/src/peers/asks.rs`. \
Gossip's datagrams are those of the library foca. Actions, commands and calls are answered on \
the way that they came; on everything else nobody waits.
";

/// Writes the map.
pub fn page(map: &[Chapter]) -> String {
    let mut text = BEGINNING.to_owned();
    for Chapter { title, about, messages } in map {
        let rows: String = messages.iter().map(row).collect();
        write!(
            text,
            "\n## {title}\n\n{about}\n\n| message | from whom to whom | on | what it means |\n\
             |---|---|---|---|\n{rows}"
        )
        .expect("a string takes all that is written");
    }
    text
}

fn row(message: &Message) -> String {
    let Message { name, ways, means } = message;
    let places = ways.first().map(|way| way.from).into_iter().chain(ways.iter().map(|way| way.to));
    let places: Vec<&str> = places.map(|place| place.as_str()).collect();
    let wires: Vec<&str> = ways.iter().map(|way| way.wire.as_str()).collect();
    format!("| `{name}` | {} | {} | {means} |\n", places.join(" → "), wires.join(", "))
}
