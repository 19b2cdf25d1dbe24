//! Receivers in their moods, and what is checked of each callback.

use std::time::Duration;

use cupid::logic::callback::retry::Answer;
use cupid::world::{Callback, Receiver};

use crate::broken::Broken;
use crate::fact::Fact;
use crate::ledger::Sent;
use crate::model::{Event, Model};
use crate::plan::{MS, SECOND};
use crate::table::Content;
use crate::turns::{Call, Work};
use crate::view::{Side, turn_to};

/// No endpoint asks for a longer wait: the clock was set back.
const RETRY_AFTER_MAX_US: i64 = 3_600 * SECOND;

/// How an endpoint answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Good,
    /// 2xx, but nothing is repaired.
    Idle,
    /// 2xx, and what is written is not what was sent.
    Wrong,
    /// Anything.
    Moody,
    Refusing,
    Silent,
    Busy,
}

/// Until when each endpoint asked to be left alone, on the machine's clock.
#[derive(Debug)]
pub(crate) struct Quiet {
    /// By folder and destination: a process knows what is in its own.
    until_us: [Vec<i64>; 2],
}

impl Quiet {
    pub(crate) fn new(destinations: usize) -> Self {
        let nobody = vec![i64::MIN; destinations];
        Self {
            until_us: [nobody.clone(), nobody],
        }
    }

    /// What was asked for is not known any more to who works with this folder.
    pub(crate) fn forget(&mut self, folder: usize) {
        self.until_us[folder].fill(i64::MIN);
    }

    pub(crate) fn forget_of(&mut self, folder: usize, destination: usize) {
        self.until_us[folder][destination] = i64::MIN;
    }

    /// What an audit's endpoints asked for is in the folder of `run` now.
    pub(crate) fn adopt(&mut self) {
        let [run, audit] = &mut self.until_us;
        for (run, audit) in run.iter_mut().zip(audit) {
            *run = (*run).max(std::mem::replace(audit, i64::MIN));
        }
    }

    /// A wait that is over stays over, even when the clock goes back; one that is longer then than any is not believed.
    pub(crate) fn clock_is_set(&mut self, from_us: i64, to_us: i64) {
        for until_us in self.until_us.iter_mut().flatten() {
            let is_believed = until_us.saturating_sub(to_us) <= RETRY_AFTER_MAX_US;
            if *until_us <= from_us || !is_believed {
                *until_us = i64::MIN;
            }
        }
    }
}

/// A callback on its way.
#[derive(Clone, Debug)]
struct Posted {
    number: usize,
    id: i64,
    content: Content,
}

impl Receiver for Side<'_> {
    fn post(&self, callback: &Callback, timeout: Duration) -> Answer {
        let lost = || Answer::Broken("nobody is there to hear it".into());
        let process = self.view.process;
        let mut model = self.view.sim.model();
        if model.is_over(process) {
            return lost();
        }
        let Some((id, content)) = parsed(&callback.body) else {
            let text = format!("A body is no callback: {:?}", callback.body);
            model.fail(Fact::NothingFalse, text);
            return lost();
        };
        let posted = Posted {
            number: self.number,
            id,
            content,
        };
        model.check_webhook_id(process, &posted, callback);
        drop(model);
        turn_to(self.number);
        let timeout_us = i64::try_from(timeout.as_micros()).unwrap_or(i64::MAX);
        let work = Work::Post {
            v: content.v,
            timeout_us,
        };
        let call = Call {
            process,
            name: "post",
            destination: self.number,
            first: id,
            sleeper: 0,
        };
        let mut model = self.view.sim.take_turn(call, work);
        if model.is_over(process) {
            return lost();
        }
        let answer = model.answer(call, &posted);
        // Whatever becomes of the process now, the receiver has heard it.
        if !model.step(process) {
            return lost();
        }
        let tick = model.next_tick();
        let folder = model.processes[process].command.folder();
        if answer.is_success() {
            let fails_over = model.plan.fails_over;
            let ledger = model.ledger(self.number, id);
            ledger.delivered = tick;
            ledger.delivered_v = if fails_over {
                ledger.delivered_v.max(content.v)
            } else {
                content.v
            };
            ledger.settle(process);
            model.end_patience(process, self.number);
            model.quiet.until_us[folder][self.number] = i64::MIN;
            let state = &mut model.processes[process];
            state.tries.remove(&(self.number, id));
            state.taken.insert((self.number, id));
        }
        if let Some(wait) = cupid::logic::callback::retry::asked_to_wait(&answer) {
            let wait_us = i64::try_from(wait.as_micros()).unwrap_or(i64::MAX);
            let until_us = model.machine_now_us(process) + wait_us;
            model.quiet.until_us[folder][self.number] = until_us;
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

impl Model {
    /// The same body of the same detection has the same id.
    fn check_webhook_id(&mut self, process: usize, posted: &Posted, callback: &Callback) {
        let is_id = |(name, _): &&(&str, String)| *name == "webhook-id";
        let id = callback.headers.iter().find(is_id);
        let Some((_, webhook_id)) = id else {
            return self.fail(Fact::SameId, "A callback has no webhook-id".into());
        };
        let folder = self.processes[process].command.folder();
        let ledger = self.ledger(posted.number, posted.id);
        let sent = Sent {
            owed: ledger.owed[folder],
            body: callback.body.clone(),
            webhook_id: webhook_id.clone(),
            settled_by: None,
        };
        let before = ledger.sent[folder].replace(sent.clone());
        let is_same = |before: &Sent| {
            before.owed == sent.owed && sent.owed > 0 && before.settled_by != Some(process)
        };
        let Some(before) = before.filter(is_same) else {
            return;
        };
        if (before.body == sent.body) != (before.webhook_id == sent.webhook_id) {
            let text = format!("{} is sent with {webhook_id} after {before:?}", posted.id);
            self.fail(Fact::SameId, text);
        }
    }

    /// A callback is sent: how long until it is answered.
    pub(crate) fn begin_post(&mut self, call: Call, v: i64, timeout_us: i64) -> i64 {
        let mood = match self.moods[call.destination] {
            Mood::Moody => self.rng.pick(&[
                Mood::Good,
                Mood::Good,
                Mood::Good,
                Mood::Idle,
                Mood::Wrong,
                Mood::Refusing,
                Mood::Silent,
                Mood::Busy,
            ]),
            mood => mood,
        };
        self.check_post(call, v);
        let takes_us = self.rng.between(1, 50 * MS);
        let is_silent = mood == Mood::Silent || takes_us > timeout_us;
        let mood = if is_silent { Mood::Silent } else { mood };
        self.answers.insert(call, mood);
        if is_silent { timeout_us } else { takes_us }
    }

    fn check_post(&mut self, call: Call, v: i64) {
        let Call {
            process,
            destination: number,
            first: id,
            ..
        } = call;
        self.tell(|| format!("[{process}] POST to d{number}: {id} v {v}"));
        let looked = self.processes[process].looked.get(&(number, id)).copied();
        if looked.map(|looked| looked.content.v) != Some(v) {
            let text = format!("{id} is sent with v {v}, but was last read as {looked:?}");
            self.fail(Fact::NewestWins, text);
        }
        // A copy that the condition hides has changed for nobody to see.
        let is_seen = self.plan.is_only_one(id)
            && self.plan.key_of(id).is_some()
            && !(self.plan.destination_where && self.row(id).is_none_or(|row| row.wandered));
        let waits = self.plan.confirm > 0;
        let ledger = self.ledger(number, id);
        let (sent_v, sent_by, prompt) = (ledger.sent_v, ledger.sent_by, ledger.prompt);
        (ledger.sent_v, ledger.sent_by) = (v, process);
        // A run and an audit beside it do not know what the other one has read and is about to send.
        if v < sent_v && self.came_after(process, sent_by) && !self.plan.fails_over {
            self.fail(
                Fact::NewestWins,
                format!("{id} is sent with v {v} after {sent_v}"),
            );
        }
        if looked.is_some_and(|looked| looked.agrees) {
            self.fail(
                Fact::NothingFalse,
                format!("{id} agreed when last looked at"),
            );
        }
        let version = self.table.version(v).map(|(_, content)| content);
        if version.is_some_and(|content| !self.plan.is_in_source(content)) {
            self.fail(
                Fact::NothingFalse,
                format!("{id} does not fulfil the condition"),
            );
        }
        if prompt && waits && is_seen && !self.plan.fails_over {
            let text = format!("every change of {id} was copied to d{number} promptly");
            self.fail(Fact::NothingFalse, text);
        }
        let attempts = self.plan.attempts;
        let state = &mut self.processes[process];
        let tries = state.tries.entry((number, id)).or_default();
        *tries += 1;
        let is_once_too_often = *tries > attempts;
        let (folder, is_dry) = (state.command.folder(), state.command.is_dry());
        if is_once_too_often {
            let text = format!("{id} is tried more than {attempts} times in one run");
            self.fail(Fact::Polite, text);
        }
        if self.machine_now_us(process) < self.quiet.until_us[folder][number] {
            let text = format!("d{number} asked to be left alone and is sent {id}");
            self.fail(Fact::Polite, text);
        }
        self.check_patience(process, number, id);
        if is_dry {
            self.fail(Fact::Polite, format!("A dry run sends {id}"));
        }
    }

    /// What the receiver does and says.
    fn answer(&mut self, call: Call, posted: &Posted) -> Answer {
        let status = |code, seconds: Option<u64>| Answer::Status {
            code,
            retry_after: seconds.map(Duration::from_secs),
        };
        let mood = self.answers.remove(&call).unwrap_or(Mood::Good);
        let repairs = match mood {
            Mood::Good | Mood::Wrong => true,
            Mood::Silent => self.rng.chance(300),
            _ => false,
        };
        if repairs {
            self.repair(posted, mood == Mood::Wrong);
        }
        let answer = match mood {
            Mood::Silent => Answer::TimedOut,
            Mood::Good | Mood::Idle | Mood::Wrong | Mood::Moody => status(204, None),
            Mood::Refusing if self.rng.chance(300) => Answer::Broken("reset".into()),
            Mood::Refusing => status(self.rng.pick(&[500, 500, 404, 301, 100]), None),
            Mood::Busy => {
                let (code, seconds) = (self.rng.pick(&[429, 503]), self.rng.below(20));
                status(code, Some(seconds))
            }
        };
        let Posted { number, id, .. } = posted;
        let process = call.process;
        self.tell(|| format!("[{process}] d{number} answers for {id}: {answer}"));
        answer
    }

    fn repair(&mut self, posted: &Posted, wrongly: bool) {
        let Posted {
            number,
            id,
            content: Content { v, w },
        } = *posted;
        let v = if wrongly { -v } else { v };
        let late = self.writing && self.rng.chance(200);
        let in_us = if late {
            self.rng.between(0, 5 * SECOND)
        } else {
            0
        };
        let event = Event::Apply {
            destination: number,
            id,
            content: Some(Content { v, w }),
            twice: false,
        };
        self.schedule(in_us, event);
        self.wait_until(self.now_us);
    }
}
