"""Rounding to few bits that gradients pass unchanged (straight-through; Bengio, Leonard and Courville, 2013)."""

import torch

WEIGHT_LEVELS = 63
"""Largest quantised weight. Seven bits and not eight: processors without VNNI add two products in 16 bits, and
2 * 255 * 127 overflows there. With 63 every machine computes the same integers."""


def weight_steps(weights: torch.Tensor, levels: int = WEIGHT_LEVELS) -> torch.Tensor:
    """The step of each output of weights float32[out, ...]: its largest weight / levels; float32[out, 1, ...]."""
    largest = weights.detach().abs().amax(dim=tuple(range(1, weights.dim())), keepdim=True)
    return torch.where(largest > 0, largest, torch.ones_like(largest)) / levels


def rounded(values: torch.Tensor, steps: torch.Tensor) -> torch.Tensor:
    """Values rounded to whole multiples of `steps`."""
    return values + (torch.round(values / steps) * steps - values).detach()


def rounded_weights(weights: torch.Tensor, levels: int = WEIGHT_LEVELS) -> torch.Tensor:
    """Weights float32[out, ...] on the grid of -levels to levels of their `weight_steps`."""
    return rounded(weights, weight_steps(weights, levels))


def rounded_activations(values: torch.Tensor, scale: float | torch.Tensor, levels: int) -> torch.Tensor:
    """Values of at least 0 on the grid of 0 to levels steps of `scale`; what lies above saturates, without gradient."""
    kept = values.clamp(max=scale * levels)
    return kept + (torch.round(kept / scale) * scale - kept).detach()
