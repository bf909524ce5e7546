"""Windows of a data set's first seeds and PyTorch's scores of them, for `cargo xtask bench answers`.

    PYTHONPATH=python .venv/bin/python scripts/answers_reference.py models/seed_filter_v1.pt DATA_SET OUT [SEEDS]

Writes OUT/windows.bin (128 bytes a seed) and OUT/scores.f32 (32-bit floats, little-endian) of 10,000 seeds, or as many
as the data set has.
"""

import sys
from pathlib import Path

from seedsieve_train.checkpoint import read_checkpoint
from seedsieve_train.dataset import first_seeds
from seedsieve_train.placement import score_packed


def main() -> None:
    """Score the first windows and write both files."""
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    checkpoint, data, out = (Path(argument) for argument in sys.argv[1:4])
    packed = first_seeds(data, int(sys.argv[4]) if len(sys.argv) == 5 else 10_000)
    scores = score_packed(read_checkpoint(checkpoint), packed)
    out.mkdir(parents=True, exist_ok=True)
    (out / "windows.bin").write_bytes(packed.tobytes())
    (out / "scores.f32").write_bytes(scores.astype("<f4").tobytes())
    print(f"{out}: {len(packed)} seeds")


if __name__ == "__main__":
    main()
