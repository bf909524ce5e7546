"""Sections of the configuration; `python/configs/seed_filter_v1.toml` says what each key means."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class ModelSettings:
    """What is trained."""

    name: str = "seed_filter_v1"

    @staticmethod
    def is_valid_name(name: str) -> bool:
        """A name that can stand in file names everywhere."""
        return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name) is not None


@dataclass(frozen=True)
class DataSettings:
    """On which seeds, and how they come."""

    policy: str = "own-extension"
    block_bases: int = 20_000
    held_out_samples: str = ""
    """Names with commas between them: samples of the test part, of which nothing is learnt."""
    max_seeds: int = 0
    """0: all."""
    evaluation_seeds: int = 2_000_000
    placement: str = "auto"
    memory_seeds: int = 30_000_000
    shuffle_buffer: int = 1_048_576

    @property
    def held_out(self) -> tuple[str, ...]:
        """Names of the samples that are held out."""
        return tuple(name.strip() for name in self.held_out_samples.split(",") if name.strip())


@dataclass(frozen=True)
class TrainingSettings:
    """How to train; on the CPU the same settings and data give the same network."""

    epochs: int = 20
    seed: int = 1
    batch_size: int = 2_048
    """Of all processes together."""
    learning_rate: float = 1e-3
    """At the start; falls to 0 along a half cosine over all steps."""
    weight_decay: float = 1e-5
    patience: int = 5
    """Epochs without a lower validation loss after which training stops."""
    precision: str = "auto"
    captured: bool = True
    """On one GPU: steps are recorded and replayed as a CUDA graph."""


@dataclass(frozen=True)
class QuantisationSettings:
    """How the network is prepared for eight bits."""

    epochs: int = 2
    learning_rate: float = 1e-4
    calibration_seeds: int = 16_384


@dataclass(frozen=True)
class ThresholdSettings:
    """How the decision threshold is chosen."""

    value: float = -1.0
    """-1: chosen on the validation part."""
    miss_rate: float = 0.001
    confidence: float = 0.95
