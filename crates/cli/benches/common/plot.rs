//! A page of line plots that needs nothing but itself.

use std::fmt::Write;

/// One line of a plot.
pub struct Series {
    /// Its name in the legend.
    pub name: String,
    /// x and y, x ascending.
    pub points: Vec<(f64, f64)>,
}

/// A plot with axes from 0.
pub struct Plot {
    /// What it shows.
    pub title: String,
    /// Name and unit of x.
    pub x: String,
    /// Name and unit of y.
    pub y: String,
    /// The lines.
    pub series: Vec<Series>,
}

const COLOURS: [&str; 4] = ["#1f6f8b", "#c8553d", "#588157", "#6d597a"];
const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 340.0;
const MARGIN: f64 = 56.0;

/// The page, with `notes` as paragraphs under its title.
pub fn page(title: &str, notes: &[String], plots: &[Plot]) -> String {
    let mut html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title><style>body{{font:15px/1.5 \
         system-ui,sans-serif;max-width:40em;margin:2em auto;padding:0 1em}}svg{{width:100%}}text{{font:12px \
         system-ui,sans-serif}}</style><h1>{title}</h1>"
    );
    notes.iter().for_each(|note| write!(html, "<p>{}</p>", escaped(note)).expect("text"));
    plots.iter().for_each(|plot| html.push_str(&plot.svg()));
    html + "</html>\n"
}

impl Plot {
    fn svg(&self) -> String {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let largest = |value: fn(&(f64, f64)) -> f64| points().map(value).fold(f64::MIN_POSITIVE, f64::max);
        let (x_end, y_end) = (rounded_up(largest(|point| point.0)), rounded_up(largest(|point| point.1)));
        let across = |x: f64| MARGIN + (WIDTH - 2.0 * MARGIN) * x / x_end;
        let down = |y: f64| HEIGHT - MARGIN - (HEIGHT - 2.0 * MARGIN) * y / y_end;
        let mut svg = format!(
            "<h2>{}</h2><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
            escaped(&self.title),
            escaped(&self.title)
        );
        let mut add = |part: std::fmt::Arguments<'_>| svg.write_fmt(part).expect("text");
        for step in 0..=4 {
            let (x, y) = (x_end * f64::from(step) / 4.0, y_end * f64::from(step) / 4.0);
            let (at_x, at_y, left, bottom) = (across(x), down(y), MARGIN, HEIGHT - MARGIN);
            let right = WIDTH - MARGIN;
            add(format_args!("<line x1=\"{left}\" x2=\"{right}\" y1=\"{at_y:.1}\" y2=\"{at_y:.1}\" stroke=\"#ddd\"/>"));
            add(format_args!(
                "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                left - 6.0,
                at_y + 4.0,
                tick(y)
            ));
            add(format_args!(
                "<text x=\"{at_x:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                bottom + 18.0,
                tick(x)
            ));
        }
        let (middle, bottom) = (WIDTH / 2.0, HEIGHT - 12.0);
        add(format_args!("<text x=\"{middle}\" y=\"{bottom}\" text-anchor=\"middle\">{}</text>", escaped(&self.x)));
        add(format_args!("<text x=\"{MARGIN}\" y=\"20\">{}</text>", escaped(&self.y)));
        for (number, series) in self.series.iter().enumerate() {
            let colour = COLOURS[number % COLOURS.len()];
            let line: Vec<String> =
                series.points.iter().map(|&(x, y)| format!("{:.1},{:.1}", across(x), down(y))).collect();
            add(format_args!(
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
                line.join(" ")
            ));
            for &(x, y) in &series.points {
                let (at_x, at_y, value) = (across(x), down(y), tick(y));
                add(format_args!(
                    "<circle cx=\"{at_x:.1}\" cy=\"{at_y:.1}\" r=\"3\" fill=\"{colour}\"><title>{value}</title></circle>"
                ));
            }
            let at = 40.0 + 16.0 * number as f64;
            add(format_args!(
                "<text x=\"{}\" y=\"{at}\" fill=\"{colour}\">{}</text>",
                MARGIN + 12.0,
                escaped(&series.name)
            ));
        }
        svg + "</svg>"
    }
}

/// The next number of the form 1, 2, 2.5, 4, 5, 8 or 10 times a power of ten.
fn rounded_up(value: f64) -> f64 {
    let power = 10f64.powf(value.log10().floor());
    [1.0, 2.0, 2.5, 4.0, 5.0, 8.0, 10.0]
        .into_iter()
        .map(|step| step * power)
        .find(|step| *step >= value)
        .unwrap_or(value)
}

fn tick(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
