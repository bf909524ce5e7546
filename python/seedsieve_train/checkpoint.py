"""Weights of a trained network in PyTorch's own format."""

import io
from pathlib import Path

import torch

from .errors import TrainingError
from .files import write_atomically
from .model import SeedViabilityNetwork


def write_checkpoint(network: SeedViabilityNetwork, path: Path) -> None:
    """Write the network's weights and running statistics to `path`."""
    content = io.BytesIO()
    torch.save(network.state_dict(), content)
    write_atomically(path, content.getvalue())


def read_checkpoint(path: Path) -> SeedViabilityNetwork:
    """Read a network in evaluation mode. Only tensors are read; a file can run no code.

    Raises:
        TrainingError: if the file is missing, damaged or another network's.
    """
    network = SeedViabilityNetwork()
    try:
        content = path.read_bytes()
    except OSError as error:
        raise TrainingError(
            f"{path}: cannot be read: {error.strerror}; give a .pt file of the train command"
        ) from error
    try:
        network.load_state_dict(torch.load(io.BytesIO(content), map_location="cpu", weights_only=True))
    # PyTorch states damage and mismatch by errors of many types, without a common base.
    except Exception as error:
        raise TrainingError(
            f"{path}: not a checkpoint of this network, or damaged: {_first_line(error)}; give a .pt file of "
            "the train command"
        ) from error
    return network.eval()


def _first_line(error: Exception) -> str:
    """What an error says first, or its type where it says nothing."""
    return next(iter(str(error).splitlines()), type(error).__name__)
