import numpy as np
import pyarrow as pa
import pytest
from generated import random_columns, with_masks, write_dataset

from seedsieve_train.data import load_seeds
from seedsieve_train.dataset import read_manifest
from seedsieve_train.errors import TrainingError
from seedsieve_train.settings import DataSettings
from seedsieve_train.splits import (
    BLOCK_BASES,
    CLUSTER_BASES,
    LEFT_OUT,
    MARGIN_BASES,
    PARTS,
    check_held_out,
    clusters,
    hash_of_name,
    part_of_block,
    part_of_hash,
    part_of_locus,
    parts,
    without_held_out,
)
from seedsieve_train.streaming import row_groups, train_rows
from seedsieve_train.student.rows import student_rows

CHR21 = np.array([hash_of_name("chr21")], dtype=np.uint64)


def rows(contigs, positions, hashes=None):
    hashes = hashes if hashes is not None else [7] * len(contigs)
    return pa.record_batch(
        {
            "read_hash": pa.array(hashes, pa.uint64()),
            "locus_contig": pa.array(contigs, pa.string()),
            "locus_position": pa.array(positions, pa.uint32()),
        }
    )


def test_shares_are_80_10_10():
    parts_of_blocks = part_of_block(CHR21, np.arange(100_000))
    assert np.abs(np.bincount(parts_of_blocks) / 100_000 - [0.8, 0.1, 0.1]).max() < 0.005


def test_parts_are_fixed():
    # A change here moves seeds between the parts of models that were trained before.
    hashes = np.array([0, 2**63, 15 * 10**18, 16 * 10**18, 2**64 - 1], np.uint64)
    assert part_of_hash(hashes).tolist() == [0, 0, 1, 1, 2]
    assert np.flatnonzero(part_of_block(CHR21, np.arange(40)) == 1).tolist() == [12, 21]
    assert np.flatnonzero(part_of_block(CHR21, np.arange(40)) == 2).tolist() == [10, 14, 18, 23]


def test_different_parts_are_never_within_the_margin_of_each_other():
    positions = np.arange(0, 3_000_000, 100)
    part = part_of_locus(CHR21, positions)
    assert set(part) == {0, 1, 2, LEFT_OUT}
    for number in range(len(PARTS)):
        own = positions[part == number]
        others = positions[(part != number) & (part != LEFT_OUT)]
        nearest = np.abs(own - others[np.searchsorted(others, own).clip(0, len(others) - 1)])
        assert nearest.min() >= 2 * MARGIN_BASES


def test_nothing_is_left_out_inside_a_block_or_between_equal_parts():
    blocks = part_of_block(CHR21, np.arange(50))
    equal = np.flatnonzero(blocks[1:] == blocks[:-1])[0]
    boundary = (equal + 1) * BLOCK_BASES
    assert (part_of_locus(CHR21, np.arange(boundary - 900, boundary + 900)) == blocks[equal]).all()
    middle = np.arange(50) * BLOCK_BASES + BLOCK_BASES // 2
    assert (part_of_locus(CHR21, middle) == blocks).all()


def test_rows_without_a_locus_go_by_the_name_of_the_read():
    hashes = np.random.default_rng(1).integers(0, 2**64, 1_000, dtype=np.uint64)
    part = parts(rows([None] * 1_000, [None] * 1_000, hashes))
    assert set(part) == {0, 1, 2}
    assert (part == parts(rows([None] * 1_000, [None] * 1_000, hashes))).all()


def test_rows_with_a_locus_do_not_depend_on_the_read_or_on_other_rows():
    many = parts(rows(["chr22", "chr21", None, "chr21"], [90_000, 510_000, None, 90_000], [1, 2, 3, 4]))
    for contig, position, part in (("chr22", 90_000, many[0]), ("chr21", 510_000, many[1]), ("chr21", 90_000, many[3])):
        assert parts(rows([contig], [position], [99]))[0] == part
        assert part == part_of_locus(np.array([hash_of_name(contig)], np.uint64), np.array([position]))[0]


def test_contigs_are_divided_differently():
    names = np.array([hash_of_name(f"chr{n}") for n in range(200)], dtype=np.uint64)
    assert set(part_of_locus(names, np.full(200, 10_000))) == {0, 1, 2}


def test_places_hold_pairs_whoever_they_come_from():
    contigs = [None, "chr1", "chr1", "chr1", "chr2", None, None, "chr1"]
    positions = [None, 5_100, 99_000, 5_900, 5_100, None, None, 5_000 + CLUSTER_BASES]
    found = clusters(rows(contigs, positions, [1, 1, 1, 2, 3, 4, 4, 5]))
    # A pair has the place of its first row that has one; pair 2 lies there, too; pair 4 stands for itself.
    assert len(set(found[:4].tolist())) == 1 and found[5] == found[6]
    assert len({int(found[row]) for row in (0, 4, 5, 7)}) == 4
    assert len(set(clusters(rows([None, None], [None, None], [8, 9])).tolist())) == 2


def test_held_out_samples_are_tested_on_and_others_learnt_from():
    part = np.array([0, 1, 2, LEFT_OUT] * 2, dtype=np.int8)
    sample = pa.array(["a"] * 4 + ["b"] * 4)
    assert without_held_out(part, sample, ["b"]).tolist() == [0, 1, LEFT_OUT, LEFT_OUT, LEFT_OUT, LEFT_OUT, 2, LEFT_OUT]
    assert without_held_out(part, sample, []) is part
    with pytest.raises(TrainingError, match="held-out sample 'c': the data hold a, b"):
        check_held_out(["c"], {"b", "a"})
    with pytest.raises(TrainingError, match="none is left to learn from"):
        check_held_out(["a", "b"], {"a", "b"})


@pytest.mark.parametrize("placement", ["memory", "stream"])
def test_people_are_held_out_of_the_network_s_training(tmp_path, placement):
    folder = two_people(tmp_path)
    whole = load_seeds([folder], DataSettings(placement=placement))
    held = load_seeds([folder], DataSettings(placement=placement, held_out_samples="second, "))
    for name in PARTS:
        assert 0 < sum(held.counts[name].values()) < sum(whole.counts[name].values())
    assert held.left_out > whole.left_out and held.used == whole.used
    if placement == "stream":
        groups = row_groups(held.manifests)
        learnt = sum(len(train_rows(group, held.selection)[1]) for group in groups)
        assert learnt == sum(held.counts["train"].values())


def test_people_are_held_out_of_the_student_s_training(tmp_path):
    manifest = read_manifest(two_people(tmp_path))
    rows = student_rows(manifest)
    held = student_rows(manifest, held_out=["second"])
    of_second = np.arange(len(rows)) % 2 == 1
    test = PARTS.index("test")
    assert (held.part[of_second & (rows.part == test)] == test).all() and (rows.part == test).sum() > 10
    assert (held.part[of_second & (rows.part != test)] == LEFT_OUT).all()
    assert (held.part[~of_second & (rows.part != test)] == rows.part[~of_second & (rows.part != test)]).all()
    assert (held.part[~of_second & (rows.part == test)] == LEFT_OUT).all()


def two_people(tmp_path):
    """Seeds of two people at the same places."""
    columns = with_masks(random_columns(3_600, seed=11))
    columns["sample"] = ["first", "second"] * 1_800
    return write_dataset(tmp_path / "set", columns, schema_version=5)
