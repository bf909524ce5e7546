import json

import numpy as np
import onnx
import pytest

from seedsieve_train.__main__ import main
from seedsieve_train.coreml import build, walker
from seedsieve_train.errors import TrainingError
from seedsieve_train.export import float_model
from seedsieve_train.input_forms import with_fixed_batch, with_packed_input
from seedsieve_train.parity import compare
from seedsieve_train.placement import score_packed
from seedsieve_train.windows import expand_one_hot


@pytest.fixture(scope="module")
def run(dataset, tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    options = ["--name", "tiny", "--epochs", "1", "--threads", "1", "--device", "cpu", "--set", "quantise.epochs=1"]
    assert main(["train", "--data", str(dataset), "--out", str(out), *options]) == 0
    return out


def test_all_onnx_forms_agree(run, dataset, tmp_path, capsys):
    options = ["--name", "tiny", "--out", str(tmp_path), "--data", str(dataset), "--seeds", "700", "--no-core-ml"]
    assert main(["export", "--run", str(run), *options]) == 0
    result = json.loads((tmp_path / "tiny.parity.json").read_text())
    assert len(result["forms"]) == 10 and result["seeds"] == 700
    for form in result["forms"]:
        assert form["largest_difference"] < (0.05 if "_int8" in form["form"] else 1e-5), form
        assert 0 < form["bytes"] < 1_000_000
    inputs = {name: onnx.load(tmp_path / f"tiny{name}.onnx").graph.input[0].name for name in ("_packed", "_batch1024")}
    assert inputs == {"_packed": "packed", "_batch1024": "contexts"}
    assert "tiny_packed.onnx" in capsys.readouterr().out


def test_another_folder_is_refused(dataset, tmp_path, capsys):
    arguments = ["export", "--run", str(tmp_path), "--out", str(tmp_path / "out"), "--data", str(dataset)]
    assert main(arguments) == 1
    assert "seed_filter_v1.pt: cannot be read" in capsys.readouterr().err


def test_a_fixed_batch_is_in_the_file(network, metadata):
    model = with_packed_input(with_fixed_batch(float_model(network, metadata), 512))
    shapes = [
        [axis.dim_value for axis in value.type.tensor_type.shape.dim]
        for value in (*model.graph.input, *model.graph.output)
    ]
    assert shapes == [[512, 128], [512]]


def test_without_coremltools_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "coremltools", None)
    with pytest.raises(TrainingError, match=r"coremltools is not installed.*coreml\.lock"):
        build.coremltools()


@pytest.mark.parametrize(
    ("batches", "eight_bits", "limit"), [((256,), False, 0.02), ((256, 512), False, 0.02), ((256,), True, 0.2)]
)
def test_a_core_ml_package_computes_the_network(network, metadata, packed, tmp_path, batches, eight_bits, limit):
    pytest.importorskip("coremltools")
    model = build.core_ml_model(network, metadata, batches, eight_bits)
    build.write_package(model, tmp_path / "x.mlpackage")
    build.write_package(model, tmp_path / "x.mlpackage")
    assert [path.name for path in tmp_path.iterdir()] == ["x.mlpackage"]
    assert build.package_bytes(tmp_path / "x.mlpackage") < 100_000
    program = walker.read_program(tmp_path / "x.mlpackage")
    scores = walker.walk(program, expand_one_hot(packed[:256]))
    reference = score_packed(network, packed[:256])
    parity = compare(reference, scores, 0.3)
    # The network of these tests is steep: small differences become large ones.
    assert 0 < parity.largest_difference < limit and reference.std() > 0.1


def test_the_walker_sees_a_wrong_program(network, metadata, packed):
    pytest.importorskip("coremltools")
    program = build.core_ml_model(network, metadata, (64,))._mil_program
    for operation in program.functions["main"].operations:
        if operation.op_type == "transpose":
            operation.perm.val[:] = [0, 1, 2, 3]
    scores = walker.walk(program, expand_one_hot(packed[:64]))
    assert np.abs(scores - score_packed(network, packed[:64])).max() > 0.1
