import numpy as np
import pyarrow as pa
import pytest
from generated import random_columns, write_dataset

from seedsieve_train import labels
from seedsieve_train.data import Selection, load_seeds
from seedsieve_train.dataset import read_manifest, record_batches
from seedsieve_train.errors import TrainingError
from seedsieve_train.evaluation.rows import evaluation_rows
from seedsieve_train.gate_rows import load_rows
from seedsieve_train.own_extensions import OwnExtensions

SMALL, LARGE = 2**60, 2**64 - 1
"""Hashes of a read that a tenth of all holds, and of one that it does not."""
BATCH = pa.record_batch(
    {
        "read_hash": pa.array([SMALL, LARGE, LARGE, SMALL], pa.uint64()),
        "chain_kept": [False, True, False, True],
    }
)


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        (None, [True, True, True, True]),
        (1, [True, True, True, True]),
        (0.1, [True, False, False, True]),
        (0, [False, False, False, False]),
        ("kept", [False, True, False, True]),
        ("sample:0.1", [True, True, False, True]),
    ],
)
def test_rows_whose_own_extension_is_known(stated, expected):
    own = OwnExtensions.stated_in({} if stated is None else {"own_extensions": stated})
    assert own.known(BATCH).tolist() == expected


@pytest.mark.parametrize("stated", ["most", "0.1", "sample", "sample:2", -1, None, [1]])
def test_what_is_not_valid_is_refused(stated):
    with pytest.raises(ValueError, match="valid are a share from 0 to 1"):
        OwnExtensions.stated_in({"own_extensions": stated})


def sampled_dataset(folder, stated):
    """About half of the rows are in kept chains."""
    columns = random_columns(6_000, seed=5)
    columns["chain_kept"] = np.random.default_rng(3).random(6_000).__lt__(0.5).tolist()
    return write_dataset(folder, columns, settings={"own_extensions": stated})


@pytest.mark.parametrize("stated", ["kept", 0.5, "sample:0.2"])
def test_only_rows_whose_label_is_known_are_trained_on_and_evaluated(tmp_path, stated):
    manifest = read_manifest(sampled_dataset(tmp_path / "seeds", stated))
    whole = read_manifest(write_dataset(tmp_path / "whole", random_columns(6_000, seed=5)))
    batch = pa.Table.from_batches(record_batches(manifest, labels.COLUMNS)).combine_chunks().to_batches()[0]
    known = labels.known(batch, "near-best", manifest)
    assert 0.1 * len(known) < known.sum() < 0.9 * len(known)
    assert labels.known(batch, "contributed", manifest).all()

    divided = load_seeds([manifest.directory])
    assert divided.used == known.sum()
    rows = evaluation_rows(manifest, None)
    assert len(rows) == known.sum()
    # The facts that compare a seed with its read's others are over all of them.
    of_all = evaluation_rows(whole, None)
    assert (rows.seed_facts == of_all.seed_facts[known]).all()
    gate = [load_rows([read], "train", None, 1) for read in (manifest, whole)]
    assert len(gate[0]) < len(gate[1])
    assert set(map(tuple, gate[0].seed_facts)) <= set(map(tuple, gate[1].seed_facts))


def test_where_no_label_is_known_it_is_said_what_to_do(tmp_path):
    manifest = read_manifest(sampled_dataset(tmp_path / "seeds", 0))
    with pytest.raises(TrainingError, match=r"no labels under own-extension; .* --own-extensions all, kept or sample"):
        load_seeds([manifest.directory])
    batch = next(
        record_batches(
            manifest,
            (
                "query_window",
                "reference_window",
                *labels.COLUMNS,
                "length",
                "ungapped_score",
                "locus_contig",
                "locus_position",
            ),
        )
    )
    assert len(Selection("contributed").labelled(batch, manifest, 0)[0]) == batch.num_rows


def test_a_manifest_with_another_setting_is_refused(tmp_path):
    with pytest.raises(TrainingError, match=r"own_extensions is 'most'; valid are"):
        read_manifest(sampled_dataset(tmp_path / "seeds", "most"))
