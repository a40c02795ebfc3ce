//! How a way is at one moment, when all that is wrong with it is put together: pure.

use super::what::{LinkFault, Pause, Peer, Traffic, Trouble, Way};
use std::time::Duration;

/// How a way is. The default is a good one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Weather {
    pub(super) cut: bool,
    pub(super) delay: Pause,
    /// In a million.
    pub(super) loss: u32,
    pub(super) duplicate: u32,
    pub(super) reorder: u32,
    /// The narrowest that there is.
    pub(super) bytes_per_s: Option<u64>,
    /// After so long it may be otherwise by itself.
    pub(super) lasts: Option<Duration>,
}

impl Weather {
    /// Of this traffic with a peer, by the faults and for how long each has been there.
    pub(super) fn of<'a>(
        faults: impl Iterator<Item = (&'a LinkFault, Duration)>,
        peer: Peer,
        way: Way,
        traffic: Traffic,
    ) -> Weather {
        let mut weather = Weather::default();
        for (fault, age) in faults {
            let concerned = fault.peer == peer && fault.way == way;
            if !concerned || !fault.traffic.concerns(traffic) {
                continue;
            }
            if let Some(period) = fault.flap {
                let left = left_of(period, age);
                weather.lasts = Some(weather.lasts.map_or(left, |lasts| lasts.min(left)));
                if !is_on(period, age) {
                    continue;
                }
            }
            weather.add(fault.trouble);
        }
        weather
    }

    fn add(&mut self, trouble: Trouble) {
        match trouble {
            Trouble::Cut => self.cut = true,
            Trouble::Delay(pause) => {
                self.delay.least += pause.least;
                self.delay.jitter += pause.jitter;
            }
            Trouble::Loss(ppm) => self.loss = self.loss.max(ppm),
            Trouble::Duplicate(ppm) => self.duplicate = self.duplicate.max(ppm),
            Trouble::Reorder(ppm) => self.reorder = self.reorder.max(ppm),
            Trouble::Bandwidth(bytes) => {
                self.bytes_per_s = Some(self.bytes_per_s.map_or(bytes, |least| least.min(bytes)));
            }
        }
    }

    /// Whether a stream passes as it is.
    pub(super) fn is_good_for_streams(&self) -> bool {
        let quick = self.delay == Pause::default() && self.bytes_per_s.is_none();
        !self.cut && quick && self.loss == 0
    }
}

fn is_on(period: Duration, age: Duration) -> bool {
    (age.as_nanos() / period.as_nanos().max(1)).is_multiple_of(2)
}

/// Until it turns.
fn left_of(period: Duration, age: Duration) -> Duration {
    let (period, age) = (period.as_nanos().max(1), age.as_nanos());
    let left = period - age % period;
    Duration::from_nanos(u64::try_from(left).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn node(last: u8) -> Peer {
        Peer::Node(SocketAddr::from(([10, 0, 0, last], 7101)))
    }

    /// Each way and each traffic has its own weather, and what is wrong adds up.
    #[test]
    fn faults_concern_whom_they_are_meant_for() {
        let fault =
            |peer, way, traffic, trouble| LinkFault { peer, way, traffic, trouble, flap: None };
        let slow = |least, jitter| Trouble::Delay(Pause { least: ms(least), jitter: ms(jitter) });
        let faults = [
            fault(node(2), Way::Out, Traffic::All, Trouble::Cut),
            fault(node(3), Way::Out, Traffic::Datagrams, Trouble::Loss(5)),
            fault(node(3), Way::Out, Traffic::All, slow(10, 1)),
            fault(node(3), Way::Out, Traffic::Streams, slow(5, 0)),
            fault(node(3), Way::Out, Traffic::All, Trouble::Bandwidth(900)),
            fault(node(3), Way::Out, Traffic::All, Trouble::Bandwidth(800)),
            fault(Peer::Frontends, Way::In, Traffic::All, Trouble::Cut),
        ];
        let of = |peer, way, traffic| {
            Weather::of(faults.iter().map(|fault| (fault, ms(0))), peer, way, traffic)
        };
        let (streams, datagrams) = (Traffic::Streams, Traffic::Datagrams);
        let good = Weather::default();
        let cut = Weather { cut: true, ..good };
        let narrow = Weather { bytes_per_s: Some(800), ..good };
        for (peer, way, traffic, weather) in [
            (node(2), Way::Out, streams, cut),
            (node(2), Way::Out, datagrams, cut),
            (node(2), Way::In, streams, good),
            (node(3), Way::In, datagrams, good),
            (
                node(3),
                Way::Out,
                streams,
                Weather { delay: Pause { least: ms(15), jitter: ms(1) }, ..narrow },
            ),
            (
                node(3),
                Way::Out,
                datagrams,
                Weather { loss: 5, delay: Pause { least: ms(10), jitter: ms(1) }, ..narrow },
            ),
            (Peer::Frontends, Way::In, streams, cut),
            (Peer::Frontends, Way::Out, streams, good),
        ] {
            assert_eq!(of(peer, way, traffic), weather, "{peer:?} {way:?} {traffic:?}");
            assert_eq!(weather.is_good_for_streams(), weather == good);
        }
    }

    /// What flaps is there first, and its weather says until when it holds.
    #[test]
    fn what_flaps_comes_and_goes() {
        let (peer, way, traffic) = (node(2), Way::Out, Traffic::All);
        let fault = LinkFault { peer, way, traffic, trouble: Trouble::Cut, flap: Some(ms(100)) };
        for (age, cut, lasts) in
            [(0, true, 100), (99, true, 1), (100, false, 100), (150, false, 50), (200, true, 100)]
        {
            let faults = std::iter::once((&fault, ms(age)));
            let weather = Weather::of(faults, peer, way, Traffic::Streams);
            assert_eq!((weather.cut, weather.lasts), (cut, Some(ms(lasts))), "{age}");
        }
    }
}
