//! `examples/cupid.schema.json` says what is read: the same keys, kinds and limits.

use std::collections::BTreeSet;

use jsonc_parser::ast;
use serde_json::{Map, Value, json};

use super::*;

const SCHEMA: &str = include_str!("../../../examples/cupid.schema.json");

/// Every object of a configuration: where it is in the schema, and a configuration with a mark in that object.
fn objects() -> Vec<(String, String)> {
    let channels = [
        r#""type": "serverchan", "sendKey": "k""#,
        r#""type": "wecom", "key": "k""#,
        r#""type": "dingtalk", "token": "k""#,
        r#""type": "feishu", "url": "https://h/p""#,
        r#""type": "slack", "url": "https://h/p""#,
        r#""type": "webhook", "url": "https://h/p""#,
        r#""type": "command", "command": ["page"]"#,
    ];
    let channels = channels.iter().enumerate().map(|(number, keys)| {
        let place = format!("/properties/notify/items/oneOf/{number}");
        (place, with("", &format!(r#""notify": [{{{keys}, MARK}}]"#)))
    });
    let des = "/properties/des/items";
    let others = [
        ("", with("", "MARK")),
        ("/properties/src", with("src", "MARK")),
        ("/definitions/tls", with("src", r#""tls": {MARK}"#)),
        (des, with("des", "MARK")),
        (
            "/definitions/rule",
            with("columns", r#""x": {"to": "x", MARK}"#),
        ),
        (
            "/definitions/callbackNotification",
            with("callback", "MARK"),
        ),
    ];
    let others = others.map(|(place, text)| (place.to_owned(), text));
    others.into_iter().chain(channels).collect()
}

fn schema() -> Value {
    serde_json::from_str(SCHEMA).expect("The schema is JSON")
}

fn at(place: &str) -> Value {
    let schema = schema();
    let found = schema.pointer(place);
    found.unwrap_or_else(|| panic!("{place}")).clone()
}

fn properties(place: &str) -> Map<String, Value> {
    let object = at(place);
    assert_eq!(object["additionalProperties"], json!(false), "{place}");
    object["properties"]
        .as_object()
        .expect("Properties")
        .clone()
}

#[test]
fn the_schema_has_the_keys_that_are_read_and_no_other() {
    let mut count = 0;
    for (place, text) in objects() {
        let problem = problem(&text.replace("MARK", r#""~~~": 1"#));
        let known = problem.split_once("~~~: is no key of cupid; known here are ");
        let (_, known) = known.unwrap_or_else(|| panic!("{place}: {problem}"));
        let known = known.lines().next().expect("A line").split(", ");
        let known: BTreeSet<String> = known.map(str::to_owned).collect();
        let properties: BTreeSet<String> = properties(&place).into_iter().map(|it| it.0).collect();
        assert_eq!(properties, known, "{place}");
        count += known.len();
    }
    assert!(count > 90, "only {count} keys");
}

#[test]
fn kinds_and_limits_are_those_that_are_read() {
    let mut numbers = 0;
    for (place, text) in objects() {
        for (key, schema) in properties(&place) {
            let (wrong, words) = match schema["type"].as_str() {
                Some("integer") => {
                    numbers += 1;
                    let limits = format!("from {} to {}", schema["minimum"], schema["maximum"]);
                    ("\"~\"", limits)
                }
                Some("boolean") => ("5", "should hold true or false".into()),
                Some("string") => ("{}", "holds an object".into()),
                Some("array") => ("{}", "should hold a list".into()),
                Some("object") => ("[]", "should hold an object".into()),
                _ => continue,
            };
            let is_free = [
                "$schema",
                "updateColumn",
                "updateTimeFormate",
                "updateTimeFormat",
            ];
            if is_free.contains(&key.as_str()) {
                continue;
            }
            // A key that is there already is replaced.
            let pattern = format!("\"{key}\": \"");
            let text = match text.find("MARK") {
                Some(mark) if text[..mark].ends_with(", ") && place.contains("oneOf") => {
                    text.replacen(&pattern, "\"name\": \"", 1)
                }
                _ => text.clone(),
            };
            let problem = problem(&text.replace("MARK", &format!("\"{key}\": {wrong}")));
            let named = problem.lines().any(|line| {
                let is_of_key = line
                    .split(": ")
                    .next()
                    .is_some_and(|path| path.ends_with(&key));
                is_of_key && (line.contains(&words) || line.contains("is written twice"))
            });
            assert!(named, "{place}/{key}: {problem}");
        }
    }
    assert!(numbers > 15, "only {numbers} numbers");
}

/// The text as a validator takes it.
fn plain(text: &str) -> Value {
    fn of(value: &ast::Value<'_>) -> Value {
        match value {
            ast::Value::StringLit(it) => json!(it.value),
            ast::Value::NumberLit(it) => serde_json::from_str(it.value).expect("A number"),
            ast::Value::BooleanLit(it) => json!(it.value),
            ast::Value::Object(it) => of_object(it),
            ast::Value::Array(it) => it.elements.iter().map(of).collect(),
            ast::Value::NullKeyword(_) => Value::Null,
        }
    }
    fn of_object(object: &ast::Object<'_>) -> Value {
        let properties = object.properties.iter();
        let pairs = properties.map(|it| (it.name.as_str().to_owned(), of(&it.value)));
        Value::Object(pairs.collect())
    }
    of_object(&json::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}")))
}

/// What the schema has against a value.
fn faults(value: &Value) -> Vec<String> {
    let validator = jsonschema::draft7::new(&schema()).expect("A schema of draft 7");
    let errors = validator.iter_errors(value);
    errors
        .map(|it| format!("{}: {it}", it.instance_path()))
        .collect()
}

#[test]
fn what_loads_is_valid_and_so_is_every_example() {
    assert!(jsonschema::draft7::meta::is_valid(&schema()));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut texts = vec![SEED.to_owned(), LEAST.to_owned()];
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_json = path.extension().is_some_and(|it| it == "json");
        if is_json && !path.ends_with("cupid.schema.json") {
            texts.push(std::fs::read_to_string(path).unwrap());
        }
    }
    assert!(texts.len() > 2, "no example was read");
    texts.extend(
        objects()
            .iter()
            .map(|(_, text)| text.replace("MARK,", "").replace("MARK", "")),
    );
    for text in texts {
        assert_eq!(faults(&plain(&text)), [""; 0], "{text}");
    }
}

#[test]
fn what_is_refused_is_invalid() {
    for (level, key_and_value) in [
        ("", r#""workerNumbr": 3"#),
        ("", r#""maxOwed": 0"#),
        ("", r#""metricsFile": "/m/cupid.txt""#),
        ("src", r#""insert": "true""#),
        ("src", r#""allowFullScan": 1"#),
        ("des", r#""tls": {"caa": "x"}"#),
        ("columns", r#""x": {"too": "x"}"#),
        ("callback", r#""secret": []"#),
        ("", r#""notify": [{"type": "slak"}]"#),
        ("", r#""notify": [{"type": "slack", "key": "k"}]"#),
    ] {
        let text = with(level, key_and_value);
        problem(&text);
        assert!(!faults(&plain(&text)).is_empty(), "{text}");
    }
}

#[test]
fn each_key_is_described_in_a_sentence() {
    for (place, _) in objects() {
        for (key, schema) in properties(&place) {
            let target = schema["$ref"]
                .as_str()
                .map(|it| at(it.trim_start_matches('#')));
            let described = target.unwrap_or(schema);
            let text = described["description"].as_str().unwrap_or_default();
            assert!(text.len() > 8, "{place}/{key}");
        }
    }
}
