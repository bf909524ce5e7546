import numpy as np
import pytest
import torch

from seedsieve_train.seeds import Seeds
from seedsieve_train.settings import TrainingSettings
from seedsieve_train.train import Step, train

SETTINGS = TrainingSettings(epochs=3, batch_size=256, precision="float32", patience=3)


def seeds(number, seed):
    """Viable seeds match all over their windows, hopeless ones in half of the places."""
    random = np.random.default_rng(seed)
    viable = random.random(number) < 0.5
    bases = 1 << random.integers(0, 4, (number, 2, 128))
    same = random.random((number, 128)) < np.where(viable, 0.9, 0.5)[:, None]
    bases[:, 1] = np.where(same, bases[:, 0], bases[:, 1])
    packed = (bases[:, :, 0::2] << 4 | bases[:, :, 1::2]).reshape(number, 128).astype(np.uint8)
    zeros = np.zeros(number, np.int32)
    return Seeds(packed, viable, zeros, zeros, zeros, np.arange(number))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="records CUDA graphs")
def test_recorded_steps_train_the_same_network():
    """900 seeds: three batches of 256 are replayed, the fourth is smaller and is not."""
    parts = seeds(900, 1), seeds(300, 2)
    device = torch.device("cuda")
    recorded, eager = (
        train(*parts, TrainingSettings(**(vars(SETTINGS) | {"captured": captured})), device)
        for captured in (True, False)
    )
    # A recorded AdamW rounds in another order, which shows where gradients are nearly 0.
    for one, other in zip(recorded.network.parameters(), eager.network.parameters(), strict=True):
        assert torch.allclose(one, other, rtol=1e-2, atol=2e-3)
    for one, other in zip(recorded.epochs, eager.epochs, strict=True):
        assert one.train_loss == pytest.approx(other.train_loss, abs=1e-5)
        assert one.validation_loss == pytest.approx(other.validation_loss, abs=1e-5)
    assert recorded.epochs[-1].validation_auc > 0.9


def test_without_a_gpu_steps_are_not_recorded():
    one, other = (
        train(seeds(600, 1), seeds(300, 2), TrainingSettings(**(vars(SETTINGS) | {"captured": captured})))
        for captured in (True, False)
    )
    assert all(torch.equal(*pair) for pair in zip(one.network.parameters(), other.network.parameters(), strict=True))
    assert one.epochs[-1].validation_auc > 0.9
    step = Step(torch.nn.Linear(1, 1), torch.optim.SGD([torch.zeros(1)], lr=0.1), torch.float32, captured=False)
    assert step._recorded is None
