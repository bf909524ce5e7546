import numpy as np
import torch

from seedsieve_train.model import SeedViabilityNetwork, parameter_count, score_packed, seeded_network


def test_parameter_count():
    assert parameter_count(SeedViabilityNetwork()) == 26_913


def test_channel_is_four_times_sequence_plus_base():
    contexts = torch.arange(2 * 2 * 128 * 4, dtype=torch.float32).reshape(2, 2, 128, 4)
    channels = SeedViabilityNetwork.channels_first(contexts)
    assert channels.shape == (2, 8, 128)
    for sequence in range(2):
        for base in range(4):
            assert torch.equal(channels[:, 4 * sequence + base], contexts[:, sequence, :, base])


def test_lengths_after_each_convolution():
    shapes = [tuple(values.shape) for values in SeedViabilityNetwork().activations(torch.zeros(3, 2, 128, 4))]
    assert shapes == [(3, 32, 122), (3, 64, 57), (3, 64, 26)]


def test_scores_do_not_depend_on_the_batch(network, packed):
    whole = score_packed(network, packed[:100])
    assert whole.shape == (100,) and whole.std() > 0.05
    assert np.abs(whole - score_packed(network, packed[:100], batch_size=7)).max() < 1e-6
    assert score_packed(network, packed[:0]).shape == (0,)


def test_weights_depend_on_the_seed_alone():
    first, again, other = (seeded_network(seed).convolutions[0].weight for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)
