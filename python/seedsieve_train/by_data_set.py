"""What each data set is, and how well its held-out seeds are told apart: one network over many data sets hides that."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .baselines import baseline_scores
from .data import DividedSeeds
from .dataset import sample_names
from .metrics import rates_at, summary


def data_set_names(directories: Sequence[Path]) -> list[str]:
    """Names of the data sets' folders; whole paths where two folders have the same name."""
    names = [directory.resolve().name for directory in directories]
    return names if len(set(names)) == len(names) else [str(directory) for directory in directories]


def by_data_set(name: str, seeds: DividedSeeds, scores: np.ndarray, threshold: float) -> dict[str, dict[str, Any]]:
    """Facts and figures of each data set, by its name, with the keys of the metrics file.

    Args:
        name: the model's name.
        seeds: the divided data.
        scores: float32[n] of the test part by the network.
        threshold: decision threshold.

    Returns:
        For each data set what its dataset.json says, and in `test` the number of its held-out seeds, the share that is
        viable, AUC and FPR of network and baselines, and TPR and FPR at the threshold. The figures are null where its
        held-out seeds are not of both classes.

    Raises:
        TrainingError: as `dataset.record_batches`.
    """
    scorers = {name: scores, **baseline_scores(seeds.test)}
    names = data_set_names([manifest.directory for manifest in seeds.manifests])
    result = {}
    for number, (manifest, main_blocks) in enumerate(zip(seeds.manifests, seeds.main_blocks, strict=True)):
        rows = seeds.test.data_set == number
        result[names[number]] = {
            "samples": sample_names(manifest),
            "inputs": [{"kind": file.kind, "name": file.name, "size": file.size} for file in manifest.inputs],
            "min_seed_length": manifest.min_seed_length,
            "reporting_threshold": manifest.reporting_threshold,
            "reads": manifest.reads,
            "seeds": manifest.seeds,
            "main_blocks": main_blocks,
            "test": _test_figures({name: of_all[rows] for name, of_all in scorers.items()}, seeds.test.viable[rows])
            | {"at_threshold": _rates(scores[rows], seeds.test.viable[rows], threshold)},
        }
    return result


def _test_figures(scorers: dict[str, np.ndarray], viable: np.ndarray) -> dict[str, Any]:
    figures: dict[str, Any] = {
        "seeds": len(viable),
        "viable": float(viable.mean()) if len(viable) else None,
        "scorers": None,
    }
    if _both_classes(viable):
        summaries = {name: summary(scores, viable) for name, scores in scorers.items()}
        figures["scorers"] = {name: {key: row[key] for key in ("auc", "fpr_at_tpr")} for name, row in summaries.items()}
    return figures


def _rates(scores: np.ndarray, viable: np.ndarray, threshold: float) -> dict[str, float] | None:
    return rates_at(scores, viable, threshold) if _both_classes(viable) else None


def _both_classes(viable: np.ndarray) -> bool:
    return bool(viable.any() and not viable.all())
