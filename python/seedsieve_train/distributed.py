"""Several processes that train one network, as torchrun starts them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import distributed, nn

from .errors import TrainingError


@dataclass(frozen=True)
class Share:
    """Which of how many processes this one is."""

    rank: int = 0
    """0-based; 0 writes the files."""
    processes: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process reports and writes."""
        return self.rank == 0


ALONE = Share()


@contextmanager
def process_group(device: torch.device) -> Iterator[Share]:
    """Join the processes of torchrun; a process that was started alone is alone.

    Raises:
        TrainingError: if torchrun's variables contradict each other, or the processes do not find each other.
    """
    processes = _variable("WORLD_SIZE", 1)
    if processes == 1:
        yield ALONE
        return
    share = Share(_variable("RANK", 0), processes)
    try:
        # Several processes on one GPU are possible with gloo only.
        enough_gpus = device.type == "cuda" and _variable("LOCAL_WORLD_SIZE", 1) <= torch.cuda.device_count()
        distributed.init_process_group("nccl" if enough_gpus else "gloo")
    except (RuntimeError, ValueError) as error:
        raise TrainingError(f"process {share.rank} of {processes} cannot join the others: {error}") from error
    try:
        yield share
    finally:
        distributed.destroy_process_group()


def local_device(device: torch.device) -> torch.device:
    """The GPU of this process where there are several processes on the machine, else `device`."""
    if device.type != "cuda":
        return device
    return torch.device("cuda", _variable("LOCAL_RANK", 0) % torch.cuda.device_count())


def with_shared_gradients(network: nn.Module, share: Share) -> nn.Module:
    """The module to train through: gradients become the mean over all processes."""
    return nn.parallel.DistributedDataParallel(network) if share.processes > 1 else network


def of_first(value: float, share: Share, device: torch.device) -> float:
    """The first process's value, so that all decide alike."""
    if share.processes == 1:
        return value
    cell = torch.tensor([value], dtype=torch.float64, device=device)
    distributed.broadcast(cell, src=0)
    return cell.item()


def sum_over(totals: torch.Tensor, share: Share) -> list[float]:
    """Sums float64[n] of each process, added up over all."""
    if share.processes > 1:
        distributed.all_reduce(totals)
    return totals.tolist()


def _variable(name: str, default: int) -> int:
    text = os.environ.get(name)
    try:
        return default if text is None else int(text)
    except ValueError:
        raise TrainingError(f"{name}={text}: valid is a whole number, as torchrun sets it") from None
