import json
import stat

import numpy as np
import onnx
import pytest
from generated import random_columns, with_masks, write_dataset
from onnx import numpy_helper

from seedsieve_train.__main__ import main

PROGRAM = """#!/bin/sh
echo "PyTorch  runs; 3 of 9 seeds score 0.5 or more"
echo "native avx2 - PyTorch: largest difference 3.00e-8 (seed 0), 0 above 5e-2; 0 decisions at 0.3 differ"
echo "tract    - PyTorch: largest difference 2.50e-1 (seed 7), 4 above 5e-2; 12 decisions at 0.3 differ"
echo "tract    - native avx2: largest difference 2.50e-1 (seed 7), 4 above 5e-2; 12 decisions at 0.3 differ"
echo "error: scores differ" >&2
exit 1
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A data set and the files of a student."""
    folder = tmp_path_factory.mktemp("student")
    write_dataset(folder / "set", with_masks(random_columns(3_600, seed=11)), schema_version=5)
    options = ["--epochs", "6", "--threads", "1", "--device", "cpu", "--name", "small", "--hidden", "12", "8"]
    assert main(["student", "--data", str(folder / "set"), "--out", str(folder / "out"), *options]) == 0
    return folder


def parity(trained, model, out, *more):
    """Exit code and rows by what they compare."""
    options = ["--model", str(model), "--data", str(trained / "set"), "--out", str(out), *map(str, more)]
    code = main(["student-parity", *options])
    rows = json.loads((out / "students.parity.json").read_text()) if code == 0 else []
    return code, {(row["compared"], row["reference"]): row for row in rows}


def test_files_integers_and_pytorch_agree(trained, tmp_path):
    code, rows = parity(trained, trained / "out" / "small.onnx", tmp_path)
    assert code == 0 and len(rows) == 4
    assert {row["student"] for row in rows.values()} == {"small"} and all(row["seeds"] > 3_000 for row in rows.values())
    assert rows["float file, ONNX Runtime", "PyTorch, float32"]["largest_difference"] < 1e-5
    assert rows["eight bits, ONNX Runtime", "integers, Python"]["decisions_changed"] <= 3
    assert rows["PyTorch, rounding as in eight bits", "integers, Python"]["decisions_changed"] <= 3
    assert 0 < rows["integers, Python", "PyTorch, float32"]["largest_difference"] < 0.5
    table = (tmp_path / "students.parity.md").read_text()
    assert "| small | integers, Python | PyTorch, float32 | " in table


def test_another_weight_in_the_file_of_eight_bits_is_seen(trained, tmp_path):
    """The four ways are computed each by itself: none is the other's copy."""
    for ending in ("", "_int8"):
        file = onnx.load(trained / "out" / f"small{ending}.onnx")
        if ending:
            place = next(one for one in file.graph.initializer if one.name == "dense3_biases_integers")
            place.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(place) + np.int32(40_000), place.name))
        onnx.save(file, tmp_path / f"other{ending}.onnx")
    _, before = parity(trained, trained / "out" / "small.onnx", tmp_path / "before")
    _, after = parity(trained, tmp_path / "other.onnx", tmp_path / "after")
    changed = ("integers, Python", "PyTorch, float32")
    assert after[changed]["largest_difference"] > 2 * before[changed]["largest_difference"]
    # The file and the integers that were read from it still agree.
    same = ("eight bits, ONNX Runtime", "integers, Python")
    assert after[same]["largest_difference"] < 1e-3


def test_what_the_program_says_is_read_even_where_it_refuses(trained, tmp_path):
    program = tmp_path / "seedsieve"
    program.write_text(PROGRAM)
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    code, rows = parity(trained, trained / "out" / "small.onnx", tmp_path / "out", "--seedsieve", program)
    assert code == 0 and len(rows) == 8
    assert rows["eight bits, native avx2", "integers, Python"]["largest_difference"] == 3e-8
    assert rows["float file, tract", "PyTorch, float32"]["decisions_changed"] == 12


def test_files_and_programs_of_another_kind_are_refused(trained, tmp_path, capsys):
    assert parity(trained, tmp_path / "none.onnx", tmp_path / "out")[0] == 1
    assert "none.onnx: cannot be read" in capsys.readouterr().err
    program = tmp_path / "seedsieve"
    program.write_text("#!/bin/sh\necho no such command >&2\nexit 2\n")
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    code, _ = parity(trained, trained / "out" / "small.onnx", tmp_path / "out", "--seedsieve", program)
    assert code == 1 and "no such command" in capsys.readouterr().err


def test_a_data_set_without_narrow_scores_is_refused(trained, tmp_path, capsys):
    columns = with_masks(random_columns(600, seed=3))
    columns.pop("narrow_score")
    folder = write_dataset(tmp_path / "old", columns, schema_version=4)
    options = ["--model", str(trained / "out" / "small.onnx"), "--data", str(folder), "--out", str(tmp_path / "out")]
    assert main(["student-parity", *options]) == 1
    assert f"sees what {folder} does not have" in capsys.readouterr().err
