//! `Retry-After`, and what follows from an answer.

use std::num::NonZeroU32;
use std::time::Duration;

use cupid::logic::callback::retry::{
    Answer, Endpoint, RETRY_AFTER_MAX, RetryPolicy, Verdict, parse_retry_after, verdict,
};

pub(super) fn run(data: &[u8]) {
    let Some((now, rest)) = data.split_first_chunk::<8>() else {
        return;
    };
    let (now_s, text) = (i64::from_le_bytes(*now), String::from_utf8_lossy(rest));
    let asked = parse_retry_after(&text, now_s);
    let later = parse_retry_after(&text, now_s.saturating_add(60));
    assert_eq!(
        asked.is_some(),
        later.is_some(),
        "whether {text:?} can be read depends on no clock"
    );
    assert!(later <= asked, "{text:?} is further away a minute later");
    if let Ok(seconds) = text.parse::<u32>()
        && !text.starts_with('+')
    {
        assert_eq!(asked, Some(Duration::from_secs(seconds.into())));
    }
    let policy = RetryPolicy::new(Duration::from_secs(1), NonZeroU32::MIN.saturating_add(2));
    for code in [200, 302, 404, 429, 503] {
        let answer = Answer::Status {
            code,
            retry_after: asked,
        };
        let mut endpoint = Endpoint::new(&policy, 8);
        endpoint.record(&answer);
        assert!(
            endpoint
                .retry_after()
                .is_none_or(|wait| wait <= RETRY_AFTER_MAX)
        );
        match verdict(&policy, 1, &answer, 1.0) {
            Verdict::Delivered => assert_eq!(code, 200),
            Verdict::TryAgain { delay } => assert!(delay <= RETRY_AFTER_MAX && code != 200),
            Verdict::StayOwed { .. } => panic!("the first of three tries is not the last"),
        }
    }
}
