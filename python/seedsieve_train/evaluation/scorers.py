"""What is evaluated side by side: baselines, trees, models."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

from ..errors import TrainingError
from ..forests import fitted_trees
from ..labels import NEAR_BEST
from ..parity import onnx_scores
from ..student.export import INPUT as STUDENT_INPUT
from ..student.features import WINDOW, WINDOW_1, WINDOW_2
from .rows import Rows
from .tier_one import cells, learnt_table
from .window_baselines import flank_distance, shared_q_grams

TREES = {
    "trees on the windows": ("window_features",),
    "trees on all seed facts": ("window_features", "seed_facts"),
    "trees on facts and gap bounds": ("window_features", "seed_facts", "gap_facts"),
    "trees on the student's facts": ("student_facts",),
    "trees on facts without narrow scores": ("facts_of_version_2",),
}
"""What each forest sees, by its name."""
NEEDS_GAPS = {"gap_facts", "student_facts", "facts_of_version_2"}
NEEDS = {
    WINDOW_1: ("match masks", 3),
    WINDOW_2: ("match masks and gap bounds", 4),
    WINDOW: ("match masks, gap bounds and narrow scores", 5),
}
"""What a student looks at, and the schema version since which data sets have it, by what its file states."""


@dataclass(frozen=True)
class Scored:
    """Scores of the seeds of a data set."""

    scores: np.ndarray
    """floats[n], higher means viable."""
    microseconds: float
    """For one seed, measured here on one thread; what the value costs is explained by `Scorer.costs`."""


@dataclass(frozen=True)
class Scorer:
    """Something that scores seeds."""

    name: str
    score: Callable[[Rows], np.ndarray]
    costs: str
    """What `Scored.microseconds` counts."""
    is_model: bool = False
    threshold: float | None = None
    """Of a model file."""

    def __call__(self, rows: Rows) -> Scored:
        """Score rows and take the processor's time: all scorers compute on one thread, and other programs may run."""
        started = time.process_time()
        scores = self.score(rows)
        return Scored(scores, 1e6 * (time.process_time() - started) / max(len(rows), 1))


def baselines(with_gaps: bool, with_narrow: bool, threshold: int) -> list[Scorer]:
    """Scorers that need neither training nor a file; the data sets have gap bounds, or narrow scores, too.

    `threshold` is T.
    """
    known = "known before: computed by the aligner"
    return [
        Scorer("seed length", lambda rows: rows.length.astype(np.float64), known),
        Scorer("ungapped score", lambda rows: rows.ungapped_score.astype(np.float64), known),
        *([Scorer("gap bound", lambda rows: rows.gap_facts[:, 0].astype(np.float64), known)] if with_gaps else []),
        *(_of_narrow_scores(threshold) if with_narrow else []),
        Scorer("q-gram vote", lambda rows: shared_q_grams(rows.packed).astype(np.float64), "numpy"),
        Scorer(
            "bit-vector distance", lambda rows: -flank_distance(rows.packed, rows.length).astype(np.float64), "numpy"
        ),
    ]


def _of_narrow_scores(threshold: int) -> list[Scorer]:
    """What narrow scores say under each policy: that of the seed, and the same beside the read's best."""

    def near_best(rows: Rows) -> np.ndarray:
        own, of_others = rows.narrow_facts.T.astype(np.float64)
        return np.minimum(own - threshold, np.minimum(own - of_others, 0) + NEAR_BEST)

    known = "known before: computed by the aligner"
    return [
        Scorer("narrow score", lambda rows: rows.narrow_facts[:, 0].astype(np.float64), known),
        Scorer("narrow score and the read's best", near_best, known),
    ]


def trees(
    train: Rows, policy: str, seed: int, threads: int, with_gaps: bool, wanted: dict[str, tuple[str, ...]] = TREES
) -> list[Scorer]:
    """Gradient-boosted trees that learnt from `train`; none where it lacks a class.

    `with_gaps` says whether all data have gap bounds; `wanted` are those of `TREES` that are to learn.

    Raises:
        TrainingError: if scikit-learn is missing.
    """
    try:
        import sklearn  # noqa: F401
        from threadpoolctl import threadpool_limits
    except ImportError as error:
        raise TrainingError(
            f"{error.name} is not installed: the trees need scikit-learn; `cargo xtask setup` installs it, or leave "
            "out --train-data"
        ) from error
    viable = train.viable[policy]
    if viable.all() or not viable.any():
        return []

    def scorer(name: str, seen: Sequence[str]) -> Scorer:
        forest = fitted_trees(_columns(train, seen), viable, seed, threads)

        def score(rows: Rows) -> np.ndarray:
            with threadpool_limits(limits=1):
                return forest.predict_proba(_columns(rows, seen))[:, 1]

        return Scorer(name, score, "scikit-learn, features given")

    tables = [_table(train, viable)] if with_gaps else []
    shown = {name: seen for name, seen in wanted.items() if with_gaps or not NEEDS_GAPS & set(seen)}
    return tables + [scorer(name, seen) for name, seen in shown.items()]


def _table(train: Rows, viable: np.ndarray) -> Scorer:
    """The table of tier 1, learnt."""
    table = learnt_table(train.gap_facts[:, 0], train.length, train.occurrences, viable)

    def score(rows: Rows) -> np.ndarray:
        return table[cells(rows.gap_facts[:, 0], rows.length, rows.occurrences)].astype(np.float64)

    return Scorer("table of tier 1", score, "numpy, gap bounds given")


def _columns(rows: Rows, names: Sequence[str]) -> np.ndarray:
    return np.concatenate([getattr(rows, name) for name in names], axis=1)


def model(path: Path) -> Scorer:
    """A model file through ONNX Runtime on one thread.

    Raises:
        TrainingError: if the file cannot be read, or takes what a data set does not have.
    """
    try:
        properties = {prop.key: prop.value for prop in onnx.load(path).metadata_props}
        inputs = [value.name for value in onnx.load(path).graph.input]
    except OSError as error:
        raise TrainingError(f"{path}: cannot be read: {error.strerror}; give a .onnx file with --model") from error
    # The parser's errors have no common base.
    except Exception as error:
        raise TrainingError(f"{path}: not an ONNX file, or damaged; give a .onnx file with --model") from error
    threshold = properties.get("seedsieve.threshold")
    is_student = inputs[0] == STUDENT_INPUT
    score = {"contexts": partial(onnx_scores, threads=1), STUDENT_INPUT: feature_scores}.get(inputs[0])
    if score is None:
        raise TrainingError(
            f"{path}: its input is {inputs[0]!r}; valid are contexts and {STUDENT_INPUT}: give a file of the train or "
            "student command without _packed in its name"
        )
    return Scorer(
        name=path.stem,
        score=lambda rows: score(path, _seen_by_student(path, properties, rows) if is_student else rows.packed),
        costs="ONNX Runtime",
        is_model=True,
        threshold=None if threshold is None else float(threshold),
    )


def _seen_by_student(path: Path, properties: dict[str, str], rows: Rows) -> np.ndarray:
    window = properties.get("seedsieve.window")
    seen = rows.seen_by(window)
    if len(seen) != len(rows):
        what, version = NEEDS.get(window, NEEDS[WINDOW])
        raise TrainingError(
            f"{path}: a student looks at {what}, which the data set does not have (schema version {version} and "
            "later do)"
        )
    return seen


def feature_scores(model: Path | bytes, features: np.ndarray, batch_size: int = 8_192) -> np.ndarray:
    """Viability float32[n] of features uint8[n, 288] by a student's model file, on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    content = model if isinstance(model, bytes) else str(model)
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    pieces = [
        session.run(["viability"], {STUDENT_INPUT: features[start : start + batch_size].astype(np.float32)})[0]
        for start in range(0, len(features), batch_size)
    ]
    return np.concatenate(pieces) if pieces else np.empty(0, dtype=np.float32)
