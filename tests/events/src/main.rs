//! Writes `docs/events.svg` and `docs/events.md` anew, from the map of messages.

use std::{fs, io, path::Path};

use hangraft_proto::map::MAP;

fn main() -> io::Result<()> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    for (name, text) in
        [("events.svg", hangraft_events::picture(MAP)), ("events.md", hangraft_events::page(MAP))]
    {
        let path = docs.join(name);
        let before = fs::read_to_string(&path).unwrap_or_default();
        let what = if before == text { "is as it was" } else { "is new" };
        fs::write(&path, text)?;
        println!("docs/{name} {what}");
    }
    Ok(())
}
