"""Label policies: what of a seed's recorded fate makes it viable (docs/architecture/data-flow.md)."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .dataset import EXTRACT_AGAIN, Manifest
from .errors import TrainingError
from .own_extensions import COLUMNS as OWN_COLUMNS

POLICIES = ("own-extension", "near-best", "contributed")
NEAR_BEST = 20
"""Score below the read's best at which a seed can no longer be the runner-up that MAPQ needs."""
COLUMNS = ("own_score", "read_best", "region_score", "role", *OWN_COLUMNS)
"""Columns that the policies look at."""
WITHOUT_OWN_EXTENSION = ("contributed",)
"""Policies that do not look at the seed's own extension."""


def known(batch: pa.RecordBatch, policy: str, manifest: Manifest) -> np.ndarray:
    """Of which rows of a batch with `COLUMNS` the data set can tell the label: bool[rows].

    Raises:
        TrainingError: if it is of none.
    """
    if policy in WITHOUT_OWN_EXTENSION:
        return np.ones(batch.num_rows, dtype=bool)
    if manifest.own_extensions.of_none:
        raise TrainingError(
            f"{manifest.directory}: has the own extensions of the seeds that the aligner extends alone, and so no "
            f"labels under {policy}; {EXTRACT_AGAIN} and --own-extensions all, kept or sample"
        )
    return manifest.own_extensions.known(batch)


def viable(batch: pa.RecordBatch, policy: str, threshold: int) -> np.ndarray:
    """Label each row of a batch.

    Args:
        batch: rows with `COLUMNS`; of those that are not `known` the label is a guess.
        policy: one of `POLICIES`.
        threshold: T, the aligner's reporting threshold.

    Returns:
        bool[rows].

    Raises:
        ValueError: if the policy is unknown.
    """
    if policy == "contributed":
        # No region: a score that reaches no threshold.
        region_score = pc.fill_null(batch.column("region_score"), np.iinfo(np.int32).min).to_numpy()
        in_region = pc.not_equal(batch.column("role"), "none").to_numpy(zero_copy_only=False)
        return (region_score >= threshold) & in_region
    own_score = batch.column("own_score").to_numpy()
    if policy == "own-extension":
        return own_score >= threshold
    if policy == "near-best":
        return (own_score >= threshold) & (own_score >= batch.column("read_best").to_numpy() - NEAR_BEST)
    raise ValueError(f"label policy {policy!r}; valid are {', '.join(POLICIES)}")
