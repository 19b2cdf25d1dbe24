//! Notifications: their content, their channels, their bytes, and what an answer means.
//!
//! A [`Message`] says what happened. A [`Channel`] is where it goes. A [`Request`] is its bytes,
//! and an [`Answer`] is the result. `io::notify` sends a request and returns the answer.
//! [`occasion`] decides when there is something to tell, [`heartbeat`] when to say "still alive".

mod answer;
mod channel;
mod cut;
pub(crate) mod heartbeat;
mod message;
pub(crate) mod occasion;
mod request;
#[cfg(test)]
mod tests;

pub(crate) use self::answer::{Answer, Refusal, judge};
pub(crate) use self::channel::{Channel, Hook, Robot, Secret, SigningKey, Word};
pub(crate) use self::message::Message;
pub(crate) use self::request::{CommandRequest, HttpRequest, Method, Request, View, request};
