//! When to ask for `heartbeatUrl`, so that an outside service notices when cupid stops running.

use serde::{Deserialize, Serialize};

use super::channel::Hook;
use super::request::{HttpRequest, Method};
use crate::error::Exit;

/// At most one heartbeat of a kind in this time, in microseconds.
const INTERVAL_US: i64 = 60_000_000;

/// One heartbeat. Kept from pass to pass, and from process to process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Beat {
    /// When it was asked for, in microseconds since 1970.
    pub at_us: i64,
    /// Whether the pass before it was good.
    pub good: bool,
}

/// The heartbeat that follows a pass, if one is due: after a good pass (0, 1) or a failed one
/// (2, 78), when the one before was of the other kind or is a minute old.
#[must_use]
pub(crate) fn due(last: Option<Beat>, exit: Exit, now_us: i64) -> Option<Beat> {
    let good = match exit {
        Exit::Done | Exit::Attention => true,
        Exit::Failed | Exit::Config => false,
        // No pass was made.
        Exit::Unknown | Exit::Usage | Exit::Locked => return None,
    };
    let is_too_early = last.is_some_and(|last| {
        // A clock that was set back counts as a minute.
        last.good == good && (0..INTERVAL_US).contains(&now_us.saturating_sub(last.at_us))
    });
    (!is_too_early).then_some(Beat {
        at_us: now_us,
        good,
    })
}

/// The request of a heartbeat: the address, or `/fail` below its path.
#[must_use]
pub(crate) fn request(url: &Hook, good: bool) -> HttpRequest {
    let path = url.path.expose();
    let path = if good {
        path.to_owned()
    } else {
        let (path, query) = path.split_at(path.find('?').unwrap_or(path.len()));
        format!("{}/fail{query}", path.trim_end_matches('/'))
    };
    HttpRequest {
        method: Method::Get,
        url: format!("{}{path}", url.origin),
        headers: vec![],
        body: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::channel::Secret;
    use super::*;

    #[test]
    fn a_heartbeat_goes_once_a_minute_and_at_once_when_things_change() {
        let now_us = 1_767_225_600_000_000;
        let last = |ago_s: i64, good: bool| {
            Some(Beat {
                at_us: now_us - ago_s * 1_000_000,
                good,
            })
        };
        for (last, exit, expected) in [
            (None, Exit::Done, Some(true)),
            (None, Exit::Attention, Some(true)),
            (None, Exit::Failed, Some(false)),
            (None, Exit::Config, Some(false)),
            (None, Exit::Locked, None),
            (None, Exit::Usage, None),
            (last(59, true), Exit::Done, None),
            (last(60, true), Exit::Attention, Some(true)),
            (last(1, true), Exit::Failed, Some(false)),
            (last(59, false), Exit::Config, None),
            (last(60, false), Exit::Failed, Some(false)),
            (last(0, false), Exit::Done, Some(true)),
            (last(-1, true), Exit::Done, Some(true)),
            (last(300, true), Exit::Locked, None),
        ] {
            let beat = due(last, exit, now_us);
            assert_eq!(beat.map(|beat| beat.good), expected, "{last:?} {exit:?}");
            assert!(beat.is_none_or(|beat| beat.at_us == now_us));
        }
    }

    #[test]
    fn a_failure_has_an_address_below_the_path() {
        for (path, fail) in [
            ("/ping/0a1b", "/ping/0a1b/fail"),
            ("/ping/0a1b/", "/ping/0a1b/fail"),
            ("/", "/fail"),
            ("/p?rid=1/2", "/p/fail?rid=1/2"),
        ] {
            let url = Hook {
                origin: "https://hc.example:8443".into(),
                path: Secret::new(path),
            };
            let good = request(&url, true);
            assert_eq!(good.url, format!("https://hc.example:8443{path}"));
            let failed = request(&url, false);
            assert_eq!(failed.url, format!("https://hc.example:8443{fail}"));
            assert_eq!((failed.method, failed.body.as_str()), (Method::Get, ""));
        }
    }
}
