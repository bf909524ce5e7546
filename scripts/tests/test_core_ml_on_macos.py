import platform
import sys
from pathlib import Path

import pytest

np = pytest.importorskip("numpy")
core_ml = pytest.importorskip("core_ml_on_macos")


def test_windows_are_expanded_as_for_training(tmp_path):
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python"))
    from seedsieve_train.windows import expand_one_hot

    packed = np.random.default_rng(1).integers(0, 256, (70, 128), dtype=np.uint8)
    (tmp_path / "windows.bin").write_bytes(packed.tobytes())
    found = core_ml.windows(tmp_path / "windows.bin", 1_000, 32)
    assert np.array_equal(found, packed[:64])
    assert np.array_equal(core_ml.ONE_HOT[found].reshape(64, 2, 128, 4), expand_one_hot(packed[:64]))


def test_made_up_windows_hold_one_base_a_position():
    packed = core_ml.windows(None, 512, 512)
    assert packed.shape == (512, 128)
    assert set(np.unique(np.bitwise_count(packed))) == {2}


def test_too_few_windows_are_refused(tmp_path):
    (tmp_path / "windows.bin").write_bytes(bytes(128 * 5))
    with pytest.raises(SystemExit, match="5 windows fill no batch of 512"):
        core_ml.windows(tmp_path / "windows.bin", 1_000, 512)
    (tmp_path / "windows.bin").write_bytes(bytes(100))
    with pytest.raises(SystemExit, match="100 bytes are not whole seeds"):
        core_ml.windows(tmp_path / "windows.bin", 1_000, 512)


@pytest.mark.skipif(platform.system() == "Darwin", reason="Core ML runs here")
def test_elsewhere_it_says_that_core_ml_runs_on_macos(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["core_ml_on_macos.py", "--package", "a", "--onnx", "b"])
    assert core_ml.main() == 1
    assert "Core ML runs on macOS, this is" in capsys.readouterr().err
