"""The figures of a training run: NAME.metrics.json and the table that the run prints."""

import json
from dataclasses import asdict
from typing import Any

import numpy as np

from .baselines import baseline_scores
from .data import DividedSeeds
from .metrics import TPR_TARGETS, histogram, rates_at, summary
from .parity import Parity
from .train import Training


def network_figures(scores: np.ndarray, viable: np.ndarray, threshold: float) -> dict[str, Any]:
    """Figures of scores float32[n] in [0, 1] against labels bool[n], with the keys of the metrics file."""
    return {
        **summary(scores, viable),
        "at_threshold": rates_at(scores, viable, threshold),
        "histogram": histogram(scores, viable),
    }


def metrics(
    name: str,
    parameters: int,
    policy: str,
    seeds: DividedSeeds,
    training: Training,
    threshold: float,
    threshold_origin: str,
    test_scores: dict[str, np.ndarray],
    int8_parity: Parity,
    seconds: float,
) -> dict[str, Any]:
    """The content of the metrics file.

    Args:
        name: the model's name.
        parameters: trained numbers of the network.
        policy: label policy.
        seeds: the divided data.
        training: the trained network and its epochs.
        threshold: decision threshold in the model file.
        threshold_origin: how it was chosen, in words.
        test_scores: float32[n] of the test part, by "float32" and "int8".
        int8_parity: eight bits against float on the test part.
        seconds: of the whole run.
    """
    viable = seeds.test.viable
    return {
        "name": name,
        "parameters": parameters,
        "policy": policy,
        "label_threshold": seeds.label_threshold,
        "threshold": threshold,
        "threshold_origin": threshold_origin,
        "counts": {**seeds.counts, "left_out": seeds.left_out},
        "test": network_figures(test_scores["float32"], viable, threshold),
        "int8": {**network_figures(test_scores["int8"], viable, threshold), "parity": asdict(int8_parity)},
        "baselines": {baseline: summary(scores, viable) for baseline, scores in baseline_scores(seeds.test).items()},
        "epochs": training.epoch_rows(),
        "best_epoch": training.best_epoch,
        "seconds": round(seconds, 3),
    }


def to_json(figures: dict[str, Any]) -> bytes:
    """The metrics file's bytes; refuses numbers that JSON does not have."""
    return (json.dumps(figures, indent=1, allow_nan=False) + "\n").encode()


def table(figures: dict[str, Any]) -> str:
    """The network beside the baselines on the held-out part, as lines of text."""
    rows = [(figures["name"], figures["test"]), (f"{figures['name']} (INT8)", figures["int8"])]
    rows += figures["baselines"].items()
    width = max(len(name) for name, _ in rows)
    targets = "".join(f"{f'FPR at TPR {100 * target:g} %':>21}" for target in TPR_TARGETS)
    lines = [f"{'held-out part':{width}}  {'AUC':>7}{targets}"]
    for name, row in rows:
        rates = "".join(f"{100 * row['fpr_at_tpr'][str(target)]:>19.2f} %" for target in TPR_TARGETS)
        lines.append(f"{name:{width}}  {row['auc']:7.4f}{rates}")
    counts, chosen = figures["counts"]["test"], figures["test"]["at_threshold"]
    lines.append(
        f"{counts['viable']:,} viable and {counts['hopeless']:,} hopeless seeds; at the threshold "
        f"{chosen['threshold']:.4g}: TPR {100 * chosen['tpr']:.3f} %, FPR {100 * chosen['fpr']:.2f} %"
    )
    return "\n".join(lines)
