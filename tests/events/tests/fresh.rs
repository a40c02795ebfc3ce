//! What lies in `docs` is what the map says now.

use std::{fs, path::Path};

use hangraft_proto::map::MAP;

/// A picture of yesterday would show what is not true any more.
#[test]
fn the_picture_and_the_page_are_of_today() {
    for (name, now) in
        [("events.svg", hangraft_events::picture(MAP)), ("events.md", hangraft_events::page(MAP))]
    {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
        let there = fs::read_to_string(&path).unwrap_or_default();
        assert!(there == now, "docs/{name} is stale: run scripts/event-graph");
    }
}

/// All that is said is drawn, as often as it is declared, and nothing beside the picture.
#[test]
fn every_message_is_drawn_inside() {
    let picture = hangraft_events::picture(MAP);
    for message in MAP.iter().flat_map(|chapter| chapter.messages) {
        let drawn = picture.matches(&format!(">{}</text></g>", message.name)).count();
        let messages = MAP.iter().flat_map(|chapter| chapter.messages);
        let same = messages.filter(|other| other.name == message.name);
        let declared: usize = same.map(|other| other.ways.len()).sum();
        assert_eq!(drawn, declared, "{}", message.name);
    }
    let (first, rest) = picture.split_once('\n').expect("it has lines");
    let number = |attribute: &str, from: &str| {
        let (_, rest) = from.split_once(&format!(" {attribute}=\"")).unwrap_or_else(|| {
            panic!("{from}: there is no {attribute}");
        });
        rest.split('"').next().and_then(|number| number.parse::<usize>().ok()).expect("a number")
    };
    for (_, rect) in rest.lines().filter_map(|line| line.split_once("<rect")) {
        for (from, length) in [("x", "width"), ("y", "height")] {
            let end = number(from, rect) + number(length, rect);
            assert!(end <= number(length, first), "{rect} is beside the picture");
        }
    }
}
