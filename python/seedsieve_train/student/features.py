"""What the student sees of a seed: 288 bytes, matches outwards from the seed and facts of the seed and its read."""

from dataclasses import dataclass

import numpy as np

MASK_BITS = 128
"""Bases on each side whose matches are seen."""
FACTS = (
    "seed length",
    "bases of the read before",
    "bases of the read after",
    "8 log2(occurrences)",
    "best ungapped score",
    "best ungapped score of the read's other seeds",
    "other seeds within 10 diagonals",
    "other seeds within 100 diagonals",
    "seeds of the read / 4",
    "read length / 2",
    "start in the read, of 255",
    "longest run of matches outside the seed",
    "matches of the first 8 before",
    "of the first 8 after",
    "of the first 16 before",
    "of the first 16 after",
    "of the first 32 before",
    "of the first 32 after",
)
GAP_FACTS = ("gap bound", "best gap bound of the read's other seeds", "best gap bound of the mate's seeds")
"""Facts behind those, since version 2."""
NARROW_FACTS = ("narrow score", "best narrow score of the read's other seeds")
"""The last facts, since version 3."""
RESERVED = 9
"""Zeros at the end."""
FEATURES = 2 * MASK_BITS + len(FACTS) + len(GAP_FACTS) + len(NARROW_FACTS) + RESERVED
"""288."""
WINDOW = f"student/{FEATURES}/3"
"""What model files state as `seedsieve.window`: facts are over the seeds of chains that survive the chain filter."""
WINDOW_2 = f"student/{FEATURES}/2"
"""The same of version 2: a zeros for the narrow scores."""
WINDOW_1 = f"student/{FEATURES}"
"""The same of version 1: zeros for the gap facts, too, and facts over all seeds of a read."""
NEAR, FAR = 10, 100
"""Diagonals within which another seed supports this one."""


@dataclass(frozen=True)
class SeedColumns:
    """Columns of a data set, array for array; all seeds of a read have to be there, for they are counted."""

    left_matches: np.ndarray
    """uint8[n, 32]: 256 bits, the first of a byte its lowest; see docs/architecture/data-flow.md."""
    right_matches: np.ndarray
    """uint8[n, 32]."""
    length: np.ndarray
    query_start: np.ndarray
    read_length: np.ndarray
    occurrences: np.ndarray
    ungapped_score: np.ndarray
    position: np.ndarray
    """0-based leftmost position on the forward strand."""
    reverse: np.ndarray
    """bool[n]."""
    contig: np.ndarray
    """Numbers of contigs."""
    read: np.ndarray
    """Numbers of reads (not pairs), 0 and up without gaps."""
    room_before: np.ndarray
    """Bases of the contig before the seed, in the direction of the read; a very large number where unknown."""
    room_after: np.ndarray
    gap_bound: np.ndarray | None = None
    """None: version 1."""
    mate_read: np.ndarray | None = None
    """Number of the mate's read of each row, -1 where it has no seed; None with `gap_bound`."""
    narrow_score: np.ndarray | None = None
    """None: version 2, or 1."""


def features(columns: SeedColumns) -> np.ndarray:
    """The student's input, uint8[n, 288]: of version 2 where there are gap bounds, of 3 with narrow scores, too."""
    before, after = (_bits(mask) for mask in (columns.left_matches, columns.right_matches))
    length = columns.length.astype(np.int64)
    query_start, read_length = columns.query_start.astype(np.int64), columns.read_length.astype(np.int64)
    score = columns.ungapped_score.astype(np.int64)
    near, far = (_within(columns, reach) for reach in (NEAR, FAR))
    facts = [
        length,
        np.minimum(query_start, columns.room_before),
        np.minimum(read_length - query_start - length, columns.room_after),
        eighths_of_log2(columns.occurrences),
        score,
        best_of_others(score, columns.read),
        near,
        far,
        np.bincount(columns.read)[columns.read] // 4,
        read_length // 2,
        query_start * 255 // np.maximum(read_length, 1),
        np.maximum(_longest_run(before), _longest_run(after)),
        *(mask[:, :bases].sum(axis=1) for bases in (8, 16, 32) for mask in (before, after)),
    ]
    if columns.gap_bound is not None and columns.mate_read is not None:
        facts += gap_facts(columns.gap_bound.astype(np.int64), columns.read, columns.mate_read)
        if columns.narrow_score is not None:
            narrow = columns.narrow_score.astype(np.int64)
            facts += [narrow, best_of_others(narrow, columns.read)]
    result = np.zeros((len(length), FEATURES), dtype=np.uint8)
    result[:, :MASK_BITS] = before
    result[:, MASK_BITS : 2 * MASK_BITS] = after
    for number, fact in enumerate(facts):
        result[:, 2 * MASK_BITS + number] = np.clip(fact, 0, 255)
    return result


def facts_alone(seen: np.ndarray, narrow_scores: bool = True) -> np.ndarray:
    """The facts uint8[n, 23] of features uint8[n, 288]; uint8[n, 21] without those of narrow scores."""
    return seen[:, 2 * MASK_BITS : FEATURES - RESERVED - (0 if narrow_scores else len(NARROW_FACTS))]


def as_version_2(seen: np.ndarray) -> np.ndarray:
    """Features uint8[n, 288] of version 3 without what version 2 lacks."""
    older = seen.copy()
    older[:, FEATURES - RESERVED - len(NARROW_FACTS) :] = 0
    return older


def _bits(mask: np.ndarray) -> np.ndarray:
    """The first `MASK_BITS` of a mask uint8[n, 32] as uint8[n, 128] of 0 and 1."""
    return np.unpackbits(mask[:, : MASK_BITS // 8], axis=1, bitorder="little")


def eighths_of_log2(occurrences: np.ndarray) -> np.ndarray:
    """8 log2 of integers from 1 to 2^32 - 1, rounded down, by comparing integers: the same on every machine."""
    value = np.maximum(occurrences.astype(np.int64), 1)
    exponent = np.zeros(len(value), dtype=np.int64)
    for shift in (32, 16, 8, 4, 2, 1):
        large = value >> exponent >= np.int64(1) << shift
        exponent += np.where(large, shift, 0)
    # Thresholds 2^(j/8), in 30 bits: compared with the value scaled to [1, 2).
    scaled = (value << 30) >> exponent
    steps = np.array([round(2 ** (30 + step / 8)) for step in range(1, 8)], dtype=np.int64)
    return 8 * exponent + (scaled[:, None] >= steps[None, :]).sum(axis=1)


def best_of_others(score: np.ndarray, read: np.ndarray) -> np.ndarray:
    """The best score of all seeds of the read but the row's own; 0 where there is no other."""
    order = np.lexsort((-score, read))
    ordered = score[order]
    starts = np.flatnonzero(np.concatenate([[True], np.diff(read[order]) > 0])) if len(read) else np.zeros(0, int)
    counts = np.diff(np.append(starts, len(read)))
    first = ordered[starts]
    second = np.where(counts > 1, ordered[np.minimum(starts + 1, len(read) - 1)], 0)
    result = np.repeat(first, counts)
    result[starts] = second
    unsorted = np.empty_like(result)
    unsorted[order] = result
    return unsorted


def gap_facts(gap_bound: np.ndarray, read: np.ndarray, mate_read: np.ndarray) -> list[np.ndarray]:
    """`GAP_FACTS` of each row, int64[n] each."""
    # One element more, which a read without a mate looks up.
    best = np.zeros(int(read.max()) + 2 if len(read) else 1, dtype=np.int64)
    np.maximum.at(best, read, gap_bound)
    return [gap_bound, best_of_others(gap_bound, read), best[mate_read]]


def mates(pair: np.ndarray, mate: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number of each row's read, 0 and up without gaps, and of its mate's, -1 where that has no row or there is none.

    Args:
        pair: integers[n], number of the read pair.
        mate: integers[n]: 0 unpaired, 1 first, 2 second.
    """
    key = pair.astype(np.int64) * 3 + mate
    keys, read = np.unique(key, return_inverse=True)
    wanted = np.where(mate == 0, -1, pair.astype(np.int64) * 3 + 3 - mate)
    place = np.searchsorted(keys, wanted).clip(0, max(len(keys) - 1, 0))
    return read.reshape(-1), np.where(keys[place] == wanted, place, -1)


def _within(columns: SeedColumns, reach: int) -> np.ndarray:
    """Other seeds of the read within so many diagonals on the same strand and contig."""
    position, start = columns.position.astype(np.int64), columns.query_start.astype(np.int64)
    # On the reverse strand the read runs against the reference, whose strand-corrected start is the seed's right end.
    diagonal = np.where(columns.reverse, -(position + columns.length.astype(np.int64) + start), position - start)
    group = np.unique(
        np.stack([columns.read.astype(np.int64), columns.contig.astype(np.int64), columns.reverse.astype(np.int64)]),
        axis=1,
        return_inverse=True,
    )[1].reshape(-1)
    # One number line for all: groups lie further apart than any diagonal is wide.
    width = np.int64(2) ** 36
    line = group * width + diagonal
    ordered = np.sort(line)
    return np.searchsorted(ordered, line + reach, "right") - np.searchsorted(ordered, line - reach, "left") - 1


def _longest_run(mask: np.ndarray) -> np.ndarray:
    """Most ones in a row of each row of 0 and 1."""
    run = np.zeros(len(mask), dtype=np.int64)
    longest = run.copy()
    for column in range(mask.shape[1]):
        run = np.where(mask[:, column] != 0, run + 1, 0)
        np.maximum(longest, run, out=longest)
    return longest
