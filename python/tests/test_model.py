import numpy as np
import torch

from seedsieve_train.model import SeedViabilityNetwork, parameter_count, seeded_network
from seedsieve_train.placement import score_packed
from seedsieve_train.windows import expand_one_hot


def test_parameter_count():
    assert parameter_count(SeedViabilityNetwork()) == 26_913


def test_channel_is_four_times_sequence_plus_base():
    contexts = torch.arange(2 * 2 * 128 * 4, dtype=torch.float32).reshape(2, 2, 128, 4)
    channels = SeedViabilityNetwork.channels_first(contexts)
    assert channels.shape == (2, 8, 1, 128)
    for sequence in range(2):
        for base in range(4):
            assert torch.equal(channels[:, 4 * sequence + base, 0], contexts[:, sequence, :, base])


def test_lengths_after_each_convolution():
    shapes = [tuple(values.shape) for values in SeedViabilityNetwork().activations(torch.zeros(3, 2, 128, 4))]
    assert shapes == [(3, 32, 1, 122), (3, 64, 1, 57), (3, 64, 1, 26)]


def test_scores_do_not_depend_on_the_batch(network, packed):
    whole = score_packed(network, packed[:100])
    assert whole.shape == (100,) and whole.std() > 0.05
    assert np.abs(whole - score_packed(network, packed[:100], batch_size=7)).max() < 1e-6
    assert score_packed(network, packed[:0]).shape == (0,)


def test_weights_depend_on_the_seed_alone():
    first, again, other = (seeded_network(seed).convolutions[0].weight for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_scores_by_the_definition(network, packed):
    """The layers of the published table, in numpy and one dimension."""
    state = {name: value.double().numpy() for name, value in network.state_dict().items()}
    contexts = expand_one_hot(packed[:5]).astype(np.float64)
    values = np.concatenate([contexts[:, 0], contexts[:, 1]], axis=2).transpose(0, 2, 1)
    for layer in range(3):
        weights = state[f"convolutions.{layer}.weight"][:, :, 0]
        slices = np.lib.stride_tricks.sliding_window_view(values, weights.shape[2], axis=2)
        values = np.einsum("bipk,oik->bop", slices, weights) + state[f"convolutions.{layer}.bias"][:, None]
        mean, variance, scale, shift = (
            state[f"norms.{layer}.{name}"][:, None] for name in ("running_mean", "running_var", "weight", "bias")
        )
        values = np.maximum((values - mean) / np.sqrt(variance + 1e-5) * scale + shift, 0)
        if layer < 2:
            even = values.shape[2] // 2 * 2
            values = values[:, :, :even].reshape(*values.shape[:2], -1, 2).max(axis=3)
    hidden = np.maximum(values.mean(axis=2) @ state["hidden.weight"].T + state["hidden.bias"], 0)
    logits = (hidden @ state["output.weight"].T + state["output.bias"])[:, 0]
    assert np.abs(1 / (1 + np.exp(-logits)) - score_packed(network, packed[:5])).max() < 1e-5
