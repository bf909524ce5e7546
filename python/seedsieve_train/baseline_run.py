"""The baselines command: how well seeds are told apart by what needs no network, and by networks beside it."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from . import labels, splits
from .bootstrap import fpr_intervals
from .data import check_same_threshold
from .dataset import read_manifest
from .errors import TrainingError
from .files import make_folder, write_atomically
from .forests import fitted_trees
from .gate_rows import GateRows, load_rows
from .metrics import CONFIDENCE, TPR_TARGETS, roc
from .parity import onnx_scores

TREES = {"trees on the windows": ("window_features",), "trees on all seed facts": ("window_features", "seed_facts")}
"""What each forest sees, by its name in the table."""


@dataclass(frozen=True)
class BaselineCommand:
    """Checked arguments of the baselines command."""

    data: tuple[Path, ...]
    """Data sets whose training part (by position) the trees learn from."""
    out: Path
    test_data: tuple[Path, ...] = ()
    """Data sets whose test part is held out; empty: that of `data`."""
    models: tuple[Path, ...] = ()
    """ONNX files to be scored beside the baselines."""
    max_seeds: int | None = None
    seed: int = 1
    resamples: int = 200
    block_bases: int = splits.BLOCK_BASES
    threads: int = 1


def run_baselines(command: BaselineCommand, say: Callable[[str], None] = print) -> dict[str, Any]:
    """Write OUT/baselines.json and OUT/baselines.md, and return the content of the former.

    Raises:
        TrainingError: if data or output folder cannot be used, a model cannot be scored, or scikit-learn is missing.
    """
    fit_trees = _tree_fitter(command.threads)
    make_folder(command.out)
    data = [read_manifest(directory) for directory in command.data]
    test_data = [read_manifest(directory) for directory in command.test_data] or data
    check_same_threshold([*data, *test_data])
    train = load_rows(data, "train", command.max_seeds, command.seed, command.block_bases)
    test = load_rows(test_data, "test", command.max_seeds, command.seed, command.block_bases, bool(command.models))
    say(f"seeds: {len(train):,} to learn from, {len(test):,} held out, of {int(test.pair.max()) + 1:,} read pairs")
    fixed = {"seed length": test.length, "ungapped score": test.ungapped_score}
    networks = {model.stem: onnx_scores(model, test.packed) for model in command.models}
    policies = {}
    for policy in labels.POLICIES:
        say(f"{policy} ...")
        trees = {
            name: fit_trees(_columns(train, seen), train.viable[policy], _columns(test, seen), command.seed)
            for name, seen in TREES.items()
        }
        policies[policy] = _figures({**fixed, **trees, **networks}, test, policy, command)
    result = {
        "label_threshold": data[0].reporting_threshold,
        "data": [str(manifest.directory) for manifest in data],
        "test_data": [str(manifest.directory) for manifest in test_data],
        "models": [str(model) for model in command.models],
        "train_seeds": len(train),
        "max_seeds": command.max_seeds,
        "block_bases": command.block_bases,
        "seed": command.seed,
        "resamples": command.resamples,
        "confidence": CONFIDENCE,
        "policies": policies,
    }
    write_atomically(command.out / "baselines.json", (json.dumps(result, indent=1, allow_nan=False) + "\n").encode())
    write_atomically(command.out / "baselines.md", markdown(result).encode())
    say(markdown(result))
    say(f"wrote {command.out / 'baselines'}.json and .md")
    return result


def _tree_fitter(threads: int) -> Callable[..., np.ndarray | None]:
    """A function that fits trees to features and labels, and scores other features; None where a class is missing."""
    try:
        import sklearn  # noqa: F401
        import threadpoolctl  # noqa: F401
    except ImportError as error:
        raise TrainingError(
            f"{error.name} is not installed: the trees need scikit-learn; `cargo xtask setup` installs it, or "
            "`pip install 'seedsieve-train[workflow]'`"
        ) from error

    def fit(features: np.ndarray, viable: np.ndarray, held_out: np.ndarray, seed: int) -> np.ndarray | None:
        if viable.all() or not viable.any():
            return None
        return fitted_trees(features, viable, seed, threads).predict_proba(held_out)[:, 1]

    return fit


def _columns(rows: GateRows, names: tuple[str, ...]) -> np.ndarray:
    return np.concatenate([getattr(rows, name) for name in names], axis=1)


def _figures(
    scorers: dict[str, np.ndarray | None], test: GateRows, policy: str, command: BaselineCommand
) -> dict[str, Any]:
    viable = test.viable[policy]
    figures: dict[str, Any] = {"viable": int(viable.sum()), "hopeless": int((~viable).sum()), "scorers": {}}
    if not figures["viable"] or not figures["hopeless"]:
        return figures
    for name, scores in scorers.items():
        if scores is None:
            figures["scorers"][name] = None
            continue
        intervals = fpr_intervals(scores, viable, test.pair, TPR_TARGETS, command.resamples, command.seed)
        figures["scorers"][name] = {
            "auc": roc(scores, viable).auc,
            "fpr_at_tpr": {
                str(target): asdict(interval) for target, interval in zip(TPR_TARGETS, intervals, strict=True)
            },
        }
    return figures


def markdown(result: dict[str, Any]) -> str:
    """The table of all policies and scorers."""
    targets = [str(target) for target in TPR_TARGETS]
    head = ["policy", "scorer", "AUC", *(f"FPR at TPR {100 * float(target):g} %" for target in targets)]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for policy, figures in result["policies"].items():
        counts = f"{policy} ({figures['viable']:,} viable, {figures['hopeless']:,} hopeless)"
        if not figures["scorers"]:
            lines.append(f"| {counts} | one class only: no figures |" + " |" * (len(head) - 2))
        for name, row in figures["scorers"].items():
            cells = ["learnt from one class only", *("" for _ in targets)]
            if row is not None:
                intervals = [row["fpr_at_tpr"][target] for target in targets]
                cells = [f"{row['auc']:.4f}", *map(_interval_in_words, intervals)]
            lines.append("| " + " | ".join([counts, name, *cells]) + " |")
    lines.append("")
    lines.append(
        f"In brackets: {100 * result['confidence']:g} % intervals of {result['resamples']} resamples of read pairs. "
        f"{result['train_seeds']:,} seeds to learn from; T = {result['label_threshold']}."
    )
    return "\n".join(lines) + "\n"


def _interval_in_words(interval: dict[str, float]) -> str:
    value, low, high = (f"{100 * interval[key]:.2f}" for key in ("value", "low", "high"))
    return f"{value} % ({low} to {high})"
