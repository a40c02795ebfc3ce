//! Compiles the .proto files without a system protoc.

use prost::Message;
use std::path::PathBuf;

const FILES: [&str; 3] =
    ["hangraft/v1/game.proto", "hangraft/v1/cluster.proto", "hangraft/v1/raft.proto"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto");
    let set = protox::compile(FILES, ["proto"])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("descriptor.bin"), set.encode_to_vec())?;
    tonic_prost_build::configure().bytes(".").compile_fds(set)?;
    Ok(())
}
