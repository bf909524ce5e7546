"""The state of an unfinished training on disk, from which `train --resume` goes on."""

import io
from dataclasses import asdict
from pathlib import Path

import torch

from .configuration import Configuration
from .errors import TrainingError
from .files import write_atomically
from .train import Epoch, TrainingState


def identity(configuration: Configuration, dataset_sha256: str) -> str:
    """What has to be the same for a training to go on: the configuration and the data."""
    return f"{configuration.to_toml()}\n{dataset_sha256}"


def write_state(path: Path, state: TrainingState, same: str) -> None:
    """Write a state; `same` is from `identity`."""
    content = io.BytesIO()
    fields = {name: getattr(state, name) for name in ("network", "optimiser", "schedule", "best", "best_epoch")}
    torch.save({"same": same, "epochs": [asdict(epoch) for epoch in state.epochs], **fields}, content)
    write_atomically(path, content.getvalue())


def read_state(path: Path, same: str, device: torch.device) -> TrainingState:
    """Read a state. Only tensors and plain values are read; a file can run no code.

    Raises:
        TrainingError: if the file is missing, damaged, or of another configuration or other data.
    """
    try:
        content = torch.load(io.BytesIO(path.read_bytes()), map_location=device, weights_only=True)
        epochs = tuple(Epoch(**epoch) for epoch in content.pop("epochs"))
        found = content.pop("same")
        state = TrainingState(epochs=epochs, **content)
    except OSError as error:
        raise TrainingError(
            f"{path}: cannot be read: {error.strerror}; nothing to resume: leave out --resume to start anew"
        ) from error
    # PyTorch states damage by errors of many types, without a common base.
    except Exception as error:
        raise TrainingError(f"{path}: not the state of a training, or damaged; start anew without --resume") from error
    if found != same:
        changed = [line for line in same.splitlines() if line not in found.splitlines()]
        raise TrainingError(
            f"{path}: belongs to a training with other settings or data; now different: {'; '.join(changed)}. Give "
            "what it was started with, or leave out --resume to start anew"
        )
    return state
