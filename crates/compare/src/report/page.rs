//! The frame of the page and its summary.

use std::fmt::Write as _;

use super::ReportInput;
use super::svg::escape;
use crate::change::Change;
use crate::comparison::Comparison;
use crate::text::{file_counts, percent, proper_pair_percent, thousands};

const STYLE: &str = "
:root{color-scheme:light}
*{box-sizing:border-box}
body{margin:0 auto;padding:32px 28px 48px;max-width:840px;background:#fff;color:#1c2329;
 font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif}
h1{font-size:25px;margin:0 0 2px}h2{font-size:18px;margin:0 0 8px;padding-top:10px;border-top:2px solid #e3e6e8}
h3{font-size:15px;margin:22px 0 4px}
section{margin-top:30px}p{margin:8px 0}.files{color:#5a646d}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:10px;margin:18px 0}
.tiles div{border:1px solid #d5dadd;border-radius:8px;padding:9px 13px}
.tiles b{display:block;font-size:21px;font-variant-numeric:tabular-nums}.tiles span{color:#5a646d;font-size:13px}
figure{margin:16px 0}figcaption{font-weight:600;margin-bottom:6px}
svg{display:block;max-width:100%;height:auto;font:12px system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif}
.pair{display:flex;flex-wrap:wrap;gap:20px}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;list-style:none;margin:4px 0 8px;padding:0;font-size:13px}
.legend i{display:inline-block;width:12px;height:12px;border-radius:2px;margin-right:6px;vertical-align:-1px}
table{border-collapse:collapse;margin:14px 0;font-size:13.5px;font-variant-numeric:tabular-nums}
th,td{padding:4px 12px 4px 0;text-align:right;font-weight:400;white-space:nowrap}
tr>th:first-child{text-align:left;padding-right:22px}thead th[colspan]{text-align:center}thead th{color:#5a646d;border-bottom:1px solid #9aa3ab}
tbody tr+tr>*{border-top:1px solid #eceff0}tfoot tr:first-child>*{border-top:1px solid #9aa3ab;font-weight:600}
table.examples{font-size:12px}table.examples td{text-align:left;white-space:normal;overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 16px;font-size:13px;color:#5a646d}
dt{font-weight:600}dd{margin:0}
@media print{body{padding:0;max-width:none;font-size:12px}figure,table,.tiles{break-inside:avoid}h2{break-after:avoid}
 *{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
";

/// Title, tiles with the main numbers, and the counts of both files.
pub(crate) fn summary(input: &ReportInput<'_>) -> String {
    let comparison = input.comparison;
    let mut tiles = String::new();
    let mut tile = |value: &str, name: &str| {
        let _ = write!(tiles, "<div><b>{}</b><span>{}</span></div>", escape(value), escape(name));
    };
    tile(&thousands(comparison.reads), "reads compared");
    tile(&format!("{} %", percent(comparison.total(Change::Identical), comparison.reads)), "identical records");
    for change in [Change::Moved, Change::Lost, Change::Gained] {
        tile(&thousands(comparison.total(change)), change.label());
    }
    if let (Some(a), Some(b)) = (input.statistics_a, input.statistics_b) {
        tile(&format!("{:.1} to {:.1} s", a.cpu_seconds(), b.cpu_seconds()), "CPU time, A to B");
    }
    if let Some(filter) = input.statistics_b.or(input.statistics_a).and_then(|run| run.filter.as_ref()) {
        tile(&format!("{} %", percent(filter.dropped, filter.seeds_in)), "seeds dropped by the filter");
    }
    let (a, b) = (&comparison.a, &comparison.b);
    let mut rows = String::new();
    for (name, of_a, of_b) in file_counts(a, b) {
        let _ = write!(rows, "<tr><th>{name}</th><td>{}</td><td>{}</td></tr>", thousands(of_a), thousands(of_b));
    }
    let _ = write!(
        rows,
        "<tr><th>% in proper pairs</th><td>{}</td><td>{}</td></tr>",
        proper_pair_percent(a),
        proper_pair_percent(b)
    );
    format!(
        "<h1>{} against {}</h1><p class=\"files\">A is {}, B is {}. A read is one mate, and stands for its primary \
         record.</p><div class=\"tiles\">{tiles}</div><table><thead><tr><th></th><th>A: {}</th><th>B: {}</th></tr></thead>\
         <tbody>{rows}</tbody></table>",
        escape(&b.label),
        escape(&a.label),
        escape(&a.file),
        escape(&b.file),
        escape(&a.label),
        escape(&b.label),
    )
}

pub(crate) fn page(body: &str, comparison: &Comparison) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{} against {}: alignments compared</title><style>{STYLE}</style></head>\n\
         <body>{body}<p class=\"files\">Made by seedsieve compare {}.</p></body></html>\n",
        escape(&comparison.b.label),
        escape(&comparison.a.label),
        comparison.version,
    )
}
