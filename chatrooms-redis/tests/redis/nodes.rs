//! Rooms of several registries over one Redis: what their people are told.

mod away;
mod deaths;
mod host;
mod kit;
mod people;
mod storm;
