"""Runs the evaluations that scripts/training_tables.py prints. Standard library only."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
MODELS = REPOSITORY / "models"
POLICIES = ("own-extension", "near-best")
TREES = ("facts without narrow scores", "the student's facts")
"""What trees at the extension gate see: what shipped students do, and narrow scores, too."""


@dataclass(frozen=True)
class Gate:
    """Where seeds are judged: what is evaluated there, on which seeds."""

    population: str
    """`--population` of `evaluate`."""
    shipped: dict[str, str]
    """The shipped student of each policy."""
    others: dict[str, tuple[str, ...]]
    """Further models of each policy."""
    trees: tuple[str, ...]
    """`--trees` of `evaluate`."""
    limits: tuple[str, ...] = ()
    """Options that make it end in time."""

    def models(self, policy: str) -> list[Path]:
        """Model files, the shipped student of the policy first: all others are compared with it."""
        first = self.shipped[policy]
        names = dict.fromkeys((f"{first}_int8", first, *self.others[policy]))
        return [MODELS / f"{name}.onnx" for name in names]


EXTENSION = Gate(
    "chains",
    {"own-extension": "seed_student_v3", "near-best": "seed_student_near_v2"},
    {"own-extension": ("seed_student_v2_int8",), "near-best": ()},
    TREES,
)
"""Seeds of chains that survive: students of versions 2 and 3."""
NETWORK = "seed_filter_v1"
V1 = (NETWORK, f"{NETWORK}_int8", "seed_student_v1_int8", "seed_student_near_v1_int8")
BEFORE_CHAINING = Gate(
    "all",
    {"own-extension": "seed_student_v1", "near-best": "seed_student_near_v1"},
    dict.fromkeys(POLICIES, V1),
    ("the windows", "all seed facts"),
    ("--max-seeds", "15000", "--max-train-seeds", "300000"),
)
"""All seeds, version 1."""
GATES = {"": EXTENSION, "before-chaining-": BEFORE_CHAINING}
"""By the beginning of the folder's name in OUT; the policy follows."""


def evaluate(
    sets: Path, students: Path | None, out: Path, threads: int, resamples: int, max_train_seeds: int | None = None
) -> None:
    """Write OUT/POLICY and OUT/before-chaining-POLICY/evaluation.json for both policies, where they are not there.

    `max_train_seeds` is about how many seeds of chains trees learn from; None: all.
    """
    tests, fresh, train = (data_sets(sets / part) for part in ("test", "fresh", "train"))
    for beginning, gate in GATES.items():
        for policy in POLICIES:
            folder = out / f"{beginning}{policy}"
            if (folder / "evaluation.json").is_file():
                continue
            models = gate.models(policy)
            if students is not None and gate is EXTENSION:
                models += sorted(students.glob(f"{policy}*_int8.onnx"))
            words = ["evaluate", "--policy", policy, "--population", gate.population, "--part", "all"]
            words += ["--resamples", str(resamples), "--threads", str(threads)]
            if max_train_seeds is not None and gate is EXTENSION:
                words += ["--max-train-seeds", str(max_train_seeds)]
            words += [*gate.limits, *repeated("--trees", gate.trees), *repeated("--model", models)]
            given = [*tests, *(fresh if gate is EXTENSION else [])]
            words += repeated("--data", given) + repeated("--train-data", train)
            package(*words, "--out", str(folder))


def parity(sets: Path, out: Path, seedsieve: Path) -> None:
    """Write OUT/parity: every form of the network, and every way to a student's score, beside PyTorch's."""
    folder, program = out / "parity", ("--seedsieve", str(seedsieve))
    test = sets / "test"
    for gate, names in ((EXTENSION, ("foreign-k14", "30x-k19")), (BEFORE_CHAINING, ("foreign-k14",))):
        given = repeated("--model", [MODELS / f"{name}.onnx" for name in gate.shipped.values()])
        given += repeated("--data", [test / name for name in names])
        package("student-parity", *given, "--out", str(folder / gate.population), *program)
    forms = ("export", "--run", str(MODELS), "--out", str(folder), "--data", str(test / "foreign-k14"))
    # Core ML packages need coremltools (python/optional/coreml.lock).
    without = () if find_spec("coremltools") else ("--no-core-ml",)
    package(*forms, *program, *without)


def data_sets(folder: Path) -> list[Path]:
    """Data sets in a folder; none where there is no folder."""
    return sorted(path.parent for path in folder.glob("*/dataset.json"))


def repeated(option: str, values: tuple[str, ...] | list[Path]) -> list[str]:
    """An option once for each value."""
    return [word for value in values for word in (option, str(value))]


def package(*words: str) -> None:
    """Run a command of the training package.

    Raises:
        subprocess.CalledProcessError: if it fails.
    """
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY / "python")}
    subprocess.run([sys.executable, "-m", "seedsieve_train", *words], check=True, env=environment)
