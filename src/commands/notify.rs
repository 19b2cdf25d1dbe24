//! `cupid notify`: tries whether messages arrive, without a database.

use std::fmt::Write as _;

use super::{env, print_data};
use crate::cli::Notify;
use crate::config::{self, Notifications};
use crate::error::{Error, Exit, Result};
use crate::io::notify::{Delivery, host_name, send};
use crate::io::signals::RealClock;
use crate::logic::notify::{Channel, Message, View, request};
use crate::world::Clock as _;

/// `cupid notify`. Exit 1 when a message did not arrive.
pub(super) fn notify(notify: &Notify, clock: &RealClock) -> Result<Exit> {
    let Notifications { name, channels } = config::load_notifications(&notify.config, &env)?;
    let channels = chosen(&channels, notify)?;
    let message = Message::test(&name, &host_name());
    let now_us = clock.now_us();
    if notify.print {
        print(&requests(&channels, &message, now_us))?;
        return Ok(Exit::Done);
    }
    let deliveries = send(&channels, &message, now_us);
    print(&outcomes(&deliveries))?;
    let all_arrived = deliveries.iter().all(|delivery| delivery.outcome.is_ok());
    Ok(if all_arrived {
        Exit::Done
    } else {
        Exit::Attention
    })
}

/// The channels that are meant, at least one.
fn chosen<'a>(channels: &'a [Channel], notify: &Notify) -> Result<Vec<&'a Channel>> {
    if channels.is_empty() {
        return Err(Error::Config {
            path: notify.config.clone(),
            problem: "notify: holds no channel; should hold a list such as \
                      [{\"type\": \"wecom\", \"key\": \"${WECOM_KEY}\"}]"
                .into(),
        });
    }
    let is_meant = |channel: &&Channel| match &notify.channel {
        Some(name) => &channel.name == name,
        None => true,
    };
    let chosen: Vec<&Channel> = channels.iter().filter(is_meant).collect();
    if let Some(name) = notify.channel.as_ref().filter(|_| chosen.is_empty()) {
        let names: Vec<&str> = channels
            .iter()
            .map(|channel| channel.name.as_str())
            .collect();
        return Err(Error::Usage(format!(
            "--channel {name:?}: there is no such channel; there are {}",
            names.join(", ")
        )));
    }
    Ok(chosen)
}

fn requests(channels: &[&Channel], message: &Message, now_us: i64) -> String {
    let shown = channels.iter().map(|channel| {
        let request = request(channel, message, now_us, View::Person).to_string();
        let lines = request.lines().map(|line| match line {
            "" => "\n".to_owned(),
            line => format!("    {line}\n"),
        });
        format!("{}\n{}", channel.name, lines.collect::<String>())
    });
    shown.collect::<Vec<_>>().join("\n")
}

/// One line for each channel, and one more with what helps.
fn outcomes(deliveries: &[Delivery]) -> String {
    let width = deliveries
        .iter()
        .map(|delivery| delivery.channel.chars().count())
        .max()
        .unwrap_or_default();
    let mut text = String::new();
    for Delivery {
        channel,
        took,
        outcome,
    } in deliveries
    {
        // Writing to a String cannot fail.
        let _ = match outcome {
            Ok(()) => writeln!(
                text,
                "{channel:<width$}  sent ({:.2} s)",
                took.as_secs_f64()
            ),
            Err(refusal) => writeln!(text, "{channel:<width$}  {}", refusal.text),
        };
        if let Err(refusal) = outcome
            && let Some(hint) = refusal.hint
        {
            let _ = writeln!(text, "{:<width$}  {hint}", "");
        }
    }
    text
}

fn print(text: &str) -> Result<()> {
    print_data("Write the notifications", text)
}
