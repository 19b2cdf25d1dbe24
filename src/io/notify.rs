//! Sends messages to the channels of `notify`.
//!
//! All channels are asked side by side, each once, within [`TIME_MAX`] in all, whatever the other
//! sides do. A message that did not arrive is a value, not an error.

mod command;

use std::time::{Duration, Instant};

use super::http;
use crate::logic::notify::{Channel, Message, Refusal, Request, View, judge, request};

/// The most that all messages together take.
pub(crate) const TIME_MAX: Duration = Duration::from_secs(5);

/// What came of one message.
#[derive(Debug)]
pub(crate) struct Delivery {
    /// The channel's name.
    pub channel: String,
    /// How long it took.
    pub took: Duration,
    /// Whether it arrived, and if not, why.
    pub outcome: Result<(), Refusal>,
}

/// Sends a message to each of these channels. `now_us` is the time in microseconds since 1970,
/// which is signed.
#[must_use]
pub(crate) fn send(channels: &[&Channel], message: &Message, now_us: i64) -> Vec<Delivery> {
    std::thread::scope(|scope| {
        let all: Vec<_> = channels
            .iter()
            .map(|channel| {
                let work = move || send_one(channel, message, now_us);
                let thread = std::thread::Builder::new().spawn_scoped(scope, work);
                (channel, thread)
            })
            .collect();
        all.into_iter()
            .map(|(channel, thread)| {
                let sent = thread.ok().and_then(|thread| thread.join().ok());
                sent.unwrap_or_else(|| Delivery {
                    channel: channel.name.clone(),
                    took: Duration::ZERO,
                    outcome: Err(Refusal {
                        text: "failed: the system gave no thread to send it".into(),
                        hint: None,
                    }),
                })
            })
            .collect()
    })
}

fn send_one(channel: &Channel, message: &Message, now_us: i64) -> Delivery {
    let began = Instant::now();
    let answer = match request(channel, message, now_us, View::Service) {
        Request::Http(request) => http::exchange(&request, TIME_MAX),
        Request::Command(request) => command::run(&request),
    };
    Delivery {
        channel: channel.name.clone(),
        took: began.elapsed(),
        outcome: judge(&channel.robot, &answer),
    }
}

/// The name of this machine.
#[must_use]
pub(crate) fn host_name() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}
