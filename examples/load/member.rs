//! A connection that stays: it counts what reaches it and, if it is a sender, talks.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use serde_json::json;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use crate::{
    failure::Failure,
    latency::Latency,
    marker::Marker,
    run::{Phase, Shared},
    sending::Sending,
    socket::{Frame, Socket},
    track::{Copy, Track},
};

/// What became of a member.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) number: usize,
    /// By sender.
    pub(crate) tracks: HashMap<u64, Track>,
    pub(crate) latency: Latency,
    pub(crate) duplicated: u64,
    pub(crate) reordered: u64,
    pub(crate) sent: u64,
    /// Messages that its rate would have had it send.
    pub(crate) overdue: u64,
    /// Messages of its own that the server said it has.
    pub(crate) accepted: u64,
    /// Those that it refused, by code.
    pub(crate) refused: BTreeMap<String, u64>,
    pub(crate) stalls: u64,
    /// Why it did not stay.
    pub(crate) ended: Option<String>,
}

/// One member at work.
#[derive(Debug)]
pub(crate) struct Member {
    shared: Arc<Shared>,
    room: String,
    sending: Option<Sending>,
    /// Latencies of what was due from here on count.
    measured_from: Option<Instant>,
    outcome: Outcome,
}

impl Member {
    pub(crate) fn new(shared: Arc<Shared>, number: usize) -> Self {
        let room = shared.options.room_of(number);
        let outcome = Outcome { number, ..Outcome::default() };
        Self { shared, room, sending: None, measured_from: None, outcome }
    }

    /// Stays until the run is over, or the socket.
    pub(crate) async fn stay(mut self, mut socket: Socket) -> Outcome {
        match self.take_part(&mut socket).await {
            Ok(()) => socket.close().await,
            Err(failure) => self.outcome.ended = Some(failure.to_string()),
        }
        self.finish();
        self.outcome
    }

    async fn take_part(&mut self, socket: &mut Socket) -> Result<(), Failure> {
        let mut phase = self.shared.phase.clone();
        loop {
            let due = self.sending.as_ref().map(Sending::next);
            tokio::select! {
                frame = socket.frame() => self.take(&frame?),
                phase = changed(&mut phase) => match phase {
                    Phase::Joining => {}
                    Phase::Talking(began) => self.begin(began),
                    Phase::Draining => self.finish(),
                    Phase::Over => return Ok(()),
                },
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => self.talk(socket).await?,
            }
        }
    }

    fn begin(&mut self, began: Instant) {
        let options = &self.shared.options;
        self.measured_from = Some(began + options.warm_up);
        if options.is_sender(self.outcome.number) {
            let senders = options.all_senders();
            self.sending = Some(match options.rate {
                Some(rate) => Sending::open(rate, senders, self.outcome.number, began),
                None => Sending::closed(options.window, began),
            });
        }
    }

    fn finish(&mut self) {
        if let Some(sending) = self.sending.take() {
            (self.outcome.sent, self.outcome.stalls) = (sending.sent, sending.stalls);
            self.outcome.overdue = sending.overdue(Instant::now());
        }
    }

    async fn talk(&mut self, socket: &mut Socket) -> Result<(), Failure> {
        let Some(sending) = &mut self.sending else { return Ok(()) };
        let due = sending.send(Instant::now());
        let (sender, number) = (self.outcome.number as u64, sending.sent);
        let marker = Marker { sender, number, due: self.shared.nanoseconds(due) };
        self.shared.counts.asked.add(1);
        let body = marker.body(self.shared.options.payload);
        socket.say(&json!({"type": "send", "id": number, "room": self.room, "body": body})).await
    }

    fn take(&mut self, frame: &Frame) {
        match frame.kind.as_str() {
            "message" => {
                if let Some(marker) = frame.body.as_deref().and_then(Marker::of) {
                    self.take_copy(marker);
                }
            }
            "sent" => {
                self.outcome.accepted += 1;
                self.shared.counts.answered.add(1);
                self.shared.counts.expected.add(self.shared.listeners(self.outcome.number));
            }
            "error" if frame.id.is_some() => {
                let wait = Duration::from_millis(frame.retry_after_ms.unwrap_or(10));
                self.shared.counts.answered.add(1);
                *self.outcome.refused.entry(frame.code()).or_default() += 1;
                self.sending.iter_mut().for_each(|one| one.refused(wait, Instant::now()));
            }
            _ => {}
        }
    }

    fn take_copy(&mut self, marker: Marker) {
        let now = Instant::now();
        let due = self.shared.began + Duration::from_nanos(marker.due);
        match self.outcome.tracks.entry(marker.sender).or_default().take(marker.number) {
            Copy::Repeated => {
                self.outcome.duplicated += 1;
                return;
            }
            Copy::Late => self.outcome.reordered += 1,
            Copy::InOrder => {}
        }
        self.shared.counts.copies.add(1);
        if self.measured_from.is_some_and(|from| due >= from) {
            self.outcome.latency.add(now.saturating_duration_since(due));
        }
        if marker.sender == self.outcome.number as u64 {
            self.sending.iter_mut().for_each(|sending| sending.came_back(now));
        }
    }
}

/// The next phase; none comes after the last, which the run's end is.
pub(crate) async fn changed(phase: &mut watch::Receiver<Phase>) -> Phase {
    match phase.changed().await {
        Ok(()) => *phase.borrow_and_update(),
        Err(_) => Phase::Over,
    }
}
