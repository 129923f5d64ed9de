//! Names nobody else in this process uses, so that tests can share a server.

use std::sync::atomic::{AtomicU32, Ordering};

/// `label` with a number behind it that no other call gets.
pub(crate) fn unique(label: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("{label}-{:05}", NEXT.fetch_add(1, Ordering::Relaxed))
}
