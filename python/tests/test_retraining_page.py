"""Runs docs/retraining.md, command by command, on generated reads."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import onnx
import pytest
from onnx import numpy_helper

from seedsieve_train.export import write_model

CHECKOUT = Path(__file__).resolve().parents[2]
PAGE = CHECKOUT / "docs" / "retraining.md"


def commands() -> list[str]:
    """The lines of the page's `sh` blocks."""
    return [
        line for block in re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(), re.M | re.S) for line in block.splitlines()
    ]


def program() -> Path:
    """The built `seedsieve`; the test is skipped where there is none, and fails in CI."""
    found = Path(os.environ.get("SEEDSIEVE", CHECKOUT / "target" / "release" / "seedsieve"))
    if not found.is_file():
        message = f"no program {found}: build it with `cargo build --release`, or set SEEDSIEVE"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return found


@pytest.fixture(scope="module")
def ran(tmp_path_factory) -> tuple[Path, dict[str, str]]:
    """The folder that the commands were run in, and what each printed."""
    seedsieve = program()
    folder = tmp_path_factory.mktemp("retraining")
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    (bin_folder / "seedsieve").symlink_to(seedsieve)
    (bin_folder / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (bin_folder / "python").chmod(0o755)
    environment = os.environ | {
        "PATH": f"{bin_folder}:{os.environ['PATH']}",
        "PYTHONPATH": str(CHECKOUT / "python"),
        "CHECKOUT": str(CHECKOUT),
        "CUDA_VISIBLE_DEVICES": "",
    }
    make_reads(seedsieve, folder)
    printed = {}
    for command in commands():
        done = subprocess.run(
            ["sh", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-2_000:]}\n{done.stderr[-2_000:]}"
        printed[command] = done.stdout
    return folder, printed


def make_reads(seedsieve: Path, folder: Path) -> None:
    """Reads of two donors of one genome, half of them foreign: reference.fa, train_*.fastq, other_*.fastq."""
    for name, pairs in (("train", "600"), ("other", "120")):
        options = ["--genome-size", "300000", "--read-pairs", pairs, "--foreign", "0.5", "--snp-rate", "0.03"]
        subprocess.run([seedsieve, "simulate", "-o", folder / name, *options], check=True, capture_output=True)
        for mate in ("1", "2"):
            shutil.copy(folder / name / f"reads_{mate}.fastq", folder / f"{name}_{mate}.fastq")
    shutil.copy(folder / "train" / "genome.fa", folder / "reference.fa")


def test_every_command_of_the_page_runs(ran):
    folder, printed = ran
    assert len(printed) >= 12
    for path in (
        "run/my_filter_int8_packed.onnx",
        "run/my_filter.html",
        "tuned/tuned_filter.onnx",
        "evaluation/evaluation.html",
        "better.html",
        "forms/my_filter_batch512.onnx",
        "student/my_student_int8.onnx",
        "filtered.sam",
    ):
        assert (folder / path).stat().st_size > 0, path


def test_the_page_s_claims_hold(ran):
    folder, printed = ran
    report = (folder / "evaluation" / "evaluation.md").read_text()
    assert re.search(r"my_filter against seed_filter_v1 at TPR 99 %: (better|worse|no difference shown)", report)
    forms = (folder / "forms" / "my_filter.parity.md").read_text()
    assert re.search(r"native +- PyTorch", forms)
    inspected = next(text for command, text in printed.items() if command.startswith("seedsieve model inspect"))
    assert "my_filter" in inspected
    # Each epoch of the page's number, and no more.
    assert "epochs = 4" in (folder / "run" / "my_filter.toml").read_text()


def test_the_program_names_the_better_model_whichever_comes_second(ran, tmp_path):
    folder, _ = ran
    better = CHECKOUT / "models" / "seed_filter_v1_int8.onnx"
    model = onnx.load(better)
    (weights,) = (values for values in model.graph.initializer if values.name == "logit_weights")
    weights.CopyFrom(numpy_helper.from_array(-numpy_helper.to_array(weights), weights.name))
    next(prop for prop in model.metadata_props if prop.key == "seedsieve.name").value = "turned_round"
    worse = tmp_path / "turned_round_int8.onnx"
    write_model(model, worse)
    for pair in ((better, worse), (worse, better)):
        given = [word for path in pair for word in ("--model", path)]
        command = [folder / "bin" / "seedsieve", "evaluate", *given, "--data", "held_out", "--resamples", "40"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "seed_filter_v1 INT8 is better: it keeps fewer hopeless seeds" in done.stdout, done.stdout
