import numpy as np
import pytest
import torch

from seedsieve_train.data import load_seeds
from seedsieve_train.device import chosen_device, device_words
from seedsieve_train.errors import TrainingError
from seedsieve_train.model import SeedViabilityNetwork
from seedsieve_train.placement import HostSeeds, ResidentSeeds
from seedsieve_train.train import TrainingSettings, train, train_placed

CPU = torch.device("cpu")
SETTINGS = TrainingSettings(epochs=2, seed=1, batch_size=256)


class InHostOrder(ResidentSeeds):
    """The device's path with the orders of the host's generator, so that the two can be compared."""

    def __init__(self, seeds, seed, *more):
        super().__init__(seeds, seed, CPU, *more)
        self._host = HostSeeds(seeds, seed)

    def shuffled(self, epoch):
        return torch.from_numpy(self._host.shuffled(epoch))


@pytest.fixture(scope="module")
def seeds(dataset):
    return load_seeds([dataset])


def trained(seeds, placement, *more):
    return train_placed(placement(seeds.train, 1, *more), placement(seeds.validation, 1), SETTINGS)


def test_both_placements_give_the_same_batches(seeds):
    rows = np.random.default_rng(1).permutation(len(seeds.train))[:300]
    host = HostSeeds(seeds.train, 1).batch(rows)
    resident = ResidentSeeds(seeds.train, 1, CPU).batch(torch.from_numpy(rows))
    assert 0 < host.labels.sum() < len(rows)
    for expected, found in zip(host, resident, strict=True):
        assert expected.dtype == found.dtype and torch.equal(expected, found)


def test_both_placements_train_alike_in_the_same_order(seeds):
    host, resident = trained(seeds, HostSeeds), trained(seeds, InHostOrder)
    for expected, found in zip(host.epochs, resident.epochs, strict=True):
        assert found.train_loss == pytest.approx(expected.train_loss, abs=1e-5)
        assert found.validation_loss == pytest.approx(expected.validation_loss, abs=1e-5)
    assert host.epochs[0].train_loss - host.epochs[-1].train_loss > 0.01


def test_bfloat16_is_for_the_convolutions_while_training_alone(seeds, monkeypatch):
    types = []
    logits = SeedViabilityNetwork.logits

    def recorded(network, activations):
        result = logits(network, activations)
        types.append((network.training, activations.dtype, result.dtype))
        return result

    monkeypatch.setattr(SeedViabilityNetwork, "logits", recorded)
    reduced = trained(seeds, InHostOrder, torch.bfloat16)
    assert set(types) == {(True, torch.bfloat16, torch.float32), (False, torch.float32, torch.float32)}
    assert all(parameter.dtype == torch.float32 for parameter in reduced.network.parameters())
    exact = trained(seeds, HostSeeds)
    for expected, found in zip(exact.epochs, reduced.epochs, strict=True):
        assert found.train_loss != expected.train_loss
        assert found.train_loss == pytest.approx(expected.train_loss, abs=0.02)


def test_the_order_on_a_device_depends_on_the_seed_and_holds_every_row_once(seeds):
    def orders(seed):
        placed = ResidentSeeds(seeds.train, seed, CPU)
        return placed.shuffled(1), placed.shuffled(2)

    (first, second), again, other = orders(1), orders(1), orders(2)
    assert torch.equal(first, again[0]) and torch.equal(second, again[1])
    assert not torch.equal(first, second) and not torch.equal(first, other[0])
    assert torch.equal(first.sort().values, torch.arange(len(seeds.train)))


def test_scores_on_a_device_are_those_of_the_host_in_several_passes(seeds, network, monkeypatch):
    monkeypatch.setattr("seedsieve_train.placement.SCORED_AT_ONCE", 100)
    host = HostSeeds(seeds.validation, 1).scores(network)
    resident = ResidentSeeds(seeds.validation, 1, CPU).scores(network)
    assert len(host) > 200 and host.std() > 0.05
    assert resident.dtype == np.float32 and np.abs(host - resident).max() < 1e-6


def test_a_device_with_too_little_memory_is_an_error_that_says_what_to_do(seeds, monkeypatch):
    def full(*_):
        raise torch.OutOfMemoryError("out of memory")

    monkeypatch.setattr("seedsieve_train.train.train_placed", full)
    with pytest.raises(TrainingError, match=r"memory of cpu is too small for [\d,]+ \+ [\d,]+ seeds.*--max-seeds"):
        train(seeds.train, seeds.validation, SETTINGS)


def test_the_device_is_the_one_asked_for(monkeypatch):
    for available, auto in ((False, "cpu"), (True, "cuda")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda available=available: available)
        assert chosen_device("auto").type == auto
        assert chosen_device("cpu").type == "cpu"
    assert chosen_device("cuda").type == "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(TrainingError, match=r"--device cuda: PyTorch .* sees no CUDA device; give --device cpu"):
        chosen_device("cuda")
    assert device_words(CPU) == "cpu"
