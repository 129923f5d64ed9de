//! A picture of lines, as SVG: both axes logarithmic, readable on light and on dark.

use std::fmt::Write as _;

/// Lines over the same sizes.
#[derive(Debug)]
pub(super) struct Chart {
    pub(super) title: &'static str,
    pub(super) across: &'static str,
    pub(super) up: &'static str,
    pub(super) lines: Vec<Line>,
}

#[derive(Debug)]
pub(super) struct Line {
    pub(super) name: &'static str,
    pub(super) points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 560.0;
const TOP: f64 = 50.0;
const BOTTOM: f64 = 360.0;
const COLOURS: [&str; 4] = ["#2f81f7", "#db6d28", "#2da44e", "#a371f7"];
const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#24292f}.title{font-size:16px;font-weight:600}\
.grid{stroke:#8c959f;stroke-opacity:.3}polyline{fill:none;stroke-width:2}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}}";

impl Chart {
    pub(super) fn to_svg(&self) -> String {
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">\n\
             <title>{0}</title>\n<style>{STYLE}</style>\n<text class=\"title\" x=\"{LEFT}\" y=\"24\">{0}</text>\n",
            self.title
        );
        let across = Axis::over(self.points().map(|(size, _)| size), LEFT, RIGHT);
        let up = Axis::over(self.points().map(|(_, value)| value), BOTTOM, TOP);
        for (tick, x) in across.ticks() {
            let _ = writeln!(
                svg,
                r#"<line class="grid" x1="{x:.1}" x2="{x:.1}" y1="{TOP}" y2="{BOTTOM}"/><text x="{x:.1}" y="380" text-anchor="middle">{tick}</text>"#
            );
        }
        for (tick, y) in up.ticks() {
            let (end, base) = (LEFT - 8.0, y + 4.0);
            let _ = writeln!(
                svg,
                r#"<line class="grid" x1="{LEFT}" x2="{RIGHT}" y1="{y:.1}" y2="{y:.1}"/><text x="{end}" y="{base:.1}" text-anchor="end">{tick}</text>"#
            );
        }
        let _ = writeln!(
            svg,
            r#"<text x="{RIGHT}" y="404" text-anchor="end">{}</text><text x="{LEFT}" y="42">{}</text>"#,
            self.across, self.up
        );
        for (line, colour) in self.lines.iter().zip(COLOURS) {
            svg += &line.to_svg(colour, &across, &up);
        }
        for ((line, y), colour) in self.named(&up).into_iter().zip(COLOURS) {
            let (x, base) = (RIGHT + 10.0, y + 4.0);
            let _ = writeln!(
                svg,
                r#"<circle cx="{x}" cy="{y:.1}" r="4" fill="{colour}"/><text x="{}" y="{base:.1}">{line}</text>"#,
                x + 10.0
            );
        }
        svg + "</svg>\n"
    }

    fn points(&self) -> impl Iterator<Item = (f64, f64)> {
        self.lines.iter().flat_map(|line| line.points.iter().copied())
    }

    /// The lines' names, in their order, beside their ends as far as they do not cover each other.
    fn named(&self, up: &Axis) -> Vec<(String, f64)> {
        let ends = self.lines.iter().map(|line| match line.points.last() {
            Some(&(_, value)) => (line.name.to_owned(), up.place(value)),
            None => (format!("({}: not here)", line.name), BOTTOM),
        });
        let mut names: Vec<_> = ends.collect();
        let mut order: Vec<usize> = (0..names.len()).collect();
        order.sort_by(|&one, &other| names[one].1.total_cmp(&names[other].1));
        let mut free = TOP;
        for &at in &order {
            names[at].1 = names[at].1.max(free);
            free = names[at].1 + 20.0;
        }
        names
    }
}

impl Line {
    fn to_svg(&self, colour: &str, across: &Axis, up: &Axis) -> String {
        let places = self.points.iter().map(|&(size, value)| (across.place(size), up.place(value)));
        let places: Vec<(f64, f64)> = places.collect();
        let mut svg = format!("<polyline stroke=\"{colour}\" points=\"");
        for (x, y) in &places {
            let _ = write!(svg, "{x:.1},{y:.1} ");
        }
        svg += "\"/>";
        for (x, y) in places {
            let _ = write!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>");
        }
        svg + "\n"
    }
}

/// Whole powers of ten, put onto a stretch of the picture.
struct Axis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Axis {
    fn over(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let powers = values.filter(|value| *value > 0.0).map(f64::log10);
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        powers.for_each(|power| (low, high) = (low.min(power), high.max(power)));
        let (low, high) = if low > high { (0.0, 1.0) } else { (low.floor(), high.ceil()) };
        Self { low, high: high.max(low + 1.0), from, to }
    }

    fn place(&self, value: f64) -> f64 {
        let share = (value.log10() - self.low) / (self.high - self.low);
        self.from + share * (self.to - self.from)
    }

    /// The powers of ten, as they are written, and their places.
    fn ticks(&self) -> Vec<(String, f64)> {
        let powers = (self.low as i32)..=(self.high as i32);
        let values = powers.map(|power| 10_f64.powi(power));
        values.map(|value| (short(value), self.place(value))).collect()
    }
}

fn short(value: f64) -> String {
    match value {
        _ if value >= 1e6 => format!("{}M", value / 1e6),
        _ if value >= 1e3 => format!("{}k", value / 1e3),
        _ => format!("{value}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{BOTTOM, Chart, LEFT, Line, RIGHT, TOP};

    fn chart(points: Vec<(f64, f64)>) -> String {
        let lines = vec![Line { name: "one", points }, Line { name: "two", points: Vec::new() }];
        Chart { title: "A title", across: "members", up: "copies", lines }.to_svg()
    }

    #[test]
    fn ten_times_as_much_is_a_step_of_the_same_size() {
        let svg = chart(vec![(10.0, 1000.0), (100.0, 10_000.0), (1000.0, 100_000.0)]);
        let (x, y) = (f64::midpoint(LEFT, RIGHT), f64::midpoint(TOP, BOTTOM));
        let expected = format!("{LEFT:.1},{BOTTOM:.1} {x:.1},{y:.1} {RIGHT:.1},{TOP:.1} ");
        assert!(svg.contains(&expected), "{svg}");
        assert!(["10<", "1k<", "100k<"].iter().all(|tick| svg.contains(tick)));
    }

    #[test]
    fn a_line_without_points_is_said_to_be_missing() {
        let svg = chart(vec![(10.0, 1000.0)]);
        assert!(svg.contains("(two: not here)") && !svg.contains("NaN") && !svg.contains("inf"));
        assert!(chart(Vec::new()).contains("(one: not here)"));
    }
}
