//! A node's disk is lost, and another node comes: `hangraft wipe` and `hangraft spare`.

use hangraft_tests::demo::{Demo, Wanted, run_in_vain, run_well};
use nix::sys::signal::Signal;
use std::fs;

/// What a node with a lost disk promised nobody knows, so its id is spent; a spare that the
/// running demo starts takes its place, and is there again at the demo's next start.
#[tokio::test]
async fn a_spare_takes_the_place_of_a_wiped_node() {
    let demo = Demo::start(&Wanted { stable_ms: Some(500), ..Wanted::default() }).await;
    let dir = demo.home().dir().to_str().expect("a plain name").to_owned();
    run_well(&["cluster", "set", "--replace-after", "2s", "--dir", &dir]).await;

    let said = run_well(&["spare", "--dir", &dir]).await;
    assert!(said.starts_with("n4 has joined"), "{said}");
    let spare = demo.record().nodes[3].clone();
    assert_eq!((&*spare.name, spare.id), ("n4", 4));
    let joined = |status: &hangraft_tests::cluster::Status| status.member("n4").is_some();
    demo.cluster().until("n4 is a spare", joined).await;

    let said = run_well(&["wipe", "n3", "--dir", &dir]).await;
    assert!(said.contains("its disk is empty"), "{said}");
    let disk = demo.home().dir().join("n3");
    assert_eq!(fs::read_dir(&disk).expect("it is there").count(), 0);
    let status = demo
        .cluster()
        .until("n4 votes for n3", |status| status.voters() == ["n1", "n2", "n4"])
        .await;
    assert_eq!(status.voters_wanted, 3);

    let (_, said) = run_in_vain(&["wipe", "f1", "--dir", &dir]).await;
    assert!(said.contains("which has no disk"), "{said}");
    let (code, said) = run_in_vain(&["wipe", "n9", "--dir", &dir]).await;
    assert!(code == Some(1) && said.contains("this demo has no n9"), "{said}");

    let home = demo.stop(Signal::SIGTERM).await;
    let again = Demo::start_in(home, &Wanted::default()).await;
    assert_eq!(again.record().nodes[3].address, spare.address);
    let all = |status: &hangraft_tests::cluster::Status| status.voters() == ["n1", "n2", "n4"];
    again.cluster().until("they are there again", all).await;
}
