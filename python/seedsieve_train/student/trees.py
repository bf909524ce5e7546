"""Gradient-boosted trees on the student's facts, for a student to learn from."""

import numpy as np

from .. import splits
from ..errors import TrainingError
from .features import facts_alone

ITERATIONS = 200
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
        from sklearn.ensemble import HistGradientBoostingClassifier
        from threadpoolctl import threadpool_limits
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
        forest = HistGradientBoostingClassifier(max_iter=ITERATIONS, early_stopping=False, random_state=seed)
        with threadpool_limits(limits=threads):
            forest.fit(facts[others], viable[others])
            scores[~others] = forest.predict_proba(facts[~others])[:, 1]
    return scores
