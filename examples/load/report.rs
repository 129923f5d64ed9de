//! What a run has come to.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

use serde_json::{Value, json};

use crate::{
    churn::Visits,
    failure::Failure,
    latency::{self, Latency},
    member::Outcome,
    options::Options,
};

/// Everything that was counted.
#[derive(Debug, Default)]
pub(crate) struct Report {
    url: String,
    rooms: usize,
    wanted: usize,
    /// How long was measured.
    pub(crate) seconds: f64,
    /// From connecting to being in the room, of those who stay.
    pub(crate) joining: Latency,
    latency: Latency,
    visits: Visits,
    /// Connections that were not let in, by why.
    not_let_in: BTreeMap<String, u64>,
    /// Members whose connection ended, by how.
    disconnected: BTreeMap<String, u64>,
    sent: u64,
    accepted: u64,
    refused: BTreeMap<String, u64>,
    expected: u64,
    /// Each counted once.
    copies: u64,
    lost: u64,
    duplicated: u64,
    reordered: u64,
    stalls: u64,
}

impl Report {
    pub(crate) fn new(options: &Options) -> Self {
        let (url, rooms, wanted) = (options.url.clone(), options.rooms, options.connections);
        Self { url, rooms, wanted, ..Self::default() }
    }

    /// Somebody was not let in.
    pub(crate) fn refuse(&mut self, failure: &Failure) {
        *self.not_let_in.entry(failure.name()).or_default() += 1;
    }

    /// Holds what each has against what was accepted from all of their room. Who has not stayed is owed nothing.
    pub(crate) fn take_members(&mut self, members: Vec<Outcome>) {
        let accepted: HashMap<usize, u64> =
            members.iter().map(|member| (member.number, member.accepted)).collect();
        for member in members {
            self.sent += member.sent;
            self.accepted += member.accepted;
            self.duplicated += member.duplicated;
            self.reordered += member.reordered;
            self.stalls += member.stalls;
            self.latency.join(&member.latency);
            join(&mut self.refused, &member.refused);
            if let Some(how) = &member.ended {
                *self.disconnected.entry(how.clone()).or_default() += 1;
                continue;
            }
            for (&sender, &accepted) in &accepted {
                if sender % self.rooms == member.number % self.rooms {
                    let track = member.tracks.get(&(sender as u64));
                    let copies = track.map_or(0, |track| track.unique);
                    self.copies += copies;
                    // What came and was not answered before its sender's end was owed all the same.
                    self.expected += accepted.max(copies);
                    self.lost += accepted.saturating_sub(copies);
                }
            }
        }
    }

    pub(crate) fn take_visits(&mut self, visits: Vec<Visits>) {
        for visits in visits {
            self.visits.joined += visits.joined;
            self.visits.latency.join(&visits.latency);
            join(&mut self.visits.failed, &visits.failed);
        }
    }

    /// Whether everything came, once and in order, to people who all stayed.
    pub(crate) fn is_clean(&self) -> bool {
        self.lost + self.duplicated + self.reordered == 0 && self.disconnected.is_empty()
    }

    /// Whether anybody was there, and was heard where they talked.
    pub(crate) fn has_measured(&self, is_idle: bool) -> bool {
        self.joining.count() > 0 && (is_idle || self.accepted > 0)
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "url": self.url,
            "seconds": self.seconds,
            "connections": {
                "wanted": self.wanted,
                "joined": self.joining.count(),
                "refused": self.not_let_in,
                "disconnected": self.disconnected,
            },
            "messages": {
                "sent": self.sent,
                "accepted": self.accepted,
                "refused": self.refused,
                "stalls": self.stalls,
            },
            "copies": {
                "expected": self.expected,
                "arrived": self.copies,
                "lost": self.lost,
                "duplicated": self.duplicated,
                "reordered": self.reordered,
            },
            "visits": { "joined": self.visits.joined, "failed": self.visits.failed },
            "latency_ms": {
                "message": self.latency.to_json(),
                "join": self.joining.to_json(),
                "visit": self.visits.latency.to_json(),
            },
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (joined, rooms) = (self.joining.count(), self.rooms);
        writeln!(f, "connections   {joined} of {} in {rooms} rooms", self.wanted)?;
        reasons(f, "refused", &self.not_let_in)?;
        reasons(f, "disconnected", &self.disconnected)?;
        writeln!(f, "messages      {} sent, {} accepted", self.sent, self.accepted)?;
        reasons(f, "refused", &self.refused)?;
        writeln!(f, "copies        {} of {} arrived", self.copies, self.expected)?;
        let (lost, twice, late) = (self.lost, self.duplicated, self.reordered);
        writeln!(f, "              {lost} lost, {twice} duplicated, {late} reordered")?;
        if self.stalls > 0 {
            writeln!(
                f,
                "              {} times a sender waited in vain for its own copy",
                self.stalls
            )?;
        }
        if self.visits.joined > 0 || !self.visits.failed.is_empty() {
            writeln!(f, "visits        {} joined and left", self.visits.joined)?;
            reasons(f, "failed", &self.visits.failed)?;
        }
        writeln!(f, "\nlatency, ms {}", latency::heads())?;
        writeln!(f, "  message   {}", self.latency)?;
        writeln!(f, "  join      {}", self.joining)?;
        write!(f, "  visit     {}", self.visits.latency)
    }
}

fn join(all: &mut BTreeMap<String, u64>, more: &BTreeMap<String, u64>) {
    for (name, count) in more {
        *all.entry(name.clone()).or_default() += count;
    }
}

fn reasons(f: &mut fmt::Formatter<'_>, what: &str, by: &BTreeMap<String, u64>) -> fmt::Result {
    by.iter().try_for_each(|(why, count)| writeln!(f, "              {count} {what}: {why}"))
}
