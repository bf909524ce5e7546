"""The evaluate command: models and data sets in; evaluation.json, .md and .html out."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import labels, splits
from ..by_data_set import data_set_names
from ..data import check_same_threshold
from ..dataset import Manifest, read_manifest
from ..errors import TrainingError
from ..files import make_folder, write_atomically
from ..metrics import CONFIDENCE
from ..student.rows import GAP_BOUND, NARROW_SCORE, has_column
from .comparison import compare_models
from .figures import bound_of_inputs, figures
from .report import html, markdown
from .rows import Rows, evaluation_rows
from .scorers import TREES, Scored, Scorer, baselines, model, trees

COMPARED_TPRS = (0.99, 0.999)
FACT_STEPS = (4, 16)
"""Of coarser facts, whose bounds rest on more seeds an input."""


@dataclass(frozen=True)
class EvaluateCommand:
    """Checked arguments of the evaluate command."""

    data: tuple[Path, ...]
    out: Path
    models: tuple[Path, ...] = ()
    """With two or more, each is compared with the first."""
    train_data: tuple[Path, ...] = ()
    """Data sets whose training part the trees learn from; none: no trees."""
    policies: tuple[str, ...] = labels.POLICIES
    part: str | None = "test"
    """Part of the division by position; None: all of it."""
    forests: tuple[str, ...] = tuple(TREES)
    """Trees that learn, of `scorers.TREES`."""
    max_seeds: int | None = None
    """Of each data set."""
    max_train_seeds: int | None = None
    """Of all data sets together that the trees learn from."""
    seed: int = 1
    resamples: int = 200
    resampled: str = "places"
    """What is drawn as a whole for intervals and comparisons, one of `rows.RESAMPLED`."""
    block_bases: int = splits.BLOCK_BASES
    population: str = "all"
    """Seeds that are looked at, one of `rows.POPULATIONS`."""
    threads: int = 1


def run_evaluation(command: EvaluateCommand, say: Callable[[str], None] = print) -> dict[str, Any]:
    """Write OUT/evaluation.json, .md and .html, and return the content of the first.

    Raises:
        TrainingError: if data, models or output folder cannot be used.
    """
    make_folder(command.out)
    manifests = [read_manifest(directory) for directory in command.data]
    train_manifests = [read_manifest(directory) for directory in command.train_data]
    check_same_threshold([*manifests, *train_manifests])
    with_gaps, with_narrow = (
        all(has_column(manifest, name) for manifest in [*manifests, *train_manifests])
        for name in (GAP_BOUND, NARROW_SCORE)
    )
    scorers = [
        *baselines(with_gaps, with_narrow, manifests[0].reporting_threshold),
        *(model(path) for path in command.models),
    ]
    names = [scorer.name for scorer in scorers]
    if len(set(names)) < len(names):
        raise TrainingError(
            "--model: two files have the same name without folder: rename one, so that they can be told apart"
        )
    forests = _forests(command, train_manifests, with_gaps, with_narrow, say)
    data_sets = {}
    for name, manifest in zip(data_set_names(list(command.data)), manifests, strict=True):
        rows = evaluation_rows(
            *(manifest, command.part, command.max_seeds, command.seed, command.block_bases, command.population),
            with_narrow=with_narrow,
        )
        say(
            f"{name}: {len(rows):,} seeds of {int(rows.pair.max()) + 1:,} read pairs "
            f"at {int(rows.cluster.max()) + 1:,} places"
        )
        data_sets[name] = _data_set(command, manifest, rows, scorers, forests)
    result = {
        "label_threshold": manifests[0].reporting_threshold,
        "models": [str(path) for path in command.models],
        "train_data": [str(path) for path in command.train_data],
        "part": command.part or "all",
        "population": command.population,
        "max_seeds": command.max_seeds,
        "resamples": command.resamples,
        "resampled": command.resampled,
        "confidence": CONFIDENCE,
        "seed": command.seed,
        "data_sets": data_sets,
    }
    content = json.dumps(result, indent=1, allow_nan=False) + "\n"
    write_atomically(command.out / "evaluation.json", content.encode())
    write_atomically(command.out / "evaluation.md", markdown(result).encode())
    write_atomically(command.out / "evaluation.html", html(result).encode())
    say(markdown(result))
    say(f"wrote {command.out / 'evaluation'}.json, .md, .html")
    return result


def _forests(
    command: EvaluateCommand,
    manifests: Sequence[Manifest],
    with_gaps: bool,
    with_narrow: bool,
    say: Callable[[str], None],
) -> dict[str, list[Scorer]]:
    """Trees for each policy."""
    if not manifests:
        return {policy: [] for policy in command.policies}
    share = None if command.max_train_seeds is None else max(command.max_train_seeds // len(manifests), 1)
    pieces = [
        evaluation_rows(
            *(manifest, "train", share, command.seed, command.block_bases, command.population), with_narrow=with_narrow
        )
        for manifest in manifests
    ]
    train = _joined(pieces)
    say(f"trees learn from {len(train):,} seeds")
    wanted = {name: TREES[name] for name in command.forests}
    return {
        policy: trees(train, policy, command.seed, command.threads, with_gaps, wanted) for policy in command.policies
    }


def _joined(pieces: Sequence[Rows]) -> Rows:
    values: dict[str, Any] = {
        name: np.concatenate([getattr(piece, name) for piece in pieces])
        for name in vars(pieces[0])
        if name not in ("viable", "pair", "cluster")
    }
    viable = {policy: np.concatenate([piece.viable[policy] for piece in pieces]) for policy in pieces[0].viable}
    for name in ("pair", "cluster"):
        firsts = np.cumsum([0, *(int(getattr(piece, name).max()) + 1 for piece in pieces)])
        numbered = [getattr(piece, name) + first for piece, first in zip(pieces, firsts, strict=False)]
        values[name] = np.concatenate(numbered)
    return Rows(**values, viable=viable)


def _data_set(
    command: EvaluateCommand,
    manifest: Manifest,
    rows: Rows,
    scorers: Sequence[Scorer],
    forests: dict[str, list[Scorer]],
) -> dict[str, Any]:
    # What does not depend on the policy is scored once.
    scored = {scorer.name: scorer(rows) for scorer in scorers}
    result: dict[str, Any] = {
        "sha256": manifest.sha256,
        "min_seed_length": manifest.min_seed_length,
        "seeds": len(rows),
        "read_pairs": int(rows.pair.max()) + 1,
        "places": int(rows.cluster.max()) + 1,
        "policies": {},
    }
    for policy in command.policies:
        viable = rows.viable[policy]
        of_policy = {scorer.name: (scorer, scored[scorer.name]) for scorer in scorers}
        of_policy |= {scorer.name: (scorer, scorer(rows)) for scorer in forests[policy]}
        both = bool(viable.any() and not viable.all())
        result["policies"][policy] = {
            "viable": int(viable.sum()),
            "hopeless": int((~viable).sum()),
            "scorers": {
                name: figures(scorer, of_scorer, rows, policy, command.resamples, command.seed, command.resampled)
                for name, (scorer, of_scorer) in of_policy.items()
            },
            "bounds": _bounds(rows, viable) if both else {},
            "comparisons": _comparisons(command, scorers, scored, rows, policy) if both else [],
        }
    return result


def _bounds(rows: Rows, viable: np.ndarray) -> dict[str, Any]:
    inputs = {"both windows": rows.packed}
    for name, seen in (("the student's features", rows.features), ("the same with gap bounds", rows.gap_features)):
        if len(seen) == len(rows):
            inputs[name] = seen
    if len(rows.gap_features) == len(rows):
        for name, facts in (
            ("the student's facts", rows.student_facts),
            ("facts without narrow scores", rows.facts_of_version_2),
        ):
            inputs[f"{name} alone"] = facts
            # Hardly any input occurs twice as it is; in steps the bound is of scorers that see no more than the steps.
            inputs |= {f"{name} in steps of {step}": facts // step for step in FACT_STEPS}
    return {name: bound_of_inputs(values, viable) for name, values in inputs.items()}


def _comparisons(
    command: EvaluateCommand, scorers: Sequence[Scorer], scored: dict[str, Scored], rows: Rows, policy: str
) -> list[dict[str, Any]]:
    models = [scorer.name for scorer in scorers if scorer.is_model]
    result = []
    for other in models[1:]:
        for tpr in COMPARED_TPRS:
            pair = (scored[models[0]].scores, scored[other].scores)
            groups = rows.groups(command.resampled)
            found = compare_models(*pair, rows.viable[policy], groups, tpr, command.resamples, command.seed)
            result.append({"first": models[0], "second": other, **asdict(found), "verdict": found.verdict})
    return result
