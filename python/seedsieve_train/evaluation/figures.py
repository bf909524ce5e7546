"""Figures of one scorer on one data set under one label policy."""

from dataclasses import asdict
from itertools import pairwise
from typing import Any

import numpy as np

from ..bootstrap import fpr_intervals
from ..metrics import rates_at, roc
from ..splits import mix
from .rows import Rows
from .scorers import Scored, Scorer

TPR_TARGETS = (0.95, 0.99, 0.999)
POINT_TPR, POINT_FPR = 0.95, 0.40
"""The operating point that a first filter was asked for: TPR above, FPR below."""
STRATA_TPR = 0.99
CALIBRATION_BINS = 10
BINS: dict[str, tuple[int, ...]] = {
    "length": (0, 20, 26, 40, 70, 10**9),
    "occurrences": (0, 2, 6, 21, 101, 10**9),
    "read_length": (0, 76, 120, 10**9),
}
"""Bounds of strata, half-open."""
CURVE_POINTS = 120


def figures(
    scorer: Scorer, scored: Scored, rows: Rows, policy: str, resamples: int, seed: int, resampled: str = "places"
) -> dict[str, Any] | None:
    """AUC, FPR at the TPR targets with intervals, the asked point, curves, strata; None for one class only."""
    viable = rows.viable[policy]
    if viable.all() or not viable.any():
        return None
    scores = scored.scores
    curve = roc(scores, viable)
    intervals = fpr_intervals(scores, viable, rows.groups(resampled), TPR_TARGETS, resamples, seed)
    fpr_at_point = curve.fpr_at(np.nextafter(POINT_TPR, 1))
    result: dict[str, Any] = {
        "auc": curve.auc,
        "average_precision": average_precision(scores, viable),
        "fpr_at_tpr": {str(target): asdict(interval) for target, interval in zip(TPR_TARGETS, intervals, strict=True)},
        "point": {"tpr_above": POINT_TPR, "fpr": fpr_at_point, "reached": fpr_at_point < POINT_FPR},
        "roc": curve.thinned(CURVE_POINTS),
        "precision_recall": precision_recall(scores, viable),
        "strata": strata(scores, viable, rows, resamples if scorer.is_model else 0, seed, resampled),
        "microseconds": scored.microseconds,
        "costs": scorer.costs,
    }
    if scorer.is_model:
        result["calibration"] = calibration(scores, viable)
        if scorer.threshold is not None:
            result["at_threshold"] = rates_at(scores, viable, scorer.threshold)
    return result


def _along_scores(scores: np.ndarray, viable: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Kept seeds and kept viable seeds at each distinct score, from the highest down."""
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    return last + 1, np.cumsum(viable[order])[last]


def average_precision(scores: np.ndarray, viable: np.ndarray) -> float:
    """Area under the steps of precision against recall."""
    kept, kept_viable = _along_scores(scores, viable)
    recall = kept_viable / kept_viable[-1]
    return float(np.sum(np.diff(recall, prepend=0) * kept_viable / kept))


def precision_recall(scores: np.ndarray, viable: np.ndarray) -> list[list[float]]:
    """Pairs of recall and precision, thinned evenly along recall."""
    kept, kept_viable = _along_scores(scores, viable)
    recall = kept_viable / kept_viable[-1]
    chosen = np.unique(np.searchsorted(recall, np.linspace(0, 1, CURVE_POINTS)).clip(0, len(recall) - 1))
    return [[round(float(recall[i]), 6), round(float(kept_viable[i] / kept[i]), 6)] for i in chosen]


def calibration(scores: np.ndarray, viable: np.ndarray) -> dict[str, Any]:
    """Mean score and share of viable seeds in even bins of scores, and the mean distance of the two over all seeds."""
    bins = np.minimum((scores * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    counts = np.bincount(bins, minlength=CALIBRATION_BINS)
    filled = counts > 0
    means = np.bincount(bins, scores, CALIBRATION_BINS)[filled] / counts[filled]
    shares = np.bincount(bins, viable, CALIBRATION_BINS)[filled] / counts[filled]
    error = float(np.sum(counts[filled] * np.abs(means - shares)) / len(scores))
    points = [[round(float(mean), 6), round(float(share), 6)] for mean, share in zip(means, shares, strict=True)]
    return {"points": points, "counts": counts[filled].tolist(), "expected_error": error}


def strata(
    scores: np.ndarray, viable: np.ndarray, rows: Rows, resamples: int = 0, seed: int = 1, resampled: str = "places"
) -> list[dict[str, Any]]:
    """FPR at a TPR within groups of seeds; and TPR and FPR of each at the threshold that has this TPR over all.

    With `resamples` the former has its interval.
    """
    threshold = np.quantile(scores[viable], 1 - STRATA_TPR, method="lower")
    result = []
    for fact, bounds in BINS.items():
        values = getattr(rows, fact)
        for low, high in pairwise(bounds):
            inside = (values >= low) & (values < high)
            of_group, labels = scores[inside], viable[inside]
            if labels.size == 0 or labels.all() or not labels.any():
                continue
            interval = {}
            if resamples:
                drawn = np.unique(rows.groups(resampled)[inside], return_inverse=True)[1].reshape(-1)
                (found,) = fpr_intervals(of_group, labels, drawn, (STRATA_TPR,), resamples, seed)
                interval = {"fpr_interval": [found.low, found.high]}
            result.append(
                {
                    "fact": fact,
                    "from": low,
                    "to": high,
                    "seeds": int(inside.sum()),
                    "viable": float(labels.mean()),
                    "auc": roc(of_group, labels).auc,
                    "fpr_at_own_tpr": roc(of_group, labels).fpr_at(STRATA_TPR),
                    **interval,
                    "at_common_threshold": rates_at(of_group, labels, float(threshold)),
                }
            )
    return result


def bound_of_inputs(inputs: np.ndarray, viable: np.ndarray) -> dict[str, Any]:
    """What no scorer of these inputs can beat on these seeds: rows with the same bytes get the same score.

    The best scorer ranks each distinct input by its own share of viable seeds. That is optimistic: an input that occurs
    once is taken to be known.
    """
    number = numbers_of_distinct(inputs)
    counts, of_viable = np.bincount(number), np.bincount(number, viable)
    share = of_viable / counts
    mixed = (share > 0) & (share < 1)
    curve = roc(share[number], viable)
    return {
        "distinct_inputs": len(counts),
        "seeds_with_mixed_inputs": int(counts[mixed].sum()),
        "fpr_at_tpr": {str(target): curve.fpr_at(target) for target in TPR_TARGETS},
    }


def numbers_of_distinct(inputs: np.ndarray) -> np.ndarray:
    """A number for each distinct row of inputs[n, any], 0 and up without gaps: int64[n].

    Rows are told apart by hashes of 64 bits, for sorting whole rows took two thirds of an evaluation's time; where two
    distinct rows should share a hash, rows are sorted after all.
    """
    content = np.ascontiguousarray(inputs).view(np.uint8).reshape(len(inputs), -1)
    words = np.zeros((len(content), -(-content.shape[1] // 8) * 8), dtype=np.uint8)
    words[:, : content.shape[1]] = content
    hashes = np.zeros(len(content), dtype=np.uint64)
    for word in words.view(np.uint64).T:
        hashes = mix(hashes ^ word)
    _, first, number = np.unique(hashes, return_index=True, return_inverse=True)
    number = number.reshape(-1)
    if not np.array_equal(words, words[first][number]):
        number = np.unique(words, axis=0, return_inverse=True)[1].reshape(-1)
    return number
