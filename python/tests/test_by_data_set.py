import json

import numpy as np
import pytest
from generated import random_columns, write_dataset

from seedsieve_train.__main__ import main
from seedsieve_train.by_data_set import by_data_set, data_set_names
from seedsieve_train.data import load_seeds
from seedsieve_train.metrics import rates_at, summary

INPUTS = [
    {"kind": "reads", "name": "b.bam", "size": 7, "sha256": "00"},
    {"kind": "reference", "name": "part.fa", "size": 24_300_000, "sha256": "00"},
]


@pytest.fixture(scope="module")
def two(dataset, tmp_path_factory):
    """The generated data set, and one of another person at few places with a longer least seed."""
    columns = random_columns(1_200, seed=12)
    columns["sample"] = ["second"] * 1_200
    places = (np.arange(1_200) // 3 * 900).tolist()
    columns["locus_position"] = places
    folder = tmp_path_factory.mktemp("second") / "other"
    write_dataset(folder, columns, inputs=INPUTS, settings={"min_seed_length": 17})
    return [dataset, folder]


@pytest.fixture(scope="module")
def seeds(two):
    return load_seeds(two)


def test_figures_of_a_data_set_are_those_of_its_held_out_seeds(two, seeds):
    scores = np.random.default_rng(1).random(len(seeds.test), dtype=np.float32)
    result = by_data_set("net", seeds, scores, 0.4)
    assert list(result) == ["set", "other"]
    assert sum(facts["test"]["seeds"] for facts in result.values()) == len(seeds.test)
    alone = load_seeds(two[1:]).test
    rows = seeds.test.data_set == 1
    assert np.array_equal(seeds.test.packed[rows], alone.packed)
    test = result["other"]["test"]
    assert (test["seeds"], test["viable"]) == (len(alone), alone.viable.mean())
    assert list(test["scorers"]) == ["net", "seed length", "ungapped score"]
    assert test["scorers"]["net"]["auc"] == summary(scores[rows], alone.viable)["auc"]
    assert test["scorers"]["seed length"]["fpr_at_tpr"] == summary(alone.length, alone.viable)["fpr_at_tpr"]
    assert test["at_threshold"] == rates_at(scores[rows], alone.viable, 0.4)
    assert (result["other"]["samples"], result["other"]["min_seed_length"]) == (["second"], 17)
    assert result["set"]["min_seed_length"] is None


def test_main_blocks_are_the_fewest_that_hold_nine_tenths(seeds):
    # 360,000 bases are 18 blocks, evenly filled; the first set is spread over 4 million bases.
    assert seeds.main_blocks[1] == 17
    assert seeds.main_blocks[0] > 100


def test_a_data_set_without_both_classes_has_no_figures(seeds):
    only_viable = np.where(seeds.test.data_set == 1, seeds.test.viable, True)
    kept = seeds.test.take(seeds.test.viable == only_viable)
    result = by_data_set("net", type(seeds)(**(vars(seeds) | {"test": kept})), np.ones(len(kept), np.float32), 0.4)
    test = result["set"]["test"]
    assert test["seeds"] > 0 and test["viable"] == 1.0
    assert test["scorers"] is None and test["at_threshold"] is None
    assert result["other"]["test"]["scorers"] is not None


def test_folders_of_one_name_are_told_apart(tmp_path):
    assert data_set_names([tmp_path / "a", tmp_path / "b"]) == ["a", "b"]
    same = [tmp_path / "x" / "a", tmp_path / "y" / "a"]
    assert data_set_names(same) == [str(path) for path in same]


def test_metrics_and_card_say_what_each_data_set_is(two, tmp_path):
    folders = [argument for folder in two for argument in ("--data", str(folder))]
    common = ["--out", str(tmp_path), "--name", "net", "--epochs", "1", "--threads", "1", "--device", "cpu"]
    assert main(["train", *folders, *common]) == 0
    figures = json.loads((tmp_path / "net.metrics.json").read_text())
    assert figures["device"] == "cpu" and list(figures["by_data_set"]) == ["set", "other"]
    card = (tmp_path / "net.md").read_text()
    assert "device cpu" in card and "The same command gives the same network" in card
    assert "| other | second | b.bam | part.fa | 17 | 400 | 1,200 | 17 |" in card
    assert "| set | generated | generated.bam | not stated | not stated |" in card
    auc = figures["by_data_set"]["other"]["test"]["scorers"]["ungapped score"]["auc"]
    assert f"| ungapped score | {auc:.4f} |" in card.split("### By data set")[1]
    for words in ("part.fa (about 24 Mb)", "other 340 kb", "none: generated, second"):
        assert words in card.split("do not show")[1]
