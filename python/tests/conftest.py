import os
from pathlib import Path

import numpy as np
import pytest
import torch
from generated import random_columns, write_dataset

from seedsieve_train.export import ModelMetadata
from seedsieve_train.model import SeedViabilityNetwork, parameter_count, seeded_network
from seedsieve_train.windows import encode_window, expand_one_hot

ROWS = 3_600


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def columns() -> dict[str, list]:
    return random_columns(ROWS, seed=11)


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory, columns: dict[str, list]) -> Path:
    return write_dataset(tmp_path_factory.mktemp("generated") / "set", columns)


@pytest.fixture(scope="session")
def packed() -> np.ndarray:
    """uint8[2000, 128]: seeds at all places of short reads, ends and N included."""
    random = np.random.default_rng(5)
    rows = []
    for _ in range(2_000):
        read = random.integers(0, 5, random.integers(30, 150), dtype=np.uint8)
        start = int(random.integers(0, len(read) - 19))
        reference = random.integers(0, 4, 300, dtype=np.uint8)
        rows.append(np.concatenate([encode_window(read, start, 19), encode_window(reference, 100, 19)]))
    return np.stack(rows)


@pytest.fixture(scope="session")
def network(packed: np.ndarray) -> SeedViabilityNetwork:
    """A network whose running statistics and scores are far from those at the start, as after training."""
    network = seeded_network(3)
    with torch.no_grad():
        network.train()
        for _ in range(20):
            network(torch.from_numpy(expand_one_hot(packed[:100])))
        for norm in network.norms:
            norm.weight.uniform_(0.5, 2)
            norm.bias.uniform_(-1, 1)
        network.eval()
        network.output.weight.mul_(60)
        network.output.bias.sub_(network(torch.from_numpy(expand_one_hot(packed))).median())
    return network.eval()


@pytest.fixture(scope="session")
def metadata(network: SeedViabilityNetwork) -> ModelMetadata:
    return ModelMetadata("test", "own-extension", 30, 0.3, "00", parameter_count(network), "nothing")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with real sequences; a test that asks for it is skipped where there is none, and fails in CI."""
    repository = Path(__file__).resolve().parents[2]
    named = os.environ.get("SEEDSIEVE_DATA")
    candidates = [Path(named)] if named else []
    candidates.append(repository.parent / "shared" / "data")
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    message = f"no real data: none of {', '.join(map(str, candidates))} exists; set SEEDSIEVE_DATA"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)
