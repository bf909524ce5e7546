"""The configuration of a training run: one TOML file, whose keys the command line can override.

`python/configs/seed_filter_v1.toml` says what each key means; without a file the same values hold.
"""

import json
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from . import labels, splits
from .errors import TrainingError
from .settings import DataSettings, ModelSettings, QuantisationSettings, ThresholdSettings, TrainingSettings

NAME = r"letters, digits, `.`, `_` and `-`, the first no sign"
LARGEST_SEED = 2**63 - 1


@dataclass(frozen=True)
class Configuration:
    """All that decides what a run makes of its data, but for the machine it runs on."""

    model: ModelSettings = field(default_factory=ModelSettings)
    data: DataSettings = field(default_factory=DataSettings)
    train: TrainingSettings = field(default_factory=TrainingSettings)
    quantise: QuantisationSettings = field(default_factory=QuantisationSettings)
    threshold: ThresholdSettings = field(default_factory=ThresholdSettings)

    def values(self) -> dict[str, dict[str, Any]]:
        """Sections, keys and values."""
        return {section: dict(keys) for section, keys in asdict(self).items()}

    def to_toml(self) -> str:
        """The configuration as a file that `read_configuration` reads."""
        lines = []
        for section, keys in self.values().items():
            lines += [f"[{section}]", *(f"{key} = {_toml(value)}" for key, value in keys.items()), ""]
        return "\n".join(lines)


_WHOLE = "whole numbers"
_RANGES: dict[str, tuple[float, float]] = {
    "data.block_bases": (2 * splits.MARGIN_BASES, 10**9),
    "data.max_seeds": (0, LARGEST_SEED),
    "data.evaluation_seeds": (1, LARGEST_SEED),
    "data.memory_seeds": (0, LARGEST_SEED),
    "data.shuffle_buffer": (1, 10**9),
    "train.epochs": (1, 100_000),
    "train.batch_size": (2, 10**8),
    "train.learning_rate": (0, 10),
    "train.weight_decay": (0, 10),
    "train.patience": (1, 100_000),
    "train.seed": (0, LARGEST_SEED),
    "quantise.epochs": (0, 100_000),
    "quantise.learning_rate": (0, 10),
    "quantise.calibration_seeds": (1, 10**7),
    "threshold.value": (-1, 1),
    "threshold.miss_rate": (1e-6, 0.5),
    "threshold.confidence": (0.5, 1 - 1e-6),
}
_CHOICES: dict[str, Sequence[str]] = {
    "data.policy": labels.POLICIES,
    "data.placement": ("auto", "memory", "stream"),
    "train.precision": ("auto", "float32", "bfloat16"),
}


def read_configuration(path: Path | None, overrides: Sequence[str] = ()) -> Configuration:
    """Defaults, changed by a file, changed by overrides.

    Args:
        path: TOML file; None for the defaults.
        overrides: `section.key=value`, the value written as in TOML; the quotes of a text may be left out.

    Raises:
        TrainingError: if the file cannot be read, a key is unknown, or a value is of another type or out of range.
    """
    configuration = Configuration()
    if path is not None:
        for section, keys in _parsed(path).items():
            if not isinstance(keys, dict):
                raise TrainingError(f"{path}: the key {section} stands outside the sections; {_valid_sections()}")
            for key, value in keys.items():
                configuration = _changed(configuration, f"{section}.{key}", value, str(path))
    for override in overrides:
        name, sign, text = override.partition("=")
        if not sign:
            raise TrainingError(f"--set {override}: give section.key=value, for instance train.epochs=3")
        configuration = _changed(configuration, name.strip(), _value(text.strip()), f"--set {override}")
    return configuration


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TrainingError(f"{path}: cannot be read: {error.strerror}; give a TOML file with --config") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TrainingError(f"{path}: not TOML: {error}") from error


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _changed(configuration: Configuration, name: str, value: Any, where: str) -> Configuration:
    section, _, key = name.partition(".")
    if section not in {field.name for field in fields(Configuration)}:
        raise TrainingError(f"{where}: no section {section!r}; {_valid_sections()}")
    settings = getattr(configuration, section)
    if key not in {field.name for field in fields(settings)}:
        valid = ", ".join(field.name for field in fields(settings))
        raise TrainingError(f"{where}: no key {key!r} in [{section}]; valid are {valid}")
    value = _checked(name, value, getattr(settings, key), where)
    return replace(configuration, **{section: replace(settings, **{key: value})})


def _checked(name: str, value: Any, now: Any, where: str) -> Any:
    if isinstance(now, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not type(now):
        kind = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}[type(now)]
        raise TrainingError(f"{where}: {name} is {value!r}, valid is {kind}, for instance {now!r}")
    if name in _CHOICES and value not in _CHOICES[name]:
        raise TrainingError(f"{where}: {name} is {value!r}; valid are {', '.join(_CHOICES[name])}")
    if name in _RANGES:
        low, high = _RANGES[name]
        # Also false for what is no number.
        if not low <= value <= high:
            raise TrainingError(f"{where}: {name} is {value}; valid are {low:g} to {high:g}")
    if name == "threshold.value" and -1 < value < 0:
        raise TrainingError(f"{where}: {name} is {value}; valid are 0 to 1, or -1 to have it chosen")
    if name == "model.name" and not ModelSettings.is_valid_name(value):
        raise TrainingError(f"{where}: {name} is {value!r}; valid are {NAME}")
    return value


def _valid_sections() -> str:
    return f"sections are {', '.join(field.name for field in fields(Configuration))}"


def _toml(value: Any) -> str:
    # A float's repr reads back as itself; a text in JSON is one in TOML.
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, str) else repr(value)
