"""The student's model card."""

from importlib import resources
from string import Template
from typing import Any

from ..card_data import percent
from .features import FACTS, GAP_FACTS, MASK_BITS, NARROW_FACTS


def student_card(figures: dict[str, Any]) -> str:
    """The card as Markdown, from the content of the metrics file."""
    scorers = [(f"{figures['name']}, eight bits", figures["test"]), (f"{figures['name']}, float32", figures["float"])]
    scorers += figures["baselines"].items()
    guarantee, at = figures["guarantee"], figures["test"]["at_threshold"]
    facts = len(FACTS) + len(GAP_FACTS) + (len(NARROW_FACTS) if figures["settings"]["narrow_scores"] else 0)
    return Template(resources.files(__package__).joinpath("card.md.template").read_text()).substitute(
        name=figures["name"],
        multiply_adds=f"{figures['multiply_adds']:,}",
        parameters=f"{figures['parameters']:,}",
        policy=figures["policy"],
        label_threshold=figures["label_threshold"],
        trained_on=figures["trained_on"],
        dataset_sha256=figures["dataset_sha256"],
        count_rows="\n".join(
            f"| {part} | {counts['viable']:,} | {counts['seeds'] - counts['viable']:,} |"
            for part, counts in figures["counts"].items()
        ),
        epochs=len(figures["epochs"]),
        seen="match masks and facts"
        if figures["settings"]["masks"]
        else "facts alone; the weights of the match masks are 0",
        facts=facts,
        last_fact=2 * MASK_BITS + facts - 1,
        rounded_epochs=len(figures["rounded_epochs"]),
        distillation=percent(figures["settings"]["distillation"], 0),
        device=figures["device"],
        figure_rows="\n".join(
            f"| {name} | {row['auc']:.4f} | " + " | ".join(percent(rate) for rate in row["fpr_at_tpr"].values()) + " |"
            for name, row in scorers
        ),
        threshold=f"{figures['threshold']:.4g}",
        origin=figures["threshold_origin"],
        test_places=f"{guarantee['test_places']:,}",
        test_missed=f"{guarantee['test_missed']:,}",
        test_viable=f"{guarantee['test_viable']:,}",
        upper_bound=percent(guarantee["test_upper_bound"], 3),
        fpr=percent(at["fpr"]),
        parity_rows="\n".join(
            f"| {name} | {parity['largest_difference']:.2g} | {parity['decisions_changed']} of {parity['seeds']:,} |"
            for name, parity in figures["parity"].items()
        ),
    )
