//! What `cupid check --json` found.

use serde_json::Value;

/// `error: des[0].table (copy1): …`, and what helps.
pub(crate) type Finding = (String, Vec<String>);

/// The findings whose line begins so: level, key and text with `: ` between them.
#[track_caller]
pub(crate) fn findings(stdout: &str, begin: &str) -> Vec<Finding> {
    let array: Vec<Value> = serde_json::from_str(stdout)
        .unwrap_or_else(|error| panic!("no array of findings: {error}: {stdout}"));
    let mut found: Vec<Finding> = array.iter().map(finding).collect();
    found.retain(|(line, _)| line.starts_with(begin));
    found
}

fn finding(value: &Value) -> Finding {
    let text = |key: &str| value[key].as_str().expect("It is a string");
    let parts = ["level", "key", "text"].map(text);
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let remedies = value["remedy"].as_array().expect("It is an array");
    let remedies = remedies.iter().map(|line| line.as_str().expect("A line"));
    (parts.join(": "), remedies.map(str::to_owned).collect())
}
