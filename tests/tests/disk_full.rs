//! A node whose disk is full stops with a message, and the others play on.
//!
//! The disk is a small file system of our own, which takes the right to mount one.
//! (A disk that takes everything and then fails to keep it is a test of the node.)

use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::Duration,
};

use hangraft_tests::{
    demo::{Demo, Home, Wanted},
    player::Player,
    skip::skip,
    wait::eventually,
};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use serde_json::json;
use tempfile::TempDir;

/// The size of the small disk.
const DISK: &str = "size=64m";

/// How long a node may take to notice while it is written to.
const NOTICED: Duration = Duration::from_secs(30);

/// A file system in memory, ours until dropped.
struct SmallDisk(TempDir);

impl SmallDisk {
    fn mount() -> nix::Result<Self> {
        let at = TempDir::with_prefix("hangraft-disk-").expect("a folder to mount at");
        mount(Some("tmpfs"), at.path(), Some("tmpfs"), MsFlags::empty(), Some(DISK))?;
        Ok(Self(at))
    }

    /// Makes it the place of a node's data.
    fn hold(&self, data: &Path) {
        symlink(self.0.path(), data).expect("a name for the disk");
    }

    /// Fills it to the last byte.
    fn fill(&self) {
        let mut filler = File::create(self.filler()).expect("the disk takes one more file");
        let block = vec![0x55; 64 << 10];
        for size in [block.len(), 4096, 1] {
            fill_with(&mut filler, &block[..size]);
        }
    }

    fn empty(&self) {
        fs::remove_file(self.filler()).expect("the filler was there");
    }

    fn filler(&self) -> PathBuf {
        self.0.path().join("filler")
    }
}

fn fill_with(file: &mut File, block: &[u8]) {
    loop {
        match file.write_all(block) {
            Ok(()) => {}
            Err(err) if err.kind() == io::ErrorKind::StorageFull => return,
            Err(err) => panic!("cannot fill the disk: {err}"),
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // A node that is just being killed may still hold a file.
        _ = umount2(self.0.path(), MntFlags::MNT_DETACH);
    }
}

#[tokio::test]
async fn a_node_with_a_full_disk_stops_and_the_others_play_on() {
    let home = Home::new();
    let disk = match SmallDisk::mount() {
        Ok(disk) => disk,
        Err(err) => return skip("a full disk", &format!("mounting a file system: {err}")),
    };
    disk.hold(&home.dir().join("n3"));
    let demo = Demo::start_in(home, &Wanted { limits: false, ..Wanted::default() }).await;
    let frontends = demo.frontends();
    let mut ann = Player::arrive("Ann", &frontends, 0).await;
    let mut bo = Player::arrive("Bo", &frontends, 1).await;
    let room = ann.open(json!({})).await;
    bo.sit(&room).await;

    disk.fill();
    let pid = demo.record().nodes[2].pid;
    let long = "x".repeat(400);
    eventually("the node with the full disk stops", NOTICED, async || {
        for player in [&mut ann, &mut bo] {
            player.say(&long).await.expect("the others play on");
        }
        demo.printed().contains(&format!("n3 (process {pid}) has ended")).then_some(())
    })
    .await;
    let printed = demo.printed();
    assert!(printed.contains("exit status: 1"), "it stops by itself, and not well: {printed}");
    let (_, log) =
        demo.home().logs().into_iter().find(|(file, _)| file.ends_with("n3.log")).unwrap();
    let told =
        log.lines().any(|line| line.contains("No space left") || line.contains("os error 28"));
    assert!(told, "its log says why:\n{log}");

    // Both still see each other's moves.
    ann.guess('q').await.expect("the game goes on");
    bo.see("Ann's letter", |view| view["tried"].as_array().is_some_and(|t| !t.is_empty())).await;

    // With space on its disk it comes back and catches up.
    disk.empty();
    demo.restart("n3").await;
    let hashes = demo.hashes_at_rest().await;
    assert_eq!(hashes.len(), 3);
    assert!(hashes.iter().all(|hash| *hash == hashes[0]), "{hashes:?}");
    for player in [&ann, &bo] {
        assert_eq!(player.book().complaints, [""; 0]);
    }
}
