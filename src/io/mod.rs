//! Effects: what touches a socket, a file or a server.

pub mod http;
