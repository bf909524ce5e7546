"""Whether one model is better than another on the same seeds: a paired bootstrap over read pairs."""

from dataclasses import dataclass

import numpy as np

from ..metrics import CONFIDENCE, roc


@dataclass(frozen=True)
class Comparison:
    """Difference of FPR at a TPR, second model less first: below 0 the second is better."""

    tpr: float
    fpr_first: float
    fpr_second: float
    difference: float
    low: float
    high: float
    p_value: float
    """Two-sided: how often a resample has a difference on the other side of 0, twice."""

    @property
    def verdict(self) -> str:
        """better, worse, or no difference shown; of the second model."""
        if self.high < 0:
            return "better"
        return "worse" if self.low > 0 else "no difference shown"


def compare_models(
    first: np.ndarray, second: np.ndarray, viable: np.ndarray, group: np.ndarray, tpr: float, resamples: int, seed: int
) -> Comparison:
    """Compare two scorers.

    Args:
        first: floats[n], scores of one.
        second: floats[n], of the other, of the same seeds.
        viable: bool[n], both classes.
        group: integers[n], 0 and up without gaps: what is resampled as a whole (read pairs), for both alike.
        tpr: at which FPRs are compared.
        resamples: draws of as many groups as there are, with replacement.
        seed: of the random numbers.

    Raises:
        ValueError: as `metrics.roc`.
    """
    fpr_first, fpr_second = roc(first, viable).fpr_at(tpr), roc(second, viable).fpr_at(tpr)
    random = np.random.default_rng(seed)
    number = int(group.max()) + 1
    samplers = [_Resampled(scores, viable, group, tpr) for scores in (first, second)]
    differences = []
    while len(differences) < resamples:
        times = np.bincount(random.integers(0, number, number), minlength=number)
        rates = [sampler.fpr(times) for sampler in samplers]
        if None not in rates:
            differences.append(rates[1] - rates[0])
    drawn = np.array(differences)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    # One more in both counts: a finite number of draws proves no probability of 0.
    below, above = ((drawn <= 0).sum() + 1) / (len(drawn) + 1), ((drawn >= 0).sum() + 1) / (len(drawn) + 1)
    p_value = min(1.0, 2 * min(below, above))
    return Comparison(tpr, fpr_first, fpr_second, fpr_second - fpr_first, float(low), float(high), float(p_value))


class _Resampled:
    """FPR at a TPR of resampled groups; scores are sorted once."""

    def __init__(self, scores: np.ndarray, viable: np.ndarray, group: np.ndarray, tpr: float) -> None:
        order = np.argsort(-scores, kind="stable")
        self._viable, self._group, self._tpr = viable[order], group[order], tpr
        self._last = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)

    def fpr(self, times: np.ndarray) -> float | None:
        """None where a class was not drawn."""
        weight = times[self._group]
        kept_viable = np.cumsum(np.where(self._viable, weight, 0))[self._last]
        kept_hopeless = np.cumsum(np.where(self._viable, 0, weight))[self._last]
        if not kept_viable[-1] or not kept_hopeless[-1]:
            return None
        place = int(np.argmax(kept_viable >= self._tpr * kept_viable[-1]))
        return float(kept_hopeless[place] / kept_hopeless[-1])
