//! What can be wrong, and how it is said.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

/// Something that is wrong with a node's surroundings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// On the way to or from somebody.
    Link(LinkFault),
    /// Each sync of the log takes longer.
    SlowDisk(Pause),
    /// Syncs fail.
    FailFsync,
    /// Nothing more can be written.
    FullDisk,
    /// What is written reaches the disk with the next sync only.
    LoseUnsynced,
    /// The wall clock is ahead by so many milliseconds.
    Skew(i64),
}

/// Something that is wrong on a way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LinkFault {
    pub(crate) peer: Peer,
    pub(crate) way: Way,
    pub(crate) traffic: Traffic,
    pub(crate) trouble: Trouble,
    /// It is there for so long, then not for so long, and so on.
    pub(crate) flap: Option<Duration>,
}

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    /// The node that is reached there.
    Node(SocketAddr),
    /// All frontends.
    Frontends,
}

/// Seen from this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Out,
    In,
}

/// What is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Traffic {
    All,
    /// Raft and commands, but not gossip.
    Streams,
    /// Gossip.
    Datagrams,
}

/// What happens on a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    Cut,
    Delay(Pause),
    /// Of a million datagrams so many are lost; a stream stands still meanwhile.
    Loss(u32),
    /// Of a million datagrams so many come twice.
    Duplicate(u32),
    /// Of a million datagrams so many come later than what was sent behind them.
    Reorder(u32),
    /// Bytes in a second.
    Bandwidth(u64),
}

/// How long something takes: so long, and up to so much longer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pause {
    pub(crate) least: Duration,
    pub(crate) jitter: Duration,
}

impl Traffic {
    pub(super) fn concerns(self, traffic: Traffic) -> bool {
        self == Traffic::All || self == traffic
    }
}

impl Fault {
    /// In a few words; `name` says what a node is called.
    pub(crate) fn text(&self, name: impl Fn(SocketAddr) -> String) -> String {
        match self {
            Fault::Link(link) => link.text(name),
            Fault::SlowDisk(pause) => format!("slow disk: syncs take {pause} longer"),
            Fault::FailFsync => "syncs of the log fail".to_owned(),
            Fault::FullDisk => "the disk is full".to_owned(),
            Fault::LoseUnsynced => "what is not synced is lost by a crash".to_owned(),
            Fault::Skew(ms) => {
                let (by, side) = (ms.unsigned_abs(), if *ms < 0 { "behind" } else { "ahead" });
                format!("the clock is {by} ms {side}")
            }
        }
    }
}

impl LinkFault {
    fn text(&self, name: impl Fn(SocketAddr) -> String) -> String {
        let peer = match self.peer {
            Peer::Node(address) => name(address),
            Peer::Frontends => "the frontends".to_owned(),
        };
        let what = match self.traffic {
            Traffic::All => "",
            Traffic::Streams => ", streams only",
            Traffic::Datagrams => ", gossip only",
        };
        let way = match self.way {
            Way::Out => "to",
            Way::In => "from",
        };
        let flap = self.flap.map_or_else(String::new, |period| {
            format!(", on and off every {} ms", period.as_millis())
        });
        format!("{} {way} {peer}{what}{flap}", self.trouble)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |ppm: u32| f64::from(ppm) / 10_000.0;
        match *self {
            Trouble::Cut => f.write_str("cut"),
            Trouble::Delay(pause) => write!(f, "{pause} slower"),
            Trouble::Loss(ppm) => write!(f, "{} % lost", percent(ppm)),
            Trouble::Duplicate(ppm) => write!(f, "{} % doubled", percent(ppm)),
            Trouble::Reorder(ppm) => write!(f, "{} % out of order", percent(ppm)),
            Trouble::Bandwidth(bytes) => write!(f, "{bytes} bytes a second"),
        }
    }
}

impl fmt::Display for Pause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (least, most) = (self.least.as_millis(), (self.least + self.jitter).as_millis());
        if least == most { write!(f, "{least} ms") } else { write!(f, "{least} to {most} ms") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What operators read in the status and in events.
    #[test]
    fn a_fault_says_what_it_is() {
        let ms = Duration::from_millis;
        let address = SocketAddr::from(([10, 0, 0, 2], 7101));
        let pause = Pause { least: ms(50), jitter: ms(20) };
        let link = |trouble, way, traffic, flap| {
            let peer = Peer::Node(address);
            Fault::Link(LinkFault { peer, way, traffic, trouble, flap })
        };
        for (fault, text) in [
            (link(Trouble::Cut, Way::Out, Traffic::All, None), "cut to n2"),
            (
                link(Trouble::Cut, Way::In, Traffic::Datagrams, Some(ms(500))),
                "cut from n2, gossip only, on and off every 500 ms",
            ),
            (
                link(Trouble::Delay(pause), Way::Out, Traffic::Streams, None),
                "50 to 70 ms slower to n2, streams only",
            ),
            (link(Trouble::Loss(205_000), Way::Out, Traffic::All, None), "20.5 % lost to n2"),
            (
                link(Trouble::Bandwidth(9_000), Way::In, Traffic::All, None),
                "9000 bytes a second from n2",
            ),
            (
                Fault::SlowDisk(Pause { least: ms(5), jitter: ms(0) }),
                "slow disk: syncs take 5 ms longer",
            ),
            (Fault::Skew(-3_600_000), "the clock is 3600000 ms behind"),
        ] {
            assert_eq!(fault.text(|_| "n2".to_owned()), text);
        }
    }
}
