//! Choosing by lot, as bots do among moves that they like more and less.

use crate::chance::Chance;

/// One of the items, each as likely as it has tickets; none if there are no tickets.
pub(crate) fn draw<T: Copy>(tickets: &[(T, u32)], chance: &mut Chance) -> Option<T> {
    let all: usize = tickets.iter().map(|(_, count)| *count as usize).sum();
    let mut drawn = chance.below(all)?;
    for (item, count) in tickets {
        match drawn.checked_sub(*count as usize) {
            Some(rest) => drawn = rest,
            None => return Some(*item),
        }
    }
    None
}

/// What comes true once in so many times.
pub(crate) fn once_in(times: usize, chance: &mut Chance) -> bool {
    chance.below(times) == Some(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_tickets_are_drawn_more_often_and_none_never() {
        let mut chance = Chance::of(1, 0);
        let mut drawn = [0; 4];
        for _ in 0..4000 {
            let item = draw(&[(0, 1), (1, 0), (2, 3), (3, 0)], &mut chance).expect("there are");
            drawn[item] += 1;
        }
        assert!(drawn[1] == 0 && drawn[3] == 0, "{drawn:?}");
        assert!((900..1100).contains(&drawn[0]) && (2900..3100).contains(&drawn[2]), "{drawn:?}");
        assert_eq!(draw::<u8>(&[(0, 0)], &mut chance), None);
        assert_eq!(draw::<u8>(&[], &mut chance), None);
        let often = (0..4000).filter(|_| once_in(4, &mut chance)).count();
        assert!((900..1100).contains(&often), "{often}");
    }
}
