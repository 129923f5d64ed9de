//! Rooms of several registries over one Redis: what their people are told.

mod astray;
mod away;
mod deaths;
mod host;
mod kit;
mod people;
mod proxy;
mod storm;
