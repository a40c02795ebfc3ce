//! At most one leader per term (thesis section 3.4).

use super::{Broken, Verdict};
use hangraft_node::Report;
use std::collections::BTreeMap;

const NAME: &str = "one_leader";

/// Who was seen leading which term.
#[derive(Default)]
pub(super) struct Leaders(BTreeMap<u64, usize>);

impl Leaders {
    pub(super) fn see(&mut self, number: usize, report: &Report) -> Verdict {
        if report.state != "leader" {
            return Ok(());
        }
        let first = *self.0.entry(report.term).or_insert(number);
        if first == number {
            return Ok(());
        }
        let (one, other) = (first + 1, number + 1);
        Err(Broken::new(NAME, format!("n{one} and n{other} both led term {}", report.term)))
    }
}
