//! Default names of destinations.

use std::collections::{BTreeSet, HashMap};

use super::DestinationId;

/// A destination whose name is to be found.
#[derive(Clone, Debug)]
pub struct Unnamed {
    /// The name that the configuration gives.
    pub given: Option<String>,
    /// `database.table` as the configuration writes it.
    pub table_name: String,
    /// Everything but the name.
    pub id: DestinationId,
}

/// A destination without a name that would be called like another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The destination that has no name.
    pub number: usize,
    /// The one that it cannot be told from.
    pub other: usize,
}

/// The names of all destinations, whatever their order: the given one, else `database.table`, else, where several share that,
/// server and table, else these and the tag.
///
/// # Errors
/// When two destinations have nothing that tells them apart.
pub fn names(destinations: &[Unnamed]) -> Result<Vec<String>, Conflict> {
    let forms: Vec<Vec<String>> = destinations.iter().map(forms).collect();
    // How many would have this name, of those that have none.
    let mut sharing: HashMap<(usize, &str), usize> = HashMap::new();
    for (destination, forms) in destinations.iter().zip(&forms) {
        for (level, form) in forms.iter().enumerate() {
            if destination.given.is_none() {
                *sharing.entry((level, form)).or_default() += 1;
            }
        }
    }
    let given: BTreeSet<&str> = destinations
        .iter()
        .filter_map(|destination| destination.given.as_deref())
        .collect();
    let mut names: Vec<String> = Vec::with_capacity(destinations.len());
    for (destination, forms) in destinations.iter().zip(&forms) {
        let is_free = |&(level, form): &(usize, &String)| {
            sharing[&(level, form.as_str())] == 1 && !given.contains(form.as_str())
        };
        let default = || {
            let free = forms.iter().enumerate().find(is_free);
            free.or(forms.iter().enumerate().next_back())
                .map_or_else(String::new, |(_, form)| form.clone())
        };
        names.push(destination.given.clone().unwrap_or_else(default));
    }
    for number in (0..names.len()).rev() {
        let is_same = |&other: &usize| other != number && names[other] == names[number];
        let other = (0..names.len()).find(is_same);
        if let Some(other) = other.filter(|_| destinations[number].given.is_none()) {
            return Err(Conflict { number, other });
        }
    }
    Ok(names)
}

/// The forms of a default name, the shortest first.
fn forms(destination: &Unnamed) -> Vec<String> {
    let Unnamed { table_name, id, .. } = destination;
    [table_name.clone(), id.place(), id.address()]
        .map(|name| printable(&name))
        .to_vec()
}

/// A name goes into logs and headers, where a control character would end a line.
fn printable(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_control() { '_' } else { c })
        .collect()
}

/// The names that earlier versions gave: default names were numbered in the order of the file, given names came first.
#[must_use]
pub fn names_before(destinations: &[Unnamed]) -> Vec<String> {
    let mut taken: BTreeSet<String> = destinations
        .iter()
        .filter_map(|destination| destination.given.clone())
        .collect();
    let mut free = |name: String| {
        let mut free = name.clone();
        let mut number = 1;
        while !taken.insert(free.clone()) {
            number += 1;
            free = format!("{name}#{number}");
        }
        free
    };
    destinations
        .iter()
        .map(|destination| match &destination.given {
            Some(name) => name.clone(),
            None => free(printable(&destination.table_name)),
        })
        .collect()
}
