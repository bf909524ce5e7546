import json

import numpy as np
import pytest
from generated import random_columns, write_dataset

from seedsieve_train.__main__ import main
from seedsieve_train.bootstrap import fpr_intervals
from seedsieve_train.dataset import read_manifest
from seedsieve_train.errors import TrainingError
from seedsieve_train.gate_features import SEED_FACTS, WINDOW_FEATURES, seed_facts, window_features
from seedsieve_train.gate_rows import load_rows
from seedsieve_train.windows import encode_window


def features_of(query: str, reference: str, start: int, length: int) -> dict[str, float]:
    codes = [np.array(["ACGTN".index(base) for base in text], dtype=np.uint8) for text in (query, reference)]
    packed = np.concatenate([encode_window(code, start, length) for code in codes])[None, :]
    row = window_features(packed, np.array([length]))[0]
    return dict(zip(WINDOW_FEATURES, row.tolist(), strict=True))


def test_window_features_look_outwards_from_the_seed():
    seed = "ACGT" * 5
    # Upstream, from the seed outwards: three matches, a mismatch, six matches; then the read ends.
    query = "AAAAAA" + "C" + "GGG" + seed + "TT" + "A" * 3
    reference = "AAAAAA" + "T" + "GGG" + seed + "TT" + "C" * 3
    found = features_of(query, reference, 10, 20)
    assert found["seed bases shown"] == 20
    upstream = {"bases": 10, "mismatches": 1, "matches in a row": 3, "best score": 3 - 4 + 6}
    downstream = {"bases": 5, "mismatches": 3, "matches in a row": 2, "best score": 2}
    for side, expected in (("upstream", upstream), ("downstream", downstream)):
        assert {key: found[f"{key} {side}"] for key in expected} == expected
    strong = sum(base in "CG" for base in reference)
    assert found["share of G and C"] == pytest.approx(strong / len(reference))


def test_window_features_of_a_long_seed_and_of_n():
    seed = "ACGTT" * 18
    found = features_of("N" + seed + "GG", "A" + seed + "GC", 1, 90)
    assert found["seed bases shown"] == 64
    assert (found["bases upstream"], found["matches in a row upstream"]) == (0, 0)
    assert (found["bases downstream"], found["mismatches downstream"], found["best score downstream"]) == (2, 1, 1)


def test_seed_facts_know_the_other_seeds_of_the_read():
    columns = {
        "length": np.array([20, 30, 19], dtype=np.uint16),
        "ungapped_score": np.array([25, 60, 19], dtype=np.int32),
        "occurrences": np.array([7, 1, 500], dtype=np.uint32),
        "query_start": np.array([5, 50, 0], dtype=np.uint16),
        "read_length": np.array([100, 100, 19], dtype=np.uint16),
    }
    found = seed_facts(columns, np.array([0, 0, 1]))
    assert found.shape == (3, len(SEED_FACTS))
    assert found[0].tolist() == [20, 25, 7, 5, 75, 2, 60, 35, 30]
    assert found[2].tolist() == [19, 19, 500, 0, 0, 1, 19, 0, 19]


def test_intervals_hold_the_true_rate_about_as_often_as_they_say():
    random = np.random.default_rng(4)
    # Scores of viable seeds above 0.5 in 9 of 10, of hopeless ones in 2 of 10: at a TPR of 90 % the FPR is 20 %.
    inside = 0
    for trial in range(60):
        viable = random.random(600) < 0.5
        high = np.where(viable, np.arange(600) % 10 != 0, random.random(600) < 0.2)
        interval = fpr_intervals(high.astype(float), viable, np.arange(600), [0.8], 100, trial)[0]
        assert interval.low <= interval.value <= interval.high
        inside += interval.low <= 0.2 <= interval.high
    assert inside >= 50


def test_seeds_of_one_read_are_drawn_together():
    random = np.random.default_rng(5)
    read = np.arange(600) // 20
    viable = read % 2 == 0
    scores = np.where(viable, 1.0, random.random(30)[read] > 0.5)
    together = fpr_intervals(scores, viable, read, [0.99], 200, 1)[0]
    alone = fpr_intervals(scores, viable, np.arange(600), [0.99], 200, 1)[0]
    assert together.high - together.low > 2 * (alone.high - alone.low)
    assert fpr_intervals(scores, viable, read, [0.99], 200, 1)[0] == together


@pytest.fixture(scope="module")
def two_sets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    return [write_dataset(folder / name, random_columns(2_400, seed)) for name, seed in (("first", 1), ("second", 2))]


def test_rows_are_those_of_the_part_and_whole_reads(two_sets):
    manifests = [read_manifest(directory) for directory in two_sets]
    parts = {part: load_rows(manifests, part, None, 1) for part in ("train", "validation", "test")}
    assert 0.7 * 4_800 < len(parts["train"]) < 0.9 * 4_800
    assert sum(map(len, parts.values())) <= 4_800
    assert len(parts["train"].packed) == 0
    test = load_rows(manifests, "test", None, 1, with_windows=True)
    assert test.packed.shape == (len(test), 128)
    # The data sets share the names of their reads, which are different reads all the same.
    assert np.bincount(parts["train"].pair).max() == 3
    fewer = load_rows(manifests, "train", 1_000, 1)
    assert 600 < len(fewer) < 1_400 and np.bincount(fewer.pair).min() == 3


def test_baselines_find_the_planted_rule_and_write_both_tables(two_sets, tmp_path, capsys):
    pytest.importorskip("sklearn")
    arguments = ["baselines", "--data", str(two_sets[0]), "--test-data", str(two_sets[1]), "--out", str(tmp_path)]
    assert main([*arguments, "--resamples", "30", "--threads", "1"]) == 0
    result = json.loads((tmp_path / "baselines.json").read_text())
    figures = result["policies"]["own-extension"]
    assert figures["viable"] + figures["hopeless"] == len(load_rows([read_manifest(two_sets[1])], "test", None, 1))
    # Planted: the reference's bases tell; length and ungapped score do not.
    scorers = figures["scorers"]
    assert scorers["trees on the windows"]["auc"] > 0.95 and scorers["trees on all seed facts"]["auc"] > 0.95
    assert abs(scorers["ungapped score"]["auc"] - 0.5) < 0.15 and abs(scorers["seed length"]["auc"] - 0.5) < 0.15
    rates = [scorers["ungapped score"]["fpr_at_tpr"][target] for target in ("0.95", "0.99", "0.999")]
    assert all(rate["low"] <= rate["value"] <= rate["high"] for rate in rates)
    # No seed of the generated data has a region.
    assert result["policies"]["contributed"] == {
        "viable": 0,
        "hopeless": figures["viable"] + figures["hopeless"],
        "scorers": {},
    }
    table = (tmp_path / "baselines.md").read_text()
    assert table.count("| trees on all seed facts |") == 2 and "one class only: no figures" in table
    assert table in capsys.readouterr().out


def test_unusable_data_is_named(two_sets, tmp_path):
    with pytest.raises(TrainingError, match="the test part holds no seeds of"):
        load_rows([read_manifest(two_sets[0])], "test", 1, 1)
    other = write_dataset(tmp_path / "other", random_columns(300, 3), reporting_threshold=40)
    assert main(["baselines", "--data", str(two_sets[0]), "--test-data", str(other), "--out", str(tmp_path)]) == 1
