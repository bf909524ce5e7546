"""Rows for the baselines: what is known of seeds at the gate, their labels under every policy, their part."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from . import labels, splits
from .data import kept_reads
from .dataset import EXTRACT_AGAIN, Manifest, packed_seeds, record_batches
from .errors import TrainingError
from .gate_features import seed_facts, window_features

FACTS = ("length", "ungapped_score", "occurrences", "query_start", "read_length")
COLUMNS = tuple(dict.fromkeys(("query_window", "reference_window", "mate", *FACTS, *labels.COLUMNS, *splits.COLUMNS)))


@dataclass(frozen=True)
class GateRows:
    """Seeds, row by row."""

    packed: np.ndarray
    """uint8[n, 128]: packed windows; n is 0 where they were not asked for."""
    length: np.ndarray
    """int64[n]: bases of the seed."""
    ungapped_score: np.ndarray
    """int64[n]."""
    window_features: np.ndarray
    """float32[n, len(WINDOW_FEATURES)]."""
    seed_facts: np.ndarray
    """float32[n, len(SEED_FACTS)]."""
    pair: np.ndarray
    """int64[n]: number of the read pair, 0 and up without gaps."""
    viable: dict[str, np.ndarray]
    """bool[n] for each policy."""

    def __len__(self) -> int:
        return len(self.length)


def load_rows(
    manifests: Sequence[Manifest],
    part: str,
    max_seeds: int | None,
    seed: int,
    block_bases: int = splits.BLOCK_BASES,
    with_windows: bool = False,
) -> GateRows:
    """Read one part (by position) of data sets.

    Args:
        manifests: the data sets.
        part: one of `splits.PARTS`.
        max_seeds: about how many seeds to keep of that part; reads are kept or dropped whole. None keeps all.
        seed: decides which reads are kept.
        block_bases: bases of a block of the division.
        with_windows: keep the packed windows too.

    Raises:
        TrainingError: as `dataset.record_batches`, and if the part holds no seeds.
    """
    available = sum(manifest.seeds for manifest in manifests)
    share = {"train": 0.8, "validation": 0.1, "test": 0.1}[part]
    kept_fraction = min(1.0, max_seeds / (share * available)) if max_seeds is not None and available else 1.0
    pieces: list[dict[str, np.ndarray]] = []
    for number, manifest in enumerate(manifests):
        for batch in record_batches(manifest, COLUMNS):
            of_part = splits.parts(batch, block_bases) == splits.PARTS.index(part)
            read_hash = batch.column("read_hash").to_numpy()
            kept = np.flatnonzero(of_part & kept_reads(read_hash, kept_fraction, seed))
            known = labels.known(batch, labels.POLICIES[0], manifest)[kept]
            packed = packed_seeds(batch)[kept]
            piece = {name: batch.column(name).to_numpy()[kept] for name in FACTS}
            piece["window_features"] = window_features(packed, piece["length"])
            piece["packed"] = packed if with_windows else packed[:0]
            # The same read in two data sets counts twice.
            piece["pair"] = splits.mix(read_hash[kept] ^ np.uint64(number))
            piece["mate"] = batch.column("mate").to_numpy()[kept]
            piece["known"] = known
            for policy in labels.POLICIES:
                piece[policy] = labels.viable(batch, policy, manifest.reporting_threshold)[kept]
            pieces.append(piece)
    if not sum(len(piece["length"]) for piece in pieces):
        names = ", ".join(str(manifest.directory) for manifest in manifests)
        raise TrainingError(
            f"the {part} part holds no seeds of {names}: give more data, more seeds (--max-seeds) or smaller blocks "
            f"(--block-bases), or {EXTRACT_AGAIN} from reads that map"
        )
    columns = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
    pair = np.unique(columns["pair"], return_inverse=True)[1].reshape(-1)
    read = np.unique(pair * 3 + columns["mate"], return_inverse=True)[1].reshape(-1)
    # Facts are over all seeds of a read, also those whose label is not known.
    known = columns["known"]
    return GateRows(
        packed=columns["packed"][known] if with_windows else columns["packed"],
        length=columns["length"][known].astype(np.int64),
        ungapped_score=columns["ungapped_score"][known].astype(np.int64),
        window_features=columns["window_features"][known],
        seed_facts=seed_facts(columns, read)[known],
        pair=np.unique(pair[known], return_inverse=True)[1].reshape(-1),
        viable={policy: columns[policy][known] for policy in labels.POLICIES},
    )
