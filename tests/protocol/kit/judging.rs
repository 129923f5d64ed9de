//! What all clients of a test were told is judged together when it ends: a promise is tested wherever anybody talks.

use std::cell::RefCell;

use chatrooms::oracle::{Bounds, Recorder, check};

thread_local! {
    /// Each test runs on one thread, and its clients with it.
    static RUN: RefCell<Recorder> = RefCell::default();
}

/// Where this test's clients write down what they see.
pub(crate) fn run() -> Recorder {
    RUN.with_borrow(Clone::clone)
}

/// Says that everything that is said in this test's rooms goes through its clients, word for word.
pub(crate) fn everything_is_recorded() {
    run().complete();
}

/// Says which bounds the server has of whom the clients come that come next.
pub(crate) fn bound(bounds: Bounds) {
    run().bound(bounds);
}

/// Runs a test's script, and judges its run when it has come to its end.
pub(super) fn judged(script: impl FnOnce()) {
    let _over = Over;
    script();
    if let Err(broken) = check(&run().trace()) {
        panic!("{broken}");
    }
}

/// The next test on this thread begins anew, however this one ended.
struct Over;

impl Drop for Over {
    fn drop(&mut self) {
        RUN.take();
    }
}
