"""How well scores tell viable from hopeless seeds.

A seed is kept when its score is at least a threshold. True positive rate (TPR): viable seeds kept of all viable ones.
False positive rate (FPR): hopeless seeds kept of all hopeless ones.
"""

import math
from dataclasses import dataclass

import numpy as np

ROC_POINTS = 200
"""Most points of a curve in a report."""
HISTOGRAM_BINS = 50
TPR_TARGETS = (0.95, 0.99, 0.999)
MISS_RATE = 0.001
"""Viable seeds that the decision threshold may drop."""
CONFIDENCE = 0.95
"""With which the drop rate on the validation part has to lie below `MISS_RATE`."""


@dataclass(frozen=True)
class Roc:
    """A receiver operating characteristic, from (0, 0) to (1, 1); one vertex for each distinct score."""

    fpr: np.ndarray
    """float64[vertices], rising."""
    tpr: np.ndarray
    """float64[vertices], rising."""

    @property
    def auc(self) -> float:
        """Area under the curve: how often a viable seed scores above a hopeless one; ties count half."""
        return float(np.sum(np.diff(self.fpr) * (self.tpr[1:] + self.tpr[:-1]) / 2))

    def fpr_at(self, tpr: float) -> float:
        """Lowest FPR of a threshold that keeps at least this fraction of viable seeds."""
        return float(self.fpr[np.argmax(self.tpr >= tpr)])

    def thinned(self, points: int = ROC_POINTS) -> list[list[float]]:
        """At most `points` pairs of FPR and TPR, evenly along the curve, both ends included."""
        along = self.fpr + self.tpr
        chosen = np.unique(np.searchsorted(along, np.linspace(0, along[-1], points)))
        return [[round(float(self.fpr[i]), 6), round(float(self.tpr[i]), 6)] for i in chosen]


def roc(scores: np.ndarray, viable: np.ndarray) -> Roc:
    """The curve of scores[n] against labels bool[n].

    Raises:
        ValueError: if a class is missing or a score is not a number.
    """
    if viable.all() or not viable.any():
        raise ValueError("a ROC needs both viable and hopeless seeds")
    if np.isnan(scores).any():
        raise ValueError(f"{int(np.isnan(scores).sum())} of {len(scores)} scores are not numbers")
    order = np.argsort(-scores, kind="stable")
    ordered, labels = scores[order], viable[order]
    last_of_score = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
    kept_viable = np.cumsum(labels)[last_of_score]
    kept_hopeless = last_of_score + 1 - kept_viable
    return Roc(
        np.concatenate([[0.0], kept_hopeless / kept_hopeless[-1]]),
        np.concatenate([[0.0], kept_viable / kept_viable[-1]]),
    )


def rates_at(scores: np.ndarray, viable: np.ndarray, threshold: float) -> dict[str, float]:
    """Threshold, TPR and FPR when seeds below `threshold` are dropped."""
    kept = scores >= threshold
    return {
        "threshold": float(threshold),
        "tpr": float(kept[viable].mean()),
        "fpr": float(kept[~viable].mean()),
    }


def summary(scores: np.ndarray, viable: np.ndarray) -> dict[str, object]:
    """AUC, FPR at the TPR targets and thinned ROC, with the keys of the metrics file."""
    curve = roc(scores, viable)
    return {
        "auc": curve.auc,
        "fpr_at_tpr": {str(target): curve.fpr_at(target) for target in TPR_TARGETS},
        "roc": curve.thinned(),
    }


def histogram(scores: np.ndarray, viable: np.ndarray) -> dict[str, list]:
    """Counts of scores in [0, 1] for each class in even bins."""
    edges = np.linspace(0, 1, HISTOGRAM_BINS + 1)
    return {
        "edges": [round(float(edge), 6) for edge in edges],
        "viable": np.histogram(scores[viable], edges)[0].tolist(),
        "hopeless": np.histogram(scores[~viable], edges)[0].tolist(),
    }


def misses_allowed(seeds: int, miss_rate: float = MISS_RATE, confidence: float = CONFIDENCE) -> int | None:
    """Viable validation seeds that may be dropped so that the true rate lies below `miss_rate` with `confidence`.

    The largest k for which k or fewer misses among `seeds` would happen with a probability of at most 1 - confidence if
    the rate were `miss_rate` (one-sided bound of Clopper and Pearson, 1934). None when even 0 misses prove nothing:
    with fewer than 2,995 seeds for the defaults.
    """
    allowed, cumulative = None, 0.0
    for misses in range(seeds + 1):
        cumulative += math.exp(
            math.lgamma(seeds + 1)
            - math.lgamma(misses + 1)
            - math.lgamma(seeds - misses + 1)
            + misses * math.log(miss_rate)
            + (seeds - misses) * math.log1p(-miss_rate)
        )
        if cumulative > 1 - confidence:
            return allowed
        allowed = misses
    return allowed


def largest_rate(misses: int, seeds: int, confidence: float = CONFIDENCE) -> float:
    """One-sided upper bound of the rate behind `misses` among `seeds` (Clopper and Pearson, 1934)."""
    if misses >= seeds:
        return 1.0
    low, high = misses / seeds, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if _at_most(misses, seeds, middle) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high


def _at_most(misses: int, seeds: int, rate: float) -> float:
    """Probability of at most so many misses among independent seeds of that rate."""
    if rate <= 0:
        return 1.0
    number = np.arange(misses + 1)
    logarithms = np.cumsum(np.log(seeds - number[1:] + 1) - np.log(number[1:]))
    choices = np.concatenate([[0.0], logarithms])
    return float(np.exp(choices + number * math.log(rate) + (seeds - number) * math.log1p(-rate)).sum())
