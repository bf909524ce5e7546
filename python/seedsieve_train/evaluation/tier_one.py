"""A scorer for tier 1 of the cascade: one look into a small table of integers."""

import numpy as np

SCORES = 64
"""Gap bounds 0 to 62, and 63 for all above."""
LENGTHS = (16, 20, 28, 40)
"""First lengths of the bins behind the first."""
OCCURRENCES = (2, 6, 21, 101)
"""First occurrences of the bins behind the first."""
STEPS = 8
"""Steps of a table's entry for a factor e in the odds."""
PRIOR_SEEDS = 20
"""So many seeds stand in each cell beforehand, as viable as those of its gap bound are over all cells."""


def cells(
    gap_bound: np.ndarray, length: np.ndarray, occurrences: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Place of each seed in the table."""
    return (
        np.clip(gap_bound, 0, SCORES - 1).astype(np.int64),
        np.searchsorted(LENGTHS, length, side="right"),
        np.searchsorted(OCCURRENCES, occurrences, side="right"),
    )


def learnt_table(gap_bound: np.ndarray, length: np.ndarray, occurrences: np.ndarray, viable: np.ndarray) -> np.ndarray:
    """int8[64, 5, 5]: the logarithm of the odds that a seed is viable, in eighths."""
    place = cells(gap_bound, length, occurrences)
    shape = (SCORES, len(LENGTHS) + 1, len(OCCURRENCES) + 1)
    counts = np.zeros((2, *shape))
    np.add.at(counts, (viable.astype(np.int64), *place), 1)
    of_score = counts.sum(axis=(2, 3)) + 0.5
    share = of_score[1] / of_score.sum(axis=0)
    hopeless = counts[0] + PRIOR_SEEDS * (1 - share)[:, None, None]
    good = counts[1] + PRIOR_SEEDS * share[:, None, None]
    return np.clip(np.rint(STEPS * np.log(good / hopeless)), -127, 127).astype(np.int8)
