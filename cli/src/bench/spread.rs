//! Times that several processes measure and one adds up.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::bench::tally::{Quantiles, histogram, micros};

/// How times were distributed. Its JSON form is pairs: microseconds, and how often.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Spread(Histogram<u64>);

impl Spread {
    pub(super) fn record(&mut self, took: Duration) {
        self.0.saturating_record(micros(took));
    }

    /// Adds what somebody else has measured.
    pub(super) fn add(&mut self, other: &Self) {
        self.0.add(&other.0).expect("all have the same bounds");
    }

    /// How many times were measured.
    pub(super) fn count(&self) -> u64 {
        self.0.len()
    }

    /// Nothing when nothing was measured.
    pub(super) fn quantiles(&self) -> Option<Quantiles> {
        (!self.0.is_empty()).then(|| Quantiles::of(&self.0))
    }
}

impl Default for Spread {
    fn default() -> Self {
        Self(histogram())
    }
}

impl Serialize for Spread {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let pairs = self.0.iter_recorded();
        serializer.collect_seq(pairs.map(|it| (it.value_iterated_to(), it.count_at_value())))
    }
}

impl<'de> Deserialize<'de> for Spread {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut spread = Self::default();
        for (value, count) in Vec::<(u64, u64)>::deserialize(deserializer)? {
            spread.0.saturating_record_n(value, count);
        }
        Ok(spread)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What went through JSON and was added up is as if one had measured it all.
    #[test]
    fn what_several_measured_is_one_measurement() {
        let (mut all, mut sum) = (Spread::default(), Spread::default());
        assert_eq!(all.quantiles(), None);
        for part in 0..3 {
            let mut one = Spread::default();
            for i in 0..1000_u64 {
                let took = Duration::from_micros(1 + i * i * (part + 1) * 7);
                one.record(took);
                all.record(took);
            }
            let sent = serde_json::to_string(&one).unwrap();
            sum.add(&serde_json::from_str(&sent).unwrap());
        }
        assert_eq!(sum, all);
        assert_eq!(sum.quantiles(), all.quantiles());
    }
}
