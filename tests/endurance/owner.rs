//! The owner's endpoints: they write down what comes, repair the copy, and now and then fail in one way or another.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use cupid::logic::callback::signature::{Received, verify};

use crate::common::{Answer, Callback, Receiver};
use crate::copy::{Content, Copy};
use crate::ledger::{Call, Healer, Ledger, version_of};
use crate::rng::Rng;

/// What an endpoint does with one callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Repairs,
    /// Answers 200 and repairs a little later.
    RepairsLater,
    /// Repairs, and the answer gets lost.
    LosesAnswer,
    Refuses,
    AsksForTime,
    BreaksOff,
    Hangs,
}

/// How many of a hundred callbacks meet which mood; the others are simply repaired.
const MOODS: [(Mood, u64); 6] = [
    (Mood::RepairsLater, 4),
    (Mood::LosesAnswer, 4),
    (Mood::Refuses, 8),
    (Mood::AsksForTime, 1),
    (Mood::BreaksOff, 3),
    (Mood::Hangs, 1),
];
/// Signs every callback. The word in it is what no output of the program may hold.
pub(crate) const SECRET: &str = "a hidden secret of the endpoints";
const TOLERANCE_S: u64 = 300;
const REPAIRED_AFTER_MAX: Duration = Duration::from_millis(400);

/// Where on the way of a callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// It has come.
    Arrival,
    /// The copy is repaired, the callback not answered.
    Repair,
}

/// Holds the callbacks that come to a certain point until the process that sent them is dead.
#[derive(Default)]
pub(crate) struct Trap {
    set: Mutex<Option<At>>,
    sprung: AtomicBool,
    opened: Condvar,
}

impl Trap {
    fn set_at(&self) -> MutexGuard<'_, Option<At>> {
        self.set.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set(&self, at: At) {
        self.sprung.store(false, Ordering::SeqCst);
        *self.set_at() = Some(at);
    }

    /// Whether a callback is held.
    pub(crate) fn is_sprung(&self) -> bool {
        self.sprung.load(Ordering::SeqCst)
    }

    /// Lets everything go.
    pub(crate) fn open(&self) {
        *self.set_at() = None;
        self.opened.notify_all();
    }

    fn pass(&self, here: At) {
        let mut set = self.set_at();
        while *set == Some(here) {
            self.sprung.store(true, Ordering::SeqCst);
            set = self
                .opened
                .wait(set)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// What all endpoints share.
pub(crate) struct Owner {
    ledger: Arc<Ledger>,
    copies: Vec<Arc<Copy>>,
    pub(crate) trap: Trap,
    healthy: AtomicBool,
    callbacks: AtomicU64,
    /// Repairs that were promised and are not done.
    promised: AtomicU64,
}

impl Owner {
    /// Answers at these receivers, one for each copy. Their paths end with the number of the run.
    pub(crate) fn new(
        ledger: &Arc<Ledger>,
        copies: &[Arc<Copy>],
        receivers: &[Receiver],
    ) -> Arc<Self> {
        let owner = Arc::new(Self {
            ledger: Arc::clone(ledger),
            copies: copies.to_vec(),
            trap: Trap::default(),
            healthy: AtomicBool::new(false),
            callbacks: AtomicU64::new(0),
            promised: AtomicU64::new(0),
        });
        for (copy, receiver) in receivers.iter().enumerate() {
            let owner = Arc::clone(&owner);
            receiver.answer(move |callback| owner.answer(copy, callback));
        }
        owner
    }

    /// From now on every callback is repaired and answered.
    pub(crate) fn recover(&self) {
        self.healthy.store(true, Ordering::SeqCst);
    }

    /// Nothing is left to repair of what was answered 200.
    pub(crate) fn is_idle(&self) -> bool {
        self.promised.load(Ordering::SeqCst) == 0
    }

    fn mood(&self) -> Mood {
        let number = self.callbacks.fetch_add(1, Ordering::Relaxed);
        if self.healthy.load(Ordering::SeqCst) {
            return Mood::Repairs;
        }
        let mut drawn = Rng::new(number).below(100);
        for (mood, of_hundred) in MOODS {
            if drawn < of_hundred {
                return mood;
            }
            drawn -= of_hundred;
        }
        Mood::Repairs
    }

    fn answer(self: &Arc<Self>, copy: usize, callback: &Callback) -> Answer {
        let at = Instant::now();
        let run = callback
            .path
            .rsplit('/')
            .next()
            .and_then(|number| number.parse().ok());
        let id = callback.id();
        let version = version_of(callback.text_of("name"));
        let version =
            version.unwrap_or_else(|| panic!("No writer wrote this name: {}", callback.text));
        let mood = self.mood();
        self.trap.pass(At::Arrival);
        let sound = is_sound(callback, copy, version);
        self.ledger.called(Call {
            place: (copy, id),
            version,
            run: run.unwrap_or_else(|| panic!("{} names no run", callback.path)),
            at,
            sound,
            taken: sound && matches!(mood, Mood::Repairs | Mood::RepairsLater | Mood::LosesAnswer),
        });
        if !sound {
            return Answer::status(400);
        }
        let content = Content {
            number: callback.text_of("number").to_owned(),
            name: callback.text_of("name").to_owned(),
            avatar: callback.text_of("avatar").to_owned(),
        };
        match mood {
            Mood::Repairs | Mood::LosesAnswer => {
                self.repair(copy, id, version, &content);
                self.trap.pass(At::Repair);
            }
            Mood::RepairsLater => self.repair_later(copy, id, version, content),
            Mood::Refuses | Mood::AsksForTime | Mood::BreaksOff | Mood::Hangs => {}
        }
        match mood {
            Mood::Repairs | Mood::RepairsLater => Answer::ok(),
            Mood::LosesAnswer | Mood::BreaksOff => Answer::CloseHalfWay,
            Mood::Refuses => Answer::status(500),
            Mood::AsksForTime => Answer::Status(503, vec![("Retry-After", "1".into())]),
            Mood::Hangs => Answer::Hang,
        }
    }

    fn repair(&self, copy: usize, id: u64, version: u64, content: &Content) {
        self.copies[copy].write(id, version, Healer::Owner, &content.number, Some(content));
    }

    fn repair_later(self: &Arc<Self>, copy: usize, id: u64, version: u64, content: Content) {
        self.promised.fetch_add(1, Ordering::SeqCst);
        let owner = Arc::clone(self);
        let after = REPAIRED_AFTER_MAX.mul_f64(Rng::new(version).fraction());
        std::thread::spawn(move || {
            std::thread::sleep(after);
            owner.repair(copy, id, version, &content);
            owner.promised.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

/// It is signed, for this copy, and holds a whole row of one version.
fn is_sound(callback: &Callback, copy: usize, version: u64) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let received = Received {
        id: callback.header("webhook-id"),
        timestamp_s: callback.header("webhook-timestamp").parse().unwrap_or(0),
        signatures: callback.header("webhook-signature"),
        body: callback.text.as_bytes(),
    };
    let now_s = now.map_or(0, |now| now.as_secs().cast_signed());
    verify(SECRET.as_bytes(), &received, now_s, TOLERANCE_S).is_ok()
        && callback.header("cupid-destination") == format!("copy{}", copy + 1)
        && callback.text_of("avatar") == format!("a{version}.png")
        && matches!(callback.kind(), 1 | 2)
}
