//! Compiles the .proto files without a system protoc.

use prost::Message;
use std::path::PathBuf;

const FILES: [&str; 3] =
    ["hangraft/v1/game.proto", "hangraft/v1/cluster.proto", "hangraft/v1/raft.proto"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto");
    let set = protox::compile(FILES, ["proto"])?;
    // Reflection tells comments. Where in a file anything else stands, nobody asks; every node
    // would read it each time it starts.
    let mut told = set.clone();
    for info in told.file.iter_mut().filter_map(|file| file.source_code_info.as_mut()) {
        info.location.retain(|at| {
            at.leading_comments.is_some()
                || at.trailing_comments.is_some()
                || !at.leading_detached_comments.is_empty()
        });
    }
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("descriptor.bin"), told.encode_to_vec())?;
    tonic_prost_build::configure().bytes(".").compile_fds(set)?;
    Ok(())
}
