//! The one place that says how this crate locks.

pub(crate) use std::sync::{Arc, Mutex, MutexGuard};

/// Locks, whatever happened to an earlier holder.
///
/// No code of a host runs under a lock of this crate, so that a panic cannot leave a half-made change behind, and
/// going on is right where `std` would spread the panic to everybody else in the room.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
