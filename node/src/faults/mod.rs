//! The fault plane: what can be made worse around a node, in one place.
//!
//! [`around`] puts itself between a node and what surrounds it: connections, datagrams, the
//! log's disk and the wall clock pass through here, and nothing else of the node knows. It
//! is there only when the node's configuration says `faults = true`; while no fault is
//! active, what passes costs one look at a flag.
//!
//! A fault is active on one node. Of a link each node decides what it sends and hears on the
//! connections that it has opened itself, so two nodes are apart when both are told. On what
//! others have opened only frontends are concerned: an operator always gets through.
//!
//! On a stream nothing is lost, doubled or put out of order, as on TCP: it stands still or
//! becomes slow. Datagrams have it all.

mod datagrams;
mod disk;
mod env;
mod link;
mod plane;
mod stream;
mod weather;
mod what;

pub(crate) use plane::Faults;
pub(crate) use what::{Fault, LinkFault, Pause, Peer, Traffic, Trouble, Way};

use self::env::Faulty;
use crate::env::Env;
use std::sync::Arc;

/// The same surroundings, and switches to make them worse where that is allowed.
pub(crate) fn around(env: Arc<dyn Env>, allowed: bool) -> (Arc<dyn Env>, Option<Faults>) {
    if !allowed {
        return (env, None);
    }
    let faults = Faults::new(env.entropy());
    (Arc::new(Faulty { env, faults: faults.clone() }), Some(faults))
}
