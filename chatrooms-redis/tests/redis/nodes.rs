//! Rooms of several registries over one Redis: what their people are told.

mod astray;
mod away;
mod costs;
mod deaths;
mod elsewhere;
mod host;
mod http;
mod kit;
mod order;
mod people;
mod proxy;
mod storm;
mod toll;
