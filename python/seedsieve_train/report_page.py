"""The plots of a training run as one page of HTML: NAME.html."""

from html import escape
from typing import Any

from .svg import Chart, Series

STYLE = (
    "body{font-family:sans-serif;margin:2em;max-width:80em}svg{margin:.5em}"
    "table{border-collapse:collapse;margin:1em 0}td,th{border:1px solid #ccc;padding:.2em .6em;text-align:right}"
    "td:first-child,th:first-child{text-align:left}"
)


def page(title: str, body: str) -> str:
    """A page that needs no other file."""
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head><body><h1>{escape(title)}</h1>\n{body}\n</body></html>\n"
    )


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table; cells are text."""
    cells = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    lines = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>\n" for row in rows)
    return f"<table><tr>{cells}</tr>\n{lines}</table>\n"


def report_page(figures: dict[str, Any]) -> str:
    """Loss, curves and scores of a run, from the content of its metrics file."""
    epochs = figures["epochs"]
    losses = [
        Series(words, [(epoch["epoch"], epoch[key]) for epoch in epochs])
        for words, key in (("training", "train_loss"), ("validation", "validation_loss"))
    ]
    if figures["rounded_epochs"]:
        after = [(len(epochs) + epoch["epoch"], epoch["validation_loss"]) for epoch in figures["rounded_epochs"]]
        losses.append(Series("validation, with rounding", after))
    test = figures["test"]
    curves = [Series(figures["name"], test["roc"])]
    curves += [Series(name, row["roc"]) for name, row in figures["baselines"].items()]
    histogram = test["histogram"]
    middles = [(low + high) / 2 for low, high in zip(histogram["edges"], histogram["edges"][1:], strict=False)]
    scores = [Series(label, list(zip(middles, histogram[label], strict=True))) for label in ("viable", "hopeless")]
    charts = [
        Chart("Weighted loss", "epoch", "loss", losses),
        Chart("Held-out part: ROC", "FPR", "TPR", curves, x_range=(0, 1), y_range=(0, 1)),
        Chart("The last per cent", "FPR", "TPR", curves, x_range=(0, 1), y_range=(0.99, 1), legend=False),
        Chart("Scores of the held-out part", "score", "seeds", scores, y_log=True),
    ]
    keys = [
        [f"{section}.{key}", str(value)]
        for section, of in figures["configuration"].items()
        for key, value in of.items()
    ]
    data = [[row["name"], row["sha256"]] for row in figures["data"]]
    body = "".join(chart.svg() for chart in charts)
    body += table(["configuration", "value"], keys) + table(["data set", "SHA-256 of dataset.json"], data)
    return page(f"Training of {figures['name']}", body)
