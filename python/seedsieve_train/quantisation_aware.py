"""Training with the rounding of eight bits in the forward pass, so that the rounded network is the one that learnt.

Batch normalisation is folded into the weights first, as in the model file. Afterwards the weights are put onto the grid
of their integers: the float network then differs from the eight-bit one by the rounding of activations alone.
"""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn.functional import conv2d

from .export import folded_convolutions
from .model import SeedViabilityNetwork
from .quantise import ACTIVATION_LEVELS, quantise_weights
from .rounding import rounded_activations, rounded_weights


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
        for number, (convolution, scale) in enumerate(zip(self.network.convolutions, self.scales, strict=True)):
            if number > 0:
                values = self.network.pool(values)
            values = conv2d(values, rounded_weights(convolution.weight), convolution.bias)
            values = rounded_activations(torch.relu(values), scale, ACTIVATION_LEVELS)
        return self.network.logits(values)


@torch.no_grad()
def on_the_grid(network: SeedViabilityNetwork) -> SeedViabilityNetwork:
    """The folded network with every weight of its convolutions replaced by the nearest that eight bits can state."""
    result = folded(network)
    for convolution in result.convolutions:
        integers, scales = quantise_weights(convolution.weight[:, :, 0].numpy())
        weights = torch.from_numpy(integers).float() * torch.from_numpy(scales)[:, None, None]
        convolution.weight.copy_(weights[:, :, None])
    return result.eval()
