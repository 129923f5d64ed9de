//! A guide from `cargo add` to production. Every Rust example in it is compiled and, where it can be, run.
//!
//! | chapter | what it answers |
//! | --- | --- |
//! | [Quick start](quick_start) | a whole chat in axum or in warp, from an empty directory |
//! | [Your users](users) | who sends a request, from which page, until when, and how they are logged out |
//! | [Rooms from the server](rooms) | saying, asking, watching and moderating without a socket; bots |
//! | [Policies](policies) | who may come in, what may be said, how a room behaves; what a hook that fails does |
//! | [Typed events](typed_events) | an application's own events, as Rust types |
//! | [Stores](stores) | memory, SQLite, restarts, a store of one's own |
//! | [Scaling](scaling) | the same rooms on many nodes; load balancers, deploys, Redis, and what happens when what fails |
//! | [Pages](pages) | the client module: send, reconnect, offline, unread |
//! | [Proxies and TLS](proxies) | nginx, HAProxy, Caddy; addresses of clients; what only a proxy can keep away |
//! | [Cookies](cookies) | how to set one, pages of other sites, how one ends |
//! | [Limits](limits) | every bound with its default, and what a client sees that goes over it |
//! | [Production](production) | kernel, deploys, scaling, backups |
//! | [Observability](observability) | what to watch: logs, numbers, what to alert on, what an attack looks like |
//! | [Testing your chat](testing) | clients without a socket, a paused clock, a store that fails on command |
//! | [How we know](how_we_know) | by what each promise is shown, and how to see it yourself |
//! | [The wire](protocol) | the protocol, for those who write clients in other languages |

#[doc = include_str!("../docs/guide/quick-start.md")]
pub mod quick_start {}

#[doc = include_str!("../docs/guide/users.md")]
pub mod users {}

#[doc = include_str!("../docs/guide/rooms.md")]
pub mod rooms {}

#[doc = include_str!("../docs/guide/policies.md")]
pub mod policies {}

#[doc = include_str!("../docs/guide/typed-events.md")]
pub mod typed_events {}

#[doc = include_str!("../docs/guide/stores.md")]
pub mod stores {}

#[doc = include_str!("../docs/guide/scaling.md")]
pub mod scaling {}

#[doc = include_str!("../docs/guide/pages.md")]
pub mod pages {}

#[doc = include_str!("../docs/guide/proxies.md")]
pub mod proxies {}

#[doc = include_str!("../docs/guide/cookies.md")]
pub mod cookies {}

#[doc = include_str!("../docs/guide/limits.md")]
pub mod limits {}

#[doc = include_str!("../docs/guide/production.md")]
pub mod production {}

#[doc = include_str!("../docs/observability.md")]
pub mod observability {}

#[doc = include_str!("../docs/guide/testing.md")]
pub mod testing {}

#[doc = include_str!("../docs/guide/how-we-know.md")]
pub mod how_we_know {}

#[doc = include_str!("../docs/PROTOCOL.md")]
pub mod protocol {}
