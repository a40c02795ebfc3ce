//! Machines get other addresses, one or all at once, and data folders are copied: what an
//! operator does then, and what must not happen.

use std::{fs, path::Path, time::Duration};

use hangraft_tests::{
    cluster::{Cluster, Status},
    demo::{Home, run_in_vain, run_well},
    process::{Process, STABLE_SOON},
};
use tokio::time::timeout;

/// A node that was killed is believed again within this, on a busy machine too.
const RESTART_MAX: Duration = Duration::from_secs(20);

/// First members with these addresses, in order.
fn members(home: &Home, addresses: &[String]) -> String {
    let key = home.key();
    fs::write(&key, format!("{:A<43}=", "")).expect("a temporary folder");
    let member = |(number, address): (usize, &String)| {
        let id = number + 1;
        format!("[[cluster.members]]\nid = {id}\nname = \"n{id}\"\naddress = \"{address}\"\n")
    };
    let members: String = addresses.iter().enumerate().map(member).collect();
    format!("{STABLE_SOON}[cluster]\nid = \"games\"\nkey_file = {key:?}\n{members}")
}

/// Three nodes at new addresses, each with a folder of its own, that run.
async fn three(home: &Home) -> (Vec<Process>, Cluster) {
    let addresses: Vec<String> = (0..3).map(|_| home.new_address()).collect();
    let shared = members(home, &addresses);
    let mut nodes = Vec::new();
    for (number, address) in addresses.iter().enumerate() {
        let toml = format!("id = {}\n{shared}", number + 1);
        let mut node = Process::node(&format!("n{}", number + 1), address, &toml);
        node.start();
        nodes.push(node);
    }
    let cluster = Cluster::of(addresses);
    cluster.until_voters(3).await;
    cluster.agree(3).await;
    (nodes, cluster)
}

/// All members are alive at these addresses.
fn are_at(status: &Status, addresses: &[String]) -> bool {
    status.members.len() == addresses.len()
        && status.members.iter().zip(addresses).all(|(m, address)| m.alive && m.address == *address)
}

/// The network is renumbered: no address that anybody knows is right any more. Each node is
/// started with its new address once, and from then on as ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renumbered_network_goes_on() {
    let home = Home::new();
    let (mut nodes, _) = three(&home).await;
    for node in &mut nodes {
        node.kill().await;
    }
    let addresses: Vec<String> = (0..3).map(|_| home.new_address()).collect();
    let shared = members(&home, &addresses);
    for (number, (node, address)) in nodes.iter_mut().zip(&addresses).enumerate() {
        node.move_to(address, &format!("id = {}\n{shared}", number + 1));
    }
    // Without a word it is refused, and told what to say.
    nodes[0].start();
    assert_eq!(nodes[0].exit_code().await, Some(2));
    let log = nodes[0].log();
    assert!(log.contains(&format!("start it with --new-address {}", addresses[0])), "{log}");
    for (node, address) in nodes.iter_mut().zip(&addresses) {
        node.add_args(&["--new-address", address]);
        node.start();
    }
    let cluster = Cluster::of(addresses.clone());
    cluster.until("all are at their new addresses", |now| are_at(now, &addresses)).await;
    cluster.agree(3).await;
    cluster.until_event(&addresses[0], "and no more at").await;

    for node in &mut nodes {
        node.kill().await;
        node.add_args(&[]);
    }
    nodes.iter_mut().for_each(Process::start);
    cluster.until("all are there again", |now| are_at(now, &addresses)).await;
    cluster.agree(3).await;
}

/// The only disk that is left is recovered on a machine with another address.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_survivor_is_recovered_at_another_address() {
    let home = Home::new();
    let (mut nodes, _) = three(&home).await;
    for node in &mut nodes {
        node.kill().await;
    }
    let (address, key) = (home.new_address(), home.key());
    let dir = nodes[1].dir().to_owned();
    let recover = ["node", "recover", "--dir", text(&dir), "--cluster", "games-2"];
    let said = run_well(&[&recover[..], &["--accept-loss", "--address", &address]].concat()).await;
    assert!(said.contains(&format!("start it at {address}")), "{said}");
    let toml = format!("{STABLE_SOON}[cluster]\nid = \"games-2\"\nkey_file = {key:?}\n");
    nodes[1].move_to(&address, &toml);
    nodes[1].start();
    let cluster = Cluster::of([address]);
    assert_eq!(cluster.until_voters(1).await.cluster, "games-2");
}

/// A machine was copied, and the copy runs beside it, with everything that the first one has.
/// The copy ends with 2 and says why; the cluster never notices, but for saying so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copied_machine_is_refused() {
    let home = Home::new();
    let (mut nodes, cluster) = three(&home).await;
    let leader = cluster.leader().await;
    let number = nodes.iter().position(|node| node.address() != leader.address).expect("two");
    nodes[number].kill().await;
    let (reached, key) = (nodes[number].address().to_owned(), home.key());
    let toml = format!("advertise = {reached:?}\n{STABLE_SOON}[cluster]\nkey_file = {key:?}\n");
    let mut copy = Process::node("a copy", &home.new_address(), &toml);
    copy_folder(&nodes[number].dir().join("data"), &copy.dir().join("data"));
    nodes[number].start();
    // Killed and started at once, it is believed at once.
    let back = timeout(RESTART_MAX, cluster.agree(3)).await;
    back.expect("it is not locked out");

    copy.start();
    assert_eq!(copy.exit_code().await, Some(2));
    let log = copy.log();
    for part in [format!("lives at {reached}"), "is a copy".into(), "--new-address".into()] {
        assert!(log.contains(&part), "{log}");
    }
    let status = cluster.status().await.expect("somebody answers");
    assert_eq!((status.leader, status.members.len()), (Some(number_of(&leader.name)), 3));
    assert!(status.members.iter().all(|member| member.alive), "{status:?}");
    cluster.until_event(&leader.address, "was started twice").await;

    // Told that it has moved, it is no more welcome while the first one lives.
    copy.add_args(&["--new-address", copy.address().to_owned().as_str()]);
    let address = copy.address().to_owned();
    copy.move_to(&address, &format!("{STABLE_SOON}[cluster]\nkey_file = {key:?}\n"));
    copy.start();
    assert_eq!(copy.exit_code().await, Some(2));
    cluster.agree(3).await;
}

/// What makes no sense is refused in one line.
#[tokio::test]
async fn an_empty_folder_has_not_moved() {
    let home = Home::new();
    let dir = home.dir().join("nothing");
    let address = home.new_address();
    let said = run_in_vain(&["node", "--dir", text(&dir), "--new-address", &address]).await;
    assert!(said.0 == Some(2), "{said:?}");
    let said = run_in_vain(&["node", "--new-address", &address]).await;
    assert!(said.0 == Some(2) && said.1.contains("--dir"), "{said:?}");
}

fn number_of(name: &str) -> u64 {
    name.trim_start_matches('n').parse().expect("n1, n2 or n3")
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a temporary folder");
    for entry in fs::read_dir(from).expect("a node's folder") {
        let entry = entry.expect("a file");
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("there is room");
        }
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a temporary folder has a plain name")
}
