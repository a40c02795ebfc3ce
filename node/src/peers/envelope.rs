//! The envelope around everything replicas tell each other.
//!
//! It is opened before anything inside is decoded: a message of another cluster,
//! another format, for another node, or not made with the cluster key is refused
//! here, and openraft never sees it.

use crate::format::{FORMAT, decode, encode};
use bytes::Bytes;
use hangraft_cluster_config::ClusterKey;
use hangraft_ids::{Instance, NodeId, StorageId};
use hangraft_proto::pass::Pass;
use hangraft_proto::v1::Envelope;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tonic::Status;

/// The only Raft group so far.
const GROUP: u32 = 0;

/// Who is spoken to: a node, and the disk that its id belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Party {
    pub(crate) node: NodeId,
    /// 0 where it is not known yet.
    pub(crate) disk: StorageId,
}

/// Who speaks: one process of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Speaker {
    pub(crate) party: Party,
    /// The number that the process drew when it started; 0 for one that does not say.
    pub(crate) instance: Instance,
}

impl Party {
    /// A node whose disk is not known yet, or does not matter.
    pub(crate) fn unmet(node: NodeId) -> Self {
        Party { node, disk: StorageId::NONE }
    }
}

/// What seals and opens envelopes for one node.
#[derive(Clone)]
pub(crate) struct Seal {
    cluster: String,
    key: [u8; 32],
    me: Speaker,
    pass: Pass,
    /// How many envelopes this process has made; clones share it.
    made: Arc<AtomicU64>,
}

impl Seal {
    pub(crate) fn new(cluster: &str, key: &ClusterKey, me: Speaker) -> Self {
        let pass = Pass::new(&key.peer_token());
        Seal { cluster: cluster.to_owned(), key: key.wire_key(), me, pass, made: Arc::default() }
    }

    /// Seals and opens what is said with a node that may not know the cluster's id, and
    /// has none of its own: whoever knows the key.
    pub(crate) fn for_strangers(&self) -> Self {
        let me = Speaker { party: Party::unmet(NodeId::NONE), instance: Instance::NONE };
        Seal { cluster: String::new(), me, ..self.clone() }
    }

    /// What is shown beside it, before anything is opened.
    pub(crate) fn pass(&self) -> Pass {
        self.pass.clone()
    }

    /// The cluster this is for.
    pub(crate) fn cluster(&self) -> &str {
        &self.cluster
    }

    /// Whether an envelope names another cluster than this one.
    pub(crate) fn is_foreign(&self, envelope: &Envelope) -> bool {
        envelope.cluster != self.cluster
    }

    pub(crate) fn seal<T: Serialize>(&self, to: Party, message: &T) -> Envelope {
        let mut envelope = Envelope {
            cluster: self.cluster.clone(),
            group: GROUP,
            from: self.me.party.node.0,
            to: to.node.0,
            format: FORMAT.into(),
            payload: encode(message),
            mac: Bytes::new(),
            from_disk: self.me.party.disk.0,
            to_disk: to.disk.0,
            from_instance: self.me.instance.0,
            instance_mac: Bytes::new(),
            // Always, so that a node does the same whether it is observed or not.
            number: self.made.fetch_add(1, Ordering::Relaxed) + 1,
        };
        envelope.mac = Bytes::copy_from_slice(self.mac(&envelope).as_bytes());
        if self.me.instance != Instance::NONE {
            let mac = self.instance_mac(&envelope);
            envelope.instance_mac = Bytes::copy_from_slice(mac.as_bytes());
        }
        envelope
    }

    /// The sender and what it said.
    pub(crate) fn open<T: DeserializeOwned>(
        &self,
        envelope: &Envelope,
    ) -> Result<(Speaker, T), Status> {
        if envelope.cluster != self.cluster {
            let why = format!("this node belongs to cluster {:?}", self.cluster);
            return Err(Status::failed_precondition(why));
        }
        if envelope.format != u32::from(FORMAT) {
            let why = format!("format {} is not known here, {FORMAT} is", envelope.format);
            return Err(Status::failed_precondition(why));
        }
        if envelope.to != self.me.party.node.0 || envelope.group != GROUP {
            let why = format!("this is node {} of group {GROUP}", self.me.party.node);
            return Err(Status::failed_precondition(why));
        }
        if envelope.to_disk != 0 && envelope.to_disk != self.me.party.disk.0 {
            let why = format!("node {} is here with another disk", self.me.party.node);
            return Err(Status::failed_precondition(why));
        }
        let made_here = is(self.mac(envelope), &envelope.mac)
            && (envelope.from_instance == 0
                || is(self.instance_mac(envelope), &envelope.instance_mac));
        if !made_here {
            return Err(Status::unauthenticated("not sealed with this cluster's key"));
        }
        let message =
            decode(&envelope.payload).map_err(|err| Status::invalid_argument(err.to_string()))?;
        let party = Party { node: NodeId(envelope.from), disk: StorageId(envelope.from_disk) };
        Ok((Speaker { party, instance: Instance(envelope.from_instance) }, message))
    }

    fn mac(&self, envelope: &Envelope) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(&(envelope.cluster.len() as u64).to_be_bytes());
        hasher.update(envelope.cluster.as_bytes());
        hasher.update(&envelope.group.to_be_bytes());
        for number in [envelope.from, envelope.from_disk, envelope.to, envelope.to_disk] {
            hasher.update(&number.to_be_bytes());
        }
        hasher.update(&envelope.format.to_be_bytes());
        hasher.update(&envelope.payload);
        hasher.finalize()
    }

    /// Binds the instance to the rest. The version before this one knows neither, so that
    /// the first keyed hash must not depend on it.
    fn instance_mac(&self, envelope: &Envelope) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(b"instance");
        hasher.update(&envelope.from_instance.to_be_bytes());
        hasher.update(&envelope.mac);
        hasher.finalize()
    }
}

/// Whether a keyed hash is the one that was sent. blake3's comparison takes the same time
/// whatever differs.
fn is(mac: blake3::Hash, sent: &[u8]) -> bool {
    mac == *<&[u8; 32]>::try_from(sent).unwrap_or(&[0; 32])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(cluster: &str, key: &ClusterKey, node: u64) -> Seal {
        Seal::new(cluster, key, speaker(node))
    }

    fn speaker(node: u64) -> Speaker {
        Speaker { party: party(node), instance: Instance(1_000 + node) }
    }

    fn party(node: u64) -> Party {
        Party { node: NodeId(node), disk: StorageId(100 + node) }
    }

    #[test]
    fn only_an_untouched_envelope_for_this_node_of_this_cluster_opens() {
        let key = ClusterKey::generate().unwrap();
        let other = ClusterKey::generate().unwrap();
        let sent = seal("here", &key, 1).seal(party(2), &"hello".to_owned());
        let (from, text): (Speaker, String) = seal("here", &key, 2).open(&sent).unwrap();
        assert_eq!((from, text.as_str()), (speaker(1), "hello"));
        // Before they have met, any disk will do; afterwards no other.
        let unmet = seal("here", &key, 1).seal(Party::unmet(NodeId(2)), &"hello".to_owned());
        assert!(seal("here", &key, 2).open::<String>(&unmet).is_ok());
        let other_disk =
            Speaker { party: Party { node: NodeId(2), disk: StorageId(9) }, instance: Instance(1) };
        let other_disk = Seal::new("here", &key, other_disk);
        assert!(other_disk.open::<String>(&sent).is_err());

        assert!(seal("there", &key, 2).open::<String>(&sent).is_err());
        assert!(seal("here", &key, 3).open::<String>(&sent).is_err());
        assert!(seal("here", &other, 2).open::<String>(&sent).is_err());
        let spoilt: [fn(&mut Envelope); 9] = [
            |e| e.from = 9,
            |e| e.from_disk = 9,
            |e| e.to_disk = 0,
            |e| e.format = 9,
            |e| e.payload = Bytes::from_static(b"\x05hallo"),
            |e| e.from_instance = 9,
            |e| e.instance_mac = Bytes::from_static(&[0; 32]),
            |e| e.mac = Bytes::new(),
            |e| e.mac = Bytes::from_static(&[0; 32]),
        ];
        for spoil in spoilt {
            let mut envelope = sent.clone();
            spoil(&mut envelope);
            assert!(seal("here", &key, 2).open::<String>(&envelope).is_err());
        }
    }

    /// The number tells two envelopes apart that say the same; clones of a seal count
    /// together. Whatever stands there, the envelope opens.
    #[test]
    fn envelopes_are_counted_and_the_count_decides_nothing() {
        let key = ClusterKey::generate().unwrap();
        let one = seal("here", &key, 1);
        let numbers = [&one, &one.clone(), &one]
            .map(|seal| seal.seal(party(2), &"hello".to_owned()))
            .map(|sent| sent.number);
        assert_eq!(numbers, [1, 2, 3]);
        let mut sent = one.seal(party(2), &"hello".to_owned());
        sent.number = 0;
        assert!(seal("here", &key, 2).open::<String>(&sent).is_ok());
    }

    /// During an upgrade some members say no instance, and do not look at what others say
    /// of theirs.
    #[test]
    fn the_former_version_is_understood() {
        let key = ClusterKey::generate().unwrap();
        let silent = Speaker { party: party(1), instance: Instance::NONE };
        let former = Seal::new("here", &key, silent);
        let sent = former.seal(party(2), &"hello".to_owned());
        assert!(sent.instance_mac.is_empty());
        let (from, _): (Speaker, String) = seal("here", &key, 2).open(&sent).unwrap();
        assert_eq!(from, silent);
        // What it reads of a newer envelope, the rest being unknown to it.
        let mut newer = seal("here", &key, 2).seal(party(1), &"hello".to_owned());
        (newer.from_instance, newer.instance_mac) = (0, Bytes::new());
        assert!(former.open::<String>(&newer).is_ok());
    }
}
