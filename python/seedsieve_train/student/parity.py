"""Whether a student's two files, its integers in Python, PyTorch and the program's kernels give the same scores."""

import json
import re
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from ..dataset import EXTRACT_AGAIN, read_manifest
from ..errors import TrainingError
from ..evaluation.rows import evaluation_rows
from ..evaluation.scorers import feature_scores
from ..files import make_folder, write_atomically
from ..parity import compare
from .export import IntegerLayer, scores_of_layers
from .features import MASK_BITS, WINDOW_1
from .network import StudentNetwork

SAID = re.compile(
    r"^(?P<route>\S.*?) +- PyTorch: largest difference (?P<largest>\S+) .*; (?P<changed>\d+) decisions at", re.MULTILINE
)
"""What `seedsieve model verify` says of a route beside the scores that it was given."""


@dataclass(frozen=True)
class StudentParityCommand:
    """Checked arguments of the student-parity command."""

    models: tuple[Path, ...]
    """Float files; each has its file of eight bits beside it, NAME_int8.onnx."""
    data: tuple[Path, ...]
    out: Path
    seedsieve: Path | None = None
    """The program, whose routes are compared, too."""


@dataclass(frozen=True)
class Row:
    """How far two ways to the scores of the same seeds lie apart."""

    student: str
    compared: str
    reference: str
    largest_difference: float
    decisions_changed: int
    """Seeds that one keeps and the other drops at the threshold of the file."""
    seeds: int


def run_student_parity(command: StudentParityCommand, say: Callable[[str], None] = print) -> list[Row]:
    """Write OUT/students.parity.json and .md, and return the rows.

    Raises:
        TrainingError: if models, data or output folder cannot be used.
    """
    make_folder(command.out)
    manifests = [read_manifest(directory) for directory in command.data]
    rows = []
    for model in command.models:
        file, eight_bits = _read(model), _read(model.with_name(f"{model.stem}_int8.onnx"))
        features = []
        for manifest in manifests:
            window = _properties(file).get("seedsieve.window")
            rows_of_set = evaluation_rows(manifest, None, population="all" if window == WINDOW_1 else "chains")
            seen = rows_of_set.seen_by(window)
            if len(seen) != len(rows_of_set):
                raise TrainingError(f"{model}: sees what {manifest.directory} does not have; {EXTRACT_AGAIN}")
            features.append(seen)
        rows += student_parity(model, file, eight_bits, np.concatenate(features), command.seedsieve)
    content = json.dumps([asdict(row) for row in rows], indent=1) + "\n"
    write_atomically(command.out / "students.parity.json", content.encode())
    text = markdown(rows)
    write_atomically(command.out / "students.parity.md", text.encode())
    say(text)
    return rows


def student_parity(
    path: Path, file: onnx.ModelProto, eight_bits: onnx.ModelProto, features: np.ndarray, seedsieve: Path | None
) -> list[Row]:
    """Compare all ways to score features uint8[n, 288] by a student.

    Args:
        path: of the float file, which names the student.
        file: its content.
        eight_bits: content of the file of eight bits.
        features: of the seeds.
        seedsieve: the program, or None.
    """
    threshold = float(_properties(eight_bits)["seedsieve.threshold"])
    network, layers = network_of_file(path, file), layers_of_file(path, eight_bits)
    floats, integers = _torch_scores(network, features), scores_of_layers(layers, features)
    network.scales = tuple(float(scale) for *_, scale in layers if scale is not None)
    rounded = _torch_scores(network, features)
    rows = []

    def add(compared: str, scores: np.ndarray, reference: str, of_reference: np.ndarray) -> None:
        found = compare(of_reference, scores, threshold)
        changes = (found.largest_difference, found.decisions_changed, found.seeds)
        rows.append(Row(path.stem, compared, reference, *changes))

    in_floats, in_integers = "PyTorch, float32", "integers, Python"
    add("float file, ONNX Runtime", feature_scores(file.SerializeToString(), features), in_floats, floats)
    add("eight bits, ONNX Runtime", feature_scores(eight_bits.SerializeToString(), features), in_integers, integers)
    add("PyTorch, rounding as in eight bits", rounded, in_integers, integers)
    add(in_integers, integers, in_floats, floats)
    if seedsieve is not None:
        for content, kind, reference, scores in (
            (file, "float file", in_floats, floats),
            (eight_bits, "eight bits", in_integers, integers),
        ):
            for route, largest, changed in _of_program(seedsieve, path, content, features, scores):
                rows.append(Row(path.stem, f"{kind}, {route}", reference, largest, changed, len(features)))
    return rows


def network_of_file(path: Path, file: onnx.ModelProto) -> StudentNetwork:
    """The network of a student's float file.

    Raises:
        TrainingError: if the file is none.
    """
    values = _constants(file)
    try:
        weights = [values[f"dense{number}_weights"] for number in (1, 2, 3)]
        biases = [values[f"dense{number}_biases"] for number in (1, 2, 3)]
    except KeyError as error:
        raise TrainingError(f"{path}: holds no {error}: give the float file of the student command") from error
    masks = bool(weights[0][:, : 2 * MASK_BITS].any())
    network = StudentNetwork((weights[0].shape[0], weights[1].shape[0]), masks)
    for number, layer in enumerate(network.layers):
        network.set_weights(number, torch.from_numpy(weights[number].copy()))
        layer.bias.data.copy_(torch.from_numpy(biases[number].copy()))
    return network.eval()


def layers_of_file(path: Path, file: onnx.ModelProto) -> list[IntegerLayer]:
    """The layers of a student's file of eight bits.

    Raises:
        TrainingError: if the file is none.
    """
    values = _constants(file)
    try:
        return [
            (
                values[f"dense{number}_weights_integers"],
                values[f"dense{number}_biases_integers"],
                values[f"dense{number}_biases_scales"],
                float(values[f"relu{number}_scale"]) if number < 3 else None,
            )
            for number in (1, 2, 3)
        ]
    except KeyError as error:
        raise TrainingError(
            f"{path}: its file of eight bits holds no {error}: give a file of the student command"
        ) from error


def markdown(rows: Sequence[Row]) -> str:
    """The table."""
    lines = ["| student | way | compared with | largest difference | decisions changed |", "|---|---|---|---|---|"]
    lines += [
        f"| {row.student} | {row.compared} | {row.reference} | {row.largest_difference:.2g} | "
        f"{row.decisions_changed} of {row.seeds:,} ({100 * row.decisions_changed / row.seeds:.3f} %) |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def _constants(file: onnx.ModelProto) -> dict[str, np.ndarray]:
    return {constant.name: numpy_helper.to_array(constant) for constant in file.graph.initializer}


def _properties(file: onnx.ModelProto) -> dict[str, str]:
    return {prop.key: prop.value for prop in file.metadata_props}


def _read(path: Path) -> onnx.ModelProto:
    try:
        return onnx.load(path)
    except OSError as error:
        raise TrainingError(
            f"{path}: cannot be read: {error.strerror}; give NAME.onnx of the student command, beside NAME_int8.onnx"
        ) from error
    # The parser's errors have no common base.
    except Exception as error:
        raise TrainingError(f"{path}: not an ONNX file, or damaged") from error


@torch.no_grad()
def _torch_scores(network: StudentNetwork, features: np.ndarray) -> np.ndarray:
    pieces = np.array_split(features, max(len(features) // 65_536, 1))
    return torch.cat([torch.sigmoid(network(torch.from_numpy(piece).float())) for piece in pieces]).numpy()


def _of_program(
    seedsieve: Path, path: Path, content: onnx.ModelProto, features: np.ndarray, scores: np.ndarray
) -> list[tuple[str, float, int]]:
    """Route, largest difference and decisions changed of each route of `seedsieve model verify`.

    Raises:
        TrainingError: if the program does not compare.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "model.onnx").write_bytes(content.SerializeToString())
        (folder / "features.bin").write_bytes(features.tobytes())
        (folder / "scores.f32").write_bytes(scores.astype("<f4").tobytes())
        arguments = [seedsieve, "model", "verify", folder / "model.onnx"]
        arguments += ["--windows", folder / "features.bin", "--scores", folder / "scores.f32"]
        done = subprocess.run([str(word) for word in arguments], capture_output=True, text=True, check=False)
    found = [
        (match["route"].strip(), float(match["largest"]), int(match["changed"])) for match in SAID.finditer(done.stdout)
    ]
    if not found:
        raise TrainingError(f"{seedsieve} model verify says nothing of {path}: {done.stderr.strip()}")
    return found
