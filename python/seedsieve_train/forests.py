"""Gradient-boosted trees, as baselines and teachers use them. Needs scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier

ITERATIONS = 200
L2 = 1.0
"""Without it the values of leaves of one class grow with every iteration, up to millions, and a few seeds of the other
class score 0: they alone then decide what is found at a TPR of 99.9 %."""


def fitted_trees(features: np.ndarray, viable: np.ndarray, seed: int, threads: int) -> HistGradientBoostingClassifier:
    """Trees that learnt from rows of features and labels bool[n] of both classes.

    Without early stopping, which would hold out rows of reads that it learns from.

    Raises:
        ImportError: if scikit-learn is missing.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    trees = HistGradientBoostingClassifier(
        max_iter=ITERATIONS, early_stopping=False, random_state=seed, l2_regularization=L2
    )
    with threadpool_limits(limits=threads):
        return trees.fit(features, viable)
