//! Receivers in their moods, and what is checked of each callback.

use std::time::Duration;

use cupid::logic::retry::Answer;
use cupid::world::{Callback, Receiver};

use crate::broken::Broken;
use crate::fact::Fact;
use crate::model::{Content, Event, Model};
use crate::plan::{MS, SECOND};
use crate::run::Mood;
use crate::sides::Side;

impl Receiver for Side<'_> {
    fn post(&self, callback: &Callback, timeout: Duration) -> Answer {
        let mut model = self.sim.call();
        let Some((id, content)) = parsed(&callback.body) else {
            model.fail(
                Fact::NothingFalse,
                format!("A body is no callback: {:?}", callback.body),
            );
            return Answer::TimedOut;
        };
        check(&mut model, self.number, id, content);
        let timeout_us = i64::try_from(timeout.as_micros()).unwrap_or(i64::MAX);
        let answer = answer(&mut model, self.number, id, content, timeout_us);
        model.tell(|| format!("POST to d{}: {id} {content:?}: {answer}", self.number));
        let tick = model.next_tick();
        if answer.is_success() {
            let ledger = model.ledger(self.number, id);
            ledger.delivered = tick;
            ledger.delivered_v = content.v;
            model.quiet_until_us[self.number] = i64::MIN;
            model.run.tries.remove(&(self.number, id));
        }
        if let Some(wait) = cupid::logic::retry::asked_to_wait(&answer) {
            let wait_us = i64::try_from(wait.as_micros()).unwrap_or(i64::MAX);
            model.quiet_until_us[self.number] = model.machine_now_us() + wait_us;
            if model.broken == Some(Broken::RetryAfterIgnored) {
                return Answer::Broken("no time".into());
            }
        }
        answer
    }
}

/// The row that a callback is about.
fn parsed(body: &[u8]) -> Option<(i64, Content)> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let number = |name: &str| body["srcColumn"][name].as_i64();
    let (v, w) = (number("v")?, number("w")?);
    Some((number("id")?, Content { v, w }))
}

fn check(model: &mut Model, number: usize, id: i64, content: Content) {
    let read = model.ledger(number, id).read;
    if read != Some(content) {
        let text = format!("{id} is sent as {content:?}, but was last read as {read:?}");
        model.fail(Fact::NewestWins, text);
    }
    let slow = model.plan.confirm > 0;
    let ledger = model.ledger(number, id);
    let (sent_v, agrees, prompt) = (ledger.sent_v, ledger.agrees, ledger.prompt);
    ledger.sent_v = content.v;
    if content.v < sent_v {
        let text = format!("{id} is sent with v {} after {sent_v}", content.v);
        model.fail(Fact::NewestWins, text);
    }
    if agrees {
        model.fail(
            Fact::NothingFalse,
            format!("{id} agreed when last looked at"),
        );
    }
    if prompt && slow {
        let text = format!("every change of {id} was copied to d{number} promptly");
        model.fail(Fact::NothingFalse, text);
    }
    let attempts = model.plan.attempts;
    let tries = model.run.tries.entry((number, id)).or_default();
    *tries += 1;
    if *tries > attempts {
        let text = format!("{id} is tried more than {attempts} times in one run");
        model.fail(Fact::Polite, text);
    }
    if model.machine_now_us() < model.quiet_until_us[number] {
        let text = format!("d{number} asked to be left alone and is sent {id}");
        model.fail(Fact::Polite, text);
    }
}

fn answer(model: &mut Model, number: usize, id: i64, content: Content, timeout_us: i64) -> Answer {
    let status = |code, seconds: Option<u64>| Answer::Status {
        code,
        retry_after: seconds.map(Duration::from_secs),
    };
    let mood = match model.run.moods[number] {
        Mood::Moody => model.rng.pick(&[
            Mood::Good,
            Mood::Good,
            Mood::Good,
            Mood::Idle,
            Mood::Refusing,
            Mood::Silent,
            Mood::Busy,
        ]),
        mood => mood,
    };
    let takes_us = if mood == Mood::Silent {
        timeout_us
    } else {
        model.rng.between(1, 50 * MS)
    };
    let in_time = takes_us <= timeout_us && mood != Mood::Silent;
    let spent_us = takes_us.min(timeout_us);
    model.run.other_us += spent_us;
    model.wait(spent_us);
    let repairs = match mood {
        Mood::Good => true,
        Mood::Silent => model.rng.chance(300),
        _ => false,
    };
    if repairs {
        let late = model.writing && model.rng.chance(200);
        let in_us = if late {
            model.rng.between(0, 5 * SECOND)
        } else {
            0
        };
        model.schedule(in_us, Event::Apply(number, id, Some(content)));
        model.wait(0);
    }
    match mood {
        _ if !in_time => Answer::TimedOut,
        Mood::Good | Mood::Idle | Mood::Moody => status(204, None),
        Mood::Refusing if model.rng.chance(300) => Answer::Broken("reset".into()),
        Mood::Refusing | Mood::Silent => status(500, None),
        Mood::Busy => {
            let (code, seconds) = (model.rng.pick(&[429, 503]), model.rng.below(20));
            status(code, Some(seconds))
        }
    }
}
