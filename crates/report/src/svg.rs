//! Elements of SVG, as text.

use std::fmt::Write as _;

/// Colours that people with any form of colour blindness can tell apart (Okabe and Ito, 2008), and greys.
pub mod colour {
    /// Light blue.
    pub const SKY: &str = "#56b4e9";
    /// Blue.
    pub const BLUE: &str = "#0072b2";
    /// Orange.
    pub const ORANGE: &str = "#e69f00";
    /// Red.
    pub const VERMILION: &str = "#d55e00";
    /// Green.
    pub const GREEN: &str = "#009e73";
    /// Purple.
    pub const PURPLE: &str = "#b0578d";
    /// Grey, for what is beside the point.
    pub const GREY: &str = "#9aa3ab";
    /// Lines of a grid.
    pub const GRID: &str = "#e3e6e8";
    /// Text.
    pub const INK: &str = "#1c2329";
    /// Text of axes.
    pub const MUTED: &str = "#5a646d";
}

/// Text as it may stand in HTML and SVG, in an attribute too.
#[must_use]
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Which part of a text lies at its point.
#[derive(Clone, Copy)]
pub enum Anchor {
    /// Its start.
    Start,
    /// Its middle.
    Middle,
    /// Its end.
    End,
}

/// A drawing; coordinates are in pixels from the top left corner.
pub struct Drawing {
    width: f64,
    height: f64,
    /// What the drawing shows, for people who cannot see it.
    description: String,
    content: String,
}

impl Drawing {
    /// An empty drawing of this size; `description` is for people who cannot see it.
    pub fn new(width: f64, height: f64, description: &str) -> Self {
        Self { width, height, description: escape(description), content: String::new() }
    }

    /// A filled rectangle with a text that shows when pointed at.
    pub fn rectangle(&mut self, [x, y, width, height]: [f64; 4], fill: &str, hint: &str) {
        let _ = write!(
            self.content,
            r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" fill="{fill}"><title>{}</title></rect>"#,
            escape(hint)
        );
    }

    /// A rectangle as [`Drawing::rectangle`], of which a share of the colour is seen.
    pub fn shade(&mut self, [x, y, width, height]: [f64; 4], fill: &str, opacity: f64, hint: &str) {
        let _ = write!(
            self.content,
            r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" fill="{fill}" fill-opacity="{opacity:.2}"><title>{}</title></rect>"#,
            escape(hint)
        );
    }

    /// A straight line from (x1, y1) to (x2, y2).
    pub fn line(&mut self, [x1, y1, x2, y2]: [f64; 4], stroke: &str) {
        let _ =
            write!(self.content, r#"<line x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" stroke="{stroke}"/>"#);
    }

    /// A line through points; `dashes` is SVG's stroke-dasharray, empty for a solid one.
    pub fn path(&mut self, points: &[(f64, f64)], stroke: &str, dashes: &str) {
        let mut text = String::new();
        for (x, y) in points {
            let _ = write!(text, "{x:.1},{y:.1} ");
        }
        let text = text.trim_end();
        let _ = write!(
            self.content,
            r#"<polyline points="{text}" fill="none" stroke="{stroke}" stroke-width="2" stroke-dasharray="{dashes}" stroke-linejoin="round"/>"#
        );
    }

    /// A filled polygon, light.
    pub fn area(&mut self, points: &[(f64, f64)], fill: &str) {
        let mut text = String::new();
        for (x, y) in points {
            let _ = write!(text, "{x:.1},{y:.1} ");
        }
        let _ = write!(self.content, r#"<polygon points="{}" fill="{fill}" fill-opacity="0.18"/>"#, text.trim_end());
    }

    /// A dot with a text that shows when pointed at.
    pub fn dot(&mut self, (x, y): (f64, f64), fill: &str, hint: &str) {
        let _ = write!(
            self.content,
            r##"<circle cx="{x:.1}" cy="{y:.1}" r="4.5" fill="{fill}" stroke="#fff" stroke-width="1.5"><title>{}</title></circle>"##,
            escape(hint)
        );
    }

    /// A text at a point.
    pub fn text(&mut self, (x, y): (f64, f64), anchor: Anchor, fill: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let _ = write!(
            self.content,
            r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}" fill="{fill}">{}</text>"#,
            escape(text)
        );
    }

    /// Text that reads upwards.
    pub fn upright_text(&mut self, (x, y): (f64, f64), text: &str) {
        let _ = write!(
            self.content,
            r#"<text transform="translate({x:.1} {y:.1}) rotate(-90)" text-anchor="middle" fill="{}">{}</text>"#,
            colour::MUTED,
            escape(text)
        );
    }

    /// The drawing as an element.
    #[must_use]
    pub fn finish(self) -> String {
        let Self { width, height, description, content } = self;
        format!(
            r#"<svg viewBox="0 0 {width} {height}" width="{width}" role="img" aria-label="{description}">{content}</svg>"#
        )
    }
}

/// A legend as HTML: coloured squares with names.
pub fn legend<'a>(entries: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let entries: String = entries
        .into_iter()
        .map(|(fill, name)| format!(r#"<li><i style="background:{fill}"></i>{}</li>"#, escape(&name)))
        .collect();
    format!(r#"<ul class="legend">{entries}</ul>"#)
}
