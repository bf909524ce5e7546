"""The export command: every form of a trained model, and a table of how far their scores lie apart."""

import json
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

from .checkpoint import read_checkpoint
from .coreml.build import BATCHES, core_ml_model, package_bytes, write_package
from .coreml.walker import read_program, walk
from .dataset import first_seeds
from .errors import TrainingError
from .export import ModelMetadata, write_model
from .files import make_folder, write_atomically
from .guarantee import stated_guarantee
from .input_forms import FIXED_BATCHES, PACKED_INPUT, with_fixed_batch, with_packed_input
from .parity import Parity, compare
from .placement import score_packed
from .windows import expand_one_hot

REFERENCE = "PyTorch"
WALKED_AT_ONCE = BATCHES[0]


@dataclass(frozen=True)
class ExportCommand:
    """Checked arguments of the export command."""

    run: Path
    """Folder with NAME.pt, NAME.onnx and NAME_int8.onnx of the train command."""
    name: str
    out: Path
    data: Path
    """Data set whose first windows are scored by every form."""
    seeds: int = 10_000
    core_ml: bool = True
    seedsieve: Path | None = None
    """The program, whose backends are compared, too."""


@dataclass(frozen=True)
class Form:
    """A model in one of its forms, and its scores."""

    name: str
    size: int
    """Bytes."""
    scores: np.ndarray


def run_export(command: ExportCommand, say: Callable[[str], None] = print) -> dict[str, object]:
    """Write the forms to OUT, and OUT/NAME.parity.json and .md; returns the content of the former.

    Forms: NAME and NAME_int8 with packed input (`_packed`), for fixed batches (`_batch512`, ...), and NAME.mlpackage,
    NAME_fixed512.mlpackage and NAME_int8.mlpackage.

    Raises:
        TrainingError: if a file cannot be read or written, or coremltools is missing.
    """
    make_folder(command.out)
    network = read_checkpoint(command.run / f"{command.name}.pt")
    packed = first_seeds(command.data, command.seeds)
    reference = score_packed(network, packed)
    forms: list[Form] = []
    metadata = None
    for ending in ("", "_int8"):
        path = command.run / f"{command.name}{ending}.onnx"
        model = _read(path)
        metadata = metadata or _metadata(path, model)
        forms.append(_onnx_form(f"{path.name}", model, packed))
        for variant, of_variant in {
            "_packed": with_packed_input(model),
            **{f"_batch{batch}": with_fixed_batch(model, batch) for batch in FIXED_BATCHES},
        }.items():
            name = f"{command.name}{ending}{variant}.onnx"
            write_model(of_variant, command.out / name)
            forms.append(_onnx_form(name, of_variant, packed))
    if command.core_ml:
        packages = {"": (BATCHES, False), f"_fixed{BATCHES[0]}": (BATCHES[:1], False), "_int8": (BATCHES, True)}
        for ending, (batches, eight_bits) in packages.items():
            target = command.out / f"{command.name}{ending}.mlpackage"
            write_package(core_ml_model(network, metadata, batches, eight_bits), target)
            program = read_program(target)
            forms.append(Form(f"{target.name} (walked)", package_bytes(target), _walked(program, packed)))
    threshold = metadata.threshold
    rows = [(form, compare(reference, form.scores, threshold)) for form in forms]
    lines = _of_program(command, packed, reference) if command.seedsieve is not None else []
    result = {
        "name": command.name,
        "seeds": len(packed),
        "threshold": threshold,
        "reference": REFERENCE,
        "forms": [{"form": form.name, "bytes": form.size, **asdict(parity)} for form, parity in rows],
        "seedsieve": lines,
    }
    write_atomically(command.out / f"{command.name}.parity.json", (json.dumps(result, indent=1) + "\n").encode())
    text = _markdown(command.name, rows, lines)
    write_atomically(command.out / f"{command.name}.parity.md", text.encode())
    say(text)
    return result


def _read(path: Path) -> onnx.ModelProto:
    try:
        return onnx.load(path)
    except OSError as error:
        raise TrainingError(
            f"{path}: cannot be read: {error.strerror}; give the folder of the train command with --run, and --name"
        ) from error
    # The parser's errors have no common base.
    except Exception as error:
        raise TrainingError(f"{path}: not an ONNX file, or damaged; train again") from error


def _metadata(path: Path, model: onnx.ModelProto) -> ModelMetadata:
    found = {prop.key.removeprefix("seedsieve."): prop.value for prop in model.metadata_props}
    try:
        return ModelMetadata(
            name=found["name"],
            label_policy=found["label_policy"],
            label_threshold=int(found["label_threshold"]),
            threshold=float(found["threshold"]),
            dataset_sha256=found["dataset_sha256"],
            parameters=int(found["parameters"]),
            trained_on=found["trained_on"],
            guarantee=stated_guarantee({prop.key: prop.value for prop in model.metadata_props}),
        )
    except (KeyError, ValueError) as error:
        raise TrainingError(f"{path}: its metadata is not that of the train command: {error}") from error


def _onnx_form(name: str, model: onnx.ModelProto, packed: np.ndarray) -> Form:
    content = model.SerializeToString(deterministic=True)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    batch = given.shape[0] if isinstance(given.shape[0], int) else 4_096
    scores = []
    for start in range(0, len(packed), batch):
        rows = packed[start : start + batch]
        filled = np.concatenate([rows, np.zeros((batch - len(rows), rows.shape[1]), dtype=np.uint8)])
        values = filled if given.name == PACKED_INPUT else expand_one_hot(filled)
        scores.append(session.run(["viability"], {given.name: values})[0][: len(rows)])
    return Form(name, len(content), np.concatenate(scores))


def _walked(program: object, packed: np.ndarray) -> np.ndarray:
    scores = []
    for start in range(0, len(packed), WALKED_AT_ONCE):
        rows = packed[start : start + WALKED_AT_ONCE]
        filled = np.concatenate([rows, np.zeros((WALKED_AT_ONCE - len(rows), rows.shape[1]), dtype=np.uint8)])
        scores.append(walk(program, expand_one_hot(filled))[: len(rows)])
    return np.concatenate(scores)


def _of_program(command: ExportCommand, packed: np.ndarray, reference: np.ndarray) -> list[str]:
    """What `seedsieve model verify` says of its backends."""
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        windows, scores = Path(folder) / "windows.bin", Path(folder) / "scores.f32"
        windows.write_bytes(packed.tobytes())
        scores.write_bytes(reference.astype("<f4").tobytes())
        for ending in ("", "_int8"):
            file = command.run / f"{command.name}{ending}.onnx"
            arguments = [command.seedsieve, "model", "verify", file, "--windows", windows, "--scores", scores]
            done = subprocess.run(
                [str(argument) for argument in arguments], capture_output=True, text=True, check=False
            )
            lines += [f"{file.name}: {line}" for line in done.stdout.splitlines() if f"- {REFERENCE}" in line]
            if done.returncode != 0:
                lines.append(f"{file.name}: {done.stderr.strip()}")
    return lines


def _markdown(name: str, rows: list[tuple[Form, Parity]], lines: list[str]) -> str:
    seeds, threshold = rows[0][1].seeds, rows[0][1].threshold
    text = [
        f"Scores of {seeds:,} windows by every form of {name}, beside {REFERENCE}'s; decisions at {threshold:.4g}.",
        "",
        "| form | bytes | largest difference | mean | decisions changed |",
        "|---|---|---|---|---|",
    ]
    text += [
        f"| {form.name} | {form.size:,} | {parity.largest_difference:.2g} | {parity.mean_difference:.2g} | "
        f"{parity.decisions_changed} |"
        for form, parity in rows
    ]
    if lines:
        text += ["", "`seedsieve model verify`:", "", *(f"- {line}" for line in lines)]
    return "\n".join(text) + "\n"
