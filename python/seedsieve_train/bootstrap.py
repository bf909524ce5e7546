"""Confidence intervals of FPR at a TPR by resampling reads: seeds of one read are not independent."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .metrics import CONFIDENCE, roc


@dataclass(frozen=True)
class Interval:
    """A figure and its percentile interval, `metrics.CONFIDENCE` wide."""

    value: float
    low: float
    high: float


def fpr_intervals(
    scores: np.ndarray, viable: np.ndarray, group: np.ndarray, targets: Sequence[float], resamples: int, seed: int
) -> list[Interval]:
    """FPR at each TPR target with its interval.

    Args:
        scores: floats[n], higher means viable.
        viable: bool[n], both classes.
        group: integers[n], 0 and up without gaps: what is resampled as a whole (read pairs).
        targets: TPRs in (0, 1].
        resamples: draws of as many groups as there are, with replacement.
        seed: of the random numbers.

    Raises:
        ValueError: as `metrics.roc`.
    """
    curve = roc(scores, viable)
    random = np.random.default_rng(seed)
    order = np.argsort(-scores, kind="stable")
    ordered, labels, groups = scores[order], viable[order], group[order]
    last_of_score = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
    number_of_groups = int(group.max()) + 1
    drawn: list[list[float]] = []
    while len(drawn) < resamples:
        times = np.bincount(random.integers(0, number_of_groups, number_of_groups), minlength=number_of_groups)[groups]
        kept_viable = np.cumsum(np.where(labels, times, 0))[last_of_score]
        kept_hopeless = np.cumsum(np.where(labels, 0, times))[last_of_score]
        # A draw without one of the classes says nothing; with so few reads the interval is wide anyway.
        if kept_viable[-1] and kept_hopeless[-1]:
            at = [int(np.argmax(kept_viable >= target * kept_viable[-1])) for target in targets]
            drawn.append([kept_hopeless[place] / kept_hopeless[-1] for place in at])
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(np.array(drawn), [tail, 1 - tail], axis=0)
    return [
        Interval(curve.fpr_at(target), float(low[number]), float(high[number])) for number, target in enumerate(targets)
    ]
