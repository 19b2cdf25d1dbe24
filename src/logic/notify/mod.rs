//! Notifications: what is told, to whom, in which bytes, and what an answer means.
//!
//! A [`Message`] is what happened, a [`Channel`] is where it goes, a [`Request`] is what that takes
//! and an [`Answer`] is what came of it. `io::notify` sends one and brings the other.
//! [`occasion`] decides when there is something to tell, [`heartbeat`] when to say "still alive".

mod answer;
mod channel;
mod cut;
pub mod heartbeat;
mod message;
pub mod occasion;
mod request;
#[cfg(test)]
mod tests;

pub use self::answer::{Answer, Refusal, judge};
pub use self::channel::{Channel, Hook, Robot, Secret, SigningKey, Word};
pub use self::message::{Kind, Message};
pub use self::request::{CommandRequest, HttpRequest, Method, Request, View, request};
