//! Connect, join, leave, again.

use std::time::{Duration, Instant};

use super::{
    Failure,
    figures::{Figures, per},
    histogram::Histogram,
    load::Load,
    options::Options,
    server::Cpu,
};

/// A join that takes longer is given up.
const PATIENCE: Duration = Duration::from_secs(5);
/// More failures, and there is nothing to measure.
const FAILURES: u64 = 20_000;

pub(super) fn run(mut load: Load, options: &Options) -> Result<Figures, Failure> {
    seat_staying(&mut load)?;
    load.free = (0..options.inflight).collect();
    // Nobody has the name of one who stays.
    let mut users = load.connections.len();
    go_on(&mut load, options.warm, &mut users)?;
    load.joining = Histogram::default();
    let (joined, cpu, own) = (load.counts.joined, Cpu::of(options.pid), Cpu::own());
    let began = Instant::now();
    go_on(&mut load, options.secs, &mut users)?;
    let wall = began.elapsed().as_secs_f64();
    let joins = load.counts.joined - joined;
    let cpu = Cpu::of(options.pid).since(cpu).total();
    Ok(figures(&load, joins, wall, cpu, Cpu::own().since(own).total()))
}

fn seat_staying(load: &mut Load) -> Result<(), Failure> {
    let began = Instant::now();
    let mut waiting = load.options.inflight..load.connections.len();
    loop {
        // Others would take too long to let in one by one.
        while load.pending < 100 {
            let Some(key) = waiting.next() else { break };
            load.connect(key);
        }
        if load.counts.failed > 0 || began.elapsed() > load.options.connect_limit {
            return Err("those who stay could not join".into());
        }
        if load.pending == 0 && waiting.is_empty() {
            break;
        }
        load.poll(Duration::from_millis(50))?;
    }
    Ok(load.poll_for(load.options.settle)?)
}

fn go_on(load: &mut Load, time: Duration, users: &mut usize) -> Result<(), Failure> {
    let began = Instant::now();
    let mut looked = Instant::now();
    while began.elapsed() < time && load.counts.failed < FAILURES {
        for _ in 0..load.free.len() {
            let Some(key) = load.free.pop_front() else { break };
            *users += 1;
            load.connections[key].user = *users;
            load.connections[key].room = *users % load.options.rooms;
            load.connect(key);
        }
        load.poll(Duration::from_millis(20))?;
        if looked.elapsed() > PATIENCE / 10 {
            looked = Instant::now();
            give_up(load);
        }
    }
    Ok(())
}

fn give_up(load: &mut Load) {
    let patience = u64::try_from(PATIENCE.as_nanos()).unwrap_or(u64::MAX);
    let now = load.now();
    for key in 0..load.options.inflight {
        let connection = &load.connections[key];
        if connection.socket.is_some() && now - connection.began > patience {
            load.counts.stalls += 1;
            load.end(key, true);
        }
    }
}

fn figures(load: &Load, joins: u64, wall: f64, cpu: f64, own: f64) -> Figures {
    let mut figures = Figures::default();
    let (counts, inflight) = (load.counts, load.options.inflight);
    figures.set("inflight", inflight);
    figures.set("wall_s", wall);
    figures.set("joins", joins);
    figures.set("joins_per_s", per(joins, wall));
    figures.set("server_cpu_s", cpu);
    figures.set("joins_per_cpu_s", per(joins, cpu));
    figures.set("generator_cpu_s", own);
    figures.set("join_latency_us", load.joining.to_json());
    figures.set("staying", load.options.staying);
    figures.set("failed", counts.failed);
    figures.set("gone", counts.gone);
    figures.set("hung", counts.stalls);
    figures.set("first_error", load.trouble.clone());
    figures.line = format!(
        "churn k={inflight} rooms={}: {:.0} joins/s, {:.0} joins/CPU-s, p99 {:.1} ms, failed {}, hung {}, CPU server {cpu:.2} gen {own:.2} of {wall:.2} s {}",
        load.options.rooms,
        per(joins, wall),
        per(joins, cpu),
        load.joining.quantile(0.99),
        counts.failed,
        counts.stalls,
        load.trouble.as_deref().unwrap_or_default(),
    );
    figures
}
