//! Statements for several keys, of which the server may refuse one: a text that the column's
//! character set cannot hold. Halving finds that key, so the other keys are still found.

use super::errors::is_of_one_key;

/// Asks for all keys, `at_once` of the first ones of a list in one statement. Returns those that the server refuses, each
/// with its words.
pub(super) fn ask_for_all<'k, K>(
    keys: &'k [K],
    at_once: impl Fn(&'k [K]) -> usize,
    mut ask: impl FnMut(&'k [K]) -> mysql::Result<()>,
) -> mysql::Result<Vec<(&'k K, mysql::Error)>> {
    let (mut left, mut refused) = (vec![keys], Vec::new());
    while let Some(keys) = left.pop() {
        let count = at_once(keys).max(1);
        if keys.is_empty() {
            continue;
        }
        if count < keys.len() {
            let (now, later) = keys.split_at(count);
            left.extend([later, now]);
            continue;
        }
        match (ask(keys), keys) {
            (Ok(()), _) => {}
            (Err(error), [key]) if is_of_one_key(&error) => refused.push((key, error)),
            (Err(error), keys) if is_of_one_key(&error) => {
                let (one, other) = keys.split_at(keys.len() / 2);
                left.extend([other, one]);
            }
            (Err(error), _) => return Err(error),
        }
    }
    Ok(refused)
}

#[cfg(test)]
mod tests {
    use mysql::MySqlError;

    use super::*;

    fn error(code: u16) -> mysql::Error {
        let (state, message) = ("HY000".into(), "no".into());
        MySqlError {
            state,
            message,
            code,
        }
        .into()
    }

    #[test]
    fn a_refused_key_keeps_no_other_from_being_asked_for() {
        let keys: Vec<u32> = (0..100).collect();
        let bad = [0, 37, 38, 99];
        let mut found: Vec<u32> = Vec::new();
        let refused = ask_for_all(
            &keys,
            |keys| keys.len().min(64),
            |keys| {
                if keys.iter().any(|key| bad.contains(key)) {
                    return Err(error(1300));
                }
                found.extend(keys);
                Ok(())
            },
        );
        let refused: Vec<u32> = refused.unwrap().iter().map(|(key, _)| **key).collect();
        assert_eq!(refused, bad);
        assert_eq!(found.len(), 96);
    }

    #[test]
    fn an_error_of_the_table_ends_it_and_no_key_needs_no_statement() {
        let keys = [1, 2];
        let mut asked = 0;
        let outcome = ask_for_all(&keys, <[_]>::len, |_| {
            asked += 1;
            Err(error(1146))
        });
        assert!(outcome.is_err());
        assert_eq!(asked, 1);
        let none: &[u32] = &[];
        assert!(
            ask_for_all(none, <[_]>::len, |_| Err(error(1300)))
                .unwrap()
                .is_empty()
        );
    }
}
