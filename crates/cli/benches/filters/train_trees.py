"""Trains the trees of `cargo xtask bench filters`: train_trees.py OUTPUT.json DATA_SET...

Label: the seed's own extension reaches 30. Features: those of `trees.rs`, in its order.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pyarrow.dataset
from sklearn.ensemble import HistGradientBoostingClassifier

COLUMNS = ["read_hash", "mate", "read_length", "query_start", "length", "occurrences", "ungapped_score", "own_score"]
REPORTED = 30


def rows(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Features float32[n, 7] and labels bool[n] of a data set."""
    table = pyarrow.dataset.dataset(folder / "data").to_table(columns=COLUMNS)
    column = {name: table[name].to_numpy() for name in COLUMNS}
    keys = column["read_hash"] * np.uint64(3) + column["mate"].astype(np.uint64)
    _, read, seeds = np.unique(keys, return_inverse=True, return_counts=True)
    own = column["ungapped_score"].astype(np.int64)
    best = np.zeros(len(seeds), dtype=np.int64)
    np.maximum.at(best, read, own)
    start, length, bases = (column[name].astype(np.int64) for name in ("query_start", "length", "read_length"))
    features = np.stack(
        [
            own,
            length,
            column["occurrences"],
            best[read] - own,
            np.minimum(start, bases - start - length),
            seeds[read],
            bases,
        ],
        axis=1,
    )
    return features.astype(np.float32), column["own_score"] >= REPORTED


def main() -> None:
    """Writes the trees as nodes."""
    output, folders = Path(sys.argv[1]), [Path(folder) for folder in sys.argv[2:]]
    parts = [rows(folder) for folder in folders]
    features = np.concatenate([part[0] for part in parts])
    labels = np.concatenate([part[1] for part in parts])
    model = HistGradientBoostingClassifier(max_iter=40, max_leaf_nodes=15, early_stopping=False, random_state=1)
    model.fit(features, labels)
    trees = [
        [
            {
                "feature": -1 if node["is_leaf"] else int(node["feature_idx"]),
                "threshold": float(min(node["num_threshold"], 3e38)),
                "left": int(node["left"]),
                "right": int(node["right"]),
                "value": float(node["value"]),
            }
            for node in predictor[0].nodes
        ]
        for predictor in model._predictors
    ]
    baseline = float(np.ravel(model._baseline_prediction)[0])
    output.write_text(json.dumps({"baseline": baseline, "trees": trees}))
    kept = model.decision_function(features)
    for cut in (-4, -1):
        viable, hopeless = (kept[labels] >= cut).mean(), (kept[~labels] >= cut).mean()
        print(f"trees at {cut}: keep {viable:.4f} of the viable training seeds, {hopeless:.4f} of the hopeless ones")


if __name__ == "__main__":
    main()
