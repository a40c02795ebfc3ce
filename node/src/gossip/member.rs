//! Members in foca's terms, and how they travel.

use bytes::{Buf, BufMut};
use foca::{Codec, Header, Identity, PostcardCodec};
use hangraft_ids::NodeId;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// A member in foca's terms, which are those of its number: whoever else was at its address
/// once, and died there, has nothing to do with it. One that comes back has a higher
/// incarnation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Member {
    /// 0 where only an address is known.
    pub(super) node: NodeId,
    pub(super) address: SocketAddr,
    pub(super) incarnation: u64,
}

impl Identity for Member {
    type Addr = NodeId;

    fn renew(&self) -> Option<Self> {
        Some(Member { incarnation: self.incarnation + 1, ..self.clone() })
    }

    fn addr(&self) -> NodeId {
        self.node
    }

    fn win_addr_conflict(&self, adversary: &Self) -> bool {
        self.incarnation > adversary.incarnation
    }
}

/// Datagrams as foca's own codec has them. What is sent to an address, whoever is there,
/// is for this node.
pub(super) struct Plain {
    pub(super) me: NodeId,
}

impl Codec<Member> for Plain {
    type Error = <PostcardCodec as Codec<Member>>::Error;

    fn encode_header(
        &mut self,
        header: &Header<Member>,
        buf: impl BufMut,
    ) -> Result<(), Self::Error> {
        PostcardCodec.encode_header(header, buf)
    }

    fn decode_header(&mut self, buf: impl Buf) -> Result<Header<Member>, Self::Error> {
        let mut header: Header<Member> = PostcardCodec.decode_header(buf)?;
        if header.dst.node == NodeId::NONE {
            header.dst.node = self.me;
        }
        Ok(header)
    }

    fn encode_member(
        &mut self,
        member: &foca::Member<Member>,
        buf: impl BufMut,
    ) -> Result<(), Self::Error> {
        PostcardCodec.encode_member(member, buf)
    }

    fn decode_member(&mut self, buf: impl Buf) -> Result<foca::Member<Member>, Self::Error> {
        PostcardCodec.decode_member(buf)
    }
}
