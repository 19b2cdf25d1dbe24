//! What a seed means: two tables, their rows, and what is done to them afterwards. All of it can be made smaller.

use crate::rng::Rng;
use crate::types::{Family, Has, Kind, Type, Values, integer, pick, type_of};
use crate::values::{literal, word_literal};

#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) of: Type,
    pub(crate) nullable: bool,
    pub(crate) invisible: bool,
    pub(crate) generated: Option<String>,
}

impl Column {
    /// An ENUM and a SET are numbers to an index, which knows no text that is no member.
    pub(crate) fn as_text(&self) -> String {
        self.is_read_as(&self.name)
    }

    /// The same of a table that a statement calls so.
    pub(crate) fn as_text_of(&self, table: &str) -> String {
        self.is_read_as(&format!("{table}.{}", self.name))
    }

    fn is_read_as(&self, name: &str) -> String {
        match self.of.values {
            Values::Member(_) | Values::Members(_) => format!("CONCAT({name})"),
            _ => name.to_owned(),
        }
    }
}

/// A source column and its copy.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    pub(crate) source: Column,
    pub(crate) destination: Column,
}

/// A row of the source. Its copy has the number `nr`.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) nr: u64,
    pub(crate) id: String,
    /// Not used where the key is the id.
    pub(crate) key: String,
    pub(crate) cells: Vec<String>,
}

#[derive(Clone, Debug)]
pub(crate) enum Edit {
    /// A value of a copy.
    Set {
        nr: u64,
        column: String,
        value: String,
    },
    /// A value of the source.
    SetSource {
        id: String,
        column: String,
        value: String,
    },
    Delete {
        nr: u64,
    },
    DeleteSource {
        id: String,
    },
    /// A row that only the copy has, unless its key is in the source by chance.
    Insert {
        nr: u64,
        key: String,
        cells: Vec<String>,
    },
    /// A copy of a copy.
    Repeat {
        nr: u64,
        of: u64,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) id: Column,
    pub(crate) key: Pair,
    /// `key.source` is `id`.
    pub(crate) key_is_id: bool,
    /// The key is compared too.
    pub(crate) key_is_mapped: bool,
    pub(crate) cells: Vec<Pair>,
    /// Beside that of `id`, which must be unique.
    pub(crate) source_indexes: Vec<String>,
    /// Beside that of `nr`.
    pub(crate) destination_indexes: Vec<String>,
    /// `PRIMARY KEY (id)` and the like, and the same of `nr`.
    pub(crate) id_index: String,
    pub(crate) nr_index: String,
    pub(crate) rows: Vec<Row>,
    pub(crate) edits: Vec<Edit>,
    /// Chooses what the program is asked beside the audits.
    pub(crate) choice: u64,
}

const CELL_FAMILIES: &[Family] = &[
    Family::Exact,
    Family::Exact,
    Family::Exact,
    Family::Approximate,
    Family::Text,
    Family::Text,
    Family::Text,
    Family::Binary,
    Family::Moment,
    Family::Moment,
    Family::Span,
    Family::Json,
    Family::Uuid,
];

const KEY_FAMILIES: &[Family] = &[
    Family::Exact,
    Family::Exact,
    Family::Exact,
    Family::Approximate,
    Family::Text,
    Family::Text,
    Family::Text,
    Family::Text,
    Family::Text,
    Family::Binary,
    Family::Moment,
    Family::Span,
    Family::Uuid,
];

impl Case {
    pub(crate) fn new(seed: u64, source: &Has, destination: &Has) -> Self {
        let mut rng = Rng::new(seed);
        let rng = &mut rng;
        let id = id_column(rng);
        let key_is_id = rng.chance(200);
        let key = key_pair(rng, source, destination, &id, key_is_id);
        let cells: Vec<Pair> = (0..rng.below(6))
            .map(|number| cell_pair(rng, source, destination, number))
            .collect();
        let mut case = Self {
            id,
            key,
            key_is_id,
            key_is_mapped: rng.chance(300),
            cells,
            source_indexes: vec![],
            destination_indexes: vec![],
            id_index: String::new(),
            nr_index: String::new(),
            rows: vec![],
            edits: vec![],
            choice: rng.next(),
        };
        case.index(rng);
        case.fill(rng);
        case.edit(rng);
        case
    }

    fn index(&mut self, rng: &mut Rng) {
        let part = |column: &Column| {
            if column.of.is_long {
                format!("{}(10)", column.name)
            } else {
                column.name.clone()
            }
        };
        let can_order = |column: &Column| {
            let fits = column.of.kind != Kind::Json && !column.of.is_long;
            fits && column.generated.is_none() && !column.invisible
        };
        let cell = |rng: &mut Rng, cells: &[Pair], side: fn(&Pair) -> &Column| {
            let fit: Vec<&Column> = cells.iter().map(side).filter(|c| can_order(c)).collect();
            (!fit.is_empty()).then(|| (*pick(rng, &fit)).clone())
        };
        let key = part(&self.key.source);
        let other = cell(rng, &self.cells, |pair| &pair.source);
        self.id_index = match rng.below(10) {
            0 if !self.key_is_id && !self.key.source.invisible => {
                self.source_indexes.push(format!("PRIMARY KEY ({key})"));
                "UNIQUE KEY (id)".into()
            }
            1 if other.is_some() => {
                let other = other.map(|column| column.name).unwrap_or_default();
                format!("PRIMARY KEY (id, {other})")
            }
            2 => "UNIQUE KEY (id)".into(),
            _ => "PRIMARY KEY (id)".into(),
        };
        if !self.key_is_id {
            match rng.below(10) {
                0..=5 => self.source_indexes.push(format!("UNIQUE KEY ({key})")),
                6..=8 => self.source_indexes.push(format!("KEY ({key})")),
                _ => {}
            }
        }
        let key = part(&self.key.destination);
        let other = cell(rng, &self.cells, |pair| &pair.destination);
        let other = other.map(|column| column.name);
        self.nr_index = "KEY (nr)".into();
        // What is invisible may be NULL here, and what is in a primary key may not.
        let choice = rng.below(10);
        let hidden = self.key.destination.invisible && (3..=7).contains(&choice);
        match (if hidden { 0 } else { choice }, other) {
            (0..=2, _) => self.nr_index = "PRIMARY KEY (nr)".into(),
            (3..=5, _) => self
                .destination_indexes
                .push(format!("PRIMARY KEY ({key})")),
            (6, _) => self
                .destination_indexes
                .push(format!("PRIMARY KEY ({key}, nr)")),
            (7, _) => self.nr_index = format!("PRIMARY KEY (nr, {key})"),
            (8, Some(other)) => self
                .destination_indexes
                .push(format!("PRIMARY KEY ({other}, nr)")),
            _ => {}
        }
        match rng.below(10) {
            0..=4 => self.destination_indexes.push(format!("KEY ({key})")),
            5..=7 => self.destination_indexes.push(format!("UNIQUE KEY ({key})")),
            _ => {}
        }
    }

    fn fill(&mut self, rng: &mut Rng) {
        let count = rng.pick(&[0, 1, 2, 5, 9, 15, 17, 25, 40]);
        let count = rng.below(count + 1);
        let Values::Integer(bits, signed) = self.id.of.values else {
            return;
        };
        let most = (1_i128 << (bits - u32::from(signed))) - 1;
        let mut id = match rng.below(10) {
            0 if signed => -i128::from(rng.below(20)),
            1 => most - i128::from(count) * 2,
            2 => most / 2 - i128::from(count),
            _ => i128::from(rng.below(3)),
        };
        let is_unique = rng.chance(700);
        for number in 0..count {
            let pool = self.rows.len();
            let key = if !is_unique && pool > 0 && rng.chance(150) {
                pick(rng, &self.rows).key.clone()
            } else {
                maybe_null(rng, &self.key.source)
            };
            let cells = self.cells.iter();
            let cells = cells.map(|pair| maybe_null(rng, &pair.source)).collect();
            self.rows.push(Row {
                nr: number + 1,
                id: id.to_string(),
                key,
                cells,
            });
            id += 1 + i128::from(if rng.chance(200) { rng.below(4) } else { 0 });
            if id > most {
                break;
            }
        }
        // The copy's own order.
        if rng.chance(500) {
            for at in (1..self.rows.len()).rev() {
                let other = usize::try_from(rng.below(at as u64 + 1)).unwrap_or(0);
                let nr = self.rows[at].nr;
                self.rows[at].nr = self.rows[other].nr;
                self.rows[other].nr = nr;
            }
        }
    }

    fn edit(&mut self, rng: &mut Rng) {
        let count = rng.pick(&[0, 0, 1, 2, 3, 6]);
        for number in 0..count {
            if self.rows.is_empty() {
                break;
            }
            let Row { nr, id, .. } = pick(rng, &self.rows).clone();
            let new_nr = 100 + number;
            let edit = match rng.below(12) {
                0..=3 if !self.cells.is_empty() => {
                    let column = &pick(rng, &self.cells).destination;
                    Edit::Set {
                        nr,
                        value: maybe_null(rng, column),
                        column: column.name.clone(),
                    }
                }
                4 if !self.cells.is_empty() => {
                    let column = &pick(rng, &self.cells).source;
                    Edit::SetSource {
                        id,
                        value: maybe_null(rng, column),
                        column: column.name.clone(),
                    }
                }
                5..=7 => Edit::Set {
                    nr,
                    column: self.key.destination.name.clone(),
                    value: self.other_key(rng),
                },
                8 => Edit::Delete { nr },
                9 => Edit::DeleteSource { id },
                10 => Edit::Repeat { nr: new_nr, of: nr },
                _ => Edit::Insert {
                    nr: new_nr,
                    key: maybe_null(rng, &self.key.destination),
                    cells: self
                        .cells
                        .iter()
                        .map(|pair| maybe_null(rng, &pair.destination))
                        .collect(),
                },
            };
            self.edits.push(edit);
        }
    }

    /// What a copy's key becomes: another spelling of the same, or another.
    fn other_key(&self, rng: &mut Rng) -> String {
        let name = &self.key.destination.name;
        if !matches!(self.key.destination.of.kind, Kind::Text(_)) || rng.chance(400) {
            return maybe_null(rng, &self.key.destination);
        }
        match rng.below(5) {
            // One letter of two that a language takes for one, as in `cH`.
            0 => format!("CONCAT(LOWER(LEFT({name}, 1)), UPPER(SUBSTRING({name}, 2)))"),
            1 => format!("LOWER({name})"),
            2 => format!("CONCAT({name}, ' ')"),
            3 => format!("CONCAT({name}, {})", word_literal("\u{AD}")),
            _ => format!("REVERSE({name})"),
        }
    }

    /// The types as they were drawn, for the words of a failure.
    pub(crate) fn columns(&self, side: fn(&Pair) -> &Column) -> Vec<&Column> {
        let key = (!self.key_is_id || side(&self.key).name != "id").then_some(side(&self.key));
        key.into_iter().chain(self.cells.iter().map(side)).collect()
    }

    /// The copy has a primary key whose order is that of its comparisons: no approximate numbers, no ENUM, SET and BIT, which
    /// sort by number. Others are looked up row by row, and not searched for rows that only they have; and so are those whose
    /// key is an instant beside a printed time, where a server is not in UTC.
    pub(crate) fn can_be_read_from_end_to_end(&self) -> bool {
        let is_instant = |column: &Column| matches!(column.of.kind, Kind::Timestamp(_));
        if is_instant(&self.key.source) != is_instant(&self.key.destination) {
            return false;
        }
        let indexes = std::iter::once(&self.nr_index).chain(&self.destination_indexes);
        let mut primary = indexes.filter_map(|index| index.strip_prefix("PRIMARY KEY ("));
        primary.next().is_some_and(|parts| {
            let named = |column: &&Column| {
                let mut parts = parts.split([',', ' ', '(', ')']);
                parts.any(|part| part == column.name)
            };
            let columns = self.columns(|pair| &pair.destination);
            columns.into_iter().filter(named).all(|column| {
                let unfit = ["BIT", "ENUM", "SET", "FLOAT", "DOUBLE"];
                !unfit.iter().any(|name| column.of.sql.starts_with(name))
            })
        })
    }

    /// `CREATE TABLE` of both tables.
    pub(crate) fn source_table(&self) -> String {
        let columns = self.columns(|pair| &pair.source).into_iter();
        let columns = std::iter::once(&self.id).chain(columns).map(declared);
        let indexes = std::iter::once(&self.id_index)
            .chain(&self.source_indexes)
            .cloned();
        let all: Vec<String> = columns.chain(indexes).collect();
        format!(
            "CREATE TABLE src.t ({}) CHARACTER SET utf8mb4",
            all.join(", ")
        )
    }

    pub(crate) fn destination_table(&self) -> String {
        let columns = self
            .columns(|pair| &pair.destination)
            .into_iter()
            .map(declared);
        let nr = std::iter::once("nr INT NOT NULL AUTO_INCREMENT".to_owned());
        let indexes = std::iter::once(&self.nr_index)
            .chain(&self.destination_indexes)
            .cloned();
        let all: Vec<String> = columns.chain(nr).chain(indexes).collect();
        format!(
            "CREATE TABLE des.t ({}) CHARACTER SET utf8mb4",
            all.join(", ")
        )
    }

    pub(crate) fn insert_source(&self, row: &Row) -> String {
        let (mut names, mut values) = (vec!["id"], vec![&*row.id]);
        if !self.key_is_id {
            names.push(&self.key.source.name);
            values.push(&row.key);
        }
        for (pair, cell) in self.cells.iter().zip(&row.cells) {
            if pair.source.generated.is_none() {
                names.push(&pair.source.name);
                values.push(cell);
            }
        }
        insert("src.t", &names, &values)
    }

    /// The columns that a copier writes: of the source, and of the copy.
    pub(crate) fn copied(&self) -> Vec<(&Column, &Column)> {
        let pairs = std::iter::once(&self.key).chain(&self.cells);
        pairs
            .filter(|pair| pair.destination.generated.is_none())
            .map(|pair| (&pair.source, &pair.destination))
            .collect()
    }

    /// Made by the server itself, with its conversions.
    pub(crate) fn insert_copy(&self, row: &Row) -> String {
        let (mut names, mut values) = (vec!["nr".to_owned()], vec![row.nr.to_string()]);
        for (source, destination) in self.copied() {
            names.push(destination.name.clone());
            values.push(source.name.clone());
        }
        format!(
            "INSERT IGNORE INTO des.t ({}) SELECT {} FROM src.t WHERE id = {}",
            names.join(", "),
            values.join(", "),
            row.id
        )
    }

    pub(crate) fn statement(&self, edit: &Edit) -> String {
        match edit {
            Edit::Set { nr, column, value } => {
                format!("UPDATE IGNORE des.t SET {column} = {value} WHERE nr = {nr}")
            }
            Edit::SetSource { id, column, value } => {
                format!("UPDATE IGNORE src.t SET {column} = {value} WHERE id = {id}")
            }
            Edit::Delete { nr } => format!("DELETE FROM des.t WHERE nr = {nr}"),
            Edit::DeleteSource { id } => format!("DELETE FROM src.t WHERE id = {id}"),
            Edit::Insert { nr, key, cells } => {
                let nr = nr.to_string();
                let (mut names, mut values) =
                    (vec!["nr", &*self.key.destination.name], vec![&*nr, &**key]);
                for (pair, cell) in self.cells.iter().zip(cells) {
                    if pair.destination.generated.is_none() {
                        names.push(&pair.destination.name);
                        values.push(cell);
                    }
                }
                insert("des.t", &names, &values)
            }
            Edit::Repeat { nr, of } => {
                let names: Vec<&str> = self.copied().iter().map(|(_, c)| &*c.name).collect();
                let names = names.join(", ");
                format!(
                    "INSERT IGNORE INTO des.t (nr, {names}) SELECT {nr}, {names} FROM des.t WHERE nr = {of}"
                )
            }
        }
    }

    /// The whole as SQL, for people.
    pub(crate) fn script(&self) -> String {
        let rows = self.rows.iter();
        let filled = rows.clone().map(|row| self.insert_source(row));
        let copied = rows.map(|row| self.insert_copy(row));
        let edits = self.edits.iter().map(|edit| self.statement(edit));
        let mut lines = vec!["SET NAMES utf8mb4, sql_mode = '', time_zone = '+00:00'".to_owned()];
        lines.extend([self.source_table(), self.destination_table()]);
        lines.extend(filled.chain(copied).chain(edits));
        lines.join(";\n") + ";"
    }
}

fn insert(table: &str, names: &[&str], values: &[&str]) -> String {
    format!(
        "INSERT IGNORE INTO {table} ({}) VALUES ({})",
        names.join(", "),
        values.join(", ")
    )
}

fn declared(column: &Column) -> String {
    let Column {
        name,
        of,
        nullable,
        invisible,
        generated,
    } = column;
    let mut sql = format!("{name} {}", of.sql);
    if let Some(expression) = generated {
        sql = format!("{sql} GENERATED ALWAYS AS ({expression})");
    } else if !nullable {
        sql.push_str(" NOT NULL");
        if *invisible {
            sql.push_str(" DEFAULT 0");
        }
    }
    if *invisible {
        sql.push_str(" INVISIBLE");
    }
    sql
}

fn maybe_null(rng: &mut Rng, column: &Column) -> String {
    if column.nullable && rng.chance(80) {
        "NULL".into()
    } else {
        literal(rng, &column.of)
    }
}

fn id_column(rng: &mut Rng) -> Column {
    Column {
        name: "id".into(),
        of: integer(rng),
        nullable: false,
        invisible: rng.chance(60),
        generated: None,
    }
}

fn key_pair(rng: &mut Rng, source: &Has, destination: &Has, id: &Column, key_is_id: bool) -> Pair {
    let family = *pick(rng, KEY_FAMILIES);
    let (family, one) = if key_is_id {
        (Family::Exact, id.of.clone())
    } else {
        (family, type_of(rng, source, family))
    };
    let other = match family {
        _ if rng.chance(500) && one.exists_in(destination) => one.clone(),
        Family::Exact if rng.chance(100) => type_of(rng, destination, Family::Text),
        // What finds an approximate number is its type's business.
        Family::Approximate => one.clone(),
        family => type_of(rng, destination, family),
    };
    let nullable = rng.chance(300);
    let column = |name: &str, of: Type, nullable: bool, invisible: bool| Column {
        name: name.into(),
        of,
        nullable,
        invisible,
        generated: None,
    };
    let hidden = nullable && rng.chance(80);
    let source = if key_is_id {
        id.clone()
    } else {
        column("k", one, nullable, hidden)
    };
    let hidden = rng.chance(60);
    Pair {
        source,
        destination: column("k", other, hidden || rng.chance(300), hidden),
    }
}

fn cell_pair(rng: &mut Rng, source: &Has, destination: &Has, number: u64) -> Pair {
    let family = *pick(rng, CELL_FAMILIES);
    let one = type_of(rng, source, family);
    let other = match rng.below(20) {
        0..=9 if one.exists_in(destination) => one.clone(),
        0..=16 => type_of(rng, destination, family),
        17 => type_of(rng, destination, Family::Text),
        _ => {
            let family = *pick(rng, CELL_FAMILIES);
            type_of(rng, destination, family)
        }
    };
    let mut column = |of: Type, row: &str| {
        let nullable = rng.chance(700);
        let generated = match (&of.kind, &of.values) {
            (Kind::Exact, _) if rng.chance(40) => Some(format!("ABS({row} % 7)")),
            (Kind::Text(_), Values::Text(_)) if !of.is_long && rng.chance(40) => {
                Some(format!("CONCAT('g', {row})"))
            }
            _ => None,
        };
        let generated = generated.filter(|_| row == "id");
        Column {
            name: format!("c{number}"),
            invisible: nullable && generated.is_none() && rng.chance(80),
            nullable,
            generated,
            of,
        }
    };
    Pair {
        source: column(one, "id"),
        destination: column(other, "nr"),
    }
}

impl Type {
    /// The other server has this type too.
    fn exists_in(&self, has: &Has) -> bool {
        let collation = self
            .sql
            .rsplit_once(" COLLATE ")
            .map(|(_, collation)| collation);
        let known =
            collation.is_none_or(|wanted| has.collations.iter().any(|(_, name)| name == wanted));
        known
            && (self.kind != Kind::Uuid || has.uuid)
            && (self.values != Values::Inet6 || has.is_mariadb)
    }
}
