"""Baselines that look at the two context windows alone: q-gram vote and bit-vector edit distance."""

import numpy as np

from ..windows import DOWNSTREAM, MAX_SEED_IN_WINDOW, UPSTREAM, WINDOW_SIZE

Q = 6
"""Bases of a q-gram."""
ROWS_AT_ONCE = 8_192
EMPTY = 4
_CODE_OF_NIBBLE = np.full(16, EMPTY, dtype=np.uint8)
_CODE_OF_NIBBLE[[1, 2, 4, 8]] = [0, 1, 2, 3]


def window_codes(packed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Base codes uint8[n, 128] of the read's and of the reference's window; 4 is empty."""
    codes = _CODE_OF_NIBBLE[np.stack([packed >> 4, packed & 15], axis=2).reshape(len(packed), 2, WINDOW_SIZE)]
    return codes[:, 0], codes[:, 1]


def shared_q_grams(packed: np.ndarray) -> np.ndarray:
    """q-grams of the read's window that occur anywhere in the reference's: int64[n]."""
    votes = np.zeros(len(packed), dtype=np.int64)
    for start in range(0, len(packed), ROWS_AT_ONCE):
        query, reference = (_q_grams(codes) for codes in window_codes(packed[start : start + ROWS_AT_ONCE]))
        # One place more than there are q-grams: where those with an empty position go.
        present = np.zeros((len(query), 4**Q + 1), dtype=bool)
        np.put_along_axis(present, reference, True, axis=1)
        present[:, -1] = False
        votes[start : start + ROWS_AT_ONCE] = np.take_along_axis(present, query, axis=1).sum(axis=1)
    return votes


def _q_grams(codes: np.ndarray) -> np.ndarray:
    places = codes.shape[1] - Q + 1
    grams = np.zeros((len(codes), places), dtype=np.int64)
    empty = np.zeros((len(codes), places), dtype=bool)
    for offset in range(Q):
        piece = codes[:, offset : offset + places]
        grams = grams * 4 + piece
        empty |= piece == EMPTY
    return np.where(empty, 4**Q, grams)


def flank_distance(packed: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Edit distance of the read's bases beside the seed (up to 32 on each side) to the reference, both sides together.

    The read's bases have to be used up, the reference may go on: int64[n].
    """
    query, reference = window_codes(packed)
    shown = np.minimum(length, MAX_SEED_IN_WINDOW).astype(np.int64)
    upstream = np.broadcast_to(np.arange(UPSTREAM)[::-1], (len(packed), UPSTREAM))
    downstream = UPSTREAM + shown[:, None] + np.arange(DOWNSTREAM)[None, :]
    return sum(
        anchored_distance(np.take_along_axis(query, places, axis=1), np.take_along_axis(reference, places, axis=1))
        for places in (upstream, downstream)
    )


def anchored_distance(patterns: np.ndarray, texts: np.ndarray) -> np.ndarray:
    """Least edit distance of each whole pattern to a prefix of its text, by bit vectors (Myers, 1999; Hyyrö, 2003).

    Args:
        patterns: uint8[n, m], m at most 63; codes 0 to 3, then 4 to the end.
        texts: uint8[n, k]; 4 matches nothing.

    Returns:
        int64[n].
    """
    sizes = (patterns != EMPTY).sum(axis=1).astype(np.int64)
    one = np.uint64(1)
    matches = np.zeros((5, len(patterns)), dtype=np.uint64)
    for place in range(patterns.shape[1]):
        for code in range(4):
            matches[code] |= (patterns[:, place] == code).astype(np.uint64) << np.uint64(place)
    positive = np.full(len(patterns), (1 << 63) - 1, dtype=np.uint64)
    negative = np.zeros(len(patterns), dtype=np.uint64)
    last = np.where(sizes > 0, one << np.maximum(sizes - 1, 0).astype(np.uint64), np.uint64(0))
    distance = sizes.copy()
    least = sizes.copy()
    for place in range(texts.shape[1]):
        equal = np.take_along_axis(matches, texts[None, :, place].astype(np.int64), axis=0)[0]
        vertical = equal | negative
        horizontal = (((equal & positive) + positive) ^ positive) | equal
        up = negative | ~(horizontal | positive)
        down = positive & horizontal
        distance = distance + ((up & last) != 0) - ((down & last) != 0)
        # A shifted-in one: before the pattern's first base the distance grows with every base of the text.
        up = up << one | one
        down = down << one
        positive = down | ~(vertical | up)
        negative = up & vertical
        least = np.minimum(least, distance)
    return np.where(sizes > 0, least, 0)
