//! The order in which rows can trade unique values.
//!
//! A server checks unique values after each row. So a row can take a value only when its present
//! row has given it up. When rows wait for each other in a circle, one of them first takes a value
//! that no row has.

use std::collections::{BTreeSet, HashMap};

/// What a row's statement gives up and takes, as hashes of unique values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Claim {
    /// Values that the row has and gives up.
    pub gives: Vec<u64>,
    /// Values that it takes.
    pub takes: Vec<u64>,
    /// It can give them up before it takes others.
    pub can_park: bool,
}

/// A step of the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The row of this number gives up its values and takes none yet.
    Park(usize),
    /// Its statement.
    Run(usize),
    /// Its statement, although others still have the values that it takes: nobody in its circle can park.
    Stuck(usize),
}

/// The steps for all of these rows, in their own order where nothing speaks against it.
#[must_use]
pub(crate) fn order(claims: &[Claim]) -> Vec<Step> {
    let mut givers: HashMap<u64, Vec<usize>> = HashMap::new();
    for (number, claim) in claims.iter().enumerate() {
        for &value in &claim.gives {
            givers.entry(value).or_default().push(number);
        }
    }
    // Whom each row waits for, and who waits for it.
    let mut waits: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); claims.len()];
    let mut waiting: Vec<Vec<usize>> = vec![Vec::new(); claims.len()];
    for (number, claim) in claims.iter().enumerate() {
        let others = claim.takes.iter().filter_map(|value| givers.get(value));
        for &giver in others.flatten() {
            if giver != number && waits[number].insert(giver) {
                waiting[giver].push(number);
            }
        }
    }
    let mut ready: BTreeSet<usize> = (0..claims.len()).filter(|&n| waits[n].is_empty()).collect();
    let mut left: BTreeSet<usize> = (0..claims.len()).collect();
    let mut parked = vec![false; claims.len()];
    let mut steps = Vec::with_capacity(claims.len());
    while let Some(&first) = left.first() {
        let step = match ready.pop_first() {
            Some(number) => Step::Run(number),
            None => way_out(first, claims, &waits),
        };
        steps.push(step);
        let (Step::Park(number) | Step::Run(number) | Step::Stuck(number)) = step;
        if matches!(step, Step::Park(_)) {
            parked[number] = true;
        } else {
            left.remove(&number);
        }
        // What was given up by parking is not given up twice.
        for other in std::mem::take(&mut waiting[number]) {
            waits[other].remove(&number);
            if waits[other].is_empty() && left.contains(&other) {
                ready.insert(other);
            }
        }
        ready.remove(&number);
        if parked[number] && left.contains(&number) && waits[number].is_empty() {
            ready.insert(number);
        }
    }
    steps
}

/// Follows who waits for whom until it comes round, and lets one of that circle go first.
fn way_out(first: usize, claims: &[Claim], waits: &[BTreeSet<usize>]) -> Step {
    let mut path = vec![first];
    let mut places = HashMap::from([(first, 0)]);
    let mut at = first;
    while let Some(&next) = waits[at].first() {
        if let Some(&begin) = places.get(&next) {
            let circle = &path[begin..];
            let can = circle
                .iter()
                .copied()
                .find(|&number| claims[number].can_park);
            return can.map_or(Step::Stuck(circle[0]), Step::Park);
        }
        places.insert(next, path.len());
        path.push(next);
        at = next;
    }
    Step::Stuck(at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn claim(gives: &[u64], takes: &[u64]) -> Claim {
        Claim {
            gives: gives.to_vec(),
            takes: takes.to_vec(),
            can_park: true,
        }
    }

    #[test]
    fn a_chain_runs_from_its_free_end() {
        let chain = [claim(&[1], &[2]), claim(&[2], &[3]), claim(&[3], &[4])];
        assert_eq!(order(&chain), [Step::Run(2), Step::Run(1), Step::Run(0)]);
    }

    #[test]
    fn one_of_a_circle_parks() {
        let swap = [claim(&[1], &[2]), claim(&[2], &[1])];
        assert_eq!(order(&swap), [Step::Park(0), Step::Run(1), Step::Run(0)]);
        let mut stuck = swap.clone();
        stuck[0].can_park = false;
        assert_eq!(order(&stuck), [Step::Park(1), Step::Run(0), Step::Run(1)]);
        stuck[1].can_park = false;
        assert_eq!(order(&stuck), [Step::Stuck(0), Step::Run(1)]);
    }

    #[test]
    fn a_row_that_takes_its_own_value_in_another_spelling_waits_for_nobody() {
        assert_eq!(order(&[claim(&[1], &[1])]), [Step::Run(0)]);
    }

    proptest! {
        /// Rows have values 0..n in some order and shall have them in another one, or free ones.
        #[test]
        fn no_row_takes_a_value_that_another_one_has(
            (old, new) in (1_usize..12).prop_flat_map(|n| {
                let values: Vec<u64> = (0..n as u64).collect();
                let more: Vec<u64> = (0..n as u64 + 3).collect();
                (Just(values).prop_shuffle(), Just(more).prop_shuffle())
            })
        ) {
            let claims: Vec<Claim> = old.iter().zip(&new).map(|(&old, &new)| claim(&[old], &[new])).collect();
            let mut holds: Vec<Option<u64>> = old.iter().map(|&value| Some(value)).collect();
            for step in order(&claims) {
                match step {
                    Step::Park(number) => holds[number] = None,
                    Step::Run(number) => {
                        let others = holds.iter().enumerate().filter(|(other, _)| *other != number);
                        prop_assert!(others.into_iter().all(|(_, value)| *value != Some(new[number])));
                        holds[number] = Some(new[number]);
                    }
                    Step::Stuck(_) => prop_assert!(false, "all can park"),
                }
            }
            let held: Vec<u64> = holds.into_iter().flatten().collect();
            prop_assert_eq!(held, new[..old.len()].to_vec());
        }
    }
}
