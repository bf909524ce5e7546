import json

import numpy as np
import pytest
from generated import random_columns, with_masks, write_dataset

from seedsieve_train.__main__ import main
from seedsieve_train.dataset import read_manifest
from seedsieve_train.evaluation import figures
from seedsieve_train.evaluation.comparison import compare_models
from seedsieve_train.evaluation.figures import average_precision, bound_of_inputs, calibration, strata
from seedsieve_train.evaluation.rows import evaluation_rows
from seedsieve_train.metrics import _at_most, largest_rate, misses_allowed


@pytest.fixture(scope="module")
def models(dataset, tmp_path_factory):
    """A model that has learnt the planted rule, and one that has not."""
    out = tmp_path_factory.mktemp("models")
    common = ["train", "--data", str(dataset), "--out", str(out), "--threads", "1", "--device", "cpu"]
    batch = ["--set", "train.batch_size=128"]
    assert main([*common, "--name", "good", "--epochs", "3", *batch]) == 0
    assert main([*common, "--name", "bad", "--epochs", "1", "--set", "train.learning_rate=0"]) == 0
    return out


def evaluate(dataset, out, *more):
    return main(["evaluate", "--data", str(dataset), "--out", str(out), "--resamples", "40", "--threads", "1", *more])


def test_the_better_model_is_found(models, dataset, tmp_path, capsys):
    pair = ["--model", str(models / "bad.onnx"), "--model", str(models / "good.onnx")]
    assert evaluate(dataset, tmp_path, *pair, "--train-data", str(dataset), "--policy", "own-extension") == 0
    result = json.loads((tmp_path / "evaluation.json").read_text())
    figures = result["data_sets"]["set"]["policies"]["own-extension"]
    verdicts = {found["tpr"]: found["verdict"] for found in figures["comparisons"]}
    assert verdicts[0.99] == "better"
    scorers = figures["scorers"]
    assert scorers["good"]["auc"] > 0.9 and scorers["good"]["point"]["reached"]
    assert not scorers["seed length"]["point"]["reached"]
    expected = {"seed length", "ungapped score", "q-gram vote", "bit-vector distance", "bad", "good"}
    assert set(scorers) == expected | {"trees on the windows", "trees on all seed facts"}
    # The planted rule is the share of G and C, which trees see.
    assert scorers["trees on the windows"]["auc"] > 0.9
    assert figures["viable"] + figures["hopeless"] == result["data_sets"]["set"]["seeds"]
    text = (tmp_path / "evaluation.md").read_text()
    assert "good against bad at TPR 99 %: better" in text and "better" in capsys.readouterr().out
    page = (tmp_path / "evaluation.html").read_text()
    assert page.count("<svg") >= 4 and "length 26 to 39" in page


def test_order_decides_better_and_worse(models, dataset, tmp_path):
    pair = ["--model", str(models / "good.onnx"), "--model", str(models / "bad.onnx")]
    assert evaluate(dataset, tmp_path, *pair, "--policy", "own-extension") == 0
    text = (tmp_path / "evaluation.md").read_text()
    assert "bad against good at TPR 99 %: worse" in text


def test_a_model_against_itself_shows_no_difference():
    random = np.random.default_rng(1)
    viable = random.random(2_000) < 0.5
    scores = random.random(2_000) + viable
    pairs = np.arange(2_000) // 4
    same = compare_models(scores, scores, viable, pairs, 0.99, 100, 1)
    assert same.verdict == "no difference shown" and same.p_value == 1
    scores = random.random(2_000) + 0.5 * viable
    noisy = scores + random.normal(0, 0.01, 2_000)
    assert compare_models(scores, noisy, viable, pairs, 0.99, 100, 1).verdict == "no difference shown"
    better = compare_models(scores, scores + 0.3 * viable, viable, pairs, 0.99, 100, 1)
    assert better.verdict == "better" and better.p_value < 0.03


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (["--model", "nowhere.onnx"], "nowhere.onnx: cannot be read"),
        (["--model", __file__], "not an ONNX file, or damaged"),
    ],
)
def test_bad_models_are_refused(dataset, tmp_path, capsys, option, message):
    assert evaluate(dataset, tmp_path, *option) == 1
    assert message in capsys.readouterr().err


def test_files_of_one_name_are_refused(models, dataset, tmp_path, capsys):
    pair = ["--model", str(models / "good.onnx")] * 2
    assert evaluate(dataset, tmp_path, *pair) == 1
    assert "have the same name without folder" in capsys.readouterr().err


def test_the_packed_form_is_refused_with_what_to_give(models, dataset, tmp_path, capsys):
    assert evaluate(dataset, tmp_path, "--model", str(models / "good_packed.onnx")) == 1
    assert "give a file of the train or student command without _packed" in capsys.readouterr().err


def test_one_class_only_is_said_and_not_counted(tmp_path):
    columns = random_columns(300, seed=4)
    columns["own_score"] = [100] * 300
    folder = write_dataset(tmp_path / "set", columns)
    assert evaluate(folder, tmp_path / "out", "--part", "all") == 0
    assert "one class only" in (tmp_path / "out" / "evaluation.md").read_text()


def test_rows_of_a_part_keep_facts_of_whole_reads(dataset):
    manifest = read_manifest(dataset)
    whole, part = evaluation_rows(manifest, None), evaluation_rows(manifest, "test")
    assert 0 < len(part) < 0.3 * len(whole)
    assert set(part.seed_facts[:, 5]) == {3.0}
    few = evaluation_rows(manifest, None, max_seeds=600)
    assert 400 < len(few) < 800 and (np.bincount(few.pair) == 3).all()


def test_precision_and_calibration_by_hand():
    viable = np.array([True, False, True, False])
    assert average_precision(np.array([0.9, 0.8, 0.7, 0.1]), viable) == pytest.approx((1 + 2 / 3) / 2)
    found = calibration(np.array([0.25, 0.25, 0.75, 0.75]), np.array([False, True, True, True]))
    assert found["points"] == [[0.25, 0.5], [0.75, 1.0]] and found["expected_error"] == 0.25


def test_the_bound_is_that_of_equal_inputs():
    inputs = np.array([[1], [1], [1], [2], [3], [3]], np.uint8)
    viable = np.array([True, True, False, False, True, True])
    bound = bound_of_inputs(inputs, viable)
    assert bound["distinct_inputs"] == 3 and bound["seeds_with_mixed_inputs"] == 3
    # To keep more than half of the viable ones, the hopeless one with their input has to be kept, too.
    assert bound["fpr_at_tpr"]["0.99"] == 0.5


@pytest.mark.parametrize("all_hashes_alike", [False, True])
def test_distinct_rows_have_numbers_of_their_own(monkeypatch, all_hashes_alike):
    if all_hashes_alike:
        monkeypatch.setattr(figures, "mix", np.zeros_like)
    # Of eleven bytes: the last three are in a word of their own.
    inputs = np.random.default_rng(1).integers(0, 2, (4_000, 11)).astype(np.uint8) * 255
    number = figures.numbers_of_distinct(inputs)
    rows = [row.tobytes() for row in inputs]
    assert 1_000 < len(set(rows)) < 2_048 and len(set(zip(rows, number.tolist(), strict=True))) == len(set(rows))
    assert sorted(set(number.tolist())) == list(range(len(set(rows))))


def test_strata_hold_their_seeds(dataset):
    rows = evaluation_rows(read_manifest(dataset), None)
    viable = rows.viable["own-extension"]
    groups = strata(np.random.default_rng(1).random(len(rows)), viable, rows)
    of_length = [group for group in groups if group["fact"] == "length"]
    assert sum(group["seeds"] for group in of_length) == len(rows)
    assert of_length[0]["seeds"] == (rows.length < 20).sum() and "fpr_interval" not in of_length[0]


def test_intervals_of_strata_hold_their_rate_and_are_those_of_their_own_seeds(dataset):
    rows = evaluation_rows(read_manifest(dataset), None)
    viable = rows.viable["own-extension"]
    scores = np.random.default_rng(1).random(len(rows)) + 0.7 * viable * (rows.length < 40)
    groups = [group for group in strata(scores, viable, rows, 60, 1, "pairs") if group["fact"] == "length"]
    for group in groups:
        low, high = group["fpr_interval"]
        assert low <= group["fpr_at_own_tpr"] <= high and 0 < high - low < 0.3
    # Short seeds are told apart, long ones are not.
    assert groups[1]["fpr_interval"][1] < 0.5 < 0.9 < groups[3]["fpr_interval"][0]


def test_the_guarantee_is_that_of_clopper_and_pearson():
    # The bound with no miss among n is 1 - (1 - confidence)^(1/n).
    assert largest_rate(0, 2_995, 0.95) == pytest.approx(1 - 0.05 ** (1 / 2_995), rel=1e-6)
    assert _at_most(2, 5, 0.5) == pytest.approx(0.5)
    for seeds in (3_000, 20_000):
        allowed = misses_allowed(seeds)
        assert largest_rate(allowed, seeds) <= 0.001 < largest_rate(allowed + 1, seeds)
    assert largest_rate(5, 5) == 1.0


def test_options_say_which_seeds_and_what_is_resampled(tmp_path):
    columns = random_columns(600, seed=4)
    columns["chain_kept"] = [True, True, False] * 200
    folder = write_dataset(tmp_path / "set", columns)
    options = ["--part", "all", "--policy", "own-extension"]
    assert evaluate(folder, tmp_path / "all", *options) == 0
    assert evaluate(folder, tmp_path / "some", *options, "--population", "chains", "--resample", "pairs") == 0
    whole, some = (json.loads((tmp_path / name / "evaluation.json").read_text()) for name in ("all", "some"))
    assert (whole["data_sets"]["set"]["seeds"], some["data_sets"]["set"]["seeds"]) == (600, 400)
    assert (whole["resampled"], some["resampled"]) == ("places", "pairs")
    assert "resamples of read pairs" in (tmp_path / "some" / "evaluation.md").read_text()


def test_narrow_scores_are_baselines_of_both_labels(tmp_path):
    columns = with_masks(random_columns(600, seed=3))
    # The second seed of a read is good enough, the third lies 25 below the best: of every second read above T.
    own, best = [40, 32, 15, 120, 105, 95] * 100, [40, 40, 40, 120, 120, 120] * 100
    own[1] = 20
    columns |= {"own_score": own, "narrow_score": own, "read_best": best, "chain_kept": [True] * 600}
    folder = write_dataset(tmp_path / "set", columns, schema_version=5)
    options = ["--data", str(folder), "--out", str(tmp_path / "out"), "--part", "all", "--population", "chains"]
    assert main(["evaluate", *options, "--resamples", "2"]) == 0
    policies = json.loads((tmp_path / "out" / "evaluation.json").read_text())["data_sets"]["set"]["policies"]
    rates = {
        (policy, name): policies[policy]["scorers"][name]["fpr_at_tpr"]["0.999"]["value"]
        for policy in ("own-extension", "near-best")
        for name in ("narrow score", "narrow score and the read's best")
    }
    assert policies["own-extension"]["hopeless"] == 101 and policies["near-best"]["hopeless"] == 201
    assert rates["own-extension", "narrow score"] == rates["near-best", "narrow score and the read's best"] == 0
    # By themselves the third seeds of every second read are as good as any.
    assert rates["near-best", "narrow score"] == pytest.approx(100 / 201)
