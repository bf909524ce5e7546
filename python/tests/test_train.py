import io

import numpy as np
import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from seedsieve_train.data import load_seeds
from seedsieve_train.metrics import roc
from seedsieve_train.model import seeded_network
from seedsieve_train.placement import HostSeeds, class_weights, score_packed
from seedsieve_train.progress import Progress
from seedsieve_train.train import TrainingSettings, train, weighted_loss

SETTINGS = TrainingSettings(epochs=3, seed=1, batch_size=128)


@pytest.fixture(scope="module")
def seeds(dataset):
    return load_seeds([dataset])


@pytest.fixture(scope="module")
def training(seeds):
    return train(seeds.train, seeds.validation, SETTINGS)


def test_a_planted_rule_is_learnt(seeds, training):
    assert roc(score_packed(training.network, seeds.test.packed), seeds.test.viable).auc > 0.9
    assert roc(seeds.test.length, seeds.test.viable).auc < 0.6


def test_the_same_seed_gives_the_same_network(seeds):
    def weights(seed):
        settings = TrainingSettings(epochs=1, seed=seed, batch_size=512)
        return train(seeds.train, seeds.validation, settings).network.state_dict()

    first, again, other = weights(1), weights(1), weights(2)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["output.weight"], other["output.weight"])


def test_training_stops_when_validation_no_longer_improves_and_keeps_the_best_network(seeds):
    few, validation = seeds.train.take(np.arange(256)), seeds.validation.take(np.arange(200))
    settings = TrainingSettings(epochs=30, seed=1, batch_size=64, learning_rate=0.01, patience=2)
    training = train(few, validation, settings)
    assert len(training.epochs) == training.best_epoch + 2 < 30
    losses = [epoch.validation_loss for epoch in training.epochs]
    assert training.best_epoch == 1 + int(np.argmin(losses))
    scores = score_packed(training.network, validation.packed)
    assert weighted_loss(scores, validation.viable) == pytest.approx(min(losses), abs=1e-6)


def test_the_training_loss_is_the_mean_over_all_seeds(seeds):
    few = seeds.train.take(np.arange(300))
    frozen = TrainingSettings(epochs=1, seed=1, batch_size=200, learning_rate=0.0)
    placed = HostSeeds(few, 1)
    network, order = seeded_network(1), placed.shuffled(1)
    expected = 0.0
    for rows in (order[:200], order[200:]):
        contexts, labels, weights = placed.batch(rows)
        loss = binary_cross_entropy_with_logits(network(contexts), labels, weights, reduction="sum")
        expected += loss.item()
    found = train(few, seeds.validation, frozen).epochs[0].train_loss
    assert found == pytest.approx(expected / 300, rel=1e-6)


def test_class_weights_balance_the_classes():
    viable = np.array([True, False, False, False])
    weights = class_weights(viable)
    assert weights[viable].sum() == weights[~viable].sum() == 2


def test_weighted_loss_by_hand():
    loss = weighted_loss(np.array([0.5, 0.75, 0.75], np.float32), np.array([True, False, False]))
    assert loss == pytest.approx((-np.log(0.5) - np.log(0.25)) / 2)


def test_progress_off_a_terminal_is_at_most_ten_lines():
    stream = io.StringIO()
    with Progress("epoch 1/3", 1_000, stream) as progress:
        for _ in range(500):
            progress.advance(2, lambda: "loss 0.1")
    lines = stream.getvalue().splitlines()
    assert len(lines) == 10 and "\r" not in stream.getvalue()
    assert lines[-1].startswith("epoch 1/3: 1,000/1,000 seeds")
