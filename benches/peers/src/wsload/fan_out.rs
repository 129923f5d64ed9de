//! Messages to everybody in a room.

use std::time::{Duration, Instant};

use super::{
    Failure,
    figures::{Figures, per},
    histogram::Histogram,
    idle,
    load::{Counts, Load},
    options::Options,
    sender::Sender,
    server::{self, Cpu},
    track::Track,
};

/// How long a sender waits for its own copy before it goes on without.
const STALL: u64 = 2_000_000_000;
/// How long to look for duplicates when everything has come.
const AFTERMATH: Duration = Duration::from_millis(200);
/// The longest wait.
const TICK: Duration = Duration::from_millis(10);
/// Messages that are overdue go in bursts of so many.
const BURST: usize = 64;

pub(super) fn run(mut load: Load, options: &Options) -> Result<Figures, Failure> {
    let mut figures = Figures::default();
    idle::join_all(&mut load, &mut figures)?;
    seat_senders(&mut load)?;
    let mut pace = Pace::start(&mut load);
    pace.go_on(&mut load, options.warm)?;
    let before = Before::measuring(&mut load);
    pace.go_on(&mut load, options.secs)?;
    let spent = before.until_now(&load);
    load.is_measuring = false;
    load.is_sending = false;
    let expected = expected(&load);
    let backlog = expected.saturating_sub(load.counts.unique);
    drain(&mut load, expected)?;
    report(&load, &mut figures, &spent, expected, backlog);
    Ok(figures)
}

/// Spreads the senders over their rooms, so that a server's order of writing favours none.
fn seat_senders(load: &mut Load) -> Result<(), Failure> {
    let (size, count) = (load.options.room_size(), load.options.senders_per_room());
    load.tracks = vec![Track::default(); load.connections.len() * count];
    for (room, seat) in (0..load.options.rooms).flat_map(|room| (0..count).map(move |n| (room, n)))
    {
        let connection = room * size + seat * size / count;
        let message = &load.profile.message;
        let sender = Sender::new(message, room, connection, load.options.payload);
        load.senders.push(sender.ok_or("the profile's message loses {payload}")?);
    }
    Ok(())
}

/// When messages go.
struct Pace {
    began: u64,
    /// How many have gone in the open loop.
    sent: u64,
}

impl Pace {
    fn start(load: &mut Load) -> Self {
        load.is_sending = true;
        let began = load.now();
        load.senders.iter_mut().for_each(|sender| sender.heard = began);
        if load.options.rate == 0.0 {
            (0..load.senders.len()).for_each(|sender| fill_window(load, sender));
        }
        Self { began, sent: 0 }
    }

    fn go_on(&mut self, load: &mut Load, time: Duration) -> Result<(), Failure> {
        let began = Instant::now();
        while began.elapsed() < time && (load.counts.gone as usize) <= load.connections.len() / 2 {
            let is_open = load.options.rate > 0.0;
            let wait = if is_open { self.send_due(load) } else { TICK };
            let is_busy = load.poll(wait)?;
            if !is_open && !is_busy {
                free_stalled(load);
            }
        }
        Ok(())
    }

    /// Sends what is due; returns how long nothing will be.
    fn send_due(&mut self, load: &mut Load) -> Duration {
        for _ in 0..BURST {
            let due = self.began + (self.sent as f64 * 1e9 / load.options.rate) as u64;
            let now = load.now();
            if due > now {
                return Duration::from_nanos(due - now).min(TICK);
            }
            let senders = load.senders.len() as u64;
            load.send_message((self.sent % senders) as usize, due);
            self.sent += 1;
        }
        Duration::ZERO
    }
}

fn fill_window(load: &mut Load, sender: usize) {
    for _ in 0..load.options.window {
        load.send_message(sender, load.now());
    }
}

/// Lets senders go on whose copy has not come for long.
fn free_stalled(load: &mut Load) {
    let now = load.now();
    for at in 0..load.senders.len() {
        let sender = &mut load.senders[at];
        let is_waiting = sender.under_way >= load.options.window;
        if is_waiting && now.saturating_sub(sender.heard) > STALL {
            (sender.under_way, sender.heard) = (0, now);
            load.counts.stalls += 1;
            fill_window(load, at);
        }
    }
}

/// How many copies everything sent makes.
fn expected(load: &Load) -> u64 {
    let sent: u64 = load.senders.iter().map(|sender| u64::from(sender.sent)).sum();
    sent * load.options.room_size() as u64
}

fn drain(load: &mut Load, expected: u64) -> Result<(), Failure> {
    let began = Instant::now();
    while load.counts.unique < expected && began.elapsed() < load.options.drain {
        load.poll(TICK)?;
    }
    Ok(load.poll_for(AFTERMATH)?)
}

/// Where the clocks and counters stood when measuring began.
struct Before {
    began: Instant,
    server: Cpu,
    own: Cpu,
    counts: Counts,
}

/// What was spent while measuring.
struct Spent {
    wall: f64,
    server: Cpu,
    own: f64,
    frames_per_read: f64,
}

impl Before {
    fn measuring(load: &mut Load) -> Self {
        load.is_measuring = true;
        load.latency = Histogram::default();
        let (server, own) = (Cpu::of(load.options.pid), Cpu::own());
        Self { began: Instant::now(), server, own, counts: load.counts }
    }

    fn until_now(&self, load: &Load) -> Spent {
        let (frames, reads) = (self.counts.frames, self.counts.reads);
        Spent {
            wall: self.began.elapsed().as_secs_f64(),
            server: Cpu::of(load.options.pid).since(self.server),
            own: Cpu::own().since(self.own).total(),
            frames_per_read: per(load.counts.frames - frames, (load.counts.reads - reads) as f64),
        }
    }
}

fn report(load: &Load, figures: &mut Figures, spent: &Spent, expected: u64, backlog: u64) {
    let (counts, options) = (load.counts, &load.options);
    let (cpu, deliveries) = (spent.server.total(), counts.deliveries);
    let lost = expected.saturating_sub(counts.unique);
    let is_open = options.rate > 0.0;
    figures.set("loop", if is_open { "open" } else { "closed" });
    figures.set("rate", options.rate);
    figures.set("senders_per_room", options.senders_per_room());
    figures.set("window", options.window);
    figures.set("wall_s", spent.wall);
    figures.set("sent", counts.sent);
    figures.set("sent_per_s", per(counts.sent, spent.wall));
    figures.set("deliveries", deliveries);
    figures.set("deliveries_per_s", per(deliveries, spent.wall));
    figures.set("deliveries_per_cpu_s", per(deliveries, cpu));
    figures.set("server_cpu_s", cpu);
    figures.set("server_user_s", spent.server.user);
    figures.set("server_system_s", spent.server.system);
    figures.set("generator_cpu_s", spent.own);
    figures.set("latency_us", load.latency.to_json());
    figures.set("expected_total", expected);
    figures.set("lost", lost);
    figures.set("duplicated", counts.duplicated);
    figures.set("out_of_order", counts.out_of_order);
    figures.set("misrouted", counts.misrouted);
    figures.set("stalls", counts.stalls);
    figures.set("gone", counts.gone);
    figures.set("backlog_at_stop", backlog);
    figures.set("frames_per_read", spent.frames_per_read);
    figures.set("other_frames", counts.other_frames);
    figures.set("pss_after_kib", server::memory(options.pid));
    figures.set("first_error", load.trouble.clone());
    let pace = if is_open {
        format!("open {}/s", options.rate)
    } else {
        format!("closed S={} W={}", options.senders_per_room(), options.window)
    };
    figures.line = format!(
        "fanout C={} R={} {pace}: {:.0} del/s, {:.0} del/CPU-s, p50 {:.2} p99 {:.2} p99.9 {:.2} max {:.2} ms, \
         lost {lost} dup {} ooo {} misrouted {} stalls {} gone {}, CPU server {cpu:.2} (u {:.2}) gen {:.2} of {:.2} s, {:.1} frames/read {}",
        load.connections.len(),
        options.rooms,
        per(deliveries, spent.wall),
        per(deliveries, cpu),
        load.latency.quantile(0.5),
        load.latency.quantile(0.99),
        load.latency.quantile(0.999),
        load.latency.quantile(1.0),
        counts.duplicated,
        counts.out_of_order,
        counts.misrouted,
        counts.stalls,
        counts.gone,
        spent.server.user,
        spent.own,
        spent.wall,
        spent.frames_per_read,
        load.trouble.as_deref().unwrap_or_default(),
    );
}
