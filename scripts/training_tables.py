#!/usr/bin/env python3
"""Prints the tables of docs/training.md, and draws its plots, out of what was evaluated. Standard library only.

    python3 scripts/evaluation_sets.py --data DATA --out SETS
    python3 scripts/training_tables.py evaluate --sets SETS --students STUDENTS --out OUT
    python3 scripts/training_tables.py parity --sets SETS --seedsieve target/release/seedsieve --out OUT
    python3 scripts/training_tables.py print OUT > tables.md

`evaluate` scores the `test/` and `fresh/` sets with the shipped students and with those of STUDENTS (`python -m
seedsieve_train student --name own-extension-32-32 --hidden 32 32 ...`: names begin with their policy, and go on with
`-narrow-` where they see narrow scores), beside trees on the same facts, and all seeds of `test/` with the models of
version 1. What was evaluated before is not again. `parity` compares every form of a model with PyTorch. `print` prints
what is there; it also draws accuracy and cost: OUT/accuracy-cost-chains.svg and, for all seeds, OUT/accuracy-cost.svg.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from training_evaluations import (
    BEFORE_CHAINING,
    EXTENSION,
    GATES,
    NETWORK,
    POLICIES,
    REPOSITORY,
    TREES,
    Gate,
    evaluate,
    parity,
)

RATES = ("0.99", "0.999")
FRONT = ("30x-k19", "foreign-k14", "foreign-k12")
"""Sets of the tables and plots of accuracy and cost."""
AIMS = (
    # policy, set, rate, FPR at most
    ("own-extension", "foreign-k14", "0.99", 0.02),
    ("own-extension", "foreign-k14", "0.999", 0.05),
    ("own-extension", "foreign-k12", "0.99", 0.02),
    ("own-extension", "foreign-k12", "0.999", 0.05),
    ("own-extension", "30x-k19", "0.999", 0.10),
    ("near-best", "30x-k19", "0.999", 0.05),
)
OF_TREES, OF_TREES_AND_NARROW = (f"trees on {facts}" for facts in TREES)
NARROW = {"own-extension": "narrow score", "near-best": "narrow score and the read's best"}
"""What narrow scores say under each policy."""
KNOWN_COSTS = dict.fromkeys(NARROW.values(), 0.56)
"""Microseconds a seed of what the aligner computes for the filter alone: `cargo xtask bench tier1` (docs/filter.md)."""
COLUMNS = {
    # heading: name of the scorer in evaluation.json; {} is the shipped student of the policy, {narrow} that of `NARROW`
    "chains": {
        "ungapped": "ungapped score",
        "gap bound": "gap bound",
        "table of tier 1": "table of tier 1",
        "student, eight bits": "{}_int8",
        "trees": OF_TREES,
        "narrow scores": "{narrow}",
        "trees, narrow scores": OF_TREES_AND_NARROW,
    },
    "all": {
        "ungapped": "ungapped score",
        "trees, windows": "trees on the windows",
        "trees, all facts": "trees on all seed facts",
        "seed_filter_v1": "seed_filter_v1",
        "student": "seed_student_v1_int8",
        "student, near-best": "seed_student_near_v1_int8",
        "narrow scores": "{narrow}",
    },
}
"""By population."""
Results = dict[str, dict[str, Any]]
"""What `evaluate` wrote, by policy."""


def read(out: Path, beginning: str) -> Results:
    """Evaluations at a gate, of `GATES`; each scorer's time is the least of all sets, which was disturbed least."""
    results = {policy: json.loads((out / f"{beginning}{policy}/evaluation.json").read_text()) for policy in POLICIES}
    every_set = []
    for policy, result in results.items():
        result["data_sets"] = {short_name(name): of_set for name, of_set in result["data_sets"].items()}
        every_set += [data_set["policies"][policy]["scorers"] for data_set in result["data_sets"].values()]
    for name in {name for scorers in every_set for name in scorers}:
        timed = [scorers[name] for scorers in every_set if name in scorers]
        least = min(scorer["microseconds"] for scorer in timed)
        for scorer in timed:
            scorer["microseconds"] = least
    return results


def short_name(name: str) -> str:
    """The name of a test set; of a fresh one with its folder. `evaluate` gives paths where two names are the same."""
    folder = Path(name)
    return f"fresh/{folder.name}" if folder.parent.name == "fresh" else folder.name


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


def rates_by_set(results: Results, gate: Gate) -> Iterator[str]:
    """FPR of each scorer on each set."""
    columns = COLUMNS[gate.population]
    for policy in POLICIES:
        rows = []
        for data_set_name, data_set in results[policy]["data_sets"].items():
            figures = data_set["policies"][policy]
            share = figures["viable"] / (figures["viable"] + figures["hopeless"])
            names = [scorer.format(gate.shipped[policy], narrow=NARROW[policy]) for scorer in columns.values()]
            scorers = [figures["scorers"][name] for name in names]
            counts = [f"{data_set['seeds']:,} / {data_set['places']:,}", f"{100 * share:.1f} %"]
            rows.append([data_set_name, *counts, *map(pair, scorers), shown(lowest(figures["scorers"]), policy)])
        yield f"## Label `{policy}`"
        head = "lowest at 99.9 % without narrow scores"
        yield from table(["data set", "seeds / places", "viable", *columns, head], rows)


def lowest(scorers: dict[str, Any]) -> str:
    """The scorer with the lowest FPR at a TPR of 99.9 % of those that see no narrow score."""
    others = [name for name in scorers if not sees_narrow_scores(name)]
    return min(others, key=lambda name: scorers[name]["fpr_at_tpr"]["0.999"]["value"])


def sees_narrow_scores(name: str) -> bool:
    """Whether a scorer does; students that do have `-narrow-` in their names."""
    return name in (*NARROW.values(), OF_TREES_AND_NARROW) or "-narrow-" in name


def aims(results: Results, gate: Gate) -> Iterator[str]:
    """What was aimed at, with intervals: by the shipped student, the best without narrow scores, and narrow scores."""
    rows = []
    for policy, name, rate, most in AIMS:
        scorers = of_policy(results[policy], policy, name)["scorers"]
        others = [scorer for scorer in scorers if not sees_narrow_scores(scorer)]
        best = min(others, key=lambda scorer: scorers[scorer]["fpr_at_tpr"][rate]["value"])
        student, of_best, narrow = (
            reached(scorers[scorer]["fpr_at_tpr"][rate], most)
            for scorer in (f"{gate.shipped[policy]}_int8", best, NARROW[policy])
        )
        aim = f"{name}, {policy}, TPR {100 * float(rate):g} %"
        rows.append([aim, f"{100 * most:g} %", student, f"{of_best}: {shown(best, policy)}", narrow])
    yield "## Aims"
    yield from table(["aim", "FPR at most", "student", "best without narrow scores", "narrow scores"], rows)


def reached(found: dict[str, float], most: float) -> str:
    """A rate with its interval, and whether it is what was aimed at."""
    value, low, high = (f"{100 * found[key]:.1f}" for key in ("value", "low", "high"))
    return f"{value} % ({low} to {high}), {'reached' if found['value'] <= most else 'missed'}"


def bounds(results: Results, gate: Gate) -> Iterator[str]:
    """What no scorer of the same inputs can beat."""
    yield "## Bounds"
    for policy in POLICIES:
        rows = []
        for name, data_set in results[policy]["data_sets"].items():
            of_inputs = data_set["policies"][policy]["bounds"]
            wanted = {key: bound for key, bound in of_inputs.items() if is_of_gate(key, gate)}
            row = [name]
            for bound in wanted.values():
                rates = " / ".join(f"{100 * bound['fpr_at_tpr'][rate]:.2f}" for rate in RATES)
                row.append(f"{rates} ({bound['distinct_inputs']:,}; {bound['seeds_with_mixed_inputs']:,})")
            rows.append(row)
        yield from table([f"`{policy}`", *wanted], rows)


def is_of_gate(inputs: str, gate: Gate) -> bool:
    """Whether the bound of some inputs says something of a gate's models."""
    wanted = ("facts without narrow scores",) if gate is EXTENSION else ("both windows", "the student's features")
    return inputs.startswith(wanted)


def losses(results: Results, gate: Gate) -> Iterator[str]:
    """What the shipped students lose and keep at their own thresholds, set by set."""
    yield "## At the thresholds of the files"
    rows: dict[str, list[str]] = {}
    for policy in POLICIES:
        for name, data_set in results[policy]["data_sets"].items():
            at = data_set["policies"][policy]["scorers"][f"{gate.shipped[policy]}_int8"]["at_threshold"]
            rows.setdefault(name, [name]).append(f"{100 * (1 - at['tpr']):.3f} % / {100 * at['fpr']:.1f} %")
    yield from table(["data set", *(f"`{policy}`" for policy in POLICIES)], list(rows.values()))


def asked_point(results: Results, _: Gate) -> Iterator[str]:
    """Where the network reaches a TPR above 95 % with an FPR below 40 %."""
    points = {
        f"{name} ({policy})": data_set["policies"][policy]["scorers"][NETWORK]["point"]
        for policy in POLICIES
        for name, data_set in results[policy]["data_sets"].items()
    }
    missed = [f"{name}: {100 * point['fpr']:.0f} %" for name, point in points.items() if not point["reached"]]
    yield f"TPR above 95 % with FPR below 40 % by `{NETWORK}`: reached on {len(points) - len(missed)} of {len(points)}"
    yield f"combinations of set and label; missed on {', '.join(missed) or 'none'}."
    yield ""


def scorers_of_front(results: Results, policy: str, name: str, gate: Gate) -> dict[str, dict[str, Any]]:
    """What has a cost worth drawing on a set: at the extension gate eight-bit students, trees, what tier 1 knows."""
    scorers = of_policy(results[policy], policy, name)["scorers"]
    if gate is BEFORE_CHAINING:
        left_out = {"seed length", "gap bound", "table of tier 1", *NARROW.values()} - {NARROW[policy]}
        return {name: of for name, of in scorers.items() if name not in left_out}
    wanted = {OF_TREES, OF_TREES_AND_NARROW, "gap bound", "table of tier 1", NARROW[policy]}
    return {name: of for name, of in scorers.items() if name in wanted or name.endswith("_int8")}


def front(results: Results, gate: Gate) -> Iterator[str]:
    """Accuracy and cost."""
    yield "## Accuracy and cost"
    for policy in POLICIES:
        of_sets = [scorers_of_front(results, policy, name, gate) for name in FRONT]
        rows = [
            [shown(name, policy), cost(name, of_sets[0][name]), *(pair(scorers[name]) for scorers in of_sets)]
            for name in of_sets[0]
        ]
        yield from table([f"`{policy}`", "us a seed", *FRONT], rows)


def shown(name: str, policy: str) -> str:
    """A scorer's name without what all students of a table or chart share."""
    return name.removeprefix(f"{policy}-").removesuffix("_int8") if name.startswith(policy) else name


def cost(name: str, scorer: dict[str, Any]) -> str:
    """Microseconds a seed on one thread, or a dash for what the aligner knows before."""
    if name in KNOWN_COSTS:
        return f"{KNOWN_COSTS[name]:.2f}"
    return "-" if scorer["costs"].startswith("known") else f"{scorer['microseconds']:.2f}"


def microseconds(name: str, scorer: dict[str, Any]) -> float:
    """Where a scorer is drawn: what costs nothing more at the left end."""
    return max(KNOWN_COSTS.get(name, scorer["microseconds"]), 0.01)


def rate_drawn(scorer: dict[str, Any], rate: str) -> float:
    """FPR at a TPR, 0 at the lower end."""
    return max(scorer["fpr_at_tpr"][rate]["value"], 1e-4)


def front_svg(results: Results, gate: Gate) -> str:
    """Cost and FPR on logarithmic axes, a chart for each policy, set and rate."""
    sys.path.insert(0, str(REPOSITORY / "python"))
    from seedsieve_train.svg import HEIGHT, WIDTH, Chart, Series

    charts = []
    for policy in POLICIES:
        for name in FRONT:
            scorers = scorers_of_front(results, policy, name, gate)
            for rate in RATES:
                series = [
                    Series(shown(scorer, policy), [(microseconds(scorer, of), rate_drawn(of, rate))], dots=True)
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


def parities(out: Path) -> Iterator[str]:
    """How far the forms and routes of a model lie apart, as the commands wrote it; nothing where they were not run."""
    for path in sorted((out / "parity").glob("**/*.parity.md")):
        yield f"## Parity: {path.name.removesuffix('.parity.md')} ({path.parent.name})"
        yield path.read_text(encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    making = commands.add_parser("evaluate", help="score the test sets")
    making.add_argument("--students", type=Path, help="folder of further students, POLICY...._int8.onnx")
    making.add_argument("--threads", type=int, default=2, help="(%(default)s)")
    making.add_argument("--resamples", type=int, default=40, help="of the intervals (%(default)s)")
    making.add_argument("--max-train-seeds", type=int, help="trees learn from about so many seeds of chains (all)")
    making.set_defaults(
        run=lambda of: evaluate(of.sets, of.students, of.out, of.threads, of.resamples, of.max_train_seeds)
    )
    comparing = commands.add_parser("parity", help="compare every form of a model with PyTorch")
    comparing.add_argument("--seedsieve", type=Path, required=True, help="the program")
    comparing.set_defaults(run=lambda of: parity(of.sets, of.out, of.seedsieve))
    for command in (making, comparing):
        command.add_argument("--sets", type=Path, required=True, help="what evaluation_sets.py made")
        command.add_argument("--out", type=Path, required=True, help="folder for the evaluations")
    printing = commands.add_parser("print", help="the tables as Markdown, and the plots")
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
    """All tables on standard output; the plots into OUT."""
    for beginning, gate in GATES.items():
        results = read(out, beginning)
        print(f"# {'Seeds of chains' if gate is EXTENSION else 'Before chaining'}")
        parts = [rates_by_set, aims, bounds, front, losses] + ([asked_point] if gate is BEFORE_CHAINING else [])
        for part in parts:
            print("\n".join(part(results, gate)))
        drawing = "accuracy-cost-chains.svg" if gate is EXTENSION else "accuracy-cost.svg"
        (out / drawing).write_text(front_svg(results, gate), encoding="utf-8")
    print("\n".join(parities(out)))


if __name__ == "__main__":
    sys.exit(main())
