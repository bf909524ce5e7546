"""Training of the student: on labels and on what a larger network makes of the same features, then with rounding."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from ..distributed import ALONE, Share
from ..placement import Batch, class_weights, shares_of_batches
from ..settings import TrainingSettings
from ..train import CPU, Training, train_placed
from .export import on_the_grid
from .features import FEATURES
from .network import HIDDEN, UNMASKED, StudentNetwork, input_steps

SCORED_AT_ONCE = 65_536
CALIBRATION_SEEDS = 65_536


TEACHERS = ("network", "trees")
"""A larger network of the same features, or gradient-boosted trees on the facts."""


@dataclass(frozen=True)
class StudentSettings:
    """How to train a student."""

    hidden: tuple[int, ...] = HIDDEN
    masks: bool = False
    """Whether they look at the match masks. With some million seeds of few places they learn places by heart: on people
    and places that were not trained on they are better without."""
    narrow_scores: bool = True
    """Whether they look at narrow scores, or at what students of version 2 see."""
    epochs: int = 30
    rounded_epochs: int = 10
    """With eight-bit rounding in the forward pass."""
    learning_rate: float = 3e-3
    rounded_learning_rate: float = 1e-3
    batch_size: int = 4_096
    distillation: float = 0.0
    """Weight of the teacher's score in the target; the rest is the label's."""
    teacher: str = "network"
    """Whose score, one of `TEACHERS`."""
    seed: int = 1
    patience: int = 30
    teacher_epochs: int = 15

    def training(self, epochs: int, learning_rate: float) -> TrainingSettings:
        """Settings of one of the trainings."""
        return TrainingSettings(
            epochs=epochs,
            seed=self.seed,
            batch_size=self.batch_size,
            learning_rate=learning_rate,
            patience=self.patience,
            precision="float32",
        )


class TeacherNetwork(nn.Module):
    """A dense network of 197,000 multiply-adds on the student's features: what can be had from them."""

    def __init__(self, masks: bool = True) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Linear(FEATURES, 384), nn.ReLU(), nn.Dropout(0.1)),
            *(nn.Linear(384, 192), nn.ReLU(), nn.Dropout(0.1)),
            *(nn.Linear(192, 64), nn.ReLU(), nn.Linear(64, 1)),
        )
        self.register_buffer("input_steps", input_steps(masks))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Logits float32[batch]."""
        return self.layers(features * self.input_steps).squeeze(1)


class PlacedFeatures:
    """Features in the memory of a device, uint8[n, any]; see `placement.PlacedSeeds` and `ScoredSeeds`."""

    convolution_type = torch.float32

    def __init__(
        self,
        features: np.ndarray,
        viable: np.ndarray,
        seed: int,
        device: torch.device,
        targets: np.ndarray | None = None,
    ) -> None:
        """`targets` float32[n] in [0, 1] stand for the labels; None: the labels."""
        self.viable = viable
        self.device = device
        self._features = torch.from_numpy(features).to(device)
        self._targets = torch.from_numpy((viable if targets is None else targets).astype(np.float32)).to(device)
        self._weights = torch.from_numpy(class_weights(viable)).to(device)
        self._seed = seed

    def __len__(self) -> int:
        return len(self.viable)

    def batches(self, epoch: int, batch_size: int, share: Share = ALONE) -> Iterator[Batch]:
        """See `placement.PlacedSeeds`."""
        order = torch.from_numpy(np.random.default_rng([self._seed, epoch]).permutation(len(self))).to(self.device)
        for rows in shares_of_batches(order, batch_size, share):
            # On a CPU half of the time of `self._features[rows]`.
            features, targets, weights = (
                of_all.index_select(0, rows) for of_all in (self._features, self._targets, self._weights)
            )
            yield Batch(features.float(), targets, weights)

    @torch.no_grad()
    def scores(self, network: nn.Module) -> np.ndarray:
        """See `placement.ScoredSeeds`."""
        network.eval()
        pieces = [torch.sigmoid(network(piece.float())) for piece in self._features.split(SCORED_AT_ONCE)]
        return torch.cat(pieces).cpu().numpy()


@dataclass(frozen=True)
class LabelledFeatures:
    """Features uint8[n, 288] and labels bool[n]."""

    features: np.ndarray
    viable: np.ndarray


@dataclass(frozen=True)
class StudentTraining:
    """A student on the grid of its integers, with its scales, and the way there."""

    network: StudentNetwork
    training: Training
    rounded: Training


def train_teacher(
    train_part: LabelledFeatures, validation: LabelledFeatures, settings: StudentSettings, device: torch.device = CPU
) -> tuple[nn.Module, np.ndarray]:
    """A teacher, and its scores float32[n] of the training part."""
    torch.manual_seed(settings.seed)
    placed = PlacedFeatures(train_part.features, train_part.viable, settings.seed, device)
    held_out = PlacedFeatures(validation.features, validation.viable, settings.seed, device)
    schedule = replace(settings.training(settings.teacher_epochs, 1e-3), patience=5, weight_decay=1e-4)
    teacher = train_placed(placed, held_out, schedule, network=TeacherNetwork(settings.masks), title="teacher").network
    scores = placed.scores(teacher.to(device))
    return teacher.to(CPU), scores


def train_student(
    train_part: LabelledFeatures,
    validation: LabelledFeatures,
    settings: StudentSettings,
    teacher_scores: np.ndarray | None = None,
    device: torch.device = CPU,
) -> StudentTraining:
    """Train a student in float32, then with the rounding of its kernel.

    Args:
        train_part: what to learn from.
        validation: decides which epoch is kept.
        settings: how to train.
        teacher_scores: float32[n] of the training part; None learns from labels alone.
        device: where to train.
    """
    torch.manual_seed(settings.seed)
    targets = None
    if teacher_scores is not None:
        share = settings.distillation
        targets = (1 - share) * train_part.viable + share * teacher_scores
    # Most of the time went into gathering masks that it does not look at.
    seen, held_out_seen = (
        of.features if settings.masks else np.ascontiguousarray(of.features[:, -UNMASKED:])
        for of in (train_part, validation)
    )
    placed = PlacedFeatures(seen, train_part.viable, settings.seed, device, targets)
    held_out = PlacedFeatures(held_out_seen, validation.viable, settings.seed, device)
    schedule = settings.training(settings.epochs, settings.learning_rate)
    student = StudentNetwork(settings.hidden, settings.masks)
    training = train_placed(placed, held_out, schedule, network=student, title="student")
    rounded_network = copy.deepcopy(training.network)
    some = np.random.default_rng(settings.seed).permutation(len(train_part.viable))[:CALIBRATION_SEEDS]
    calibration = torch.from_numpy(seen[some]).float()
    rounded_network.equalise(calibration)
    rounded_network.scales = rounded_network.calibrated(calibration)
    schedule = settings.training(settings.rounded_epochs, settings.rounded_learning_rate)
    rounded = train_placed(placed, held_out, schedule, network=rounded_network, title="student with rounding")
    return StudentTraining(on_the_grid(rounded.network), training, rounded)
