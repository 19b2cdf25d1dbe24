//! One thread at a time, in an order that does not depend on the machine.
//!
//! With one destination and one request at a time the pass has two threads in one place only: a courier reads the next
//! rows while another thread sends. Here it reads them when everything was sent. The thread that sends is known by
//! this: the courier asks for the column names of each row that it is going to send, and then a new thread asks for
//! the time. It is over when its thread-local values are dropped.

use std::cell::RefCell;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::ThreadId;

#[derive(Debug, Default)]
pub(crate) struct Turns {
    courier: Mutex<Option<ThreadId>>,
    sent: Condvar,
}

struct Sender(Arc<Turns>);

thread_local! {
    static SENDER: RefCell<Option<Sender>> = const { RefCell::new(None) };
}

impl Turns {
    /// This thread is about to have something sent.
    pub(crate) fn will_send(&self) {
        *self.courier.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(std::thread::current().id());
    }

    /// If this is the thread that sends, its end will be noticed.
    pub(crate) fn tick(self: &Arc<Self>) {
        let courier = *self.courier.lock().unwrap_or_else(PoisonError::into_inner);
        if courier.is_some_and(|courier| courier != std::thread::current().id()) {
            SENDER.with_borrow_mut(|sender| {
                sender.get_or_insert_with(|| Sender(Arc::clone(self)));
            });
        }
    }

    /// Waits until what this thread had sent is over.
    pub(crate) fn read(&self) {
        let me = Some(std::thread::current().id());
        let mut courier = self.courier.lock().unwrap_or_else(PoisonError::into_inner);
        while *courier == me {
            courier = self
                .sent
                .wait(courier)
                .unwrap_or_else(PoisonError::into_inner);
        }
        *courier = None;
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        *self
            .0
            .courier
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = None;
        self.0.sent.notify_all();
    }
}
