import json

import numpy as np
import onnxruntime
import pytest

from seedsieve_train.__main__ import main
from seedsieve_train.checkpoint import read_checkpoint
from seedsieve_train.configuration import read_configuration
from seedsieve_train.dataset import first_seeds
from seedsieve_train.errors import TrainingError
from seedsieve_train.files import write_atomically
from seedsieve_train.parity import onnx_scores
from seedsieve_train.placement import score_packed


def train(dataset, out, *more):
    return main(["train", "--data", str(dataset), "--out", str(out), "--name", "tiny", "--threads", "1", *more])


@pytest.fixture(scope="module")
def run(dataset, tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    assert train(dataset, out, "--epochs", "2") == 0
    return out


def test_train_writes_all_files_and_nothing_else(run):
    endings = [
        ".html",
        ".md",
        ".metrics.json",
        ".onnx",
        ".pt",
        ".toml",
        "_int8.onnx",
        "_int8_packed.onnx",
        "_packed.onnx",
    ]
    assert sorted(path.name for path in run.iterdir()) == ["events", *(f"tiny{ending}" for ending in endings)]
    assert len(list((run / "events").iterdir())) == 1


def test_the_run_says_how_it_can_be_run_again(run):
    written = read_configuration(run / "tiny.toml")
    assert written == read_configuration(None, ["model.name=tiny", "train.epochs=2"])
    figures = json.loads((run / "tiny.metrics.json").read_text())
    assert figures["configuration"] == written.values()
    page = (run / "tiny.html").read_text()
    assert page.count("<svg") == 4 and "http" not in page.replace("http://www.w3.org/2000/svg", "")
    assert figures["data"][0]["sha256"] in page


def test_both_forms_of_the_input_give_the_same_scores(run, dataset):
    packed = first_seeds(dataset, 300)
    for ending in ("", "_int8"):
        expected = onnx_scores(run / f"tiny{ending}.onnx", packed)
        session = onnxruntime.InferenceSession(str(run / f"tiny{ending}_packed.onnx"))
        assert session.get_inputs()[0].type == "tensor(uint8)"
        assert np.array_equal(session.run(["viability"], {"packed": packed})[0], expected)
        assert len(np.unique(expected)) > 20


def test_metrics_have_the_keys_that_reports_read(run):
    figures = json.loads((run / "tiny.metrics.json").read_text())
    assert figures["name"] == "tiny" and figures["parameters"] == 26_913
    assert (figures["policy"], figures["label_threshold"], figures["threshold"]) == ("own-extension", 30, 0.3)
    for part in ("train", "validation", "test"):
        assert min(figures["counts"][part]["viable"], figures["counts"][part]["hopeless"]) > 0
    test = figures["test"]
    assert set(test["at_threshold"]) == {"threshold", "tpr", "fpr"}
    assert 0 < len(test["roc"]) <= 200 and set(test["histogram"]) == {"edges", "viable", "hopeless"}
    assert sum(test["histogram"]["viable"]) == figures["counts"]["test"]["viable"]
    assert set(figures["baselines"]) == {"seed length", "ungapped score"}
    for row in (test, figures["int8"], *figures["baselines"].values()):
        assert 0 <= row["auc"] <= 1 and set(row["fpr_at_tpr"]) == {"0.95", "0.99", "0.999"}
    assert [epoch["epoch"] for epoch in figures["epochs"]] == [1, 2]
    assert set(figures["epochs"][0]) == {"epoch", "train_loss", "validation_loss", "validation_auc", "seconds"}
    assert figures["parity"]["largest_difference"] < 1e-5 and figures["seconds"] > 0


def test_card_is_filled(run):
    card = (run / "tiny.md").read_text()
    assert "$" not in card
    for words in ("26,913 parameters", "generated.bam", "own-extension", "too few to choose one", "do not show"):
        assert words in card


def test_threshold_of_the_command_line_is_stored(dataset, tmp_path):
    assert train(dataset, tmp_path, "--epochs", "1", "--max-seeds", "2500", "--threshold", "0.125") == 0
    properties = onnxruntime.InferenceSession(str(tmp_path / "tiny_int8.onnx")).get_modelmeta().custom_metadata_map
    assert properties["seedsieve.threshold"] == "0.125"


def test_scores_are_those_of_the_first_rows(run, dataset, tmp_path, capsys):
    out = tmp_path / "scores.f32"
    windows = tmp_path / "windows.bin"
    arguments = ["--checkpoint", str(run / "tiny.pt"), "--data", str(dataset), "--seeds", "100", "--out", str(out)]
    assert main(["scores", *arguments, "--windows", str(windows)]) == 0
    packed = first_seeds(dataset, 100)
    assert np.array_equal(
        np.frombuffer(out.read_bytes(), "<f4"), score_packed(read_checkpoint(run / "tiny.pt"), packed)
    )
    assert windows.read_bytes() == packed.tobytes()


def test_parity_tells_equal_from_different_models(run, dataset, tmp_path, capsys):
    common = ["--checkpoint", str(run / "tiny.pt"), "--data", str(dataset), "--seeds", "500"]
    out = tmp_path / "parity.json"
    assert main(["parity", "--model", str(run / "tiny.onnx"), *common, "--out", str(out)]) == 0
    assert json.loads(out.read_text())["seeds"] == 500
    assert main(["parity", "--model", str(run / "tiny_int8.onnx"), *common]) == 1


def test_errors_are_one_line_and_leave_nothing_behind(dataset, tmp_path, capsys):
    out = tmp_path / "out"
    assert train(tmp_path / "nowhere", out) == 1
    message = capsys.readouterr().err
    assert message.startswith("error: ") and "nowhere: no dataset.json" in message and message.count("\n") == 1
    assert list(out.iterdir()) == []
    (tmp_path / "file").write_text("")
    assert train(dataset, tmp_path / "file") == 1
    assert "file: cannot be created" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"no checkpoint", None])
def test_a_damaged_checkpoint_is_refused(run, tmp_path, content):
    path = tmp_path / "broken.pt"
    path.write_bytes(content if content is not None else (run / "tiny.pt").read_bytes()[:5_000])
    with pytest.raises(TrainingError, match=r"broken\.pt: not a checkpoint of this network, or damaged"):
        read_checkpoint(path)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (["--epochs", "0"], "train.epochs is 0; valid are 1 to"),
        (["--epochs", "many"], "train.epochs is 'many', valid is a whole number"),
        (["--name", "../x"], "model.name is '../x'; valid are letters"),
        (["--threshold", "1.5"], "threshold.value is 1.5; valid are -1 to 1"),
        (["--block-bases", "1999"], "data.block_bases is 1999; valid are 2000 to"),
        (["--policy", "best"], "data.policy is 'best'; valid are own-extension"),
        (["--set", "train.epoch=1"], "no key 'epoch' in [train]; valid are epochs"),
        (["--set", "training.epochs=1"], "no section 'training'; sections are model"),
        (["--set", "epochs"], "give section.key=value"),
        (["--config", "nowhere.toml"], "nowhere.toml: cannot be read"),
        (["--resume"], "nothing to resume"),
    ],
)
def test_invalid_options_are_refused(dataset, tmp_path, capsys, option, message):
    assert train(dataset, tmp_path, *option) == 1
    error = capsys.readouterr().err
    assert message in error and error.count("error: ") == 1
    assert [path.name for path in tmp_path.iterdir()] == []


def test_a_failed_write_leaves_nothing_behind(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "inside").write_text("")
    with pytest.raises(TrainingError, match="folder: cannot be written"):
        write_atomically(tmp_path / "folder", b"content")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
