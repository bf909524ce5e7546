"""The student's network, rounded as the integer kernel computes it."""

import torch
from torch import nn
from torch.nn.functional import linear

from ..rounding import rounded_activations, rounded_weights
from .features import FEATURES

ACTIVATION_LEVELS = 255
HIDDEN = (16, 16)
"""Units of the two hidden layers."""


class StudentNetwork(nn.Module):
    """Three dense layers: 288 -> 16 -> 16 -> 1, 4,880 multiply-adds.

    With `scales` the forward pass rounds as the model file does: weights to seven bits with a step for each output,
    activations to eight bits.
    """

    def __init__(self, hidden: tuple[int, int] = HIDDEN) -> None:
        super().__init__()
        sizes = (FEATURES, *hidden, 1)
        self.layers = nn.ModuleList(
            nn.Linear(size, following) for size, following in zip(sizes, sizes[1:], strict=False)
        )
        self.scales: tuple[float, ...] | None = None
        # Facts reach 255 and masks 1: with smaller weights for the facts both start with a say.
        with torch.no_grad():
            self.layers[0].weight[:, 256:] /= 32

    @property
    def multiply_adds(self) -> int:
        """For one seed."""
        return sum(layer.weight.numel() for layer in self.layers)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Logits float32[batch] of features float32[batch, 288] with values 0 to 255."""
        values = features
        for number, layer in enumerate(self.layers):
            weights = layer.weight if self.scales is None else rounded_weights(layer.weight)
            values = linear(values, weights, layer.bias)
            if number + 1 < len(self.layers):
                values = torch.relu(values)
                if self.scales is not None:
                    values = rounded_activations(values, self.scales[number], ACTIVATION_LEVELS)
        return values.squeeze(1)

    @torch.no_grad()
    def calibrated(self, features: torch.Tensor, covered: float = 0.9999) -> tuple[float, ...]:
        """Steps of the hidden layers' activations, from some seeds."""
        scales: list[float] = []
        values = features
        for layer in self.layers[:-1]:
            values = torch.relu(layer(values))
            positive = values[values > 0]
            # torch.quantile takes at most 16 million values.
            largest = float(torch.quantile(positive[:16_000_000], covered)) if len(positive) else 1.0
            scales.append(largest / ACTIVATION_LEVELS)
        return tuple(scales)
