//! At most one leader per term (thesis section 3.4).

use super::{Broken, Verdict};
use hangraft_ids::{NodeId, Term};
use hangraft_node::Report;
use std::collections::BTreeMap;

pub(super) const NAME: &str = "one_leader";

/// Who was seen leading which term.
#[derive(Default)]
pub(super) struct Leaders(BTreeMap<Term, NodeId>);

impl Leaders {
    pub(super) fn see(&mut self, node: NodeId, report: &Report) -> Verdict {
        if report.state != "leader" {
            return Ok(());
        }
        let first = *self.0.entry(report.term).or_insert(node);
        if first == node {
            return Ok(());
        }
        Err(Broken::new(NAME, format!("n{first} and n{node} both led term {}", report.term)))
    }
}
