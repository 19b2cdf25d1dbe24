//! Which owed callbacks a person means: `search/8312001`, or `8312001` where one destination has it.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use crate::logic::callback::outbox::Outbox;
use crate::logic::callback::owed::Owed;
use crate::logic::value::count::counted;

/// Alternatives that a message names at the most.
const NAMED_MAX: usize = 5;

/// The row of a callback, as a person types it.
#[must_use]
pub(crate) fn id_text(owed: &Owed) -> String {
    owed.id.to_string()
}

/// The callback, as a person types it.
#[must_use]
pub(crate) fn key_text(owed: &Owed) -> String {
    format!("{}/{}", owed.destination, id_text(owed))
}

/// Which callbacks are meant.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wanted<'a> {
    /// These, as they were typed.
    Keys(&'a [String]),
    /// Each of them.
    All,
}

/// Why it is not known what is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unclear {
    /// Nothing is owed under this key.
    NotOwed {
        /// As it was typed.
        key: String,
        /// How many are owed, where they may be picked from.
        count: u64,
        /// Keys that were perhaps meant, else some that there are.
        others: Vec<String>,
        /// The first of `others` is near to what was typed.
        is_near: bool,
    },
    /// The row is owed to several destinations.
    Ambiguous {
        /// As it was typed.
        key: String,
        /// Whole keys.
        keys: Vec<String>,
    },
    /// No destination has this name, and nothing is owed to one that had it.
    NoDestination {
        /// As it was typed.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
}

impl fmt::Display for Unclear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOwed { key, count: 0, .. } => {
                write!(f, "Nothing is owed under {key:?}, and nothing else is owed")
            }
            Self::NotOwed {
                key,
                count,
                others,
                is_near,
            } => {
                write!(f, "Nothing is owed under {key:?}. ")?;
                if *is_near {
                    return write!(f, "Did you mean {}?", others.join(" or "));
                }
                let callbacks = counted(*count, "callback");
                let are = if *count == 1 { "is" } else { "are" };
                let more = if others.len() as u64 == *count {
                    ""
                } else {
                    " …"
                };
                write!(f, "{callbacks} {are} owed: {}{more}", others.join(", "))
            }
            Self::Ambiguous { key, keys } => write!(
                f,
                "{key:?} is owed to {} destinations. Say which one: {}",
                keys.len(),
                keys.join(", ")
            ),
            Self::NoDestination { name, known } => write!(
                f,
                "--destination {name:?}: no destination has this name. There are {}",
                known.join(", ")
            ),
        }
    }
}

/// The callbacks that are meant, by destination and id, each once. `configured` are the names of destinations that need
/// owe nothing.
///
/// # Errors
/// When a key or the destination names none, or a key several.
pub(crate) fn pick<'o>(
    outbox: &'o Outbox,
    wanted: Wanted<'_>,
    destination: Option<&str>,
    configured: &[&str],
) -> Result<Vec<&'o Owed>, Unclear> {
    let own: Vec<&Owed> = outbox
        .iter()
        .filter(|owed| destination.is_none_or(|name| owed.destination == name))
        .collect();
    if let Some(name) = destination
        && own.is_empty()
        && !configured.contains(&name)
    {
        let owed = outbox.iter().map(|owed| owed.destination.as_str());
        let known: BTreeSet<&str> = owed.chain(configured.iter().copied()).collect();
        return Err(Unclear::NoDestination {
            name: name.into(),
            known: known.into_iter().map(str::to_owned).collect(),
        });
    }
    let Wanted::Keys(keys) = wanted else {
        return Ok(own);
    };
    let mut by_text: HashMap<String, Vec<&Owed>> = HashMap::with_capacity(own.len() * 2);
    for owed in &own {
        for text in [id_text(owed), key_text(owed)] {
            by_text.entry(text).or_default().push(owed);
        }
    }
    let mut picked = BTreeSet::new();
    for key in keys {
        match by_text.get(key.trim()).map(Vec::as_slice) {
            Some([one]) => picked.insert((&one.destination, one.id)),
            Some(several) => {
                return Err(Unclear::Ambiguous {
                    key: key.clone(),
                    keys: several.iter().map(|owed| key_text(owed)).collect(),
                });
            }
            None => return Err(not_owed(key, &own)),
        };
    }
    let is_picked = |owed: &&Owed| picked.contains(&(&owed.destination, owed.id));
    Ok(own.into_iter().filter(is_picked).collect())
}

fn not_owed(key: &str, own: &[&Owed]) -> Unclear {
    let typed = key.trim();
    let (destination, id) = typed.rsplit_once('/').unwrap_or(("", typed));
    // The same row of another destination, and ids that are one slip away.
    let slips_max = usize::from(id.len() > 1);
    let mut near: Vec<(usize, bool, &Owed)> = own
        .iter()
        .map(|owed| {
            let slips = strsim::damerau_levenshtein(&id_text(owed), id);
            (slips, owed.destination != destination, *owed)
        })
        .filter(|&(slips, ..)| slips <= slips_max)
        .collect();
    near.sort_by_key(|&(slips, is_elsewhere, _)| (slips, is_elsewhere));
    let is_near = !near.is_empty();
    let near = near.into_iter().map(|(.., owed)| owed);
    let others: Vec<String> = if is_near {
        near.take(NAMED_MAX).map(key_text).collect()
    } else {
        own.iter()
            .take(NAMED_MAX)
            .map(|owed| key_text(owed))
            .collect()
    };
    Unclear::NotOwed {
        key: key.into(),
        count: own.len() as u64,
        others,
        is_near,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logic::callback::owed::tests::owed;
    use crate::logic::value::cell::Id;

    fn outbox(rows: &[(&str, Id)]) -> Outbox {
        let mut outbox = Outbox::default();
        for &(destination, id) in rows {
            outbox.replace(Owed {
                destination: destination.into(),
                ..owed(id)
            });
        }
        outbox
    }

    /// The keys of what is meant, or why that is not known.
    fn picked(keys: &[&str], destination: Option<&str>) -> Result<Vec<String>, String> {
        let rows = [
            ("cache", 7),
            ("search", 7),
            ("search", 8_312_001),
            ("search", -5),
            ("db2:3306/my.user", 12),
            ("7", 9),
        ];
        let outbox = outbox(&rows);
        let keys: Vec<String> = keys.iter().map(|&key| key.to_owned()).collect();
        let wanted = if keys.is_empty() {
            Wanted::All
        } else {
            Wanted::Keys(&keys)
        };
        let configured = ["search", "cache", "idle"];
        let picked = pick(&outbox, wanted, destination, &configured);
        let picked = picked.map_err(|unclear| unclear.to_string())?;
        Ok(picked.into_iter().map(key_text).collect())
    }

    #[test]
    fn a_key_is_a_destination_and_an_id_or_an_id_that_one_destination_has() {
        type Case = (
            &'static [&'static str],
            Option<&'static str>,
            &'static [&'static str],
        );
        let cases: [Case; 9] = [
            (&["search/8312001"], None, &["search/8312001"]),
            (&[" 8312001 "], None, &["search/8312001"]),
            (&["-5"], None, &["search/-5"]),
            (&["12"], None, &["db2:3306/my.user/12"]),
            (&["db2:3306/my.user/12"], None, &["db2:3306/my.user/12"]),
            (&["7/9"], None, &["7/9"]),
            (&["7"], Some("search"), &["search/7"]),
            (
                &["8312001", "search/8312001", "cache/7"],
                None,
                &["cache/7", "search/8312001"],
            ),
            (&[], Some("idle"), &[]),
        ];
        for (keys, destination, expected) in cases {
            let expected = expected.iter().map(|&key| key.to_owned()).collect();
            assert_eq!(picked(keys, destination), Ok(expected), "{keys:?}");
        }
        assert_eq!(picked(&[], None).unwrap().len(), 6);
        assert_eq!(picked(&[], Some("search")).unwrap().len(), 3);
    }

    #[test]
    fn what_is_not_clear_is_said_with_the_way_out() {
        for (keys, destination, expected) in [
            (
                &["7"][..],
                None,
                "\"7\" is owed to 2 destinations. Say which one: cache/7, search/7",
            ),
            (
                &["search/8312010"],
                None,
                "Nothing is owed under \"search/8312010\". Did you mean search/8312001?",
            ),
            (
                &["search/71"],
                None,
                "Nothing is owed under \"search/71\". Did you mean search/7 or cache/7?",
            ),
            (
                &["cache/8312001"],
                None,
                "Nothing is owed under \"cache/8312001\". Did you mean search/8312001?",
            ),
            (
                &["555"],
                Some("search"),
                "Nothing is owed under \"555\". 3 callbacks are owed: search/-5, search/7, search/8312001",
            ),
            (
                &["555"],
                None,
                "Nothing is owed under \"555\". 6 callbacks are owed: 7/9, cache/7, db2:3306/my.user/12, search/-5, \
                 search/7 …",
            ),
            (
                &["7"],
                Some("idle"),
                "Nothing is owed under \"7\", and nothing else is owed",
            ),
            (
                &[],
                Some("serach"),
                "--destination \"serach\": no destination has this name. There are 7, cache, db2:3306/my.user, idle, search",
            ),
        ] {
            assert_eq!(picked(keys, destination).unwrap_err(), expected);
        }
    }

    #[test]
    fn nothing_is_owed_under_any_text_and_none_makes_it_panic() {
        for key in [
            "",
            "/",
            "é/é",
            "search/",
            "[\"5\",\"N-1\"]",
            "search/[1",
            "\u{1b}[2J",
        ] {
            let key = [key.to_owned()];
            let outbox = outbox(&[("search", 1)]);
            let unclear = pick(&outbox, Wanted::Keys(&key), None, &[]);
            assert!(!unclear.unwrap_err().to_string().contains('\u{1b}'));
        }
    }
}
