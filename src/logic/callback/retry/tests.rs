use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn policy(attempts: u32) -> RetryPolicy {
    RetryPolicy::new(SECOND, NonZeroU32::new(attempts).unwrap())
}

fn status(code: u16) -> Answer {
    Answer::Status {
        code,
        retry_after: None,
    }
}

fn wait(code: u16, seconds: u64) -> Answer {
    Answer::Status {
        code,
        retry_after: Some(Duration::from_secs(seconds)),
    }
}

fn broken() -> Answer {
    Answer::Broken("Connection refused".to_owned())
}

#[test]
fn a_first_delay_above_the_longest_one_is_the_longest() {
    for (first_delay, expected) in [
        (2 * DELAY_MAX, 2 * DELAY_MAX),
        (RETRY_AFTER_MAX + SECOND, RETRY_AFTER_MAX),
        (Duration::MAX, RETRY_AFTER_MAX),
    ] {
        let policy = RetryPolicy::new(first_delay, NonZeroU32::MIN);
        for attempt in [1, 2, 40] {
            assert_eq!(policy.delay(attempt, 1.0), expected, "try {attempt}");
        }
    }
}

#[test]
fn delays_double_up_to_the_longest_and_jitter_takes_up_to_half_off() {
    let policy = policy(3);
    for (attempt, nominal_s) in [
        (0, 1),
        (1, 1),
        (2, 2),
        (3, 4),
        (9, 256),
        (10, 300),
        (33, 300),
        (u32::MAX, 300),
    ] {
        let nominal = Duration::from_secs(nominal_s);
        assert_eq!(policy.delay(attempt, 0.0), nominal / 2, "try {attempt}");
        assert_eq!(policy.delay(attempt, 0.5), nominal * 3 / 4, "try {attempt}");
        for jitter in [1.0, 7.0, f64::NAN, f64::INFINITY] {
            assert_eq!(policy.delay(attempt, jitter), nominal, "try {attempt}");
        }
        assert_eq!(policy.delay(attempt, -1.0), nominal / 2, "try {attempt}");
    }
}

#[test]
fn delays_over_runs_double_up_to_an_hour() {
    let second = RetryPolicy::new(Duration::from_secs(1), NonZeroU32::MIN);
    for (runs, expected_s) in [
        (0, 1),
        (1, 1),
        (2, 2),
        (12, 2_048),
        (13, 3_600),
        (u32::MAX, 3_600),
    ] {
        let delay = second.delay_over_runs(runs, 1.0);
        assert_eq!(delay, Duration::from_secs(expected_s), "{runs}");
        assert_eq!(second.delay_over_runs(runs, 0.0), delay / 2, "{runs}");
    }
}

#[test]
fn every_answer_at_every_try_has_its_verdict() {
    let policy = policy(3);
    let mut answers: Vec<(Answer, bool, Option<Duration>)> = vec![
        (Answer::TimedOut, false, None),
        (broken(), false, None),
        (status(0), false, None),
        (status(999), false, None),
    ];
    for code in 100..=599 {
        let success = (200..=299).contains(&code);
        let asked = (!success).then_some(Duration::from_secs(30));
        let asked_too_much = (!success).then_some(RETRY_AFTER_MAX);
        answers.push((status(code), success, None));
        answers.push((wait(code, 30), success, asked));
        answers.push((wait(code, u64::MAX), success, asked_too_much));
    }
    for (answer, success, asked) in answers {
        for attempt in 0..=5 {
            let nominal = Duration::from_secs(if attempt > 1 { 2 } else { 1 });
            let expected = if success {
                Verdict::Delivered
            } else if attempt < 3 {
                Verdict::TryAgain {
                    delay: asked.unwrap_or(nominal),
                }
            } else {
                Verdict::StayOwed { not_before: asked }
            };
            assert_eq!(
                verdict(&policy, attempt, &answer, 1.0),
                expected,
                "{answer:?} at try {attempt}"
            );
        }
    }
}

#[test]
fn a_short_retry_after_does_not_shorten_the_delay() {
    assert_eq!(
        verdict(&policy(3), 2, &wait(429, 1), 1.0),
        Verdict::TryAgain { delay: 2 * SECOND }
    );
}

/// Sends rows in rounds as delivery does, `concurrency` at once; what is under way at a pause still arrives.
/// Returns the requests, the tries that ran into the timeout one after the other, and the rows delivered.
fn deliver(
    rows: usize,
    attempts: u32,
    concurrency: usize,
    answer: impl Fn(usize, u32) -> Answer,
) -> (usize, usize, usize) {
    let policy = policy(attempts);
    let mut endpoint = Endpoint::new(&policy, concurrency);
    let mut tries = vec![0_u32; rows];
    let mut delivered = vec![false; rows];
    let (mut requests, mut waits) = (0, 0);
    loop {
        let mut open: Vec<usize> = (0..rows)
            .filter(|&row| !delivered[row] && tries[row] < attempts)
            .collect();
        open.sort_by_key(|&row| tries[row]);
        if open.is_empty() {
            break;
        }
        for batch in open.chunks(concurrency) {
            let answers: Vec<_> = batch.iter().map(|&row| answer(row, tries[row])).collect();
            waits += usize::from(answers.contains(&Answer::TimedOut));
            for (&row, answer) in batch.iter().zip(&answers) {
                requests += 1;
                tries[row] += 1;
                delivered[row] = answer.is_success();
                endpoint.record(answer);
            }
            if endpoint.health() != Health::Fine {
                break;
            }
        }
        if endpoint.next_round() == Health::GiveUp {
            break;
        }
    }
    let delivered = delivered.iter().filter(|&&row| row).count();
    (requests, waits, delivered)
}

#[test]
fn an_endpoint_that_refuses_everything_costs_some_dozens_of_requests() {
    for answer in [status(500), status(301), broken(), wait(503, 1)] {
        for concurrency in [1, 8, 16] {
            let (requests, _, _) = deliver(300, 3, concurrency, |_, _| answer.clone());
            assert!(requests <= 64, "{requests} requests for {answer:?}");
        }
    }
}

#[test]
fn an_endpoint_that_hangs_costs_one_or_two_timeouts() {
    for rows in [1, 3, 8, 300] {
        for concurrency in [1, 8, 256] {
            let (_, waits, _) = deliver(rows, 3, concurrency, |_, _| Answer::TimedOut);
            assert!(waits <= 2, "{waits} timeouts for {rows} rows");
        }
    }
}

#[test]
fn an_endpoint_that_fails_once_for_each_row_gets_all_of_them() {
    let (requests, _, delivered) = deliver(300, 3, 8, |row, tries| {
        status(if tries == 0 && row % 2 == 0 { 500 } else { 204 })
    });
    assert_eq!((requests, delivered), (450, 300));
}

#[test]
fn an_endpoint_that_is_back_after_the_first_delay_gets_everything() {
    let (_, _, delivered) = deliver(300, 3, 8, |row, tries| {
        status(if tries == 0 && row < 16 { 500 } else { 200 })
    });
    assert_eq!(delivered, 300);
}

#[test]
fn rows_that_are_always_refused_do_not_hold_up_the_others() {
    let (_, _, delivered) = deliver(300, 3, 8, |row, _| status(if row < 16 { 500 } else { 200 }));
    assert_eq!(delivered, 284);
}

#[test]
fn an_endpoint_that_limits_the_rate_gets_everything_a_few_rows_a_round() {
    let (_, _, delivered) = deliver(300, 3, 8, |row, tries| {
        if row % 8 == 7 && tries == 0 {
            wait(429, 1)
        } else {
            status(200)
        }
    });
    assert_eq!(delivered, 300);
}

#[test]
fn a_single_slow_answer_is_tried_again_even_one_at_a_time() {
    let (_, _, delivered) = deliver(1, 3, 1, |_, tries| {
        if tries == 0 {
            Answer::TimedOut
        } else {
            status(200)
        }
    });
    assert_eq!(delivered, 1);
}

#[test]
fn success_resets_the_counts() {
    let mut endpoint = Endpoint::new(&policy(3), 8);
    for answer in [Answer::TimedOut, broken()] {
        for _ in 0..100 {
            for _ in 0..7 {
                assert_eq!(endpoint.record(&answer), Health::Fine);
            }
            assert_eq!(endpoint.record(&status(200)), Health::Fine);
        }
    }
}

#[test]
fn the_longest_wait_asked_for_in_a_round_counts() {
    let mut endpoint = Endpoint::new(&policy(3), 8);
    for (answer, expected) in [
        (wait(429, 5), Some(5)),
        (wait(503, 20), Some(20)),
        (wait(429, 1), Some(20)),
        (wait(500, 60), Some(20)),
        (status(200), Some(20)),
    ] {
        assert_eq!(endpoint.record(&answer), Health::Pause);
        assert_eq!(endpoint.retry_after(), expected.map(Duration::from_secs));
    }
    assert_eq!(endpoint.next_round(), Health::Fine);
    assert_eq!(endpoint.retry_after(), None);
    assert!(!endpoint.given_up());
}

#[test]
fn retry_after_is_seconds_or_a_date_and_garbage_is_neither() {
    // Sun, 06 Nov 1994 08:49:37 GMT
    let date_s = 784_111_777;
    for (value, now_s, expected) in [
        ("0", 0, Some(0)),
        ("120", 0, Some(120)),
        (" 120\t", 0, Some(120)),
        ("99999999999999999999999", 0, Some(u64::MAX)),
        ("Sun, 06 Nov 1994 08:49:37 GMT", date_s - 90, Some(90)),
        ("Sunday, 06-Nov-94 08:49:37 GMT", date_s - 90, Some(90)),
        ("Sun Nov  6 08:49:37 1994", date_s - 90, Some(90)),
        ("Sun, 06 Nov 1994 08:49:37 GMT", date_s, Some(0)),
        ("Sun, 06 Nov 1994 08:49:37 GMT", i64::MAX, Some(0)),
        ("", 0, None),
        ("-1", 0, None),
        ("+1", 0, None),
        ("1.5", 0, None),
        ("soon", 0, None),
        ("١٢", 0, None),
        ("Mon, 06 Nov 1994 08:49:37 GMT", 0, None),
        ("Sun, 06 Nov 1994 25:49:37 GMT", 0, None),
        ("Sun, 06 Nov 1994 08:49:37 GMT and more", 0, None),
    ] {
        assert_eq!(
            parse_retry_after(value, now_s),
            expected.map(Duration::from_secs),
            "{value:?}"
        );
    }
    let far = "Sun, 06 Nov 1994 08:49:37 GMT";
    assert!(parse_retry_after(far, i64::MIN).is_some());
}

#[test]
fn an_answer_is_told_in_a_few_words_and_a_success_asks_for_no_wait() {
    let status = |code| Answer::Status {
        code,
        retry_after: Some(Duration::from_secs(7)),
    };
    assert_eq!(status(503).to_string(), "status 503");
    assert_eq!(Answer::TimedOut.to_string(), "no answer in time");
    assert_eq!(Answer::Broken("it broke".into()).to_string(), "it broke");
    assert_eq!(status(200).retry_after(), None);
    assert_eq!(status(404).retry_after(), Some(Duration::from_secs(7)));
    assert_eq!(policy(5).attempts(), 5);
}

/// Records the same answer so many times; what the last one made of the endpoint.
fn repeated(endpoint: &mut Endpoint, answer: &Answer, times: usize) -> Health {
    (0..times).map(|_| endpoint.record(answer)).last().unwrap()
}

#[test]
fn only_a_round_in_vain_makes_the_next_one_end_at_a_few_probes() {
    let mut endpoint = Endpoint::new(&policy(9), 4);
    assert_eq!(repeated(&mut endpoint, &broken(), 15), Health::Fine);
    assert_eq!(endpoint.record(&broken()), Health::Pause);
    assert_eq!(endpoint.next_round(), Health::Fine);
    assert_eq!(repeated(&mut endpoint, &broken(), 3), Health::Fine);
    assert_eq!(endpoint.record(&broken()), Health::Pause);

    // A success, or an end before the full count, and the round was not in vain.
    for begin in [status(200), broken()] {
        let mut endpoint = Endpoint::new(&policy(9), 4);
        endpoint.record(&begin);
        if begin.is_success() {
            assert_eq!(repeated(&mut endpoint, &broken(), 16), Health::Pause);
        }
        endpoint.next_round();
        assert_eq!(repeated(&mut endpoint, &broken(), 15), Health::Fine);
    }
}

#[test]
fn two_rounds_of_nothing_but_timeouts_end_the_run_and_nothing_less_does() {
    let mut endpoint = Endpoint::new(&policy(9), 8);
    endpoint.record(&Answer::TimedOut);
    assert_eq!(endpoint.next_round(), Health::Fine);
    endpoint.record(&broken());
    endpoint.record(&Answer::TimedOut);
    assert_eq!(endpoint.next_round(), Health::Fine, "it answered one");
    endpoint.record(&Answer::TimedOut);
    assert_eq!(endpoint.next_round(), Health::Fine);
    assert_eq!(endpoint.next_round(), Health::Fine, "nothing was sent");
    assert!(!endpoint.given_up());
    endpoint.record(&Answer::TimedOut);
    assert_eq!(endpoint.next_round(), Health::GiveUp);
    assert!(endpoint.given_up());
}
