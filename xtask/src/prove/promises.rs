//! What is promised, as the tables name it.

/// In the order of the tables.
pub(super) const ALL: [&str; 14] = [
    "P1 atomic membership",
    "P2 a life is purged once, and no other",
    "P3 a join is one cut",
    "P4 one order, the same for all",
    "P5 stored before shown, once",
    "P6 users, not tabs",
    "P7 slow readers harm only themselves",
    "P8 no ghosts, and a deploy loses nothing",
    "P9 a shutdown is graceful",
    "P10 nothing is unbounded",
    "R a resume is whole or none",
    "H the host's rules hold",
    "C credentials end sockets",
    "W the wire is as it is written down",
];
