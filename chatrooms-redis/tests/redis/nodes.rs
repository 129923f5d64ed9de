//! Rooms of several registries over one Redis: what their people are told.

mod astray;
mod away;
mod costs;
mod deaths;
mod elsewhere;
mod host;
mod http;
mod kit;
mod lost_answers;
mod order;
mod people;
mod proxy;
mod sluice;
mod storm;
mod toll;
