"""The tables of docs/training.md, from evaluations made up here."""

from __future__ import annotations

import json
import sys
from itertools import pairwise
from pathlib import Path

import pytest

import training_evaluations
import training_tables
from training_evaluations import BEFORE_CHAINING, EXTENSION, GATES, POLICIES

KNOWN = "known before: computed by the aligner"


def scorer(rate: float, costs: str = "ONNX Runtime", microseconds: float = 0.25) -> dict[str, object]:
    """Figures with an FPR of `rate` at a TPR of 99 %, and ten times as much at 99.9 %."""
    rates = {"0.99": rate, "0.999": 10 * rate}
    return {
        "fpr_at_tpr": {key: {"value": value, "low": value / 2, "high": value * 2} for key, value in rates.items()},
        "microseconds": microseconds,
        "costs": costs,
        "at_threshold": {"threshold": 0.1, "tpr": 0.9985, "fpr": 0.25},
        "point": {"tpr_above": 0.95, "fpr": 10 * rate, "reached": 10 * rate < 0.4},
    }


def scorers_of(gate: training_evaluations.Gate, policy: str) -> dict[str, dict[str, object]]:
    """What `evaluate` finds at a gate."""
    shared = {
        "seed length": scorer(0.099, KNOWN),
        "ungapped score": scorer(0.09, KNOWN),
        "gap bound": scorer(0.05, KNOWN),
        "narrow score": scorer(0.006, KNOWN),
        "narrow score and the read's best": scorer(0.007, KNOWN),
    }
    if gate is EXTENSION:
        shipped = gate.shipped[policy]
        return shared | {
            "table of tier 1": scorer(0.04),
            f"{shipped}_int8": scorer(0.012),
            shipped: scorer(0.011),
            f"{policy}-32-32_int8": scorer(0.008),
            f"{policy}-narrow-8-8_int8": scorer(0.005),
            "trees on facts without narrow scores": scorer(0.009),
            "trees on the student's facts": scorer(0.004),
        }
    return shared | {
        "trees on the windows": scorer(0.045),
        "trees on all seed facts": scorer(0.02),
        "seed_filter_v1": scorer(0.041 if policy == "near-best" else 0.03, microseconds=22.5),
        "seed_filter_v1_int8": scorer(0.031),
        "seed_student_v1_int8": scorer(0.021),
        "seed_student_near_v1_int8": scorer(0.022),
    }


@pytest.fixture
def evaluations(tmp_path: Path) -> Path:
    """What `evaluate` leaves: three sets at both gates. The first set was disturbed: all took ten times as long.

    So was the other policy.
    """
    bound = {"distinct_inputs": 900, "seeds_with_mixed_inputs": 30, "fpr_at_tpr": {"0.99": 0.001, "0.999": 0.002}}
    bounds = ("both windows", "the student's features", "the same with gap bounds", "the student's facts alone")
    bounds = (*bounds, "facts without narrow scores alone")
    for beginning, gate in GATES.items():
        for policy in POLICIES:
            sets = {}
            for name in training_tables.FRONT:
                scorers = scorers_of(gate, policy)
                for of in scorers.values():
                    of["microseconds"] *= 10 if not sets or policy != POLICIES[0] else 1
                figures = {"viable": 250, "hopeless": 750, "scorers": scorers, "bounds": dict.fromkeys(bounds, bound)}
                sets[f"sets/test/{name}"] = {"seeds": 1_000, "places": 7, "policies": {policy: figures}}
            if gate is EXTENSION:
                sets["sets/fresh/foreign-k14"] = sets["sets/test/foreign-k14"]
            folder = tmp_path / f"{beginning}{policy}"
            folder.mkdir()
            (folder / "evaluation.json").write_text(json.dumps({"data_sets": sets}))
    return tmp_path


@pytest.fixture
def text(evaluations: Path, capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """What is printed: of seeds of chains, and of all seeds."""
    (evaluations / "parity" / "all").mkdir(parents=True)
    (evaluations / "parity" / "all" / "students.parity.md").write_text("| seed_student_v1 | 7 of 9,000 |\n")
    assert training_tables.main(["print", str(evaluations)]) == 0
    chains, everything = capsys.readouterr().out.split("# Before chaining\n")
    return chains, everything


def test_rates_of_both_gates_are_printed(text: tuple[str, str]) -> None:
    """One line a set, each scorer under its heading."""
    chains, everything = text
    figures = "1,000 / 7 | 25.0 % | 9.0 / 90.0 | 5.0 / 50.0 | 4.0 / 40.0 | 1.2 / 12.0"
    line = f"| 30x-k19 | {figures} | 0.9 / 9.0 | {{}} | 0.4 / 4.0 | 32-32 |"
    assert chains.count(line.format("0.6 / 6.0")) == 1 and chains.count(line.format("0.7 / 7.0")) == 1
    assert chains.count("| fresh/foreign-k14 | 1,000 / 7 |") == 2
    line = "| 30x-k19 | 1,000 / 7 | 25.0 % | 9.0 / 90.0 | 4.5 / 45.0 | 2.0 / 20.0 | {} | 2.1 / 21.0 | 2.2 / 22.0 | {} |"
    assert line.format("3.0 / 30.0", "0.6 / 6.0") in everything
    assert line.format("4.1 / 41.0", "0.7 / 7.0") in everything


def test_the_lowest_is_that_at_the_high_rate() -> None:
    """Another one may be lower at a TPR of 99 %."""
    first, second = scorer(0.01), scorer(0.02)
    second["fpr_at_tpr"]["0.999"] = {"value": 0.03}  # type: ignore[index]
    exact = dict.fromkeys(("narrow score", "near-best-narrow-8-8_int8", "trees on the student's facts"), scorer(0.0))
    assert training_tables.lowest({"first": first, "second": second} | exact) == "second"


def test_aims_are_judged_by_the_student_by_the_best_and_by_narrow_scores(text: tuple[str, str]) -> None:
    """Version 1 has its own students."""
    chains, everything = text
    student, best = "12.0 % (6.0 to 24.0), missed", "8.0 % (4.0 to 16.0), missed: 32-32"
    aim = f"| foreign-k14, own-extension, TPR 99.9 % | 5 % | {student} | {best}"
    assert f"{aim} | 6.0 % (3.0 to 12.0), missed |" in chains
    student, best = "21.0 % (10.5 to 42.0), missed", "20.0 % (10.0 to 40.0), missed: trees on all seed facts"
    aim = f"| 30x-k19, own-extension, TPR 99.9 % | 10 % | {student} | {best}"
    assert f"{aim} | 6.0 % (3.0 to 12.0), reached |" in everything
    assert "| foreign-k12, own-extension, TPR 99 % | 2 % | 1.2 % (0.6 to 2.4), reached |" in chains


def test_bounds_are_those_of_the_inputs_of_the_gate_s_models(text: tuple[str, str]) -> None:
    """Facts of the shipped students; windows and features for version 1."""
    chains, everything = text
    assert "| 30x-k19 | 0.10 / 0.20 (900; 30) |" in chains and "both windows" not in chains
    assert "| `near-best` | facts without narrow scores alone |" in chains
    assert "| `near-best` | both windows | the student's features |" in everything and "gap bounds" not in everything


def test_costs_are_those_of_the_set_that_was_disturbed_least(text: tuple[str, str]) -> None:
    """And none of what the aligner knows."""
    chains, everything = text
    assert "| 32-32 | 0.25 | 0.8 / 8.0 |" in chains and "| gap bound | - |" in chains
    # But for what it computes for the filter alone.
    for part in text:
        assert part.count("| narrow score | 0.56 |") == part.count("| narrow score and the read's best | 0.56 |") == 1
    assert (
        "| seed_filter_v1 | 22.50 | 3.0 / 30.0 |" in everything
        and "| seed_filter_v1 | 22.50 | 4.1 / 41.0 |" in everything
    )
    assert "225" not in everything and "| seed length |" not in everything
    assert "| seed_student_v3 |" not in chains


def test_losses_the_asked_point_and_parity_are_printed(text: tuple[str, str]) -> None:
    """What else the page quotes."""
    chains, everything = text
    assert "| foreign-k12 | 0.150 % / 25.0 % | 0.150 % / 25.0 % |" in chains
    assert "reached on 3 of 6" in everything and "missed on 30x-k19 (near-best): 41 %" in everything
    assert "## Parity: students (all)\n| seed_student_v1 | 7 of 9,000 |" in everything


def test_both_plots_are_drawn(evaluations: Path, text: tuple[str, str]) -> None:
    """A chart for each policy, set and rate."""
    assert text
    drawing = (evaluations / "accuracy-cost-chains.svg").read_text()
    assert drawing.count("<circle") == 12 * 8 and ">32-32<" in drawing
    drawing = (evaluations / "accuracy-cost.svg").read_text()
    assert drawing.count("<circle") == 12 * 8 and ">seed_student_near_v1_int8<" in drawing


def test_what_is_missing_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No evaluation, no tables."""
    assert training_tables.main(["print", str(tmp_path)]) == 1
    assert "training_tables.py evaluate" in capsys.readouterr().err


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Commands of the training package that would have been run."""
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> None:
        assert command[:3] == [sys.executable, "-m", "seedsieve_train"]
        commands.append(command[3:])

    monkeypatch.setattr(training_evaluations.subprocess, "run", run)
    return commands


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    """Folders of data sets, and one that holds none."""
    for name in ("train/foreign-k14", "test/30x-k19", "test/foreign-k14", "fresh/foreign-k14"):
        (tmp_path / "sets" / name).mkdir(parents=True)
        (tmp_path / "sets" / name / "dataset.json").write_text("{}")
    (tmp_path / "sets" / "test" / "half-made").mkdir()
    return tmp_path / "sets"


def given(command: list[str], option: str) -> list[str]:
    """Values of an option; of paths the last two names."""
    values = [value for word, value in pairwise(command) if word == option]
    return ["/".join(Path(value).parts[-2:]) for value in values]


def test_the_test_sets_are_evaluated_and_never_those_of_training(sets: Path, asked: list[list[str]]) -> None:
    """Trees learn from `train/`; fresh sets are for the extension gate; shipped models exist."""
    students, out = sets.parent / "students", sets.parent / "out"
    students.mkdir()
    for name in ("own-extension-32-32_int8", "own-extension-32-32", "near-best-8-8_int8"):
        (students / f"{name}.onnx").write_bytes(b"")
    (out / "near-best").mkdir(parents=True)
    (out / "near-best" / "evaluation.json").write_text("{}")
    words = ["evaluate", "--sets", str(sets), "--students", str(students), "--out", str(out)]
    assert training_tables.main(words) == 0
    assert [given(command, "--out")[0] for command in asked] == [
        "out/own-extension",
        "out/before-chaining-own-extension",
        "out/before-chaining-near-best",
    ]
    chains, everything = asked[0], asked[1]
    assert given(chains, "--data") == ["test/30x-k19", "test/foreign-k14", "fresh/foreign-k14"]
    assert given(everything, "--data") == ["test/30x-k19", "test/foreign-k14"]
    assert {tuple(given(command, "--train-data")) for command in asked} == {("train/foreign-k14",)}
    assert given(chains, "--model")[-1] == "students/own-extension-32-32_int8.onnx"
    assert {tuple(given(command, "--max-train-seeds")) for command in asked[1:]} == {("300000",)}
    assert not given(chains, "--max-train-seeds")
    assert given(chains, "--population") == ["chains"] and given(everything, "--population") == ["all"]
    for command in asked:
        shipped = [path for path in given(command, "--model") if not path.startswith("students/")]
        assert len(shipped) > 1
        assert all((training_evaluations.REPOSITORY / path).is_file() for path in shipped), shipped


def test_trees_of_chains_can_learn_from_fewer_seeds(sets: Path, asked: list[list[str]]) -> None:
    """And those of all seeds from as many as ever."""
    words = ["evaluate", "--sets", str(sets), "--out", str(sets.parent / "out"), "--max-train-seeds", "900000"]
    assert training_tables.main(words) == 0
    limits = [given(command, "--max-train-seeds") for command in asked]
    assert limits == [["900000"], ["900000"], ["300000"], ["300000"]]


@pytest.mark.parametrize("core_ml", [True, False])
def test_parity_is_of_all_models_that_ship(
    sets: Path, asked: list[list[str]], monkeypatch: pytest.MonkeyPatch, core_ml: bool
) -> None:
    """Students of both gates, and every form of the network; Core ML's where coremltools is."""
    monkeypatch.setattr(training_evaluations, "find_spec", lambda _: object() if core_ml else None)
    words = ["parity", "--sets", str(sets), "--out", str(sets.parent / "out"), "--seedsieve", "bin/seedsieve"]
    assert training_tables.main(words) == 0
    assert [command[0] for command in asked] == ["student-parity", "student-parity", "export"]
    assert ("--no-core-ml" in asked[2]) == (not core_ml)
    compared = [path for command in asked[:2] for path in given(command, "--model")]
    gates = (EXTENSION, BEFORE_CHAINING)
    assert compared == [f"models/{name}.onnx" for gate in gates for name in gate.shipped.values()]
    assert all(given(command, "--seedsieve") == ["bin/seedsieve"] for command in asked)
