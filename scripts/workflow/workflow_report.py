#!/usr/bin/env python3
"""The report of a workflow run as one HTML page: samples, model, figures. Standard library only."""

from __future__ import annotations

import argparse
import html
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from whole_files import write_whole

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:75rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;margin:1rem 0}"
    "td,th{border:1px solid #bbb;padding:.2rem .6rem;text-align:right}"
    "td:first-child,th:first-child{text-align:left}.failed td{text-align:left;background:#fde8e8}"
    "pre{background:#f4f4f4;padding:1rem;overflow:auto}"
)
PART_COLUMNS = ("samples", "reads", "seeds", "viable", "bytes")
SAMPLE_COLUMNS = ("sample", "part", "population", "sex", "run", "reads", "seeds", "viable", "bytes")


def table(header: Iterable[str], rows: Iterable[Iterable[object]], kind: str = "") -> str:
    """An HTML table; whole numbers get thousands separators."""
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in header)
    body = "".join(f"<tr>{''.join(f'<td>{_cell(cell)}</td>' for cell in row)}</tr>\n" for row in rows)
    return f'<table class="{kind}"><tr>{head}</tr>\n{body}</table>\n'


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else html.escape("" if value is None else str(value))


def samples_section(samples: dict[str, Any]) -> str:
    """Counts of the parts and the samples, failed ones first."""
    parts = [[part, *(counts[key] for key in PART_COLUMNS)] for part, counts in samples["parts"].items()]
    failed = [[one["sample"], one["step"], one["message"]] for one in samples["failed"]]
    rows = [[one.get(key) for key in SAMPLE_COLUMNS] for one in samples["samples"]]
    words = f"<p>{len(failed)} of {len(failed) + len(rows)} samples failed and are in none of the figures.</p>\n"
    return (
        "<h2>Samples</h2>\n"
        + words
        + (table(("failed sample", "step", "why"), failed, "failed") if failed else "")
        + table(("part", *PART_COLUMNS), parts)
        + table(SAMPLE_COLUMNS, rows)
    )


def model_section(metrics: dict[str, Any], verified: str) -> str:
    """The trained network: held-out figures of the training, and its backends beside PyTorch."""
    counts = metrics["counts"]["test"]
    rows = [
        [
            name,
            f"{row['auc']:.4f}",
            *(f"{100 * row['fpr_at_tpr'][target]:.2f} %" for target in ("0.95", "0.99", "0.999")),
        ]
        for name, row in [(metrics["name"], metrics["test"]), ("INT8", metrics["int8"])]
    ]
    words = (
        f"<p>{metrics['parameters']:,} parameters; label policy {html.escape(metrics['policy'])}, "
        f"T = {metrics['label_threshold']}; decision threshold {metrics['threshold']:.4g}: "
        f"{html.escape(metrics['threshold_origin'])}. Held-out positions of the people that it was trained on: "
        f"{counts['viable']:,} viable and {counts['hopeless']:,} hopeless seeds.</p>\n"
    )
    header = ("network", "AUC", "FPR at TPR 95 %", "99 %", "99.9 %")
    return f"<h2>Model</h2>\n{words}{table(header, rows)}<pre>{html.escape(verified)}</pre>\n"


def baselines_section(baselines: dict[str, Any]) -> str:
    """Network and baselines on the held-out people, by label policy."""
    rows = []
    for policy, figures in baselines["policies"].items():
        counts = f"{policy}: {figures['viable']:,} viable, {figures['hopeless']:,} hopeless"
        rows += [[counts, name, *_figures(row)] for name, row in figures["scorers"].items()]
        if not figures["scorers"]:
            rows.append([counts, "one class only: no figures", "", "", "", ""])
    people = "the test part's people at positions" if baselines["test_data"] != baselines["data"] else "positions"
    words = (
        f"<p>Held out: {people} that nothing was trained on. In brackets {100 * baselines['confidence']:g} % intervals "
        f"of {baselines['resamples']} resamples of read pairs.</p>\n"
    )
    header = ("label policy", "scorer", "AUC", "FPR at TPR 95 %", "99 %", "99.9 %")
    return f"<h2>Held-out figures</h2>\n{words}{table(header, rows)}"


def _figures(row: dict[str, Any] | None) -> list[str]:
    if row is None:
        return ["learnt from one class only", "", "", ""]
    intervals = [row["fpr_at_tpr"][target] for target in ("0.95", "0.99", "0.999")]
    cells = [f"{100 * one['value']:.2f} % ({100 * one['low']:.2f} to {100 * one['high']:.2f})" for one in intervals]
    return [f"{row['auc']:.4f}", *cells]


def report(samples: dict[str, Any], metrics: dict[str, Any], verified: str, baselines: dict[str, Any]) -> str:
    """The whole page."""
    body = samples_section(samples) + model_section(metrics, verified) + baselines_section(baselines)
    title = f"seedsieve: {html.escape(metrics['name'])}"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
        f"</head><body>\n<h1>{title}</h1>\n{body}</body></html>\n"
    )


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("samples", "metrics", "verified", "baselines", "output"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    options = parser.parse_args(arguments)
    try:
        samples, metrics, baselines = (
            json.loads(path.read_text()) for path in (options.samples, options.metrics, options.baselines)
        )
        write_whole(options.output, report(samples, metrics, options.verified.read_text(), baselines))
    except (OSError, json.JSONDecodeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
