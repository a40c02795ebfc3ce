//! What a demo will consist of: names, ports and the files that say so. Plain
//! code; nothing is started or written here.

use std::{
    fmt::Write,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use crate::{
    demo::{namespaces::Namespace, record::Record},
    usage::{Usage, ensure},
};

/// The most frontends a demo runs. Each is a process on this one machine.
const FRONTENDS_MAX: u16 = 8;

/// The most spares. Each is a process, too.
const SPARES_MAX: u16 = 4;

/// The most nodes, with those that are added while it runs: a cluster has no more members.
const NODES_MAX: usize = 16;

/// How many nodes a demo runs when nobody says.
const NODES: u16 = 3;

/// Where nodes are, and frontends when nobody says.
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// The first node's port when nobody says, and where it is then.
const NODE_PORT: u16 = 7101;
const LOOPBACK_NODE: SocketAddr = SocketAddr::new(LOOPBACK, NODE_PORT);

/// What a frontend's configuration says when nobody is held to a pace.
const NO_LIMITS: &str = "
[limits]
actions_per_20s = 0
rooms_per_minute = 0
guests_per_minute_from_address = 0
rooms_per_minute_from_address = 0
guests_per_minute_in_all = 0
rooms_per_minute_in_all = 0
sockets_per_address = 0
";

/// What was asked for. What was not said is as it was in the same folder, or usual.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) nodes: Option<u16>,
    pub(super) node_port: Option<u16>,
    /// Nodes that join as spares.
    pub(super) spares: Option<u16>,
    pub(super) frontends: u16,
    pub(super) port: u16,
    /// Where the nodes run, one in each from the first on; none for on loopback.
    pub(super) namespaces: Vec<Namespace>,
    /// Where the frontends listen. Nodes stay on loopback or in their namespaces.
    pub(super) host: IpAddr,
    /// This machine's addresses on its networks, where the frontends listen on all.
    pub(super) lan: Vec<IpAddr>,
    pub(super) limits: bool,
}

/// A demo's processes before they run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// The first members, then spares.
    pub(super) nodes: Vec<Place>,
    /// How many of them are first members.
    members: usize,
    pub(super) frontends: Vec<Place>,
    lan: Vec<IpAddr>,
    /// Whether players are held to a human speed.
    limits: bool,
}

/// A name and an address for one process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) name: String,
    pub(super) address: SocketAddr,
    /// The network namespace that it runs in, if not in this machine's.
    pub(super) namespace: Option<String>,
    /// A node that is no first member.
    pub(super) spare: bool,
}

/// The name of the `i`th frontend, from 1.
pub(crate) fn frontend_name(i: usize) -> String {
    format!("f{i}")
}

impl Plan {
    /// Plans a demo, in a folder where there may have been one before.
    pub(super) fn new(wanted: &Wanted, before: Option<&Record>) -> Result<Self, Usage> {
        let old = before.map(Before::new);
        let nodes = wanted.nodes.or(old.map(|old| old.nodes)).unwrap_or(NODES);
        let node_port = wanted.node_port.or(old.map(|old| old.node_port)).unwrap_or(NODE_PORT);
        let spares = wanted.spares.or(old.map(|old| old.spares)).unwrap_or(0);
        ensure(spares <= SPARES_MAX.max(old.map_or(0, |old| old.spares)), || {
            format!("--spares {spares} does not work: write 0 to {SPARES_MAX}")
        })?;
        ensure(matches!(nodes, 1 | 3 | 5 | 7), || {
            format!(
                "--nodes {nodes} does not work: write 1, 3, 5 or 7; an even number costs a machine more and survives no failure more"
            )
        })?;
        ensure((1..=FRONTENDS_MAX).contains(&wanted.frontends), || {
            format!("--frontends {} does not work: write 1 to {FRONTENDS_MAX}", wanted.frontends)
        })?;
        if let Some(old) = old {
            old.agrees(nodes, spares, node_port)?;
        }
        let members = usize::from(nodes);
        let mut nodes =
            places(nodes + spares, LOOPBACK, node_port, "--node-port", |i| format!("n{i}"))?;
        nodes.iter_mut().skip(members).for_each(|spare| spare.spare = true);
        settle(&mut nodes, &wanted.namespaces)?;
        if let Some(before) = before {
            same_addresses(before, &nodes)?;
        }
        let plan = Self {
            nodes,
            members,
            frontends: places(wanted.frontends, wanted.host, wanted.port, "--port", frontend_name)?,
            lan: wanted.lan.clone(),
            limits: wanted.limits,
        };
        let (n, f) = (&plan.nodes, &plan.frontends);
        let port = |place: &Place| place.address.port();
        let apart = n.iter().all(|node| f.iter().all(|frontend| port(node) != port(frontend)));
        ensure(apart, || {
            "nodes and frontends would share a port; move one of --port and --node-port".into()
        })?;
        Ok(plan)
    }

    /// Plans one node more, a spare, behind the last; in a namespace if the others are. Its
    /// place among the nodes, from 0.
    pub(super) fn add_spare(&mut self, namespace: Option<Namespace>) -> Result<usize, Usage> {
        let place = self.nodes.len();
        ensure(place < NODES_MAX, || format!("a demo has at most {NODES_MAX} nodes"))?;
        let last = self.nodes.last().map_or(LOOPBACK_NODE, |last| last.address);
        let port = last.port().saturating_add(1);
        let taken = self.frontends.iter().any(|frontend| frontend.address.port() == port);
        ensure(port > last.port() && !taken, || {
            format!(
                "the port behind {} is no free one; begin with another --node-port",
                last.port()
            )
        })?;
        let ip = namespace.as_ref().map_or(last.ip(), |namespace| namespace.ip.into());
        self.nodes.push(Place {
            name: format!("n{}", place + 1),
            address: (ip, port).into(),
            namespace: namespace.map(|namespace| namespace.name),
            spare: true,
        });
        Ok(place)
    }

    /// The configuration of the `i`th node, from 0. Paths are relative to the file.
    pub(super) fn node_toml(&self, i: usize) -> String {
        let Place { name, address, spare, .. } = &self.nodes[i];
        let members = &self.nodes[..self.members];
        let id = if *spare { String::new() } else { format!("id = {}\n", i + 1) };
        let mut text = format!(
            "# Written by `hangraft demo`, and again at its next start here.\n\
             {id}name = \"{name}\"\n\
             address = \"{address}\"\n\
             data_dir = \"{name}\"\n\
             faults = true\n\
             \n\
             [cluster]\n\
             id = \"demo\"\n\
             key_file = \"cluster.key\"\n",
        );
        if *spare {
            let seeds: Vec<_> = members.iter().map(|node| node.address.to_string()).collect();
            return text + &format!("seeds = {seeds:?}\n");
        }
        text.push_str("members = [\n");
        for (Place { name, address, .. }, id) in members.iter().zip(1..) {
            _ = writeln!(text, "  {{ id = {id}, name = \"{name}\", address = \"{address}\" }},");
        }
        text + "]\n"
    }

    /// The configuration of the `i`th frontend, from 0.
    pub(super) fn frontend_toml(&self, i: usize) -> String {
        let nodes: Vec<_> = self.nodes.iter().map(|node| node.address.to_string()).collect();
        let frontends: Vec<_> = self.frontends.iter().map(Place::url).collect();
        let limits = if self.limits { "" } else { NO_LIMITS };
        format!(
            "# Written by `hangraft demo`, and again at its next start here.\n\
             address = \"{}\"\n\
             nodes = {nodes:?}\n\
             key_file = \"cluster.key\"\n\
             frontends = {frontends:?}\n\
             addresses = {:?}\n\
             {limits}",
            self.frontends[i].address,
            self.lan_urls_of(&self.frontends[i]),
        )
    }

    /// Where friends on the same network find the first frontend; none when it listens
    /// for this machine alone.
    pub(super) fn lan_urls(&self) -> Vec<String> {
        self.frontends.first().map_or_else(Vec::new, |first| self.lan_urls_of(first))
    }

    fn lan_urls_of(&self, frontend: &Place) -> Vec<String> {
        let port = frontend.address.port();
        self.lan.iter().map(|ip| format!("http://{}", SocketAddr::new(*ip, port))).collect()
    }
}

impl Place {
    /// The URL of a frontend, as seen from this machine.
    pub(super) fn url(&self) -> String {
        let host = if self.address.ip().is_unspecified() { LOOPBACK } else { self.address.ip() };
        format!("http://{}", SocketAddr::new(host, self.address.port()))
    }
}

/// The cluster that a folder holds. Its nodes know each other by these addresses,
/// so it must run on them again.
#[derive(Clone, Copy)]
struct Before {
    nodes: u16,
    spares: u16,
    node_port: u16,
}

impl Before {
    fn new(record: &Record) -> Self {
        let count = |spare| {
            let nodes = record.nodes.iter().filter(|node| node.spare == spare);
            u16::try_from(nodes.count()).unwrap_or(u16::MAX)
        };
        Self {
            nodes: count(false),
            spares: count(true),
            node_port: record.nodes.first().map_or(NODE_PORT, |node| node.address.port()),
        }
    }

    fn agrees(&self, nodes: u16, spares: u16, node_port: u16) -> Result<(), Usage> {
        let same = (self.nodes, self.spares, self.node_port) == (nodes, spares, node_port);
        ensure(same, || {
            let spares = if self.spares == 0 {
                String::new()
            } else {
                format!(" and {} spares", self.spares)
            };
            format!(
                "this folder holds a cluster of {}{spares} from port {}; leave --nodes, --spares and --node-port out to continue it, or choose another --dir",
                self.nodes, self.node_port
            )
        })
    }
}

fn places(
    count: u16,
    host: IpAddr,
    first_port: u16,
    option: &str,
    name: impl Fn(usize) -> String,
) -> Result<Vec<Place>, Usage> {
    let room_above = first_port.checked_add(count - 1).is_some();
    ensure(first_port != 0 && room_above, || {
        format!("{option} {first_port} leaves no room for {count} ports; write a smaller number")
    })?;
    let place = |i: u16| Place {
        name: name(usize::from(i) + 1),
        address: (host, first_port + i).into(),
        namespace: None,
        spare: false,
    };
    Ok((0..count).map(place).collect())
}

/// Moves nodes into namespaces, if there are any.
fn settle(nodes: &mut [Place], namespaces: &[Namespace]) -> Result<(), Usage> {
    ensure(namespaces.is_empty() || namespaces.len() >= nodes.len(), || {
        let (wanted, there) = (nodes.len(), namespaces.len());
        format!(
            "{wanted} nodes need as many namespaces, and there are {there}; make them with `scripts/faults/netns-up --nodes {wanted}`"
        )
    })?;
    for (node, Namespace { name, ip }) in nodes.iter_mut().zip(namespaces) {
        node.address.set_ip((*ip).into());
        node.namespace = Some(name.clone());
    }
    Ok(())
}

/// Sees that the nodes of a folder are where they were.
fn same_addresses(before: &Record, nodes: &[Place]) -> Result<(), Usage> {
    let moved = before.nodes.iter().zip(nodes).find(|(old, new)| old.address != new.address);
    match moved {
        None => Ok(()),
        Some((old, new)) => Err(Usage(format!(
            "this folder holds a cluster whose {} is at {}, and it would be at {}; run it where it was, or choose another --dir",
            old.name, old.address, new.address
        ))),
    }
}

#[cfg(test)]
mod tests {
    use hangraft_cluster_config::{FrontendConfig, FrontendLimits, NodeConfig};
    use hangraft_ids::NodeId;
    use tempfile::TempDir;

    use super::*;
    use crate::demo::record::NodeRecord;

    fn wanted() -> Wanted {
        Wanted {
            nodes: None,
            node_port: None,
            spares: None,
            frontends: 2,
            port: 8080,
            namespaces: vec![],
            host: LOOPBACK,
            lan: vec![],
            limits: true,
        }
    }

    fn before(nodes: u16, node_port: u16) -> Record {
        let nodes = (0..nodes).map(|i| NodeRecord {
            name: format!("n{}", i + 1),
            id: NodeId(u64::from(i) + 1),
            pid: 1,
            address: (Ipv4Addr::LOCALHOST, node_port + i).into(),
            dir: "/".into(),
            namespace: None,
            spare: false,
        });
        Record { nodes: nodes.collect(), frontends: vec![] }
    }

    /// A spare has no id before the cluster gives it one, and a second start has it again.
    #[test]
    fn spares_join_the_first_members() {
        let dir = TempDir::new().unwrap();
        let file = dir.path().join("x.toml");
        let plan = Plan::new(&Wanted { spares: Some(1), ..wanted() }, None).unwrap();
        std::fs::write(&file, plan.node_toml(3)).unwrap();
        let config = NodeConfig::load(&file).expect("a spare's file");
        assert_eq!(
            (config.id, config.cluster.members.len(), config.cluster.seeds.len()),
            (None, 0, 3)
        );
        std::fs::write(&file, plan.node_toml(0)).unwrap();
        let config = NodeConfig::load(&file).expect("a member's file");
        assert_eq!(config.cluster.members.len(), 3, "a spare is no first member");
        let mut record = before(4, 7101);
        record.nodes[3].spare = true;
        assert_eq!(Plan::new(&wanted(), Some(&record)).unwrap(), plan);
        let err = Plan::new(&Wanted { spares: Some(2), ..wanted() }, Some(&record)).unwrap_err();
        assert!(err.0.contains("a cluster of 3 and 1 spares"), "{err}");
    }

    /// A node that is added while a demo runs is there again at its next start.
    #[test]
    fn a_spare_may_come_later() {
        let mut plan = Plan::new(&wanted(), None).unwrap();
        let place = plan.add_spare(None).unwrap();
        assert_eq!((place, &*plan.nodes[3].name, plan.nodes[3].address.port()), (3, "n4", 7104));
        assert!(plan.node_toml(3).contains("seeds = "), "{}", plan.node_toml(3));
        let mut record = before(4, 7101);
        record.nodes[3].spare = true;
        assert_eq!(Plan::new(&wanted(), Some(&record)).unwrap(), plan);
        for _ in 5..=NODES_MAX {
            plan.add_spare(None).unwrap();
        }
        assert!(plan.add_spare(None).unwrap_err().0.contains("at most 16"));
        let mut record = before(9, 7101);
        record.nodes.iter_mut().skip(3).for_each(|node| node.spare = true);
        assert_eq!(Plan::new(&wanted(), Some(&record)).unwrap().nodes.len(), 9);
        let mut narrow = Plan::new(&Wanted { node_port: Some(8077), ..wanted() }, None).unwrap();
        assert!(narrow.add_spare(None).is_err(), "a frontend is there");
    }

    /// What a demo writes is what nodes and frontends read.
    #[test]
    fn the_files_of_a_demo_work() {
        let dir = TempDir::new().unwrap();
        let file = dir.path().join("x.toml");
        for limits in [true, false] {
            let plan = Plan::new(&Wanted { limits, ..wanted() }, None).unwrap();
            for i in 0..3 {
                std::fs::write(&file, plan.node_toml(i)).unwrap();
                let config = NodeConfig::load(&file).expect("a node's file");
                let name = &plan.nodes[i].name;
                assert_eq!(
                    (config.id, config.name.as_ref()),
                    (Some(NodeId(i as u64 + 1)), Some(name))
                );
                assert_eq!(config.data_dir, dir.path().join(name));
                assert_eq!(config.cluster.members.len(), 3);
            }
            for i in 0..2 {
                std::fs::write(&file, plan.frontend_toml(i)).unwrap();
                let config = FrontendConfig::load(&file).expect("a frontend's file");
                assert_eq!(config.address, plan.frontends[i].address);
                assert_eq!(config.frontends, ["http://127.0.0.1:8080", "http://127.0.0.1:8081"]);
                let usual = FrontendLimits::default();
                let expected = if limits { usual } else { FrontendLimits::no_pace() };
                assert_eq!(config.limits, expected);
            }
        }
    }

    /// A page that was opened on this machine learns where friends find it.
    #[test]
    fn friends_are_told_this_machines_addresses() {
        let dir = TempDir::new().unwrap();
        let file = dir.path().join("x.toml");
        let host = Ipv4Addr::UNSPECIFIED.into();
        let lan = vec!["192.168.1.7".parse().unwrap(), "fd00::7".parse().unwrap()];
        let plan = Plan::new(&Wanted { host, lan, ..wanted() }, None).unwrap();
        std::fs::write(&file, plan.frontend_toml(1)).unwrap();
        let config = FrontendConfig::load(&file).expect("a frontend's file");
        assert_eq!(config.addresses, ["http://192.168.1.7:8081", "http://[fd00::7]:8081"]);
        assert_eq!(plan.lan_urls()[0], "http://192.168.1.7:8080");
        assert!(Plan::new(&wanted(), None).unwrap().lan_urls().is_empty());
    }

    fn namespaces(count: u8) -> Vec<Namespace> {
        let one = |i| Namespace { name: format!("x-n{i}"), ip: Ipv4Addr::new(10, 77, 0, i) };
        (1..=count).map(one).collect()
    }

    /// Nodes find each other, and frontends them, at the namespaces' addresses. The folder
    /// is not continued anywhere else.
    #[test]
    fn nodes_live_in_namespaces() {
        let apart = Wanted { namespaces: namespaces(4), ..wanted() };
        let plan = Plan::new(&apart, None).unwrap();
        let places = plan.nodes.iter().map(|node| (node.address, node.namespace.as_deref()));
        let expected = |i: u8| ((Ipv4Addr::new(10, 77, 0, i), 7100 + u16::from(i)).into(), i);
        let names = ["x-n1", "x-n2", "x-n3"];
        let expected = (1..=3).map(expected).map(|(at, i)| (at, Some(names[usize::from(i) - 1])));
        assert_eq!(places.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
        assert!(plan.node_toml(0).contains("address = \"10.77.0.2:7102\""));
        assert!(plan.frontend_toml(0).contains("nodes = [\"10.77.0.1:7101\""));
        assert_eq!(plan.frontends[0].namespace, None);
        let few = Wanted { namespaces: namespaces(2), ..wanted() };
        let err = Plan::new(&few, None).unwrap_err();
        assert!(err.0.contains("there are 2; make them with `scripts/faults/netns-up"), "{err}");
        let err = Plan::new(&apart, Some(&before(3, 7101))).unwrap_err();
        assert!(err.0.contains("n1 is at 127.0.0.1:7101, and it would be at 10.77"), "{err}");
    }

    #[test]
    fn a_wrong_wish_is_explained() {
        for (wrong, advice) in [
            (Wanted { nodes: Some(2), ..wanted() }, "write 1, 3, 5 or 7"),
            (Wanted { nodes: Some(0), ..wanted() }, "write 1, 3, 5 or 7"),
            (Wanted { frontends: 0, ..wanted() }, "write 1 to 8"),
            (Wanted { port: 65535, ..wanted() }, "--port 65535 leaves no room for 2 ports"),
            (Wanted { port: 0, ..wanted() }, "--port 0"),
            (Wanted { port: 7100, ..wanted() }, "share a port"),
        ] {
            let err = Plan::new(&wrong, None).expect_err(advice);
            assert!(err.0.contains(advice), "{err}");
        }
    }

    /// The nodes of a folder know each other by address, so they get the same ones again.
    #[test]
    fn a_folder_continues_as_it_was() {
        let before = before(5, 7201);
        let plan = Plan::new(&wanted(), Some(&before)).unwrap();
        assert_eq!(plan.nodes.len(), 5);
        assert_eq!(plan.nodes[0].address.port(), 7201);
        for wrong in
            [Wanted { nodes: Some(3), ..wanted() }, Wanted { node_port: Some(7101), ..wanted() }]
        {
            let err = Plan::new(&wrong, Some(&before)).unwrap_err();
            assert!(err.0.contains("holds a cluster of 5 from port 7201"), "{err}");
        }
    }
}
