//! Configurations: whatever a file holds, it is read or refused, in lines that a terminal and a log can take, and no refusal
//! shows a secret.

use std::path::Path;

use arbitrary::{Result, Unstructured};
use cupid::config::{Job, Surroundings, parse};
use serde_json::{Map, Value};

/// Part of every password and secret here; a part of it is enough to be found in what is said.
const SECRET: &str = "Zq9Zq9Zq9Zq9Zq9Zq9";
const FOUND: &str = "Zq9Zq9";

const SAMPLE: &str = r#"{
    "name": "user", "workerNumber": 3, "logDir": "/tmp", "callbackWorkerIntervalMillisecond": 1000,
    "taskWorkerIntervalMillisecond": 1000, "confirmDelayMillisecond": 10, "deliverySecond": 60, "maxOwed": 1000,
    "src": {
        "dsn": "mysql:dbname=my;host=127.0.0.1;port=3306", "user": "test", "password": "SECRET", "table": "my.user",
        "idColumn": "id", "byColumn": "number", "where": "id > 0", "insert": true, "insertStartId": 5,
        "insertIntervalMillisecond": 2000, "lateCommitSecond": 60, "update": true, "updateColumn": "update_time",
        "updateIntervalMillisecond": 2000, "updateScanSecond": 5, "updateTimeFormate": "Y-m-d H:i:s", "timeZone": "Asia/Shanghai",
        "cacheFilePath": "/tmp", "pushbearSendKey": "SECRET", "tls": {"ca": "/ca", "cert": "/c", "key": "/k", "verify": true}
    },
    "des": [{
        "name": "d", "dsn": "mysql://test:SECRET@db:3306/my2", "table": "user", "byColumn": "number", "where": "1",
        "columns": {"number": "number", "name": {"to": "name", "tolerance": 0.01, "trim": true, "ignoreCase": true, "nullEqualsEmpty": true}},
        "callbackNotification": {
            "url": "127.0.0.1:20000/hook?token=SECRET", "secret": "SECRET", "headers": {"Authorization": "SECRET", "X-Token": "${TOKEN}"},
            "timeoutMillisecond": 1, "attempts": 3, "concurrency": 8, "numbersAsStrings": true
        }
    }],
    "notify": [
        {"type": "slack", "url": "http://h/SECRET", "name": "s"}, {"type": "wecom", "key": "SECRET", "baseUrl": "http://b"},
        {"type": "serverchan", "sendKey": "SECRET"}, {"type": "dingtalk", "token": "SECRET", "secret": "SECRET"},
        {"type": "feishu", "url": "http://h/SECRET", "secret": "SECRET"},
        {"type": "webhook", "url": "http://h/?k=SECRET", "secret": "SECRET"}, {"type": "command", "command": ["/bin/page", "x"]}
    ],
    "heartbeatUrl": "http://h/SECRET", "metricsFile": "/m.prom"
}"#;

pub(super) fn run(data: &[u8]) {
    let Some((&how, rest)) = data.split_first() else {
        return;
    };
    let sample = SAMPLE.replace("SECRET", SECRET);
    let mut u = Unstructured::new(rest);
    let _ = match how % 3 {
        0 => {
            let _ = read(&String::from_utf8_lossy(rest));
            Ok(())
        }
        1 => other_values(&mut u, &sample),
        _ => other_characters(&mut u, sample),
    };
}

/// The sample with other values in some places.
fn other_values(u: &mut Unstructured<'_>, sample: &str) -> Result<()> {
    let mut config: Value = serde_json::from_str(sample).expect("the sample is JSON");
    for _ in 0..u.int_in_range(0..=3)? {
        change(u, &mut config)?;
    }
    no_secret_in(&config.to_string());
    Ok(())
}

/// The sample with characters lost, added or replaced, as by a slip of the hand.
fn other_characters(u: &mut Unstructured<'_>, mut text: String) -> Result<()> {
    for _ in 0..u.int_in_range(1..=3)? {
        let places = 0..=text.len().saturating_sub(1);
        let at = u.int_in_range(places)?;
        match u.int_in_range(0..=3)? {
            0 => drop(text.remove(at)),
            1 => text.insert(
                at,
                *u.choose(&[
                    '"', '\\', '{', '}', '[', ']', ',', ':', '/', '\n', '\'', '$', '#', 'x',
                    '\u{7f}',
                ])?,
            ),
            2 => text.replace_range(at..=at, "\""),
            _ => text.truncate(at),
        }
        if text.is_empty() {
            break;
        }
    }
    no_secret_in(&text);
    Ok(())
}

fn change(u: &mut Unstructured<'_>, config: &mut Value) -> Result<()> {
    let mut place = config;
    // Down to a random depth, then something else stands there.
    for _ in 0..u.int_in_range(1..=5)? {
        let length = match &*place {
            Value::Object(map) => map.len(),
            Value::Array(list) => list.len(),
            _ => 0,
        };
        if length == 0 {
            break;
        }
        let at = u.int_in_range(0..=length - 1)?;
        if u.ratio(1, 8)?
            && let Value::Object(map) = place
        {
            return rename(u, map, at);
        }
        place = match place {
            Value::Object(map) => map.values_mut().nth(at).expect("it is below the length"),
            Value::Array(list) => &mut list[at],
            _ => break,
        };
    }
    let before = place.take();
    *place = match u.int_in_range(0..=8)? {
        0 => Value::Null,
        1 => u.arbitrary::<bool>()?.into(),
        2 => u.arbitrary::<i64>()?.into(),
        3 => u.arbitrary::<&str>()?.into(),
        4 => Value::from(vec![before]),
        5 => Value::Object([("x".to_owned(), before)].into_iter().collect()),
        6 => match before {
            Value::String(text) => format!("{}{text}", u.arbitrary::<&str>()?).into(),
            other => other.to_string().into(),
        },
        7 => match before {
            Value::String(text) => format!("{text}{}", u.arbitrary::<&str>()?).into(),
            other => other,
        },
        _ => (*u.choose(&[
            "${TOKEN}",
            "${MISSING}",
            "${",
            "whsec_",
            "mysql://",
            "mysql:",
            "a.b.c",
            "U",
            "Y-m",
            "+08:00",
            "-1",
            "",
        ])?)
        .into(),
    };
    Ok(())
}

fn rename(u: &mut Unstructured<'_>, map: &mut Map<String, Value>, at: usize) -> Result<()> {
    let key = map.keys().nth(at).expect("it is below the length").clone();
    let value = map.remove(&key).expect("it is there");
    let name = match u.int_in_range(0..=2)? {
        0 => u.arbitrary::<&str>()?.to_owned(),
        1 => key.to_uppercase(),
        _ => format!("{key}x"),
    };
    map.insert(name, value);
    Ok(())
}

/// The secrets stand where secrets belong, or in nothing that is read: no word about them is said.
fn no_secret_in(text: &str) {
    match read(text) {
        Ok(job) => {
            assert!(
                job.notes.iter().all(|note| !note.contains(FOUND)),
                "{:?}",
                job.notes
            );
        }
        Err(problem) => assert!(
            !problem.contains(FOUND),
            "the refusal shows a secret: {problem}\n{text}"
        ),
    }
}

fn read(text: &str) -> std::result::Result<Job, String> {
    let env = |name: &str| (name == "TOKEN").then(|| SECRET.to_owned());
    let surroundings = Surroundings {
        env: &env,
        read_file: &|_| Err(std::io::ErrorKind::NotFound.into()),
        cores: 2,
        readable_by_others: true,
    };
    parse(text, Path::new("user.json"), &surroundings).map_err(|error| {
        let problem = error.to_string();
        let unfit = |c: char| c.is_control() && c != '\n';
        assert!(
            !problem.contains(unfit),
            "a terminal would obey {problem:?}"
        );
        problem
    })
}
