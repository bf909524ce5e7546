"""Labelled seeds as arrays."""

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np


@dataclass(frozen=True)
class Seeds:
    """Labelled seeds, row by row."""

    packed: np.ndarray
    """uint8[n, 128]: packed windows."""
    viable: np.ndarray
    """bool[n]."""
    length: np.ndarray
    """int32[n]: bases of the seed."""
    ungapped_score: np.ndarray
    """int32[n]: best score of an ungapped extension to both ends, the seed included."""
    data_set: np.ndarray
    """int32[n]: number of the data set, 0-based, in the order of the folders."""
    place: np.ndarray
    """uint64[n]: seeds with the same number are not independent, see `splits.clusters`."""

    def __len__(self) -> int:
        return len(self.viable)

    def take(self, rows: np.ndarray | slice) -> "Seeds":
        """The rows of an index or mask."""
        return Seeds(*(getattr(self, field.name)[rows] for field in fields(self)))

    def counts(self) -> dict[str, int]:
        """Numbers of viable and hopeless seeds."""
        number_viable = int(self.viable.sum())
        return {"viable": number_viable, "hopeless": len(self) - number_viable}

    @staticmethod
    def concatenated(pieces: Iterable["Seeds"]) -> "Seeds":
        """All rows of the pieces, in their order; at least one piece."""
        pieces = list(pieces)
        return Seeds(*(np.concatenate([getattr(piece, field.name) for piece in pieces]) for field in fields(Seeds)))
