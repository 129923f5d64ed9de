//! The page of all figures, and its pictures.

use std::{fmt::Write as _, fs, path::Path};

use super::{
    criterion::{self, Time},
    curves::Curve,
    holding::Held,
    machine,
    options::Options,
    ratio::{self, Figures, Measured},
    row::Row,
};

/// What has been measured so far.
#[derive(Debug, Default)]
pub(super) struct Page {
    rows: String,
    /// File names and pictures.
    pictures: Vec<(String, &'static str, String)>,
    held: String,
    pub(super) in_process: Vec<Time>,
}

const HEAD: &str = "\
# Benchmarks

Written by `cargo xtask bench`, which measures everything here again; with `--only NAME` one row or picture. The rows hold for the
machine below; a ratio travels better than a figure.

A *copy* is one message at one member. In a room four members send, in a room of ten one does; each has four messages of 100 bytes under
way and sends its next one when its own copy is back. The CPU is the server's, user and system, from `/proc`. chatrooms speaks JSON, numbers and
keeps every message and promises what the README says, with mimalloc as its allocator; a lost, doubled or reordered copy fails the run. All that is written in Rust
is built with thin LTO in one codegen unit; the other programs have the system's allocator. What it stands beside promises none of that:

- the *floor* (`benches/peers`) is one thread over epoll that writes each frame to each member, without JSON and without names;
  *batched*, it joins what came in one round into one write for each member;
- *axum with a broadcast channel* is the chat that one writes by hand; it drops messages for whoever lags;
- *uWebSockets* is its publish and subscribe, driven from Python by socketify.

A ratio is chatrooms over the other, measured in turn (other, chatrooms, other, ...): each of ours over the mean of those around it. Median, and the
lowest and highest in brackets, and beside it the goal of the project. More is better of copies and joins, less of memory and latency.

How long a copy is under way tells two things. In the rows of latency, at a few messages a second, it is what people see: it counts from the time at which
a message was due, with server and load before everything else on their cores where that is allowed (`chrt --fifo`, as root). In all others the server has as much to do as it can:
copies wait, and for how long is a question of who goes first. chatrooms lets whoever has just been answered speak again before it writes on, so that all
the others get more in one write: they wait longer for a copy than at the floor, and there are more of them.
";

/// What makes the curves of joins bend.
const PRESENCE: &str = "
Up to `presence_exact` members, 200, everybody is told of each join at once; in larger rooms once a second, of all together. A join in a room of 100
costs more than one in a room of 1,000 for that.
";

impl Page {
    /// Measures a row and adds it; returns what broke a promise.
    pub(super) fn add(&mut self, row: &Row, options: &Options) -> Vec<String> {
        let measured = Measured::of(row, options);
        let median = ratio::median(measured.ratios.iter().copied().map(Some));
        let what = format!("{}, {}", row.ours.name(), row.what);
        let unit = if row.unit.starts_with('a') {
            format!("/ {}", row.unit.replace("a ", ""))
        } else {
            row.unit.to_owned()
        };
        let other = row.other.map(|other| match other.missing() {
            Some(why) => format!("{}: {why}", other.name()),
            None => format!(
                "{}: {}{}",
                other.name(),
                number(measured.other.figure),
                lost(measured.lost)
            ),
        });
        let _ = writeln!(
            self.rows,
            "| {what} | {} {unit} | {} | {} | {} | {} | {} | `--only {}` |",
            number(measured.ours.figure),
            other.unwrap_or_default(),
            ratio(&measured.ratios),
            goal(row.goal.to_string(), row.goal.is_missed(median, measured.ours.figure)),
            latency(&measured.ours),
            latency(&measured.other),
            row.name
        );
        measured.problems
    }

    /// Measures a curve and adds its picture; returns what broke a promise.
    pub(super) fn draw(&mut self, curve: &Curve, options: &Options) -> Vec<String> {
        let mut problems = Vec::new();
        let svg = curve.measure(options, &mut problems).to_svg();
        self.pictures.push((format!("benchmark_{}.svg", curve.name), curve.title, svg));
        problems
    }

    /// Holds many connections and tells how that went; returns what broke a promise.
    pub(super) fn hold(&mut self, options: &Options) -> Vec<String> {
        match Held::measure(options.is_quick) {
            Ok(held) => {
                self.held = held.to_string();
                held.problems()
            }
            Err(problem) => vec![problem],
        }
    }

    pub(super) fn write(&self, options: &Options, folder: &Path) -> Result<(), String> {
        let told = |error: std::io::Error| format!("{}: {error}", folder.display());
        for (name, _, svg) in &self.pictures {
            fs::write(folder.join(name), svg).map_err(told)?;
        }
        let path = folder.join("benchmarks.md");
        fs::write(&path, self.text(options)).map_err(told)?;
        println!("{}", path.display());
        Ok(())
    }

    fn text(&self, options: &Options) -> String {
        let pairs = options.pairs;
        let mut text = format!("{HEAD}\n{} {pairs} pairs.\n\n", machine::described());
        text += "| what | value | beside | ratio | goal | ms, p50 and p99 | of the other | `cargo xtask bench` |\n";
        text += "| --- | ---: | --- | --- | --- | ---: | ---: | --- |\n";
        text += &self.rows;
        for (name, title, _) in &self.pictures {
            let _ = write!(text, "\n![{title}]({name})\n");
        }
        if !self.pictures.is_empty() {
            text += PRESENCE;
        }
        text += &self.held;
        if !self.in_process.is_empty() {
            text += &in_process(&self.in_process);
        }
        text
    }
}

fn in_process(times: &[Time]) -> String {
    let mut text = format!(
        "\n## In process\n\nWithout sockets: `cargo bench`, or `cargo xtask bench --only {}`. Each file of `benches/` says what it does. The median for \
         each join and leave, message or room; where members stay, for each member who is told of it. Of `join_under_broadcast` it is what half of the joins, or 99 of 100, take at most. Beside `chatrooms`, `bare` is a \
         `DashMap` of locked maps with the same inserts and removes. A room's purge takes the same instructions however many end with it; what many rooms hold has to come \
         from memory, because no cache holds it.\n\n| benchmark | each | over the bare map | goal |\n| --- | ---: | ---: | --- |\n",
        criterion::NAME
    );
    for time in times {
        let ratio = time.ratio.map(|ratio| format!("{ratio:.1}")).unwrap_or_default();
        let (each, goal) =
            (duration(time.each), time.goal().map(|(text, is_missed)| goal(text, is_missed)));
        let _ =
            writeln!(text, "| {} | {each} | {ratio} | {} |", time.name, goal.unwrap_or_default());
    }
    text
}

fn duration(nanoseconds: f64) -> String {
    match nanoseconds {
        _ if nanoseconds < 1e3 => format!("{nanoseconds:.0} ns"),
        _ if nanoseconds < 1e6 => format!("{:.2} µs", nanoseconds / 1e3),
        _ => format!("{:.2} ms", nanoseconds / 1e6),
    }
}

/// Three digits at least, thousands apart.
fn number(value: Option<f64>) -> String {
    let Some(value) = value else { return "-".to_owned() };
    if value < 100.0 {
        return format!("{value:.2}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn latency(figures: &Figures) -> String {
    match (figures.p50, figures.p99) {
        (Some(p50), Some(p99)) => format!("{p50:.1}, {p99:.1}"),
        _ => String::new(),
    }
}

fn goal(goal: String, is_missed: bool) -> String {
    if is_missed { format!("{goal}, **missed**") } else { goal }
}

fn lost(share: f64) -> String {
    if share > 0.0 { format!(" (lost {:.1} %)", share * 100.0) } else { String::new() }
}

/// The median, and the extremes; they are in order.
fn ratio(ratios: &[f64]) -> String {
    let median = ratio::median(ratios.iter().copied().map(Some));
    match (ratios, median) {
        ([low, .., high], Some(median)) => format!("{median:.2} ({low:.2} to {high:.2})"),
        (_, Some(only)) => format!("{only:.2}"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Figures, duration, latency, lost, number, ratio};

    #[test]
    fn figures_are_written_to_be_read() {
        assert_eq!(number(Some(1_234_567.4)), "1,234,567");
        assert_eq!(number(Some(999.9)), "1,000");
        assert_eq!(number(Some(4.125)), "4.12");
        assert_eq!(number(None), "-");
        let figures = Figures { figure: None, p50: Some(0.66), p99: Some(12.0) };
        assert_eq!(latency(&figures), "0.7, 12.0");
        assert_eq!(latency(&Figures { p50: None, ..figures }), "");
        assert_eq!((duration(250.0), duration(2500.0)), ("250 ns".into(), "2.50 µs".into()));
        assert_eq!((lost(0.0), lost(0.061)), (String::new(), " (lost 6.1 %)".to_owned()));
        assert_eq!(ratio(&[0.9, 1.0, 1.2]), "1.00 (0.90 to 1.20)");
        assert_eq!((ratio(&[0.5]), ratio(&[])), ("0.50".to_owned(), String::new()));
    }
}
