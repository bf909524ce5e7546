"""Training steps replayed as one CUDA graph.

A step of the small networks here is some hundred kernels of a few microseconds. Started one by one from Python they
leave the GPU waiting for most of the time; recorded once and replayed, the whole step is started at once.
"""

import copy
from collections.abc import Callable

import torch
from torch import nn

from .placement import Batch

WARM_UP_STEPS = 3
"""Before recording, so that libraries have chosen their algorithms and allocated what they need."""

Loss = Callable[[nn.Module, Batch], torch.Tensor]


class CapturedStep:
    """A step on batches of one size: loss, gradients, weights. The same as without a graph but for rounding."""

    def __init__(self, network: nn.Module, optimiser: torch.optim.Optimizer, loss: Loss, batch: Batch) -> None:
        """Records on `batch`; weights and the optimiser's state are afterwards what they were.

        Args:
            network: on a CUDA device, in training mode.
            optimiser: of its parameters, `capturable`, with a tensor as learning rate.
            loss: of the network on a batch.
            batch: any batch of the size of those to come.
        """
        self.size = len(batch.labels)
        self._batch = Batch(*(values.clone() for values in batch))
        weights, state = copy.deepcopy(network.state_dict()), copy.deepcopy(optimiser.state_dict())
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP_STEPS):
                optimiser.zero_grad(set_to_none=True)
                loss(network, self._batch).backward()
                optimiser.step()
        torch.cuda.current_stream().wait_stream(stream)
        optimiser.zero_grad(set_to_none=True)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._loss = loss(network, self._batch)
            self._loss.backward()
            optimiser.step()
        network.load_state_dict(weights)
        _restore(optimiser, state)

    def __call__(self, batch: Batch) -> torch.Tensor:
        """One step; returns the loss before it, valid until the next."""
        for mine, given in zip(self._batch, batch, strict=True):
            mine.copy_(given)
        self._graph.replay()
        return self._loss


def _restore(optimiser: torch.optim.Optimizer, state: dict) -> None:
    """Writes a state into the tensors that the graph works on; what a fresh optimiser does not have yet becomes 0."""
    numbers = [number for group in state["param_groups"] for number in group["params"]]
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    for number, parameter in zip(numbers, parameters, strict=True):
        before = state["state"].get(number, {})
        for name, value in optimiser.state[parameter].items():
            if name in before:
                value.copy_(before[name])
            else:
                value.zero_()
