//! What stands in for threads, locks and tasks where a scheduler decides at each of them who goes on: see `models`.
//!
//! Locks and tasks are shuttle's. One look at a map or a counter is one step, and so is whatever tokio's channels, notifications and semaphores do: they need no
//! runtime, and are tokio's to prove. Clocks stand still unless a model has time pass.

use std::{
    convert::Infallible,
    fmt,
    hash::{BuildHasherDefault, DefaultHasher},
    ops::Deref,
    sync::atomic::Ordering,
};

use dashmap::DashMap;
use shuttle::future::{JoinHandle, spawn};

use shuttle::sync::{MutexGuard, PoisonError};
pub(crate) use shuttle::{
    sync::{Mutex, RwLock, atomic::AtomicBool},
    thread_local,
};

use super::Arc;
use crate::count::Count;

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A runtime, of which there is one.
#[derive(Clone, Debug)]
pub(crate) struct Handle;

impl Handle {
    pub(crate) const fn current() -> Self {
        Self
    }

    pub(crate) const fn try_current() -> Result<Self, Infallible> {
        Ok(Self)
    }

    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        spawn(task)
    }
}

/// Ends its task when it is dropped.
#[derive(Debug)]
pub(crate) struct AbortOnDropHandle<T>(JoinHandle<T>);

impl<T> AbortOnDropHandle<T> {
    pub(crate) const fn new(task: JoinHandle<T>) -> Self {
        Self(task)
    }
}

impl<T> Drop for AbortOnDropHandle<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Counts its tasks, for whoever waits for the last.
#[derive(Debug)]
pub(crate) struct TaskTracker(Arc<Count>);

impl TaskTracker {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        struct Under(Arc<Count>);
        impl Drop for Under {
            fn drop(&mut self) {
                self.0.remove();
            }
        }
        self.0.add();
        let under = Under(Arc::clone(&self.0));
        drop(spawn(async move {
            let _under = under;
            task.await;
        }));
    }

    pub(crate) fn spawn_on(&self, task: impl Future<Output = ()> + Send + 'static, _: &Handle) {
        self.spawn(task);
    }

    /// Tasks may still come, as they may in a registry that stops.
    pub(crate) const fn close(&self) {}

    pub(crate) async fn wait(&self) {
        self.0.none().await;
    }
}

/// A map at which others may go on before each look. Its order is the same in every run.
pub(crate) struct Map<K, V> {
    map: DashMap<K, V, BuildHasherDefault<DefaultHasher>>,
    look: AtomicBool,
}

impl<K: Eq + std::hash::Hash, V> Default for Map<K, V> {
    fn default() -> Self {
        Self { map: DashMap::default(), look: AtomicBool::new(false) }
    }
}

impl<K, V> Deref for Map<K, V> {
    type Target = DashMap<K, V, BuildHasherDefault<DefaultHasher>>;

    fn deref(&self) -> &Self::Target {
        self.look.load(Ordering::SeqCst);
        &self.map
    }
}

impl<K, V> fmt::Debug for Map<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map").finish_non_exhaustive()
    }
}
