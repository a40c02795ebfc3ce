//! The network namespaces of a demo's nodes, as `scripts/faults/netns-up` makes them:
//! `PREFIX-n1`, `PREFIX-n2` and so on, each with one address of a network of their own, whose
//! last number is the node's. Linux only, and only root may look into them.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    path::Path,
    process::Command,
};

use anyhow::{Context, bail};

use crate::{demo::record::Record, usage::Usage};

/// How namespaces begin when nobody says.
pub(super) const PREFIX: &str = "hangraft";

/// Where Linux shows those that have a name.
const NAMED: &str = "/run/netns";

/// What the only card of a namespace is called.
const CARD: &str = "eth0";

/// A namespace that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Namespace {
    pub(super) name: String,
    /// Where a node in it is reached.
    pub(super) ip: Ipv4Addr,
}

/// The namespaces that begin alike, in the order of their nodes; at least one.
///
/// # Errors
/// When there is none, or one cannot be looked into.
pub(super) fn find(prefix: &str) -> anyhow::Result<Vec<Namespace>> {
    let names = (1..).map(|number| name(prefix, number));
    let there = names.take_while(|name| Path::new(NAMED).join(name).exists());
    let found: Vec<Namespace> = there.map(look).collect::<anyhow::Result<_>>()?;
    if found.is_empty() {
        return Err(Usage(format!(
            "there is no network namespace {}; make them with `scripts/faults/netns-up {prefix}`, as root",
            name(prefix, 1)
        ))
        .into());
    }
    Ok(found)
}

fn name(prefix: &str, number: u32) -> String {
    format!("{prefix}-n{number}")
}

fn look(name: String) -> anyhow::Result<Namespace> {
    let mut command = Command::new("ip");
    command.args(["-n", &name, "-4", "-o", "addr", "show", "dev", CARD]);
    let output = command.output().context("cannot run `ip`; install iproute2")?;
    let [said, refused] =
        [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    match address(&said) {
        Some(ip) => Ok(Namespace { name, ip }),
        None => bail!("the namespace {name} shows no address; are you root? {}", refused.trim()),
    }
}

/// The address in what `ip -o addr` says.
fn address(said: &str) -> Option<Ipv4Addr> {
    let mut words = said.split_whitespace().skip_while(|word| *word != "inet");
    let (ip, _) = words.nth(1)?.split_once('/')?;
    ip.parse().ok()
}

/// Where the nodes of a demo are, in whose record each has a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Namespaces {
    prefix: String,
    /// By the address of the node in it.
    known: BTreeMap<Ipv4Addr, String>,
}

impl Namespaces {
    /// Those of a demo; nothing when it runs without.
    pub(crate) fn of(record: &Record) -> Option<Self> {
        let known = record.nodes.iter().filter_map(|node| match node.address.ip() {
            IpAddr::V4(ip) => Some((ip, node.namespace.clone()?)),
            IpAddr::V6(_) => None,
        });
        let known: BTreeMap<_, _> = known.collect();
        let (prefix, _) = known.values().next()?.rsplit_once("-n")?;
        Some(Self { prefix: prefix.into(), known })
    }

    /// How they begin.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The namespace of the node at an address; nothing when it is in none of these. A node
    /// that has joined later is in a spare one, whose number is the last one of its address.
    pub(crate) fn at(&self, ip: IpAddr) -> Option<String> {
        let IpAddr::V4(ip) = ip else { return None };
        let [.., number] = ip.octets();
        let spare = || self.spare(number.into()).filter(|(_, spare)| *spare == ip);
        self.known.get(&ip).cloned().or_else(|| Some(spare()?.0))
    }

    /// The namespace of this number, which need not be there, and the address in it.
    pub(super) fn spare(&self, number: usize) -> Option<(String, Ipv4Addr)> {
        let [a, b, c, _] = self.known.keys().next()?.octets();
        let number = u8::try_from(number).ok()?;
        Some((name(&self.prefix, number.into()), Ipv4Addr::new(a, b, c, number)))
    }
}

#[cfg(test)]
mod tests {
    use hangraft_ids::NodeId;

    use super::*;
    use crate::demo::record::NodeRecord;

    fn node(number: u8, namespace: Option<&str>) -> NodeRecord {
        NodeRecord {
            name: format!("n{number}"),
            id: NodeId(number.into()),
            pid: 1,
            address: ([10, 77, 0, number], 7100).into(),
            dir: "/".into(),
            namespace: namespace.map(str::to_owned),
            spare: false,
        }
    }

    #[test]
    fn an_address_is_found_in_what_ip_says() {
        let said = "2: eth0    inet 10.77.0.3/24 brd 10.77.0.255 scope global eth0\\   valid";
        assert_eq!(address(said), Some(Ipv4Addr::new(10, 77, 0, 3)));
        assert_eq!(address(""), None);
    }

    #[test]
    fn without_namespaces_it_says_who_makes_them() {
        let err = find("nobody").unwrap_err();
        assert!(err.is::<Usage>() && err.to_string().contains("netns-up nobody"), "{err}");
    }

    /// An address leads to a namespace, also that of a node that has joined later.
    #[test]
    fn a_node_is_found_by_its_address() {
        let nodes = vec![node(1, Some("x-n1")), node(2, Some("x-n2"))];
        let namespaces = Namespaces::of(&Record { nodes, frontends: vec![] }).unwrap();
        assert_eq!(namespaces.prefix(), "x");
        for (ip, found) in [
            ([10, 77, 0, 2], Some("x-n2")),
            ([10, 77, 0, 4], Some("x-n4")),
            ([10, 78, 0, 4], None),
            ([127, 0, 0, 1], None),
        ] {
            assert_eq!(namespaces.at(ip.into()).as_deref(), found);
        }
        let ordinary = Record { nodes: vec![node(1, None)], frontends: vec![] };
        assert_eq!(Namespaces::of(&ordinary), None);
    }
}
