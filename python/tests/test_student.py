import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from generated import random_columns, with_masks, write_dataset

from seedsieve_train.__main__ import main
from seedsieve_train.dataset import read_manifest
from seedsieve_train.errors import TrainingError
from seedsieve_train.evaluation.rows import evaluation_rows
from seedsieve_train.evaluation.scorers import feature_scores
from seedsieve_train.export import ModelMetadata
from seedsieve_train.metrics import roc
from seedsieve_train.student.export import (
    integer_layers,
    integer_scores,
    on_the_grid,
    student_float_model,
    student_quantised_model,
)
from seedsieve_train.student.features import (
    FACTS,
    FEATURES,
    GAP_FACTS,
    NARROW_FACTS,
    WINDOW,
    WINDOW_1,
    WINDOW_2,
    SeedColumns,
    as_version_2,
    best_of_others,
    eighths_of_log2,
    features,
    mates,
)
from seedsieve_train.student.network import StudentNetwork
from seedsieve_train.student.rows import contig_room, student_rows
from seedsieve_train.student.training import LabelledFeatures, StudentSettings, train_student, train_teacher
from seedsieve_train.student.trees import train_trees

METADATA = ModelMetadata("t", "own-extension", 30, 0.3, "00", 1, "nothing", window="student/288/3")


def columns(**changes):
    """Three seeds of one read of 100 bases, and one of another."""
    values = {
        "left_matches": np.zeros((4, 32), np.uint8),
        "right_matches": np.zeros((4, 32), np.uint8),
        "length": np.array([20, 25, 30, 19]),
        "query_start": np.array([10, 40, 60, 0]),
        "read_length": np.array([100, 100, 100, 90]),
        "occurrences": np.array([1, 3, 500, 2]),
        "ungapped_score": np.array([50, 40, 300, 19]),
        "position": np.array([1_010, 1_045, 1_200, 7]),
        "reverse": np.zeros(4, bool),
        "contig": np.zeros(4, np.int64),
        "read": np.array([0, 0, 0, 1]),
        "room_before": np.full(4, 10**9),
        "room_after": np.full(4, 10**9),
        "gap_bound": np.array([55, 61, 300, 30]),
        "mate_read": np.array([1, 1, 1, -1]),
        "narrow_score": np.array([52, 60, 299, 29]),
    }
    return SeedColumns(**(values | changes))


def facts(**changes):
    return dict(zip(FACTS + GAP_FACTS + NARROW_FACTS, features(columns(**changes))[:, 256:279].T.tolist(), strict=True))


def test_facts_by_hand():
    found = facts()
    assert FEATURES == 288
    assert found["seed length"] == [20, 25, 30, 19]
    assert found["bases of the read before"] == [10, 40, 60, 0]
    assert found["bases of the read after"] == [70, 35, 10, 71]
    assert found["8 log2(occurrences)"] == [0, 12, 71, 8]
    assert found["best ungapped score"] == [50, 40, 255, 19]
    assert found["best ungapped score of the read's other seeds"] == [255, 255, 50, 0]
    # Diagonals 1000, 1005, 1140 and, of the other read, 7.
    assert found["other seeds within 10 diagonals"] == [1, 1, 0, 0]
    assert found["other seeds within 100 diagonals"] == [1, 1, 0, 0]
    assert found["seeds of the read / 4"] == [0, 0, 0, 0]
    assert found["read length / 2"] == [50, 50, 50, 45]
    assert found["start in the read, of 255"] == [25, 102, 153, 0]
    assert found["gap bound"] == [55, 61, 255, 30]
    assert found["best gap bound of the read's other seeds"] == [255, 255, 61, 0]
    # Read 1 is the mate of read 0, which is not its mate here: no two rows need to agree.
    assert found["best gap bound of the mate's seeds"] == [30, 30, 30, 0]
    assert features(columns(gap_bound=None))[:, 274:].max() == 0
    assert found["narrow score"] == [52, 60, 255, 29]
    assert found["best narrow score of the read's other seeds"] == [255, 255, 60, 0]
    assert features(columns())[:, 279:].max() == 0
    older = features(columns(narrow_score=None))
    assert older[:, 277:].max() == 0 and (older == as_version_2(features(columns()))).all()


def test_mates_are_found_by_pair_and_number():
    pair, mate = np.array([5, 5, 9, 9, 9, 7, 2]), np.array([1, 1, 2, 1, 1, 0, 2])
    read, mate_read = mates(pair, mate)
    assert read[0] == read[1] and len(set(read.tolist())) == 5
    assert mate_read.tolist() == [-1, -1, read[3], read[2], read[2], -1, -1]


def test_the_contig_s_end_limits_the_bases_beside_a_seed():
    found = facts(room_before=np.array([3, 99, 99, 99]), room_after=np.array([5, 99, 99, 99]))
    assert (found["bases of the read before"][0], found["bases of the read after"][0]) == (3, 5)


def test_support_is_of_the_same_strand_and_contig_only():
    assert facts(reverse=np.array([False, True, False, False]))["other seeds within 10 diagonals"] == [0, 0, 0, 0]
    assert facts(contig=np.array([0, 1, 0, 0]))["other seeds within 10 diagonals"] == [0, 0, 0, 0]
    # On the reverse strand position + length + start stays along a diagonal: 1040, 1040, 1290.
    along = facts(reverse=np.ones(4, bool), position=np.array([1_010, 975, 1_200, 7]))
    assert along["other seeds within 10 diagonals"] == [1, 1, 0, 0]


def test_masks_are_read_from_the_lowest_bit_outwards():
    left = np.zeros((4, 32), np.uint8)
    left[0, :2] = [0b0000_0101, 0b1000_0000]
    right = np.zeros((4, 32), np.uint8)
    right[1, 0:5] = 0xFF
    found = features(columns(left_matches=left, right_matches=right))
    assert np.flatnonzero(found[0, :128]).tolist() == [0, 2, 15]
    assert found[1, 128:256].sum() == 40 and found[1, :128].sum() == 0
    counted = dict(zip(FACTS, found[:, 256:274].T.tolist(), strict=True))
    assert counted["matches of the first 8 before"][0] == 2
    assert counted["of the first 16 before"][0] == counted["of the first 32 before"][0] == 3
    assert counted["of the first 32 after"][1] == 32
    assert counted["longest run of matches outside the seed"] == [1, 40, 0, 0]


def test_logarithms_are_those_of_floating_point_where_that_is_certain():
    values = np.unique(np.concatenate([np.arange(1, 5_000), 2 ** np.arange(32), 2 ** np.arange(2, 32) - 1]))
    expected = 8 * np.log2(values.astype(np.float64))
    certain = np.abs(expected - np.rint(expected)) > 1e-9
    assert (eighths_of_log2(values)[certain] == np.floor(expected)[certain]).all()
    assert eighths_of_log2(2 ** np.arange(32)).tolist() == (8 * np.arange(32)).tolist()


def test_the_best_of_others_is_that_of_a_loop():
    random = np.random.default_rng(1)
    read = random.permutation(np.repeat(np.arange(40), random.integers(1, 6, 40)))
    score = random.integers(0, 9, len(read))
    expected = [
        max((score[other] for other in np.flatnonzero(read == read[row]) if other != row), default=0)
        for row in range(len(read))
    ]
    assert best_of_others(score, read).tolist() == expected


def test_room_is_known_where_the_window_ends_early():
    window = np.full((2, 64), 0x11, np.uint8)
    # Row 0: 30 empty positions before, of 32; 20 bases of seed; 4 bases behind it.
    window[0, :15] = 0
    window[0, (32 + 20 + 4) // 2 :] = 0
    before, after = contig_room(window, np.array([20, 20]))
    assert (before[0], after[0]) == (2, 4)
    assert before[1] > 10**9 and after[1] > 10**9


@pytest.fixture(scope="module")
def learnt():
    """A student of a rule about masks and facts, with its data."""
    random = np.random.default_rng(2)
    values = np.zeros((6_000, FEATURES), np.uint8)
    values[:, :256] = random.random((6_000, 256)) < 0.4
    values[:, 256:274] = random.integers(0, 256, (6_000, 18))
    viable = values[:, :40].sum(axis=1) * 8 + values[:, 260].astype(int) > 255
    train_part = LabelledFeatures(values[:4_500], viable[:4_500])
    validation = LabelledFeatures(values[4_500:], viable[4_500:])
    settings = StudentSettings(
        epochs=12, rounded_epochs=4, batch_size=256, teacher_epochs=4, masks=True, distillation=0.5
    )
    _, scores = train_teacher(train_part, validation, settings)
    return train_student(train_part, validation, settings, scores), validation


def test_a_rule_is_learnt_through_the_rounding(learnt):
    training, validation = learnt
    scores = integer_scores(training.network, validation.features)
    assert 0.2 < validation.viable.mean() < 0.8
    assert roc(scores, validation.viable).auc > 0.97
    assert training.network.multiply_adds == 4_880


def test_integers_files_and_network_agree(learnt):
    training, validation = learnt
    network = training.network
    with torch.no_grad():
        of_network = torch.sigmoid(network(torch.from_numpy(validation.features).float())).numpy()
    integers = integer_scores(network, validation.features)
    file = student_quantised_model(network, METADATA)
    of_file = feature_scores(file.SerializeToString(), validation.features)
    for scores, limit in ((of_network, 1e-5), (of_file, 1e-6)):
        # A sum on the edge between two steps may fall to either side in floating point.
        assert np.mean(np.abs(scores - integers) > limit) < 0.002
        assert np.abs(scores - integers).max() < 0.05
    assert integers.std() > 0.2


def test_weights_lie_on_the_grid_and_in_seven_bits(learnt):
    network = learnt[0].network
    for weights, biases, _, _ in integer_layers(network):
        assert weights.dtype == np.int8 and np.abs(weights).max() == 63 and biases.dtype == np.int32
    again = on_the_grid(network)
    for before, after in zip(network.layers, again.layers, strict=True):
        assert torch.allclose(before.weight, after.weight, rtol=1e-6, atol=0)


def test_the_files_state_their_interface(learnt):
    network = learnt[0].network
    for file in (student_float_model(network, METADATA), student_quantised_model(network, METADATA)):
        properties = {prop.key: prop.value for prop in file.metadata_props}
        assert properties["seedsieve.window"] == "student/288/3"
        (given,) = file.graph.input
        assert given.name == "features" and given.type.tensor_type.shape.dim[1].dim_value == 288
    kinds = [node.op_type for node in file.graph.node if node.op_type in ("Gemm", "QuantizeLinear", "Sigmoid")]
    assert kinds == ["QuantizeLinear", "Gemm", "QuantizeLinear", "Gemm", "QuantizeLinear", "Gemm", "Sigmoid"]


def test_without_masks_their_weights_are_zero_and_the_scores_those_of_facts():
    random = np.random.default_rng(4)
    values = random.integers(0, 2, (3_000, FEATURES)).astype(np.uint8)
    values[:, 256:277] = random.integers(0, 256, (3_000, 21))
    viable = values[:, 274] > 100
    train_part, validation = (
        LabelledFeatures(values[rows], viable[rows]) for rows in (slice(2_000), slice(2_000, None))
    )
    settings = StudentSettings(epochs=8, rounded_epochs=3, batch_size=128)
    network = train_student(train_part, validation, settings).network
    assert network.multiply_adds == 784 and not network.masks
    weights = integer_layers(network)[0][0]
    assert not weights[:, :256].any() and np.abs(weights).max() == 63
    others = values[2_000:].copy()
    others[:, :256] = 1 - others[:, :256]
    scores = integer_scores(network, values[2_000:])
    assert (scores == integer_scores(network, others)).all() and roc(scores, validation.viable).auc > 0.99


def test_equal_units_leave_the_scores_and_less_is_lost_to_rounding():
    random = np.random.default_rng(6)
    values = torch.from_numpy(random.integers(0, 256, (4_000, FEATURES)).astype(np.float32))
    values[:, :256] = torch.from_numpy((random.random((4_000, 256)) < 0.5).astype(np.float32))
    torch.manual_seed(1)
    network = StudentNetwork((16, 16))
    # Units that reach ten times as far as others, and one that is never awake.
    for layer in network.layers[:2]:
        layer.weight.data[:4] *= 10
        layer.bias.data[5] = -1e6
    with torch.no_grad():
        before = network(values)
        lost_before = rounding_loss(network, values, before)
        network.equalise(values)
        after = network(values)
        assert torch.allclose(after, before, rtol=1e-4, atol=1e-4) and before.std() > 0.1
        assert rounding_loss(network, values, before) < 0.7 * lost_before


def rounding_loss(network, values, exact):
    """Mean difference of the logits where activations alone are rounded."""
    scales = network.calibrated(values, covered=1)
    hidden = values
    for number, layer in enumerate(network.layers[:-1]):
        hidden = torch.relu(torch.nn.functional.linear(hidden, network.weights(number), layer.bias))
        hidden = torch.round(hidden / scales[number]) * scales[number]
    last = network.layers[-1]
    return float((torch.nn.functional.linear(hidden, last.weight, last.bias)[:, 0] - exact).abs().mean())


def test_a_network_without_scales_has_no_eight_bit_form():
    with pytest.raises(ValueError, match="calibrate it first"):
        student_quantised_model(StudentNetwork(), METADATA)


def test_the_command_writes_a_model(tmp_path):
    folder = write_dataset(tmp_path / "set", with_masks(random_columns(3_600, seed=11)), schema_version=5)
    options = ["--out", str(tmp_path / "out"), "--epochs", "6", "--threads", "1", "--device", "cpu"]
    options += ["--masks", "--distillation", "0.5"]
    assert main(["student", "--data", str(folder), *options]) == 0
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    stem = "seed_student_v2"
    assert names == [f"{stem}.md", f"{stem}.metrics.json", f"{stem}.onnx", f"{stem}_int8.onnx"]
    figures = json.loads((tmp_path / "out" / f"{stem}.metrics.json").read_text())
    assert figures["test"]["auc"] > 0.9 > figures["baselines"]["ungapped score"]["auc"]
    assert "$" not in (tmp_path / "out" / f"{stem}.md").read_text()
    session = onnxruntime.InferenceSession(str(tmp_path / "out" / f"{stem}_int8.onnx"))
    assert float(session.get_modelmeta().custom_metadata_map["seedsieve.threshold"]) == figures["threshold"]
    onnx.checker.check_model(str(tmp_path / "out" / f"{stem}.onnx"))


def told_by_narrow_scores(rows):
    """Seeds whose labels nothing tells but narrow scores."""
    columns = with_masks(random_columns(rows, seed=11))
    return columns | {"narrow_score": columns["own_score"], "left_matches": [bytes(32)] * rows}


def test_without_narrow_scores_it_is_a_student_of_version_2(tmp_path):
    columns = told_by_narrow_scores(3_600)
    folder = write_dataset(tmp_path / "set", columns, schema_version=5)
    out, found = tmp_path / "out", {}
    options = ["--out", str(out), "--epochs", "6", "--threads", "1", "--device", "cpu", "--data", str(folder)]
    for name, more in (("with", []), ("without", ["--without-narrow-scores"])):
        assert main(["student", *options, "--name", name, *more]) == 0
        found[name] = json.loads((out / f"{name}.metrics.json").read_text())
        metadata = onnx.load(out / f"{name}_int8.onnx").metadata_props
        found[name]["window"] = next(prop.value for prop in metadata if prop.key == "seedsieve.window")
    assert (found["with"]["window"], found["without"]["window"]) == (WINDOW, WINDOW_2)
    assert found["with"]["test"]["auc"] > 0.9 and found["without"]["test"]["auc"] < 0.7
    assert "and 23 facts" in (out / "with.md").read_text() and "and 21 facts" in (out / "without.md").read_text()
    # So it works on data sets from before narrow scores.
    columns.pop("narrow_score")
    older = write_dataset(tmp_path / "old", columns, schema_version=4)
    model = ["--model", str(out / "without_int8.onnx"), "--population", "chains", "--resamples", "2"]
    assert main(["evaluate", "--data", str(older), "--out", str(tmp_path / "older"), "--part", "all", *model]) == 0


def test_trees_teach_only_what_they_have_not_seen():
    random = np.random.default_rng(4)
    values = np.zeros((4_000, FEATURES), dtype=np.uint8)
    values[:, 256:277] = random.integers(0, 256, (4_000, 21))
    # Nothing but each place's own label, which trees know by heart after they have seen it.
    place = (np.arange(4_000) // 20).astype(np.uint64)
    values[:, 260] = place
    viable = random.random(200)[place.astype(int)] < 0.5
    scores = train_trees(values, viable, place, 1, 1)
    assert 0.3 < roc(scores, viable).auc < 0.7
    learnable = values[:, 256] > 127
    assert roc(train_trees(values, learnable, place, 1, 1), learnable).auc > 0.99


def test_a_student_learns_from_trees(tmp_path):
    folder = write_dataset(tmp_path / "set", with_masks(random_columns(3_600, seed=11)), schema_version=5)
    options = ["--out", str(tmp_path / "out"), "--epochs", "6", "--threads", "1", "--device", "cpu"]
    assert main(["student", "--data", str(folder), *options, "--distillation", "1", "--teacher", "trees"]) == 0
    figures = json.loads((tmp_path / "out" / "seed_student_v2.metrics.json").read_text())
    assert figures["settings"]["teacher"] == "trees" and figures["settings"]["distillation"] == 1
    assert figures["test"]["auc"] > 0.6


def test_trees_on_the_same_facts_and_their_bounds_are_evaluated(tmp_path):
    columns = told_by_narrow_scores(2_400)
    folder = write_dataset(tmp_path / "set", columns, schema_version=5)
    options = ["--data", str(folder), "--train-data", str(folder), "--out", str(tmp_path / "out"), "--threads", "1"]
    options += ["--part", "all", "--population", "chains", "--resamples", "5", "--policy", "own-extension"]
    assert main(["evaluate", *options, "--trees", "the student's facts", "--trees", "facts without narrow scores"]) == 0
    result = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    figures = result["data_sets"]["set"]["policies"]["own-extension"]
    forests = [name for name in figures["scorers"] if name.startswith("trees on")]
    with_narrow, without = (f"trees on {facts}" for facts in ("the student's facts", "facts without narrow scores"))
    assert set(forests) == {with_narrow, without}
    assert figures["scorers"][with_narrow]["auc"] > 0.999 and figures["scorers"][without]["auc"] < 0.95
    bounds = figures["bounds"]
    assert bounds["the student's facts alone"]["distinct_inputs"] == 2_400
    alone, coarse = (bounds[f"facts without narrow scores {how}"] for how in ("alone", "in steps of 16"))
    # What sees less cannot do better, and no scorer is better than the bound.
    assert coarse["distinct_inputs"] < alone["distinct_inputs"]
    assert coarse["fpr_at_tpr"]["0.99"] >= alone["fpr_at_tpr"]["0.99"]
    of_trees = figures["scorers"][without]["fpr_at_tpr"]["0.99"]["value"]
    assert of_trees >= alone["fpr_at_tpr"]["0.99"]


def test_students_of_older_versions_are_shown_what_they_were_trained_on(tmp_path):
    columns = with_masks(random_columns(600, seed=3))
    rows = evaluation_rows(read_manifest(write_dataset(tmp_path / "new", columns, schema_version=5)), None)
    older = {name: values for name, values in columns.items() if name != "narrow_score"}
    of_older = evaluation_rows(read_manifest(write_dataset(tmp_path / "old", older, schema_version=4)), None)
    assert rows.seen_by(WINDOW)[:, 277].min() > 0
    assert (rows.seen_by(WINDOW_2) == of_older.seen_by(WINDOW_2)).all() and len(of_older.seen_by(WINDOW_2)) == 600
    assert (rows.seen_by(WINDOW_1) == of_older.seen_by(WINDOW_1)).all() and rows.seen_by(WINDOW_1)[:, 274:].max() == 0
    assert len(of_older.seen_by(WINDOW)) == 0


def test_a_student_of_narrow_scores_needs_a_data_set_that_has_them(learnt, tmp_path, capsys):
    model = tmp_path / "of_gaps.onnx"
    onnx.save(student_float_model(learnt[0].network, METADATA), model)
    columns = {
        name: values for name, values in with_masks(random_columns(600, seed=3)).items() if name != "narrow_score"
    }
    folder = write_dataset(tmp_path / "old", columns, schema_version=4)
    options = ["--data", str(folder), "--model", str(model), "--out", str(tmp_path / "out"), "--part", "all"]
    assert main(["evaluate", *options]) == 1
    assert "looks at match masks, gap bounds and narrow scores" in capsys.readouterr().err


def test_a_data_set_without_narrow_scores_is_refused(dataset, tmp_path):
    columns = with_masks(random_columns(600, seed=3))
    columns.pop("narrow_score")
    for older in (dataset, write_dataset(tmp_path / "old", columns, schema_version=4)):
        expected = "no column narrow_score: the student needs a data set of schema version 5"
        with pytest.raises(TrainingError, match=expected):
            student_rows(read_manifest(older))


def test_facts_are_those_of_seeds_in_surviving_chains(tmp_path):
    columns = with_masks(random_columns(600, seed=3))
    # Of each read's three seeds the last has lost its chain, and the highest bound.
    columns["chain_kept"] = [True, True, False] * 200
    columns["gap_bound"] = [40, 50, 90] * 200
    columns["narrow_score"] = [39, 48, 77] * 200
    rows = student_rows(read_manifest(write_dataset(tmp_path / "set", columns, schema_version=5)))
    assert len(rows) == 400
    facts = rows.features[:, 256:].reshape(200, 2, -1)
    assert (facts[:, :, 18] == [40, 50]).all() and (facts[:, :, 19] == [50, 40]).all()
    assert (facts[:, :, 8] == 0).all() and (facts[:, :, 20] == 0).all()
    assert (facts[:, :, 21] == [39, 48]).all() and (facts[:, :, 22] == [48, 39]).all()
    assert (rows.narrow_score[:2] == [39, 48]).all()
    # Version 1 looks at all seeds of a read.
    whole = evaluation_rows(read_manifest(tmp_path / "set"), None)
    assert len(whole) == 600 and (whole.gap_features[:, 256 + 19].reshape(200, 3) == [90, 90, 50]).all()
    chains = evaluation_rows(read_manifest(tmp_path / "set"), None, population="chains")
    assert len(chains) == 400 and (chains.gap_features == rows.features).all()
    assert (chains.gap_facts[:, 1].reshape(200, 2) == [50, 40]).all()
    assert (chains.features[:, 256 + 5] == whole.features[:, 256 + 5].reshape(200, 3)[:, :2].reshape(-1)).all()
