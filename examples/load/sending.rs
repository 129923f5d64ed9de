//! When a sender's next message goes.

use std::time::Duration;

use tokio::time::Instant;

/// How long the closed loop waits for its own copy before it goes on without.
const PATIENCE: Duration = Duration::from_secs(2);

/// A sender that is later than this does not keep its rate; the clock makes nobody so late.
const LATE: Duration = Duration::from_millis(100);

/// One sender.
#[derive(Debug)]
pub(crate) struct Sending {
    pace: Pace,
    /// How many have gone.
    pub(crate) sent: u64,
    /// Nothing goes before.
    not_before: Instant,
    /// How often the closed loop waited in vain.
    pub(crate) stalls: u64,
}

#[derive(Debug)]
enum Pace {
    Closed { window: usize, under_way: usize, heard: Instant },
    Open { next: Instant, gap: Duration },
}

impl Sending {
    pub(crate) fn closed(window: usize, now: Instant) -> Self {
        Self::new(Pace::Closed { window, under_way: 0, heard: now }, now)
    }

    /// Of so many senders, who share a rate and take turns, the one with this place.
    pub(crate) fn open(rate: f64, senders: usize, place: usize, now: Instant) -> Self {
        let gap = Duration::from_secs_f64(senders as f64 / rate);
        let next = now + gap.mul_f64(place as f64 / senders as f64);
        Self::new(Pace::Open { next, gap }, now)
    }

    fn new(pace: Pace, now: Instant) -> Self {
        Self { pace, sent: 0, not_before: now, stalls: 0 }
    }

    /// When there is something to do.
    pub(crate) fn next(&self) -> Instant {
        match self.pace {
            Pace::Closed { window, under_way, heard } if under_way >= window => heard + PATIENCE,
            Pace::Closed { .. } => self.not_before,
            Pace::Open { next, .. } => next,
        }
    }

    /// One goes now; when it was due.
    pub(crate) fn send(&mut self, now: Instant) -> Instant {
        self.sent += 1;
        match &mut self.pace {
            Pace::Closed { window, under_way, heard } => {
                if *under_way >= *window {
                    *under_way = 0;
                    self.stalls += 1;
                }
                *under_way += 1;
                *heard = now;
                now
            }
            Pace::Open { next, gap } => std::mem::replace(next, *next + *gap),
        }
    }

    /// How many were due by now and have not gone, where its rate could not be kept.
    pub(crate) fn overdue(&self, now: Instant) -> u64 {
        match self.pace {
            Pace::Open { next, gap } if now.saturating_duration_since(next) > LATE => {
                let late = now.saturating_duration_since(next);
                (late.as_secs_f64() / gap.as_secs_f64()) as u64
            }
            _ => 0,
        }
    }

    /// The sender has its own copy.
    pub(crate) fn came_back(&mut self, now: Instant) {
        if let Pace::Closed { under_way, heard, .. } = &mut self.pace {
            *under_way = under_way.saturating_sub(1);
            *heard = now;
        }
    }

    /// It never will; the closed loop waits as long as it is told to, the open one does not.
    pub(crate) fn refused(&mut self, wait: Duration, now: Instant) {
        self.came_back(now);
        self.not_before = now + wait;
    }
}
