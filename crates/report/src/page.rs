use crate::svg::escape;

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

/// A page around `body`, which is HTML. `title` and `made_by` are text: the command and its version, no date and no path, so
/// that the same input gives the same bytes.
#[must_use]
pub fn page(title: &str, body: &str, made_by: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{}</title><style>{STYLE}</style></head>\n\
         <body>{body}<p class=\"files\">Made by {}.</p></body></html>\n",
        escape(title),
        escape(made_by),
    )
}
