"""Training with the rounding of eight bits in the forward pass, so that the rounded network is the one that learnt.

Batch normalisation is folded into the weights first, as in the model file. Afterwards the weights are put onto the grid
of their integers: the float network then differs from the eight-bit one by the rounding of activations alone.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn
from torch.nn.functional import conv2d

from .export import folded_convolutions
from .model import SeedViabilityNetwork
from .quantise import ACTIVATION_LEVELS, quantise_biases, quantise_weights
from .rounding import rounded, rounded_activations, rounded_weights, weight_steps


@torch.no_grad()
def folded(network: SeedViabilityNetwork) -> SeedViabilityNetwork:
    """The same network with its normalisation in the convolutions' weights, and norms that change nothing."""
    result = SeedViabilityNetwork()
    result.hidden.load_state_dict(network.hidden.state_dict())
    result.output.load_state_dict(network.output.state_dict())
    for layer, convolution, norm in zip(folded_convolutions(network), result.convolutions, result.norms, strict=True):
        convolution.weight.copy_(torch.from_numpy(layer.weights)[:, :, None])
        convolution.bias.copy_(torch.from_numpy(layer.biases))
        norm.running_var.fill_(1 - norm.eps)
        for parameter in norm.parameters():
            parameter.requires_grad_(False)
    return result.eval()


class RoundedNetwork(nn.Module):
    """A folded network whose convolutions compute as the eight-bit model file does; gradients pass the rounding."""

    def __init__(self, network: SeedViabilityNetwork, scales: Sequence[float]) -> None:
        """`scales` are the steps of the convolutions' outputs, from `quantise.activation_scales`."""
        super().__init__()
        self.network = network
        self.scales = tuple(scales)

    def forward(self, contexts: torch.Tensor) -> torch.Tensor:
        """Logits float32[batch] of one-hot windows float32[batch, 2, 128, 4]."""
        values = self.network.channels_first(contexts)
        input_scale = 1.0
        for number, (convolution, scale) in enumerate(zip(self.network.convolutions, self.scales, strict=True)):
            if number > 0:
                values = self.network.pool(values)
            steps = input_scale * weight_steps(convolution.weight).flatten()
            biases = rounded(convolution.bias, steps)
            values = conv2d(values, rounded_weights(convolution.weight), biases)
            values = rounded_activations(torch.relu(values), scale, ACTIVATION_LEVELS)
            input_scale = scale
        return self.network.logits(values)


@torch.no_grad()
def on_the_grid(network: SeedViabilityNetwork, scales: Sequence[float]) -> SeedViabilityNetwork:
    """The folded network with weights and biases of its convolutions replaced by the nearest that integers can state.

    Biases count: their step in the first layer, whose inputs are 0 and 1, is that of the weights.

    Args:
        network: the trained network.
        scales: steps of the convolutions' outputs, from `quantise.activation_scales`.
    """
    result = folded(network)
    for convolution, input_scale in zip(result.convolutions, (1.0, *scales), strict=False):
        integers, weight_scales = quantise_weights(convolution.weight[:, :, 0].numpy())
        weights = torch.from_numpy(integers).float() * torch.from_numpy(weight_scales)[:, None, None]
        convolution.weight.copy_(weights[:, :, None])
        steps = (weight_scales * np.float32(input_scale)).astype(np.float32)
        biases = quantise_biases(convolution.bias.numpy(), steps) * steps.astype(np.float64)
        convolution.bias.copy_(torch.from_numpy(biases))
    return result.eval()
