"""The tables of docs/training.md, from evaluations made up here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import training_tables


def scorer(rate: float, costs: str = "ONNX Runtime") -> dict[str, object]:
    """Figures with an FPR of `rate` at a TPR of 99 %, and ten times as much at 99.9 %."""
    rates = {"0.99": rate, "0.999": 10 * rate}
    return {
        "fpr_at_tpr": {key: {"value": value, "low": value / 2, "high": value * 2} for key, value in rates.items()},
        "microseconds": 0.25,
        "costs": costs,
        "at_threshold": {"threshold": 0.1, "tpr": 0.9985, "fpr": 0.25},
    }


@pytest.fixture
def evaluations(tmp_path: Path) -> Path:
    """What `evaluate` leaves: three sets, the shipped student, another width, trees."""
    for policy, shipped in training_tables.POLICIES.items():
        scorers = {
            "ungapped score": scorer(0.09, "known before: computed by the aligner"),
            "gap bound": scorer(0.05, "known before: computed by the aligner"),
            "table of tier 1": scorer(0.04),
            f"{shipped}_int8": scorer(0.012),
            shipped: scorer(0.011),
            f"{policy}-32-32_int8": scorer(0.008),
            "trees on the student's facts": scorer(0.004),
        }
        bound = {"distinct_inputs": 900, "seeds_with_mixed_inputs": 30, "fpr_at_tpr": {"0.99": 0.001, "0.999": 0.002}}
        figures = {
            "viable": 250,
            "hopeless": 750,
            "scorers": scorers,
            "bounds": {"both windows": bound, "the student's facts alone": bound},
        }
        sets = {name: {"seeds": 1_000, "places": 7, "policies": {policy: figures}} for name in training_tables.FRONT}
        (tmp_path / policy).mkdir()
        (tmp_path / policy / "evaluation.json").write_text(json.dumps({"data_sets": sets}))
    return tmp_path


def test_every_table_is_printed_from_the_figures(evaluations: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Rates, aims reached and missed, bounds, costs, losses."""
    assert training_tables.main(["print", str(evaluations)]) == 0
    text = capsys.readouterr().out
    assert "| 30x-k19 | 1,000 / 7 | 25.0 % | 9.0 / 90.0 | 5.0 / 50.0 | 4.0 / 40.0 | 1.2 / 12.0 | 0.4 / 4.0 |" in text
    aim = "| foreign-k14, own-extension, TPR 99.9 % | 5 % | 12.0 % (6.0 to 24.0) | 4.0 % (2.0 to 8.0) |"
    assert f"{aim} missed by the student, reached by trees |" in text
    assert "| 30x-k19 | 0.10 / 0.20 (900; 30) |" in text and "both windows" not in text
    assert "| own-extension-32-32_int8 | 0.25 | 0.8 / 8.0 |" in text and "| gap bound | - |" in text
    assert "| foreign-k12 | 0.150 % / 25.0 % | 0.150 % / 25.0 % |" in text
    drawing = (evaluations / "accuracy-cost.svg").read_text()
    assert drawing.count("<circle") == 12 * 5 and "near-best-32-32_int8" in drawing


def test_what_is_missing_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No evaluation, no tables."""
    assert training_tables.main(["print", str(tmp_path)]) == 1
    assert "training_tables.py evaluate" in capsys.readouterr().err
