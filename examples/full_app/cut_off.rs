//! Why connections over plain HTTP are cut off, as the operator's numbers have it.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use metrics::{counter, describe_counter};

const NAME: &str = "full_app_connections_cut_off_total";

/// What happened last on a connection: what it is that somebody waits for. Cloning is cheap, and every clone knows the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Last(Arc<AtomicU8>);

const NOTHING: u8 = 0;
const HEARD: u8 = 1;
const TOLD: u8 = 2;
const STUCK: u8 = 3;

impl Last {
    /// The client has sent something.
    pub(crate) fn heard(&self) {
        self.0.store(HEARD, Ordering::Relaxed);
    }

    /// The client has taken something.
    pub(crate) fn told(&self) {
        self.0.store(TOLD, Ordering::Relaxed);
    }

    /// The client has taken nothing for too long.
    pub(crate) fn stuck(&self) {
        self.0.store(STUCK, Ordering::Relaxed);
    }

    /// Counts a connection that has ended early, where that is because nothing came or nothing was taken. One that has had its answer and asks for nothing more is
    /// every browser's.
    pub(crate) fn count(&self, head_is_late: bool) {
        let of = match self.0.load(Ordering::Relaxed) {
            STUCK => "answer",
            HEARD if head_is_late => "head",
            NOTHING if head_is_late => "silence",
            _ => return,
        };
        counter!(NAME, "of" => of).increment(1);
    }
}

/// Says what the number means, which is there from the start.
pub(crate) fn describe() {
    describe_counter!(NAME, "Connections of full_app that were cut off, by what was late.");
    for of in ["silence", "head", "answer"] {
        counter!(NAME, "of" => of).increment(0);
    }
}
