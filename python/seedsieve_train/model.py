"""The seed-viability network: a one-dimensional CNN of 26,913 parameters."""

import torch
from torch import nn

from .windows import WINDOW_SIZE

CHANNELS = 8
"""Channels of the first convolution: channel = 4 * sequence + base; sequences read, reference; bases A, C, G, T."""


class SeedViabilityNetwork(nn.Module):
    """Scores seeds by their context windows.

    Three valid convolutions over positions (lengths 128 -> 122 -> 61 -> 57 -> 28 -> 26), the mean over what is left of
    the positions, and two dense layers. Positions are the second of two image dimensions, kernels are (1, k): PyTorch
    trains this form, with the channels of a position side by side in memory, nearly twice as fast as the
    one-dimensional one.
    """

    def __init__(self) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            [nn.Conv2d(CHANNELS, 32, (1, 7)), nn.Conv2d(32, 64, (1, 5)), nn.Conv2d(64, 64, (1, 3))]
        )
        self.norms = nn.ModuleList([nn.BatchNorm2d(32), nn.BatchNorm2d(64), nn.BatchNorm2d(64)])
        self.pool = nn.MaxPool2d((1, 2))
        self.hidden = nn.Linear(64, 32)
        self.output = nn.Linear(32, 1)

    @staticmethod
    def channels_first(contexts: torch.Tensor) -> torch.Tensor:
        """One-hot windows float32[batch, 2, 128, 4] to float32[batch, 8, 1, 128], channel = 4 * sequence + base.

        A plain reshape would mix positions and bases: sequence and base can merge only where they are neighbours.
        """
        by_position = contexts.transpose(1, 2).reshape(len(contexts), 1, WINDOW_SIZE, CHANNELS)
        return by_position.permute(0, 3, 1, 2)

    def activations(self, contexts: torch.Tensor) -> list[torch.Tensor]:
        """Outputs of the three convolution blocks, each after its ReLU and before pooling.

        Args:
            contexts: float32[batch, 2, 128, 4].

        Returns:
            float32[batch, 32, 1, 122], float32[batch, 64, 1, 57], float32[batch, 64, 1, 26].
        """
        values = self.channels_first(contexts)
        outputs: list[torch.Tensor] = []
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            if outputs:
                values = self.pool(values)
            values = torch.relu_(norm(convolution(values)))
            outputs.append(values)
        return outputs

    def forward(self, contexts: torch.Tensor) -> torch.Tensor:
        """Logits of viability, float32[batch], of one-hot windows float32[batch, 2, 128, 4]."""
        return self.logits(self.activations(contexts)[-1])

    def logits(self, activations: torch.Tensor) -> torch.Tensor:
        """Logits of viability, float32[batch], of the last block's activations [batch, 64, 1, 26].

        Always in float32, whatever the convolutions compute in.
        """
        with torch.autocast(activations.device.type, enabled=False):
            features = activations.float().mean(dim=(2, 3))
            return self.output(torch.relu(self.hidden(features))).squeeze(1)


def parameter_count(network: nn.Module) -> int:
    """Trained numbers of `network`; running statistics of batch normalisation are not counted."""
    return sum(parameter.numel() for parameter in network.parameters())


def seeded_network(seed: int) -> SeedViabilityNetwork:
    """A network with random weights, the same for the same `seed`. Sets PyTorch's global random state."""
    torch.manual_seed(seed)
    return SeedViabilityNetwork()
