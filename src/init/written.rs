//! The text of a configuration, with a comment where a reader may want to change something.

use super::pairs::{Line, WhyNot};
use super::{Choices, Found, Update};
use crate::logic::value::one_line::on_one_line;

/// A server and an account, as the configuration names them.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    /// Without the account.
    pub(crate) dsn: String,
    /// The database of `dsn`.
    pub(crate) database: Option<String>,
    pub(crate) user: String,
    /// The variable that holds the password.
    pub(crate) variable: String,
}

/// A copy's account, its name and where its callbacks go.
#[derive(Clone, Debug)]
pub(crate) struct Destination {
    pub(crate) account: Account,
    /// `des[].name`.
    pub(crate) name: String,
    /// `None`: to be filled in.
    pub(crate) callback: Option<String>,
}

/// Everything that does not depend on a table.
#[derive(Clone, Debug)]
pub(crate) struct Servers {
    pub(crate) source: Account,
    pub(crate) destinations: Vec<Destination>,
}

/// A key or a comment, with what stands behind it.
struct Entry {
    text: String,
    note: String,
    is_comment: bool,
}

/// The name of the file that the files of a folder share.
pub(crate) const COMMON: &str = "common.json";

const HELP: &str = "`cupid help configuration` explains every key. `cupid check` looks for what \
     is missing or slow.";

/// The whole configuration of a table in one file.
pub(crate) fn alone(
    servers: &Servers,
    source: &Found,
    copies: &[Found],
    choices: &Choices,
) -> String {
    let mut src = of_account(&servers.source);
    src.extend(of_table(&servers.source, source, choices));
    src.extend(of_passes(choices.id.is_some()));
    let state = format!("/var/lib/cupid/{}", source.table);
    let state = format!("\"cacheFilePath\": {}", quoted(&state));
    src.push(comment(
        &state,
        "folder of the state files; see `cupid help state`",
    ));
    let mut des = Vec::new();
    for (number, destination) in servers.destinations.iter().enumerate() {
        let mut entries = vec![key("name", &destination.name, "label in logs and reports")];
        entries.extend(of_account(&destination.account));
        entries.extend(of_copy(destination, &copies[number], number, choices));
        entries.extend(of_callback(destination));
        des.push(entries);
    }
    file(&[&heading(source, copies), HELP], None, &src, &des)
}

/// What the files of a folder share.
pub(crate) fn common(servers: &Servers) -> String {
    let mut src = of_account(&servers.source);
    src.extend(of_passes(true));
    let mut des = Vec::new();
    for destination in &servers.destinations {
        let mut entries = vec![key("name", &destination.name, "")];
        entries.extend(of_account(&destination.account));
        entries.extend(of_callback(destination));
        des.push(entries);
    }
    let about = "What the tables of this folder share: each of their files extends this one.";
    file(&[about, HELP], None, &src, &des)
}

/// One table of a folder.
pub(crate) fn part(
    servers: &Servers,
    source: &Found,
    copies: &[Found],
    choices: &Choices,
) -> String {
    let mut src = of_table(&servers.source, source, choices);
    if choices.id.is_none() {
        src.push(insert(false));
    }
    let mut des = Vec::new();
    for (number, destination) in servers.destinations.iter().enumerate() {
        let mut entries = vec![key("name", &destination.name, "")];
        entries.extend(of_copy(destination, &copies[number], number, choices));
        des.push(entries);
    }
    file(&[&heading(source, copies)], Some(COMMON), &src, &des)
}

fn heading(source: &Found, copies: &[Found]) -> String {
    let of = |found: &Found| format!("{} at {}", found.name(), found.server);
    let all: Vec<String> = copies.iter().map(of).collect();
    let noun = if all.len() > 1 { "copies" } else { "copy" };
    format!("{} and its {noun} {}", of(source), all.join(", "))
}

fn of_account(account: &Account) -> Vec<Entry> {
    let Account {
        dsn,
        user,
        variable,
        ..
    } = account;
    vec![
        key("dsn", dsn, ""),
        key("user", user, "needs SELECT, nothing more"),
        key(
            "password",
            &format!("${{{variable}}}"),
            "from the environment, a credential of systemd, or the file of variables",
        ),
    ]
}

fn of_table(account: &Account, source: &Found, choices: &Choices) -> Vec<Entry> {
    let mut entries = vec![key("table", &named(account, source), "")];
    entries.push(match &choices.id {
        Some((column, index)) => key("idColumn", column, index),
        None => comment(
            "\"idColumn\": \"…\"",
            "the table has no increasing integer key, and this version of cupid needs one",
        ),
    });
    entries.push(match &choices.key {
        Some(chosen) => key(
            "byColumn",
            &chosen.source,
            "its value finds the row in the copy",
        ),
        None => comment(
            "\"byColumn\": \"…\"",
            "no single column finds the row in the copy",
        ),
    });
    entries.extend(of_updates(&choices.update));
    entries
}

fn of_updates(update: &Update) -> Vec<Entry> {
    let is_on = matches!(update, Update::By(..));
    let mut entries = vec![flag("update", is_on, "look at updated rows")];
    match update {
        Update::By(column, index) => entries.push(key("updateColumn", column, index)),
        Update::WithoutIndex(column, statement) => {
            entries.push(comment(statement, "then \"update\": true"));
            entries.push(key("updateColumn", column, "has no index"));
        }
        Update::None => entries.push(comment(
            "\"updateColumn\": \"…\"",
            "the time of the last change",
        )),
    }
    entries
}

fn of_passes(insert_is_on: bool) -> Vec<Entry> {
    let scan = Entry {
        text: "\"updateScanSecond\": 5".into(),
        note: "each window of updates reaches back this far".into(),
        is_comment: false,
    };
    vec![insert(insert_is_on), scan]
}

fn insert(is_on: bool) -> Entry {
    flag("insert", is_on, "look at new ids")
}

fn of_copy(
    destination: &Destination,
    copy: &Found,
    number: usize,
    choices: &Choices,
) -> Vec<Entry> {
    let mut entries = vec![key("table", &named(&destination.account, copy), "")];
    let chosen = choices.key.as_ref().and_then(|it| it.copies.get(number));
    entries.push(match chosen {
        Some((column, index)) => key("byColumn", column, index),
        None => comment("\"byColumn\": \"…\"", ""),
    });
    let lines = choices.copies[number].lines.iter();
    let pairs: String = lines.map(|it| shown(&pair(it), 4)).collect();
    entries.push(Entry {
        text: format!(
            "\"columns\": {{ // source column: column of the copy\n{pairs}{}}}",
            indent(3)
        ),
        note: String::new(),
        is_comment: false,
    });
    entries
}

fn pair(line: &Line) -> Entry {
    let copy = line.copy.as_deref().unwrap_or("…");
    let text = format!("{}: {}", quoted(&line.source), quoted(copy));
    match &line.why_not {
        None => Entry {
            text,
            note: String::new(),
            is_comment: false,
        },
        Some(WhyNot::OtherName(one, other)) => {
            comment(&text, &format!("{one} / {other}: same type, other name"))
        }
        Some(WhyNot::Absent) => comment(&text, "the copy has no such column"),
        Some(WhyNot::Unfit(why)) => comment(&text, why),
    }
}

fn of_callback(destination: &Destination) -> Vec<Entry> {
    let url = match &destination.callback {
        Some(url) => key("url", url, ""),
        None => comment("\"url\": \"http://…\"", "where callbacks go"),
    };
    let secret = comment(
        "\"secret\": \"${CUPID_CALLBACK_SECRET}\"",
        "signs each callback; see `cupid help callbacks`",
    );
    let within = shown(&url, 4) + &shown(&secret, 4);
    vec![Entry {
        text: format!("\"callbackNotification\": {{\n{within}{}}}", indent(3)),
        note: String::new(),
        is_comment: false,
    }]
}

/// The table as a configuration names it: with its database where the DSN has another one.
fn named(account: &Account, found: &Found) -> String {
    let table = in_backticks(&found.table);
    if account.database.as_ref() == Some(&found.database) {
        return table;
    }
    format!("{}.{table}", in_backticks(&found.database))
}

/// Only where it would be read as something else.
fn in_backticks(name: &str) -> String {
    let is_plain = !name.contains(['.', '`']) && name.trim() == name;
    if is_plain {
        name.to_owned()
    } else {
        format!("`{}`", name.replace('`', "``"))
    }
}

fn file(about: &[&str], extends: Option<&str>, src: &[Entry], des: &[Vec<Entry>]) -> String {
    let comments = about
        .iter()
        .map(|it| format!("{}// {}\n", indent(1), on_one_line(it)));
    let extends = extends.map(|it| shown(&key("extends", it, ""), 1));
    let all = |entries: &[Entry], depth: usize| -> String {
        entries.iter().map(|entry| shown(entry, depth)).collect()
    };
    let copies = des
        .iter()
        .map(|it| format!("{0}{{\n{1}{0}}},\n", indent(2), all(it, 3)));
    format!(
        "{{\n{}{}{in1}\"src\": {{\n{}{in1}}},\n{in1}\"des\": [\n{}{in1}],\n}}\n",
        comments.collect::<String>(),
        extends.unwrap_or_default(),
        all(src, 2),
        copies.collect::<String>(),
        in1 = indent(1)
    )
}

fn shown(entry: &Entry, depth: usize) -> String {
    let slashes = if entry.is_comment { "// " } else { "" };
    let comma = if entry.text.ends_with(';') { "" } else { "," };
    let note = match entry.note.as_str() {
        "" => String::new(),
        note => format!(" // {}", on_one_line(note)),
    };
    format!("{}{slashes}{}{comma}{note}\n", indent(depth), entry.text)
}

fn key(name: &str, value: &str, note: &str) -> Entry {
    Entry {
        text: format!("\"{name}\": {}", quoted(value)),
        note: note.into(),
        is_comment: false,
    }
}

fn flag(name: &str, value: bool, note: &str) -> Entry {
    Entry {
        text: format!("\"{name}\": {value}"),
        note: note.into(),
        is_comment: false,
    }
}

fn comment(text: &str, note: &str) -> Entry {
    Entry {
        text: on_one_line(text),
        note: note.into(),
        is_comment: true,
    }
}

fn indent(depth: usize) -> String {
    " ".repeat(4 * depth)
}

/// As JSON, which writes control characters as escapes.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
