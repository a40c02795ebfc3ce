//! The map has every message that there is, and no other. What there is, is asked of those
//! who know: the socket's list of actions, the descriptors of the `.proto` files, and the
//! sources where a closed list is an enum.

use std::{collections::BTreeSet, fs, path::Path};

use hangraft_proto::{FILE_DESCRIPTOR_SET, map, map::MAP, map::Wire, socket};
use prost::Message;
use prost_types::{DescriptorProto, FileDescriptorProto, FileDescriptorSet};

/// Whatever a client may ask for is in the map.
#[test]
fn actions_are_those_of_the_socket() {
    compare(Wire::Action, socket::Action::ALL.iter().map(ToString::to_string));
}

/// Whatever a client is told though it has not asked, too. One that is not known is none.
#[test]
fn pushes_are_those_of_the_socket() {
    let pushes = variants("proto/src/socket/push.rs", "Push").into_iter();
    compare(Wire::Push, pushes.filter(|push| push != "Unknown").map(|push| push.to_lowercase()));
}

/// Each kind of notice has its line. One that is not known is none, either.
#[test]
fn notices_are_of_the_kinds_that_there_are() {
    let kinds = socket::NoticeKind::ALL.iter().filter(|kind| **kind != socket::NoticeKind::Other);
    compare(Wire::Notice, kinds.map(ToString::to_string));
}

/// What travels on the stream between frontends and nodes is in its messages' fields.
#[test]
fn parts_of_the_stream_are_those_of_its_messages() {
    for (wire, message) in [(Wire::Uplink, "Uplink"), (Wire::Downlink, "Downlink")] {
        compare(wire, message_named(message).field.iter().map(|field| field.name().to_owned()));
    }
    let command = message_named("Command");
    let actions = command.field.iter().filter(|field| field.oneof_index.is_some());
    assert_eq!(command.oneof_decl.len(), 1, "a command has an action and no other choice");
    compare(Wire::Command, actions.map(|field| field.name().to_owned()));
}

/// Every call of every service is in the map, and no service is forgotten.
#[test]
fn calls_are_those_of_the_services() {
    let mut known = vec![(Wire::Game, "Game"), (Wire::Cluster, "Cluster"), (Wire::Raft, "Raft")];
    for service in files().into_iter().flat_map(|file| file.service) {
        let at = known.iter().position(|(_, name)| *name == service.name());
        let (wire, _) = known.remove(at.unwrap_or_else(|| panic!("{} is new", service.name())));
        compare(wire, service.method.iter().map(|method| method.name().to_owned()));
    }
    assert!(known.is_empty(), "{known:?} are gone");
}

/// What members ask of their leader is an enum of the node's. (What gossip sends is compared
/// where foca may be named: in the node's folder for it.)
#[test]
fn what_is_asked_of_a_leader_is_all_that_can_be() {
    compare(Wire::Ask, variants("node/src/peers/asks.rs", "Ask").into_iter());
}

/// A short sentence each; no message twice in a chapter, and none passed on unheard.
#[test]
fn every_message_says_what_it_means() {
    for chapter in MAP {
        let mut seen = BTreeSet::new();
        for map::Message { name, ways, means } in chapter.messages {
            let sentence = means.ends_with(['.', '?', ')']) && means.len() <= 70;
            assert!(sentence, "{name}: {means:?} is no short sentence");
            assert!(!means.contains(['|', '"']), "{name}: {means:?} would break a table");
            for way in *ways {
                let said = (*name, way.wire.as_str(), way.from.as_str());
                assert!(seen.insert(said), "{}: {said:?} is there twice", chapter.title);
            }
            let heard = ways.windows(2).all(|hops| hops[0].to == hops[1].from);
            assert!(heard, "{name} is passed on by somebody who has not heard it");
        }
    }
}

/// A message that is not in the map is found, and so is one that does not exist.
#[test]
fn a_message_that_is_missing_is_named() {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(difference(&names(&["sit", "play"]), &names(&["play", "sit"])), None);
    let said = difference(&names(&["sit"]), &names(&["sit", "dance"])).unwrap();
    assert!(said.contains("not in the map: dance"), "{said}");
    let said = difference(&names(&["sit", "dance"]), &names(&["sit"])).unwrap();
    assert!(said.contains("do not exist: dance"), "{said}");
}

#[track_caller]
fn compare(wire: Wire, there_are: impl Iterator<Item = String>) {
    let said = |message: &&map::Message| message.is_on(wire);
    let messages = MAP.iter().flat_map(|chapter| chapter.messages).filter(said);
    let declared = messages.map(|message| message.name.to_owned()).collect();
    if let Some(difference) = difference(&declared, &there_are.collect()) {
        panic!("{}: {difference}; see proto/src/map.rs", wire.as_str());
    }
}

fn difference(declared: &BTreeSet<String>, there_are: &BTreeSet<String>) -> Option<String> {
    let without = |some: &BTreeSet<String>, others: &BTreeSet<String>| {
        let rest: Vec<&str> = some.difference(others).map(String::as_str).collect();
        rest.join(", ")
    };
    (declared != there_are).then(|| {
        let (missing, gone) = (without(there_are, declared), without(declared, there_are));
        format!("not in the map: {missing}; in the map, but do not exist: {gone}")
    })
}

fn files() -> Vec<FileDescriptorProto> {
    let set = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).expect("what the build has written");
    set.file.into_iter().filter(|file| file.package() == "hangraft.v1").collect()
}

fn message_named(name: &str) -> DescriptorProto {
    let mut messages = files().into_iter().flat_map(|file| file.message_type);
    messages.find(|message| message.name() == name).unwrap_or_else(|| panic!("{name} is gone"))
}

/// The names of an enum's variants, in a source from the root.
fn variants(path: &str, name: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    let text = fs::read_to_string(&path).unwrap_or_else(|err| panic!("{}: {err}", path.display()));
    let file = syn::parse_file(&text).expect("it has been compiled");
    let found = file.items.iter().find_map(|item| match item {
        syn::Item::Enum(item) if item.ident == name => Some(item),
        _ => None,
    });
    let item = found.unwrap_or_else(|| panic!("{}: there is no enum {name}", path.display()));
    item.variants.iter().map(|variant| variant.ident.to_string()).collect()
}
