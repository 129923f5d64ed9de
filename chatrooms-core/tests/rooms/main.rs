//! Rooms as their users see them, one theme per module. No test waits for real time: the clock stands still until nothing can run.

mod dice;
mod kit;
#[path = "../model/mod.rs"]
mod model;

mod cancellation;
mod histories;
mod host;
mod join_cut;
mod limits;
mod linger;
mod membership;
mod moderation;
mod policy;
mod presence;
mod purge;
mod resume;
mod rules;
mod runtime;
mod sanctions;
mod sending;
mod sequences;
mod shutdown;
mod slow_readers;
mod storm;
mod watching;
