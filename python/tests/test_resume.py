import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from seedsieve_train.__main__ import main
from seedsieve_train.checkpoint import read_checkpoint
from seedsieve_train.model import seeded_network

PACKAGE = Path(__file__).resolve().parents[1]
SETTINGS = ["--name", "tiny", "--threads", "1", "--device", "cpu", "--set", "train.batch_size=256"]


def command(dataset, out, *more):
    return ["train", "--data", str(dataset), "--out", str(out), *SETTINGS, *more]


@pytest.fixture(scope="module")
def whole(dataset, tmp_path_factory):
    out = tmp_path_factory.mktemp("whole")
    assert main(command(dataset, out, "--epochs", "3")) == 0
    return out


def interrupted(dataset, out, monkeypatch, *more):
    """Stops a training of three epochs in the middle of the second."""
    from seedsieve_train import train

    one_epoch = train._one_epoch
    calls = []

    def stopped(*arguments):
        calls.append(None)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return one_epoch(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(train, "_one_epoch", stopped)
        assert main(command(dataset, out, "--epochs", "3", *more)) == 130


@pytest.mark.parametrize("placement", ["memory", "stream"])
def test_a_resumed_training_gives_the_same_bytes(dataset, whole, tmp_path, monkeypatch, capsys, placement):
    options = ["--set", f"data.placement={placement}"]
    expected = whole
    if placement == "stream":
        expected = tmp_path / "expected"
        assert main(command(dataset, expected, "--epochs", "3", *options)) == 0
    out = tmp_path / "out"
    interrupted(dataset, out, monkeypatch, *options)
    assert "`train --resume` goes on" in capsys.readouterr().err
    assert not (out / "tiny.onnx").exists() and (out / "tiny.state.pt").exists()
    assert main(command(dataset, out, "--epochs", "3", "--resume", *options)) == 0
    assert "going on after epoch 1" in capsys.readouterr().out
    for ending in (".onnx", "_int8.onnx", ".pt"):
        assert (out / f"tiny{ending}").read_bytes() == (expected / f"tiny{ending}").read_bytes()
    assert not (out / "tiny.state.pt").exists()


def test_another_configuration_does_not_resume(dataset, tmp_path, monkeypatch, capsys):
    interrupted(dataset, tmp_path, monkeypatch)
    assert main(command(dataset, tmp_path, "--epochs", "4", "--resume")) == 1
    assert "other settings or data; now different: epochs = 4." in capsys.readouterr().err


def test_a_damaged_state_is_refused(dataset, tmp_path, capsys):
    (tmp_path / "tiny.state.pt").write_bytes(b"nothing")
    assert main(command(dataset, tmp_path, "--resume")) == 1
    assert "tiny.state.pt: not the state of a training" in capsys.readouterr().err


def test_fine_tuning_starts_where_the_checkpoint_is(dataset, whole, tmp_path):
    settings = ["--epochs", "1", "--set", "train.learning_rate=0", "--set", "quantise.epochs=0"]
    assert main(command(dataset, tmp_path, "--init-from", str(whole / "tiny.pt"), *settings)) == 0
    before, after = read_checkpoint(whole / "tiny.pt"), read_checkpoint(tmp_path / "tiny.pt")
    assert torch.equal(before.hidden.weight, after.hidden.weight)


def test_two_processes_train_one_network(dataset, tmp_path):
    """What torchrun starts: gloo on the CPU, each with its part of every batch."""
    environment = os.environ | {"PYTHONPATH": str(PACKAGE), "OMP_NUM_THREADS": "1"}
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    arguments = command(dataset, tmp_path / "two", "--epochs", "2", "--set", "quantise.epochs=0")
    done = subprocess.run(
        [*launcher, "-m", "seedsieve_train", *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "device: cpu, 2 processes" in done.stdout and done.stdout.count("device: cpu") == 1
    assert main(command(dataset, tmp_path / "one", "--epochs", "2", "--set", "quantise.epochs=0")) == 0
    # The mean of the two halves' gradients is that of the batch; normalisation sees halves, so not to the last bit.
    one, two = (read_checkpoint(tmp_path / name / "tiny.pt").hidden.weight for name in ("one", "two"))
    moved = (one - seeded_network(1).hidden.weight).norm()
    assert 0 < (one - two).norm() < 0.1 * moved
