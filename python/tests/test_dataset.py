import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from generated import random_columns, write_dataset

from seedsieve_train.data import load_seeds
from seedsieve_train.dataset import first_seeds, packed_seeds, read_manifest, record_batches, sample_names
from seedsieve_train.errors import TrainingError
from seedsieve_train.settings import DataSettings


@pytest.fixture
def small(tmp_path):
    return write_dataset(tmp_path / "set", random_columns(300, seed=4))


def rewrite_part(folder, table, rows=None):
    """Replace the first part and make dataset.json agree with its size, and with `rows` where given."""
    path = folder / "data" / "part-00000.parquet"
    pq.write_table(table, path)
    manifest = json.loads((folder / "dataset.json").read_text())
    manifest["parts"][0] |= {"size": path.stat().st_size, "rows": rows if rows is not None else len(table)}
    (folder / "dataset.json").write_text(json.dumps(manifest))
    return path


def first_part(folder):
    return pq.read_table(folder / "data" / "part-00000.parquet")


def test_windows_come_in_the_order_of_the_rows(dataset, columns):
    expected = [q + r for q, r in zip(columns["query_window"], columns["reference_window"], strict=True)]
    batches = record_batches(read_manifest(dataset), ["reference_window", "query_window"], rows=700)
    assert b"".join(packed_seeds(batch).tobytes() for batch in batches) == b"".join(expected)
    assert first_seeds(dataset, 2_400).tobytes() == b"".join(expected[:2_400])
    assert len(first_seeds(dataset, 10**9)) == len(expected)
    assert sample_names(read_manifest(dataset)) == ["generated"]


def test_windows_of_a_sliced_batch_are_its_own(dataset, columns):
    batch = next(record_batches(read_manifest(dataset), ["query_window", "reference_window"]))
    assert (
        packed_seeds(batch.slice(10, 2))[1].tobytes() == columns["query_window"][11] + columns["reference_window"][11]
    )


def test_loaded_seeds_keep_label_and_window_together(dataset, columns):
    seeds = load_seeds([dataset])
    viable_windows = {
        query + reference
        for query, reference, score in zip(
            columns["query_window"], columns["reference_window"], columns["own_score"], strict=True
        )
        if score >= 30
    }
    total = seeds.left_out
    for part in (seeds.train, seeds.validation, seeds.test):
        assert [row.tobytes() in viable_windows for row in part.packed] == part.viable.tolist()
        total += len(part)
    assert total == len(columns["own_score"]) and seeds.label_threshold == 30


def test_parts_share_no_block(dataset, columns):
    seeds = load_seeds([dataset])
    block_of = {
        query: position // 20_000
        for query, position in zip(columns["query_window"], columns["locus_position"], strict=True)
    }
    blocks = [
        {block_of[row[:64].tobytes()] for row in part.packed} for part in (seeds.train, seeds.validation, seeds.test)
    ]
    assert all(blocks) and not (blocks[0] & blocks[1] or blocks[0] & blocks[2] or blocks[1] & blocks[2])


def test_sampling_keeps_whole_reads_and_depends_on_the_seed(dataset, columns):
    def kept(seed):
        seeds = load_seeds([dataset], DataSettings(max_seeds=1_800), seed=seed)
        return {row[:64].tobytes() for part in (seeds.train, seeds.validation, seeds.test) for row in part.packed}

    first = kept(1)
    assert first == kept(1) and first != kept(2)
    assert 1_200 < len(first) < 2_100
    windows, read_hash = columns["query_window"], columns["read_hash"]
    reads = {read_hash[row] for row in range(len(windows)) if windows[row] in first}
    left_out_or_kept = [windows[row] in first for row in range(len(windows)) if read_hash[row] in reads]
    assert all(left_out_or_kept)


def test_several_data_sets_are_joined(dataset, small):
    assert len(load_seeds([dataset, small]).train) > len(load_seeds([dataset]).train)


def test_a_folder_without_manifest_is_unfinished(small):
    (small / "dataset.json").unlink()
    with pytest.raises(TrainingError, match=r"set: no dataset\.json: .*did not finish; extract the data set again"):
        read_manifest(small)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schema_version": 6}, "schema version 6, written by generated 0; this package reads versions 1 to 5"),
        ({"schema_version": "1"}, "schema version '1'"),
        ({"window": {"size": 64, "upstream": 16, "downstream": 16}}, r"windows of 64/16/16 .* trains on 128/32/32"),
        ({"parts": [{"file": "data/x", "rows": 1}]}, "the key 'size' is missing"),
        ({"parts": 3}, "not what a data set's manifest holds"),
        ({"producer": 3, "schema_version": 9}, "not what a data set's manifest holds"),
    ],
)
def test_a_manifest_of_another_kind_is_refused(tmp_path, changes, message):
    folder = write_dataset(tmp_path / "set", random_columns(30, seed=4), **changes)
    with pytest.raises(TrainingError, match=message):
        read_manifest(folder)


def test_a_manifest_that_is_cut_off_is_located(small):
    (small / "dataset.json").write_text('{"schema_version": 1,\n')
    with pytest.raises(TrainingError, match=r"dataset\.json: not JSON at line 2, column 1"):
        read_manifest(small)


def test_a_missing_part_is_named(small):
    (small / "data" / "part-00001.parquet").unlink()
    with pytest.raises(TrainingError, match=r"part-00001\.parquet: missing, but dataset\.json lists it with 150 rows"):
        read_manifest(small)


def test_a_truncated_part_is_noticed_by_its_size(small):
    path = small / "data" / "part-00000.parquet"
    path.write_bytes(path.read_bytes()[:1_000])
    with pytest.raises(TrainingError, match=r"part-00000\.parquet: 1000 bytes, but dataset\.json says \d+"):
        read_manifest(small)


def test_a_corrupt_part_is_named(small):
    path = small / "data" / "part-00001.parquet"
    path.write_bytes(b"\0" * path.stat().st_size)
    with pytest.raises(TrainingError, match=r"part-00001\.parquet: damaged or not Parquet, after row 0 of 150"):
        load_seeds([small])


def test_damaged_pages_are_named(small):
    path = small / "data" / "part-00000.parquet"
    content = bytearray(path.read_bytes())
    content[4:4_000] = b"\xff" * 3_996
    path.write_bytes(content)
    with pytest.raises(TrainingError, match=r"part-00000\.parquet: damaged or not Parquet"):
        load_seeds([small])


def test_a_missing_column_and_another_type_are_named(small):
    rewrite_part(small, first_part(small).drop_columns(["own_score"]))
    with pytest.raises(TrainingError, match="no column own_score"):
        load_seeds([small])
    table = first_part(small)
    windows = pa.array([b"short"] * len(table), pa.binary(5))
    rewrite_part(small, table.set_column(table.schema.get_field_index("query_window"), "query_window", windows))
    with pytest.raises(
        TrainingError, match=r"query_window is fixed_size_binary\[5\], valid is fixed_size_binary\[64\]"
    ):
        first_seeds(small, 10)


def test_a_null_is_located(small):
    table = first_part(small)
    hashes = table.column("read_hash").to_pylist()
    hashes[17] = None
    field = pa.field("read_hash", pa.uint64())
    rewrite_part(
        small, table.set_column(table.schema.get_field_index("read_hash"), field, pa.array(hashes, pa.uint64()))
    )
    with pytest.raises(TrainingError, match="null in the column read_hash, row 17"):
        load_seeds([small])


def test_another_number_of_rows_is_noticed(small):
    rewrite_part(small, first_part(small), rows=151)
    with pytest.raises(TrainingError, match=r"150 rows, but dataset\.json says 151"):
        load_seeds([small])


def test_data_sets_of_different_thresholds_do_not_mix(dataset, tmp_path):
    other = write_dataset(tmp_path / "set", random_columns(30, seed=4), reporting_threshold=20)
    with pytest.raises(TrainingError, match=r"reporting threshold 20, but .* has 30"):
        load_seeds([dataset, other])


def test_a_part_without_a_class_is_refused_with_a_way_out(tmp_path):
    columns = random_columns(300, seed=4)
    columns["locus_position"] = [10_000] * 300
    folder = write_dataset(tmp_path / "set", columns)
    with pytest.raises(TrainingError, match=r"part holds no viable seed \(of 300 seeds in all.*--block-bases"):
        load_seeds([folder])


def test_an_empty_data_set_is_refused(tmp_path):
    folder = write_dataset(tmp_path / "set", {name: [] for name in random_columns(3, seed=1)}, part_files=1)
    with pytest.raises(TrainingError, match="holds no seeds"):
        first_seeds(folder, 10)
    with pytest.raises(TrainingError, match="holds no seed"):
        load_seeds([folder])
