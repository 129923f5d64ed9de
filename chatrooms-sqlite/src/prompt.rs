//! Hearing what SQLite's threads answer before everybody else who waits to run.

use std::{
    future::poll_fn,
    pin::pin,
    sync::LazyLock,
    thread::{available_parallelism, yield_now},
};

/// So often is looked for an answer, then it has to come by itself. Looks that find nothing cost well below a microsecond each, a statement
/// takes dozens.
const LOOKS: u8 = 32;

/// Whether this process has one processor only. SQLite's thread does nothing then before this one makes way, which a busy runtime does not for milliseconds.
static IS_ALONE: LazyLock<bool> =
    LazyLock::new(|| available_parallelism().is_ok_and(|processors| processors.get() == 1));

/// Does work that consists of journeys to SQLite's thread and back, and looks for their answers between the turns of others.
///
/// An answer that another thread sends has its task queued behind all that the runtime has to do, which in a busy room is a turn
/// of each member; and a transaction would wait for that once for each of its statements.
pub(crate) async fn prompt<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    let mut looks = LOOKS;
    poll_fn(|context| {
        let mut done = work.as_mut().poll(context);
        if done.is_pending() && looks == LOOKS && *IS_ALONE {
            yield_now();
            done = work.as_mut().poll(context);
        }
        if done.is_pending() && looks > 0 {
            looks -= 1;
            context.waker().wake_by_ref();
        }
        done
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::{
        future::pending,
        sync::{
            Arc,
            atomic::{AtomicU32, Ordering},
            mpsc,
        },
        task::{Context, Poll, Wake, Waker},
        thread,
    };

    use tokio::task;

    use super::*;

    #[tokio::test]
    async fn what_another_thread_answers_is_heard_without_being_woken() {
        let (answer, heard) = mpsc::channel();
        // It knows of nobody to wake.
        let asked = prompt(poll_fn(|_| heard.try_recv().map_or(Poll::Pending, Poll::Ready)));
        let answers = async {
            task::yield_now().await;
            thread::spawn(move || answer.send(7)).join()
        };
        assert_eq!(tokio::join!(asked, answers).0, 7);
    }

    #[test]
    fn what_takes_long_is_not_looked_for_for_ever() {
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut asked = pin!(prompt(pending::<()>()));
        for polls in 1..=3 * u32::from(LOOKS) {
            assert!(asked.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            assert_eq!(woken.0.load(Ordering::Relaxed), polls.min(LOOKS.into()));
        }
    }

    #[derive(Default)]
    struct Woken(AtomicU32);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}
