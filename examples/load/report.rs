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
    /// How long people talked and visited, the warm-up included: what is counted is of all of it, and only latencies leave the warm-up out.
    pub(crate) seconds: f64,
    /// From connecting to being in the room, of those who stay.
    pub(crate) joining: Latency,
    latency: Latency,
    visits: Visits,
    /// Connections that a limit kept out, by which.
    kept_out: BTreeMap<String, u64>,
    /// Those that were not let in for another reason, by which.
    not_let_in: BTreeMap<String, u64>,
    /// Members whose connection ended, by how.
    disconnected: BTreeMap<String, u64>,
    sent: u64,
    /// What the rate asked for and nobody could send in time.
    overdue: u64,
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
        let by_name = if failure.is_limit() { &mut self.kept_out } else { &mut self.not_let_in };
        *by_name.entry(failure.name()).or_default() += 1;
    }

    /// Holds what each has against what was accepted from all of their room. Who has not stayed is owed no more than has come.
    pub(crate) fn take_members(&mut self, members: Vec<Outcome>) {
        let accepted: HashMap<usize, u64> =
            members.iter().map(|member| (member.number, member.accepted)).collect();
        for member in members {
            self.sent += member.sent;
            self.overdue += member.overdue;
            self.accepted += member.accepted;
            self.duplicated += member.duplicated;
            self.reordered += member.reordered;
            self.stalls += member.stalls;
            self.latency.join(&member.latency);
            join(&mut self.refused, &member.refused);
            if let Some(how) = &member.ended {
                *self.disconnected.entry(how.clone()).or_default() += 1;
                let copies: u64 = member.tracks.values().map(|track| track.unique).sum();
                self.copies += copies;
                self.expected += copies;
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
            join(&mut self.visits.refused, &visits.refused);
            join(&mut self.visits.failed, &visits.failed);
        }
    }

    /// What makes the run end with an error.
    pub(crate) fn faults(&self) -> Vec<String> {
        told([
            (self.lost, "copies lost"),
            (self.duplicated, "copies duplicated"),
            (self.reordered, "copies reordered"),
            (all(&self.disconnected), "connections lost"),
            (all(&self.not_let_in), "connections not let in"),
            (all(&self.visits.failed), "visits failed"),
        ])
    }

    /// What was less than was asked for, and is no error.
    fn refusals(&self) -> Vec<String> {
        told([
            (all(&self.kept_out), "connections refused by a limit"),
            (all(&self.visits.refused), "visits refused by a limit"),
            (all(&self.refused), "messages refused"),
            (self.unknown(), "messages never answered"),
            (self.overdue, "messages due and not sent"),
        ])
    }

    /// Messages of which nobody has said what became.
    fn unknown(&self) -> u64 {
        self.sent.saturating_sub(self.accepted + all(&self.refused))
    }

    fn per_second(&self, count: u64) -> f64 {
        if self.seconds > 0.0 { count as f64 / self.seconds } else { 0.0 }
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
                "refused": self.kept_out,
                "not_let_in": self.not_let_in,
                "disconnected": self.disconnected,
            },
            "messages": {
                "sent": self.sent,
                "accepted": self.accepted,
                "accepted_per_second": self.per_second(self.accepted),
                "refused": self.refused,
                "unknown": self.unknown(),
                "overdue": self.overdue,
                "stalls": self.stalls,
            },
            "copies": {
                "expected": self.expected,
                "arrived": self.copies,
                "arrived_per_second": self.per_second(self.copies),
                "lost": self.lost,
                "duplicated": self.duplicated,
                "reordered": self.reordered,
            },
            "visits": {
                "joined": self.visits.joined,
                "joined_per_second": self.per_second(self.visits.joined),
                "refused": self.visits.refused,
                "failed": self.visits.failed,
            },
            "latency_ms": {
                "message": self.latency.to_json(),
                "join": self.joining.to_json(),
                "visit": self.visits.latency.to_json(),
            },
            "faults": self.faults(),
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (joined, rooms) = (self.joining.count(), self.rooms);
        writeln!(f, "connections   {joined} of {} in {rooms} rooms", self.wanted)?;
        reasons(f, "refused", &self.kept_out)?;
        reasons(f, "not let in", &self.not_let_in)?;
        reasons(f, "disconnected", &self.disconnected)?;
        let (sent, rate) = (self.sent, self.per_second(self.accepted));
        writeln!(f, "messages      {sent} sent, {} accepted, {rate:.0} a second", self.accepted)?;
        if self.overdue > 0 {
            let overdue = self.overdue;
            writeln!(f, "              {overdue} due and not sent: the rate was not kept")?;
        }
        reasons(f, "refused", &self.refused)?;
        if self.unknown() > 0 {
            let unknown = self.unknown();
            writeln!(f, "              {unknown} never answered: neither accepted nor refused")?;
        }
        let (copies, rate) = (self.copies, self.per_second(self.copies));
        writeln!(f, "copies        {copies} of {} arrived, {rate:.0} a second", self.expected)?;
        let (lost, twice, late) = (self.lost, self.duplicated, self.reordered);
        writeln!(f, "              {lost} lost, {twice} duplicated, {late} reordered")?;
        if self.stalls > 0 {
            writeln!(
                f,
                "              {} times a sender waited in vain for its own copy",
                self.stalls
            )?;
        }
        let visits = &self.visits;
        if visits.joined > 0 || !visits.failed.is_empty() || !visits.refused.is_empty() {
            let rate = self.per_second(visits.joined);
            writeln!(f, "visits        {} joined, {rate:.0} a second", visits.joined)?;
            reasons(f, "refused", &self.visits.refused)?;
            reasons(f, "failed", &self.visits.failed)?;
        }
        writeln!(f, "\nlatency, ms {}", latency::heads())?;
        writeln!(f, "  message   {}", self.latency)?;
        writeln!(f, "  join      {}", self.joining)?;
        write!(f, "  visit     {}", self.visits.latency)?;
        if self.latency.count() > 0 {
            write!(f, "\n\nmessages\n{}", self.latency.histogram().trim_end())?;
        }
        let (faults, refusals) = (self.faults(), self.refusals());
        if !refusals.is_empty() {
            write!(f, "\n\nno error: {}", refusals.join(", "))?;
        }
        if !faults.is_empty() {
            write!(f, "\n\nerror: {}", faults.join(", "))?;
        }
        Ok(())
    }
}

/// Each that happened.
fn told<const N: usize>(counts: [(u64, &str); N]) -> Vec<String> {
    let happened = counts.into_iter().filter(|&(count, _)| count > 0);
    happened.map(|(count, what)| format!("{what}: {count}")).collect()
}

fn all(by: &BTreeMap<String, u64>) -> u64 {
    by.values().sum()
}

fn join(all: &mut BTreeMap<String, u64>, more: &BTreeMap<String, u64>) {
    for (name, count) in more {
        *all.entry(name.clone()).or_default() += count;
    }
}

fn reasons(f: &mut fmt::Formatter<'_>, what: &str, by: &BTreeMap<String, u64>) -> fmt::Result {
    by.iter().try_for_each(|(why, count)| writeln!(f, "              {count} {what}: {why}"))
}
