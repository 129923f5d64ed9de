//! Rooms as their users see them, one theme per module. No test waits for real time: the clock stands still until nothing can run.

mod kit;

mod cancellation;
mod host;
mod join_cut;
mod limits;
mod linger;
mod membership;
mod model;
mod moderation;
mod policy;
mod presence;
mod purge;
mod resume;
mod rules;
mod runtime;
mod sanctions;
mod sending;
mod shutdown;
mod slow_readers;
mod storm;
mod watching;
