"""What can be known of a seed where the filter acts, before it is chained and extended, as numbers for trees."""

import numpy as np

from .windows import DOWNSTREAM, MAX_SEED_IN_WINDOW, UPSTREAM, WINDOW_SIZE

MATCH, MISMATCH = 1, -4
"""bwa's default scores."""
SIDE_FEATURES = ("bases", "mismatches", "matches in a row", "best score")
WINDOW_FEATURES = (
    "seed bases shown",
    "share of G and C",
    *(f"{feature} {side}" for side in ("upstream", "downstream") for feature in SIDE_FEATURES),
)
"""Columns of `window_features`."""
SEED_FACTS = (
    "length",
    "ungapped score",
    "occurrences",
    "bases before",
    "bases after",
    "seeds of the read",
    "best ungapped score of the read",
    "best ungapped score less the seed's",
    "longest seed of the read",
)
"""Columns of `seed_facts`."""


def window_features(packed: np.ndarray, length: np.ndarray) -> np.ndarray:
    """What the two context windows show.

    Args:
        packed: uint8[n, 128], the read's window, then the reference's.
        length: integers[n], bases of the seed; how many of them a window shows says where its downstream part starts.

    Returns:
        float32[n, len(WINDOW_FEATURES)]. A best score is that of the best ungapped extension within the window.
    """
    nibbles = np.stack([packed >> 4, packed & 15], axis=2).reshape(len(packed), 2, WINDOW_SIZE)
    query, reference = nibbles[:, 0], nibbles[:, 1]
    both = (query != 0) & (reference != 0)
    same = (query & reference) != 0
    shown = np.minimum(length, MAX_SEED_IN_WINDOW).astype(np.int64)
    # From the seed outwards, on either side.
    upstream = np.arange(UPSTREAM)[::-1][None, :].repeat(len(packed), axis=0)
    downstream = UPSTREAM + shown[:, None] + np.arange(DOWNSTREAM)[None, :]
    strong = ((reference == 0b0010) | (reference == 0b0100)).sum(axis=1) / np.maximum((reference != 0).sum(axis=1), 1)
    columns = [shown, strong]
    for places in (upstream, downstream):
        filled = np.take_along_axis(both, places, axis=1)
        matches = np.take_along_axis(same, places, axis=1) & filled
        score = np.where(matches, MATCH, np.where(filled, MISMATCH, 0)).cumsum(axis=1)
        columns += [
            filled.sum(axis=1),
            (filled & ~matches).sum(axis=1),
            np.logical_and.accumulate(matches, axis=1).sum(axis=1),
            np.maximum(score.max(axis=1), 0),
        ]
    return np.column_stack(columns).astype(np.float32)


def seed_facts(columns: dict[str, np.ndarray], read: np.ndarray) -> np.ndarray:
    """The seed's own facts, and what the read's other seeds are like.

    Args:
        columns: arrays[n] of the data set's columns length, ungapped_score, occurrences, query_start, read_length.
        read: integers[n], 0 and up without gaps: number of the read (not the pair) that the seed is of.

    Returns:
        float32[n, len(SEED_FACTS)].
    """
    length, score = columns["length"].astype(np.int64), columns["ungapped_score"].astype(np.int64)
    seeds = np.bincount(read)
    best, longest = (np.zeros(len(seeds), dtype=np.int64) for _ in range(2))
    np.maximum.at(best, read, score)
    np.maximum.at(longest, read, length)
    before = columns["query_start"].astype(np.int64)
    after = columns["read_length"].astype(np.int64) - before - length
    facts = (length, score, columns["occurrences"], before, after, seeds[read], best[read], best[read] - score)
    return np.column_stack([*facts, longest[read]]).astype(np.float32)
