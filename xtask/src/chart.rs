//! A picture of lines, as SVG, readable on light and on dark.

use std::fmt::Write as _;

/// Lines over the same sizes.
#[derive(Debug)]
pub(crate) struct Chart {
    pub(crate) title: &'static str,
    pub(crate) across: &'static str,
    pub(crate) up: &'static str,
    pub(crate) axes: Axes,
    pub(crate) lines: Vec<Line>,
}

/// What equal steps on both axes mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Axes {
    /// Ten times as much.
    Logarithmic,
    /// So much more, from 0 on.
    Linear,
}

#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) name: &'static str,
    pub(crate) colour: &'static str,
    /// A second line of the same thing has the same colour and is dashed.
    pub(crate) is_dashed: bool,
    pub(crate) points: Vec<(f64, f64)>,
}

pub(crate) const BLUE: &str = "#2f81f7";
pub(crate) const ORANGE: &str = "#db6d28";
pub(crate) const GREEN: &str = "#2da44e";
pub(crate) const VIOLET: &str = "#a371f7";

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 560.0;
const TOP: f64 = 50.0;
const BOTTOM: f64 = 360.0;
/// So many points of a line can be told apart.
const MOST_MARKS: usize = 30;
const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#24292f}.title{font-size:16px;font-weight:600}\
.grid{stroke:#8c959f;stroke-opacity:.3}polyline{fill:none;stroke-width:2}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}}";

impl Chart {
    pub(crate) fn to_svg(&self) -> String {
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">\n\
             <title>{0}</title>\n<style>{STYLE}</style>\n<text class=\"title\" x=\"{LEFT}\" y=\"24\">{0}</text>\n",
            self.title
        );
        let across = self.axes.over(self.points().map(|(size, _)| size), LEFT, RIGHT);
        let up = self.axes.over(self.points().map(|(_, value)| value), BOTTOM, TOP);
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
        for line in &self.lines {
            svg += &line.to_svg(&across, &up);
        }
        for ((name, y), line) in self.named(&up).into_iter().zip(&self.lines) {
            let (x, base) = (RIGHT + 10.0, y + 4.0);
            let _ = writeln!(
                svg,
                r#"<circle cx="{x}" cy="{y:.1}" r="4" fill="{}"/><text x="{}" y="{base:.1}">{name}</text>"#,
                line.colour,
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
    fn to_svg(&self, across: &Axis, up: &Axis) -> String {
        let colour = self.colour;
        let dashes = if self.is_dashed { " stroke-dasharray=\"6 4\"" } else { "" };
        let places = self.points.iter().map(|&(size, value)| (across.place(size), up.place(value)));
        let places: Vec<(f64, f64)> = places.collect();
        let mut svg = format!("<polyline stroke=\"{colour}\"{dashes} points=\"");
        for (x, y) in &places {
            let _ = write!(svg, "{x:.1},{y:.1} ");
        }
        svg += "\"/>";
        // More would be a thicker line.
        let marked = if places.len() > MOST_MARKS { vec![] } else { places };
        for (x, y) in marked {
            let _ = write!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>");
        }
        svg + "\n"
    }
}

/// Values, put onto a stretch of the picture.
struct Axis {
    axes: Axes,
    /// Whole powers of ten, or whole steps.
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Axes {
    fn over(self, values: impl Iterator<Item = f64>, from: f64, to: f64) -> Axis {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        let values = values.filter(|value| *value > 0.0).map(|value| self.scaled(value));
        values.for_each(|value| (low, high) = (low.min(value), high.max(value)));
        let (low, high) = match self {
            _ if low > high => (0.0, 1.0),
            Self::Logarithmic => (low.floor(), high.ceil()),
            Self::Linear => (0.0, (high / step(high)).ceil() * step(high)),
        };
        let high = if self == Self::Logarithmic { high.max(low + 1.0) } else { high };
        Axis { axes: self, low, high, from, to }
    }

    fn scaled(self, value: f64) -> f64 {
        match self {
            Self::Logarithmic => value.log10(),
            Self::Linear => value,
        }
    }
}

/// One, two or five of some power of ten, of which some fit below a value.
fn step(most: f64) -> f64 {
    let power = 10_f64.powf((most / 4.0).log10().floor());
    let fits = |step: &f64| most / step <= 8.0;
    [power, 2.0 * power, 5.0 * power].into_iter().find(fits).unwrap_or(10.0 * power)
}

impl Axis {
    fn place(&self, value: f64) -> f64 {
        let share = (self.axes.scaled(value) - self.low) / (self.high - self.low);
        self.from + share * (self.to - self.from)
    }

    /// The values that are written on it, as they are written, and their places.
    fn ticks(&self) -> Vec<(String, f64)> {
        let values: Vec<f64> = match self.axes {
            Axes::Logarithmic => {
                let powers = (self.low as i32)..=(self.high as i32);
                powers.map(|power| 10_f64.powi(power)).collect()
            }
            Axes::Linear => {
                let step = step(self.high);
                (0..=(self.high / step).round() as u32).map(|n| f64::from(n) * step).collect()
            }
        };
        values.into_iter().map(|value| (short(value), self.place(value))).collect()
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
    use super::{Axes, BLUE, BOTTOM, Chart, LEFT, Line, MOST_MARKS, RIGHT, TOP, step};

    fn line(name: &'static str, points: Vec<(f64, f64)>) -> Line {
        Line { name, colour: BLUE, is_dashed: false, points }
    }

    fn chart(points: Vec<(f64, f64)>) -> String {
        let lines = vec![line("one", points), line("two", Vec::new())];
        chart_of(Axes::Logarithmic, lines)
    }

    fn chart_of(axes: Axes, lines: Vec<Line>) -> String {
        Chart { title: "A title", across: "members", up: "copies", axes, lines }.to_svg()
    }

    #[test]
    fn so_much_more_is_a_step_of_the_same_size_from_zero_on() {
        let points = vec![(0.0, 0.0), (15.0, 20.0), (30.0, 40.0)];
        let svg = chart_of(Axes::Linear, vec![line("one", points)]);
        let (x, y) = (f64::midpoint(LEFT, RIGHT), f64::midpoint(TOP, BOTTOM));
        let expected = format!("{LEFT:.1},{BOTTOM:.1} {x:.1},{y:.1} {RIGHT:.1},{TOP:.1} ");
        assert!(svg.contains(&expected), "{svg}");
        assert!(
            ["0<", "5<", "30<", "40<"].iter().all(|tick| svg.contains(&format!(">{tick}"))),
            "{svg}"
        );
        assert!(chart_of(Axes::Linear, Vec::new()).contains("<svg"));
    }

    #[test]
    fn some_steps_fit_on_an_axis() {
        for most in [0.3, 1.0, 7.0, 30.0, 31.0, 99.0, 1234.0] {
            let count = (most / step(most)).ceil();
            assert!((3.0..=8.0).contains(&count), "{count} for {most}");
        }
    }

    #[test]
    fn a_line_of_many_points_has_no_marks() {
        let drawn = |count: usize| {
            let points = (0..count).map(|at| (at as f64, 1.0)).collect();
            chart_of(Axes::Linear, vec![line("one", points)])
        };
        let marks = |svg: &str| svg.matches("r=\"3\"").count();
        assert_eq!(marks(&drawn(MOST_MARKS)), MOST_MARKS);
        assert_eq!(marks(&drawn(MOST_MARKS + 1)), 0);
    }

    #[test]
    fn a_second_line_of_the_same_thing_is_dashed() {
        let second = Line { is_dashed: true, ..line("two", vec![(1.0, 1.0)]) };
        let svg = chart_of(Axes::Linear, vec![line("one", vec![(1.0, 2.0)]), second]);
        assert_eq!(svg.matches("stroke-dasharray").count(), 1);
        assert_eq!(svg.matches(&format!("<polyline stroke=\"{BLUE}\"")).count(), 2);
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
