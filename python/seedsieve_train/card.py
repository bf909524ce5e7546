"""The model card: card.md.template filled with the figures of a training run."""

from importlib import resources
from string import Template
from typing import Any

from . import card_data
from .card_data import percent
from .configuration import Configuration
from .data import MAIN_SHARE
from .export import ModelMetadata
from .metrics import TPR_TARGETS
from .splits import MARGIN_BASES, PARTS
from .windows import WINDOW_SPEC

POLICY_WORDS = {
    "own-extension": "the seed's own banded extension to both sides scores at least T",
    "near-best": "the seed's own banded extension scores at least T and at most 20 less than the read's best region",
    "contributed": "a final region that scores at least T contains the seed near its path",
}

CPU_WORDS = "The same command gives the same network with the same number\nof threads on the same kind of processor."
CUDA_WORDS = """Sums may be taken in another order when it is run again, so the same command gives a similar
network, not one of the same bytes. Model files and all figures below were made on the CPU from the float32 weights."""
REDUCED_WORDS = "Convolutions computed in bfloat16 while training, all else in float32."
FULL_WORDS = "Computed in float32, without TF32."


def model_card(
    figures: dict[str, Any],
    metadata: ModelMetadata,
    configuration: Configuration,
    threads: int,
    kept_fraction: float,
) -> str:
    """The card as Markdown.

    Args:
        figures: content of the metrics file, from `report.metrics`.
        metadata: of the model file.
        configuration: of the training.
        threads: of the CPU.
        kept_fraction: part of the data sets' seeds that was used, margins included.
    """
    settings, block_bases = configuration.train, configuration.data.block_bases
    counts, test, int8 = figures["counts"], figures["test"]["at_threshold"], figures["int8"]
    scorers = [(metadata.name, figures["test"]), (f"{metadata.name} INT8", int8), *figures["baselines"].items()]
    return Template(resources.files(__package__).joinpath("card.md.template").read_text()).substitute(
        name=metadata.name,
        parameters=f"{metadata.parameters:,}",
        window=WINDOW_SPEC,
        policy=metadata.label_policy,
        policy_words=POLICY_WORDS[metadata.label_policy],
        label_threshold=metadata.label_threshold,
        trained_on=metadata.trained_on,
        dataset_sha256=metadata.dataset_sha256,
        count_rows="\n".join(
            f"| {part} | {counts[part]['viable']:,} | {counts[part]['hopeless']:,} |" for part in PARTS
        ),
        block_bases=f"{block_bases:,}",
        margin_bases=f"{MARGIN_BASES:,}",
        left_out=f"{counts['left_out']:,}",
        kept=percent(kept_fraction, 1),
        epochs_run=len(figures["epochs"]),
        epochs=settings.epochs,
        learning_rate=f"{settings.learning_rate:g}",
        weight_decay=f"{settings.weight_decay:g}",
        batch_size=f"{settings.batch_size:,}",
        rounded_words=_rounded_words(figures),
        best_epoch=figures["best_epoch"],
        seed=settings.seed,
        threads=threads,
        device=figures["device"],
        device_words=_device_words(figures["device"], settings.precision),
        seconds=f"{figures['seconds']:.0f}",
        main_share=f"{100 * MAIN_SHARE:g} %",
        data_set_rows=card_data.fact_rows(figures["by_data_set"]),
        data_set_figure_rows=card_data.figure_rows(figures["by_data_set"]),
        samples=card_data.samples(figures["by_data_set"]),
        references=card_data.references(figures["by_data_set"]),
        places=card_data.places(figures["by_data_set"], block_bases),
        figure_rows="\n".join(_figure_row(name, row) for name, row in scorers),
        threshold=f"{metadata.threshold:.4g}",
        threshold_origin=figures["threshold_origin"],
        guarantee=_guarantee_words(figures["guarantee"]),
        tpr=percent(test["tpr"]),
        fpr=percent(test["fpr"]),
        int8_tpr=percent(int8["at_threshold"]["tpr"]),
        int8_fpr=percent(int8["at_threshold"]["fpr"]),
        int8_difference=f"{int8['parity']['largest_difference']:.2g}",
        int8_changed=int8["parity"]["decisions_changed"],
        int8_seeds=f"{int8['parity']['seeds']:,}",
    )


def _device_words(device: str, precision: str) -> str:
    on_cuda = device.startswith("cuda")
    reduced = precision == "bfloat16" or (precision == "auto" and on_cuda)
    return f"{REDUCED_WORDS if reduced else FULL_WORDS}\n{CUDA_WORDS if on_cuda else CPU_WORDS}"


def _rounded_words(figures: dict[str, Any]) -> str:
    epochs = len(figures["rounded_epochs"])
    if epochs == 0:
        return "Weights were rounded to the grid of eight bits after training."
    return (
        f"{epochs} more epochs had the rounding of eight bits in the forward pass; both files have the weights that "
        "this led to, rounded."
    )


def _guarantee_words(guarantee: dict[str, Any]) -> str:
    return (
        f"Of {guarantee['test_viable']:,} viable held-out seeds it drops {guarantee['test_missed']:,} "
        f"({percent(guarantee['test_miss_rate'], 3)}; upper bound over {guarantee['test_places']:,} places "
        f"{percent(guarantee['test_upper_bound'], 3)} with {100 * guarantee['confidence']:g} % confidence; "
        f"aim {percent(guarantee['miss_rate'], 3)})."
    )


def _figure_row(name: str, row: dict[str, Any]) -> str:
    rates = " | ".join(percent(row["fpr_at_tpr"][str(target)]) for target in TPR_TARGETS)
    return f"| {name} | {row['auc']:.4f} | {rates} |"
