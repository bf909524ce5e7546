import gzip
import hashlib

import numpy as np
import onnx
import pytest

from seedsieve_train.data import load_seeds
from seedsieve_train.errors import TrainingError
from seedsieve_train.export import float_model, folded_convolutions, write_model
from seedsieve_train.parity import compare, onnx_scores
from seedsieve_train.placement import score_packed
from seedsieve_train.quantisation_aware import RoundedNetwork, folded, on_the_grid
from seedsieve_train.quantise import activation_scales, quantise_weights, quantised_model
from seedsieve_train.train import TrainingSettings, train
from seedsieve_train.windows import encode_window


def test_float_model_computes_what_pytorch_computes(network, metadata, packed):
    scores = score_packed(network, packed)
    difference = compare(scores, onnx_scores(float_model(network, metadata).SerializeToString(), packed), 0.3)
    assert scores.min() < 0.3 < scores.max()
    assert difference.seeds == 2_000 and difference.largest_difference < 1e-5


def test_any_batch_size_runs(network, metadata, packed):
    model = float_model(network, metadata).SerializeToString()
    whole = onnx_scores(model, packed[:10])
    assert np.abs(whole - onnx_scores(model, packed[:10], batch_size=3)).max() < 1e-6


def test_float_model_on_windows_of_a_real_reference(network, metadata, real_data):
    with gzip.open(real_data / "kgp30x" / "hs38DH.chr21_22.s.fa.gz", "rt") as file:
        lines = [line.strip() for line in file if not line.startswith(">")]
    codes = np.full(256, 4, dtype=np.uint8)
    for code, letters in enumerate(("Aa", "Cc", "Gg", "Tt")):
        codes[[ord(letter) for letter in letters]] = code
    reference = codes[np.frombuffer("".join(lines).encode(), dtype=np.uint8)]
    random = np.random.default_rng(7)
    windows = []
    for start in random.integers(200, len(reference) - 200, 2_000):
        read = reference[start - 60 : start + 90].copy()
        other = random.integers(200, len(reference) - 200)
        windows.append(np.concatenate([encode_window(read, 60, 25), encode_window(reference, int(other), 25)]))
    packed = np.stack(windows)
    model = float_model(network, metadata).SerializeToString()
    assert compare(score_packed(network, packed), onnx_scores(model, packed), 0.3).largest_difference < 1e-5


def test_interface_and_metadata_of_the_file(network, metadata, tmp_path):
    write_model(float_model(network, metadata), tmp_path / "a.onnx")
    write_model(float_model(network, metadata), tmp_path / "b.onnx")
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()
    model = onnx.load(tmp_path / "a.onnx")
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 17)]
    shapes = {
        value.name: [dimension.dim_param or dimension.dim_value for dimension in value.type.tensor_type.shape.dim]
        for value in (*model.graph.input, *model.graph.output)
    }
    assert shapes == {"contexts": ["batch", 2, 128, 4], "viability": ["batch"]}
    properties = {prop.key: prop.value for prop in model.metadata_props}
    checksum = properties.pop("seedsieve.checksum")
    assert properties == {
        "seedsieve.format": "1",
        "seedsieve.name": "test",
        "seedsieve.window": "128/32/32",
        "seedsieve.label_policy": "own-extension",
        "seedsieve.label_threshold": "30",
        "seedsieve.threshold": "0.3",
        "seedsieve.dataset_sha256": "00",
        "seedsieve.parameters": "26913",
        "seedsieve.trained_on": "nothing",
    }
    content = (tmp_path / "a.onnx").read_bytes()
    # Keys and values with their tags and lengths: 1 + 1 + (2 + 18) + (2 + 64) bytes at the end.
    assert checksum == hashlib.sha256(content[:-88]).hexdigest()
    write_model(model, tmp_path / "again.onnx")
    assert (tmp_path / "again.onnx").read_bytes() == content


def test_threshold_survives_as_float32(network, metadata):
    threshold = float(np.float32(0.123456789))
    text = type(metadata)("t", "own-extension", 30, threshold, "", 1, "").properties()["seedsieve.threshold"]
    assert np.float32(text) == np.float32(threshold)


def test_quantised_model_is_close_and_runs_its_convolutions_in_integers(dataset, metadata):
    seeds = load_seeds([dataset])
    settings = TrainingSettings(epochs=2, batch_size=128)
    network = train(seeds.train, seeds.validation, settings).network
    model = quantised_model(network, metadata, activation_scales(network, seeds.train.packed[:1000]))
    scores = score_packed(network, seeds.test.packed)
    difference = compare(scores, onnx_scores(model.SerializeToString(), seeds.test.packed), 0.5)
    assert scores.min() < 0.2 and scores.max() > 0.8
    assert 0 < difference.mean_difference < 0.01
    assert difference.decisions_changed <= 0.01 * len(scores)
    producer = {node.output[0]: node for node in model.graph.node}
    for node in model.graph.node:
        if node.op_type in ("Conv", "MaxPool", "GlobalAveragePool"):
            assert [producer[name].op_type for name in node.input] == ["DequantizeLinear"] * len(node.input), node.name
    types = {constant.name: constant.data_type for constant in model.graph.initializer}
    assert [types[f"convolution{n}_weights_integers"] for n in (1, 2, 3)] == [onnx.TensorProto.INT8] * 3


def test_the_training_with_rounding_sees_the_scores_of_the_file(network, metadata, packed):
    scales = activation_scales(network, packed[:1000])
    of_file = onnx_scores(quantised_model(network, metadata, scales).SerializeToString(), packed)
    rounded = score_packed(RoundedNetwork(folded(network), scales), packed)
    float_scores = score_packed(network, packed)
    # A value on the edge between two steps may fall to either side in floating point.
    assert np.mean(np.abs(rounded - of_file) > 1e-4) < 0.02
    assert np.mean(np.abs(float_scores - of_file) > 1e-4) > 0.3


def test_folding_changes_nothing_and_the_grid_is_exact(network, metadata, packed):
    reference = score_packed(network, packed)
    assert compare(reference, score_packed(folded(network), packed), 0.3).largest_difference < 1e-5
    scales = activation_scales(network, packed[:1000])
    snapped = on_the_grid(network, scales)
    twice = folded_convolutions(on_the_grid(snapped, scales))
    for layer, again in zip(folded_convolutions(snapped), twice, strict=True):
        integers, scales = quantise_weights(layer.weights)
        assert np.allclose(integers * scales[:, None, None], layer.weights, rtol=1e-6, atol=0)
        assert np.allclose(layer.weights, again.weights, rtol=1e-6, atol=0)


def test_quantised_weights_stay_in_seven_bits_and_within_half_a_step(network):
    for layer in folded_convolutions(network):
        integers, scales = quantise_weights(layer.weights)
        assert integers.dtype == np.int8 and np.abs(integers).max() == 63
        error = np.abs(integers * scales[:, None, None] - layer.weights)
        assert (error <= 0.5001 * scales[:, None, None]).all()


def test_a_file_that_is_no_model_is_refused(tmp_path):
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"no model")
    with pytest.raises(TrainingError, match=r"broken\.onnx: ONNX Runtime cannot load it"):
        onnx_scores(path, np.zeros((1, 128), dtype=np.uint8))
