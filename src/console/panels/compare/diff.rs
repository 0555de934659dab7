//! Lists of named values compared: which are the same, changed, added, removed, or stand elsewhere.

use std::collections::HashMap;

use super::words::common;

/// A named value; `key` is equal where the names mean the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item<'a> {
    pub key: String,
    pub name: &'a str,
    pub value: &'a str,
}

/// Places in the left and in the right list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pair {
    Both {
        left: usize,
        right: usize,
        /// Among the others it stands elsewhere than in the left list.
        moved: bool,
    },
    Left(usize),
    Right(usize),
}

/// Pairs items of one name, equal values first; in the left list's order, with the right list's own where they stand there.
pub fn pairs(left: &[Item<'_>], right: &[Item<'_>]) -> Vec<Pair> {
    let mut partner: Vec<Option<usize>> = vec![None; left.len()];
    for (mine, theirs) in by_key(left, right) {
        let values = |items: &[Item<'_>], places: &[usize]| -> Vec<String> {
            places.iter().filter_map(|at| items.get(*at)).map(|item| item.value.to_owned()).collect()
        };
        let (same_left, same_right) = common(&values(left, &mine), &values(right, &theirs));
        let chosen = |places: &[usize], same: &[bool], wanted: bool| -> Vec<usize> {
            places.iter().zip(same).filter(|(_, same)| **same == wanted).map(|(at, _)| *at).collect()
        };
        for wanted in [true, false] {
            for (l, r) in chosen(&mine, &same_left, wanted).into_iter().zip(chosen(&theirs, &same_right, wanted)) {
                if let Some(place) = partner.get_mut(l) {
                    *place = Some(r);
                }
            }
        }
    }
    let stays = in_order(&partner.iter().flatten().copied().collect::<Vec<_>>());
    let mut stays = stays.into_iter();
    let mut pairs: Vec<Pair> = partner
        .iter()
        .enumerate()
        .map(|(left, right)| match right {
            Some(right) => Pair::Both { left, right: *right, moved: !stays.next().unwrap_or(true) },
            None => Pair::Left(left),
        })
        .collect();
    for at in 0..right.len() {
        let is_right = |pair: &Pair, at: usize| matches!(pair, Pair::Both { right, .. } | Pair::Right(right) if *right == at);
        if pairs.iter().any(|pair| is_right(pair, at)) {
            continue;
        }
        let before = at.checked_sub(1).and_then(|before| pairs.iter().position(|pair| is_right(pair, before)));
        pairs.insert(before.map_or(0, |before| before + 1), Pair::Right(at));
    }
    pairs
}

/// The places of each name in both lists, names in the order in which they appear.
fn by_key(left: &[Item<'_>], right: &[Item<'_>]) -> Vec<(Vec<usize>, Vec<usize>)> {
    let mut index: HashMap<&str, usize> = HashMap::new();
    let mut groups: Vec<(Vec<usize>, Vec<usize>)> = Vec::new();
    let all = left.iter().enumerate().map(|i| (true, i)).chain(right.iter().enumerate().map(|i| (false, i)));
    for (is_left, (at, item)) in all {
        let group = *index.entry(&item.key).or_insert(groups.len());
        if group == groups.len() {
            groups.push((Vec::new(), Vec::new()));
        }
        if let Some((mine, theirs)) = groups.get_mut(group) {
            if is_left { mine } else { theirs }.push(at);
        }
    }
    groups
}

/// For each place whether it is in a longest increasing run: those that need not have moved.
fn in_order(places: &[usize]) -> Vec<bool> {
    let mut sorted = places.to_vec();
    sorted.sort_unstable();
    common(places, &sorted).0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items<'a>(list: &[(&'a str, &'a str)]) -> Vec<Item<'a>> {
        list.iter().map(|(name, value)| Item { key: name.to_lowercase(), name, value }).collect()
    }

    #[test]
    fn equal_values_are_paired_first_and_order_is_told() {
        let left = items(&[("Via", "a"), ("Via", "b"), ("To", "t"), ("From", "f"), ("X", "1")]);
        let right = items(&[("via", "b"), ("From", "f"), ("To", "t"), ("Y", "2")]);
        assert_eq!(
            pairs(&left, &right),
            [
                Pair::Left(0),
                Pair::Both { left: 1, right: 0, moved: false },
                Pair::Both { left: 2, right: 2, moved: true },
                Pair::Right(3),
                Pair::Both { left: 3, right: 1, moved: false },
                Pair::Left(4),
            ]
        );
        assert_eq!(pairs(&[], &right).len(), 4);
    }
}
