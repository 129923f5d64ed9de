//! The wire protocol, end to end: real sockets against the real application, and against each adapter.
//!
//! Each file is one theme of the protocol's page, each test one of its sentences. A scenario is written once, against
//! a [`kit::Server`], and `on_every_server!` makes a test of it for each kind of server there is. What takes a host of its
//! own making is written once against a [`kit::InProcess`], for `on_each_adapter!`; what is true of the application
//! `full_app` alone lives in [`full_app`], and of the other examples in [`examples`].

#![allow(clippy::future_not_send, reason = "each test runs on a thread of its own")]

mod abuse;
mod accepting;
mod answer_headers;
mod capacity;
mod closing;
mod connecting;
mod credentials;
mod crowd;
mod cut;
mod data;
mod database_trouble;
mod display_names;
mod ephemeral;
mod examples;
mod expiry;
mod frames;
mod full_app;
mod handshake;
mod heartbeat;
mod hello;
mod history;
mod http_posting;
mod http_reading;
mod joining;
mod kit;
mod leaving;
mod limits;
mod logout;
mod members;
mod moderating;
mod names;
mod nonces;
mod notices;
mod odd_paths;
mod order;
mod origin;
mod policy;
mod presence;
mod rate;
mod redacting;
mod resume;
mod revocation;
mod sending;
mod shutdown;
mod signals;
mod slow_reader;
mod socket_bounds;
mod store_trouble;
mod storm;
mod switched_off;
mod vanishing;
mod violations;
