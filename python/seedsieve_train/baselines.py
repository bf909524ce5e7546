"""What a network has to beat: one number that the aligner knows of each seed anyway."""

import numpy as np

from .seeds import Seeds


def baseline_scores(seeds: Seeds) -> dict[str, np.ndarray]:
    """Scores float64[n] of each baseline by name; higher means viable."""
    return {
        "seed length": seeds.length.astype(np.float64),
        "ungapped score": seeds.ungapped_score.astype(np.float64),
    }
