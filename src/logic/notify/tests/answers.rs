use super::*;

fn robots() -> Vec<Robot> {
    all_kinds()
        .into_iter()
        .map(|channel| channel.robot)
        .collect()
}

/// What is said of an answer: `sent`, or why not.
fn said(robot: &Robot, status: u16, body: &[u8]) -> String {
    let answer = Answer::Http {
        status,
        body: body.to_vec(),
    };
    match judge(robot, &answer) {
        Ok(()) => "sent".into(),
        Err(refusal) => refusal.text,
    }
}

/// Whose answer it is, its status, its body, and what is said of it.
const ANSWERS: &[(&str, u16, &str, &str)] = &[
    (
        "serverchan",
        200,
        r#"{"code":0,"message":"","data":{"error":"SUCCESS"}}"#,
        "sent",
    ),
    (
        "serverchan",
        200,
        r#"{"code":40001,"message":"[AUTH]错误的Key"}"#,
        "refused: 40001, [AUTH]错误的Key",
    ),
    (
        "serverchan",
        400,
        r#"{"message":"bad","code":40001}"#,
        "refused: 40001, bad",
    ),
    ("wecom", 200, r#"{"errcode":0,"errmsg":"ok"}"#, "sent"),
    (
        "wecom",
        200,
        r#"{"errcode":93000,"errmsg":"invalid webhook url"}"#,
        "refused: 93000, invalid webhook url",
    ),
    ("wecom", 200, r#"{"errcode":45009}"#, "refused: 45009"),
    (
        "wecom",
        200,
        r#"{"code":0}"#,
        "refused: status 200 without a code",
    ),
    ("dingtalk", 200, r#"{"errcode":0,"errmsg":"ok"}"#, "sent"),
    (
        "dingtalk",
        200,
        r#"{"errcode":310000,"errmsg":"keywords not in content"}"#,
        "refused: 310000, keywords not in content",
    ),
    ("feishu", 200, r#"{"code":0,"msg":"success"}"#, "sent"),
    (
        "feishu",
        200,
        r#"{"StatusCode":0,"StatusMessage":"success"}"#,
        "sent",
    ),
    (
        "feishu",
        200,
        r#"{"code":19021,"msg":"sign match fail","StatusCode":0}"#,
        "refused: 19021, sign match fail",
    ),
    (
        "feishu",
        200,
        r#"{"StatusCode":1,"StatusMessage":"no"}"#,
        "refused: 1, no",
    ),
    ("feishu", 200, "{}", "refused: status 200 without a code"),
    ("slack", 200, "ok", "sent"),
    ("slack", 200, "", "sent"),
    ("slack", 204, "", "sent"),
    ("slack", 200, r#"{"success":true}"#, "sent"),
    (
        "slack",
        200,
        r#"{"success":false,"error":"no"}"#,
        "refused: 200, no",
    ),
    ("slack", 403, "invalid_token", "refused: 403, invalid_token"),
    ("slack", 500, "", "refused: status 500"),
    ("slack", 302, "ok", "refused: status 302"),
    ("webhook", 202, "whatever", "sent"),
    ("webhook", 410, "", "refused: status 410"),
    ("pushbear", 200, r#"{"code":0}"#, "sent"),
    (
        "pushbear",
        200,
        r#"{"code":1,"message":"下线"}"#,
        "refused: 1, 下线",
    ),
    // An error status with a code that says "fine" is no success.
    ("wecom", 502, r#"{"errcode":0}"#, "refused: status 502"),
    ("wecom", 302, "", "refused: status 302"),
    (
        "dingtalk",
        200,
        "<html>",
        "refused: status 200 without a code",
    ),
    (
        "dingtalk",
        200,
        r#"{"errcode":"0"}"#,
        "refused: status 200 without a code",
    ),
    ("dingtalk", 200, "[0]", "refused: status 200 without a code"),
    ("dingtalk", 200, "", "refused: status 200 without a code"),
];

#[test]
fn a_robot_that_answers_200_with_a_code_has_refused() {
    let robots = robots();
    for (name, status, body, expected) in ANSWERS {
        let robot = robots.iter().find(|robot| robot.type_name() == *name);
        let said = said(robot.unwrap(), *status, body.as_bytes());
        assert_eq!(&said, expected, "{name}: {body}");
    }
}

#[test]
fn common_codes_are_explained() {
    let robots = robots();
    for (number, code, words) in [
        (0, 40_001, "sendKey"),
        (1, 93_000, "no such key"),
        (1, 45_009, "too many"),
        (2, 310_000, "keyword cupid"),
        (2, 130_101, "too many"),
        (3, 19_021, "clock"),
        (3, 19_024, "keyword"),
        (7, 1, "serverchan"),
    ] {
        let body = format!("{{\"errcode\":{code},\"code\":{code}}}");
        let answer = Answer::Http {
            status: 200,
            body: body.into(),
        };
        let hint = judge(&robots[number], &answer).unwrap_err().hint;
        assert!(hint.unwrap_or_default().contains(words), "{code}: {hint:?}");
    }
}

#[test]
fn a_robots_words_are_one_short_line_without_a_secret() {
    let wecom = &robots()[1];
    let long = format!(
        "{{\"errcode\":1,\"errmsg\":\"a\\u001b[31m\\n{}\"}}",
        "é".repeat(500)
    );
    let text = said(wecom, 200, long.as_bytes());
    assert!(text.starts_with("refused: 1, a [31m é"), "{text}");
    assert_eq!(text.chars().count(), "refused: 1, ".chars().count() + 120);
    let hooks = [
        (1, "your hidden-key is wrong"),
        (2, "hidden-token"),
        (3, "no hook /open-apis/bot/v2/hook/hidden-hook"),
        (4, "hidden-hook"),
    ];
    for (number, words) in hooks {
        let body = format!("{{\"errcode\":7,\"code\":7,\"errmsg\":\"{words}\"}}");
        let text = said(&robots()[number], 200, body.as_bytes());
        assert!(!text.contains("hidden"), "{text}");
        assert!(text.contains("repeats a secret"), "{text}");
    }
    assert!(said(wecom, 200, b"\xff\xfe").starts_with("refused: status 200"));
}

#[test]
fn a_command_has_to_end_with_0_in_time() {
    let command = &robots()[6];
    for (answer, expected) in [
        (Answer::Exited { code: Some(0) }, Ok(())),
        (
            Answer::Exited { code: Some(3) },
            Err("failed: exit status 3"),
        ),
        (
            Answer::Exited { code: None },
            Err("failed: a signal ended it"),
        ),
        (
            Answer::TimedOut,
            Err("failed: still at work after 4 s, and ended"),
        ),
        (
            Answer::Broken("Cannot be started: No such file".into()),
            Err("failed: Cannot be started: No such file"),
        ),
    ] {
        let judged = judge(command, &answer).map_err(|refusal| refusal.text);
        assert_eq!(
            judged.as_ref().map_err(String::as_str),
            expected.as_ref().map_err(|e| *e)
        );
    }
    let silent = judge(&robots()[1], &Answer::TimedOut).unwrap_err();
    assert_eq!(silent.text, "failed: no answer within 5 s");
}
