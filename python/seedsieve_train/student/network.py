"""The student's network, rounded as the integer kernel computes it."""

from itertools import pairwise

import torch
from torch import nn
from torch.nn.functional import linear

from ..rounding import rounded, rounded_activations, rounded_weights, weight_steps
from .features import FEATURES, MASK_BITS

ACTIVATION_LEVELS = 255
UNMASKED = FEATURES - 2 * MASK_BITS
"""Columns behind the match masks: the facts and the zeros behind them."""
HIDDEN = (16, 16)
"""Units of the two hidden layers."""
FACT_STEP = 1 / 32
"""By which facts, of up to 255, are multiplied in training, so that one step of the optimiser moves them and the masks
alike. A power of two: weights are the same whether it is applied to them or to the facts."""


def input_steps(masks: bool) -> torch.Tensor:
    """Factors float32[288] of the features, or of their weights."""
    steps = torch.full((FEATURES,), FACT_STEP)
    steps[: 2 * MASK_BITS] = float(masks)
    return steps


class StudentNetwork(nn.Module):
    """Three dense layers: 288 -> 16 -> 16 -> 1, 4,880 multiply-adds; without masks 784.

    With `scales` the forward pass rounds as the model file does: weights to seven bits with a step for each output,
    biases to steps of their sums, activations to eight bits.
    """

    def __init__(self, hidden: tuple[int, ...] = HIDDEN, masks: bool = True) -> None:
        """`masks`: whether it looks at the match masks; else their weights are 0, and facts are all that it sees."""
        super().__init__()
        sizes = (FEATURES, *hidden, 1)
        self.layers = nn.ModuleList(nn.Linear(size, following) for size, following in pairwise(sizes))
        self.scales: tuple[float, ...] | None = None
        self.masks = masks
        self.register_buffer("input_steps", input_steps(masks))

    @property
    def multiply_adds(self) -> int:
        """For one seed."""
        unseen = 0 if self.masks else 2 * MASK_BITS * self.layers[0].out_features
        return sum(layer.weight.numel() for layer in self.layers) - unseen

    @property
    def hidden(self) -> tuple[int, ...]:
        """Units of the hidden layers."""
        return tuple(layer.out_features for layer in self.layers[:-1])

    def weights(self, number: int) -> torch.Tensor:
        """Weights of a layer (0-based) as the model file has them, for features as they are: float32[out, in]."""
        weight = self.layers[number].weight
        return weight * self.input_steps if number == 0 else weight

    @torch.no_grad()
    def set_weights(self, number: int, weights: torch.Tensor) -> None:
        """Replace the weights of a layer by such as `weights` gives."""
        if number == 0:
            weights = torch.where(self.input_steps > 0, weights / self.input_steps, 0)
        self.layers[number].weight.copy_(weights)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Logits float32[batch] of features float32[batch, 288] with values 0 to 255.

        Where it sees no masks the columns behind them, float32[batch, 32], do as well.
        """
        values = features if self.masks else features[:, -UNMASKED:]
        input_scale = 1.0
        for number, layer in enumerate(self.layers):
            weights, biases = self.weights(number), layer.bias
            if number == 0:
                weights = weights[:, -values.shape[1] :]
            if self.scales is not None:
                biases = rounded(biases, input_scale * weight_steps(weights).flatten())
                weights = rounded_weights(weights)
            values = linear(values, weights, biases)
            if number + 1 < len(self.layers):
                values = torch.relu(values)
                if self.scales is not None:
                    input_scale = self.scales[number]
                    values = rounded_activations(values, input_scale, ACTIVATION_LEVELS)
        return values.squeeze(1)

    @torch.no_grad()
    def equalise(self, features: torch.Tensor) -> None:
        """Scale the units of each hidden layer so that all reach as far; logits stay as they are.

        A layer has one step for all its activations (Nagel et al., 2019, "Data-Free Quantization Through Weight
        Equalization and Bias Correction"): of a unit that reaches a tenth as far as another it leaves 25 levels of 255.

        Args:
            features: of some tens of thousands of seeds.
        """
        values = features if self.masks else features[:, -UNMASKED:]
        for number, (layer, following) in enumerate(pairwise(self.layers)):
            weights = self.weights(number)
            values = torch.relu(linear(values, weights[:, -values.shape[1] :], layer.bias))
            reach = values.amax(dim=0)
            factors = torch.where(reach > 0, reach.max() / reach, 1)
            self.set_weights(number, weights * factors[:, None])
            layer.bias.mul_(factors)
            following.weight.div_(factors)
            values = values * factors

    @torch.no_grad()
    def calibrated(self, features: torch.Tensor, covered: float = 0.9999) -> tuple[float, ...]:
        """Steps of the hidden layers' activations, from some tens of thousands of seeds."""
        scales: list[float] = []
        values = features if self.masks else features[:, -UNMASKED:]
        for number, layer in enumerate(self.layers[:-1]):
            values = torch.relu(linear(values, self.weights(number)[:, -values.shape[1] :], layer.bias))
            positive = values[values > 0]
            largest = float(torch.quantile(positive[:10_000_000], covered)) if len(positive) else 1.0
            scales.append(largest / ACTIVATION_LEVELS)
        return tuple(scales)
