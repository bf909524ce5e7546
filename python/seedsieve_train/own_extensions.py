"""Of which seeds a data set has the own extension for certain (`extract-seeds --own-extensions`)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

COLUMNS = ("read_hash", "chain_kept")
"""Columns that tell."""
_SETTING = "own_extensions"
_KEPT = "kept"
_SAMPLE = "sample:"


@dataclass(frozen=True)
class OwnExtensions:
    """A share of the reads, and where `kept_chains` the seeds of chains that the chain filter keeps of the others."""

    part: float = 1.0
    kept_chains: bool = False

    @staticmethod
    def stated_in(settings: Mapping[str, object]) -> "OwnExtensions":
        """What the settings of dataset.json state; all seeds where they state nothing.

        Raises:
            ValueError: if the value is not valid.
        """
        stated = settings.get(_SETTING, 1.0)
        if stated == _KEPT:
            return OwnExtensions(0.0, kept_chains=True)
        sampled = isinstance(stated, str) and stated.startswith(_SAMPLE)
        try:
            part = float(stated.removeprefix(_SAMPLE) if sampled else stated)
        except (TypeError, ValueError):
            part = np.nan
        if not 0 <= part <= 1 or (isinstance(stated, str) and not sampled):
            raise ValueError(
                f"settings.{_SETTING} is {stated!r}; valid are a share from 0 to 1, {_KEPT!r}, '{_SAMPLE}SHARE'"
            )
        return OwnExtensions(part, kept_chains=sampled)

    @property
    def of_none(self) -> bool:
        """Whether there is no seed of which it is known for certain."""
        return self.part == 0 and not self.kept_chains

    def known(self, batch: pa.RecordBatch) -> np.ndarray:
        """Of which rows of a batch with `COLUMNS`: bool[rows].

        Of others it may be known by chance, but those are the ones that are easy to extend: they do not stand for all.
        """
        if self.part >= 1:
            return np.ones(batch.num_rows, dtype=bool)
        known = batch.column("read_hash").to_numpy().astype(np.float64) < self.part * 2.0**64
        if self.kept_chains:
            known |= batch.column("chain_kept").to_numpy(zero_copy_only=False)
        return known


ALL = OwnExtensions()
"""Of every seed."""
