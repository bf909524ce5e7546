import numpy as np
import pytest
import torch

from seedsieve_train.data import load_seeds
from seedsieve_train.distributed import Share
from seedsieve_train.errors import TrainingError
from seedsieve_train.metrics import roc
from seedsieve_train.placement import HostSeeds, score_packed
from seedsieve_train.settings import DataSettings, TrainingSettings
from seedsieve_train.streaming import StreamedSeeds
from seedsieve_train.train import train_placed
from seedsieve_train.windows import expand_one_hot

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def divided(dataset):
    return load_seeds([dataset], DataSettings(placement="stream"))


@pytest.fixture(scope="module")
def in_memory(dataset):
    return load_seeds([dataset])


def rows_of(batches):
    return [row.tobytes() for batch in batches for row in batch.contexts.numpy().astype(np.uint8)]


def streamed(divided, seed=1, buffer_seeds=700, threads=2):
    return StreamedSeeds(divided, seed, CPU, torch.float32, buffer_seeds, threads)


def test_an_epoch_holds_every_training_seed_once(divided, in_memory):
    assert divided.train is None and divided.counts == in_memory.counts
    expected = sorted(row.tobytes() for row in expand_one_hot(in_memory.train.packed).astype(np.uint8))
    batches = list(streamed(divided).batches(1, 128))
    assert sorted(rows_of(batches)) == expected
    assert [len(batch.labels) for batch in batches][:-1] == [128] * (len(batches) - 1)
    assert sum(batch.labels.sum() for batch in batches) == divided.counts["train"]["viable"]
    weights = torch.cat([batch.weights for batch in batches])
    assert weights.mean() == pytest.approx(1, abs=1e-4)


def test_the_order_depends_on_seed_and_epoch_alone(divided):
    first = rows_of(streamed(divided).batches(1, 128))
    assert first == rows_of(streamed(divided, threads=1).batches(1, 128))
    assert first != rows_of(streamed(divided).batches(2, 128))
    assert first != rows_of(streamed(divided, seed=2).batches(1, 128))


def test_seeds_of_a_buffer_are_shuffled_together(divided, in_memory):
    # Six row groups of 500 rows in two files: with a buffer of all, a batch has seeds of every one.
    place = {row.tobytes(): n for n, row in enumerate(expand_one_hot(in_memory.train.packed).astype(np.uint8))}
    batch = next(iter(streamed(divided, buffer_seeds=10_000).batches(1, 256)))
    places = [place[row] for row in rows_of([batch])]
    assert len({place * 6 // len(in_memory.train) for place in places}) == 6


def test_processes_share_the_row_groups_and_make_as_many_steps(divided):
    steps = -(-len(streamed(divided)) // 256)
    shares = [list(streamed(divided).batches(1, 256, Share(rank, 2))) for rank in range(2)]
    assert [len(batches) for batches in shares] == [steps, steps]
    first, second = (set(rows_of(batches)) for batches in shares)
    assert not first & second and len(first | second) > 0.7 * len(streamed(divided))


def test_more_processes_than_row_groups_are_refused(divided):
    with pytest.raises(TrainingError, match=r"99 processes, but only \d+ row groups: start fewer"):
        list(streamed(divided).batches(1, 256, Share(98, 99)))


def test_a_streamed_training_learns(divided):
    settings = TrainingSettings(epochs=3, batch_size=128)
    training = train_placed(streamed(divided), HostSeeds(divided.validation, 1), settings)
    assert roc(score_packed(training.network, divided.test.packed), divided.test.viable).auc > 0.9


def test_large_evaluation_parts_are_sampled(dataset, in_memory):
    few = load_seeds([dataset], DataSettings(evaluation_seeds=180))
    assert few.counts == in_memory.counts and len(few.train) == len(in_memory.train)
    assert 60 < len(few.test) < 0.8 * len(in_memory.test)


def test_a_file_that_goes_bad_is_named(dataset, divided, monkeypatch):
    monkeypatch.setattr("seedsieve_train.streaming.pq.ParquetFile", lambda _: (_ for _ in ()).throw(OSError("gone")))
    with pytest.raises(TrainingError, match=r"part-0000\d\.parquet: damaged or not Parquet: gone"):
        list(streamed(divided).batches(1, 256))
