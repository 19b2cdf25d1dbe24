//! Whether an endpoint takes connections, for `check`. The connection is the one that a POST would
//! open, by the same settings. It is closed again, and nothing is sent on it.

use std::time::Duration;

use ureq::http::Request;
use ureq::unversioned::transport::{ConnectionDetails, Connector, Transport};
use ureq::{Agent, Error};

use super::{Client, connector, failure, socket};
use crate::logic::callback::retry::Answer;

/// The connection came about, with all that TLS asks for.
#[derive(Debug)]
struct Reached;

impl std::fmt::Display for Reached {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("The connection came about")
    }
}

impl std::error::Error for Reached {}

/// Closes each connection instead of handing it over, so that no request is ever sent.
#[derive(Debug)]
struct Hang;

impl<In: Transport> Connector<In> for Hang {
    type Out = In;

    fn connect(&self, _: &ConnectionDetails<'_>, _: Option<In>) -> Result<Option<In>, Error> {
        Err(Error::Other(Box::new(Reached)))
    }
}

impl Client {
    /// Looks the host up, connects, and verifies the certificate as `tls` says, within `timeout` (and never longer
    /// than the configured one).
    ///
    /// # Errors
    /// Why a POST could not be sent.
    pub fn reaches(&self, timeout: Duration) -> Result<(), String> {
        let timeout = timeout.min(self.timeout);
        let resolver = socket::CachingResolver::default();
        let config = self.agent.config().clone();
        let agent = Agent::with_parts(config, connector().chain(Hang), resolver);
        let request = Request::post(self.uri.clone()).body(());
        let request = request.map_err(|_| "The request could not be built".to_owned())?;
        let request = agent
            .configure_request(request)
            .timeout_global(Some(timeout));
        match agent.run(request.build()) {
            Err(Error::Other(cause)) if cause.is::<Reached>() => Ok(()),
            Ok(_) => Ok(()), // `Hang` lets no request pass.
            Err(error) => Err(match failure(&error) {
                Answer::Broken(reason) => reason,
                _ => format!("no answer within {} s", timeout.as_secs_f64()),
            }),
        }
    }
}
