"""Decision thresholds with a bound on the viable seeds that they drop, seeds of one place not taken as independent.

The bound is that of Clopper and Pearson (1934) for a cluster sample, as Korn and Graubard (1998) put it: the number of
seeds is divided by the design effect, by which the variance of the drop rate over places exceeds that of as many
independent seeds.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .metrics import CONFIDENCE, MISS_RATE, largest_rate, misses_allowed

DESIGN_RATES = (1, 2)
"""Multiples of the miss rate at which the design effect is measured; the larger counts, for a few misses say little.

At higher rates other seeds are dropped, whole repeats among them, which vary together far more."""
METHOD = "Clopper-Pearson over places"
PROPERTIES = ("seedsieve.miss_rate", "seedsieve.confidence", "seedsieve.threshold_")
"""How the keys of `Guarantee.properties` begin; files of older versions have the first two alone."""


@dataclass(frozen=True)
class Guarantee:
    """A threshold, and what it rests on."""

    threshold: float
    miss_rate: float
    confidence: float
    viable: int
    """Viable validation seeds."""
    places: int
    """That they lie at."""
    design_effect: float
    dropped: int
    """Viable validation seeds below the threshold."""
    upper_bound: float
    """Of the rate of dropped ones, with `confidence`."""
    groups: int = 0
    """Groups of seeds none of which loses more of its validation seeds than `miss_rate`."""
    deciding_group: str | None = None
    """The one that lowered the threshold; None where the bound over all seeds is the stricter."""

    def words(self) -> str:
        """Where the threshold comes from."""
        return (
            f"the highest at which the {self.viable:,} viable seeds of the validation part, at {self.places:,} places, "
            f"bound the rate of dropped ones below {100 * self.miss_rate:g} % (one-sided, {100 * self.confidence:g} % "
            f"confidence; seeds of one place vary together, so that {self.design_effect:.1f} of them count as one)"
            + (f", and at which none of {self.groups} data sets loses more of its own" if self.groups else "")
            + (f"; {self.deciding_group} decides" if self.deciding_group else "")
        )

    def properties(self) -> dict[str, str]:
        """Keys and values for a model file."""
        return {
            "seedsieve.miss_rate": f"{self.miss_rate:.9g}",
            "seedsieve.confidence": f"{self.confidence:.9g}",
            "seedsieve.threshold_method": METHOD,
            "seedsieve.threshold_viable": str(self.viable),
            "seedsieve.threshold_places": str(self.places),
            "seedsieve.threshold_design_effect": f"{self.design_effect:.4g}",
            "seedsieve.threshold_dropped": str(self.dropped),
        } | ({"seedsieve.threshold_groups": str(self.groups)} if self.groups else {})


def stated_guarantee(properties: dict[str, str]) -> dict[str, str]:
    """Those of a file's properties that say what its threshold rests on."""
    return {key: value for key, value in properties.items() if key.startswith(PROPERTIES)}


def design_effect(dropped: np.ndarray, place: np.ndarray) -> float:
    """Variance of the rate of dropped seeds over places, as a multiple of that of independent seeds; 1 at least.

    Args:
        dropped: bool[n].
        place: integers[n], 0 and up without gaps.
    """
    seeds = np.bincount(place)
    rate, number = dropped.mean(), len(seeds)
    if number < 2 or rate in (0, 1):
        return 1.0
    excess = np.bincount(place, dropped) - rate * seeds
    variance = number / (number - 1) * np.sum(excess**2) / len(dropped) ** 2
    return max(1.0, float(variance / (rate * (1 - rate) / len(dropped))))


def effect_of_places(scores: np.ndarray, place: np.ndarray, miss_rate: float = MISS_RATE) -> float:
    """The largest design effect where about `miss_rate` of the viable seeds, or some times as many, are dropped."""
    effects = []
    for multiple in DESIGN_RATES:
        count = max(1, round(min(multiple * miss_rate, 0.5) * len(scores)))
        limit = np.partition(scores, count - 1)[count - 1]
        effects.append(design_effect(scores <= limit, place))
    return max(effects)


def upper_bound(dropped: int, viable: int, effect: float, confidence: float = CONFIDENCE) -> float:
    """One-sided upper bound of the rate behind `dropped` of `viable` seeds with this design effect."""
    return largest_rate(math.ceil(dropped / effect), max(int(viable / effect), 1), confidence)


def chosen_threshold(
    scores: np.ndarray,
    viable: np.ndarray,
    place: np.ndarray,
    miss_rate: float = MISS_RATE,
    confidence: float = CONFIDENCE,
) -> Guarantee | None:
    """The highest threshold whose bound of dropped viable seeds is `miss_rate`; None where the seeds are too few.

    It lies in the middle between the highest score that may be dropped and the lowest that has to be kept, so that
    rounding in another runtime does not move a seed across it.

    Args:
        scores: float32[n] of the validation part.
        viable: bool[n].
        place: integers[n]: seeds with the same number are not independent.
        miss_rate: viable seeds that may be dropped.
        confidence: of the bound.
    """
    of_viable = scores[viable]
    if len(of_viable) == 0:
        return None
    places = np.unique(place[viable], return_inverse=True)[1].reshape(-1)
    effect = effect_of_places(of_viable, places, miss_rate)
    independent = misses_allowed(int(len(of_viable) / effect), miss_rate, confidence)
    if independent is None:
        return None
    allowed = int(independent * effect)
    threshold = _below(scores, np.partition(of_viable, allowed)[allowed])
    dropped = int((of_viable < threshold).sum())
    return Guarantee(
        threshold=threshold,
        miss_rate=miss_rate,
        confidence=confidence,
        viable=len(of_viable),
        places=int(places.max()) + 1,
        design_effect=effect,
        dropped=dropped,
        upper_bound=upper_bound(dropped, len(of_viable), effect, confidence),
    )


def for_every_group(
    guarantee: Guarantee, scores: np.ndarray, viable: np.ndarray, group: np.ndarray, names: Sequence[str]
) -> Guarantee:
    """The same threshold, or a lower one at which no group loses more of its validation seeds than the miss rate.

    A bound over a mix says nothing of its parts: where the mix loses little, foreign reads may lose several times as
    much. What is promised of a group is less than of the mix, the rate and not a bound of it, for most groups are too
    small for a bound. Groups in which so small a rate cannot be seen (fewer viable seeds than 1 / miss rate) are not
    looked at.

    Args:
        guarantee: what `chosen_threshold` gave for the same seeds.
        scores: float32[n] of the validation part.
        viable: bool[n].
        group: integers[n], an index in `names`.
        names: of the groups.
    """
    threshold, deciding, groups = guarantee.threshold, None, 0
    for number, name in enumerate(names):
        of_viable = scores[viable & (group == number)]
        allowed = int(guarantee.miss_rate * len(of_viable))
        if allowed < 1:
            continue
        groups += 1
        lowest_kept = np.partition(of_viable, allowed)[allowed]
        if lowest_kept < threshold:
            threshold, deciding = _below(scores, lowest_kept), name
    dropped = int((scores[viable] < threshold).sum())
    bound = upper_bound(dropped, guarantee.viable, guarantee.design_effect, guarantee.confidence)
    return replace(
        guarantee, threshold=threshold, dropped=dropped, upper_bound=bound, groups=groups, deciding_group=deciding
    )


def _below(scores: np.ndarray, lowest_kept: float) -> float:
    """The middle between the lowest score that has to be kept and the next lower one."""
    below = scores[scores < lowest_kept]
    return (float(lowest_kept) + float(below.max() if len(below) else lowest_kept)) / 2


def loss_by_group(
    scores: np.ndarray, viable: np.ndarray, group: np.ndarray, names: Sequence[str], threshold: float
) -> dict[str, dict[str, float]]:
    """Viable seeds of each group that has any, how many of them a threshold drops, and the hopeless that it keeps."""
    result = {}
    for number, name in enumerate(names):
        of_viable, hopeless = (scores[(group == number) & (viable == label)] for label in (True, False))
        if len(of_viable):
            result[name] = {
                "viable": len(of_viable),
                "missed": int((of_viable < threshold).sum()),
                "fpr": float((hopeless >= threshold).mean()) if len(hopeless) else 0.0,
            }
    return result


def held_out(
    scores: np.ndarray,
    viable: np.ndarray,
    place: np.ndarray,
    threshold: float,
    miss_rate: float = MISS_RATE,
    confidence: float = CONFIDENCE,
) -> dict[str, float]:
    """What a held-out part says about the loss at a threshold, with the keys of the metrics file."""
    of_viable = scores[viable]
    places = np.unique(place[viable], return_inverse=True)[1].reshape(-1)
    missed, effect = int((of_viable < threshold).sum()), effect_of_places(of_viable, places, miss_rate)
    return {
        "miss_rate": miss_rate,
        "confidence": confidence,
        "test_viable": len(of_viable),
        "test_places": int(places.max()) + 1,
        "test_design_effect": effect,
        "test_missed": missed,
        "test_miss_rate": missed / len(of_viable),
        "test_upper_bound": upper_bound(missed, len(of_viable), effect, confidence),
    }
