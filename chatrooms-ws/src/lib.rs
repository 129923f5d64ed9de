//! The chatrooms wire protocol, version 1, over WebSocket and HTTP, for any web framework on hyper.
#![forbid(unsafe_code)]

mod answer;
mod authenticator;
mod client;
mod endpoint;
mod frames;
mod json;
mod lanes;
mod metered;
mod options;
mod origin;
mod request;
mod response;
mod routes;
mod socket;
mod upgrade;

pub use answer::Answer;
pub use authenticator::{Authenticator, Refusal};
pub use endpoint::Endpoint;
pub use options::Options;
pub use origin::Origins;
pub use socket::serve;
