//! Connections that say nothing, and everybody's way in.

use std::time::{Duration, Instant};

use super::{
    Failure,
    connection::State,
    figures::Figures,
    load::Load,
    options::Options,
    server::{self, Cpu},
};

/// More failed joins, and there is nothing to measure.
const FAILURES: u64 = 200;

/// Lets everybody join, so many at a time, and settle.
pub(super) fn join_all(load: &mut Load, figures: &mut Figures) -> Result<(), Failure> {
    let (began, cpu) = (Instant::now(), Cpu::of(load.options.pid));
    let mut waiting = 0..load.connections.len();
    loop {
        let may_go_on = load.counts.failed < FAILURES;
        while may_go_on && load.pending < load.options.inflight {
            let Some(key) = waiting.next() else { break };
            load.connect(key);
        }
        if load.pending == 0 && (waiting.is_empty() || !may_go_on) {
            break;
        }
        if began.elapsed() > load.options.connect_limit {
            load.note(|| "not everybody could join in time".to_owned());
            break;
        }
        load.poll(Duration::from_millis(50))?;
    }
    figures.set("conns", load.connections.len());
    figures.set("connect_s", began.elapsed().as_secs_f64());
    figures.set("connect_cpu_s", Cpu::of(load.options.pid).since(cpu).total());
    figures.set("opened", load.counts.joined);
    figures.set("failed", load.counts.failed);
    figures.set("join_latency_us", load.joining.to_json());
    Ok(load.poll_for(load.options.settle)?)
}

pub(super) fn run(mut load: Load, options: &Options) -> Result<Figures, Failure> {
    let mut figures = Figures::default();
    let before = server::memory(options.pid);
    let cpu = Cpu::of(options.pid);
    join_all(&mut load, &mut figures)?;
    load.poll_for(Duration::from_secs(1))?;
    let told = load.counts.bytes as f64 / f64::from(1 << 20);
    let joining = Cpu::of(options.pid).since(cpu).total();
    figures.set("told_mib", told);
    figures.set("joining_cpu_ms_per_told_mib", joining * 1000.0 / told.max(f64::MIN_POSITIVE));
    let (began, cpu) = (Instant::now(), Cpu::of(options.pid));
    load.poll_for(options.secs)?;
    let wall = began.elapsed().as_secs_f64();
    let idle = Cpu::of(options.pid).since(cpu).total() / wall;
    let after = server::memory(options.pid);
    let open = load.connections.iter().filter(|one| one.state == State::Open).count();
    let each = (after as f64 - before as f64) / open.max(1) as f64;
    figures.set("open", open);
    figures.set("gone", load.counts.gone);
    figures.set("pss_before_kib", before);
    figures.set("pss_after_kib", after);
    figures.set("kib_per_conn", each);
    figures.set("idle_cpu_fraction", idle);
    figures.set("wall_s", wall);
    figures.set("first_error", load.trouble.clone());
    figures.line = format!(
        "idle {open}/{}: {each:.2} KiB/conn (PSS {before} -> {after} KiB), idle CPU {:.2} %, gone {}, failed {} {}",
        load.connections.len(),
        idle * 100.0,
        load.counts.gone,
        load.counts.failed,
        load.trouble.as_deref().unwrap_or_default(),
    );
    Ok(figures)
}
