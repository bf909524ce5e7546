//! The description of a data set as one page of HTML, its plots drawn in it.

use crate::{Bin, Description, LabelPolicy, Manifest, Role, RoleCounts};
use std::fmt::Write as _;

/// Colours of the roles, from none to primary, that people with any form of colour blindness can tell apart (Okabe and
/// Ito, 2008).
const ROLE_COLOURS: [&str; 5] = ["#9aa3ab", "#e69f00", "#56b4e9", "#b0578d", "#0072b2"];
const VIABLE: &str = "#009e73";
const HOPELESS: &str = "#d55e00";

const STYLE: &str = "
body{margin:0 auto;padding:32px 28px 48px;max-width:860px;background:#fff;color:#1c2329;
 font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif}
h1{font-size:25px;margin:0}h2{font-size:18px;margin:30px 0 8px;padding-top:10px;border-top:2px solid #e3e6e8}
p{margin:8px 0}.note{color:#5a646d;font-size:13px}
svg{display:block;max-width:100%;height:auto;font:12px system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;list-style:none;margin:4px 0 8px;padding:0;font-size:13px}
.legend i{display:inline-block;width:12px;height:12px;border-radius:2px;margin-right:6px;vertical-align:-1px}
table{border-collapse:collapse;margin:14px 0;font-size:13.5px;font-variant-numeric:tabular-nums}
th,td{padding:4px 14px 4px 0;text-align:right;font-weight:400}th:first-child{text-align:left}
thead th{color:#5a646d;border-bottom:1px solid #9aa3ab}tbody tr+tr>*{border-top:1px solid #eceff0}
";

/// A bar of the plots: its name, what stands behind it, and its parts with colour and count.
struct Bar {
    name: String,
    note: String,
    parts: Vec<(&'static str, &'static str, u64)>,
}

impl Description {
    /// The description as one page of HTML without any other file: the census, the class balance of each label policy,
    /// and the roles by seed length and by occurrences. `name` is the data set's; `manifest` says what made it.
    #[must_use]
    pub fn html(&self, name: &str, manifest: &Manifest) -> String {
        let mut body = format!("<h1>Seeds of {}</h1>", escape(name));
        let _ = write!(
            body,
            "<p class=\"note\">{} {}, schema version {}, T = {}. Made of: {}.</p>",
            escape(&manifest.producer.name),
            escape(&manifest.producer.version),
            manifest.schema_version,
            manifest.reporting_threshold,
            escape(&manifest.inputs.iter().map(|input| input.name.as_str()).collect::<Vec<_>>().join(", "))
        );
        body += "<h2>Census</h2>";
        body += &self.census_table();
        body += "<h2>Class balance by label policy</h2>";
        body += &legend(&[(VIABLE, "viable"), (HOPELESS, "hopeless")]);
        let counted = self.viable.into_iter().zip(self.labelled);
        let policies = LabelPolicy::ALL.into_iter().zip(counted).map(|(policy, (viable, labelled))| Bar {
            name: policy.to_string(),
            note: format!("{} viable", percent(viable, labelled)),
            parts: vec![(VIABLE, "viable", viable), (HOPELESS, "hopeless", labelled - viable)],
        });
        body += &bars("Viable and hopeless seeds by label policy", &policies.collect::<Vec<_>>());
        for (title, unit, bins) in [
            ("Roles by seed length", "bases", &self.lengths),
            ("Roles by occurrences", "times in the reference, both strands", &self.occurrences),
        ] {
            let _ = write!(
                body,
                "<h2>{title}</h2><p class=\"note\">{unit}; behind each bar its seeds, and the share that \
                 is viable by own-extension.</p>"
            );
            let roles: Vec<_> = ROLE_COLOURS.into_iter().zip(Role::ALL.map(Role::name)).collect();
            body += &legend(&roles);
            body += &bars(title, &bins.iter().filter(|bin| bin.seeds > 0).map(role_bar).collect::<Vec<_>>());
        }
        let samples: String = self
            .samples
            .iter()
            .map(|(sample, seeds)| format!("<tr><th>{}</th><td>{}</td></tr>", escape(sample), thousands(*seeds)))
            .collect();
        let _ = write!(
            body,
            "<h2>Samples</h2><table><thead><tr><th>sample</th><th>seeds</th></tr></thead><tbody>{samples}</tbody></table>"
        );
        format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
             content=\"width=device-width\"><title>Seeds of {}</title><style>{STYLE}</style></head>\n<body>{body}</body></html>\n",
            escape(name)
        )
    }

    fn census_table(&self) -> String {
        let mut rows = String::new();
        let mut row = |name: &str, count: u64, share: String| {
            let _ = write!(rows, "<tr><th>{name}</th><td>{}</td><td>{share}</td></tr>", thousands(count));
        };
        let per_read = |count: u64| format!("{:.1} a read", count as f64 / self.reads.max(1) as f64);
        row("reads", self.reads, String::new());
        row("seeds", self.seeds, per_read(self.seeds));
        row("in kept chains", self.in_kept_chains, per_read(self.in_kept_chains));
        row("extended", self.extended, per_read(self.extended));
        for role in Role::ALL {
            let name = match role {
                Role::None => "in no region",
                Role::BelowThreshold => "region below T",
                other => other.name(),
            };
            row(name, self.roles.of(role), percent(self.roles.of(role), self.seeds));
        }
        for (name, count) in ["found as SMEM", "by re-seeding (-r)", "as a rare short match (-y)", "round not known"]
            .into_iter()
            .zip(self.rounds)
        {
            if count > 0 {
                row(name, count, percent(count, self.seeds));
            }
        }
        format!("<table><thead><tr><th></th><th>count</th><th></th></tr></thead><tbody>{rows}</tbody></table>")
    }
}

fn role_bar(bin: &Bin) -> Bar {
    let name = match (*bin.range.start(), *bin.range.end()) {
        (start, u32::MAX) => format!("{start} and more"),
        (start, end) if start == end => format!("{start}"),
        (start, end) => format!("{start} to {end}"),
    };
    let count = |roles: RoleCounts, role: Role| roles.of(role);
    Bar {
        name,
        note: format!("{}, {} viable", thousands(bin.seeds), percent(bin.viable, bin.labelled)),
        parts: ROLE_COLOURS
            .into_iter()
            .zip(Role::ALL)
            .map(|(colour, role)| (colour, role.name(), count(bin.roles, role)))
            .collect(),
    }
}

/// Bars of the same length, divided by their parts.
fn bars(description: &str, bars: &[Bar]) -> String {
    const ROW: f64 = 26.0;
    const LEFT: f64 = 130.0;
    const LENGTH: f64 = 470.0;
    let height = ROW * bars.len() as f64 + 4.0;
    let mut svg =
        format!("<svg viewBox=\"0 0 820 {height}\" width=\"820\" role=\"img\" aria-label=\"{}\">", escape(description));
    for (number, bar) in bars.iter().enumerate() {
        let top = ROW * number as f64 + 3.0;
        let text = top + 14.0;
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{text:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 10.0,
            escape(&bar.name)
        );
        let all: u64 = bar.parts.iter().map(|(_, _, count)| count).sum();
        let mut x = LEFT;
        for (colour, part, count) in bar.parts.iter().filter(|(_, _, count)| *count > 0) {
            let width = LENGTH * *count as f64 / all as f64;
            let _ = write!(
                svg,
                "<rect x=\"{x:.2}\" y=\"{top:.1}\" width=\"{width:.2}\" height=\"20\" fill=\"{colour}\"><title>{} {part}: {} ({})\
                 </title></rect>",
                escape(&bar.name),
                thousands(*count),
                percent(*count, all)
            );
            x += width;
        }
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{text:.1}\" fill=\"#5a646d\">{}</text>",
            LEFT + LENGTH + 10.0,
            escape(&bar.note)
        );
    }
    svg + "</svg>"
}

fn legend(entries: &[(&str, &str)]) -> String {
    let entries: String = entries
        .iter()
        .map(|(colour, name)| format!("<li><i style=\"background:{colour}\"></i>{}</li>", name.replace('_', " ")))
        .collect();
    format!("<ul class=\"legend\">{entries}</ul>")
}

fn percent(part: u64, whole: u64) -> String {
    format!("{:.2} %", if whole == 0 { 0.0 } else { 100.0 * part as f64 / whole as f64 })
}

/// 1234567 as 1,234,567.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let mut text = digits[..first].to_owned();
    for three in digits.as_bytes()[first..].chunks(3) {
        if !text.is_empty() {
            text.push(',');
        }
        text.extend(three.iter().map(|&digit| char::from(digit)));
    }
    text
}

/// Text as it may stand in HTML and SVG, in an attribute too.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_three() {
        let all = [0, 12, 999, 1000, 1_234_567].map(thousands);
        assert_eq!(all, ["0", "12", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn the_parts_of_a_bar_fill_it() {
        let parts = vec![("#000", "some", 25), ("#fff", "others", 75), ("#f00", "none", 0)];
        let svg = bars("x", &[Bar { name: "<a>".into(), note: String::new(), parts }]);
        assert!(svg.contains("width=\"117.50\"") && svg.contains("width=\"352.50\""), "{svg}");
        assert!(svg.contains("&lt;a&gt; some: 25 (25.00 %)") && !svg.contains("none:"), "{svg}");
    }
}
