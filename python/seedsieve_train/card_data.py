"""The model card's part about each data set: what it is and how its held-out seeds fare."""

from typing import Any

from .metrics import TPR_TARGETS

FASTA_ENDINGS = (".fa", ".fasta", ".fna")
"""Endings of references whose size in bytes is about that in bases."""


def fact_rows(data_sets: dict[str, dict[str, Any]]) -> str:
    """Rows of the table of data sets, from the `by_data_set` of the metrics file."""
    return "\n".join(
        f"| {name} | {', '.join(facts['samples'])} | {_files(facts, 'reads')} | {_files(facts, 'reference')} | "
        f"{_number(facts['min_seed_length'])} | {_number(facts['reads'])} | {_number(facts['seeds'])} | "
        f"{_number(facts['main_blocks'])} |"
        for name, facts in data_sets.items()
    )


def figure_rows(data_sets: dict[str, dict[str, Any]]) -> str:
    """Rows of the table of held-out figures, a row for each data set and scorer."""
    rows = []
    for name, facts in data_sets.items():
        test = facts["test"]
        start = f"| {name} | {_number(test['seeds'])} | {percent(test['viable'], 1)} |"
        if test["scorers"] is None:
            rows.append(f"{start} not of both classes: no figures |" + " - |" * (2 + len(TPR_TARGETS)))
            continue
        for number, (scorer, figures) in enumerate(test["scorers"].items()):
            rates = "".join(f" {percent(figures['fpr_at_tpr'][str(target)])} |" for target in TPR_TARGETS)
            # The decision threshold is one of the network, which comes first.
            chosen = test["at_threshold"]
            at_threshold = f"{percent(chosen['tpr'])} / {percent(chosen['fpr'])}" if number == 0 else "-"
            rows.append(f"{start} {scorer} | {figures['auc']:.4f} |{rates} {at_threshold} |")
    return "\n".join(rows)


def samples(data_sets: dict[str, dict[str, Any]]) -> str:
    """Names of all samples."""
    return ", ".join(sorted({sample for facts in data_sets.values() for sample in facts["samples"]}))


def references(data_sets: dict[str, dict[str, Any]]) -> str:
    """Names of the references, with their size where the file's bytes tell it."""
    return ", ".join(
        sorted(
            {
                f"{file['name']} (about {file['size'] / 1e6:,.0f} Mb)"
                if file["name"].endswith(FASTA_ENDINGS)
                else file["name"]
                for facts in data_sets.values()
                for file in facts["inputs"]
                if file["kind"] == "reference"
            }
        )
    )


def places(data_sets: dict[str, dict[str, Any]], block_bases: int) -> str:
    """For each data set the bases of its main blocks."""
    return ", ".join(f"{name} {facts['main_blocks'] * block_bases / 1000:,.0f} kb" for name, facts in data_sets.items())


def percent(fraction: float | None, decimals: int = 2) -> str:
    """A fraction in per cent; a dash for None."""
    return "-" if fraction is None else f"{100 * fraction:.{decimals}f} %"


def _number(value: int | None) -> str:
    return "not stated" if value is None else f"{value:,}"


def _files(facts: dict[str, Any], kind: str) -> str:
    return ", ".join(file["name"] for file in facts["inputs"] if file["kind"] == kind) or "not stated"
