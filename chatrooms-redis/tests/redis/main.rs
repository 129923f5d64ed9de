//! The cluster over a real Redis: each test starts its own.

mod addresses;
mod claims;
mod entering;
mod keys;
mod leases;
mod leaving;
mod messages;
mod moderation;
mod nodes;
mod outages;
mod rooms;
mod server;
mod support;
