//! At most one leader per term (thesis, section 3.4).

use hangraft_ids::{NodeId, Term};
use std::collections::BTreeMap;

/// Who was seen leading which term.
#[derive(Debug, Default)]
pub struct Leaders(BTreeMap<Term, NodeId>);

impl Leaders {
    /// A node leads a term.
    ///
    /// # Errors
    /// With the node that was seen leading this term before, if it is another.
    pub fn see(&mut self, node: NodeId, term: Term) -> Result<(), NodeId> {
        let first = *self.0.entry(term).or_insert(node);
        if first == node { Ok(()) } else { Err(first) }
    }
}
