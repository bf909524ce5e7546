#!/usr/bin/env python3
"""Prints the tables of docs/training.md, and draws its plot, out of what `evaluate` wrote. Standard library only.

    python3 scripts/evaluation_sets.py --data DATA --out SETS
    python3 scripts/training_tables.py evaluate --sets SETS --students STUDENTS --out OUT
    python3 scripts/training_tables.py print OUT > tables.md

`evaluate` scores the `test/` sets with the shipped students and with those of STUDENTS (`python -m seedsieve_train
student --name own-extension-32-32 --hidden 32 32 ...`: names begin with their policy), beside trees on the same
facts. A policy that was evaluated before is not again. `print` also writes OUT/accuracy-cost.svg.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
POLICIES = {"own-extension": "seed_student_v2", "near-best": "seed_student_near_v2"}
"""The shipped student of each label policy."""
TREES = "the student's facts"
RATES = ("0.99", "0.999")
FRONT = ("30x-k19", "foreign-k14", "foreign-k12")
"""Sets of the table and plot of accuracy and cost."""
AIMS = (
    # policy, set, rate, FPR at most
    ("own-extension", "foreign-k14", "0.99", 0.02),
    ("own-extension", "foreign-k14", "0.999", 0.05),
    ("own-extension", "foreign-k12", "0.99", 0.02),
    ("own-extension", "foreign-k12", "0.999", 0.05),
    ("own-extension", "30x-k19", "0.999", 0.10),
    ("near-best", "30x-k19", "0.999", 0.05),
)
COLUMNS = {
    # heading: name of the scorer in evaluation.json; {} is the shipped student
    "ungapped": "ungapped score",
    "gap bound": "gap bound",
    "table of tier 1": "table of tier 1",
    "student, eight bits": "{}_int8",
    "trees, facts": f"trees on {TREES}",
}


def evaluate(sets: Path, students: Path | None, out: Path, threads: int, resamples: int) -> None:
    """Write OUT/POLICY/evaluation.json for both policies."""
    tests = [folder for folder in sorted((sets / "test").iterdir()) if (folder / "dataset.json").is_file()]
    train = [folder for folder in sorted((sets / "train").iterdir()) if (folder / "dataset.json").is_file()]
    for policy, shipped in POLICIES.items():
        models = [REPOSITORY / f"models/{shipped}_int8.onnx", REPOSITORY / f"models/{shipped}.onnx"]
        if students is not None:
            models += sorted(students.glob(f"{policy}*_int8.onnx"))
        folder = out / policy
        if (folder / "evaluation.json").is_file():
            continue
        command = [sys.executable, "-m", "seedsieve_train", "evaluate", "--policy", policy, "--population", "chains"]
        command += ["--part", "all", "--resamples", str(resamples), "--threads", str(threads), "--trees", TREES]
        for option, paths in (("--model", models), ("--data", tests), ("--train-data", train)):
            command += [word for path in paths for word in (option, str(path))]
        environment = os.environ | {"PYTHONPATH": str(REPOSITORY / "python")}
        subprocess.run([*command, "--out", str(folder)], check=True, env=environment)


def read(out: Path) -> dict[str, dict[str, Any]]:
    """What `evaluate` wrote, by policy; each scorer's time is the least of all sets, which was disturbed least."""
    results = {policy: json.loads((out / policy / "evaluation.json").read_text()) for policy in POLICIES}
    for policy, result in results.items():
        of_sets = [data_set["policies"][policy]["scorers"] for data_set in result["data_sets"].values()]
        for name in of_sets[0]:
            least = min(scorers[name]["microseconds"] for scorers in of_sets)
            for scorers in of_sets:
                scorers[name]["microseconds"] = least
    return results


def of_policy(result: dict[str, Any], policy: str, name: str) -> dict[str, Any]:
    """Figures of one set."""
    return result["data_sets"][name]["policies"][policy]


def pair(scorer: dict[str, Any]) -> str:
    """FPR in per cent at both rates."""
    return " / ".join(f"{100 * scorer['fpr_at_tpr'][rate]['value']:.1f}" for rate in RATES)


def table(head: list[str], rows: list[list[str]]) -> Iterator[str]:
    """Lines of a Markdown table."""
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
    yield ""


def rates_by_set(results: dict[str, dict[str, Any]]) -> Iterator[str]:
    """FPR of each scorer on each set."""
    for policy, shipped in POLICIES.items():
        rows = []
        for name, data_set in results[policy]["data_sets"].items():
            figures = data_set["policies"][policy]
            share = figures["viable"] / (figures["viable"] + figures["hopeless"])
            scorers = [figures["scorers"][scorer.format(shipped)] for scorer in COLUMNS.values()]
            counts = [f"{data_set['seeds']:,} / {data_set['places']:,}", f"{100 * share:.1f} %"]
            rows.append([name, *counts, *map(pair, scorers)])
        yield f"## Label `{policy}`"
        yield from table(["data set", "seeds / places", "viable", *COLUMNS], rows)


def aims(results: dict[str, dict[str, Any]]) -> Iterator[str]:
    """What was aimed at, with intervals."""
    rows = []
    for policy, name, rate, most in AIMS:
        scorers = of_policy(results[policy], policy, name)["scorers"]
        found = [scorers[COLUMNS[key].format(POLICIES[policy])] for key in ("student, eight bits", "trees, facts")]
        rates = [scorer["fpr_at_tpr"][rate] for scorer in found]
        words = [f"{100 * one['value']:.1f} % ({100 * one['low']:.1f} to {100 * one['high']:.1f})" for one in rates]
        reached = ["reached" if one["value"] <= most else "missed" for one in rates]
        verdict = reached[0] if reached[0] == reached[1] else f"{reached[0]} by the student, {reached[1]} by trees"
        rows.append([f"{name}, {policy}, TPR {100 * float(rate):g} %", f"{100 * most:g} %", *words, verdict])
    yield "## Aims"
    yield from table(["aim", "FPR at most", "student", "trees on the same facts", ""], rows)


def bounds(results: dict[str, dict[str, Any]]) -> Iterator[str]:
    """What no scorer of the student's facts can beat."""
    yield "## Bounds"
    for policy in POLICIES:
        rows = []
        for name, data_set in results[policy]["data_sets"].items():
            of_inputs = data_set["policies"][policy]["bounds"]
            row = [name]
            for key, bound in of_inputs.items():
                if key.startswith("the student's facts"):
                    rates = " / ".join(f"{100 * bound['fpr_at_tpr'][rate]:.2f}" for rate in RATES)
                    row.append(f"{rates} ({bound['distinct_inputs']:,}; {bound['seeds_with_mixed_inputs']:,})")
            rows.append(row)
        keys = [key for key in of_inputs if key.startswith("the student's facts")]
        yield from table([f"`{policy}`", *keys], rows)


def losses(results: dict[str, dict[str, Any]]) -> Iterator[str]:
    """What the shipped students lose and keep at their own thresholds, set by set."""
    yield "## At the thresholds of the files"
    rows: dict[str, list[str]] = {}
    for policy, shipped in POLICIES.items():
        for name, data_set in results[policy]["data_sets"].items():
            at = data_set["policies"][policy]["scorers"][f"{shipped}_int8"]["at_threshold"]
            rows.setdefault(name, [name]).append(f"{100 * (1 - at['tpr']):.3f} % / {100 * at['fpr']:.1f} %")
    yield from table(["data set", *(f"`{policy}`" for policy in POLICIES)], list(rows.values()))


def scorers_of_front(scorers: dict[str, Any], shipped: str) -> dict[str, dict[str, Any]]:
    """Eight-bit students and trees."""
    wanted = {f"trees on {TREES}", "gap bound", "table of tier 1", f"{shipped}_int8"}
    return {name: of for name, of in scorers.items() if name in wanted or name.endswith("_int8")}


def front(results: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Accuracy and cost of students of several widths."""
    yield "## Accuracy and cost"
    for policy, shipped in POLICIES.items():
        of_sets = [scorers_of_front(of_policy(results[policy], policy, name)["scorers"], shipped) for name in FRONT]
        rows = [[name, cost(of_sets[0][name]), *(pair(scorers[name]) for scorers in of_sets)] for name in of_sets[0]]
        yield from table([f"`{policy}`", "us a seed", *FRONT], rows)


def cost(scorer: dict[str, Any]) -> str:
    """Microseconds a seed on one thread, or a dash for what the aligner knows before."""
    return "-" if scorer["costs"].startswith("known") else f"{scorer['microseconds']:.2f}"


def rate_shown(scorer: dict[str, Any], rate: str) -> float:
    """FPR on a logarithmic axis, where 0 has no place."""
    return max(scorer["fpr_at_tpr"][rate]["value"], 1e-4)


def front_svg(results: dict[str, dict[str, Any]]) -> str:
    """Cost and FPR on logarithmic axes, a chart for each policy, set and rate."""
    sys.path.insert(0, str(REPOSITORY / "python"))
    from seedsieve_train.svg import HEIGHT, WIDTH, Chart, Series

    charts = []
    for policy, shipped in POLICIES.items():
        for name in FRONT:
            scorers = scorers_of_front(of_policy(results[policy], policy, name)["scorers"], shipped)
            for rate in RATES:
                series = [
                    Series(
                        scorer, [(max(of["microseconds"], 0.01), max(of["fpr_at_tpr"][rate]["value"], 1e-4))], dots=True
                    )
                    for scorer, of in scorers.items()
                ]
                title = f"{name}, {policy}: FPR at TPR {100 * float(rate):g} %"
                charts.append(Chart(title, "us a seed, one thread", "FPR", series, x_log=True, y_log=True))
    across = len(RATES)
    down = math.ceil(len(charts) / across)
    width, height = across * (WIDTH + 10), down * (HEIGHT + 10)
    places = [(number % across * (WIDTH + 10), number // across * (HEIGHT + 10)) for number in range(len(charts))]
    placed = [
        f'<g transform="translate({x},{y})">{chart.svg()}</g>' for (x, y), chart in zip(places, charts, strict=True)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
        f'<rect width="{width}" height="{height}" fill="#fff"/>{"".join(placed)}</svg>\n'
    )


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    making = commands.add_parser("evaluate", help="score the test sets")
    making.add_argument("--sets", type=Path, required=True, help="what evaluation_sets.py made")
    making.add_argument("--students", type=Path, help="folder of further students, POLICY...._int8.onnx")
    making.add_argument("--out", type=Path, required=True, help="folder for the evaluations")
    making.add_argument("--threads", type=int, default=2, help="(%(default)s)")
    making.add_argument("--resamples", type=int, default=40, help="of the intervals (%(default)s)")
    making.set_defaults(run=lambda of: evaluate(of.sets, of.students, of.out, of.threads, of.resamples))
    printing = commands.add_parser("print", help="the tables as Markdown, and the plot")
    printing.add_argument("out", type=Path, help="folder of the evaluations")
    printing.set_defaults(run=lambda of: print_tables(of.out))
    options = parser.parse_args(arguments)
    try:
        options.run(options)
    except (OSError, KeyError, json.JSONDecodeError, subprocess.CalledProcessError) as error:
        print(f"error: {error!r}; make the evaluations again (training_tables.py evaluate)", file=sys.stderr)
        return 1
    return 0


def print_tables(out: Path) -> None:
    """All tables on standard output; the plot into OUT."""
    results = read(out)
    for part in (rates_by_set, aims, bounds, front, losses):
        print("\n".join(part(results)))
    (out / "accuracy-cost.svg").write_text(front_svg(results), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
