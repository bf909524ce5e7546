"""Gradient-boosted trees on the student's facts, for a student to learn from."""

import numpy as np

from .. import splits
from ..errors import TrainingError
from ..forests import fitted_trees
from .features import facts_alone

PARTS = 4
"""Each part of the places is scored by trees that learnt from the others: of what trees know by heart nothing is to be
learnt."""


def train_trees(features: np.ndarray, viable: np.ndarray, place: np.ndarray, seed: int, threads: int) -> np.ndarray:
    """Scores float32[n] of seeds by trees that have not seen their place.

    Args:
        features: uint8[n, 288].
        viable: bool[n], both classes.
        place: uint64[n], see `splits.clusters`.
        seed: of the random numbers.
        threads: CPU threads.

    Raises:
        TrainingError: if scikit-learn is missing.
    """
    try:
        import sklearn  # noqa: F401
        import threadpoolctl  # noqa: F401
    except ImportError as error:
        raise TrainingError(
            f"{error.name} is not installed: trees need scikit-learn; `cargo xtask setup` installs it, or take "
            "--teacher network"
        ) from error
    facts = facts_alone(features)
    part = splits.mix(place) % np.uint64(PARTS)
    scores = np.empty(len(viable), dtype=np.float32)
    for number in range(PARTS):
        others = part != number
        if others.all():
            continue
        if viable[others].all() or not viable[others].any():
            raise TrainingError(
                "the training part has too few places with seeds of both kinds: give more data (--data)"
            )
        forest = fitted_trees(facts[others], viable[others], seed, threads)
        scores[~others] = forest.predict_proba(facts[~others])[:, 1]
    return scores
