"""Division into train, validation and test parts by position.

Reads of one place look alike whoever they come from, so places are divided, not reads and not samples: the contigs are
cut into blocks, and a hash of contig and block number decides for all reads whose best region starts there. Reads
without a region are divided by the hash of their name, which both mates share.

Where samples are held out the test part holds their reads alone: other people at other places.
"""

import hashlib
from collections.abc import Collection, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .errors import TrainingError

PARTS = ("train", "validation", "test")
LEFT_OUT = 3
"""Number of what belongs to no part; 0, 1, 2 are the indices of `PARTS`."""
BLOCK_BASES = 20_000
"""Bases of a block."""
MARGIN_BASES = 1_000
"""Reads this close to a block of another part are left out: they or their mates may reach into it."""
CLUSTER_BASES = 1_000
"""Bases of a place: reads that start in it share bases of the reference, and their mates mostly lie beside it."""
COLUMNS = ("read_hash", "locus_contig", "locus_position")
"""Columns that the division looks at."""


def mix(values: np.ndarray) -> np.ndarray:
    """Spread uint64 values evenly over uint64: the finaliser of SplitMix64 (Steele, Lea and Flood, 2014)."""
    values = values.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ values >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ values >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return values ^ values >> np.uint64(31)


def part_of_hash(hashes: np.ndarray) -> np.ndarray:
    """Part for each evenly spread uint64: int8[n]; 0 train (80 %), 1 validation (10 %), 2 test (10 %)."""
    tenth = hashes // np.uint64(2**64 // 10 + 1)
    return np.select([tenth < 8, tenth == 8], [0, 1], 2).astype(np.int8)


def part_of_block(contig_hash: np.ndarray, block: np.ndarray) -> np.ndarray:
    """Part of each block: int8[n], of contig hashes uint64[n] and block numbers int64[n]."""
    return part_of_hash(mix(contig_hash ^ mix(block.astype(np.uint64))))


def part_of_locus(contig_hash: np.ndarray, position: np.ndarray, block_bases: int = BLOCK_BASES) -> np.ndarray:
    """Part of each place, with the margins between different parts left out.

    Args:
        contig_hash: uint64[n], from `hash_of_name`.
        position: int64[n], 0-based.
        block_bases: bases of a block, at least two margins.

    Returns:
        int8[n]: index in `PARTS`, or `LEFT_OUT`.
    """
    block, offset = np.divmod(position.astype(np.int64), block_bases)
    part = part_of_block(contig_hash, block)
    # The first block of a contig has none before it; its own part stands in, so that nothing is left out there.
    before = part_of_block(contig_hash, np.maximum(block - 1, 0))
    after = part_of_block(contig_hash, block + 1)
    foreign = (offset < MARGIN_BASES) & (before != part) | (offset >= block_bases - MARGIN_BASES) & (after != part)
    return np.where(foreign, LEFT_OUT, part).astype(np.int8)


def hash_of_name(name: str) -> int:
    """First 8 bytes (big-endian) of the SHA-256 of a contig's name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


def parts(batch: pa.RecordBatch, block_bases: int = BLOCK_BASES) -> np.ndarray:
    """Part of each row of a batch with `COLUMNS`: int8[rows], an index in `PARTS` or `LEFT_OUT`."""
    contig_hash, position, has_locus = _loci(batch)
    by_name = part_of_hash(mix(batch.column("read_hash").to_numpy()))
    return np.where(has_locus, part_of_locus(contig_hash, position, block_bases), by_name)


def without_held_out(part: np.ndarray, sample: pa.Array, held_out: Sequence[str]) -> np.ndarray:
    """Parts int8[rows] with the samples of the test part and those of the other parts kept apart.

    Args:
        part: as `parts` gives it.
        sample: names, one a row.
        held_out: samples that belong to the test part alone; none changes nothing.
    """
    if not held_out:
        return part
    of_held_out = pc.is_in(sample, value_set=pa.array(held_out)).to_numpy(zero_copy_only=False)
    return np.where(of_held_out == (part == PARTS.index("test")), part, LEFT_OUT).astype(np.int8)


def check_held_out(held_out: Sequence[str], samples: Collection[str]) -> None:
    """Refuse names that the data do not have.

    Raises:
        TrainingError: if a held-out sample is none of `samples`, or all are held out.
    """
    for name in held_out:
        if name not in samples:
            raise TrainingError(f"held-out sample {name!r}: the data hold {', '.join(sorted(samples))}")
    if held_out and set(samples) <= set(held_out):
        raise TrainingError("all samples of the data are held out, and none is left to learn from: hold out fewer")


def blocks(batch: pa.RecordBatch, block_bases: int = BLOCK_BASES) -> np.ndarray:
    """Hash of contig and block of each row of a batch that has a locus: uint64[rows with a locus]."""
    contig_hash, position, has_locus = _loci(batch)
    return mix(contig_hash ^ mix(position.astype(np.int64) // block_bases))[has_locus]


def clusters(batch: pa.RecordBatch, cluster_bases: int = CLUSTER_BASES) -> np.ndarray:
    """Which rows belong together when something is resampled: uint64[rows].

    Seeds of pairs whose best regions start within the same `cluster_bases` share a place, whoever they come from: the
    place of the pair's first row that has one. A pair without any stands for itself.
    """
    contig_hash, position, has_locus = _loci(batch)
    place = mix(contig_hash ^ mix((position.astype(np.int64) // cluster_bases).astype(np.uint64) + np.uint64(1 << 40)))
    pair = batch.column("read_hash").to_numpy()
    with_locus = np.flatnonzero(has_locus)
    if len(with_locus) == 0:
        return mix(pair)
    known, first = np.unique(pair[with_locus], return_index=True)
    found = np.searchsorted(known, pair).clip(0, len(known) - 1)
    return np.where(known[found] == pair, place[with_locus[first[found]]], mix(pair))


def _loci(batch: pa.RecordBatch) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Contig hash uint64[rows] and 0-based position of each row's locus, and bool[rows]: whether it has one."""
    contig = pc.dictionary_encode(batch.column("locus_contig"))
    # One entry more than there are names: what rows without a locus look up and do not use.
    name_hashes = np.array([*map(hash_of_name, contig.dictionary.to_pylist()), 0], dtype=np.uint64)
    number = pc.fill_null(contig.indices, len(contig.dictionary)).to_numpy(zero_copy_only=False)
    position = pc.fill_null(batch.column("locus_position"), 0).to_numpy(zero_copy_only=False)
    has_locus = pc.and_(
        pc.is_valid(batch.column("locus_contig")), pc.is_valid(batch.column("locus_position"))
    ).to_numpy(zero_copy_only=False)
    return name_hashes[number], position, has_locus
