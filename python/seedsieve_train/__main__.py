"""The command line: python -m seedsieve_train train | student | export | evaluate | baselines | parity | ...."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from . import labels, splits
from .baseline_run import BaselineCommand, run_baselines
from .checkpoint import read_checkpoint
from .configuration import read_configuration
from .dataset import first_seeds
from .device import DEVICES
from .errors import TrainingError
from .evaluation.command import EvaluateCommand, run_evaluation
from .evaluation.rows import POPULATIONS, RESAMPLED
from .evaluation.scorers import TREES
from .files import write_atomically
from .forms import ExportCommand, run_export
from .parity import compare, onnx_scores
from .placement import score_packed
from .run import DEFAULT_THRESHOLD, PARITY_LIMIT, TrainCommand, run_training
from .settings import DataSettings, ModelSettings
from .student.parity import StudentParityCommand, run_student_parity
from .student.run import StudentCommand, run_student
from .student.training import TEACHERS, StudentSettings
from .window_cases import to_json_lines, window_cases


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    top = argparse.ArgumentParser(prog="seedsieve_train", description="Train and check seed-viability networks.")
    commands = top.add_subparsers(dest="command", required=True)

    training = commands.add_parser("train", help="train a network, export and evaluate it")
    training.add_argument("--data", type=Path, action="append", required=True, help="data set folder; may be repeated")
    training.add_argument("--out", type=Path, required=True, help="folder for the results")
    training.add_argument("--config", type=Path, help="TOML file (python/configs/seed_filter_v1.toml has all keys)")
    training.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="another value for a key")
    for option, (key, words) in _TRAIN_OPTIONS.items():
        training.add_argument(option, help=f"{words} ({key})")
    training.add_argument(
        "--device", choices=DEVICES, default="auto", help="where to train; auto: cuda where PyTorch sees it, else cpu"
    )
    training.add_argument("--threads", type=_positive, default=os.cpu_count() or 1, help="CPU threads (%(default)s)")
    training.add_argument("--resume", action="store_true", help="go on with an interrupted training in --out")
    training.add_argument("--init-from", type=Path, metavar="FILE.pt", help="train these weights further")
    training.set_defaults(run=_train)

    baselines = commands.add_parser("baselines", help="figures of what needs no network, with confidence intervals")
    baselines.add_argument("--data", type=Path, action="append", required=True, help="data set folder; may be repeated")
    baselines.add_argument(
        "--test-data", type=Path, action="append", default=[], help="data set to hold out; else the test part of --data"
    )
    baselines.add_argument("--model", type=Path, action="append", default=[], help="ONNX file to score beside them")
    baselines.add_argument("--out", type=Path, required=True, help="folder for baselines.json and baselines.md")
    baselines.add_argument("--max-seeds", type=_positive, help="learn from about so many, hold out as many (all)")
    baselines.add_argument("--seed", type=_natural, default=1, help="random seed (default: %(default)s)")
    baselines.add_argument("--resamples", type=_positive, default=200, help="of the intervals (default: %(default)s)")
    baselines.add_argument("--threads", type=_positive, default=os.cpu_count() or 1, help="CPU threads (%(default)s)")
    baselines.add_argument(
        "--block-bases", type=_block, default=splits.BLOCK_BASES, help="block of the division by position (%(default)s)"
    )
    baselines.set_defaults(run=_baselines)

    evaluate = commands.add_parser("evaluate", help="figures of models beside baselines, and which model is better")
    evaluate.add_argument(
        "--model", type=Path, action="append", default=[], help="ONNX file; the first is compared with"
    )
    evaluate.add_argument("--data", type=Path, action="append", required=True, help="data set folder; may be repeated")
    evaluate.add_argument(
        "--train-data", type=Path, action="append", default=[], help="data set whose training part trees learn from"
    )
    evaluate.add_argument("--policy", choices=labels.POLICIES, action="append", help="may be repeated (all)")
    evaluate.add_argument(
        "--trees",
        choices=[name.removeprefix("trees on ") for name in TREES],
        action="append",
        help="what the trees of --train-data see; may be repeated (all)",
    )
    evaluate.add_argument(
        "--part", choices=(*splits.PARTS, "all"), default="test", help="of the data, by position (%(default)s)"
    )
    evaluate.add_argument("--out", type=Path, required=True, help="folder for evaluation.json, .md and .html")
    evaluate.add_argument("--max-seeds", type=_positive, help="about so many of each data set (all)")
    evaluate.add_argument("--max-train-seeds", type=_positive, help="trees learn from about so many (--max-seeds)")
    evaluate.add_argument("--seed", type=_natural, default=1, help="random seed (%(default)s)")
    evaluate.add_argument("--resamples", type=_positive, default=200, help="of the intervals (%(default)s)")
    evaluate.add_argument(
        "--resample", choices=RESAMPLED, default="places", help="what is drawn as a whole for intervals (%(default)s)"
    )
    evaluate.add_argument(
        "--population", choices=POPULATIONS, default="all", help="all seeds, or those of surviving chains (%(default)s)"
    )
    evaluate.add_argument("--threads", type=_positive, default=os.cpu_count() or 1, help="CPU threads (%(default)s)")
    evaluate.add_argument(
        "--block-bases", type=_block, default=splits.BLOCK_BASES, help="block of the division by position (%(default)s)"
    )
    evaluate.set_defaults(run=_evaluate)

    student = commands.add_parser("student", help="train the small network on match masks and facts")
    student.add_argument("--data", type=Path, action="append", required=True, help="data set folder; may be repeated")
    student.add_argument("--out", type=Path, required=True, help="folder for the results")
    student.add_argument("--name", type=_name, default="seed_student_v2", help="name of the model (%(default)s)")
    student.add_argument("--policy", choices=labels.POLICIES, default="own-extension", help="what counts as viable")
    student.add_argument(
        "--hidden", type=_positive, nargs=2, default=(16, 16), help="units of the hidden layers (16 16)"
    )
    student.add_argument("--epochs", type=_positive, default=30, help="passes over the data (%(default)s)")
    student.add_argument("--distillation", type=_fraction, default=0.0, help="weight of the teacher (%(default)s)")
    student.add_argument(
        "--teacher", choices=TEACHERS, default="network", help="whose scores it learns from (%(default)s)"
    )
    student.add_argument(
        "--masks", action="store_true", help="let it look at the match masks, too, and not at facts alone"
    )
    student.add_argument(
        "--without-narrow-scores", action="store_true", help="show it what version 2 sees; no narrow score is computed"
    )
    student.add_argument("--seed", type=_natural, default=1, help="random seed (%(default)s)")
    student.add_argument("--held-out-samples", default="", help="samples of the test part alone, with commas")
    student.add_argument("--device", choices=DEVICES, default="auto", help="where to train (%(default)s)")
    student.add_argument("--threads", type=_positive, default=os.cpu_count() or 1, help="CPU threads (%(default)s)")
    student.add_argument(
        "--block-bases", type=_block, default=splits.BLOCK_BASES, help="block of the division by position (%(default)s)"
    )
    student.set_defaults(run=_student)

    export = commands.add_parser("export", help="write every form of a model, Core ML among them, and compare them")
    export.add_argument("--run", dest="folder", type=Path, required=True, help="folder of the train command")
    export.add_argument("--name", type=_name, default="seed_filter_v1", help="name of the model (%(default)s)")
    export.add_argument("--out", type=Path, required=True, help="folder for the forms")
    export.add_argument("--data", type=Path, required=True, help="data set whose first windows are scored")
    export.add_argument("--seeds", type=_positive, default=10_000, help="how many windows (%(default)s)")
    export.add_argument("--no-core-ml", action="store_true", help="leave out the packages, which need coremltools")
    export.add_argument("--seedsieve", type=Path, metavar="PROGRAM", help="compare the backends of this program, too")
    export.set_defaults(run=_export)

    students = commands.add_parser("student-parity", help="compare a student's files, integers, PyTorch and kernels")
    students.add_argument("--model", type=Path, action="append", required=True, help="NAME.onnx; may be repeated")
    students.add_argument("--data", type=Path, action="append", required=True, help="data set folder; may be repeated")
    students.add_argument("--out", type=Path, required=True, help="folder for students.parity.json and .md")
    students.add_argument("--seedsieve", type=Path, metavar="PROGRAM", help="compare the routes of this program, too")
    students.set_defaults(run=_student_parity)

    parity = commands.add_parser("parity", help="compare a model file with PyTorch; exit code 1 if they differ")
    parity.add_argument("--model", type=Path, required=True, help="ONNX file")
    parity.add_argument("--limit", type=float, default=PARITY_LIMIT, help="largest valid difference (%(default)s)")
    parity.add_argument(
        "--threshold", type=_fraction, default=DEFAULT_THRESHOLD, help="decision threshold (%(default)s)"
    )
    parity.set_defaults(run=_parity)
    scores = commands.add_parser("scores", help="write PyTorch's scores as little-endian float32, in the order of rows")
    scores.set_defaults(run=_scores)
    for command in (parity, scores):
        command.add_argument("--checkpoint", type=Path, required=True, help="the network's .pt file")
        command.add_argument("--data", type=Path, required=True, help="data set folder")
        command.add_argument("--seeds", type=_positive, default=10_000, help="how many of the first rows (%(default)s)")
        command.add_argument("--out", type=Path, required=command is scores, help="file for the result")
    scores.add_argument("--windows", type=Path, help="file for the packed windows that were scored, 128 bytes a seed")
    windows = commands.add_parser("windows", help="write random seeds and their windows, to compare encodings with")
    windows.add_argument("--cases", type=_positive, default=1_000, help="how many (%(default)s)")
    windows.add_argument("--seed", type=_natural, default=1, help="random seed (%(default)s)")
    windows.add_argument("--out", type=Path, required=True, help="file for one JSON object a line")
    windows.set_defaults(run=_windows)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code. Unusable input ends with one line on standard error and exit code 1."""
    options = parser().parse_args(arguments)
    try:
        return options.run(options)
    except TrainingError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; `train --resume` goes on after the last whole epoch", file=sys.stderr)
        return 130


_TRAIN_OPTIONS = {
    "--name": ("model.name", "name of the model"),
    "--policy": ("data.policy", f"what counts as viable: {', '.join(labels.POLICIES)}"),
    "--epochs": ("train.epochs", "most passes over the data"),
    "--seed": ("train.seed", "random seed"),
    "--max-seeds": ("data.max_seeds", "use about this many seeds, whole reads evenly"),
    "--block-bases": ("data.block_bases", "block of the division by position"),
    "--held-out-samples": ("data.held_out_samples", "samples of the test part alone, with commas"),
    "--threshold": ("threshold.value", "decision threshold; else chosen on the validation part"),
}
"""Options that stand for a key of the configuration."""


def _train(options: argparse.Namespace) -> int:
    overrides = list(options.set)
    for option, (key, _) in _TRAIN_OPTIONS.items():
        value = getattr(options, option.removeprefix("--").replace("-", "_"))
        if value is not None:
            # A text in quotes, so that a name of digits is not taken for a number.
            overrides.append(
                f'{key}="{value}"' if option in ("--name", "--policy", "--held-out-samples") else f"{key}={value}"
            )
    run_training(
        TrainCommand(
            data=tuple(options.data),
            out=options.out,
            configuration=read_configuration(options.config, overrides),
            device=options.device,
            threads=options.threads,
            resume=options.resume,
            init_from=options.init_from,
        ),
        say=lambda line: print(line, flush=True),
    )
    return 0


def _baselines(options: argparse.Namespace) -> int:
    run_baselines(
        BaselineCommand(
            data=tuple(options.data),
            out=options.out,
            test_data=tuple(options.test_data),
            models=tuple(options.model),
            max_seeds=options.max_seeds,
            seed=options.seed,
            resamples=options.resamples,
            block_bases=options.block_bases,
            threads=options.threads,
        ),
        say=lambda line: print(line, flush=True),
    )
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    run_evaluation(
        EvaluateCommand(
            data=tuple(options.data),
            out=options.out,
            models=tuple(options.model),
            train_data=tuple(options.train_data),
            policies=tuple(dict.fromkeys(options.policy)) if options.policy else labels.POLICIES,
            forests=tuple(f"trees on {name}" for name in dict.fromkeys(options.trees))
            if options.trees
            else tuple(TREES),
            part=None if options.part == "all" else options.part,
            max_seeds=options.max_seeds,
            max_train_seeds=options.max_train_seeds or options.max_seeds,
            seed=options.seed,
            resamples=options.resamples,
            resampled=options.resample,
            block_bases=options.block_bases,
            population=options.population,
            threads=options.threads,
        ),
        say=lambda line: print(line, flush=True),
    )
    return 0


def _student(options: argparse.Namespace) -> int:
    run_student(
        StudentCommand(
            data=tuple(options.data),
            out=options.out,
            name=options.name,
            policy=options.policy,
            settings=StudentSettings(
                hidden=tuple(options.hidden),
                epochs=options.epochs,
                rounded_epochs=-(-options.epochs // 3),
                teacher_epochs=-(-options.epochs // 2),
                distillation=options.distillation,
                teacher=options.teacher,
                masks=options.masks,
                narrow_scores=not options.without_narrow_scores,
                seed=options.seed,
            ),
            device=options.device,
            threads=options.threads,
            block_bases=options.block_bases,
            held_out=DataSettings(held_out_samples=options.held_out_samples).held_out,
        ),
        say=lambda line: print(line, flush=True),
    )
    return 0


def _export(options: argparse.Namespace) -> int:
    run_export(
        ExportCommand(
            run=options.folder,
            name=options.name,
            out=options.out,
            data=options.data,
            seeds=options.seeds,
            core_ml=not options.no_core_ml,
            seedsieve=options.seedsieve,
        ),
        say=lambda line: print(line, flush=True),
    )
    return 0


def _student_parity(options: argparse.Namespace) -> int:
    run_student_parity(
        StudentParityCommand(
            models=tuple(options.model), data=tuple(options.data), out=options.out, seedsieve=options.seedsieve
        ),
        say=lambda line: print(line, flush=True),
    )
    return 0


def _parity(options: argparse.Namespace) -> int:
    packed = first_seeds(options.data, options.seeds)
    reference = score_packed(read_checkpoint(options.checkpoint), packed)
    result = compare(reference, onnx_scores(options.model, packed), options.threshold)
    text = json.dumps(asdict(result), indent=1)
    print(text)
    if options.out is not None:
        write_atomically(options.out, (text + "\n").encode())
    return 0 if result.largest_difference <= options.limit else 1


def _scores(options: argparse.Namespace) -> int:
    packed = first_seeds(options.data, options.seeds)
    scores = score_packed(read_checkpoint(options.checkpoint), packed)
    if options.windows is not None:
        write_atomically(options.windows, np.ascontiguousarray(packed).tobytes())
    write_atomically(options.out, scores.astype(np.dtype("<f4")).tobytes())
    print(f"wrote {len(scores):,} scores to {options.out}")
    return 0


def _windows(options: argparse.Namespace) -> int:
    write_atomically(options.out, to_json_lines(window_cases(options.cases, options.seed)))
    print(f"wrote {options.cases:,} seeds to {options.out}")
    return 0


def _name(text: str) -> str:
    if not ModelSettings.is_valid_name(text):
        raise argparse.ArgumentTypeError(f"{text!r}: valid are letters, digits, `.`, `_` and `-`, the first no sign")
    return text


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text}: valid are 1 and more")
    return value


def _natural(text: str) -> int:
    value = int(text)
    if not 0 <= value < 2**63:
        raise argparse.ArgumentTypeError(f"{text}: valid are 0 to {2**63 - 1}")
    return value


def _block(text: str) -> int:
    value = int(text)
    if value < 2 * splits.MARGIN_BASES:
        raise argparse.ArgumentTypeError(
            f"{text}: a block holds at least its two margins, {2 * splits.MARGIN_BASES} bases"
        )
    return value


def _fraction(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text}: valid are 0 to 1")
    return value


if __name__ == "__main__":
    sys.exit(main())
