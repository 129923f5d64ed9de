//! What the cost grows with.

use crate::chart::{Axes, Chart, Line};

use super::{options::Options, peer::Peer, ratio::median, wsload::Run};

/// A picture.
#[derive(Debug)]
pub(super) struct Curve {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    across: &'static str,
    up: &'static str,
    lines: &'static [(Peer, &'static str, &'static str)],
    /// The generator's arguments, but for the number that grows.
    load: &'static str,
    sizes: &'static [usize],
    times: usize,
}

const COPIES: &str = "deliveries_per_cpu_s";
const PER_CONNECTION: &str = "kib_per_conn";

pub(super) const ALL: [Curve; 4] = [
    Curve {
        name: "deliveries",
        title: "Copies delivered in a CPU-second",
        across: "members of the room",
        up: "copies",
        lines: &[
            (Peer::Chatrooms, "chatrooms", COPIES),
            (Peer::FloorBatch, "floor, batched", COPIES),
            (Peer::UWebSockets, "uWebSockets", COPIES),
            (Peer::AxumBroadcast, "axum, broadcast channel", COPIES),
        ],
        load: "--mode fanout --inflight 100 --conns",
        sizes: &[10, 30, 100, 300, 1000, 2000, 5000],
        times: 3,
    },
    Curve {
        name: "memory",
        title: "Memory of all idle connections, in 100 rooms",
        across: "connections",
        up: "MiB",
        lines: &[
            (Peer::Chatrooms, "chatrooms", PER_CONNECTION),
            (Peer::UWebSockets, "uWebSockets", PER_CONNECTION),
            (Peer::AxumBroadcast, "axum, broadcast channel", PER_CONNECTION),
        ],
        load: "--mode idle --rooms 100 --inflight 100 --conns",
        sizes: &[1000, 2000, 5000, 10_000],
        times: 1,
    },
    Curve {
        name: "joins",
        title: "How long a join takes, from connecting",
        across: "members who stay in the room",
        up: "µs",
        lines: &[
            (Peer::Chatrooms, "chatrooms, p99", "join_latency_us.p99"),
            (Peer::Chatrooms, "chatrooms, p50", "join_latency_us.p50"),
            (Peer::FloorBatch, "floor, p50", "join_latency_us.p50"),
        ],
        load: "--mode churn --inflight 1 --staying",
        sizes: &[10, 100, 1000, 3000, 10_000],
        times: 3,
    },
    Curve {
        name: "filling",
        title: "CPU of filling a room, for each MiB that its people are told",
        across: "people who join it",
        up: "ms",
        lines: &[(Peer::Chatrooms, "chatrooms", "joining_cpu_ms_per_told_mib")],
        load: "--mode idle --rooms 1 --inflight 50 --conns",
        sizes: &[300, 600, 1200, 2500, 5000],
        times: 3,
    },
];

impl Curve {
    /// Measures all lines, size by size in turn, and adds what broke a promise.
    pub(super) fn measure(&self, options: &Options, problems: &mut Vec<String>) -> Chart {
        let Self { title, across, up, .. } = *self;
        let mut chart = Chart { title, across, up, axes: Axes::Logarithmic, lines: vec![] };
        chart.lines = self.empty_lines();
        for &size in self.sizes.iter().step_by(if options.is_quick { 2 } else { 1 }) {
            for (line, value) in chart.lines.iter_mut().zip(self.at(size, options, problems)) {
                line.points.extend(value.map(|value| (size as f64, value)));
            }
        }
        chart
    }

    fn empty_lines(&self) -> Vec<Line> {
        let line = |(at, (peer, name, _)): (usize, &(Peer, &'static str, _))| {
            let is_dashed = self.lines[..at].iter().any(|(before, ..)| before == peer);
            Line { name, colour: peer.colour(), is_dashed, points: vec![] }
        };
        self.lines.iter().enumerate().map(line).collect()
    }

    fn at(&self, size: usize, options: &Options, problems: &mut Vec<String>) -> Vec<Option<f64>> {
        let times = if options.is_quick { 1 } else { self.times };
        let mut values = vec![Vec::new(); self.lines.len()];
        for _ in 0..times {
            let mut last: Option<(Peer, Run)> = None;
            for ((peer, _, figure), values) in self.lines.iter().zip(&mut values) {
                // Lines of the same server beside each other are of the same run.
                if last.as_ref().is_none_or(|(measured, _)| measured != peer) {
                    last = self.run(*peer, size, options, problems).map(|run| (*peer, run));
                }
                values.push(last.as_ref().and_then(|(_, run)| run.figure(figure)));
            }
        }
        let is_memory = self.up == "MiB";
        let scale = if is_memory { size as f64 / 1024.0 } else { 1.0 };
        values.into_iter().map(|values| median(values).map(|value| value * scale)).collect()
    }

    fn run(
        &self,
        peer: Peer,
        size: usize,
        options: &Options,
        problems: &mut Vec<String>,
    ) -> Option<Run> {
        if peer.missing().is_some() {
            return None;
        }
        let arguments = self.load.split(' ').map(str::to_owned).chain([size.to_string()]);
        match Run::of(peer, &arguments.collect::<Vec<_>>(), options.is_quick) {
            Ok(run) => {
                problems.extend(run.broken().into_iter().filter(|_| peer.is_ours()));
                Some(run)
            }
            Err(problem) => {
                problems.push(problem);
                None
            }
        }
    }
}
